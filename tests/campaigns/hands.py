"""Workers of the service as processes that are killed, under a clock that runs faster than the wall's.

Started from one process that has loaded everything and only forks, so that a new worker is at work in a moment:
``python -m tests.campaigns.hands '{"url": …, "redis": …, "data": …, "key": …, "origin": …, "speed": …, "batch": …}'``, then a line
on its standard input for each worker that it is to start; it answers with the process id.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson

from adapters.wechat_oa.adapter import OfficialAccountAdapter
from adapters.wecom.adapter import WeComAdapter
from campaigns.ledger import calls
from scrm.app import open_services, running
from scrm.clock import ShiftedClock
from scrm.config import Settings, load_settings

ROOT = Path(__file__).resolve().parent.parent.parent


class QuickClock(ShiftedClock):
    """Since ``origin`` (Unix seconds) it runs ``speed`` times as fast; all processes with the same numbers agree."""

    def __init__(self, origin: float, speed: float) -> None:
        super().__init__()
        self._origin, self._speed = origin, speed

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._origin + (time.time() - self._origin) * self._speed, UTC) + self.offset


@dataclass(frozen=True)
class Plan:
    """``batch``: how many recipients one call takes, so that a small crowd needs as many calls as a large one."""

    url: str
    redis: str
    data: str
    key: str
    origin: float
    speed: float
    batch: int

    @property
    def clock(self) -> QuickClock:
        return QuickClock(self.origin, self.speed)

    @property
    def settings(self) -> Settings:
        return load_settings(
            None, data_dir=Path(self.data), database={"url": self.url, "pool_size": 8}, redis={"url": self.redis},
            secrets={"key": self.key}, worker={"reconcile_seconds": 1.0, "lease_seconds": 60.0}, server={"port": 0},
        )  # fmt: skip


class Hands:
    """The workers, as a test holds them."""

    def __init__(self, plan: Plan, log: Path) -> None:
        self._plan, self._log = plan, log
        self._mother: asyncio.subprocess.Process | None = None
        self.pids: list[int] = []
        self.kills = 0

    async def __aenter__(self) -> Hands:
        with self._log.open("wb") as log:
            self._mother = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.campaigns.hands", orjson.dumps(asdict(self._plan)).decode(),
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=log, cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)}, start_new_session=True,
            )  # fmt: skip
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._mother is not None
        os.killpg(self._mother.pid, signal.SIGKILL)
        await self._mother.wait()

    @property
    def said(self) -> str:
        return self._log.read_text(errors="replace")

    async def start(self) -> None:
        assert self._mother is not None
        assert self._mother.stdin is not None
        assert self._mother.stdout is not None
        self._mother.stdin.write(b"start\n")
        line = await self._mother.stdout.readline()
        assert line, self.said[-3000:]
        self.pids.append(int(line))

    async def kill(self, number: int) -> None:
        """SIGKILL: no handler runs, nothing is tidied up. Another takes its place at once."""
        os.kill(self.pids.pop(number), signal.SIGKILL)
        self.kills += 1
        await self.start()


def main() -> None:
    plan = Plan(**orjson.loads(sys.argv[1]))
    # Whoever ended is not waited for.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while sys.stdin.readline():
        pid = os.fork()
        if pid == 0:
            asyncio.run(work(plan))
        print(pid, flush=True)
    # Whoever started this is gone, and so is everybody here.
    os.killpg(0, signal.SIGKILL)


async def work(plan: Plan) -> None:
    WeComAdapter.task_batch = OfficialAccountAdapter.broadcast_batch = plan.batch
    # Limits of real seconds keep their proportion to those of the clock.
    calls.CALL_WITHIN /= plan.speed
    async with open_services(plan.settings, plan.url, clock=plan.clock) as services, running(services, "worker"):
        await asyncio.Event().wait()


if __name__ == "__main__":
    main()
