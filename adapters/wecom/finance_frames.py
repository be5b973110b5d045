"""What goes over the pipes between the service and the process that holds the native library: a JSON head and bytes."""

from __future__ import annotations

import struct
from typing import Any, Final

import orjson

LENGTHS: Final = struct.Struct(">II")
LONGEST: Final = 256 * 1024 * 1024


def framed(head: dict[str, Any], body: bytes = b"") -> bytes:
    packed = orjson.dumps(head)
    return LENGTHS.pack(len(packed), len(body)) + packed + body


def lengths(prefix: bytes) -> tuple[int, int]:
    """Raises :class:`ValueError` for what no frame begins with."""
    head, body = LENGTHS.unpack(prefix)
    if head > LONGEST or body > LONGEST:
        raise ValueError("no frame")
    return head, body
