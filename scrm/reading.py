"""Requests into typed values. Whatever a stranger sends ends here as a value that the rest may trust, or as a clear refusal."""

from __future__ import annotations

from typing import Any, TypeVar

import orjson
from aiohttp import web
from pydantic import BaseModel, ValidationError

from scrm.errors import ApiError, BadRequest, NotFound, TooLarge, Unprocessable
from scrm.views import MAX_ID

Model = TypeVar("Model", bound=BaseModel)

DEEPEST = 40
NOT_TEXT = "This holds characters that no text may hold."


class UnsupportedType(ApiError):
    status = 415
    code = "unsupported_type"


def path_value(kind: type, text: str) -> int | str:
    """Raises :class:`NotFound`: a path that cannot exist is one that does not."""
    if kind is int:
        if text.isascii() and text.isdigit() and len(text) <= 19 and 1 <= int(text) <= MAX_ID:
            return int(text)
        raise NotFound("There is nothing with this id.")
    if not is_text(text):
        raise NotFound("There is nothing at this address.")
    return text


def read_query(request: web.Request, model: type[Model] | None) -> Model | None:
    """Raises :class:`Unprocessable`, also for names that the route does not know."""
    query = request.query
    if model is None:
        if query:
            raise Unprocessable(
                "This address takes no parameters.", fields=dict.fromkeys(list(query)[:20], "Not a parameter.")
            )
        return None
    values: dict[str, str] = {}
    wrong: dict[str, str] = {}
    for name, value in query.items():
        if name in values:
            wrong[name] = "Give it once."
        elif not is_text(value):
            wrong[name] = NOT_TEXT
        values[name] = value
    if wrong:
        raise Unprocessable("Some parameters are wrong.", fields=wrong)
    return _validated(model, values)


async def read_body(request: web.Request, model: type[Model], limit: int) -> Model:
    """Raises :class:`UnsupportedType`, :class:`TooLarge`, :class:`BadRequest` (no JSON), :class:`Unprocessable`."""
    if request.content_type != "application/json":
        raise UnsupportedType("Send JSON, with Content-Type: application/json.")
    raw = await read_limited(request, limit)
    try:
        value = orjson.loads(raw)
    except ValueError as error:
        raise BadRequest(f"The body is not valid JSON: {error}", code="bad_json") from error
    if not isinstance(value, dict):
        raise Unprocessable("The body must be a JSON object.")
    wrong = {
        name if is_text(name) else "?": NOT_TEXT
        for name, item in value.items()
        if not (is_text(name) and _fine(item, 0))
    }
    if wrong:
        raise Unprocessable("Some fields hold what cannot be kept.", fields=wrong)
    return _validated(model, value)


async def read_limited(request: web.Request, limit: int) -> bytes:
    if (request.content_length or 0) > limit:
        raise TooLarge(f"The body is larger than {limit // 1024} KB.")
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.content.iter_any():
        size += len(chunk)
        if size > limit:
            raise TooLarge(f"The body is larger than {limit // 1024} KB.")
        chunks.append(chunk)
    return b"".join(chunks)


def is_text(text: str) -> bool:
    """PostgreSQL keeps neither NUL nor lone surrogates."""
    if "\x00" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _fine(value: Any, depth: int) -> bool:
    if isinstance(value, str):
        return is_text(value)
    if depth > DEEPEST:
        return False
    if isinstance(value, dict):
        return all(is_text(name) and _fine(item, depth + 1) for name, item in value.items())
    if isinstance(value, list):
        return all(_fine(item, depth + 1) for item in value)
    return True


def _validated(model: type[Model], value: dict[str, Any]) -> Model:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise Unprocessable("Some fields are wrong.", fields=field_sentences(error)) from error


def field_sentences(error: ValidationError) -> dict[str, str]:
    fields: dict[str, str] = {}
    for problem in error.errors(include_url=False, include_input=False, include_context=False):
        name = ".".join(str(part) for part in problem["loc"]) or "body"
        if problem["type"] == "extra_forbidden":
            sentence = "There is no such field."
        elif problem["type"] == "missing":
            sentence = "This is needed."
        else:
            sentence = problem["msg"].removeprefix("Value error, ")
            sentence = sentence[0].upper() + sentence[1:]
            sentence = sentence if sentence.endswith(".") else f"{sentence}."
        fields.setdefault(name[:100], sentence)
    return fields
