"""Pictures made from a seed, with nothing but ``zlib``: avatars and landscapes that look alike on every run."""

from __future__ import annotations

import colorsys
import hashlib
import math
import struct
import zlib
from functools import lru_cache
from xml.sax.saxutils import escape

Color = tuple[int, int, int]


def _numbers(seed: str) -> bytes:
    return hashlib.blake2b(seed.encode(), digest_size=32).digest()


def _color(hue: int, saturation: float, value: float) -> Color:
    red, green, blue = colorsys.hsv_to_rgb(hue / 256, saturation, value)
    return int(red * 255), int(green * 255), int(blue * 255)


def png(width: int, height: int, rows: list[bytes]) -> bytes:
    """An 8-bit RGB PNG of ``rows``, each ``3 * width`` bytes."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows), 6)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def avatar_svg(seed: str, name: str = "") -> bytes:
    """A coloured square with the first character of the name (Chinese given names: the last, as people are called)."""
    numbers = _numbers(seed)
    first, second = _color(numbers[0], 0.45, 0.80), _color((numbers[0] + 24) % 256, 0.60, 0.62)
    letter = escape(_initial(name or seed))
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 96" width="96" height="96">'
        f'<defs><linearGradient id="g" x1="0" y1="0" x2="1" y2="1"><stop stop-color="rgb{first}"/>'
        f'<stop offset="1" stop-color="rgb{second}"/></linearGradient></defs>'
        '<rect width="96" height="96" fill="url(#g)"/><text x="48" y="50" text-anchor="middle" dominant-baseline="central" '
        f'font-family="PingFang SC,Noto Sans CJK SC,sans-serif" font-size="46" fill="#fff">{letter}</text></svg>'
    ).encode()


def _initial(name: str) -> str:
    name = name.strip() or "?"
    return name[-1] if "\u4e00" <= name[-1] <= "\u9fff" else name[0].upper()


@lru_cache(maxsize=256)
def avatar_png(seed: str, size: int = 96) -> bytes:
    """A symmetric pattern of blocks, for places that take no SVG."""
    numbers = _numbers(seed)
    ground, ink = bytes(_color(numbers[0], 0.25, 0.95)), bytes(_color(numbers[0], 0.60, 0.70))
    block = size // 6
    rows: list[bytes] = []
    for line in range(6):
        cells = [numbers[1 + line * 3 + min(column, 5 - column)] & 1 for column in range(6)]
        row = b"".join((ink if cell else ground) * block for cell in cells)
        rows += [row] * block
    return png(block * 6, block * 6, rows)


@lru_cache(maxsize=64)
def landscape_png(seed: str, width: int = 480, height: int = 320) -> bytes:
    """A sky with a sun over rows of hills: stands in for a customer's photograph."""
    numbers = _numbers(seed)
    hue = numbers[0]
    top, bottom = _color(hue, 0.55, 0.85), _color((hue + 30) % 256, 0.18, 1.0)
    sun = (width * (40 + numbers[1] % 176) // 256, height * (40 + numbers[2] % 70) // 256, 18 + numbers[3] % 18)
    hills = [_hill(numbers, layer, width, height) for layer in range(4)]
    colors = [bytes(_color((hue + 100) % 256, 0.25 + 0.15 * layer, 0.78 - 0.15 * layer)) for layer in range(4)]
    return png(width, height, [_row(y, width, height, top, bottom, sun, hills, colors) for y in range(height)])


def _hill(numbers: bytes, layer: int, width: int, height: int) -> list[int]:
    """The height of the skyline at each x."""
    phase, waves = numbers[4 + layer] / 20, 1.2 + numbers[8 + layer] / 128
    base, swing = height * (0.52 + 0.13 * layer), height * 0.09
    return [
        int(base + swing * math.sin(phase + waves * math.tau * x / width) + swing / 3 * math.sin(phase * 3 + x / 21))
        for x in range(width)
    ]


def _row(
    y: int,
    width: int,
    height: int,
    top: Color,
    bottom: Color,
    sun: tuple[int, int, int],
    hills: list[list[int]],
    colors: list[bytes],
) -> bytes:
    share = y / height
    sky = bytes(int(a + (b - a) * share) for a, b in zip(top, bottom, strict=True))
    pixels = [sky] * width
    centre, middle, radius = sun
    half = radius * radius - (y - middle) ** 2
    if half > 0:
        reach = int(math.sqrt(half))
        for x in range(max(0, centre - reach), min(width, centre + reach)):
            pixels[x] = b"\xff\xf4\xd6"
    for hill, color in zip(hills, colors, strict=True):
        for x, skyline in enumerate(hill):
            if y >= skyline:
                pixels[x] = color
    return b"".join(pixels)


def silent_amr(seconds: int = 2) -> bytes:
    """A voice message without a voice: AMR-NB frames at 4.75 kbit/s, 50 a second."""
    return b"#!AMR\n" + (b"\x04" + b"\0" * 12) * (50 * seconds)


def empty_mp4() -> bytes:
    """The smallest thing that is recognised as an MP4 file; it has no picture."""
    kind = b"ftypisom\0\0\2\0isomiso2mp41"
    return struct.pack(">I", len(kind) + 4) + kind + struct.pack(">I", 16) + b"mdat" + b"\0" * 8
