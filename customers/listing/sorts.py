"""Orders of the list. Customers without a value come last, whichever way it goes.

The first key decides the cost: customers are read from its index in segments (those with a value, then those without; for stages and
owners one segment each), and further keys order only what is equal so far.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Literal

from pydantic import Field as Of

from customers.field_indexes import value_of
from customers.field_values import Field
from customers.filtering.places import Arguments
from scrm.db import Tx
from scrm.errors import Unprocessable
from scrm.views import MAX_ID, Input

MOST = 4
Type = Literal["timestamptz", "text", "numeric", "bigint", "int"]


class Sort(Input):
    """``key``: a field's name, or ``fields.<key>``. Values that are missing come last either way."""

    key: Annotated[str, Of(max_length=40, pattern=r"^[a-z_]+(\.f[0-9a-z]{1,20})?$")]
    descending: bool = False


NEWEST = Sort(key="created_at", descending=True)


@dataclass(frozen=True, slots=True)
class Order:
    """One key in SQL. ``has``: which customers have a value (empty: all). ``groups``: its values in order, when they are few."""

    value: str
    type: Type
    descending: bool
    has: str = ""
    groups: tuple[int, ...] | None = None

    def always(self) -> str:
        """A value for everybody, with those who have none at the end."""
        if not self.has:
            return self.value
        return f"case when {self.has} then {self.value} else {END[self.type, self.descending]} end"


END: Mapping[tuple[Type, bool], str] = {
    ("timestamptz", False): "'infinity'::timestamptz",
    ("timestamptz", True): "'-infinity'::timestamptz",
    ("text", False): "'\U0010ffff'::text collate \"C\"",
    ("text", True): "''::text collate \"C\"",
    ("numeric", False): "'Infinity'::numeric",
    ("numeric", True): "'-Infinity'::numeric",
    ("bigint", False): str(MAX_ID),
    ("bigint", True): "-1",
    ("int", False): "2147483647",
    ("int", True): "-1",
}
TIMES = (
    "last_message_at", "last_inbound_at", "followed_at", "next_due_at", "owned_at", "stage_at", "pooled_at", "deleted_at",
    "reclaim_at",
)  # fmt: skip
TEXTS = ("company", "city", "source", "position", "email", "address", "gender")


async def orders(tx: Tx, sorts: Sequence[Sort], fields: Mapping[str, Field]) -> list[Order]:
    """Raises :class:`Unprocessable` for a key that does not exist or cannot be sorted by."""
    keys = [sort.key for sort in sorts]
    if len(set(keys)) != len(keys):
        raise Unprocessable("One key is there twice.", fields={"sort": "Name each key once."})
    return [await _order(tx, sort, fields, n) for n, sort in enumerate(sorts)]


async def _order(tx: Tx, sort: Sort, fields: Mapping[str, Field], place: int) -> Order:
    key, down = sort.key, sort.descending
    if key in ("created_at", "updated_at"):
        return Order(f"u.{key}", "timestamptz", down)
    if key in TIMES:
        return Order(f"u.{key}", "timestamptz", down, f"u.{key} is not null")
    if key == "name":
        return Order('(u.name collate "C")', "text", down)
    if key in TEXTS:
        return Order(f'(u.{key} collate "C")', "text", down, f"u.{key} <> ''")
    if key == "value":
        return Order("u.value_fen", "bigint", down, "u.value_fen is not null")
    if key == "stage":
        rows = await tx.fetch("select id from stage order by archived_at is not null, position, id")
        return _grouped("u.stage_id", [row["id"] for row in rows], down)
    if key == "owner":
        rows = await tx.fetch("select id from agent order by name, id")
        return _grouped("u.owner_id", [row["id"] for row in rows], down)
    custom = _custom(key, fields, down)
    if custom is None:
        raise Unprocessable(
            "The list cannot be sorted so.", fields={f"sort.{place}.key": f"There is no order by {key}."}
        )
    return custom


def _grouped(column: str, ids: Sequence[int], down: bool) -> Order:
    # A list of numbers, made of numbers: the order of the groups is part of the statement.
    places = ",".join(str(int(one)) for one in ids)
    value = f"array_position(array[{places}]::bigint[], {column})"
    order = tuple(reversed(ids)) if down else tuple(ids)
    return Order(value, "int", down, f"{column} is not null", order)


def _custom(key: str, fields: Mapping[str, Field], down: bool) -> Order | None:
    field = fields.get(key.removeprefix("fields.")) if key.startswith("fields.") else None
    if field is None or field.kind in ("multi", "file"):
        return None
    has = f"u.fields ? '{field.key}'"
    if field.kind in ("number", "money"):
        return Order(value_of(field.key, field.kind), "numeric", down, has)
    if field.kind == "choice":
        places = ",".join(f"'{choice.key}'" for choice in field.choices if choice.key.isalnum())
        return Order(f"array_position(array[{places}]::text[], u.fields ->> '{field.key}')", "int", down, has)
    return Order(f"(u.fields ->> '{field.key}' collate \"C\")", "text", down, has)


NUMBER = re.compile(r"^-?\d{1,40}(\.\d{1,40})?$")


def placed(text: str, kind: Type, arguments: Arguments) -> str:
    """A value of a cursor, which anybody may have written. Raises ``ValueError``."""
    if kind == "text":
        if "\x00" in text or len(text) > 2100:
            raise ValueError(text)
        return f'({arguments.add(text, "text")} collate "C")'
    if kind == "timestamptz":
        if text not in ("infinity", "-infinity"):
            datetime.fromisoformat(text)
        return f"{arguments.add(text, 'text')}::timestamptz"
    if kind == "numeric" and text in ("Infinity", "-Infinity"):
        return f"'{text}'::numeric"
    if not NUMBER.match(text):
        raise ValueError(text)
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise ValueError(text) from error
    if kind != "numeric" and not -1 <= number <= (MAX_ID if kind == "bigint" else 2**31 - 1):
        raise ValueError(text)
    return f"{arguments.add(text, 'text')}::{kind}"
