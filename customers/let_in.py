"""Colleagues who are told of a customer can read it: those who would not see it are let in."""

from __future__ import annotations

from collections.abc import Iterable

from customers.owner_undo import write_shares
from customers.scope import SEEN, CustomerScope
from scrm.auth import principal_of
from scrm.errors import Unprocessable
from scrm.permissions import CUSTOMERS_READ, Principal
from scrm.services import Work
from scrm.sessions import WHO

ACTIVE = f"""
select {WHO} from agent a join role r on r.key = a.role where a.id = any($1::bigint[]) and a.disabled_at is null
"""  # noqa: S608 - made of constants
SEES = f"select exists (select from customer u where u.id = $4 and {SEEN})"  # noqa: S608 - made of constants
SHARED = "select readers, writers from customer where id = $1 for update"


async def colleagues(work: Work, agent_ids: Iterable[int]) -> dict[int, Principal]:
    """Those of them who work here now, by id."""
    wanted = sorted(set(agent_ids))
    if not wanted:
        return {}
    return {row["agent_id"]: principal_of(row) for row in await work.tx.fetch(ACTIVE, wanted)}


async def readers(work: Work, agent_ids: Iterable[int], field: str) -> dict[int, Principal]:
    """Raises :class:`Unprocessable` naming ``field`` when one of them has no part in customers."""
    wanted = set(agent_ids)
    found = await colleagues(work, wanted)
    if any(one not in found or not found[one].may(CUSTOMERS_READ) for one in wanted):
        raise Unprocessable(
            "One of these people does not work with customers.", fields={field: "Choose active colleagues."}
        )
    return found


async def let_in(work: Work, customer_id: int, people: Iterable[Principal], *, by_id: int) -> list[int]:
    """Shares the customer for reading with those of ``people`` who do not see it; returns their ids."""
    blind = [
        one.agent_id
        for one in people
        if not await work.tx.fetchval(SEES, *CustomerScope.of(one).arguments, customer_id)
    ]
    held = await work.tx.fetchrow(SHARED, customer_id) if blind else None
    if held is not None:
        await write_shares(work, by_id, {customer_id: ([*held["readers"], *blind], list(held["writers"]))})
    return blind
