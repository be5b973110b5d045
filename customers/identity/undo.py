"""Taking back a merge or a split, however long ago: the exact state, as far as nobody changed it since. What came between stays with the
contact it came from.

Only the newest change of the same customers can be taken back: what stands on it goes first.
"""

from __future__ import annotations

from typing import Any

from customers.identity import columns
from customers.identity.belongings import MOVES
from customers.identity.merge import GONE, ContactsMoved
from customers.identity.moving import VERIFIED, Moved, contacts_of, lock, move_all, move_following
from customers.owning import HISTORY
from customers.timeline import Line, tell
from scrm.db import Row
from scrm.errors import Conflict, NotFound
from scrm.services import Work

ONE = "select * from customer_merge where id = $1"
# What people did by hand; that contacts joined by themselves meanwhile hinders nobody: they go along.
LATER = """
select id from customer_merge m where m.id > $1 and m.undone_at is null and (m.kind <> 'joined' or not $3)
  and (m.into_id = any($2::bigint[]) or m.from_ids && $2::bigint[]) limit 1
"""
LIVES = "update customer set merged_into = null, version = version + 1, updated_at = $2 where id = any($1::bigint[])"
DONE = "update customer_merge set undone_at = $2, undone_by = $3 where id = $1"
APART = """
insert into customer_apart (low_id, high_id, by_id, at) select least($1, w.id), greatest($1, w.id), $3, $4 from unnest($2::bigint[]) w (id)
on conflict do nothing
"""


async def undo(work: Work, log_id: int, by_id: int | None, contacts_moved: ContactsMoved) -> int:
    """Returns the customer to look at afterwards. Asked twice, it is as they want it. Raises :class:`NotFound`, :class:`Conflict`."""
    row = await work.tx.fetchrow(ONE, log_id)
    if row is None:
        raise NotFound("There is no such merge.")
    split = row["kind"] == "split"
    kept = row["from_ids"][0] if split else row["into_id"]
    both = [row["into_id"], *row["from_ids"]]
    if row["undone_at"] is not None:
        return int(kept)
    await _must_be_newest(work, row, both)
    await lock(work, both if split else [kept], merged=both)
    row = await work.tx.fetchrow(f"{ONE} for update", log_id)
    if row is None or row["undone_at"] is not None:
        return int(kept)
    await _must_be_newest(work, row, both)
    moved = await (_unsplit if split else _unmerge)(work, row)
    if not split:
        await work.tx.execute(APART, row["into_id"], row["from_ids"], by_id, work.now)
    await _put_back(work, row, kept, by_id)
    await work.tx.execute(DONE, log_id, work.now, by_id)
    await _tell(work, row, kept, by_id)
    if moved:
        await contacts_moved(work, sorted(moved))
    return int(kept)


async def _must_be_newest(work: Work, row: Row, both: list[int]) -> None:
    if await work.tx.fetchval(LATER, row["id"], both, row["kind"] != "split") is not None:
        raise Conflict("These customers were merged or split again later. Take that back first.", code="later_first")


async def _unmerge(work: Work, row: Row) -> set[int]:
    """Each customer gets back what it brought, wherever that stands, and what came since to the contacts that go with it."""
    data: dict[str, Any] = row["data"]
    into = row["into_id"]
    await work.tx.execute(LIVES, row["from_ids"], work.now)
    contacts: set[int] = set()
    for one in row["from_ids"]:
        await _back(work, data["moved"].get(str(one), {}), one, into)
        await _joined_since(work, into, one, data["marks"])
        own = await contacts_of(work, one)
        await move_following(work, into, one, own, since=data["marks"])
        contacts |= set(own)
    await _verify_again(work, row)
    return contacts


async def _back(work: Work, moved: Moved, to_id: int, into: int) -> None:
    for one in MOVES:
        if not (keys := moved.get(one.table)):
            continue
        kind = "text" if one.key == "union_id" else "bigint"
        # Keys that are only unique within a customer are looked for at the one they went to.
        place = "and customer_id = $3" if one.key == "rule_id" else "and $3::bigint is not null"
        await work.tx.execute(
            f"update {one.table} set customer_id = $1 where {one.key} = any($2::{kind}[]) {place}",  # noqa: S608
            to_id,
            keys,
            into,
        )


# Contacts that joined since, by a union id that goes back.
SINCE = """
update contact k set customer_id = $2 where k.customer_id = $1 and k.id > $3
  and k.union_id in (select u.union_id from customer_union u where u.customer_id = $2)
"""
UNVERIFY = "update phone_number set verified = false where customer_id = $1 and phone = any($2::text[])"
VERIFY = "update phone_number set verified = true where customer_id = $1 and phone = any($2::text[])"
LEFT = """
select o.phone from phone_number o join phone_number s on s.phone = o.phone and s.customer_id = $1 and s.verified
where o.customer_id = $2 and not o.verified and o.phone = any($3::text[])
"""


async def _joined_since(work: Work, into: int, to_id: int, newest: dict[str, int]) -> None:
    await work.tx.execute(SINCE, into, to_id, newest.get("contact", 0))


async def _verify_again(work: Work, row: Row) -> None:
    """Numbers that both had: the one that was verified is so again."""
    for one in row["from_ids"]:
        was = row["data"]["moved"].get(str(one), {}).get(VERIFIED, [])
        phones = [found["phone"] for found in await work.tx.fetch(LEFT, row["into_id"], one, was)]
        await work.tx.execute(UNVERIFY, row["into_id"], phones)
        await work.tx.execute(VERIFY, one, phones)


async def _unsplit(work: Work, row: Row) -> set[int]:
    """Everything that the other customer has goes back, what it got since as well; its links lead here."""
    other, source = row["into_id"], row["from_ids"][0]
    contacts = set(await contacts_of(work, other))
    await move_all(work, other, source)
    await work.tx.execute(GONE, [other], source, work.now)
    if row["data"]["revived"]:
        # It rests again as it did: what it was given meanwhile (a main number, say) stands at the one that has it now.
        was, now = row["data"]["before"][str(other)], await columns.read(work, other)
        await columns.write(work, other, columns.changed_back(was, now))
    return contacts


async def _put_back(work: Work, row: Row, kept: int, by_id: int | None) -> None:
    data = row["data"]
    now = await columns.read(work, kept)
    values = columns.restored(data["before"][str(kept)], data["after"], now)
    await columns.write(work, kept, values)
    if "owner_id" in values:
        await work.tx.execute(HISTORY, [kept], [now["owner_id"]], [values["owner_id"]], work.now, "undone", by_id, "")


async def _tell(work: Work, row: Row, kept: int, by_id: int | None) -> None:
    kind = "customer.unsplit" if row["kind"] == "split" else "customer.unmerged"
    told = [kept] if row["kind"] == "split" else [kept, *row["from_ids"]]
    data = {"customers": [one for one in [row["into_id"], *row["from_ids"]] if one != kept]}
    await tell(
        work,
        [Line(one, kind, agent_id=by_id, object_kind="customer_merge", object_id=row["id"], data=data) for one in told],
    )
    work.ring("customer", row["into_id"], *row["from_ids"])
