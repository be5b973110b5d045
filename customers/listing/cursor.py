"""Where a page begins: the row before it, by its values in the order of the list."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import orjson

from customers.listing.sorts import Sort
from scrm.errors import Unprocessable
from scrm.views import MAX_ID

LONGEST = 12_000


@dataclass(frozen=True, slots=True)
class Place:
    """``segment``: which part of the order (``v`` with a value of the first key, ``e`` without; or a group's id)."""

    segment: str
    values: tuple[str, ...]
    id: int


def mark(sorts: Sequence[Sort]) -> str:
    return sha256("|".join(f"{one.key}{'-' if one.descending else '+'}" for one in sorts).encode()).hexdigest()[:8]


def encode(place: Place, sorts: Sequence[Sort]) -> str:
    plain = orjson.dumps([mark(sorts), place.segment, place.id, *place.values])
    return base64.urlsafe_b64encode(plain).decode().rstrip("=")


def decode(text: str, sorts: Sequence[Sort]) -> Place:
    """Raises :class:`Unprocessable` for what was not made here for this order."""
    try:
        plain = base64.b64decode(text.encode() + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
        made_for, segment, row, *values = orjson.loads(plain)
        whole = isinstance(row, int) and 1 <= row <= MAX_ID and isinstance(segment, str)
        if made_for != mark(sorts) or not whole or not all(isinstance(one, str) for one in values):
            raise ValueError("another cursor")
        return Place(segment, tuple(values), row)
    except (ValueError, TypeError, binascii.Error) as error:
        raise wrong() from error


def wrong() -> Unprocessable:
    sentence = "Use a cursor of an earlier page of the same list."
    return Unprocessable("This cursor cannot be used.", fields={"cursor": sentence})
