"""Keeps a simulator's state in a JSON file, so that a demo that is started again still has its customers.

::

    snapshot = Snapshot(path, dump=lambda: bytes_of_the_state, every=2.0)
    raw = snapshot.read()            # None when there is no file yet; restore the state from it
    await snapshot.start()           # from now on the file follows the state
    snapshot.touch()                 # call after each change; cheap
    await snapshot.stop()            # writes what is not written yet

The file is replaced as a whole (written beside, synced, renamed), so it is never half a state. ``dump`` runs in the event
loop, the writing does not.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from pathlib import Path


class Snapshot:
    def __init__(self, path: Path | None, dump: Callable[[], bytes], *, every: float = 2.0) -> None:
        self._path = path
        self._dump = dump
        self._every = every
        self._changes = 0
        self._written = 0
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def touch(self) -> None:
        """The state has changed."""
        self._changes += 1

    def read(self) -> bytes | None:
        """What was written last, or None."""
        if self._path is None or not self._path.exists():
            return None
        return self._path.read_bytes()

    async def start(self) -> None:
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._stopping.clear()
            self._task = asyncio.create_task(self._follow())

    async def stop(self) -> None:
        """Writes what is not written yet. Raises ``OSError`` when that fails."""
        if self._task is not None:
            self._stopping.set()
            await self._task
            self._task = None
            await self.write()

    async def write(self) -> None:
        """Writes now, if anything changed since the last time."""
        if self._path is None or self._written == self._changes:
            return
        changes = self._changes
        await asyncio.to_thread(_replace, self._path, self._dump())
        self._written = changes

    async def _follow(self) -> None:
        """Ends by being asked, never by being cancelled: a write that is under way must not meet the last one."""
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._every):
                    await self._stopping.wait()
            with contextlib.suppress(OSError):  # a full disk may have room again later; the last write says so
                await self.write()


def _replace(path: Path, content: bytes) -> None:
    """The file is readable for its owner only: it holds the simulated secrets and people's words."""
    beside = path.with_name(f".{path.name}.new")
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
