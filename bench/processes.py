"""Programs under measurement and programs that measure, as processes of their own. What they used is read from ``/proc``."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import orjson

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60.0
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
LONGEST_LINE = 1 << 26


class Child:
    """A process; use as an async context manager, which ends it. A program of ours gets its order as one JSON argument and
    answers with lines of JSON."""

    def __init__(self, name: str, arguments: Sequence[str], errors: Path) -> None:
        self.name = name
        self._arguments = arguments
        self._errors_path = errors
        self._errors: IO[bytes] | None = None
        self._process: asyncio.subprocess.Process | None = None

    @classmethod
    def program(cls, module: str, order: dict[str, Any], folder: Path) -> Child:
        arguments = [sys.executable, "-m", module, orjson.dumps(order).decode()]
        return cls(module, arguments, folder / f"{module}.log")

    @property
    def process(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise RuntimeError(f"{self.name} was not started")
        return self._process

    @property
    def pid(self) -> int:
        return self.process.pid

    async def __aenter__(self) -> Child:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SCRM_")}
        self._errors = self._errors_path.open("ab")
        self._process = await asyncio.create_subprocess_exec(
            *self._arguments,
            stdin=PIPE,
            stdout=PIPE,
            stderr=self._errors,
            cwd=ROOT,
            env={**kept, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
            limit=LONGEST_LINE,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.returncode is None:
            self.process.terminate()
            try:
                await asyncio.wait_for(self.process.wait(), 15)
            except TimeoutError:
                self.process.kill()
                await self.process.wait()
        if self._errors is not None:
            self._errors.close()

    async def line(self, *, seconds: float = START_SECONDS) -> str:
        """The next line it says. Raises :class:`RuntimeError` with what it complained of when it says nothing more."""
        stdout = self.process.stdout
        raw = await asyncio.wait_for(stdout.readline(), seconds) if stdout else b""
        if not raw:
            raise RuntimeError(f"{self.name} ended:\n{self._errors_path.read_text(errors='replace')[-3000:]}")
        return raw.decode()

    async def line_with(self, words: str) -> str:
        while words not in (line := await self.line()):
            continue
        return line

    async def answer(self, *, seconds: float = START_SECONDS) -> dict[str, Any]:
        found: dict[str, Any] = orjson.loads(await self.line(seconds=seconds))
        return found

    async def tell(self, order: dict[str, Any]) -> None:
        stdin = self.process.stdin
        if stdin is None:
            raise RuntimeError("it has no input")
        stdin.write(orjson.dumps(order) + b"\n")
        await stdin.drain()

    def resident(self) -> int:
        """Bytes in memory, shared pages included."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * PAGE

    def cpu(self) -> float:
        """Seconds of processor time so far."""
        return cpu_of([self.pid])


def cpu_of(pids: Iterable[int]) -> float:
    """Seconds of processor time that these processes, and children of theirs that have ended, have used."""
    ticks = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += sum(int(field) for field in fields[11:15])
    return ticks / TICKS


def family(pid: int) -> list[int]:
    """A process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(int(child) for child in children)]
