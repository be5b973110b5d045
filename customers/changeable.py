"""The customer that somebody is about to write to: looked up within their reach, and held until the unit of work ends.

Whoever changes what belongs to a customer (follow-ups, tasks) holds the customer first: what is summed up on its row (when it was
followed, what is due next) is then counted by one at a time.
"""

from __future__ import annotations

from collections.abc import Iterable

from customers.queries import RESOLVE
from customers.scope import CHANGED, SEEN, CustomerScope
from scrm.db import Row
from scrm.errors import Forbidden, NotFound
from scrm.permissions import Principal
from scrm.services import Work

HOLD = f"""
select u.id, u.name, u.owner_id, u.fields, ({CHANGED}) as changeable from customer u
where u.id = $4 and u.deleted_at is null and {SEEN} for no key update of u
"""  # noqa: S608 - made of constants
HOLD_MANY = "select from customer where id = any($1::bigint[]) order by id for no key update"


async def hold(work: Work, principal: Principal, customer_id: int) -> Row:
    """The customer, or the one they were merged into. Raises :class:`NotFound`, also for what the asker may not see, and
    :class:`Forbidden` for what they see only."""
    final = await work.tx.fetchval(RESOLVE, customer_id)
    row = None
    if final is not None:
        row = await work.tx.fetchrow(HOLD, *CustomerScope.of(principal).arguments, final)
    if row is None:
        raise NotFound("There is no such customer.")
    if not row["changeable"]:
        raise Forbidden("You may read this customer, not write to it.")
    return row


async def hold_many(work: Work, customer_ids: Iterable[int | None]) -> None:
    """Always in one order, so that two who hold several never wait for each other."""
    wanted = sorted({one for one in customer_ids if one is not None})
    if wanted:
        await work.tx.execute(HOLD_MANY, wanted)
