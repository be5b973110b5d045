"""The one greeting that a new contact allows, within twenty seconds (wecom.md section 6.3; platform page 92137)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adapters.wecom.client import WeComClient
from adapters.wecom.error_table import MEANINGS
from adapters.wecom.errors import MEDIA_REFUSED
from adapters.wecom.greeting_files import GreetingFiles
from adapters.wecom.lengths import check_bytes, check_count
from adapters.wecom.values import known, text
from scrm.channel import JsonObject, Kind, Sentence
from scrm.channel_contacts import AttachmentKind, GreetingPart
from scrm.errors import Rejected

SECONDS = 20.0
TEXT_BYTES = 4000
PARTS = 9
_TITLE, _DESCRIPTION, _URL, _APP_TITLE = 128, 512, 2048, 64
_TOO_LATE, _ALREADY = 41050, 41051
_MEDIA_REFUSED = frozenset(f"wecom.{errcode}" for errcode in MEDIA_REFUSED)
_FILES: Mapping[AttachmentKind, Kind] = {
    AttachmentKind.IMAGE: Kind.IMAGE,
    AttachmentKind.VIDEO: Kind.VIDEO,
    AttachmentKind.FILE: Kind.FILE,
    AttachmentKind.MINIPROGRAM: Kind.IMAGE,
}


class Greetings:
    def __init__(self, client: WeComClient, files: GreetingFiles) -> None:
        self._client = client
        self._files = files

    async def prepare(self, parts: Sequence[GreetingPart]) -> None:
        await self._attachments(parts, {})

    async def attachments(self, parts: Sequence[GreetingPart]) -> list[JsonObject]:
        """As the calls take them, with their files uploaded."""
        return await self._attachments(parts, {})

    async def greet(self, welcome_code: str, text: str, parts: Sequence[GreetingPart]) -> None:
        """``send_welcome_msg``. What WeCom refuses is not used up, so files that it has forgotten are uploaded anew."""
        _check(text, parts)
        refused: dict[str, str] = {}
        for last in (False, True):
            attachments = await self._attachments(parts, refused)
            body: JsonObject = {"welcome_code": welcome_code}
            body |= {"text": {"content": text}} if text else {}
            body |= {"attachments": attachments} if attachments else {}
            try:
                await self._client.post("externalcontact/send_welcome_msg", body)
                return
            except Rejected as error:
                if error.code not in _MEDIA_REFUSED or last:
                    raise _as_contract(error) from None
            refused = _ids_by_file(parts, attachments)

    async def _attachments(self, parts: Sequence[GreetingPart], refused: Mapping[str, str]) -> list[JsonObject]:
        return [await self._attachment(part, refused) for part in parts]

    async def _attachment(self, part: GreetingPart, refused: Mapping[str, str]) -> JsonObject:
        said = part.content
        match part.kind:
            case AttachmentKind.LINK:
                cover = await self._files.address(part.media) if part.media is not None else text(said, "image_url")
                link = {"title": _need(part, "title", "标题", _TITLE), "url": _need(part, "url", "网址", _URL)}
                description = _may(part, "description", "描述", _DESCRIPTION)
                body: JsonObject = {**link, **known(picurl=cover, desc=description)}
            case AttachmentKind.MINIPROGRAM:
                body = {
                    "title": _need(part, "title", "标题", _APP_TITLE),
                    "pic_media_id": await self._media_id(part, refused),
                    "appid": _need(part, "app_id", "小程序 AppID", _TITLE),
                    "page": _need(part, "path", "页面路径", _URL),
                }
            case _:
                body = {"media_id": await self._media_id(part, refused)}
        return {"msgtype": str(part.kind), str(part.kind): body}

    async def _media_id(self, part: GreetingPart, refused: Mapping[str, str]) -> str:
        if part.media is None:
            raise _missing("media", "文件或封面图")
        return await self._files.media_id(part.media, _FILES[part.kind], refused=refused.get(_file_key(part), ""))


def _check(said: str, parts: Sequence[GreetingPart]) -> None:
    if not said.strip() and not parts:
        raise _missing("text", "欢迎语的文字或附件")
    check_bytes(said, TEXT_BYTES, name="greeting", zh="欢迎语")
    check_count(len(parts), PARTS, name="attachments", zh="欢迎语的附件")


def _as_contract(error: Rejected) -> Rejected:
    if error.code == f"wecom.{_ALREADY}":
        return Rejected("already_greeted", MEANINGS[_ALREADY].reason)
    if error.code == f"wecom.{_TOO_LATE}":
        return Rejected("too_late", MEANINGS[_TOO_LATE].reason)
    return error


def _ids_by_file(parts: Sequence[GreetingPart], attachments: Sequence[JsonObject]) -> dict[str, str]:
    used: dict[str, str] = {}
    for part, attachment in zip(parts, attachments, strict=True):
        body = attachment[attachment["msgtype"]]
        media_id = body.get("media_id") or body.get("pic_media_id")
        if media_id:
            used[_file_key(part)] = media_id
    return used


def _file_key(part: GreetingPart) -> str:
    return f"{_FILES[part.kind]}:{part.media.sha256}" if part.media is not None else ""


def _need(part: GreetingPart, name: str, zh: str, limit: int) -> str:
    value = text(part.content, name)
    if not value:
        raise _missing(name, zh)
    check_bytes(value, limit, name=name, zh=zh)
    return value


def _may(part: GreetingPart, name: str, zh: str, limit: int) -> str:
    value = text(part.content, name)
    check_bytes(value, limit, name=name, zh=zh)
    return value


def _missing(name: str, zh: str) -> Rejected:
    return Rejected(
        f"wecom.{name}_missing", Sentence(f"缺少{zh}，无法发送欢迎语。", f"The {name} of the greeting is missing.")
    )
