"""One HTTP call to the platform, and the honest name for each way in which it can fail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import aiohttp
import orjson

from adapters.douyin.answers import failure_in
from adapters.douyin.errors import Failure, busy, no_answer, refused_by_gateway, unreachable
from adapters.douyin.reading import read_object
from scrm.channel import JsonObject
from scrm.errors import SendError

CONNECT_SECONDS = 5.0
LARGEST_ANSWER = 4 * 1024 * 1024
REFUSED_BEFORE_WORK = frozenset({429, 503})
"""These two statuses are a gateway's own "not now"; the other 5xx may come after the work was done."""


@dataclass(frozen=True, slots=True)
class Call:
    """``repeatable``: doing it twice is as good as once, so a lost answer only means "try again"."""

    method: Literal["GET", "POST"]
    path: str
    query: Mapping[str, str] | None = None
    json: JsonObject | None = None
    form: Callable[[], aiohttp.FormData] | None = None
    token: str = ""
    repeatable: bool = False


class Refused(Exception):
    """The platform answered and said no. Callers decide whether to refresh a token before they give up."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.code} {failure.description}")
        self.failure = failure


class Client:
    """Calls of one connection. ``answer_seconds`` is how long the platform may take from the request to the whole answer."""

    def __init__(self, http: aiohttp.ClientSession, base_url: str, answer_seconds: float) -> None:
        self._http = http
        self._base_url = base_url.rstrip("/")
        self._answer_seconds = answer_seconds

    async def call(self, call: Call) -> JsonObject:
        """The answer of a call that succeeded. Raises :class:`Refused`, ``RetryLater``, ``Rejected`` or ``Uncertain``."""
        status, body = await self._exchange(call)
        if status != 200:
            raise self._error_of(status, call)
        answer = read_object(body)
        if answer is None:
            raise self._lost(call)
        try:
            failure = failure_in(answer)
        except ValueError:
            raise self._lost(call) from None
        if failure is not None:
            raise Refused(failure)
        return answer

    async def _exchange(self, call: Call) -> tuple[int, bytes]:
        timeout = aiohttp.ClientTimeout(
            connect=CONNECT_SECONDS, sock_connect=CONNECT_SECONDS, sock_read=self._answer_seconds
        )
        try:
            # The time limit stands outside of aiohttp's own, so that failing to connect is told from failing to answer.
            async with (
                asyncio.timeout(self._answer_seconds + CONNECT_SECONDS),
                self._http.request(
                    call.method,
                    self._base_url + call.path,
                    params=call.query,
                    timeout=timeout,
                    allow_redirects=False,
                    **self._body_of(call),
                ) as response,
            ):
                return response.status, await read_limited(response, LARGEST_ANSWER)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
            raise unreachable() from error
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise self._lost(call) from error

    def _body_of(self, call: Call) -> dict[str, Any]:
        headers = {"access-token": call.token} if call.token else {}
        if call.json is not None:
            headers["Content-Type"] = "application/json"
            return {"headers": headers, "data": orjson.dumps(call.json)}
        return {"headers": headers, "data": call.form() if call.form else None}

    def _lost(self, call: Call) -> SendError:
        return unreachable() if call.repeatable else no_answer()

    def _error_of(self, status: int, call: Call) -> SendError:
        if status in REFUSED_BEFORE_WORK:
            return busy(status)
        if status >= 500:
            return busy(status) if call.repeatable else no_answer()
        return refused_by_gateway(status)


async def read_limited(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """The body. Raises ``ValueError`` when it is longer than any honest answer."""
    parts = bytearray()
    async for chunk in response.content.iter_any():
        parts += chunk
        if len(parts) > limit:
            raise ValueError("the answer is too long")
    return bytes(parts)
