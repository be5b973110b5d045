"""Calls of the platform: token, time-outs, and what each failure lets us be certain of (wechat-oa.md section 1)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager

import aiohttp

from adapters.wechat_oa.answers import errcode_of, error_in_file, is_telling, no_answer, pieces_of, read_answer
from adapters.wechat_oa.errors import TOKEN_REFUSED, api_error, connection_error, unanswered
from adapters.wechat_oa.tokens import AccessTokens
from adapters.wechat_oa.values import read_object, text, write_object
from scrm.channel import AdapterContext, JsonObject
from scrm.errors import SendError

ANSWER_WITHIN = 15.0
"""Seconds that the platform may take over a call; beyond them the outcome of a send is uncertain."""
_CONNECT_WITHIN = 5.0
_TRANSFER_WITHIN = 120.0

Uploaded = tuple[str, bytes, str]
"""File name, bytes and MIME type."""
_Attempt = Callable[[str], Awaitable[JsonObject]]


class Refused(Exception):
    """The platform answered and said no: its whole answer, for callers to whom some refusals are an answer."""

    def __init__(self, answer: JsonObject) -> None:
        super().__init__(answer)
        self.answer = answer
        self.errcode = errcode_of(answer)

    @property
    def error(self) -> SendError:
        return api_error(self.errcode, text(self.answer, "errmsg"))


class Client:
    """One account. Every method raises the errors of ``send`` and nothing else, unless it says otherwise."""

    def __init__(
        self, *, app_id: str, secret: str, base_url: str, context: AdapterContext, answer_within: float = ANSWER_WITHIN
    ) -> None:
        self._call_timeout = aiohttp.ClientTimeout(total=answer_within, connect=_CONNECT_WITHIN)
        self._transfer_timeout = aiohttp.ClientTimeout(
            total=_TRANSFER_WITHIN, connect=_CONNECT_WITHIN, sock_read=answer_within
        )
        self._http = context.http
        self._root = f"{base_url.rstrip('/')}/cgi-bin/"
        self._tokens = AccessTokens(
            app_id=app_id,
            secret=secret,
            base_url=self._root,
            cache=context.cache,
            clock=context.clock,
            ask=self._ask_token,
        )

    async def check(self) -> None:
        """Whether AppID, secret and the allow-list of addresses are right: the platform gives a token."""
        await self._tokens.current()

    async def post(self, path: str, body: JsonObject, *, effect: bool = False) -> JsonObject:
        """A call with a JSON body. ``effect``: when no answer comes, raise ``Uncertain`` and not ``RetryLater``."""
        try:
            return await self.attempt(path, body, effect=effect)
        except Refused as refused:
            raise refused.error from refused

    async def attempt(self, path: str, body: JsonObject, *, effect: bool = False) -> JsonObject:
        """The same; raises :class:`Refused` for what the platform refuses."""
        data, headers = write_object(body), {"Content-Type": "application/json; charset=utf-8"}

        async def call(token: str) -> JsonObject:
            request = self._http.post(
                self._root + path,
                params={"access_token": token},
                data=data,
                headers=headers,
                timeout=self._call_timeout,
                allow_redirects=False,
            )
            return await _answer(request, effect=effect)

        return await self._authorised(call)

    async def get(self, path: str, query: dict[str, str]) -> JsonObject:
        """A call that only reads. Raises :class:`Refused` for what the platform refuses."""

        async def call(token: str) -> JsonObject:
            request = self._http.get(
                self._root + path,
                params={"access_token": token, **query},
                timeout=self._call_timeout,
                allow_redirects=False,
            )
            return await _answer(request, effect=False)

        return await self._authorised(call)

    async def upload(self, path: str, query: dict[str, str], file: Uploaded) -> JsonObject:
        """A call with one file as the multipart field ``media``."""
        name, content, mime = file

        async def call(token: str) -> JsonObject:
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

        try:
            return await self._authorised(call)
        except Refused as refused:
            raise refused.error from refused

    async def download(self, path: str, query: dict[str, str]) -> AsyncIterator[bytes]:
        """The bytes of a file, in pieces. An error that the platform tells as JSON is raised before the first piece."""
        token = await self._tokens.current()
        for again in (True, False):
            address = self._root + path
            try:
                async with self._file(address, {"access_token": token, **query}) as response:
                    told = await error_in_file(response)
                    if told is None:
                        async for piece in pieces_of(response):
                            yield piece
                        return
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                raise connection_error(error, effect=False) from error
            if errcode_of(told) not in TOKEN_REFUSED or not again:
                async for piece in self._elsewhere(told):
                    yield piece
                return
            token = await self._tokens.current(refused=token)

    async def _elsewhere(self, told: JsonObject) -> AsyncIterator[bytes]:
        """Videos lie on another server of the platform, whose address it tells. Raises what else it tells as JSON."""
        address = text(told, "video_url")
        if errcode_of(told) or not address.startswith(("https://", "http://")):
            raise Refused(told).error if errcode_of(told) else unanswered(effect=False)
        try:
            async with self._file(address, {}) as response:
                if response.status != 200:
                    raise no_answer(response.status, effect=False)
                async for piece in pieces_of(response):
                    yield piece
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise connection_error(error, effect=False) from error

    def _file(self, address: str, query: dict[str, str]) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        return self._http.get(address, params=query, timeout=self._transfer_timeout, allow_redirects=False)

    async def _authorised(self, call: _Attempt) -> JsonObject:
        """Calls with a token; once more with a new one when it is refused: certainly nothing was done then."""
        token = await self._tokens.current()
        answer = await call(token)
        if errcode_of(answer) in TOKEN_REFUSED:
            answer = await call(await self._tokens.current(refused=token))
        if errcode_of(answer):
            raise Refused(answer)
        return answer

    async def _ask_token(self, body: JsonObject) -> JsonObject:
        request = self._http.post(
            f"{self._root}stable_token", data=write_object(body), timeout=self._call_timeout, allow_redirects=False
        )
        return await _answer(request, effect=False)


async def _answer(request: AbstractAsyncContextManager[aiohttp.ClientResponse], *, effect: bool) -> JsonObject:
    """The platform's JSON, also when it tells an error. Raises when there is none."""
    try:
        async with request as response:
            body = await read_answer(response)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise connection_error(error, effect=effect) from error
    answer = read_object(body)
    if answer is not None and is_telling(answer, response.status, effect=effect):
        return answer
    raise no_answer(response.status, effect=effect)
