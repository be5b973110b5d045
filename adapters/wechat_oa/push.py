"""The common shape of a push."""

from __future__ import annotations

from datetime import datetime

from adapters.wechat_oa.values import moment, text
from adapters.wechat_oa.xml import XmlFields
from scrm.channel import JsonObject

_ENVELOPE = frozenset({"ToUserName", "FromUserName", "CreateTime", "MsgType", "Event", "Encrypt"})


class Push:
    """One push, taken apart. Names of events are compared without regard to case: sources disagree on it."""

    def __init__(self, fields: XmlFields, received_at: datetime) -> None:
        self.fields = fields
        self.to_id = text(fields, "ToUserName")
        self.from_id = text(fields, "FromUserName")
        self.message_type = text(fields, "MsgType").lower()
        self.event = text(fields, "Event").lower()
        self.at = moment(fields, "CreateTime", received_at)

    def __getitem__(self, name: str) -> str:
        """The text of an element; empty when it is absent or has children."""
        return text(self.fields, name)

    @property
    def data(self) -> JsonObject:
        """The platform's own fields under their own names, without the envelope."""
        return {name: value for name, value in self.fields.items() if name not in _ENVELOPE and value != ""}
