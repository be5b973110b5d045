"""``scrm serve`` as real processes: started, killed, started again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import socket
import sys
import time
from pathlib import Path

RUNNING = "scrm is running"
QUIET_PORTS = range(20_000, 32_000)
"""Below the range from which the system takes ports for outgoing connections: a port of ours stays free while its process is
dead, so that the next one can listen there."""


def quiet_port() -> int:
    for port in random.sample(QUIET_PORTS, 200):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("there is no free port")


class Server:
    """One process of the service with somebody who starts it again whenever it ends, however it ended."""

    def __init__(self, name: str, role: str, config: Path, folder: Path) -> None:
        self.name = name
        self.role = role
        self.kills = 0
        """How often it was killed while it was running."""
        self.own_ends = 0
        """How often it ended by itself."""
        self.starts = 0
        self._config = config
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._killed = False
        self._stopping = False

    def start(self) -> None:
        self._keeper = asyncio.create_task(self._keep(), name=f"keeper of {self.name}")

    @property
    def log(self) -> Path:
        """Both outputs of the present (or last) process."""
        return self._folder / f"{self.name}-{self.starts}.log"

    def logs(self) -> str:
        """What all its processes have said."""
        paths = [self._folder / f"{self.name}-{n}.log" for n in range(1, self.starts + 1)]
        return "".join(path.read_text(errors="replace") for path in paths if path.exists())

    @property
    def up(self) -> bool:
        alive = self._process is not None and self._process.returncode is None
        return alive and self.log.exists() and RUNNING in self.log.read_text(errors="replace")

    async def wait_up(self, seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while not self.up:
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.name} does not start:\n{self.logs()[-3000:]}")
            await asyncio.sleep(0.02)

    def kill(self) -> None:
        """SIGKILL: no handler runs, nothing is tidied up."""
        if self._process is not None and self._process.returncode is None:
            self._killed = True
            self.kills += 1
            self._process.send_signal(signal.SIGKILL)

    async def stop(self) -> None:
        """For good. A service that may be killed at any moment needs no farewell."""
        self._stopping = True
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def _keep(self) -> None:
        while not self._stopping:
            self._killed = False
            self.starts += 1
            command = [sys.executable, "-m", "scrm.cli", "serve", "--config", str(self._config), "--role", self.role]
            with self.log.open("wb") as output:
                self._process = await asyncio.create_subprocess_exec(
                    *command, stdout=output, stderr=output, cwd=_root(), env=_environment(), start_new_session=True
                )
            await self._process.wait()
            if not self._killed and not self._stopping:
                self.own_ends += 1
                await asyncio.sleep(0.3)


def _root() -> Path:
    return Path(__file__).resolve().parent.parent.parent


def _environment() -> dict[str, str]:
    """Ours, without settings that would change the configuration under test."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SCRM_")}
    return {**kept, "PYTHONPATH": str(_root()), "PYTHONUNBUFFERED": "1"}
