"""What people do with a moment that is under way: remind those who did not publish it, take it back, ask the platform again."""

from __future__ import annotations

from campaigns.life.ending import run_reopened
from campaigns.moments.views import OFTEN, found_run
from scrm.errors import Conflict, NotFound
from scrm.notices import notify
from scrm.permissions import Principal
from scrm.services import Work
from scrm.trail import record
from scrm.views import View

WAITING = """
select p.id, i.agent_id from moment_post p join moment_task t on t.id = p.task_id join account a on a.id = p.account_id
left join lateral (select i.agent_id from agent_identity i join agent g on g.id = i.agent_id and g.disabled_at is null
  where i.connection_id = a.connection_id and i.external_id = a.external_id) i on true
where p.run_id = $1 and p.state = 'asked' and t.state = 'open' and (p.reminded_at is null or p.reminded_at < $2)
order by p.id for update of p
"""
REMINDED = "update moment_post set reminders = reminders + 1, reminded_at = $2 where id = any($1::bigint[])"
ENDING = "update moment_task set ending_at = $2, look_at = $2 where run_id = $1 and state = 'open' and ending_at is null returning id"
DROPPED = """
with gone as (
  update moment_task set state = 'cancelled', finished_at = $2 where run_id = $1 and state = 'queued' returning id
), posts as (
  update moment_post p set state = 'withdrawn' from gone g where p.task_id = g.id and p.state = 'planned'
)
select id from gone
"""
TASK = """
select t.*, r.state as run_state from moment_task t join campaign_run r on r.id = t.run_id join campaign c on c.id = t.campaign_id
where t.id = $1 and c.deleted_at is null
"""
LOCK_RUN = "select state from campaign_run where id = $1 for no key update"
AGAIN = """
update moment_task set state = 'queued', due_at = $2, reason = null, job_id = null, called_at = null, finished_at = null
where id = $1 and state in ('failed', 'uncertain') returning run_id
"""
POSTS_AGAIN = "update moment_post set state = 'planned' where task_id = $1 and state in ('failed', 'uncertain')"
REOPEN = "update campaign_run set state = 'running', finished_at = null where id = $1 and state in ('running', 'done') returning id"


class MomentReminded(View):
    """``members``: who were told, in their notices and, where they are linked, in their own app. ``unlinked``: who have no login here, so
    that they cannot be told."""

    members: int
    unlinked: int


async def remind(work: Work, principal: Principal, run_id: int, *, address: str) -> MomentReminded:
    """Members who may publish it and did not, each once an hour at most. Raises :class:`Conflict` when there is nobody."""
    run = await found_run(work.tx, run_id)
    rows = await work.tx.fetch(WAITING, run_id, work.now - OFTEN)
    if not rows:
        raise Conflict("Everybody has published it, or was reminded within the hour.", code="nobody_to_remind")
    linked = [row for row in rows if row["agent_id"] is not None]
    data = {"campaign_id": run["campaign_id"], "run_id": run_id, "name": run["name"]}
    people = {row["agent_id"] for row in linked}
    key = f"moment:{run_id}:remind:{work.now.isoformat()}"
    await notify(work, people, "moment_reminder", key, by=principal.agent_id, data=data)
    await work.tx.execute(REMINDED, [row["id"] for row in linked], work.now)
    await _note(work, principal, "moment.reminded", run["campaign_id"], address, run_id=run_id, members=len(linked))
    work.ring("campaign", run["campaign_id"])
    return MomentReminded(members=len(linked), unlinked=len(rows) - len(linked))


async def withdraw(work: Work, principal: Principal, run_id: int, *, address: str) -> None:
    """From members who did not publish it yet; what is published stays. Raises :class:`Conflict` when nobody is asked any more."""
    run = await found_run(work.tx, run_id)
    open_ones = await work.tx.fetch(ENDING, run_id, work.now)
    queued = await work.tx.fetch(DROPPED, run_id, work.now)
    if not open_ones and not queued:
        raise Conflict(
            "Nobody is asked to publish it any more, or the platform is still making it.", code="wrong_state"
        )
    await _note(work, principal, "moment.withdrawn", run["campaign_id"], address, run_id=run_id)
    work.ring("moment", run_id)
    work.ring("campaign", run["campaign_id"])


async def again(work: Work, principal: Principal, task_id: int, *, address: str) -> int:
    """Asks the platform once more for one that it refused, or of which nobody knows. A person decides that, who has looked at the
    platform: nothing else calls a second time. Returns the run. Raises :class:`NotFound`, :class:`Conflict`."""
    task = await work.tx.fetchrow(TASK, task_id)
    if task is None:
        raise NotFound("There is no such task.")
    await work.tx.fetchval(LOCK_RUN, task["run_id"])
    if await work.tx.fetchval(REOPEN, task["run_id"]) is None:
        raise Conflict("This run was cancelled.", code="wrong_state")
    if await work.tx.fetchval(AGAIN, task_id, work.now) is None:
        raise Conflict("The platform has it, or it is on its way.", code="wrong_state")
    await work.tx.execute(POSTS_AGAIN, task_id)
    await run_reopened(work, task["campaign_id"])
    await _note(work, principal, "moment.retried", task["campaign_id"], address, run_id=task["run_id"], task_id=task_id)
    work.ring("moment", task["run_id"])
    return int(task["run_id"])


async def _note(work: Work, principal: Principal, action: str, campaign_id: int, address: str, **detail: int) -> None:
    await record(
        work, action, agent_id=principal.agent_id, object_kind="campaign", object_id=campaign_id, address=address, detail=detail,
    )  # fmt: skip
