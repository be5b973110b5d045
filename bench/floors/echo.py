"""The floor of latency: a bare server that makes each line it gets durable with one commit and then says it at another socket."""

from __future__ import annotations

import asyncio
import sys
from typing import cast

import asyncpg
import orjson
import uvloop

INSERT = "insert into bench_echo (body) values ($1)"


class Echo(asyncio.Protocol):
    """The first connection is the one that hears."""

    hearer: asyncio.Transport | None = None
    pool: asyncpg.Pool[asyncpg.Record]
    tasks: set[asyncio.Task[None]]

    def __init__(self) -> None:
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if Echo.hearer is None:
            Echo.hearer = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            task = asyncio.create_task(self._keep(line))
            Echo.tasks.add(task)
            task.add_done_callback(Echo.tasks.discard)

    async def _keep(self, line: bytes) -> None:
        await Echo.pool.execute(INSERT, line)
        if Echo.hearer is not None:
            Echo.hearer.write(line + b"\n")


async def main(port: int, url: str) -> None:
    Echo.pool, Echo.tasks = await asyncpg.create_pool(url, min_size=4, max_size=4), set()
    await Echo.pool.execute("create table bench_echo (id bigint generated always as identity primary key, body bytea)")
    await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", port)
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    order = orjson.loads(sys.argv[1])
    uvloop.run(main(order["port"], order["url"]))
