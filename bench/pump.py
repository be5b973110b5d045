"""A program that posts messages of Douyin customers and hears at a browser's socket which of them were pushed.

It keeps either a pace (``rate`` messages a second, however long the answers take) or a number of messages under way (``window``:
posted and not yet pushed), which is how the most that can be *sustained* is found: nothing can pile up.

The order is ``{port, path, token, people, connections, warm_up, seconds, rate | window, round_robin, first}``; messages are
numbered from ``first``. It answers with three lines: when
the measured time begins, when it is over, and when everything under way has arrived (or has not).
"""

from __future__ import annotations

import asyncio
import random
import re
import sys
import time
from collections import Counter, deque
from typing import Any

import orjson
import uvloop

from bench.bodies import MARK, DouyinCustomers
from bench.wire import Keeper, keepers, listen

NUMBER = re.compile(MARK.encode() + rb"(\d{8})")
DRAIN_SECONDS = 15.0


class Pump:
    def __init__(self, order: dict[str, Any]) -> None:
        self._order = order
        self._customers = DouyinCustomers(order["path"], order["people"])
        self._window: int = order.get("window", 0)
        self._chance = random.Random(1)
        self._first = self._next = order.get("first", 0)
        self._idle: deque[Keeper] = deque()
        self._due = 0
        self._stopped = False
        self._posted_at: dict[int, float] = {}
        """Of messages that were posted and not yet pushed."""
        self.answers: Counter[int] = Counter()
        self.pushed = 0
        self.octets = 0
        self.resyncs = 0
        self.latencies: list[float] = []
        self.post_times: list[float] = []
        self._sent_at: dict[Keeper, float] = {}

    # ------------------------------------------------------------------ what happens

    def answered(self, keeper: Keeper, status: int) -> None:
        self.answers[status] += 1
        self.post_times.append(time.perf_counter() - self._sent_at[keeper])
        if status != 200:
            self._posted_at.pop(keeper.number, None)
        self._idle.append(keeper)
        self._fill()

    def heard(self, frame: bytes) -> None:
        self.octets += len(frame)
        now = time.perf_counter()
        for found in NUMBER.findall(frame):
            # The preview of the conversation names it again: only the first time counts.
            began = self._posted_at.pop(int(found), None)
            if began is not None:
                self.pushed += 1
                self.latencies.append(now - began)
        if frame == b'{"type":"resync"}':
            self.resyncs += 1
        self._fill()

    def _fill(self) -> None:
        """Posts what is due, as long as connections are free."""
        while self._idle and not self._stopped:
            if self._window:
                if len(self._posted_at) >= self._window:
                    return
            elif self._due <= 0:
                return
            self._due -= 1
            self._post(self._idle.popleft())

    def _post(self, keeper: Keeper) -> None:
        number, people = self._next, self._order["people"]
        self._next += 1
        in_turn = self._order.get("round_robin") or number < self._first + people
        person = number % people if in_turn else self._chance.randrange(people)
        request = self._customers.says(number, person)
        keeper.number = number
        self._posted_at[number] = self._sent_at[keeper] = time.perf_counter()
        keeper.post(request)

    # ------------------------------------------------------------------ the story

    async def run(self) -> None:
        port = self._order["port"]
        socket = await listen(port, self._order["token"], self.heard)
        self._idle.extend(await keepers(port, self._order["connections"], self.answered))
        pace = asyncio.create_task(self._pace())
        await asyncio.sleep(self._order["warm_up"])
        await self._until_everybody_wrote()
        self._say("begin")
        before = self.figures()
        began = time.perf_counter()
        self.latencies.clear()
        self.post_times.clear()
        await asyncio.sleep(self._order["seconds"])
        seconds = time.perf_counter() - began
        after = self.figures()
        times = {"latency_ms": spread(self.latencies), "post_ms": spread(self.post_times)}
        self._stopped = True
        pace.cancel()
        done = {name: after[name] - before[name] for name in after}
        self._say("end", seconds=seconds, under_way=len(self._posted_at), resyncs=self.resyncs, **done, **times)
        deadline = time.perf_counter() + DRAIN_SECONDS
        while self._posted_at and time.perf_counter() < deadline:
            await asyncio.sleep(0.02)
        refused = self.answers.total() - self.answers[200]
        self._say(
            "drained", missing=len(self._posted_at), refused=refused, posted=self._next - self._first, lost=socket.lost
        )

    async def _pace(self) -> None:
        """Makes messages due; with a window they are due as soon as there is room."""
        began, made = time.perf_counter(), 0
        while True:
            if not self._window:
                due = int((time.perf_counter() - began) * self._order["rate"])
                self._due += due - made
                made = due
            self._fill()
            await asyncio.sleep(0.001)

    async def _until_everybody_wrote(self) -> None:
        """New customers cost more than known ones; the measured time is about known ones."""
        everybody = self._first + self._order["people"]
        while self._next < everybody or min(self._posted_at, default=self._next) < everybody:
            await asyncio.sleep(0.02)

    def figures(self) -> dict[str, float]:
        accepted = self.answers[200]
        return {"accepted": accepted, "pushed": self.pushed, "octets": self.octets, "own_cpu": time.process_time()}

    @staticmethod
    def _say(event: str, **figures: Any) -> None:
        print(orjson.dumps({"event": event, **figures}).decode(), flush=True)


def spread(values: list[float]) -> dict[str, float]:
    """Milliseconds."""
    if not values:
        return {}
    ordered = sorted(values)
    at = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}
    found = {name: ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1000 for name, share in at.items()}
    return {**found, "mean": sum(ordered) / len(ordered) * 1000}


if __name__ == "__main__":
    uvloop.run(Pump(orjson.loads(sys.argv[1])).run())
