"""One opened record of the chat archive (wecom.md section 15.3) in the contract's words. Pure and total."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Literal

from adapters.wecom.archive_bodies import ArchiveBody, read_archive_body
from adapters.wecom.ids import member
from adapters.wecom.values import decimal, known, moment_or_none, nested, read_object, text, texts
from scrm.channel import JsonObject, Kind
from scrm.channel_archive import ArchivedMessage

EXTERNAL = re.compile(r"w[mo][A-Za-z0-9_-]{20,}")
"""People outside the company, of WeChat and of other companies. Everybody else is a member, or a robot (``wb...``)."""


def is_external(who: str) -> bool:
    return EXTERNAL.fullmatch(who) is not None


def understand(record: bytes) -> ArchivedMessage:
    """Raises :class:`ValueError` for what is no JSON object."""
    read = read_object(record)
    if read is None:
        raise ValueError("the record is no JSON object")
    action, sender, at = text(read, "action"), text(read, "from"), _moment(read, "msgtime")
    receivers = texts(read, "tolist")
    what = _what(action, text(read, "msgtype"))
    body = _body(read, what)
    if action == "switch":
        sender, at = text(read, "user"), _moment(read, "time")
    everybody = [who for who in (sender, *receivers) if who]
    return ArchivedMessage(
        message_id=text(read, "msgid"),
        action=what,
        at=at,
        sender=_named(sender),
        receivers=[_named(who) for who in receivers],
        members=frozenset(member(who) for who in everybody if not is_external(who)),
        room=text(read, "roomid"),
        kind=body.kind,
        text=body.text,
        platform_kind=text(read, "msgtype") or action,
        content=body.content,
        media=body.media,
        recalls=text(nested(read, "revoke"), "pre_msgid") if what == "recall" else "",
        known=body.known,
    )


def _what(action: str, msgtype: str) -> Literal["send", "recall", "other"]:
    if action == "recall" or msgtype == "revoke":
        return "recall"
    return "send" if action == "send" or msgtype else "other"


def _body(read: JsonObject, what: str) -> ArchiveBody:
    if what == "recall":
        return ArchiveBody(Kind.SYSTEM, "[撤回了一条消息]", {"event": "recall"})
    if what == "other":
        action = text(read, "action")
        return ArchiveBody(
            Kind.SYSTEM, "[切换企业]" if action == "switch" else "", known(event=action), known=action == "switch"
        )
    return read_archive_body(read)


def _named(who: str) -> str:
    """As the rest of the adapter names them: members without regard to case."""
    return who if is_external(who) else member(who)


def _moment(read: JsonObject, key: str) -> datetime | None:
    """Milliseconds; some sources write seconds."""
    value = decimal(read, key)
    if value is None:
        return None
    return moment_or_none({key: value / 1000 if value > 100_000_000_000 else value}, key)
