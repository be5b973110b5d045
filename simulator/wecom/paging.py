"""Cursors of lists: opaque for the caller, refused with 50100 when they are not ours."""

from __future__ import annotations

from simulator.wecom.api import Call
from simulator.wecom.errors import Refused


def start_of(call: Call) -> int:
    cursor = call.optional("cursor")
    if not cursor:
        return 0
    if not cursor.startswith("CUR") or not cursor[3:].isdecimal():
        raise Refused(50100)
    return int(cursor[3:])


def cursor_after(position: int, total: int) -> str:
    return f"CUR{position}" if position < total else ""
