"""A zip written to a file, piece by piece, with the SHA-256 of everything in it."""

from __future__ import annotations

import asyncio
import time
import zipfile
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

PIECE = 1 << 20


class Packer:
    """Names are of our own making: numbers, hashes and plain words, so that no system trips over them."""

    def __init__(self, path: Path) -> None:
        self._zip = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, allowZip64=True, compresslevel=3)
        self._sums: dict[str, str] = {}
        self._now = time.gmtime()[:6]

    def __contains__(self, name: str) -> bool:
        return name in self._sums

    async def stream(self, name: str, pieces: AsyncIterator[bytes], *, packed: bool = True) -> None:
        """``packed`` false: what is packed already, pictures and films, is only stored."""
        info = zipfile.ZipInfo(name, self._now)
        info.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
        info.external_attr = 0o644 << 16
        digest = sha256()

        def write(piece: bytes) -> None:
            digest.update(piece)
            out.write(piece)

        with self._zip.open(info, "w", force_zip64=True) as out:
            async for piece in pieces:
                await asyncio.to_thread(write, piece)
        self._sums[name] = digest.hexdigest()

    async def file(self, name: str, path: Path) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            with path.open("rb") as source:
                while piece := source.read(PIECE):
                    yield piece

        await self.stream(name, pieces())

    async def small(self, name: str, data: bytes) -> None:
        async def once() -> AsyncIterator[bytes]:
            yield data

        await self.stream(name, once())

    @property
    def sums(self) -> bytes:
        """As ``sha256sum -c`` reads it."""
        return "".join(f"{digest}  {name}\n" for name, digest in sorted(self._sums.items())).encode()

    def close(self) -> None:
        self._zip.close()
