"""What became of the messages of steps: read back from the conversation. One that failed becomes a task for the rep, where the step says so."""

from __future__ import annotations

from collections.abc import Sequence

from campaigns.sop.plans import of_versions
from campaigns.sop.steps import Doing
from campaigns.sop.tasks import give
from campaigns.sop.whom import whom
from scrm.company import FACTS
from scrm.db import RETRYABLE, Row
from scrm.services import Services, Work

BATCH = 500
CLAIM = """
select s.id as step_id, s.n as next_step, e.id, e.sop_id, e.version, e.customer_id, m.state, coalesce(m.reason ->> 'code', 'refused') as reason
from sop_step s join sop_entry e on e.id = s.entry_id join customer u on u.id = s.customer_id
join message m on m.conversation_id = s.conversation_id and m.client_token = 'sop:' || s.entry_id || ':' || s.n || '-0'
where s.state = 'sending' and m.state in ('sent', 'failed', 'uncertain') order by s.id limit $1 for update of s, u skip locked
"""
SETTLED = """
update sop_step s set state = w.state, reason = w.reason, task_id = w.task_id, agent_id = coalesce(w.agent_id, s.agent_id)
from unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::bigint[]) w (id, state, reason, task_id, agent_id) where s.id = w.id
"""


async def settle(services: Services) -> bool:
    """True: there may be more."""
    try:
        async with services.work() as work:
            rows = await work.tx.fetch(CLAIM, BATCH)
            if rows:
                failed = await _to_do_by_hand(work, [row for row in rows if row["state"] == "failed"])
                await _write(work, rows, failed)
    except RETRYABLE:
        return True
    return len(rows) == BATCH


async def _to_do_by_hand(work: Work, rows: Sequence[Row]) -> dict[int, Doing]:
    planned = await of_versions(work.tx, {(row["sop_id"], row["version"]) for row in rows})
    doing = {}
    for row in rows:
        plan = planned.get((row["sop_id"], row["version"]))
        if plan is not None and plan.plan.steps[row["next_step"]].otherwise == "task":
            doing[row["step_id"]] = Doing(row, plan, plan.plan.steps[row["next_step"]], state="task")
    facts = await FACTS.load(work.tx)
    await whom(work, list(doing.values()), facts)
    await give(work, list(doing.values()), facts.clock)
    return doing


async def _write(work: Work, rows: Sequence[Row], by_hand: dict[int, Doing]) -> None:
    said = []
    for row in rows:
        one = by_hand.get(row["step_id"])
        task_id = one.task_id if one is not None else None
        agent_id = one.rep.agent_id if one is not None and one.rep is not None else None
        said.append(
            (row["step_id"], "task" if task_id is not None else row["state"], "" if row["state"] == "sent" else row["reason"], task_id, agent_id)
        )  # fmt: skip
    await work.tx.execute(SETTLED, *[list(column) for column in zip(*said, strict=True)])
    work.ring("sop", *{row["sop_id"] for row in rows})
