"""A filter as it is written, stored and sent: groups of conditions, within limits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from scrm.errors import Unprocessable
from scrm.views import MAX_ID, Input

DEEPEST = 4
MOST = 60
"""Conditions of one filter."""

Op = Literal[
    "is", "is_not", "contains", "not_contains", "in", "not_in", "any", "all", "none", "empty", "filled",
    "at_least", "at_most", "between", "before", "after", "period", "last_days", "not_last_days", "next_days", "overdue", "due",
    "ends",
]  # fmt: skip
Text = Annotated[str, Field(max_length=200)]
Number = Annotated[int, Field(ge=-MAX_ID, le=MAX_ID)] | Annotated[float, Field(ge=-1e16, le=1e16)]
Value = bool | Number | Text | Annotated[list[Number | Text], Field(max_length=500)] | None


class Condition(Input):
    """``field``: one of the customer's own, or ``fields.<key>`` for a custom one. ``value`` is what ``op`` asks for."""

    field: Annotated[str, Field(max_length=40, pattern=r"^[a-z_]+(\.f[0-9a-z]{1,20})?$")]
    op: Op
    value: Value = None


class Group(Input):
    """``all`` of its parts, ``any`` of them, or ``none``. Without parts: everybody."""

    match: Literal["all", "any", "none"] = "all"
    parts: Annotated[list[Condition | Group], Field(default_factory=list, max_length=MOST)]


EVERYBODY = Group(parts=[])


def check_size(tree: Group) -> None:
    """Raises :class:`Unprocessable` for a filter that is too large or too deep."""
    conditions = 0
    for depth, part in _walk(tree, 1):
        if depth > DEEPEST:
            raise Unprocessable(
                "This filter is nested too deeply.", fields={"filter": f"At most {DEEPEST} groups inside each other."}
            )
        conditions += isinstance(part, Condition)
    if conditions > MOST:
        raise Unprocessable("This filter is too large.", fields={"filter": f"At most {MOST} conditions."})


def _walk(group: Group, depth: int) -> Iterator[tuple[int, Condition | Group]]:
    yield depth, group
    if depth > DEEPEST:
        return
    for part in group.parts:
        if isinstance(part, Group):
            yield from _walk(part, depth + 1)
        else:
            yield depth, part
