"""A reading becomes rows: persons, relations, what they give their customers, and the lines of the story. One unit of work, a handful
of statements for any number of relations."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from customers.resolve import Resolved
from customers.sync.first_owner import own_first
from customers.sync.links import Taken, end_missing, write_links
from customers.sync.people import fill_customers, take_people
from customers.sync.readings import account_key, clean
from customers.sync.tagging import spread_tags
from customers.timeline import Line, tell
from scrm.channel_contacts import Person, Relation
from scrm.connections import ensure_accounts
from scrm.db import Row
from scrm.normalise import LOCK_SPACE
from scrm.services import Work

Renamed = Callable[[Work, Sequence[int]], Awaitable[None]]
"""Is told the contacts that have other names or customers now: they stand in what upper layers show."""

LOCK = "select pg_advisory_xact_lock($1, $2)"
OF_CONTACTS = "select id from contact where connection_id = $1 and external_id = any($2::text[])"


async def take_reading(
    work: Work,
    connection_id: int,
    number: int,
    persons: Sequence[Person],
    relations: Sequence[Relation],
    *,
    complete: Sequence[str] = (),
    renamed: Renamed,
) -> list[Taken]:
    """``complete``: contacts of which every relation is in ``relations``."""
    await work.tx.execute(LOCK, LOCK_SPACE, connection_id)
    people = await take_people(work, connection_id, persons, [relation.contact for relation in relations])
    refs = {account_key(relation.account): relation.account for relation in relations}
    accounts = await ensure_accounts(
        work.tx, connection_id, [(*key, clean(ref.name), clean(ref.avatar)) for key, ref in sorted(refs.items())]
    )
    taken = await write_links(work, number, relations, people, accounts)
    ended = await _end(work, connection_id, number, complete, people, accounts, relations)
    await fill_customers(work, people, persons, relations)
    await tell(work, [_begun(one) for one in taken if one.begins] + [ended_line(dict(row)) for row in ended])
    await own_first(work, sorted({one.customer_id for one in taken}))
    await spread_tags(work, connection_id, taken)
    moved = [person.contact_id for person in people.values() if person.moved]
    if moved:
        await renamed(work, moved)
    work.ring("relation", connection_id)
    return taken


async def _end(
    work: Work,
    connection_id: int,
    number: int,
    complete: Sequence[str],
    people: dict[str, Resolved],
    accounts: dict[tuple[str, str], int],
    relations: Sequence[Relation],
) -> list[Row]:
    if not complete:
        return []
    ids = [row["id"] for row in await work.tx.fetch(OF_CONTACTS, connection_id, [clean(one) for one in complete])]
    told = await work.tx.fetch(
        "select l.id from contact_link l join unnest($1::bigint[], $2::bigint[]) w (contact_id, account_id) "
        "on l.contact_id = w.contact_id and l.account_id = w.account_id",
        [people[clean(one.contact.external_id)].contact_id for one in relations],
        [accounts[account_key(one.account)] for one in relations],
    )
    return await end_missing(work, connection_id, number, ids, [row["id"] for row in told])


def _begun(one: Taken) -> Line:
    words = one.relation.way_words
    data: dict[str, Any] = {"source": clean(one.relation.source), "by_contact": one.relation.by_contact}
    if words is not None:
        data["way"] = {"zh": words.zh, "en": words.en}
    return Line(
        one.customer_id, "contact.added", at=one.relation.added_at, account_id=one.account_id,
        contact_id=one.contact_id, object_kind="relation", object_id=one.id, data=data,
    )  # fmt: skip


def ended_line(row: Mapping[str, Any]) -> Line:
    """Of a row with ``state``, ``customer_id``, ``account_id``, ``contact_id``, ``id``."""
    return Line(
        row["customer_id"], KINDS[row["state"]], account_id=row["account_id"], contact_id=row["contact_id"],
        object_kind="relation", object_id=row["id"],
    )  # fmt: skip


KINDS = {
    "deleted_by_agent": "contact.deleted_by_agent",
    "deleted_by_contact": "contact.deleted_by_customer",
    "transferred": "contact.transferred",
    "gone": "contact.gone",
}

TOLD = frozenset(
    {
        "contact.added",
        "contact.half_added",
        "contact.edited",
        "contact.deleted_by_agent",
        "contact.deleted_by_customer",
        "group.member_added",
        "group.member_removed",
    }
)
"""Events of platforms that need no line of their own in the story: what came of them is told by us."""
