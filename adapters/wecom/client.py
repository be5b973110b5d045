"""Calls of the WeCom API: token, time-outs, and what each failure lets us be certain of.

Calls are made directly, with the platform's page cited where each is made. wechatpy's client was considered (overriding
its ``_request`` with aiohttp): the parts that we need do not fit the platform any more (``kf/sync_msg`` without
``open_kfid``, ``kf/account/list`` without paging) or never did (locations, links and mini-programs under wrong names).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import aiohttp

from adapters.wecom.errors import BUSY, TOKEN_REFUSED, api_error, connection_error, refused_by_gateway, unanswered
from adapters.wecom.tokens import AccessTokens
from adapters.wecom.values import integer, read_object, write_object
from scrm.channel import AdapterContext, JsonObject
from scrm.errors import SendError

ANSWER_WITHIN = 15.0
"""Seconds that WeCom may take over a call; beyond them the outcome of a send is uncertain."""
_CONNECT_WITHIN = 5.0
_TRANSFER_WITHIN = 120.0
_BUSY_DELAYS = (0.2, 0.5, 1.0)
"""WeCom asks for at most three repetitions when it says that it is busy (wecom.md section 3.5)."""
_LARGEST_ANSWER = 32 << 20
_CHUNK = 64 * 1024
_TOO_LARGE_TO_FETCH = 830002
_SURELY_FILES = ("image/", "audio/", "video/")

Uploaded = tuple[str, bytes, str]
"""File name, bytes and MIME type."""
_Attempt = Callable[[str], Awaitable[JsonObject]]
"""Makes the call with this token and returns WeCom's answer, whatever its ``errcode``."""


