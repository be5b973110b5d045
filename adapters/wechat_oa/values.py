"""Reading values that strangers wrote: nothing here raises, and nothing leaves that a database refuses."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from scrm.channel import JsonObject
from scrm.clock import from_seconds

_LAST_YEAR = 2200
"""Later moments are mistakes, and adding a window to them could overflow."""
_DEEPEST = 32
_LARGEST_INTEGER = 2**63


def read_object(body: bytes) -> JsonObject | None:
    """The JSON object in ``body``, cleaned; None when there is none. Lenient: raw control characters inside strings are met."""
    try:
        loaded = json.loads(body.decode("utf-8", "replace"), strict=False)
    except (ValueError, RecursionError):
        return None
    cleaned = _clean(loaded, 0) if isinstance(loaded, dict) else None
    return cleaned if isinstance(cleaned, dict) else None


def write_object(value: Any) -> bytes:
    """JSON as UTF-8: the platform shows ``\\u4f60`` as it stands. Half a surrogate pair, which UTF-8 cannot say, stays escaped."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode()


def text(source: Mapping[str, Any], key: str) -> str:
    """A string; numbers become their digits, everything else is empty."""
    value = source.get(key)
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return ""


def integer(source: Mapping[str, Any], key: str) -> int | None:
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


def decimal(source: Mapping[str, Any], key: str) -> float | None:
    """A finite number, also when it is written as a string."""
    value = source.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def nested(source: Mapping[str, Any], key: str) -> JsonObject:
    """An object, or an empty one."""
    value = source.get(key)
    return value if isinstance(value, dict) else {}


def objects(source: Mapping[str, Any], key: str) -> list[JsonObject]:
    """The objects of a list; whatever else the list holds is left out."""
    value = source.get(key)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def texts(source: Mapping[str, Any], key: str) -> list[str]:
    """The strings of a list, and its whole numbers as strings; without empty ones."""
    value = source.get(key)
    if not isinstance(value, list):
        return []
    return [str(one) for one in value if isinstance(one, (str, int)) and not isinstance(one, bool) and one != ""]


def moment(source: Mapping[str, Any], key: str, otherwise: datetime) -> datetime:
    """A Unix time in seconds, as a number or a string."""
    seconds = decimal(source, key)
    if seconds is None or seconds <= 0:
        return otherwise
    try:
        found = from_seconds(seconds)
    except ValueError:
        return otherwise
    return found if found.year < _LAST_YEAR else otherwise


def known(**fields: Any) -> JsonObject:
    """An object of only those fields that say something."""
    return {name: value for name, value in fields.items() if value not in ("", None, [], {})}


def _clean(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, int):
        return value if isinstance(value, bool) or abs(value) < _LARGEST_INTEGER else str(value)
    if depth >= _DEEPEST:
        return None
    if isinstance(value, dict):
        return {_clean(key, 0): _clean(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_clean(item, depth + 1) for item in value]
    return value
