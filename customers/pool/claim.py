"""Taking customers out of the public pool (or ones that are nobody's): first come, first served, within limits.

Two who claim one customer meet at its row; whoever is later finds an owner. Claims of one person follow each other at the
person's row, so that the limits are exact however many browsers they use at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from customers.owning import Given, give
from customers.pool.rules import LIMITS, ClaimLimits
from scrm.company import FACTS
from scrm.db import Database, Tx
from scrm.services import Work

Refusal = Literal["taken", "cooling", "day_limit", "hold_limit"]

TURN = "select id from agent where id = $1 for no key update"
FREE = """
select id, owner_id from customer where id = any($1::bigint[]) and (owner_id is null or owner_id = $2)
  and merged_into is null and deleted_at is null
order by id for update
"""
COOLING = """
select h.customer_id, max(h.at) as at from owner_history h where h.customer_id = any($1::bigint[]) and h.from_id = $2
  and h.kind in ('dropped', 'reclaimed') and h.at > $3 group by h.customer_id
"""
TAKEN_TODAY = "select count(*) from owner_history where to_id = $1 and kind = 'claimed' and at >= $2"
HELD = "select count(*) from customer where owner_id = $1 and deleted_at is null"


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many more somebody may claim now; None: any number."""

    limits: ClaimLimits
    taken_today: int
    held: int

    @property
    def today(self) -> int | None:
        return None if self.limits.per_day is None else max(self.limits.per_day - self.taken_today, 0)

    @property
    def room(self) -> int | None:
        return None if self.limits.hold_most is None else max(self.limits.hold_most - self.held, 0)


async def allowance(tx: Tx | Database, agent_id: int, now: datetime) -> Allowance:
    facts = await FACTS.load(tx)
    day = now.astimezone(facts.clock).replace(hour=0, minute=0, second=0, microsecond=0)
    return Allowance(
        await LIMITS.load(tx), await tx.fetchval(TAKEN_TODAY, agent_id, day), await tx.fetchval(HELD, agent_id)
    )


async def cooling(
    tx: Tx | Database, agent_id: int, customer_ids: Sequence[int], cool_days: int, now: datetime
) -> dict[int, datetime]:
    """Which of these somebody lost lately, and when they may be claimed by them again."""
    since = now - timedelta(days=cool_days)
    rows = await tx.fetch(COOLING, list(customer_ids), agent_id, since)
    return {row["customer_id"]: row["at"] + timedelta(days=cool_days) for row in rows}


async def claim(
    work: Work, agent_id: int, customer_ids: Sequence[int]
) -> tuple[list[Given], dict[int, Refusal], Allowance]:
    """In the order of ``customer_ids``, as far as the limits reach. Returns what was claimed, why the others were not, and what is
    allowed afterwards. The caller has checked that the asker sees them."""
    await work.tx.fetchrow(TURN, agent_id)
    allowed = await allowance(work.tx, agent_id, work.now)
    rows = await work.tx.fetch(FREE, sorted(set(customer_ids)), agent_id)
    free = {row["id"] for row in rows if row["owner_id"] is None}
    own = {row["id"] for row in rows} - free
    cold = await cooling(work.tx, agent_id, sorted(free), allowed.limits.cool_days, work.now)
    refused: dict[int, Refusal] = {}
    chosen: list[int] = []
    for one in dict.fromkeys(customer_ids):
        if one in own:
            continue  # Asked twice: it is as they want it.
        if one not in free:
            refused[one] = "taken"
        elif one in cold:
            refused[one] = "cooling"
        elif allowed.today is not None and len(chosen) >= allowed.today:
            refused[one] = "day_limit"
        elif allowed.room is not None and len(chosen) >= allowed.room:
            refused[one] = "hold_limit"
        else:
            chosen.append(one)
    given = await give(work, chosen, agent_id, "claimed", agent_id)
    after = Allowance(allowed.limits, allowed.taken_today + len(given), allowed.held + len(given))
    return given, refused, after
