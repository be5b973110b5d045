"""Bytes by their SHA-256: a local folder, or S3-compatible storage through obstore."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import obstore
import puremagic
from obstore.store import LocalStore, from_url

from scrm.errors import TooLarge

if TYPE_CHECKING:
    from pydantic import SecretStr

    from scrm.config import Settings

FALLBACK_MIME = "application/octet-stream"


class Blobs:
    def __init__(self, store: Any) -> None:
        self._store = store

    @classmethod
    def open(cls, settings: Settings) -> Blobs:
        if settings.blobs.url:
            options = {key: value.get_secret_value() for key, value in settings.blobs.options.items()}
            store: Any = from_url
            return cls(store(settings.blobs.url, config=options or None))
        folder = settings.data_dir / "blobs"
        return cls.in_folder(folder)

    @classmethod
    def in_folder(cls, folder: Path) -> Blobs:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return cls(LocalStore(prefix=folder))

    async def put(self, chunks: AsyncIterator[bytes], *, limit: int) -> tuple[str, int, bytes]:
        """Stores a stream; returns its SHA-256, its size and its first bytes (for :func:`sniff`).

        Raises :class:`TooLarge` past ``limit`` bytes, keeping nothing.
        """
        digest = hashlib.sha256()
        size = 0
        head = b""
        with tempfile.SpooledTemporaryFile(max_size=1 << 20) as spool:
            async for chunk in chunks:
                size += len(chunk)
                if size > limit:
                    raise TooLarge(f"The file is larger than {limit // 1024 // 1024} MB.")
                digest.update(chunk)
                if len(head) < 4096:
                    head += chunk[: 4096 - len(head)]
                spool.write(chunk)
            spool.seek(0)
            sha256 = digest.hexdigest()
            # Writing the same bytes twice to the same name is harmless: the name says what they are.
            await obstore.put_async(self._store, _path(sha256), spool.read())
        return sha256, size, head

    async def put_bytes(self, data: bytes) -> str:
        async def once() -> AsyncIterator[bytes]:
            yield data

        sha256, _, _ = await self.put(once(), limit=max(len(data), 1))
        return sha256

    async def put_file(self, path: Path, sha256: str) -> None:
        """A file of any size, whose SHA-256 the caller has made while writing it."""
        await obstore.put_async(self._store, _path(sha256), path)

    async def read(self, sha256: str) -> bytes:
        """Raises ``FileNotFoundError``."""
        found = await obstore.get_async(self._store, _path(sha256))
        return bytes(await found.bytes_async())

    async def read_range(self, sha256: str, start: int, length: int) -> bytes:
        """Raises ``FileNotFoundError``."""
        if length == 0:
            return b""
        return bytes(await obstore.get_range_async(self._store, _path(sha256), start=start, length=length))

    async def digest(self, sha256: str) -> str:
        """The SHA-256 of the bytes that are there now, all of them. Raises ``FileNotFoundError``."""
        found = await obstore.get_async(self._store, _path(sha256))
        digest = hashlib.sha256()
        async for piece in found.stream(min_chunk_size=1 << 20):
            digest.update(piece)
        return digest.hexdigest()

    async def remove(self, sha256: str) -> None:
        """Harmless when it is gone already. The caller has made sure that nobody needs it (audit/retention/collector.py)."""
        try:
            await obstore.delete_async(self._store, _path(sha256))
        except FileNotFoundError:
            return


class SecondPlace:
    """Small files by name somewhere else: a folder, or a store as obstore names it (``s3://bucket/prefix``)."""

    def __init__(self, store: Any) -> None:
        self._store = store

    @classmethod
    def open(cls, where: str, options: Mapping[str, SecretStr]) -> SecondPlace:
        if "://" not in where:
            Path(where).mkdir(parents=True, exist_ok=True)
            return cls(LocalStore(prefix=Path(where)))
        store: Any = from_url
        return cls(store(where, config={key: one.get_secret_value() for key, one in options.items()} or None))

    async def put(self, name: str, data: bytes) -> None:
        await obstore.put_async(self._store, name, data)


def _path(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"


def sniff(head: bytes, name: str = "", declared: str = "") -> str:
    """The MIME type by content; the declared one only when the content says nothing and it is harmless."""
    try:
        found = str(puremagic.from_string(head, mime=True, filename=os.path.basename(name) or None))
    except (puremagic.PureError, ValueError, OSError):
        found = ""
    if found:
        return found
    return declared if declared and "html" not in declared and "svg" not in declared else FALLBACK_MIME
