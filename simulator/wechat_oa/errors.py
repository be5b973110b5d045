"""Refusals in the platform's own words, with HTTP status 200: ``errcode``, and an ``errmsg`` that ends in a ``rid``."""

from __future__ import annotations

import secrets
from typing import Any

TEXTS = {
    -1: "system error",
    40001: "invalid credential, access_token is invalid or not latest",
    40003: "invalid openid",
    40004: "invalid media type",
    40005: "invalid file type",
    40006: "invalid meida size",
    40007: "invalid media_id",
    40008: "invalid message type",
    40013: "invalid appid",
    40014: "invalid access_token",
    40032: "invalid openid list size",
    40035: "invalid parameter",
    40037: "invalid template_id",
    40125: "invalid appsecret",
    40164: "invalid ip, not in whitelist",
    41001: "access_token missing",
    41002: "appid missing",
    41004: "appsecret missing",
    41005: "media data missing",
    41006: "media_id missing",
    42001: "access_token expired",
    43001: "require GET method",
    43002: "require POST method",
    43004: "require subscribe",
    43101: "user refuse to accept the msg",
    44004: "empty content",
    45001: "media size out of limit",
    45002: "content size out of limit",
    45008: "article size out of limit",
    45009: "reach max api daily quota limit",
    45011: "api minute-quota reach limit, must slower, retry next minute",
    45015: "response out of time limit or subscription is canceled",
    45028: "has no masssend quota",
    45047: "out of response count limit",
    45056: "too many tag now, no need to add new",
    45059: "can't add this tag, reached the limit of tags of one user",
    45065: "clientmsgid exist",
    45066: "same clientmsgid retry too fast",
    45067: "clientmsgid size out of limit",
    45072: "invalid command",
    45080: "typing out of time limit",
    45081: "already typing",
    45157: "invalid tag name, or name is used already",
    45158: "tag name is too long",
    46004: "user not exist",
    47001: "data format error",
    48001: "api unauthorized",
    48002: "user refuses messages",
    61451: "invalid parameter",
}


class Refused(Exception):
    """The platform does not do it. ``more`` are further fields of the answer."""

    def __init__(self, errcode: int, detail: str = "", **more: Any) -> None:
        super().__init__(f"{errcode} {TEXTS.get(errcode, '')} {detail}".strip())
        self.errcode = errcode
        self.detail = detail
        self.more = more

    @property
    def answer(self) -> dict[str, Any]:
        return {**error(self.errcode, self.detail), **self.more}


def error(errcode: int, detail: str = "") -> dict[str, Any]:
    words = TEXTS.get(errcode, "request refused") + (f", {detail}" if detail else "")
    rid = "-".join(secrets.token_hex(4) for _ in range(3))
    return {"errcode": errcode, "errmsg": f"{words} rid: {rid}"}
