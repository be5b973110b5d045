"""The chat archive (会话内容存档, wecom.md section 15; platform pages 91774 and 91552) behind :class:`~scrm.channel_archive.Archives`.

Some processes hold the vendor's library: two for records, since opening one costs an RSA operation that keeps a processor busy, and one for
media, so that a large file holds up no sentence."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from adapters.wecom.archive_records import understand
from adapters.wecom.finance_process import ANSWER_SECONDS, CALL_SECONDS, Access, Died, FinanceProcess
from adapters.wecom.ids import MEMBER
from adapters.wecom.values import integer, nested, objects, read_object, text
from scrm.channel import JsonObject, Sentence
from scrm.channel_archive import ArchivedMessage, ArchiveUnready, Envelope, MediaPart, Opened
from scrm.errors import Rejected, RetryLater

NO_SECRET = Sentence(
    "还没有填写会话内容存档的 Secret。在管理后台“管理工具 → 会话内容存档”中查看，填入连接设置。",
    "The secret of the chat archive is missing. It is in the console under Chat Archive; write it into the connection's settings.",
)
CRASHED = Sentence(
    "会话内容存档的组件库异常退出，稍后重试。", "The library of the chat archive crashed; it is tried again later."
)
REFUSED = Sentence("企业微信拒绝了会话内容存档的请求。", "WeCom refused the request to the chat archive.")
WORTH_SHARING = 50
"""Records; opening fewer is done before another process has been asked."""
TOO_LARGE = 301058
"""A page is too large: the same with fewer records succeeds."""


class ChatArchive:
    archive_channel = MEMBER
    archive_keeps = timedelta(days=5)
    archive_page = 1000

    def __init__(self, access: Access) -> None:
        self._access = access
        self._records = FinanceProcess(access)
        self._more_records = FinanceProcess(access)
        self._files = FinanceProcess(access)

    @property
    def deaths(self) -> int:
        """How often the library took its process with it."""
        return self._records.deaths + self._more_records.deaths + self._files.deaths

    async def archived_after(self, seq: int, limit: int) -> Sequence[Envelope]:
        self._ready()
        request = {"act": "page", "seq": seq, "limit": min(limit, self.archive_page), "seconds": CALL_SECONDS}
        _, body = await self._ask(self._records, request)
        page = read_object(body)
        if page is None:
            raise RetryLater("unreadable", CRASHED)
        code = integer(page, "errcode") or 0
        if code == TOO_LARGE and limit > 1:
            return await self.archived_after(seq, max(limit // 4, 1))
        if code:
            raise Rejected(str(code), REFUSED)
        return [_envelope(one) for one in objects(page, "chatdata")]

    async def open_envelopes(self, envelopes: Sequence[Envelope], keys: Mapping[int, bytes]) -> Sequence[Opened]:
        self._ready()
        if len(envelopes) < WORTH_SHARING:
            return await self._opened_by(self._records, envelopes, keys)
        middle = len(envelopes) // 2
        one, other = await asyncio.gather(
            self._opened_by(self._records, envelopes[:middle], keys),
            self._opened_by(self._more_records, envelopes[middle:], keys),
        )
        return [*one, *other]

    async def _opened_by(
        self, process: FinanceProcess, envelopes: Sequence[Envelope], keys: Mapping[int, bytes]
    ) -> Sequence[Opened]:
        try:
            return await self._open(process, envelopes, keys)
        except Died:
            # One of them killed it. Which one, each alone tells.
            if len(envelopes) == 1:
                return [Opened(None, "crash")]
            middle = len(envelopes) // 2
            first = await self._opened_by(process, envelopes[:middle], keys)
            return [*first, *await self._opened_by(process, envelopes[middle:], keys)]

    async def _open(
        self, process: FinanceProcess, envelopes: Sequence[Envelope], keys: Mapping[int, bytes]
    ) -> list[Opened]:
        records = [
            {"version": one.key_version, "key": one.sealed_key, "message": one.sealed_message} for one in envelopes
        ]
        wanted = {one.key_version for one in envelopes}
        given = {str(version): pem.decode() for version, pem in keys.items() if version in wanted}
        head, _ = await process.call({"act": "open", "records": records, "keys": given})
        return [_opened(one) for one in head["opened"]]

    def understand(self, record: bytes) -> ArchivedMessage:
        return understand(record)

    async def archived_media(self, handle: JsonObject, index: str) -> MediaPart:
        self._ready()
        request = {
            "act": "media", "file": text(nested(handle, "archive"), "file"), "index": index, "seconds": CALL_SECONDS,
        }  # fmt: skip
        head, data = await self._ask(self._files, request)
        return MediaPart(data, str(head["index"]), bool(head["last"]))

    async def close_archive(self) -> None:
        await self._records.close()
        await self._more_records.close()
        await self._files.close()

    def _ready(self) -> None:
        if not self._access.secret:
            raise ArchiveUnready("no_secret", NO_SECRET)

    async def _ask(self, process: FinanceProcess, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        try:
            return await process.call(request)
        except Died as died:
            raise RetryLater("crash", CRASHED) from died
        except TimeoutError as slow:
            raise RetryLater("timeout", CRASHED, after=float(ANSWER_SECONDS)) from slow


def _envelope(item: JsonObject) -> Envelope:
    return Envelope(
        seq=integer(item, "seq") or 0,
        message_id=text(item, "msgid"),
        key_version=integer(item, "publickey_ver") or 0,
        sealed_key=text(item, "encrypt_random_key"),
        sealed_message=text(item, "encrypt_chat_msg"),
    )


def _opened(one: Mapping[str, Any]) -> Opened:
    record = one.get("record")
    if record is None:
        return Opened(None, one["code"], str(one.get("detail", "")))
    return Opened(str(record).encode())
