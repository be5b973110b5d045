"""A load balancer in front of several web processes, as small as can be: it carries bytes to whoever accepts a connection."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Sequence


class Balancer:
    """Each connection goes to the next backend that accepts it. A backend that dies takes its connections with it, as it would
    behind a real one; a request that was cut is not repeated here."""

    def __init__(self, backends: Sequence[int]) -> None:
        self._turn = itertools.cycle(range(len(backends)))
        self._backends = list(backends)
        self._server: asyncio.Server | None = None
        self.port = 0

    async def start(self, port: int) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", port)
        self.port = port

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            backend = await self._connect()
            if backend is None:
                return
            back_reader, back_writer = backend
            try:
                await asyncio.gather(_pipe(reader, back_writer), _pipe(back_reader, writer))
            finally:
                back_writer.close()
        finally:
            writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        first = next(self._turn)
        for step in range(len(self._backends)):
            port = self._backends[(first + step) % len(self._backends)]
            with contextlib.suppress(OSError):
                return await asyncio.open_connection("127.0.0.1", port)
        return None


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    # Whichever side ends, the other must hear of it: a half-open connection would wait for an answer that never comes.
    writer.close()
