"""Reading JSON that others wrote: nothing here raises for a wrong type, an absent field or a hostile value."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from scrm.channel import JsonObject
from scrm.clock import from_millis, from_seconds

LAST_MOMENT = datetime(9000, 1, 1, tzinfo=UTC)
"""Later times are nonsense, and adding a window to them would overflow."""


def read_object(data: bytes | str) -> JsonObject | None:
    """The JSON object in ``data``, or None. Texts in it hold nothing that a database refuses."""
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        return read_leniently(data)
    if not isinstance(value, dict):
        return None
    written = data if isinstance(data, str) else data.decode("utf-8", "replace")
    return cleaned_fields(value) if "u0000" in written else value


def read_leniently(data: bytes | str) -> JsonObject | None:
    """For half an emoji at the end of a cut name, or bytes that are no UTF-8: no reason to lose what a customer said."""
    text = data if isinstance(data, str) else data.decode("utf-8", "replace")
    try:
        value = json.loads(text, parse_constant=refuse_constant)
    except (ValueError, RecursionError):
        return None
    return cleaned_fields(value) if isinstance(value, dict) else None


def refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def cleaned_fields(fields: JsonObject) -> JsonObject:
    return {cleaned(name): cleaned(value) for name, value in fields.items()}


def cleaned(value: Any) -> Any:
    """The same value without NUL characters and lone surrogates, and with numbers that fit 64 bits."""
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [cleaned(item) for item in value]
    if isinstance(value, dict):
        return cleaned_fields(value)
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 63:
        return str(value)
    return value


def object_in(value: Any) -> JsonObject:
    """An object that comes either as such or as a JSON string; empty when it is neither."""
    if isinstance(value, dict):
        return value
    if isinstance(value, str):
        return read_object(value) or {}
    return {}


def text_in(source: Mapping[str, Any], name: str) -> str:
    """A string field; numbers are written out, anything else is absent."""
    value = source.get(name)
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return ""


def int_in(source: Mapping[str, Any], name: str, otherwise: int = 0) -> int:
    """An integer field, also when it was sent as a string."""
    value = source.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return otherwise
    try:
        return int(value)
    except (ValueError, OverflowError):
        return otherwise


def list_in(source: Mapping[str, Any], name: str) -> list[JsonObject]:
    """The objects in a list field."""
    value = source.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def millis_in(source: Mapping[str, Any], name: str, otherwise: datetime) -> datetime:
    try:
        moment = from_millis(int_in(source, name))
    except ValueError:
        return otherwise
    return moment if moment.timestamp() > 0 and moment < LAST_MOMENT else otherwise


def seconds_in(source: Mapping[str, Any], name: str, otherwise: datetime) -> datetime:
    try:
        moment = from_seconds(int_in(source, name))
    except ValueError:
        return otherwise
    return moment if moment.timestamp() > 0 and moment < LAST_MOMENT else otherwise
