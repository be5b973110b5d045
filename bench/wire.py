"""Clients that cost little: HTTP and WebSocket on bare asyncio protocols, for programs that make load."""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import Callable
from typing import cast

END = b"\r\n\r\n"


class Keeper(asyncio.Protocol):
    """One kept-alive HTTP connection with one request at a time; tells ``answered(self, status)``."""

    def __init__(self, answered: Callable[[Keeper, int], None]) -> None:
        self._answered = answered
        self._buffer = b""
        self._transport: asyncio.Transport | None = None
        self.lost = False
        self.number = -1
        """Which message it carries, for the owner."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not isinstance: the transports of uvloop are no asyncio.Transport.
        self._transport = cast(asyncio.Transport, transport)

    def post(self, request: bytes) -> None:
        if self._transport is None:
            raise RuntimeError("not connected")
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data if self._buffer else data
        head = buffer.find(END)
        if head < 0 or len(buffer) < head + 4 + _length(buffer[:head]):
            self._buffer = buffer
            return
        self._buffer = b""
        self._answered(self, int(buffer[9:12]))

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


def _length(head: bytes) -> int:
    at = head.lower().find(b"content-length:")
    if at < 0:
        return 0
    return int(head[at + 15 :].split(b"\r\n", 1)[0])


async def keepers(port: int, number: int, answered: Callable[[Keeper, int], None]) -> list[Keeper]:
    loop = asyncio.get_running_loop()
    found = []
    for _ in range(number):
        _, keeper = await loop.create_connection(lambda: Keeper(answered), "127.0.0.1", port)
        found.append(keeper)
    return found


class Listener(asyncio.Protocol):
    """A WebSocket that only listens. ``heard(payload)`` gets each text frame; without it frames are counted."""

    def __init__(self, heard: Callable[[bytes], None] | None = None) -> None:
        self.frames = 0
        self.octets = 0
        self.lost = False
        self.open: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._heard = heard
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not isinstance: the transports of uvloop are no asyncio.Transport.
        self._transport = cast(asyncio.Transport, transport)

    def ask(self, token: str) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        head = (
            f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nConnection: Upgrade\r\n"
            f"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
        )
        self._write(head.encode())

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data if self._buffer else data
        if not self.open.done():
            head = buffer.find(END)
            if head < 0:
                self._buffer = buffer
                return
            if not buffer.startswith(b"HTTP/1.1 101"):
                self.open.set_exception(RuntimeError(buffer[:300].decode(errors="replace")))
                return
            self.open.set_result(None)
            buffer = buffer[head + 4 :]
        else:
            self.octets += len(data)
        self._buffer = self._frames(buffer)

    def _frames(self, buffer: bytes) -> bytes:
        """Reads whole frames; returns the rest. A server's frames have no mask."""
        at, end = 0, len(buffer)
        heard = self._heard
        while end - at >= 2:
            size, start = buffer[at + 1], at + 2
            if size == 126:
                size, start = int.from_bytes(buffer[at + 2 : at + 4], "big"), at + 4
            elif size == 127:
                size, start = int.from_bytes(buffer[at + 2 : at + 10], "big"), at + 10
            if start + size > end:
                break
            if buffer[at] == 0x81:
                self.frames += 1
                if heard is not None:
                    heard(buffer[start : start + size])
            elif buffer[at] == 0x89:
                self._write(b"\x8a\x80\x00\x00\x00\x00")
            at = start + size
        return buffer[at:]

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        if not self.open.done():
            self.open.set_exception(ConnectionError("the socket was not opened"))

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


async def listen(port: int, token: str, heard: Callable[[bytes], None] | None = None) -> Listener:
    loop = asyncio.get_running_loop()
    _, listener = await loop.create_connection(lambda: Listener(heard), "127.0.0.1", port)
    listener.ask(token)
    await listener.open
    return listener
