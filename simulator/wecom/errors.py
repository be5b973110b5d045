"""Refusals in WeCom's own words: ``errcode``, and an ``errmsg`` of the usual form that nobody should parse (chapter 3.5)."""

from __future__ import annotations

import secrets
from typing import Any

TEXTS = {
    -1: "system busy",
    40001: "invalid credential",
    40003: "invalid UserID",
    40004: "invalid media type",
    40005: "invalid type parameter",
    40006: "invalid file size",
    40007: "invalid media_id",
    40008: "invalid message type",
    40013: "invalid corpid",
    40014: "invalid access_token",
    40029: "invalid code",
    40050: "chatid invalid",
    40056: "invalid agentid",
    40058: "invalid Request Parameter",
    40063: "some parameters are empty",
    40096: "invalid external userid",
    40068: "invalid tagid",
    40071: "tag name duplicated",
    40097: "member has not left",
    40098: "member is not verified",
    40099: "customer count of the takeover user is at its limit",
    40100: "customer is in a transfer already",
    40126: "corp tag count limit",
    40128: "transferred too often",
    40129: "customer is being transferred",
    40130: "handover and takeover are the same",
    40131: "handover_userid does not follow the customer",
    40143: "takeover user is blocked",
    40144: "customer has too many tags",
    40205: "member has not signed in for a year",
    41001: "access_token missing",
    41002: "corpid missing",
    41004: "corpsecret missing",
    41005: "media data missing",
    41006: "media_id missing",
    41008: "missing code",
    41035: "external_userid missing",
    41049: "code missing",
    41037: "missing type",
    41038: "missing scene",
    41039: "invalid type",
    41040: "invalid scene",
    41041: "contact way user count limit",
    41042: "invalid style",
    41043: "missing config_id",
    41044: "invalid config_id",
    41045: "contact way count limit",
    41046: "missing msgid",
    41047: "invalid msgid",
    41048: "no customer to send to",
    41063: "mass message is being handed out",
    41093: "mass message is cancelled",
    41094: "reminded too often",
    41050: "invalid code, or it is used or too old",
    41051: "externaluser has started chatting",
    41053: "externaluser has not agreed to the archive",
    41054: "user is not activated",
    41064: "too many attachments",
    41065: "invalid attachment type",
    41088: "attachments empty",
    41089: "text and attachments are both empty",
    41096: "another app is sending the welcome",
    42001: "access_token expired",
    42003: "code expired",
    42022: "code has been used",
    42052: "message is older than 24 hours",
    43001: "require GET method",
    43002: "require POST method",
    44001: "empty media data",
    44004: "text content is empty",
    45001: "media size out of limit",
    45002: "message size out of limit",
    45009: "api freq out of limit",
    45033: "api concurrent out of limit",
    47001: "data format error. Warning: wrong json format.",
    48002: "api forbidden",
    48007: "no permission of the kf account",
    49008: "group is dissolved",
    50001: "redirect_url domain is not trusted",
    50100: "invalid cursor",
    60011: "no privilege to access/modify contact/party/agent",
    60020: "not allow to access from your ip",
    60030: "userid or department not in the visible range",
    60111: "UserID not found",
    60251: "open_kfid missing",
    81013: "user & party & tag all invalid",
    81017: "range too large, use owner_filter",
    84061: "not external contact",
    84074: "no external contact permission",
    90500: "group owner has not left",
    90501: "chat is not external group chat",
    90502: "group owner has left",
    90503: "group is full",
    90504: "group owner is unchanged",
    90507: "group is being inherited",
    90508: "group is inherited already",
    95000: "invalid open_kfid",
    95001: "send msg count limit",
    95002: "send msg time limit",
    95004: "open_kfid not exist",
    95005: "kf account count limit",
    95006: "invalid kf account name",
    95007: "invalid msg token",
    95008: "msg menu item count limit",
    95009: "invalid msg menu item type",
    95013: "conversation end",
    95014: "user is not a servicer",
    95016: "not allow this service state change",
    95017: "kf api switch is off",
    95018: "send msg session status invalid",
    95019: "servicer has stopped",
}


class Refused(Exception):
    """The platform does not do it. ``detail`` is added to the error's usual text."""

    def __init__(self, errcode: int, detail: str = "") -> None:
        super().__init__(f"{errcode} {TEXTS.get(errcode, '')} {detail}".strip())
        self.errcode = errcode
        self.detail = detail

    def answer(self, now: float, caller: str) -> dict[str, Any]:
        """The JSON answer to ``caller`` (an IP address)."""
        text = TEXTS.get(self.errcode, "request refused")
        if self.detail:
            text = f"{text}, {self.detail}"
        hint = f"{int(now)}_{secrets.randbelow(90) + 10}_{secrets.token_hex(16)}"
        link = f"https://open.work.weixin.qq.com/devtool/query?e={self.errcode}"
        return {"errcode": self.errcode, "errmsg": f"{text}, hint: [{hint}], from ip: {caller}, more info at {link}"}
