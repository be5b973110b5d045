"""One value for many customers: what was there before is kept, so that it can be put back exactly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from customers.fields import definitions, merged
from customers.scope import CHANGED, CustomerScope
from customers.timeline import Line, tell
from scrm.errors import Conflict, Unprocessable
from scrm.permissions import CUSTOMERS_WRITE, Principal
from scrm.services import Work
from scrm.undo import Kind, Step, Undone, remember
from scrm.views import Input, OptionalLine

UNDO = "customer.fields"
TEXTS = ("company", "city", "position", "source")

HELD = """
select id, company, city, position, source, value_fen, fields from customer where id = any($1::bigint[]) order by id for no key update
"""
WRITE = """
update customer u set company = w.company, city = w.city, position = w.position, source = w.source, value_fen = w.value_fen,
  fields = w.fields, version = u.version + 1, updated_at = $8
from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::jsonb[])
  w (id, company, city, position, source, value_fen, fields) where u.id = w.id
"""
MAY = f"select u.id from customer u where u.id = any($4::bigint[]) and u.deleted_at is null and {CHANGED}"  # noqa: S608
COLUMNS = (*TEXTS, "value_fen", "fields")


class Values(Input):
    """What is given is written; an empty text or null empties. ``fields``: the company's own, by key."""

    company: OptionalLine | None = None
    city: OptionalLine | None = None
    position: OptionalLine | None = None
    source: OptionalLine | None = None
    value_fen: Annotated[int, Field(ge=0, le=10**15)] | None = None
    fields: Annotated[dict[str, Any], Field(default_factory=dict, max_length=50)]


async def write(work: Work, principal: Principal, ids: Sequence[int], values: Values) -> tuple[int, Step | None]:
    """How many changed. Raises :class:`Unprocessable` for a value that does not fit its field."""
    fields = await definitions(work.tx)
    if any(field.kind == "file" and field.key in values.fields for field in fields):
        raise Unprocessable("Files are added to one customer at a time.", fields={"values": "Leave out files."})
    if not values.model_fields_set:
        raise Unprocessable("Nothing to write was given.", fields={"values": "Name a field."})
    wanted = {name: getattr(values, name) or "" for name in TEXTS if name in values.model_fields_set}
    if "value_fen" in values.model_fields_set:
        wanted["value_fen"] = values.value_fen
    merged(fields, values.fields)  # refused before anything is held
    before, after = [], []
    for row in await work.tx.fetch(HELD, list(ids)):
        was = dict(row)
        now = {**was, **wanted, "fields": merged(fields, values.fields, before=was["fields"])}
        if now != was:
            before.append(was)
            after.append(now)
    await _write(work, after)
    names = sorted({*wanted, *(f"fields.{key}" for key in values.fields)})
    await tell(
        work,
        [
            Line(one["id"], "customer.changed", agent_id=principal.agent_id, data={"fields": names, "bulk": True})
            for one in after
        ],
    )
    if not after:
        return 0, None
    step = await remember(work, principal, UNDO, {"before": before, "after": after}, count=len(after))
    return len(after), step


async def _write(work: Work, rows: Sequence[dict[str, Any]]) -> None:
    columns = [
        [row[name] for row in rows] for name in ("id", "company", "city", "position", "source", "value_fen", "fields")
    ]
    await work.tx.execute(WRITE, *columns, work.now)


async def restore(work: Work, principal: Principal, data: dict[str, Any]) -> Undone:
    """Each customer whose values are still what was written gets those from before."""
    left = {one["id"]: one for one in data["after"]}
    may = {row["id"] for row in await work.tx.fetch(MAY, *CustomerScope.of(principal).arguments, list(left))}
    held = {row["id"]: dict(row) for row in await work.tx.fetch(HELD, sorted(may))}
    back = [one for one in data["before"] if held.get(one["id"]) == left[one["id"]]]
    if not back:
        raise Conflict("Somebody changed these customers in the meantime.", code="changed_meanwhile")
    await _write(work, back)
    await tell(
        work,
        [
            Line(one["id"], "customer.changed", agent_id=principal.agent_id, data={"undone": True, "bulk": True})
            for one in back
        ],
    )
    return Undone(restored=len(back), skipped=len(left) - len(back))


def undo_kinds() -> dict[str, Kind]:
    return {UNDO: Kind(CUSTOMERS_WRITE, restore)}
