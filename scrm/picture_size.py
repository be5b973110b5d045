"""Width and height of a picture, read from the beginning of its file; nothing is decoded."""

from __future__ import annotations

import struct

ENOUGH = 256 << 10
"""Bytes that hold the size: a JPEG may begin with a thumbnail."""
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""JPEG segments that begin a picture."""


def picture_size(head: bytes) -> tuple[int, int]:
    """(0, 0) for what is none of png, jpeg, gif, webp and bmp, or is cut too early."""
    try:
        if head.startswith(b"\x89PNG\r\n\x1a\n"):
            return _pair(head, 16, ">II")
        if head[:6] in (b"GIF87a", b"GIF89a"):
            return _pair(head, 6, "<HH")
        if head.startswith(b"\xff\xd8"):
            return _jpeg(head)
        if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
            return _webp(head)
        if head.startswith(b"BM"):
            width, height = _pair(head, 18, "<ii")
            return width, abs(height)
    except (struct.error, IndexError):
        pass
    return 0, 0


def _pair(head: bytes, at: int, form: str) -> tuple[int, int]:
    first, second = struct.unpack_from(form, head, at)
    return first, second


def _jpeg(head: bytes) -> tuple[int, int]:
    """The first frame's size, turned when the camera was."""
    at, turned = 2, False
    while True:
        if head[at] != 0xFF:
            return 0, 0
        kind = head[at + 1]
        if kind == 0xFF or kind == 0x01 or 0xD0 <= kind <= 0xD8:
            at += 1 if kind == 0xFF else 2
            continue
        (length,) = struct.unpack_from(">H", head, at + 2)
        if kind in FRAMES:
            height, width = _pair(head, at + 5, ">HH")
            return (height, width) if turned else (width, height)
        if kind == 0xE1 and head[at + 4 : at + 10] == b"Exif\x00\x00":
            turned = _is_turned(head[at + 10 : at + 2 + length])
        at += 2 + length


def _is_turned(exif: bytes) -> bool:
    """Orientations 5 to 8 lie on their side."""
    order = "<" if exif[:2] == b"II" else ">"
    try:
        (at,) = struct.unpack_from(f"{order}I", exif, 4)
        (count,) = struct.unpack_from(f"{order}H", exif, at)
        for entry in range(min(count, 64)):
            tag, _, _, value = struct.unpack_from(f"{order}HHIH", exif, at + 2 + entry * 12)
            if tag == 0x0112:
                return bool(5 <= value <= 8)
    except struct.error:
        pass
    return False


def _webp(head: bytes) -> tuple[int, int]:
    kind = head[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(head[24:27], "little"), 1 + int.from_bytes(head[27:30], "little")
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", head, 21)
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        width, height = _pair(head, 26, "<HH")
        return width & 0x3FFF, height & 0x3FFF
    return 0, 0
