"""From people as a platform knows them to contacts and customers.

A contact is unique by its external id within a connection. A customer stands behind one or more contacts; contacts with one
union id are one customer, decided by the primary key of ``customer_union``, so two workers that meet a person at once agree.
Callers hold the connection's lock (``scrm.normalise``), so contacts of one connection are made by one worker at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from customers.identity.join import join_contact
from scrm.channel import ContactRef
from scrm.db import Row
from scrm.services import Work

UNION_CUSTOMERS = "select union_id, customer_id from customer_union where union_id = any($1::text[])"
LOCK_CUSTOMERS = """
select u.id from customer u where u.id in (
  select k.customer_id from contact k where k.id = any($1::bigint[])
  union select n.customer_id from customer_union n where n.union_id = any($2::text[]))
order by u.id for update
"""


@dataclass(frozen=True, slots=True)
class Resolved:
    contact_id: int
    customer_id: int
    name: str
    moved: bool = False
    """The person turned out to be another customer, or has another name now."""


async def resolve(
    work: Work, connection_id: int, refs: Sequence[ContactRef], *, ask_profiles: bool
) -> dict[str, Resolved]:
    """Finds or makes the contacts of ``refs``; by external id. What a ref says newly (name, avatar, union id) is kept.

    ``ask_profiles``: people without a name are marked to be asked for.
    """
    wanted = _merged(refs)
    if not wanted:
        return {}
    rows = await _find(work, connection_id, list(wanted))
    known = {row["external_id"]: row for row in rows}
    missing = [ref for external_id, ref in wanted.items() if external_id not in known]
    if missing:
        await _make(work, connection_id, missing, ask_profiles=ask_profiles)
        rows = await _find(work, connection_id, list(wanted))
        known = {row["external_id"]: row for row in rows}
    await _update(work, [(known[external_id], ref) for external_id, ref in wanted.items()])
    newly_linked = [
        (known[external_id]["id"], ref.union_id)
        for external_id, ref in wanted.items()
        if ref.union_id and known[external_id]["union_id"] != ref.union_id
    ]
    moved = await join_unions(work, newly_linked)
    return {
        external_id: Resolved(
            row["id"],
            moved.get(row["id"], row["customer_id"]),
            wanted[external_id].name or row["name"],
            row["id"] in moved or wanted[external_id].name not in ("", row["name"]),
        )
        for external_id, row in known.items()
    }


def _merged(refs: Sequence[ContactRef]) -> dict[str, ContactRef]:
    """One ref per person, later non-empty fields winning, sorted so that locks are taken in one order."""
    merged: dict[str, ContactRef] = {}
    for ref in refs:
        if not ref.external_id:
            continue
        old = merged.get(ref.external_id)
        if old is None:
            merged[ref.external_id] = ref
        elif ref != old:
            merged[ref.external_id] = ContactRef(
                ref.external_id, ref.name or old.name, ref.avatar or old.avatar, ref.union_id or old.union_id
            )
    return dict(sorted(merged.items()))


async def _find(work: Work, connection_id: int, external_ids: list[str]) -> list[Row]:
    return await work.tx.fetch(
        "select id, external_id, customer_id, name, avatar, union_id from contact "
        "where connection_id = $1 and external_id = any($2::text[])",
        connection_id,
        external_ids,
    )


async def _make(work: Work, connection_id: int, refs: Sequence[ContactRef], *, ask_profiles: bool) -> None:
    """Who comes with a union id that is known becomes that customer at once; everybody else is a new one."""
    unions = sorted({ref.union_id for ref in refs if ref.union_id})
    rows = await work.tx.fetch(UNION_CUSTOMERS, unions) if unions else []
    of_union: dict[str, int] = {row["union_id"]: row["customer_id"] for row in rows}
    strangers = [ref for ref in refs if ref.union_id not in of_union]
    ids = await work.tx.fetch(
        "select nextval(pg_get_serial_sequence('customer', 'id')) as id from generate_series(1, $1)", len(strangers)
    )
    await work.tx.execute(
        "insert into customer (id, name, avatar, created_at, updated_at) overriding system value "
        "select w.id, w.name, w.avatar, $4, $4 from unnest($1::bigint[], $2::text[], $3::text[]) w (id, name, avatar)",
        [row["id"] for row in ids],
        [ref.name for ref in strangers],
        [ref.avatar for ref in strangers],
        work.now,
    )
    new = {ref.external_id: row["id"] for ref, row in zip(strangers, ids, strict=True)}
    joining = [ref.union_id if ref.external_id not in new else None for ref in refs]
    await work.tx.execute(
        "insert into contact (connection_id, external_id, customer_id, name, avatar, union_id, profile_due_at, created_at, updated_at) "
        "select $1, w.external_id, w.customer_id, w.name, w.avatar, w.union_id, "
        "case when $7::boolean and w.name = '' then $8::timestamptz end, $8, $8 "
        "from unnest($2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[]) "
        "w (external_id, customer_id, name, avatar, union_id)",
        connection_id,
        [ref.external_id for ref in refs],
        [new.get(ref.external_id) or of_union[ref.union_id] for ref in refs],
        [ref.name for ref in refs],
        [ref.avatar for ref in refs],
        joining,
        ask_profiles,
        work.now,
    )
    if ask_profiles:
        work.ring("profile", connection_id)


async def _update(work: Work, pairs: Sequence[tuple[Row, ContactRef]]) -> None:
    changed = [
        (row, ref)
        for row, ref in pairs
        if (ref.name and ref.name != row["name"]) or (ref.avatar and ref.avatar != row["avatar"])
    ]
    if not changed:
        return
    ids = [row["id"] for row, _ in changed]
    names = [ref.name or row["name"] for row, ref in changed]
    avatars = [ref.avatar or row["avatar"] for row, ref in changed]
    await work.tx.execute(
        "update contact c set name = w.name, avatar = w.avatar, updated_at = $4, profile_due_at = null "
        "from unnest($1::bigint[], $2::text[], $3::text[]) w (id, name, avatar) where c.id = w.id",
        ids,
        names,
        avatars,
        work.now,
    )
    # A customer keeps the name that a person gave it; only one that had none, or had the contact's old one, follows.
    await work.tx.execute(
        "update customer u set name = case when u.name in ('', w.old_name) then w.name else u.name end, "
        "avatar = case when u.avatar in ('', w.old_avatar) then w.avatar else u.avatar end, updated_at = $6 "
        "from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[]) "
        "w (id, name, avatar, old_name, old_avatar) where u.id = w.id",
        [row["customer_id"] for row, _ in changed],
        names,
        avatars,
        [row["name"] for row, _ in changed],
        [row["avatar"] for row, _ in changed],
        work.now,
    )


async def join_unions(work: Work, pairs: Sequence[tuple[int, str]]) -> dict[int, int]:
    """Contacts turn out to be the people with these union ids: each moves to that person's customer, or makes its own customer that
    person. Returns the customer of each contact. What was one customer's alone goes along whole, and can be taken back
    (``customers.identity``)."""
    if not pairs:
        return {}
    await _lock_all(work, pairs)
    return {contact_id: await join_union(work, contact_id, union_id) for contact_id, union_id in pairs}


async def _lock_all(work: Work, pairs: Sequence[tuple[int, str]]) -> None:
    """All customers of the batch at once, in the order of their ids, so that no two batches or merges wait for each other."""
    contacts, unions = zip(*pairs, strict=True)
    await work.tx.execute(LOCK_CUSTOMERS, contacts, unions)


async def join_union(work: Work, contact_id: int, union_id: str) -> int:
    """For one; see :func:`join_unions`."""
    await work.tx.execute("update contact set union_id = $2 where id = $1", contact_id, union_id)
    own = int(await work.tx.fetchval("select customer_id from contact where id = $1", contact_id))
    await work.tx.execute(
        "insert into customer_union (union_id, customer_id) values ($1, $2) on conflict (union_id) do nothing",
        union_id,
        own,
    )
    target = int(
        await work.tx.fetchval("select customer_id from customer_union where union_id = $1 for share", union_id)
    )
    if target == own:
        return target
    return await join_contact(work, contact_id, own, target)
