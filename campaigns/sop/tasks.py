"""Steps as tasks of the rep: in one statement for a batch, due until the end of the day, told by the reminders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from customers.owner_undo import write_shares
from customers.tasks.due import recompute_due
from customers.tasks.times import day_of, end_of_day
from scrm.services import Work

if TYPE_CHECKING:
    from campaigns.sop.steps import Doing

INSERT = """
insert into task (customer_id, agent_id, text, words, due_at, all_day, remind_before, remind_at, created_at, updated_at)
select w.customer_id, w.agent_id, w.text, w.words, $5, true, 0, $6, $6, $6
from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[]) with ordinality w (customer_id, agent_id, text, words, n) order by w.n
returning id
"""
BLIND = """
select u.id, u.readers, u.writers, w.agent_id from unnest($1::bigint[], $2::bigint[]) w (id, agent_id) join customer u on u.id = w.id
where u.owner_id is distinct from w.agent_id and not w.agent_id = any(u.readers || u.writers)
"""


async def give(work: Work, doing: Sequence[Doing], zone: ZoneInfo) -> None:
    """The caller holds the customers. Those without anybody who could do them are left out, with the reason."""
    for one in doing:
        if one.rep is None:
            one.state, one.reason = "skipped", "nobody"
    given = [(one, one.rep) for one in doing if one.rep is not None]
    if not given:
        return
    customers = [one.entry["customer_id"] for one, _ in given]
    reps = [rep.agent_id for _, rep in given]
    texts = [_text(one.step.title, one.step.text) for one, _ in given]
    due_at = end_of_day(day_of(work.now, zone), zone)
    rows = await work.tx.fetch(INSERT, customers, reps, texts, [one.words for one, _ in given], due_at, work.now)
    for (one, _), row in zip(given, rows, strict=True):
        one.task_id = row["id"]
    await recompute_due(work, customers)
    await _let_in(work, customers, reps)
    work.ring("task", *set(reps))


def _text(title: str, text: str) -> str:
    return f"{title}\n{text}" if text else title


async def _let_in(work: Work, customers: Sequence[int], reps: Sequence[int]) -> None:
    """Who has a task for a customer of somebody else, or of nobody, sees that customer."""
    after: dict[int, tuple[list[int], list[int]]] = {}
    by = 0
    for row in await work.tx.fetch(BLIND, list(customers), list(reps)):
        readers, writers = after.get(row["id"], (list(row["readers"]), list(row["writers"])))
        if row["agent_id"] not in readers:
            after[row["id"]] = ([*readers, row["agent_id"]], writers)
            by = row["agent_id"]
    if after:
        await write_shares(work, by, after)
