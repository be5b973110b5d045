"""What a person writes into a relation: it leaves for the platform at once, and is shown meanwhile."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from customers.changeable import hold
from customers.phones import Number, normalised, note_phones
from customers.sync.relation_views import limits
from customers.sync.wishes import wish_words
from scrm.connections import Connections
from scrm.errors import Conflict, Forbidden, NotFound, Unprocessable
from scrm.permissions import CUSTOMERS_PHONE, Principal
from scrm.services import Work
from scrm.trail import record
from scrm.views import Input

RELATION = """
select l.id, l.state, l.phones, l.wish, k.customer_id, k.connection_id, m.left_at is not null as member_left
from contact_link l join contact k on k.id = l.contact_id join account a on a.id = l.account_id
left join directory_member m on m.connection_id = a.connection_id and m.external_id = a.external_id
where l.id = $1
"""
Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500, pattern=r"^[^\x00]*$")]
Phone = Annotated[str, StringConstraints(strip_whitespace=True, max_length=40, pattern=r"^[0-9+()* \-]+$")]


class RelationInput(Input):
    """What is absent stays. ``phones`` replaces all numbers; ``add_phone`` adds one, also for those who may not read the others."""

    remark: Words | None = None
    description: Words | None = None
    company: Words | None = None
    phones: Annotated[list[Phone], Field(max_length=20)] | None = None
    add_phone: Phone | None = None


async def describe(
    work: Work, principal: Principal, connections: Connections, relation_id: int, change: RelationInput, *, address: str
) -> int:
    """Returns the customer. Raises :class:`NotFound`, :class:`Forbidden`, :class:`Conflict`, :class:`Unprocessable`."""
    row = await work.tx.fetchrow(RELATION, relation_id)
    if row is None:
        raise NotFound("There is no such relation.")
    held = await hold(work, principal, row["customer_id"])
    most = limits(connections, row)
    if not most:
        raise Conflict("Nothing can be written here: the relation is over, or the platform does not allow it.")
    words: dict[str, Any] = {
        name: value for name in ("remark", "description", "company") if (value := getattr(change, name)) is not None
    }
    wrong = {
        name: f"At most {most[name]} characters." for name, value in words.items() if len(value) > most.get(name, 500)
    }
    phones = _phones(principal, row["phones"] if not row["wish"] else row["wish"].get("phones", row["phones"]), change)
    if phones is not None:
        words["phones"] = phones
        if len(phones) > most.get("phones", 20):
            wrong["phones"] = f"At most {most['phones']} numbers."
    if wrong:
        raise Unprocessable("The platform does not take so much.", fields=wrong)
    if not words:
        return int(held["id"])
    if not await wish_words(work, relation_id, words):
        raise Conflict("This relation has ended meanwhile.")
    await note_phones(work, [Number(held["id"], phone, "relation") for phone in phones or ()])
    work.ring("customer", held["id"])
    await record(
        work, "relation.described", agent_id=principal.agent_id, object_kind="customer", object_id=held["id"],
        address=address, detail={"relation": relation_id, "fields": sorted(words)},
    )  # fmt: skip
    return int(held["id"])


def _phones(principal: Principal, there: list[str], change: RelationInput) -> list[str] | None:
    if change.phones is not None:
        if not principal.may(CUSTOMERS_PHONE):
            raise Forbidden("Who may not read all numbers may add one, not replace them.")
        wanted = list(dict.fromkeys(change.phones))
    elif change.add_phone is not None:
        wanted = list(dict.fromkeys([*there, change.add_phone]))
    else:
        return None
    fresh = [phone for phone in wanted if phone not in there]
    if any(normalised(phone) is None for phone in fresh):
        field = "phones" if change.phones is not None else "add_phone"
        raise Unprocessable("This is no phone number.", fields={field: "Write whole numbers, none masked."})
    return wanted
