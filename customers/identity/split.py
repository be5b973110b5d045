"""Two customers out of one: chosen contacts, numbers, follow-ups and tasks, with what goes along with them, become a new customer, or one
that was merged into this one before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from customers.identity import columns
from customers.identity.merge import LOG, ContactsMoved
from customers.identity.moving import Moved, lock, marks, move_following, move_keys, together
from customers.owning import HISTORY
from customers.pool.due import recompute
from customers.timeline import Line, tell
from scrm.errors import Conflict, Unprocessable
from scrm.services import Work

CREATE = """
insert into customer (name, avatar, phone, owner_id, owned_at, pooled_at, pool_reason, readers, writers, created_by, created_at, updated_at)
select $2, $3, '', c.owner_id, c.owned_at, c.pooled_at, c.pool_reason, c.readers, c.writers, $4, $5, $5 from customer c where c.id = $1
returning id
"""
REVIVE = """
update customer set merged_into = null, version = version + 1, updated_at = $3 where id = $1 and merged_into = $2 returning id
"""
FIRST = "select name, avatar from contact where id = any($1::bigint[]) order by id limit 1"
OF_CONTACTS = "select id from contact where customer_id = $1 and id = any($2::bigint[])"


@dataclass(frozen=True, slots=True)
class Split:
    """``to_id``: a former customer that was merged into this one; None makes a new one."""

    from_id: int
    contacts: tuple[int, ...] = ()
    rows: dict[str, list[int]] = field(default_factory=dict)
    """Other rows by table: ``phone_number``, ``follow_up``, ``task``, ``customer_file``."""
    to_id: int | None = None
    name: str = ""
    by_id: int | None = None
    reason: str = ""


async def split(work: Work, what: Split, contacts_moved: ContactsMoved) -> tuple[int, int]:
    """Returns the other customer and the number in the log. Raises :class:`Unprocessable` when nothing of what was chosen is there,
    :class:`Conflict` when the customer was merged or thrown away meanwhile."""
    # The former one cannot be locked as a living customer; whoever changes it holds the lock of the one it was merged into.
    rows = await lock(work, [what.from_id])
    before = dict(rows[what.from_id]["whole"])
    contacts = [row["id"] for row in await work.tx.fetch(OF_CONTACTS, what.from_id, list(what.contacts))]
    to_id = await _other(work, what, contacts)
    was = await columns.read(work, to_id)
    newest = await marks(work, [what.from_id])
    moved = together(
        await move_keys(work, what.from_id, to_id, what.rows),
        await move_following(work, what.from_id, to_id, contacts),
    )
    if not moved:
        raise Unprocessable(
            "Choose at least one contact, number or follow-up.", fields={"contact_ids": "Nothing is chosen."}
        )
    await _phones(work, what.from_id, to_id, was["phone"])
    await recompute(work, sorted((what.from_id, to_id)))
    after = await columns.read(work, what.from_id)
    data: dict[str, Any] = {
        "before": {str(what.from_id): before, str(to_id): was},
        "after": after,
        "moved": {str(what.from_id): moved},
        "marks": newest,
        "revived": what.to_id is not None,
    }
    log_id: int = await work.tx.fetchval(LOG, "split", to_id, [what.from_id], what.by_id, what.reason, data, work.now)
    await _tell(work, what, to_id, log_id, moved)
    if moved.get("contact"):
        await contacts_moved(work, moved["contact"])
    return to_id, log_id


async def _other(work: Work, what: Split, contacts: Sequence[int]) -> int:
    if what.to_id is not None:
        revived = await work.tx.fetchval(REVIVE, what.to_id, what.from_id, work.now)
        if revived is None:
            raise Conflict("That customer is not one that was merged into this one.", code="changed_meanwhile")
        return int(revived)
    first = await work.tx.fetchrow(FIRST, list(contacts))
    name = what.name or (first["name"] if first else "")
    avatar = first["avatar"] if first else ""
    made: int = await work.tx.fetchval(CREATE, what.from_id, name, avatar, what.by_id, work.now)
    owner = await work.tx.fetchval("select owner_id from customer where id = $1", made)
    if owner is not None:
        await work.tx.execute(HISTORY, [made], [None], [owner], work.now, "split", what.by_id, what.reason)
    return made


async def _phones(work: Work, from_id: int, to_id: int, kept: str) -> None:
    """The number on each page is one that the customer has."""
    await work.tx.execute(KEEP_MAIN, from_id)
    if not kept:
        await work.tx.execute(FIRST_MAIN, to_id)


# The number on the page went away with its row: the next best takes its place.
KEEP_MAIN = """
update customer c set phone = coalesce((select replace(p.phone, '+86', '') from phone_number p where p.customer_id = c.id
  order by p.verified desc, p.id limit 1), '')
where c.id = $1 and c.phone <> '' and exists (
  select from phone_number p where p.customer_id <> c.id and p.phone in (c.phone, '+86' || regexp_replace(c.phone, '[^0-9]', '', 'g')))
and not exists (
  select from phone_number p where p.customer_id = c.id and p.phone in (c.phone, '+86' || regexp_replace(c.phone, '[^0-9]', '', 'g')))
"""
FIRST_MAIN = """
update customer c set phone = coalesce((select replace(p.phone, '+86', '') from phone_number p where p.customer_id = c.id
  order by p.verified desc, p.id limit 1), '') where c.id = $1 and c.phone = ''
"""


async def _tell(work: Work, what: Split, to_id: int, log_id: int, moved: Moved) -> None:
    counts = {
        table: len(keys) for table, keys in moved.items() if table in ("contact", "follow_up", "task", "phone_number")
    }
    sides = ((what.from_id, to_id, "gave"), (to_id, what.from_id, "got"))
    await tell(
        work,
        [
            Line(
                one, "customer.split", agent_id=what.by_id, object_kind="customer_merge", object_id=log_id,
                data={"side": side, "other": other, "moved": counts, "reason": what.reason},
            )
            for one, other, side in sides
        ],
    )  # fmt: skip
