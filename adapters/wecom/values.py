"""Reading values of JSON that strangers wrote: nothing here raises, and nothing leaves that a database refuses."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any

from scrm.channel import JsonObject
from scrm.clock import from_seconds

_LAST_YEAR = 2200
"""Later moments are mistakes (milliseconds where seconds belong), and adding a window to them could overflow."""
_NEVER = datetime(1, 1, 1, tzinfo=UTC)
_DEEPEST = 32
_LARGEST_INTEGER = 2**63


def read_object(body: bytes) -> JsonObject | None:
    """The JSON object in ``body``, cleaned; None when there is none.

    Lenient on purpose: the platform is known to send raw control characters inside strings.
    """
    try:
        loaded = json.loads(body.decode("utf-8", "replace"), strict=False)
    except (ValueError, RecursionError):
        return None
    return _clean_object(loaded, 0) if isinstance(loaded, dict) else None


def write_object(value: Any) -> bytes:
    """JSON as compact UTF-8; half a surrogate pair, which UTF-8 cannot say, stays escaped."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode()


def clean_text(value: str) -> str:
    """Without NUL and with lone surrogates replaced: PostgreSQL stores neither."""
    if "\0" in value:
        value = value.replace("\0", "")
    if not value.isascii():
        value = value.encode("utf-8", "replace").decode("utf-8")
    return value


def text(source: JsonObject, key: str) -> str:
    """A string; numbers become their digits, everything else is empty."""
    value = source.get(key)
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return ""


def integer(source: JsonObject, key: str) -> int | None:
    """A whole number, also when it is written as a string."""
    value = source.get(key)
    if isinstance(value, bool):
        return None
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return int(value)
    if isinstance(value, str):
        try:
            return int(value.strip()[:20])
        except ValueError:
            return None
    return None


def decimal(source: JsonObject, key: str) -> float | None:
    """A finite number, also when it is written as a string."""
    value = source.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def nested(source: JsonObject, key: str) -> JsonObject:
    """An object, or an empty one."""
    value = source.get(key)
    return value if isinstance(value, dict) else {}


def objects(source: JsonObject, key: str) -> list[JsonObject]:
    """The objects of a list; whatever else the list holds is left out."""
    value = source.get(key)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def texts(source: JsonObject, key: str) -> list[str]:
    """The strings of a list, without empty ones."""
    value = source.get(key)
    return [item for item in value if isinstance(item, str) and item] if isinstance(value, list) else []


def moment(source: JsonObject, key: str, otherwise: datetime) -> datetime:
    """A Unix time in seconds, as a number or a string."""
    seconds = decimal(source, key)
    if seconds is None or seconds <= 0:
        return otherwise
    try:
        found = from_seconds(seconds)
    except ValueError:
        return otherwise
    return found if found.year < _LAST_YEAR else otherwise


def moment_or_none(source: JsonObject, key: str) -> datetime | None:
    """A Unix time; None where it is absent, 0 or nonsense."""
    found = moment(source, key, _NEVER)
    return None if found is _NEVER else found


def flag(source: JsonObject, key: str) -> bool:
    """A truth value; some answers write it as a number."""
    value = source.get(key)
    return value is True or (isinstance(value, int) and value == 1)


def known(**fields: Any) -> JsonObject:
    """An object of only those fields that say something."""
    return {name: value for name, value in fields.items() if value not in ("", None, [], {})}


def _clean_object(value: dict[str, Any], depth: int) -> JsonObject:
    return {clean_text(key): _clean(item, depth + 1) for key, item in value.items()}


def _clean(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, int):
        return value if isinstance(value, bool) or abs(value) < _LARGEST_INTEGER else str(value)
    if depth >= _DEEPEST:
        return None
    if isinstance(value, dict):
        return _clean_object(value, depth)
    if isinstance(value, list):
        return [_clean(item, depth + 1) for item in value]
    return value
