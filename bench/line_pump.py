"""A program that says numbered lines at a pace and hears when they come back: the load of the latency floor. The order is
``{port, rate, seconds, octets}``."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any, cast

import orjson
import uvloop

from bench.pump import spread

WAIT_SECONDS = 5.0


class Ear(asyncio.Protocol):
    """Both ends: says lines, or hears them."""

    def __init__(self) -> None:
        self.heard: dict[int, float] = {}
        self.transport: asyncio.Transport | None = None
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        now = time.perf_counter()
        for line in lines:
            self.heard[int(line[:8])] = now


async def main(order: dict[str, Any]) -> None:
    loop = asyncio.get_running_loop()
    _, ear = await loop.create_connection(Ear, "127.0.0.1", order["port"])
    await asyncio.sleep(0.1)
    _, mouth = await loop.create_connection(Ear, "127.0.0.1", order["port"])
    said: list[float] = []
    filling = b"x" * (order["octets"] - 9)
    began = time.perf_counter()
    while (elapsed := time.perf_counter() - began) < order["seconds"]:
        while len(said) < elapsed * order["rate"] and mouth.transport is not None:
            mouth.transport.write(b"%08d%s\n" % (len(said), filling))
            said.append(time.perf_counter())
        await asyncio.sleep(0.001)
    deadline = time.perf_counter() + WAIT_SECONDS
    while len(ear.heard) < len(said) and time.perf_counter() < deadline:
        await asyncio.sleep(0.01)
    latencies = [ear.heard[number] - at for number, at in enumerate(said) if number in ear.heard]
    print(orjson.dumps({"latency_ms": spread(latencies), "missing": len(said) - len(latencies)}).decode(), flush=True)


if __name__ == "__main__":
    uvloop.run(main(orjson.loads(sys.argv[1])))
