"""What a file for moments may be (chapter 14): read from its first bytes, as far as they tell."""

from __future__ import annotations

from simulator.wecom.errors import Refused

LONG_SIDE, SHORT_SIDE, SECONDS = 10_800, 1_080, 30
_FRAMES = (0xC0, 0xC1, 0xC2, 0xC3)


def check_for_moments(content: bytes) -> None:
    """Refused with 41081 for large pictures, 41082 for long videos."""
    sides = sorted(_size(content))
    if sides[0] > SHORT_SIDE or sides[1] > LONG_SIDE:
        raise Refused(41081)
    if _seconds(content) > SECONDS:
        raise Refused(41082)


def _size(content: bytes) -> tuple[int, int]:
    """Width and height of a PNG or JPEG; 0 where it does not say."""
    if content.startswith(b"\x89PNG"):
        return int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big")
    at = 2
    while content.startswith(b"\xff\xd8") and at + 9 < len(content) and content[at] == 0xFF:
        if content[at + 1] in _FRAMES:
            return int.from_bytes(content[at + 7 : at + 9], "big"), int.from_bytes(content[at + 5 : at + 7], "big")
        at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    return 0, 0


def _seconds(content: bytes) -> float:
    """The duration in the header of an MP4; 0 where it does not say."""
    at = content.find(b"mvhd")
    if at < 0 or len(content) < at + 32:
        return 0
    long = content[at + 4] == 1
    scale_at, width = (at + 24, 8) if long else (at + 16, 4)
    scale = int.from_bytes(content[scale_at : scale_at + 4], "big")
    duration = int.from_bytes(content[scale_at + 4 : scale_at + 4 + width], "big")
    return duration / scale if scale else 0
