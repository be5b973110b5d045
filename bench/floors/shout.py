"""The floor of fan-out: a bare loop that writes frames of given sizes to every socket, as fast as they are read. A line of input is ``{frames: [sizes],
seconds}``; the answer says how many frames were written."""

from __future__ import annotations

import asyncio
import itertools
import sys
import time
from typing import Any, cast

import orjson
import uvloop

from bench.crowd import allow_many_files
from bench.wire import END

WELCOME = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"
MOST_WAITING = 1 << 20


class Mouth(asyncio.Protocol):
    """Answers the upgrade without looking at it."""

    open: set[asyncio.Transport]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if data.endswith(END):
            self._transport.write(WELCOME)
            Mouth.open.add(self._transport)

    def connection_lost(self, exc: Exception | None) -> None:
        Mouth.open.discard(self._transport)


async def shout(sizes: list[int], seconds: float) -> dict[str, Any]:
    from scrm.live import frame

    frames = [frame(bytes(size)) for size in sizes]
    sockets, written = list(Mouth.open), 0
    used, began = time.process_time(), time.perf_counter()
    for one in itertools.cycle(frames):
        for socket in sockets:
            socket.write(one)
        written += len(sockets)
        await asyncio.sleep(0)
        while any(socket.get_write_buffer_size() > MOST_WAITING for socket in sockets):
            await asyncio.sleep(0.001)
        if time.perf_counter() - began > seconds:
            break
    while any(socket.get_write_buffer_size() for socket in sockets):
        await asyncio.sleep(0.001)
    return {"written": written, "seconds": time.perf_counter() - began, "own_cpu": time.process_time() - used}


async def main(port: int) -> None:
    allow_many_files()
    Mouth.open = set()
    loop = asyncio.get_running_loop()
    await loop.create_server(Mouth, "127.0.0.1", port, backlog=1024)
    print("ready", flush=True)
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        order = orjson.loads(line)
        print(orjson.dumps(await shout(order["frames"], order["seconds"])).decode(), flush=True)


if __name__ == "__main__":
    uvloop.run(main(orjson.loads(sys.argv[1])["port"]))
