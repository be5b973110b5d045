"""What a record of the chat archive says, by its ``msgtype`` (wecom.md section 15.3). Amounts are fen; 64-bit ids stay text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from adapters.wecom.values import decimal, integer, known, moment_or_none, nested, objects, read_object, text
from scrm.channel import JsonObject, Kind, RemoteMedia

_MOST_FORWARDED = 200


@dataclass(frozen=True, slots=True)
class ArchiveBody:
    kind: Kind
    text: str
    content: JsonObject = field(default_factory=dict)
    media: tuple[RemoteMedia, ...] = ()
    known: bool = True


def read_archive_body(record: JsonObject) -> ArchiveBody:
    """The body that belongs to ``record["msgtype"]``; a type that we do not know is still a message."""
    msgtype = text(record, "msgtype")
    reader = READERS.get(msgtype)
    if reader is not None:
        return reader(record)
    label = f"暂不支持的消息：{msgtype[:40]}" if msgtype else "暂不支持的消息"
    return ArchiveBody(Kind.OTHER, f"[{label}]", known(platform_type=msgtype), known=False)


def _preview(label: str, detail: str) -> str:
    return f"[{label}] {detail}" if detail else f"[{label}]"


def _text(record: JsonObject) -> ArchiveBody:
    return ArchiveBody(Kind.TEXT, text(nested(record, "text"), "content"))


def _markdown(record: JsonObject) -> ArchiveBody:
    return ArchiveBody(Kind.TEXT, text(nested(record, "info"), "content"), {"platform_type": "markdown"})


def _media(
    kind: Kind, label: str, key: str, size: str = "filesize", mime: str = ""
) -> Callable[[JsonObject], ArchiveBody]:
    def read(record: JsonObject) -> ArchiveBody:
        body = nested(record, key)
        name = text(body, "filename")
        return ArchiveBody(kind, _preview(label, name), media=_file(kind, body, name, size, mime))

    return read


def _file(
    kind: Kind, body: JsonObject, name: str = "", size: str = "filesize", mime: str = ""
) -> tuple[RemoteMedia, ...]:
    file_id = text(body, "sdkfileid")
    if not file_id:
        return ()
    return (
        RemoteMedia(
            kind,
            {"archive": known(file=file_id, md5=text(body, "md5sum").lower())},
            name=name,
            mime=mime,
            size=max(integer(body, size) or 0, 0),
            width=max(integer(body, "width") or 0, 0),
            height=max(integer(body, "height") or 0, 0),
            duration_ms=max(integer(body, "play_length") or 0, 0) * 1000,
        ),
    )


def _sticker(record: JsonObject) -> ArchiveBody:
    body = nested(record, "emotion")
    mime = {1: "image/gif", 2: "image/png"}.get(integer(body, "type") or 0, "")
    return ArchiveBody(Kind.STICKER, "[表情]", media=_file(Kind.STICKER, body, size="imagesize", mime=mime))


def _card(record: JsonObject) -> ArchiveBody:
    body = nested(record, "card")
    user_id, company = text(body, "userid"), text(body, "corpname")
    return ArchiveBody(Kind.CONTACT_CARD, _preview("名片", company), known(user_id=user_id, company=company))


def _location(record: JsonObject) -> ArchiveBody:
    body = nested(record, "location")
    name, address = text(body, "title"), text(body, "address")
    content = known(
        name=name, address=address, latitude=decimal(body, "latitude"), longitude=decimal(body, "longitude")
    )
    return ArchiveBody(Kind.LOCATION, _preview("位置", name or address), content)


def _link(record: JsonObject) -> ArchiveBody:
    body = nested(record, "link")
    title, description = text(body, "title"), text(body, "description")
    content = known(title=title, description=description, url=text(body, "link_url"), image_url=text(body, "image_url"))
    return ArchiveBody(Kind.LINK, _preview("链接", title), content)


def _document(record: JsonObject) -> ArchiveBody:
    body = nested(record, "doc")
    title = text(body, "title")
    content = known(title=title, url=text(body, "link_url"), description=text(body, "doc_creator"))
    return ArchiveBody(Kind.LINK, _preview("文档", title), content)


def _news(record: JsonObject) -> ArchiveBody:
    articles = objects(nested(record, "info"), "item")
    first = articles[0] if articles else {}
    titles = [text(one, "title").strip() for one in articles]
    content = known(
        title=text(first, "title").strip(), description=text(first, "description"), url=text(first, "url"),
        image_url=text(first, "picurl"),
    )  # fmt: skip
    return ArchiveBody(Kind.LINK, _preview("图文", "、".join(title for title in titles if title)), content)


def _mini_program(record: JsonObject) -> ArchiveBody:
    body = nested(record, "weapp")
    title, name = text(body, "title"), text(body, "displayname")
    content = known(title=title, app_id=text(body, "username"), description=text(body, "description"), name=name)
    return ArchiveBody(Kind.MINIPROGRAM, _preview("小程序", title or name), content)


def _channels_post(record: JsonObject) -> ArchiveBody:
    body = nested(record, "sphfeed")
    nickname, title = text(body, "sph_name"), text(body, "feed_desc")
    content = known(type="feed", nickname=nickname, title=title, feed_type=integer(body, "feed_type"))
    return ArchiveBody(Kind.CHANNEL_POST, _preview("视频号动态", title or nickname), content)


def _red_packet(label: str, scope: str) -> Callable[[JsonObject], ArchiveBody]:
    """``total_fen`` of all ``count`` packets together; who took one of them is not told."""

    def read(record: JsonObject) -> ArchiveBody:
        body = nested(record, "redpacket")
        wish = text(body, "wish")
        content = known(
            platform_type=text(record, "msgtype"), scope=scope, wish=wish, count=integer(body, "totalcnt"),
            total_fen=integer(body, "totalamount"), packet_type=integer(body, "type"),
        )  # fmt: skip
        return ArchiveBody(Kind.OTHER, _preview(label, wish), content)

    return read


def _merged(record: JsonObject) -> ArchiveBody:
    body = nested(record, "chatrecord")
    title = text(body, "title")
    items = [_forwarded(one) for one in objects(body, "item")[:_MOST_FORWARDED]]
    return ArchiveBody(Kind.MERGED, _preview("聊天记录", title), known(title=title, items=items))


_FORWARDED = {
    "ChatRecordText": ("text", ""), "ChatRecordFile": ("file", "文件"), "ChatRecordImage": ("image", "图片"),
    "ChatRecordVideo": ("video", "视频"), "ChatRecordLink": ("link", "链接"), "ChatRecordLocation": ("location", "位置"),
    "ChatRecordMixed": ("text", ""),
}  # fmt: skip


def _forwarded(item: JsonObject) -> JsonObject:
    kind, label = _FORWARDED.get(text(item, "type"), ("other", "消息"))
    inner = read_object(text(item, "content").encode("utf-8", "replace")) or {}
    parts = [_inner_text(one) for one in objects(inner, "item")]
    said = text(inner, "content") or "".join(parts)
    detail = text(inner, "filename") or text(inner, "title") or text(inner, "address")
    return {
        "kind": kind,
        "text": said if kind == "text" else _preview(label, detail),
        **known(sent_at=_iso(_seconds_or_milliseconds(item, "msgtime"))),
    }


def _inner_text(item: JsonObject) -> str:
    inner = read_object(text(item, "content").encode("utf-8", "replace")) or {}
    return text(inner, "content") or _preview(text(item, "type") or "消息", text(inner, "filename"))


def _mixed(record: JsonObject) -> ArchiveBody:
    """Text and pictures in one message."""
    said: list[str] = []
    files: list[RemoteMedia] = []
    for item in objects(nested(record, "mixed"), "item"):
        inner = read_object(text(item, "content").encode("utf-8", "replace")) or {}
        part = read_archive_body({"msgtype": text(item, "type"), text(item, "type"): inner, "info": inner})
        said.append(part.text)
        files += part.media
    return ArchiveBody(Kind.TEXT, "\n".join(said), {"platform_type": "mixed"}, tuple(files))


def _other(label: str, detail: Callable[[JsonObject], str], key: str = "") -> Callable[[JsonObject], ArchiveBody]:
    """Shown by a line of text; everything that the platform said stays in the content, under its own names."""

    def read(record: JsonObject) -> ArchiveBody:
        msgtype = text(record, "msgtype")
        body = nested(record, key or msgtype) or record
        content = {name: value for name, value in body.items() if name not in ("tolist", "msgid", "msgtime", "from")}
        return ArchiveBody(Kind.OTHER, _preview(label, detail(body)), {"platform_type": msgtype, **content})

    return read


def _recording(record: JsonObject) -> ArchiveBody:
    body = nested(record, "meeting_voice_call")
    names = [text(one, "filename") for one in objects(body, "demofiledata")]
    content = known(
        platform_type="meeting_voice_call", voiceid=text(record, "voiceid"), endtime=integer(body, "endtime"),
        files=names, shared_by=[text(one, "share") for one in objects(body, "sharescreendata")],
    )  # fmt: skip
    return ArchiveBody(Kind.VOICE, _preview("音视频会议", "、".join(names)), content, _file(Kind.VOICE, body))


def _shared_document(record: JsonObject) -> ArchiveBody:
    body = nested(record, "voip_doc_share")
    name = text(body, "filename")
    content = known(platform_type="voip_doc_share", voipid=text(record, "voipid"))
    return ArchiveBody(Kind.FILE, _preview("音视频共享文档", name), content, _file(Kind.FILE, body, name))


_CALLS = {1: "单人视频通话", 2: "单人语音通话", 3: "多人视频通话", 4: "多人语音通话"}


def _call(record: JsonObject) -> ArchiveBody:
    body = nested(record, "info")
    seconds = integer(body, "callduration")
    label = _CALLS.get(integer(body, "invitetype") or 0, "音视频通话")
    content = known(platform_type="voiptext", seconds=seconds, invite_type=integer(body, "invitetype"))
    return ArchiveBody(Kind.OTHER, _preview(label, f"{seconds} 秒" if seconds else ""), content)


def _consent(label: str) -> Callable[[JsonObject], ArchiveBody]:
    def read(record: JsonObject) -> ArchiveBody:
        msgtype = text(record, "msgtype")
        # One known source writes a refusal under "agree".
        body = nested(record, msgtype) or nested(record, "agree")
        at = _seconds_or_milliseconds(body, f"{msgtype}_time") or _seconds_or_milliseconds(body, "agree_time")
        content = known(platform_type=msgtype, user_id=text(body, "userid"), at=_iso(at))
        return ArchiveBody(Kind.SYSTEM, f"[{label}]", {"event": msgtype, **content})

    return read


def _seconds_or_milliseconds(source: JsonObject, key: str) -> datetime | None:
    value = decimal(source, key)
    if value is None:
        return None
    return moment_or_none({key: value / 1000 if value > 100_000_000_000 else value}, key)


def _iso(at: datetime | None) -> str:
    return at.astimezone(UTC).isoformat() if at is not None else ""


READERS: Mapping[str, Callable[[JsonObject], ArchiveBody]] = {
    "text": _text,
    "markdown": _markdown,
    "image": _media(Kind.IMAGE, "图片", "image", mime="image/jpeg"),
    "voice": _media(Kind.VOICE, "语音", "voice", "voice_size", "audio/amr"),
    "video": _media(Kind.VIDEO, "视频", "video", mime="video/mp4"),
    "file": _media(Kind.FILE, "文件", "file"),
    "emotion": _sticker,
    "card": _card,
    "location": _location,
    "link": _link,
    "docmsg": _document,
    "news": _news,
    "weapp": _mini_program,
    "sphfeed": _channels_post,
    "redpacket": _red_packet("企业内红包", "inside"),
    "external_redpacket": _red_packet("红包", "customer"),
    "chatrecord": _merged,
    "mixed": _mixed,
    "todo": _other("待办", lambda body: text(body, "title")),
    "vote": _other("投票", lambda body: text(body, "votetitle")),
    "collect": _other("填表", lambda body: text(body, "title")),
    "meeting": _other("会议", lambda body: text(body, "topic")),
    "calendar": _other("日程", lambda body: text(body, "title")),
    "qydiskfile": _other("微盘文件", lambda body: text(body, "filename"), "info"),
    "meeting_voice_call": _recording,
    "voip_doc_share": _shared_document,
    "voiptext": _call,
    "agree": _consent("客户同意会话存档"),
    "disagree": _consent("客户不同意会话存档"),
}
"""``revoke`` and the ``switch`` of a company are no messages: see :mod:`adapters.wecom.archive_records`."""
