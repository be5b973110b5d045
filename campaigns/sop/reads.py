"""Reads of plans, of what came of them, and of the people in them."""

from __future__ import annotations

from collections import Counter, defaultdict

from campaigns.sop.plans import Planned, of_versions
from campaigns.sop.shapes import SopPlan
from campaigns.sop.views import (
    CustomerEntry,
    CustomerSops,
    EntryPage,
    EntryQuery,
    EntryView,
    SopCounts,
    SopDetail,
    SopName,
    SopPage,
    SopQuery,
    SopView,
    StepDone,
    StepResult,
    VersionView,
)
from customers.cursors import after, cursor
from customers.queries import customer_row
from customers.scope import SEEN, CustomerScope, may_write
from scrm.db import Row, Tx
from scrm.errors import NotFound
from scrm.permissions import Principal

SOP = """
select s.*, v.data, m.name as created_name, c.entered, c.under_way, c.done, c.stopped
from sop s join sop_version v on v.sop_id = s.id and v.version = s.version left join agent m on m.id = s.created_by
cross join lateral (
  select count(*)::int as entered, count(*) filter (where state = 'under_way')::int as under_way,
    count(*) filter (where state = 'done')::int as done, count(*) filter (where state = 'stopped')::int as stopped
  from sop_entry where sop_id = s.id) c
where s.deleted_at is null
"""
PAGE = f"{SOP} and ($1::timestamptz is null or (s.created_at, s.id) < ($1, $2::bigint)) order by s.created_at desc, s.id desc limit $3"
ONE = f"{SOP} and s.id = $1"
STOPPED = "select reason, count(*)::int as n from sop_entry where sop_id = $1 and state = 'stopped' group by 1 order by 2 desc, 1"
STEPS = """
select s.n, s.state, s.reason, count(*)::int as number, count(s.replied_at)::int as replied,
  count(*) filter (where t.state = 'done')::int as tasks_done
from sop_step s left join task t on t.id = s.task_id where s.sop_id = $1 and s.version = $2 group by 1, 2, 3
"""
VERSIONS = """
select v.version, v.at, a.name as by_name, (
  select count(*)::int from sop_entry e where e.sop_id = v.sop_id and e.version = v.version and e.state = 'under_way') as under_way
from sop_version v left join agent a on a.id = v.by_id where v.sop_id = $1 order by v.version desc limit 20
"""
ENTRY = """
select e.*, s.name as sop_name, s.enabled, u.name as customer_name, u.avatar as customer_avatar
from sop_entry e join sop s on s.id = e.sop_id join customer u on u.id = e.customer_id
"""
PEOPLE = f"""
{ENTRY} where e.sop_id = $4 and ($5::bigint is null or e.id < $5) and ($6::text is null or e.state = $6) and ($7::text is null or e.reason = $7)
  and u.deleted_at is null and {SEEN} order by e.id desc limit $8
"""
OF_CUSTOMER = f"""
{ENTRY} where e.customer_id = $1 and s.deleted_at is null order by e.state = 'under_way' desc, e.id desc limit 20
"""
DONE = "select * from sop_step where entry_id = any($1::bigint[]) order by entry_id, n"
OFFERED = """
select s.id, s.name from sop s where s.enabled and s.deleted_at is null
  and not exists (select from sop_entry e where e.customer_id = $1 and e.open_sop = s.id) order by s.name, s.id
"""


async def page(tx: Tx, query: SopQuery) -> SopPage:
    at, last = after(query.cursor)
    rows = await tx.fetch(PAGE, at, last, query.limit + 1)
    shown = rows[: query.limit]
    more = cursor(shown[-1]["created_at"], shown[-1]["id"]) if len(rows) > query.limit else None
    return SopPage(sops=[_sop(row) for row in shown], next_cursor=more)


async def detail(tx: Tx, sop_id: int) -> SopDetail:
    row = await tx.fetchrow(ONE, sop_id)
    if row is None:
        raise NotFound("There is no such plan.")
    sop = _sop(row)
    return SopDetail(
        sop=sop,
        stopped={one["reason"]: one["n"] for one in await tx.fetch(STOPPED, sop_id)},
        steps=_results(len(sop.plan.steps), await tx.fetch(STEPS, sop_id, sop.version)),
        versions=[
            VersionView(version=one["version"], at=one["at"], by_name=one["by_name"] or "", under_way=one["under_way"])
            for one in await tx.fetch(VERSIONS, sop_id)
        ],
    )


