"""One customer's plans, as their rep begins and ends them."""

from __future__ import annotations

from campaigns.sop.begin import Beginning, begin, occasion
from campaigns.sop.ending import obstacles, stop
from campaigns.sop.plans import Planned, enabled
from campaigns.sop.write import Token
from customers.queries import row_to_change
from scrm.company import FACTS
from scrm.errors import Conflict, NotFound
from scrm.permissions import Principal
from scrm.services import Work
from scrm.views import Id, Input

KNOWN = "select id from sop_entry where customer_id = $1 and occasion = $2 and by_id = $3"
ENTRY = "select customer_id, state from sop_entry where id = $1"
WHY: dict[str, str] = {
    "left": "This customer does not fit the plan: it would end at once.",
    "opted_out": "This customer wants nothing of the kind.",
    "complaint": "A complaint of this customer is open.",
    "gone": "This customer was thrown away.",
    "deleted_us": "This customer has ended the contact.",
}


class ByHand(Input):
    client_token: Token
    sop_id: Id


async def begin_by_hand(work: Work, principal: Principal, customer_id: int, said: ByHand) -> bool:
    """Whether it is new. Raises :class:`NotFound`, :class:`Forbidden`, :class:`Conflict`."""
    row = await row_to_change(work.tx, principal, customer_id)
    plans = await enabled(work.tx, said.sop_id)
    if not plans:
        raise NotFound("There is no such plan, or it is switched off.")
    one = Beginning(row["id"], f"hand:{said.client_token}", work.now)
    zone = (await FACTS.load(work.tx)).clock
    made = await begin(work, plans[0], [one], zone, by_id=principal.agent_id)
    if not made:
        await _known(work, principal, plans[0], one)
        return False
    why = (await obstacles(work, made)).get(made[0], "")
    if why:
        raise Conflict(WHY.get(why, "This plan cannot begin for this customer."), code="does_not_fit")
    return True


async def _known(work: Work, principal: Principal, planned: Planned, one: Beginning) -> None:
    """Raises :class:`Conflict` unless the same request made it."""
    what = occasion(planned, one.occasion)
    if planned.plan.again and await work.tx.fetchval(KNOWN, one.customer_id, what, principal.agent_id) is not None:
        return
    raise Conflict("This customer is in the plan already, or was and may not be again.", code="in_it_already")


async def stop_by_hand(work: Work, principal: Principal, entry_id: int) -> int:
    """Of which customer. Again is harmless. Raises :class:`NotFound`, :class:`Forbidden`, :class:`Conflict` when it is through."""
    entry = await work.tx.fetchrow(ENTRY, entry_id)
    if entry is None:
        raise NotFound("There is no such plan under way.")
    row = await row_to_change(work.tx, principal, entry["customer_id"])
    await stop(work, {entry_id: "by_hand"}, by_id=principal.agent_id)
    if await work.tx.fetchval("select state from sop_entry where id = $1", entry_id) == "done":
        raise Conflict("This plan has come to its end already.", code="ended_already")
    return int(row["id"])
