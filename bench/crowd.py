"""A program that holds many browsers' sockets open and counts what each of them hears.

The order is ``{port, tokens}``, one socket per token; ``{port, plain: n}`` opens n bare connections in place of sockets. Each line of input
is answered with the counts since the last one.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import time
from typing import Any

import orjson
import uvloop

from bench.wire import Listener, listen

AT_ONCE = 50


async def opened(order: dict[str, Any], heard: list[int]) -> list[Listener]:
    first = order.get("record", False)
    found: list[Listener] = []

    def note(frame: bytes) -> None:
        heard.append(len(frame))

    for start in range(0, len(order["tokens"]), AT_ONCE):
        tokens = order["tokens"][start : start + AT_ONCE]
        found += await asyncio.gather(*(listen(order["port"], token) for token in tokens))
    if first:
        found.append(await listen(order["port"], order["tokens"][0], note))
    return found


def allow_many_files() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def main() -> None:
    allow_many_files()
    order = orjson.loads(sys.argv[1])
    sizes: list[int] = []
    sockets = await opened(order, sizes)
    counted = sockets[: len(order["tokens"])]
    frames, octets = [0] * len(counted), [0] * len(counted)
    used = time.process_time()
    print(orjson.dumps({"open": len(counted)}).decode(), flush=True)
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, sys.stdin.readline):
        now_frames, now_octets = [one.frames for one in counted], [one.octets for one in counted]
        cpu = time.process_time()
        answer = {
            "frames": [new - old for new, old in zip(now_frames, frames, strict=True)],
            "octets": [new - old for new, old in zip(now_octets, octets, strict=True)],
            "lost": sum(one.lost for one in counted),
            "own_cpu": cpu - used,
            "sizes": list(sizes),
        }
        frames, octets, used = now_frames, now_octets, cpu
        sizes.clear()
        print(orjson.dumps(answer).decode(), flush=True)


if __name__ == "__main__":
    uvloop.run(main())
