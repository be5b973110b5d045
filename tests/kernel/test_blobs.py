"""Bytes by content."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrm.blobs import Blobs, sniff
from scrm.errors import TooLarge

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"


async def chunks(data: bytes, size: int = 3) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def test_round_trip_and_ranges(tmp_path: Path) -> None:
    blobs = Blobs.in_folder(tmp_path)
    sha256, size, head = await blobs.put(chunks(PNG), limit=1000)
    assert (sha256, size) == (hashlib.sha256(PNG).hexdigest(), len(PNG))
    assert head == PNG
    assert await blobs.read(sha256) == PNG
    assert await blobs.read_range(sha256, 1, 3) == b"PNG"
    assert await blobs.put_bytes(PNG) == sha256


async def test_too_large_keeps_nothing(tmp_path: Path) -> None:
    blobs = Blobs.in_folder(tmp_path)
    with pytest.raises(TooLarge):
        await blobs.put(chunks(b"x" * 100), limit=99)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


async def test_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await Blobs.in_folder(tmp_path).read("0" * 64)


def test_type_by_content_not_by_name() -> None:
    assert sniff(PNG, "evil.html", "text/html") == "image/png"
    assert sniff(b"plain words", "x.bin", "text/html") not in ("text/html", "image/svg+xml")


@given(st.binary(max_size=300), st.text(max_size=20), st.text(max_size=20))
def test_sniff_never_fails(head: bytes, name: str, declared: str) -> None:
    assert "/" in sniff(head, name, declared) or sniff(head, name, declared) == declared
