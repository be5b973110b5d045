"""The common shape of callback XML. Events for a self-built app say ``Event`` and ``CreateTime``, those for a provider's
suite say ``InfoType`` and ``TimeStamp`` for the same (wecom.md section 11)."""

from __future__ import annotations

from datetime import datetime

from adapters.wecom.values import moment, text
from adapters.wecom.xml import XmlFields
from scrm.channel import JsonObject, Unrecognised

_ENVELOPE = frozenset(
    {"ToUserName", "FromUserName", "CreateTime", "MsgType", "Event", "SuiteId", "AuthCorpId", "InfoType", "TimeStamp"}
)


class Callback:
    """One decrypted callback."""

    def __init__(self, fields: XmlFields, received_at: datetime) -> None:
        self.fields = fields
        self.event = text(fields, "Event") or text(fields, "InfoType")
        self.change = text(fields, "ChangeType")
        self.message_type = text(fields, "MsgType")
        self.at = moment(fields, "CreateTime" if "CreateTime" in fields else "TimeStamp", received_at)

    def __getitem__(self, name: str) -> str:
        """The text of an element; empty when it is absent or has children."""
        return text(self.fields, name)

    @property
    def data(self) -> JsonObject:
        """The platform's own fields under their own names, without the envelope."""
        return {name: value for name, value in self.fields.items() if name not in _ENVELOPE}

    def unknown_change(self) -> Unrecognised:
        return Unrecognised(f"{self.event} with change {self.change[:100] or 'missing'}")

    def lacks(self, *names: str) -> Unrecognised:
        """What to make of an event without the fields that it is about."""
        what = " ".join(part for part in (self.event or self.message_type, self.change) if part)
        return Unrecognised(f"{what} without {' or '.join(names)}")
