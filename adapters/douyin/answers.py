"""The four shapes of answers. Platform reference, chapter 1: success means code 0 in every place where a code appears, and
numbers may come as strings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from adapters.douyin.errors import Failure
from adapters.douyin.reading import object_in, text_in
from scrm.channel import JsonObject

UNREADABLE_CODE = -1
CODE_NAMES = ("error_code", "err_no")


def failure_in(answer: JsonObject) -> Failure | None:
    """What the platform refused, or None for success. Raises ``ValueError`` when no code is anywhere: that is no answer."""
    codes = list(codes_in(answer))
    if not codes:
        raise ValueError("the answer holds no error code")
    code = next((code for code in codes if code != 0), 0)
    return Failure(code, description_in(answer), log_id_in(answer)) if code else None


def codes_in(answer: JsonObject) -> Iterator[int]:
    """Main codes before the finer ones, so that the first that is not 0 is the one with a known meaning."""
    places = (answer, *layers(answer))
    for place in places:
        for name in CODE_NAMES:
            if name in place:
                yield number(place[name])
    for place in places:
        if "sub_error_code" in place:
            yield number(place["sub_error_code"])


def layers(answer: JsonObject) -> Iterator[JsonObject]:
    """``data`` and ``extra``, and the ones that some answers wrap inside ``data``."""
    for name in ("data", "extra"):
        inner = answer.get(name)
        if isinstance(inner, dict):
            yield inner
            if name == "data":
                yield from (inner[deeper] for deeper in ("data", "extra") if isinstance(inner.get(deeper), dict))


def number(value: Any) -> int:
    if value is None or value == "":
        return 0
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return UNREADABLE_CODE


def description_in(answer: JsonObject) -> str:
    places = (*layers(answer), answer)
    names = ("description", "err_msg", "sub_description", "message")
    return next((text for place in places for name in names if (text := text_in(place, name))), "")


def log_id_in(answer: JsonObject) -> str:
    return next(
        (text for place in (answer, *layers(answer)) for name in ("logid", "log_id") if (text := text_in(place, name))),
        "",
    )


def field_in(answer: JsonObject, name: str) -> str:
    """A result that stands beside ``data`` or inside it."""
    return text_in(answer, name) or text_in(object_in(answer.get("data")), name)
