"""Two customers turn out to be one by what a platform vouches for: a union id, or a phone number that it checked."""

from __future__ import annotations

from collections.abc import Sequence

from customers.identity.merge import ContactsMoved, Merge, merge
from customers.identity.moving import move_following
from customers.timeline import Line, tell
from scrm.services import Work

OTHERS = "select exists (select from contact where customer_id = $1 and id <> $2)"
STATES = """
select id, created_at, merged_into is null and deleted_at is null as whole from customer where id = any($1::bigint[]) order by id for update
"""
APART = "select exists (select from customer_apart where low_id = least($1::bigint, $2::bigint) and high_id = greatest($1::bigint, $2::bigint))"
VERIFY = """
insert into phone_number (customer_id, phone, verified, source, created_at) values ($1, $2, true, $3, $4)
on conflict (customer_id, phone) do update set verified = true
"""


async def join_contact(work: Work, contact_id: int, own: int, target: int) -> int:
    """A contact's union id is another customer's. Alone, its whole customer goes along; otherwise the contact with what is its own.
    Returns the customer that it is now."""
    if not await _both_whole(work, own, target):
        return own
    if await work.tx.fetchval(OTHERS, own, contact_id):
        await move_following(work, own, target, [contact_id])
        data = {"contact_id": contact_id, "other": target, "because": "union"}
        await tell(
            work,
            [
                Line(own, "customer.contact_left", contact_id=None, data=data),
                Line(target, "customer.contact_came", contact_id=contact_id, data={**data, "other": own}),
            ],
        )
        return target
    await merge(work, Merge(target, (own,), kind="joined", reason="union"), _nobody)
    return target


async def join_phone(work: Work, customer_id: int, phone: str, source: str, contacts_moved: ContactsMoved) -> int:
    """A platform vouches that ``phone`` (normalised) is this customer's. Who else had it from a platform is the same customer, unless
    somebody said that they are two; the one who was here first stays. Returns the customer that it is now."""
    own = await _final(work, customer_id)
    holder = await work.tx.fetchval("select customer_id from phone_number where phone = $1 and verified", phone)
    other = own if holder is None else await _final(work, int(holder))
    if other == own:
        await work.tx.execute(VERIFY, own, phone, source, work.now)
        await work.tx.execute(
            "update customer set phone = $2 where id = $1 and phone = ''", own, phone.removeprefix("+86")
        )
        work.ring("customer", own)
        return own
    if not await _both_whole(work, own, other) or await work.tx.fetchval(APART, own, other):
        return own
    into, gone = await _older_first(work, own, other)
    await merge(work, Merge(into, (gone,), kind="joined", reason="phone"), contacts_moved)
    return into


async def _final(work: Work, customer_id: int) -> int:
    return int(await work.tx.fetchval(FINAL, customer_id))


FINAL = """
with recursive chain as (
  select id, merged_into from customer where id = $1
  union all select c.id, c.merged_into from customer c join chain on c.id = chain.merged_into
)
select id from chain where merged_into is null
"""


async def _both_whole(work: Work, *ids: int) -> bool:
    """Locks them. What lies in the recycle bin is left alone."""
    rows = await work.tx.fetch(STATES, list(ids))
    return len(rows) == len(set(ids)) and all(row["whole"] for row in rows)


async def _older_first(work: Work, *ids: int) -> tuple[int, int]:
    rows = await work.tx.fetch(
        "select id from customer where id = any($1::bigint[]) order by created_at, id", list(ids)
    )
    first, second = (row["id"] for row in rows)
    return first, second


async def _nobody(work: Work, contact_ids: Sequence[int]) -> None:
    """Who resolves a contact tells about it."""
