"""Answers: models into JSON, errors into the one error shape, and the headers that every answer carries."""

from __future__ import annotations

import logging
import secrets
import traceback
from collections.abc import Mapping
from typing import Any

import asyncpg
import orjson
from aiohttp import web
from pydantic import BaseModel

from scrm.db import LOST, RETRYABLE
from scrm.errors import ApiError, TooManyRequests
from scrm.http import Raw, Reply

log = logging.getLogger(__name__)

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(self), payment=()",
}
API_POLICY = "default-src 'none'; frame-ancestors 'none'"
NO_STORE = {"Cache-Control": "no-store"}


def answer(result: Any, status: int) -> web.StreamResponse:
    """What a handler returned, as a response."""
    if isinstance(result, Raw):
        return result.response
    headers: Mapping[str, str] = {}
    cookies: tuple[Any, ...] = ()
    if isinstance(result, Reply):
        status, headers, cookies, result = result.status, result.headers, result.cookies, result.body
    if result is None:
        response = web.Response(status=204, headers={**NO_STORE, **headers})
    else:
        response = web.Response(
            body=to_json(result), status=status, content_type="application/json", headers={**NO_STORE, **headers}
        )
    for cookie in cookies:
        cookie(response)
    return response


def to_json(model: BaseModel) -> bytes:
    return model.__pydantic_serializer__.to_json(model)


def error_answer(
    status: int,
    code: str,
    detail: str,
    fields: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    body: dict[str, Any] = {"error": code, "detail": detail}
    if fields:
        body["fields"] = dict(fields)
    return web.Response(
        body=orjson.dumps(body),
        status=status,
        content_type="application/json",
        headers={**NO_STORE, **(headers or {})},
    )


def refusal(error: ApiError) -> web.Response:
    headers: dict[str, str] = {}
    if isinstance(error, TooManyRequests):
        headers["Retry-After"] = str(error.retry_after)
    elif error.status == 503:
        headers["Retry-After"] = "2"
    elif error.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="scrm"'
    return error_answer(error.status, error.code, error.detail, error.fields, headers)


def failure(error: Exception, where: str) -> web.Response:
    """The database is away: 503, try again. Anything else is a bug: 500 with a number to look for in the log."""
    # A wrong argument is a ValueError as well as a lost interface: it is our bug and would fail again.
    lost = isinstance(error, (*LOST, *RETRYABLE)) and not isinstance(error, (FileNotFoundError, ValueError))
    if lost:
        log.warning("%s: the database is away (%s)", where, type(error).__name__)
        return error_answer(
            503, "unavailable", "The database does not answer. Try again in a moment.", headers={"Retry-After": "2"}
        )
    number = secrets.token_hex(6)
    log.error("request %s failed in %s\n%s", number, where, without_words(error))
    return error_answer(500, "internal", f"This is a fault of the service. Its number in the log is {number}.")


def without_words(error: BaseException) -> str:
    """A traceback without the messages of the exceptions: those quote values, and values are what customers wrote."""
    parts: list[str] = []
    one: BaseException | None = error
    while one is not None and len(parts) < 6:
        code = f" [{one.sqlstate}]" if isinstance(one, asyncpg.PostgresError) else ""
        parts.append("".join(traceback.format_tb(one.__traceback__)) + f"{type(one).__qualname__}{code}")
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
    return "\ncaused by\n".join(parts)
