"""Reads: what a merge would do, and what was merged and split."""

from __future__ import annotations

from collections.abc import Sequence

from customers.field_values import shown
from customers.fields import definitions
from customers.identity.columns import CHOSEN
from customers.identity.views import Holdings, MergeEntry, MergeLog, MergePreview, OtherView, SideView
from customers.queries import customer_row, row_to_change
from scrm.db import Row, Tx
from scrm.errors import Conflict
from scrm.masking import masked
from scrm.permissions import CUSTOMERS_PHONE, Principal

HOLDINGS = """
select w.id,
  (select count(*) from contact t where t.customer_id = w.id) as contacts,
  (select count(*) from contact t join conversation c on c.contact_id = t.id where t.customer_id = w.id) as conversations,
  (select count(*) from follow_up t where t.customer_id = w.id and t.deleted_at is null) as follow_ups,
  (select count(*) from task t where t.customer_id = w.id and t.state = 'open') as tasks,
  (select count(*) from phone_number t where t.customer_id = w.id) as phones,
  (select count(*) from customer_file t where t.customer_id = w.id and t.deleted_at is null) as files
from unnest($1::bigint[]) w (id)
"""
LOG = """
select m.id, m.kind, m.into_id, m.from_ids, m.by_id, m.reason, m.at, m.undone_at, m.undone_by,
  (select jsonb_object_agg(t.key, t.n) from (
    select o.key, sum(jsonb_array_length(o.value)) as n from jsonb_each(m.data->'moved') s, jsonb_each(s.value) o group by 1) t) as moved,
  not exists (select from customer_merge l where l.id > m.id and l.undone_at is null and (l.kind <> 'joined' or m.kind = 'split')
    and (l.into_id = any(m.from_ids || m.into_id) or l.from_ids && (m.from_ids || m.into_id))) as newest
from customer_merge m where m.into_id = $1 or m.from_ids @> array[$1::bigint] order by m.id desc limit 100
"""
NAMES = "select id, name from customer where id = any($1::bigint[])"
FORMER = "select id, name from customer where merged_into = $1 order by id desc limit 100"


async def preview(tx: Tx, principal: Principal, ids: Sequence[int]) -> MergePreview:
    """Raises :class:`NotFound` and :class:`Forbidden` for what the asker may not change."""
    rows = {row["id"]: row for row in [await row_to_change(tx, principal, one) for one in ids]}
    if len(rows) < 2:
        raise Conflict("These are one customer already.", code="one_already")
    held = {row["id"]: row for row in await tx.fetch(HOLDINGS, list(rows))}
    fields = await definitions(tx)
    phones = principal.may(CUSTOMERS_PHONE)
    first = min(rows.values(), key=lambda row: (row["owner_id"] is None, row["created_at"], row["id"]))
    return MergePreview(
        into=first["id"],
        sides=[
            SideView(
                id=row["id"],
                name=row["name"],
                avatar=row["avatar"],
                created_at=row["created_at"],
                owner_id=row["owner_id"],
                values={name: masked(row[name]) if name == "phone" and not phones else row[name] for name in CHOSEN},
                fields=shown(fields, row["fields"], phones=phones),
                holdings=_holdings(held[row["id"]]),
            )
            for row in rows.values()
        ],
    )


def _holdings(row: Row) -> Holdings:
    return Holdings(**{name: row[name] for name in Holdings.model_fields})


async def merge_log(tx: Tx, principal: Principal, customer_id: int) -> MergeLog:
    customer = await customer_row(tx, principal, customer_id)
    rows = await tx.fetch(LOG, customer["id"])
    former = await tx.fetch(FORMER, customer["id"])
    wanted = {one for row in rows for one in (row["into_id"], *row["from_ids"])}
    names = {row["id"]: row["name"] for row in await tx.fetch(NAMES, sorted(wanted))}
    return MergeLog(
        entries=[_entry(row, customer["id"], names) for row in rows],
        former=[OtherView(id=row["id"], name=row["name"]) for row in former],
    )


def _entry(row: Row, customer_id: int, names: dict[int, str]) -> MergeEntry:
    others = [one for one in (row["into_id"], *row["from_ids"]) if one != customer_id]
    return MergeEntry(
        id=row["id"], kind=row["kind"], into_id=row["into_id"], others=[OtherView(id=one, name=names.get(one, "")) for one in others],
        by_id=row["by_id"], reason=row["reason"], at=row["at"], undone_at=row["undone_at"], undone_by=row["undone_by"],
        may_undo=row["undone_at"] is None and row["newest"],
        moved={table: int(n) for table, n in (row["moved"] or {}).items() if "." not in table},
    )  # fmt: skip
