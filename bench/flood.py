"""A program that posts as fast as it is answered. Orders come as lines: ``{kind, port, path, start, count, connections}``."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from typing import Any

import orjson
import uvloop

from bench.bodies import REQUESTS
from bench.wire import Keeper, keepers


async def flood(port: int, requests: list[bytes], connections: int) -> dict[str, Any]:
    """Each connection posts its next request when it has the answer to the last one."""
    answers: Counter[int] = Counter()
    left = iter(requests)
    done = asyncio.get_running_loop().create_future()

    def answered(keeper: Keeper, status: int) -> None:
        answers[status] += 1
        request = next(left, None)
        if request is not None:
            keeper.post(request)
        elif answers.total() == len(requests):
            done.set_result(None)

    open_ones = await keepers(port, min(connections, len(requests)), answered)
    used, began = time.process_time(), time.perf_counter()
    for keeper in open_ones:
        keeper.post(next(left))
    await asyncio.wait_for(done, 120)
    seconds = time.perf_counter() - began
    for keeper in open_ones:
        keeper.close()
    return {
        "seconds": seconds,
        "answers": {str(k): n for k, n in answers.items()},
        "own_cpu": time.process_time() - used,
    }


def main() -> None:
    for line in sys.stdin:
        order = orjson.loads(line)
        requests = REQUESTS[order["kind"]](order["path"], order["start"], order["count"])
        result = uvloop.run(flood(order["port"], requests, order["connections"]))
        print(orjson.dumps(result).decode(), flush=True)


if __name__ == "__main__":
    main()
