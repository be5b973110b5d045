"""Reading the value of a condition. Raises ``ValueError`` with a sentence about what it should be."""

from __future__ import annotations

from datetime import date

from customers.field_values import Wrong, day
from customers.filtering.tree import Value
from scrm.views import MAX_ID

LONGEST_SPAN = 3650


def one_text(value: Value) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("Give a text.")
    if "\x00" in value:
        raise ValueError("This text holds a character that no customer has.")
    return value.strip()


def texts(value: Value) -> list[str]:
    if not isinstance(value, list) or not value:
        raise ValueError("Give a list with at least one entry.")
    return [one_text(one) for one in value]


def ids(value: Value) -> list[int]:
    if not isinstance(value, list) or not value:
        raise ValueError("Give a list with at least one entry.")
    return [_id(one) for one in value]


def _id(one: object) -> int:
    if isinstance(one, bool) or not isinstance(one, int) or not 1 <= one <= MAX_ID:
        raise ValueError("Give ids, numbers from 1 on.")
    return one


def owners(value: Value, me: int) -> list[int]:
    """Ids of agents; ``"me"`` is who asks."""
    if not isinstance(value, list) or not value:
        raise ValueError("Give a list of people.")
    return [me if one == "me" else _id(one) for one in value]


def number(value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError("Give a number.")
    return value


def amount(value: object) -> int:
    whole = number(value)
    if not isinstance(whole, int):
        raise ValueError("Give an amount in fen, a whole number.")
    return whole


def pair(value: Value) -> tuple[object, object]:
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError("Give two values, from and to.")
    return value[0], value[1]


def flag(value: Value) -> bool:
    if not isinstance(value, bool):
        raise ValueError("Give true or false.")
    return value


def days(value: Value) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LONGEST_SPAN:
        raise ValueError(f"Give a number of days up to {LONGEST_SPAN}.")
    return value


def one_day(value: object) -> date:
    try:
        found = day(value) if isinstance(value, str) else None
    except Wrong as error:
        raise ValueError(error.en) from error
    if found is None or not 1900 <= found.year <= 2200:
        raise ValueError("Write a date such as 2026-03-01.")
    return found
