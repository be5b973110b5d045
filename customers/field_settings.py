"""Defining the fields of the company: names, kinds, choices, their order, which are required, which are put away."""

from __future__ import annotations

import secrets
from typing import Annotated, Any, Literal

from pydantic import Field as Of

from customers import field_values
from customers.fields import definitions
from scrm.errors import Conflict, NotFound, Unprocessable
from scrm.jobs import put
from scrm.permissions import Principal
from scrm.services import Work
from scrm.trail import record
from scrm.views import Input, Line, View

MOST = 100
MOST_CHOICES = 300
INDEX_FIELDS = "customers.index_fields"
"""The job that makes the indexes of fields which are compared."""
COMPARED = ("number", "money", "date")
Key = Annotated[str, Of(pattern=r"^[0-9a-z]{1,20}$")]
Kind = Literal["text", "number", "money", "date", "choice", "multi", "phone", "file"]

INSERT = """
insert into custom_field (key, name, kind, data, required, position, created_at)
values ($1, $2, $3, $4, $5, (select coalesce(max(position), -1) + 1 from custom_field), $6) on conflict do nothing returning id
"""
CHANGE = """
update custom_field set name = coalesce($2, name), required = coalesce($3, required), data = $4, archived_at = $5 where id = $1
"""
PLACE = """
update custom_field f set position = w.position from unnest($1::bigint[], $2::int[]) w (id, position)
where f.id = w.id and f.position <> w.position
"""


class ChoiceView(View):
    key: str
    name: str
    color: str
    archived: bool


class CustomFieldView(View):
    """``key`` names it in customers' ``fields`` and, as ``fields.<key>``, in filters and sorts."""

    id: int
    key: str
    name: str
    kind: Kind
    required: bool
    choices: list[ChoiceView]
    archived: bool


class FieldList(View):
    fields: list[CustomFieldView]


class ChoiceInput(Input):
    """Without ``key``: a new one. One that is left out is put away: customers who have it keep it."""

    key: Key | None = None
    name: Line
    color: Annotated[str, Of(max_length=20, pattern=r"^[a-z]*$")] = ""


class NewField(Input):
    name: Line
    kind: Kind
    required: bool = False
    choices: Annotated[list[ChoiceInput], Of(default_factory=list, max_length=MOST_CHOICES)]


class FieldInput(Input):
    """What is given is changed. ``position`` 0 is the first. The kind stays: values are of it."""

    name: Line | None = None
    required: bool | None = None
    choices: Annotated[list[ChoiceInput], Of(max_length=MOST_CHOICES)] | None = None
    position: Annotated[int, Of(ge=0, le=1000)] | None = None
    archived: bool | None = None


def field_view(field: field_values.Field) -> CustomFieldView:
    choices = [ChoiceView(key=c.key, name=c.name, color=c.color, archived=c.archived) for c in field.choices]
    return CustomFieldView(
        id=field.id,
        key=field.key,
        name=field.name,
        kind=field.kind,
        required=field.required,
        choices=choices,
        archived=field.archived,
    )


async def add_field(work: Work, principal: Principal, new: NewField, *, address: str) -> int:
    """Raises :class:`Conflict` (``name_taken``), :class:`Unprocessable`."""
    await _alone(work)
    if await work.tx.fetchval("select count(*) from custom_field where archived_at is null") >= MOST:
        raise Unprocessable(f"There are {MOST} fields already; put some away first.")
    data = {"choices": _choices(new.kind, new.choices, ())}
    made = await work.tx.fetchval(INSERT, f"f{secrets.token_hex(4)}", new.name, new.kind, data, new.required, work.now)
    if made is None:
        raise _taken()
    if new.kind in COMPARED:
        await put(work, INDEX_FIELDS, [f"{made}"], [{}])
    await _note(work, principal, "custom_field.added", made, address)
    return int(made)


async def change_field(work: Work, principal: Principal, field_id: int, change: FieldInput, *, address: str) -> None:
    """Raises :class:`NotFound`, :class:`Conflict` (``name_taken``), :class:`Unprocessable`."""
    await _alone(work)
    fields = await definitions(work.tx)
    held = next((field for field in fields if field.id == field_id), None)
    if held is None:
        raise NotFound("There is no such field.")
    archived = held.archived if change.archived is None else change.archived
    name = change.name or held.name
    if not archived and any(
        one.id != field_id and not one.archived and one.name.lower() == name.lower() for one in fields
    ):
        raise _taken()
    row = await work.tx.fetchrow("select data, archived_at from custom_field where id = $1", field_id)
    assert row is not None
    data = dict(row["data"])
    if change.choices is not None:
        data["choices"] = _choices(held.kind, change.choices, held.choices)
    when = (row["archived_at"] or work.now) if archived else None
    await work.tx.execute(CHANGE, field_id, change.name, change.required, data, when)
    if change.position is not None:
        order = [field.id for field in fields if field.id != field_id]
        order.insert(change.position, field_id)
        await work.tx.execute(PLACE, order, list(range(len(order))))
    await _note(work, principal, "custom_field.changed", field_id, address)


def _choices(kind: str, wanted: list[ChoiceInput], held: tuple[field_values.Choice, ...]) -> list[dict[str, Any]]:
    if kind not in ("choice", "multi"):
        if wanted:
            raise Unprocessable("This kind has no choices.", fields={"choices": "Leave them out."})
        return []
    known = {choice.key: choice for choice in held}
    if not wanted:
        raise Unprocessable("A choice needs something to choose from.", fields={"choices": "Name at least one."})
    if any(one.key is not None and one.key not in known for one in wanted):
        raise Unprocessable(
            "One of these choices does not exist.", fields={"choices": "Leave out the key of a new one."}
        )
    names = [one.name.casefold() for one in wanted]
    if len(set(names)) != len(names) or len({one.key for one in wanted if one.key}) != sum(1 for o in wanted if o.key):
        raise Unprocessable("Two choices have one name.", fields={"choices": "Give each its own name."})
    kept = [{"key": one.key or secrets.token_hex(4), "name": one.name, "color": one.color} for one in wanted]
    asked = {one["key"] for one in kept}
    gone = [
        {"key": one.key, "name": one.name, "color": one.color, "archived": True} for one in held if one.key not in asked
    ]
    return [*kept, *gone]


async def _alone(work: Work) -> None:
    """Changes of the list are rare: one after the other, so that names stay apart and positions without gaps."""
    await work.tx.execute("lock table custom_field in share row exclusive mode")


async def _note(work: Work, principal: Principal, action: str, field_id: int, address: str) -> None:
    await record(
        work, action, agent_id=principal.agent_id, object_kind="custom_field", object_id=field_id, address=address
    )


def _taken() -> Conflict:
    return Conflict(
        "There is a field of this name already.", code="name_taken", fields={"name": "Choose another name."}
    )
