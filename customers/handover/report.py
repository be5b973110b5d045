"""What became of handovers: lists, counts, and each item with its state and reason."""

from __future__ import annotations

from collections.abc import Sequence

from customers.handover.shapes import (
    HandoverCount,
    HandoverItem,
    HandoverItemQuery,
    HandoverItems,
    HandoverList,
    HandoverQuery,
    HandoverView,
)
from scrm.db import Row, Tx
from scrm.errors import NotFound
from scrm.permissions import Principal
from scrm.views import sentence_view

# Who began it, who reaches everybody, and who reaches the person it was about.
REACHED = """
($1 or h.created_by = $2 or ($3::bigint[] is not null and h.from_agent_id in
  (select t.agent_id from team_member t where t.team_id = any($3))))
"""
LIST = f"""
select h.* from handover h where {REACHED} and ($4::bigint is null or h.id < $4) order by h.id desc limit $5
"""  # noqa: S608 - made of constants
ONE = f"select h.* from handover h where {REACHED} and h.id = $4"  # noqa: S608
COUNTS = """
select handover_id, kind, state, count(*) as count from handover_item where handover_id = any($1::bigint[])
group by 1, 2, 3 order by 2, 3
"""
NOT_MOVED = ("changed", "uncertain", "refused", "taker_full", "failed")
ITEMS = """
select i.id, i.kind, i.object_id, i.customer_id, i.to_agent_id, i.state, i.code, i.reason, i.tries, i.effective_at, i.updated_at,
  coalesce(u.name, g.name, '') as title
from handover_item i left join customer u on u.id = i.customer_id left join group_chat g on i.kind = 'group' and g.id = i.object_id
where i.handover_id = $1 and i.id > $2 and ($3::text is null or i.kind = $3) and ($4::text is null or i.state = $4)
  and (not $5 or i.state = any($6::text[])) order by i.id limit $7
"""


def arguments(principal: Principal) -> tuple[bool, int, list[int] | None]:
    teams = list(principal.team_ids) if principal.reach == "team" else None
    return principal.reach == "all", principal.agent_id, teams


async def handovers(tx: Tx, principal: Principal, query: HandoverQuery) -> HandoverList:
    rows = await tx.fetch(LIST, *arguments(principal), query.before, query.limit + 1)
    shown = rows[: query.limit]
    more = len(rows) > query.limit
    return HandoverList(handovers=await _views(tx, shown), next_before=shown[-1]["id"] if more else None)


async def one_handover(tx: Tx, principal: Principal, handover_id: int) -> HandoverView:
    """Raises :class:`NotFound`."""
    return (await _views(tx, [await handover_row(tx, principal, handover_id)]))[0]


async def handover_row(tx: Tx, principal: Principal, handover_id: int, *, lock: bool = False) -> Row:
    """Raises :class:`NotFound`."""
    row = await tx.fetchrow(ONE + (" for update" if lock else ""), *arguments(principal), handover_id)
    if row is None:
        raise NotFound("There is no such handover.")
    return row


async def items(tx: Tx, handover_id: int, query: HandoverItemQuery) -> HandoverItems:
    rows = await tx.fetch(
        ITEMS, handover_id, query.after, query.kind, query.state, query.open, list(NOT_MOVED), query.limit + 1
    )
    shown = rows[: query.limit]
    views = [
        HandoverItem(
            **{name: value for name, value in row.items() if name != "reason"},
            reason=sentence_view(row["reason"], row["code"]),
        )
        for row in shown
    ]
    return HandoverItems(items=views, next_after=shown[-1]["id"] if len(rows) > query.limit else None)


async def _views(tx: Tx, rows: Sequence[Row]) -> list[HandoverView]:
    counted: dict[int, list[HandoverCount]] = {row["id"]: [] for row in rows}
    for one in await tx.fetch(COUNTS, list(counted)):
        counted[one["handover_id"]].append(HandoverCount(kind=one["kind"], state=one["state"], count=one["count"]))
    same = (
        "id", "kind", "state", "from_agent_id", "account_id", "to_account_id", "disabled_at", "created_by", "created_at",
        "finished_at",
    )  # fmt: skip
    return [
        HandoverView(
            **{name: row[name] for name in same},
            taker_ids=list(row["takers"]),
            reason=row["data"].get("reason", ""),
            disable=bool(row["data"].get("disable")),
            counts=counted[row["id"]],
        )
        for row in rows
    ]
