"""Our side of handovers: a batch a round, each in one unit of work with the items that it moves, so that whatever process dies
everything is moved once. When nothing is left, who leaves is looked at once more (something may have come meanwhile) and locked out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from customers.handover.begin import source_of, write_items
from customers.handover.parts import Move, Mover, Moving
from customers.handover.plan import plan
from customers.handover.shapes import HandoverPlan
from scrm.db import Row
from scrm.errors import ApiError
from scrm.notices import notify
from scrm.people import set_disabled
from scrm.services import Services, Work

BATCH = 100
NEXT = """
select * from handover where state in ('moving', 'returning') order by id limit 1 for update skip locked
"""
ITEMS = """
select id, kind, object_id, customer_id, from_agent_id, to_agent_id from handover_item
where handover_id = $1 and connection_id is null and state = $2 and kind = $3 order by id limit $4
"""
AFTER = "update handover_item set state = case when id = any($2::bigint[]) then $3 else $4 end, updated_at = $5 where id = any($1::bigint[])"
OPEN = """
select exists (select from handover_item where handover_id = $1 and state in ('queued', 'asking', 'uncertain', 'waiting'))
"""
FINISH = """
update handover set state = $2, finished_at = case when $2 in ('done', 'returned') then $3::timestamptz end, updated_at = $3
where id = $1
"""
GIVEN = """
select to_agent_id, kind, count(*) as n from handover_item where handover_id = $1 and state = 'moved' group by 1, 2
"""


class HandingOver:
    def __init__(self, services: Services, movers: Sequence[Mover]) -> None:
        self._services = services
        self._movers = {mover.kind: mover for mover in movers}

    async def round(self) -> bool:
        """Moves one batch of one handover. False: there is nothing to move."""
        async with self._services.work() as work:
            row = await work.tx.fetchrow(NEXT)
            if row is None:
                return False
            back = row["state"] == "returning"
            if not await self._move(work, row, back=back):
                await self._finish(work, row, back=back)
            work.ring("handover", row["id"])
        return True

    async def _move(self, work: Work, row: Row, *, back: bool) -> bool:
        state = "moved" if back else "queued"
        for kind, mover in self._movers.items():
            items = await work.tx.fetch(ITEMS, row["id"], state, kind, BATCH)
            if not items:
                continue
            things = [_moving(one, back=back) for one in items]
            how = Move(
                row["id"],
                row["created_by"],
                row["data"].get("reason", ""),
                back,
                row["account_id"],
                row["to_account_id"],
            )
            moved = await mover.move(work, things, how)
            ids, then = [one.item_id for one in things], "returned" if back else "moved"
            await work.tx.execute(AFTER, ids, sorted(moved), then, "changed", work.now)
            return True
        return False

    async def _finish(self, work: Work, row: Row, *, back: bool) -> None:
        if back:
            await work.tx.execute(FINISH, row["id"], "returned", work.now)
            return
        if row["kind"] == "leaving":
            if await self._came_meanwhile(work, row):
                return
            await self._lock_out(work, row)
        waits = await work.tx.fetchval(OPEN, row["id"])
        await work.tx.execute(FINISH, row["id"], "waiting" if waits else "done", work.now)
        await _tell_takers(work, row)

    async def _came_meanwhile(self, work: Work, row: Row) -> bool:
        body = HandoverPlan.model_validate({key: value for key, value in row["data"].items() if key != "kinds"})
        movers = [mover for kind, mover in self._movers.items() if kind in row["data"]["kinds"]]
        planned = await plan(work.tx, self._services.connections, movers, await source_of(work.tx, body), row["takers"])
        if not body.on_platform:
            planned = [one for one in planned if one.there is None]
        return await write_items(work, row["id"], planned) > 0

    async def _lock_out(self, work: Work, row: Row) -> None:
        if not row["data"].get("disable") or row["disabled_at"] is not None:
            return
        try:
            async with work.tx.transaction():
                await set_disabled(work, row["from_agent_id"], True, by=row["created_by"])
        except ApiError:
            return  # The only administrator stays; the page shows that they are not locked out.
        await work.tx.execute("update handover set disabled_at = $2 where id = $1", row["id"], work.now)


def _moving(item: Row, *, back: bool) -> Moving:
    ends = (item["from_agent_id"], item["to_agent_id"])
    from_id, to_id = ends[::-1] if back else ends
    return Moving(item["id"], item["object_id"], item["customer_id"], from_id, to_id)


async def _tell_takers(work: Work, row: Row) -> None:
    """Each taker hears once of everything."""
    got: dict[int, dict[str, int]] = defaultdict(dict)
    for one in await work.tx.fetch(GIVEN, row["id"]):
        if one["to_agent_id"] is not None:
            got[one["to_agent_id"]][one["kind"]] = one["n"]
    for agent_id, counts in got.items():
        data: Mapping[str, object] = {**counts, "count": sum(counts.values()), "from": row["from_agent_id"]}
        await notify(
            work, [agent_id], "handed_over", f"handed_over:{row['id']}", by=row["created_by"], data=data
        )  # fmt: skip
