"""Reading JSON that others wrote: nothing here raises for a wrong type, an absent field or a hostile value."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from scrm.channel import JsonObject
from scrm.clock import from_millis, from_seconds

LAST_MOMENT = datetime(9000, 1, 1, tzinfo=UTC)
"""Later times are nonsense, and adding a window to them would overflow."""


def read_object(data: bytes | str) -> JsonObject | None:
    """The JSON object in ``data``, or None. Too deep nesting and lone surrogates count as broken, too."""
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(value, dict):
        return None
    fields: JsonObject = value
    if (b"u0000" if isinstance(data, bytes) else "u0000") in data:  # type: ignore[operator]
        fields = {without_nul(name): without_nul(field) for name, field in fields.items()}
    return fields


def without_nul(value: Any) -> Any:
    """The same value without NUL characters, which no database column for text can hold."""
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, list):
        return [without_nul(item) for item in value]
    if isinstance(value, dict):
        return {without_nul(key): without_nul(item) for key, item in value.items()}
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
