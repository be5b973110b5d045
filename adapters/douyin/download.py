"""Files down. Platform reference, 6.4: ids of a message give a temporary address, the address gives the bytes.

Addresses come from outside (some inside a customer's message), so they are not trusted: only http and https, never to an
address inside the company's own network, redirects are followed by hand under the same rule, and sizes are capped. A connection
whose own base address is on the loopback interface (the simulator) may read from there.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import DefaultResolver
from yarl import URL

from adapters.douyin.answers import field_in
from adapters.douyin.client import CONNECT_SECONDS, Call, Client
from adapters.douyin.reading import text_in
from adapters.douyin.tokens import Tokens
from scrm.channel import JsonObject, Sentence
from scrm.errors import Rejected, RetryLater

RESOURCES = "/api/im/message/resources/"
MOST_BYTES = 200 * 1024 * 1024
MOST_REDIRECTS = 3
CHUNK = 256 * 1024
NOT_NOW = frozenset({408, 425, 429})


class PrivateAddress(OSError):
    """A name leads into a private network."""


class PublicResolver(AbstractResolver):
    """Gives only public addresses. The check is made on the very answer that is connected to, so a name that changes its
    mind between check and use gains nothing."""

    def __init__(self) -> None:
        self._names = DefaultResolver()

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:
        found = await self._names.resolve(host, port, family)
        public = [entry for entry in found if is_public(entry["host"])]
        if not public:
            raise PrivateAddress(f"{host} has no public address")
        return public

    async def close(self) -> None:
        await self._names.close()


def is_public(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host.split("%")[0].strip("[]"))
    except ValueError:
        return False
    inner = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
    return address.is_global and not address.is_multicast and (inner is None or inner.is_global)


def is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


class Downloads:
    def __init__(
        self, client: Client, tokens: Tokens, base_url: str, answer_seconds: float, most_bytes: int = MOST_BYTES
    ) -> None:
        self._most_bytes = most_bytes
        self._client = client
        self._tokens = tokens
        self._private_allowed = is_loopback(URL(base_url).host or "")
        self._answer_seconds = answer_seconds
        self._session: aiohttp.ClientSession | None = None

    async def fetch(self, handle: JsonObject) -> AsyncIterator[bytes]:
        """The bytes. Raises ``RetryLater``, or ``Rejected`` when they are gone or may not be fetched."""
        url = text_in(handle, "url") or await self._resource_url(handle)
        try:
            async for chunk in self._download(self._allowed(url)):
                yield chunk
        except (PrivateAddress, aiohttp.InvalidURL) as error:
            raise forbidden_address() from error
        except aiohttp.ClientConnectorError as error:
            raise forbidden_address() if isinstance(error.os_error, PrivateAddress) else interrupted() from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise interrupted() from error

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _resource_url(self, handle: JsonObject) -> str:
        open_id = text_in(handle, "open_id")
        query = {
            "open_id": open_id,
            "conversation_id": text_in(handle, "conversation_id"),
            "message_id": text_in(handle, "message_id"),
        }
        answer = await self._tokens.with_access(
            open_id,
            lambda token: self._client.call(Call("GET", RESOURCES, query=query, token=token, repeatable=True)),
        )
        return field_in(answer, "url")

    async def _download(self, url: URL) -> AsyncIterator[bytes]:
        for _ in range(MOST_REDIRECTS + 1):
            async with self._http().get(url, allow_redirects=False) as response:
                if response.status in (301, 302, 303, 307, 308):
                    url = self._allowed(str(url.join(URL(response.headers.get("Location", "")))))
                    continue
                refuse_status(response.status)
                async for chunk in limited(response, self._most_bytes):
                    yield chunk
                return
        raise forbidden_address()

    def _allowed(self, address: str) -> URL:
        try:
            url = URL(address)
        except ValueError:
            raise forbidden_address() from None
        if url.scheme not in ("http", "https") or not url.host:
            raise forbidden_address()
        if is_ip(url.host) and not (self._private_allowed and is_loopback(url.host)) and not is_public(url.host):
            raise forbidden_address()
        return url

    def _http(self) -> aiohttp.ClientSession:
        """A session of its own: the shared one would resolve private names and carry cookies."""
        if self._session is None:
            resolver = None if self._private_allowed else PublicResolver()
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(resolver=resolver, limit=16),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(
                    connect=CONNECT_SECONDS, sock_connect=CONNECT_SECONDS, sock_read=self._answer_seconds
                ),
                trust_env=False,
            )
        return self._session


def is_loopback(host: str) -> bool:
    return host == "localhost" or (is_ip(host) and ipaddress.ip_address(host).is_loopback)


def refuse_status(status: int) -> None:
    if status >= 500 or status in NOT_NOW:
        raise interrupted()
    if status != 200:
        raise Rejected(
            "douyin.media_gone",
            Sentence(zh="抖音上已经没有这个文件。", en=f"Douyin no longer has this file (HTTP {status})."),
        )


async def limited(response: aiohttp.ClientResponse, most_bytes: int) -> AsyncIterator[bytes]:
    if (response.content_length or 0) > most_bytes:
        raise too_large(most_bytes)
    total = 0
    async for chunk in response.content.iter_chunked(CHUNK):
        total += len(chunk)
        if total > most_bytes:
            raise too_large(most_bytes)
        yield chunk
        await asyncio.sleep(0)


def interrupted() -> RetryLater:
    return RetryLater(
        "douyin.media_interrupted",
        Sentence(zh="文件下载中断，稍后会自动重试。", en="The download broke off; it will be tried again."),
    )


def forbidden_address() -> Rejected:
    return Rejected(
        "douyin.media_address",
        Sentence(zh="文件地址不安全，没有下载。", en="The file's address is not safe to read, so it was not fetched."),
    )


def too_large(most_bytes: int) -> Rejected:
    limit = most_bytes // (1024 * 1024)
    return Rejected(
        "douyin.media_too_large",
        Sentence(zh=f"文件超过 {limit} MB，没有下载。", en=f"The file is larger than {limit} MB and was not fetched."),
    )
