"""Posts a platform's callbacks in the background: deadline, repetitions, mischief, and a log of every attempt.

Use in a simulator::

    deliveries = Deliveries(deadline=5.0, attempts=3)
    await deliveries.start()
    deliveries.push("kf_msg_or_event", build)        # returns at once; ``build() -> Call`` is run anew for each attempt
    await deliveries.stop()                          # what is not delivered yet is dropped

``build`` may return something new each time (WeCom signs every attempt with a new nonce) or the same (Douyin keeps its
``Msg-Id``). A push is done when the receiver answers a status below 300 within the deadline; otherwise it is repeated after
``retry_delays`` seconds until ``attempts`` are used up. The order is not guaranteed (``concurrency`` workers), as on the
platforms; with ``concurrency=1`` first attempts go in order.

Use in a test (or over ``POST /_control/add_mischief``)::

    deliveries.add(Mischief("drop", "kf_*", times=2))        # the next two are lost on the way
    deliveries.add(Mischief("duplicate", copies=3))          # three equal events at the same instant
    deliveries.add(Mischief("reorder", times=4))             # four are held back and then go in reverse order
    deliveries.add(Mischief("delay", seconds=1.0))
    await deliveries.settled(timeout=10)                     # nothing waiting, in flight or due for repetition
    [a.status for a in deliveries.log]                       # None: no answer; ``error`` says why
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import partial
from typing import Literal, get_args

import aiohttp
from yarl import URL

from scrm.clock import Clock, SystemClock, monotonic

MischiefKind = Literal["drop", "duplicate", "reorder", "delay"]
_REORDER_PATIENCE_SECONDS = 1.0


@dataclass(frozen=True)
class Call:
    """One HTTP request to a webhook. ``url`` is used as it is, with its query already percent-encoded."""

    url: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


Build = Callable[[], Call]


@dataclass(frozen=True)
class Attempt:
    """``at`` is Unix seconds of the simulated clock; ``milliseconds`` is real time; ``answer`` is cut at 200 bytes."""

    push: int
    label: str
    attempt: int
    at: float
    status: int | None
    milliseconds: float
    error: str = ""
    answer: str = ""


@dataclass
class Mischief:
    """What happens to the next ``times`` pushes (None: all) whose label matches the glob ``label``."""

    kind: MischiefKind
    label: str = "*"
    times: int | None = 1
    seconds: float = 0.2
    copies: int = 2
    hits: int = field(default=0, compare=False)

    def __post_init__(self) -> None:
        if self.kind not in get_args(MischiefKind):
            raise ValueError(f"unknown mischief {self.kind!r}; one of {', '.join(get_args(MischiefKind))}")

    def takes(self, label: str) -> bool:
        if not fnmatchcase(label, self.label) or (self.times is not None and self.hits >= self.times):
            return False
        self.hits += 1
        return True


@dataclass
class _Push:
    number: int
    label: str
    build: Build
    attempt: int = 0


class Deliveries:
    """See the module's text. Times are in seconds; ``log`` keeps the newest ``log_size`` attempts."""

    def __init__(
        self,
        *,
        deadline: float = 5.0,
        attempts: int = 3,
        retry_delays: Sequence[float] = (0.2, 0.5),
        concurrency: int = 32,
        log_size: int = 20_000,
        clock: Clock | None = None,
    ) -> None:
        self.deadline = deadline
        self.attempts = attempts
        self.retry_delays = tuple(retry_delays)
        self.log: deque[Attempt] = deque(maxlen=log_size)
        self.delivered = 0
        self.given_up = 0
        self._concurrency = concurrency
        self._clock = clock or SystemClock()
        self._mischief: list[Mischief] = []
        self._held: list[_Push] = []
        self._queue: asyncio.Queue[_Push] = asyncio.Queue()
        self._timers: set[asyncio.TimerHandle] = set()
        self._workers: list[asyncio.Task[None]] = []
        self._http: aiohttp.ClientSession | None = None
        self._pushes = 0
        self._open = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def start(self) -> None:
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._concurrency),
            timeout=aiohttp.ClientTimeout(total=self.deadline),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        self._workers = [asyncio.create_task(self._work(self._http)) for _ in range(self._concurrency)]

    async def stop(self) -> None:
        for timer in self._timers:
            timer.cancel()
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        self._workers.clear()
        if self._http is not None:
            await self._http.close()
            self._http = None

    def add(self, mischief: Mischief) -> Mischief:
        self._mischief.append(mischief)
        return mischief

    def clear(self) -> None:
        """Forgets all mischief; what was held back goes out."""
        self._mischief.clear()
        self._release_held()

    def mischief(self) -> list[Mischief]:
        return list(self._mischief)

    @property
    def pushes(self) -> int:
        """The number of the newest push, which its attempts in ``log`` carry."""
        return self._pushes

    def push(self, label: str, build: Build) -> None:
        """Sends one callback soon. Never waits and never raises for what the receiver does."""
        self._pushes += 1
        push = _Push(self._pushes, label, build)
        trick = next((m for m in self._mischief if m.takes(label)), None) if self._mischief else None
        if trick is None:
            self._enqueue(push)
        elif trick.kind == "duplicate":
            for _ in range(trick.copies):
                self._enqueue(_Push(push.number, label, build))
        elif trick.kind == "delay":
            self._begin()
            self._later(trick.seconds, partial(self._queue.put_nowait, push))
        elif trick.kind == "reorder":
            self._hold(push, full=trick.times is not None and trick.hits >= trick.times)

    async def settled(self, timeout: float = 10.0) -> None:
        """Waits until every push is delivered, lost or given up. Raises ``TimeoutError``."""
        async with asyncio.timeout(timeout):
            await self._idle.wait()

    # Bookkeeping of what is under way: "open" counts pushes that may still cause a request.

    def _begin(self) -> None:
        self._open += 1
        self._idle.clear()

    def _finish(self) -> None:
        self._open -= 1
        if self._open == 0:
            self._idle.set()

    def _enqueue(self, push: _Push) -> None:
        self._begin()
        self._queue.put_nowait(push)

    def _later(self, seconds: float, action: Callable[[], None]) -> None:
        def run() -> None:
            self._timers.discard(timer)
            action()

        timer = asyncio.get_running_loop().call_later(seconds, run)
        self._timers.add(timer)

    def _hold(self, push: _Push, *, full: bool) -> None:
        self._begin()
        self._held.append(push)
        if full:
            self._release_held()
        elif len(self._held) == 1:
            self._later(_REORDER_PATIENCE_SECONDS, self._release_held)

    def _release_held(self) -> None:
        while self._held:
            self._queue.put_nowait(self._held.pop())

    async def _work(self, http: aiohttp.ClientSession) -> None:
        while True:
            push = await self._queue.get()
            push.attempt += 1
            if await self._try(http, push):
                self.delivered += 1
                self._finish()
            elif push.attempt < self.attempts:
                delay = self.retry_delays[min(push.attempt, len(self.retry_delays)) - 1] if self.retry_delays else 0.0
                self._later(delay, partial(self._queue.put_nowait, push))
            else:
                self.given_up += 1
                self._finish()

    async def _try(self, http: aiohttp.ClientSession, push: _Push) -> bool:
        started = monotonic()
        status: int | None = None
        error = answer = ""
        try:
            call = push.build()
            url = URL(call.url, encoded=True)
            async with http.post(url, data=call.body, headers=call.headers, allow_redirects=False) as response:
                answer = (await response.content.read(200)).decode("utf-8", "replace")
                status = response.status
        except TimeoutError:
            error = f"no answer within {self.deadline:g} s"
        except (aiohttp.ClientError, OSError, ValueError) as problem:
            error = f"{type(problem).__name__}: {problem}"
        elapsed = (monotonic() - started) * 1000
        at = self._clock.now().timestamp()
        self.log.append(Attempt(push.number, push.label, push.attempt, at, status, round(elapsed, 2), error, answer))
        return status is not None and status < 300
