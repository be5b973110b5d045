"""Customers and tasks, as things that are handed over."""

from __future__ import annotations

from collections.abc import Sequence

from customers.handover.parts import Found, Move, Moving, OwnKind, Source
from customers.owning import LOCK, OwnerKind, give_each
from customers.timeline import Line, tell
from scrm.db import Tx
from scrm.permissions import CUSTOMERS_ASSIGN
from scrm.services import Work

OF_AGENT = """
select u.id, u.owner_id, null::bigint as keep from customer u
where u.owner_id = $1 and u.deleted_at is null and u.merged_into is null and ($2::bigint[] is null or u.id = any($2)) order by u.id
"""
# Of an account: everybody it talks to, or has on its list.
OF_ACCOUNT = """
select u.id, u.owner_id, case when $2 and a.id is not null then u.owner_id end as keep
from customer u left join agent a on a.id = u.owner_id and a.disabled_at is null
where u.deleted_at is null and u.merged_into is null and u.id in (
  select k.customer_id from conversation c join contact k on k.id = c.contact_id where c.account_id = $1
  union select k.customer_id from contact_link l join contact k on k.id = l.contact_id where l.account_id = $1)
order by u.id
"""
TASKS = """
select id, customer_id, agent_id from task where agent_id = $1 and state = 'open' and ($2::bigint[] is null or customer_id = any($2))
order by id
"""
GIVE_TASKS = """
update task t set agent_id = w.to_id, updated_at = $4, version = t.version + 1
from unnest($1::bigint[], $2::bigint[], $3::bigint[]) w (id, from_id, to_id)
where t.id = w.id and t.agent_id = w.from_id and t.state = 'open' returning t.id
"""


class CustomerMover:
    kind: OwnKind = "customer"
    permission = CUSTOMERS_ASSIGN

    async def find(self, tx: Tx, source: Source) -> Sequence[Found]:
        if source.kind == "account":
            rows = await tx.fetch(OF_ACCOUNT, source.account_id, source.keep_owners)
        else:
            rows = await tx.fetch(OF_AGENT, source.agent_id, source.customer_ids)
        return [Found(row["id"], row["id"], row["owner_id"], row["keep"]) for row in rows]

    async def move(self, work: Work, things: Sequence[Moving], how: Move) -> set[int]:
        rows = await work.tx.fetch(LOCK, sorted(one.object_id for one in things))
        owner = {row["id"]: row["owner_id"] for row in rows}
        still = [one for one in things if one.object_id in owner and owner[one.object_id] == one.from_id]
        kind: OwnerKind = "undone" if how.back else "handed_over"
        await give_each(
            work, {one.object_id: one.to_id for one in still if one.from_id != one.to_id}, kind, how.by_id, how.reason,
            tell_owner=False,
        )  # fmt: skip
        if how.to_account_id is not None and not how.back:
            data = {"from": how.account_id, "to": how.to_account_id}
            await tell(
                work,
                [
                    Line(one.object_id, "account.replaced", agent_id=how.by_id, account_id=how.to_account_id, data=data)
                    for one in still
                ],
            )
        return {one.item_id for one in still}


class TaskMover:
    kind: OwnKind = "task"
    permission = CUSTOMERS_ASSIGN

    async def find(self, tx: Tx, source: Source) -> Sequence[Found]:
        """Of an account there are none: tasks belong to people."""
        if source.kind == "account":
            return []
        rows = await tx.fetch(TASKS, source.agent_id, source.customer_ids)
        return [Found(row["id"], row["customer_id"], row["agent_id"]) for row in rows]

    async def move(self, work: Work, things: Sequence[Moving], how: Move) -> set[int]:
        rows = await work.tx.fetch(
            GIVE_TASKS, [one.object_id for one in things], [one.from_id for one in things],
            [one.to_id for one in things], work.now,
        )  # fmt: skip
        done = {row["id"] for row in rows}
        moved = [one for one in things if one.object_id in done]
        work.ring("task", *{agent for one in moved for agent in (one.from_id, one.to_id) if agent is not None})
        work.ring("customer", *{one.customer_id for one in moved if one.customer_id is not None})
        return {one.item_id for one in moved}
