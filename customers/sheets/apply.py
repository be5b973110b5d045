"""Doing what was planned for a chunk: a handful of statements, however many rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from customers.owning import give
from customers.phones import Number, note_phones
from customers.sheets.plan import Wanted
from customers.stages import move
from customers.tags import change_tags
from customers.timeline import Line, tell
from scrm.permissions import Principal
from scrm.services import Work

TEXTS = ("name", "company", "position", "city", "email", "address", "gender", "source", "remark")

IDS = "select nextval(pg_get_serial_sequence('customer', 'id')) as id from generate_series(1, $1::int)"
INSERT = """
insert into customer (id, phone, value_fen, fields, name, company, position, city, email, address, gender, source, remark,
  created_by, created_at, updated_at)
overriding system value
select w.*, $14, $15, $15 from unnest($1::bigint[], $2::text[], $3::bigint[], $4::jsonb[], $5::text[], $6::text[], $7::text[], $8::text[],
  $9::text[], $10::text[], $11::text[], $12::text[], $13::text[]) w
"""
UPDATE = """
update customer u set phone = case when u.phone = '' then w.phone else u.phone end, value_fen = coalesce(w.value_fen, u.value_fen),
  fields = u.fields || w.fields, name = coalesce(nullif(w.name, ''), u.name), company = coalesce(nullif(w.company, ''), u.company),
  position = coalesce(nullif(w.position, ''), u.position), city = coalesce(nullif(w.city, ''), u.city),
  email = coalesce(nullif(w.email, ''), u.email), address = coalesce(nullif(w.address, ''), u.address),
  gender = coalesce(nullif(w.gender, ''), u.gender), source = coalesce(nullif(w.source, ''), u.source),
  remark = coalesce(nullif(w.remark, ''), u.remark), version = u.version + 1, updated_at = $14
from unnest($1::bigint[], $2::text[], $3::bigint[], $4::jsonb[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
  $11::text[], $12::text[], $13::text[])
  w (id, phone, value_fen, fields, name, company, position, city, email, address, gender, source, remark) where u.id = w.id
"""


async def apply(work: Work, principal: Principal, import_id: int, rows: Sequence[Wanted]) -> None:
    """New customers get the owner of their row; of those who were there only what the sheet says is written, and their owner stays."""
    new = [one for one in rows if one.outcome == "created"]
    old = sorted((one for one in rows if one.outcome == "updated"), key=lambda one: one.customer_id or 0)
    for one, row in zip(new, await work.tx.fetch(IDS, len(new)), strict=True):
        one.customer_id = row["id"]
    if new:
        await work.tx.execute(INSERT, *_columns(new), principal.agent_id, work.now)
    if old:
        await work.tx.execute(UPDATE, *_columns(old), work.now)
    everybody = [*new, *old]
    await note_phones(work, [Number(_id(one), one.phone, "import") for one in everybody if one.phone])
    await tell(
        work,
        [
            Line(_id(one), "customer.imported", agent_id=principal.agent_id, object_kind="import", object_id=import_id,
                 data={"created": one.outcome == "created"})
            for one in everybody
        ],
    )  # fmt: skip
    for owner, ids in _alike(new, lambda one: one.owner_id).items():
        await give(work, ids, owner, "imported", principal.agent_id, tell_owner=False)
    for stage, ids in _alike(everybody, lambda one: one.stage_id).items():
        await move(work, principal, ids, stage, "import")
    for tags, ids in _alike(everybody, lambda one: tuple(sorted(set(one.tags))) or None).items():
        await change_tags(work, principal.agent_id, ids, list(tags), [])


def _columns(rows: Sequence[Wanted]) -> list[list[Any]]:
    return [
        [one.customer_id for one in rows],
        [one.phone for one in rows],
        [one.values.get("value_fen") for one in rows],
        [one.fields for one in rows],
        *([one.values.get(name, "") for one in rows] for name in TEXTS),
    ]


def _id(one: Wanted) -> int:
    assert one.customer_id is not None
    return one.customer_id


def _alike(rows: Sequence[Wanted], of: Any) -> dict[Any, list[int]]:
    found: dict[Any, list[int]] = defaultdict(list)
    for one in rows:
        if of(one) is not None:
            found[of(one)].append(_id(one))
    return found
