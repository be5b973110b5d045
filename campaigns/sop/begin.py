"""A plan begins for customers: one row each, whatever is told twice, whoever else begins it at the same moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from campaigns.sop.plans import Planned
from campaigns.sop.times import due
from customers.timeline import Line, tell
from scrm.services import Work

INSERT = """
insert into sop_entry (sop_id, version, customer_id, occasion, account_id, on_reply, began_at, next_at, by_id, created_at)
select $1, $2, w.customer_id, w.occasion, w.account_id, $3, w.began_at, w.next_at, $9, $10
from unnest($4::bigint[], $5::text[], $6::bigint[], $7::timestamptz[], $8::timestamptz[]) w (customer_id, occasion, account_id, began_at, next_at)
order by w.customer_id, w.began_at desc
on conflict do nothing returning id, customer_id
"""


@dataclass(frozen=True, slots=True)
class Beginning:
    """``occasion`` names what happened, among all that happen to this customer for this plan."""

    customer_id: int
    occasion: str
    began_at: datetime
    account_id: int | None = None


async def begin(
    work: Work, planned: Planned, found: Sequence[Beginning], zone: ZoneInfo, *, by_id: int | None = None
) -> list[int]:
    """The ids of the new entries: none for whom it began for this occasion before (with ``again`` off: ever), or is under way. Of several
    beginnings of one customer that are told at once the latest counts."""
    if not found:
        return []
    rows = await work.tx.fetch(
        INSERT, planned.id, planned.version, planned.plan.on_reply, [one.customer_id for one in found],
        [occasion(planned, one.occasion) for one in found], [one.account_id for one in found],
        [one.began_at for one in found], [due(planned.plan, 0, one.began_at, zone) for one in found], by_id, work.now,
    )  # fmt: skip
    await tell(
        work,
        [
            Line(row["customer_id"], "sop.began", agent_id=by_id, object_kind="sop", object_id=planned.id,
                 data={"sop": planned.named, "steps": len(planned.plan.steps)})
            for row in rows
        ],
    )  # fmt: skip
    if rows:
        work.ring("sop", planned.id)
    return [row["id"] for row in rows]


def occasion(planned: Planned, what: str) -> str:
    return f"{planned.id}:{what}" if planned.plan.again else f"{planned.id}:once"