class WeComClient:
    """One app of one company. Every method raises the errors of ``send`` and nothing else."""

    def __init__(
        self, *, corp_id: str, secret: str, base_url: str, context: AdapterContext, answer_within: float = ANSWER_WITHIN
    ) -> None:
        self._call_timeout = aiohttp.ClientTimeout(total=answer_within, connect=_CONNECT_WITHIN)
        self._transfer_timeout = aiohttp.ClientTimeout(
            total=_TRANSFER_WITHIN, connect=_CONNECT_WITHIN, sock_read=answer_within
        )
        self._http = context.http
        self._root = f"{base_url.rstrip('/')}/cgi-bin/"
        self._tokens = AccessTokens(
            corp_id=corp_id,
            secret=secret,
            base_url=self._root,
            cache=context.cache,
            clock=context.clock,
            get=self._get_token,
        )

    async def post(self, path: str, body: JsonObject, *, effect: bool = False) -> JsonObject:
        """A call with a JSON body. ``effect``: when no answer comes, raise ``Uncertain`` and not ``RetryLater``."""
        data, headers = write_object(body), {"Content-Type": "application/json; charset=utf-8"}

        async def attempt(token: str) -> JsonObject:
            request = self._http.post(
                self._root + path,
                params={"access_token": token},
                data=data,
                headers=headers,
                timeout=self._call_timeout,
                allow_redirects=False,
            )
            return await _answer(request, effect=effect)

        return await self._authorised(attempt)

    async def get(self, path: str, query: dict[str, str]) -> JsonObject:
        """A call that only reads."""

        async def attempt(token: str) -> JsonObject:
            request = self._http.get(
                self._root + path,
                params={"access_token": token, **query},
                timeout=self._call_timeout,
                allow_redirects=False,
            )
            return await _answer(request, effect=False)

        return await self._authorised(attempt)

    async def upload(self, path: str, query: dict[str, str], file: Uploaded) -> JsonObject:
        """A call with one file as the multipart field ``media``."""
        name, content, mime = file

        async def attempt(token: str) -> JsonObject:
            # WeCom reads the file name as it stands: percent-encoding would be shown to the customer.
            form = aiohttp.FormData(quote_fields=False)
            form.add_field("media", content, filename=name, content_type=mime)
            request = self._http.post(
                self._root + path,
                params={"access_token": token, **query},
                data=form,
                timeout=self._transfer_timeout,
                allow_redirects=False,
            )
            return await _answer(request, effect=False)

        return await self._authorised(attempt)

    async def download(self, path: str, query: dict[str, str]) -> AsyncIterator[bytes]:
        """The bytes of a file, in pieces. An error that WeCom tells as JSON is raised before the first piece."""
        token = await self._tokens.current()
        async with self._file(path, query, token) as (response, errcode):
            if errcode not in TOKEN_REFUSED:
                async for piece in _pieces(response, errcode):
                    yield piece
                return
        token = await self._tokens.current(refused=token)
        async with self._file(path, query, token) as (response, errcode):
            async for piece in _pieces(response, errcode):
                yield piece

    @asynccontextmanager
    async def _file(
        self, path: str, query: dict[str, str], token: str
    ) -> AsyncIterator[tuple[aiohttp.ClientResponse, int]]:
        """The response, and the ``errcode`` in its body if it is an error and no file."""
        try:
            async with self._http.get(
                self._root + path,
                params={"access_token": token, **query},
                timeout=self._transfer_timeout,
                allow_redirects=False,
            ) as response:
                yield response, await _errcode_of_file(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise connection_error(error, effect=False) from error

    async def _authorised(self, attempt: _Attempt) -> JsonObject:
        """Calls with a token; once more with a new one when it is refused, and a few times more while WeCom is busy."""
        token = await self._tokens.current()
        answer = await attempt(token)
        if _errcode(answer) in TOKEN_REFUSED:
            token = await self._tokens.current(refused=token)
            answer = await attempt(token)
        for delay in _BUSY_DELAYS:
            if _errcode(answer) != BUSY:
                break
            await asyncio.sleep(delay)
            answer = await attempt(token)
        errcode = _errcode(answer)
        if errcode:
            raise api_error(errcode)
        return answer

    async def _get_token(self, query: dict[str, str]) -> JsonObject:
        request = self._http.get(
            f"{self._root}gettoken", params=query, timeout=self._call_timeout, allow_redirects=False
        )
        return await _answer(request, effect=False)


async def _answer(request: AbstractAsyncContextManager[aiohttp.ClientResponse], *, effect: bool) -> JsonObject:
    """WeCom's JSON, also when it tells an error. Raises when there is none."""
    try:
        async with request as response:
            body = await _read(response)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise connection_error(error, effect=effect) from error
    answer = read_object(body)
    if answer is not None and _is_telling(answer, response.status, effect=effect):
        return answer
    raise _no_answer(response.status, effect=effect)


def _is_telling(answer: JsonObject, status: int, *, effect: bool) -> bool:
    """Some successes have no ``errcode`` (wecom.md section 3.5): good enough for reading, too little to call something done."""
    if "errcode" not in answer:
        return status == 200 and not effect
    errcode = integer(answer, "errcode")
    return errcode is not None and (errcode != 0 or status == 200)


def _no_answer(status: int, *, effect: bool) -> SendError:
    if 400 <= status < 500 and status != 408:
        return refused_by_gateway(status)
    return unanswered(effect=effect)


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """The whole body; what exceeds any real answer is cut and then fails as broken JSON."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK):
        body += chunk
        if len(body) > _LARGEST_ANSWER:
            break
    return bytes(body)


async def _errcode_of_file(response: aiohttp.ClientResponse) -> int:
    """Files come with ``Content-Disposition``, errors as bare JSON (wecom.md section 14). A customer may have sent us a
    JSON file, so the type of the content alone says nothing."""
    if response.status in (200, 206) and (
        "Content-Disposition" in response.headers or response.content_type.startswith(_SURELY_FILES)
    ):
        return 0
    answer = read_object(await _read(response)) or {}
    errcode = _errcode(answer)
    if not errcode:
        raise _no_answer(response.status, effect=False)
    return errcode


async def _pieces(response: aiohttp.ClientResponse, errcode: int) -> AsyncIterator[bytes]:
    if errcode:
        raise api_error(errcode)
    size = 0
    async for piece in response.content.iter_chunked(_CHUNK):
        size += len(piece)
        if size > _LARGEST_ANSWER:
            raise api_error(_TOO_LARGE_TO_FETCH)
        yield piece


def _errcode(answer: JsonObject) -> int:
    """Some successes have no ``errcode`` at all."""
    return integer(answer, "errcode") or 0