async def people(tx: Tx, principal: Principal, sop_id: int, query: EntryQuery) -> EntryPage:
    """Those whom the asker sees."""
    if not await tx.fetchval("select true from sop where id = $1 and deleted_at is null", sop_id):
        raise NotFound("There is no such plan.")
    scope = CustomerScope.of(principal).arguments
    rows = await tx.fetch(PEOPLE, *scope, sop_id, query.before, query.state, query.reason, query.limit + 1)
    shown = rows[: query.limit]
    planned = await of_versions(tx, {(row["sop_id"], row["version"]) for row in shown})
    return EntryPage(
        entries=[_entry(row, planned.get((row["sop_id"], row["version"]))) for row in shown],
        next_before=shown[-1]["id"] if len(rows) > query.limit else None,
    )


async def of_customer(tx: Tx, principal: Principal, customer_id: int) -> CustomerSops:
    """Raises :class:`NotFound`, also for whom the asker may not see."""
    customer = await customer_row(tx, principal, customer_id)
    rows = await tx.fetch(OF_CUSTOMER, customer["id"])
    planned = await of_versions(tx, {(row["sop_id"], row["version"]) for row in rows})
    done: dict[int, list[StepDone]] = defaultdict(list)
    for row in await tx.fetch(DONE, [row["id"] for row in rows]):
        done[row["entry_id"]].append(StepDone(**{name: row[name] for name in StepDone.model_fields}))
    may = may_write(principal) and customer["may_change"] and customer["deleted_at"] is None
    return CustomerSops(
        entries=[
            CustomerEntry(entry=_entry(row, planned.get((row["sop_id"], row["version"]))), done=done[row["id"]])
            for row in rows
        ],
        offered=[SopName(**dict(row)) for row in await tx.fetch(OFFERED, customer["id"])] if may else [],
    )


def _sop(row: Row) -> SopView:
    return SopView(
        id=row["id"], name=row["name"], enabled=row["enabled"], enabled_at=row["enabled_at"],
        enrolling=row["enrol_at"] is not None, problem=row["problem"], version=row["version"],
        plan=SopPlan.model_validate(row["data"]), created_name=row["created_name"] or "", created_at=row["created_at"],
        updated_at=row["updated_at"], counts=SopCounts(**{name: row[name] for name in SopCounts.model_fields}),
    )  # fmt: skip


def _results(steps: int, rows: list[Row]) -> list[StepResult]:
    states: dict[int, Counter[str]] = defaultdict(Counter)
    reasons: dict[int, Counter[str]] = defaultdict(Counter)
    for row in rows:
        states[row["n"]].update(
            {row["state"]: row["number"], "replied": row["replied"], "tasks_done": row["tasks_done"]}
        )
        if row["reason"]:
            reasons[row["n"]][row["reason"]] += row["number"]
    return [
        StepResult(
            n=n, tasks=states[n]["task"], reasons=dict(reasons[n]),
            **{name: states[n][name] for name in ("tasks_done", "sending", "sent", "failed", "uncertain", "skipped", "replied")},
        )
        for n in range(steps)
    ]  # fmt: skip


def _entry(row: Row, planned: Planned | None) -> EntryView:
    steps = planned.plan.steps if planned is not None else ()
    open_ = row["state"] == "under_way" and row["next_step"] < len(steps)
    return EntryView(
        id=row["id"], sop_id=row["sop_id"], sop_name=row["sop_name"], customer_id=row["customer_id"],
        customer_name=row["customer_name"], customer_avatar=row["customer_avatar"], state=row["state"], reason=row["reason"],
        began_at=row["began_at"], ended_at=row["ended_at"], next_step=row["next_step"], steps=len(steps),
        next_title=steps[row["next_step"]].title if open_ else None, next_at=row["next_at"] if open_ else None,
        waits=row["state"] == "under_way" and not row["enabled"],
    )  # fmt: skip
