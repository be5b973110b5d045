"""What a platform rings for. An event only says where to look (:mod:`customers.sync.due`): callbacks come twice, late, in any order
or never. Two things are taken from the event itself, because no answer of the platform tells them: who ended a relation, and that a
customer waits to be added back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

from customers.sync.due import DueKind, ring
from customers.sync.readings import account_key, clean
from customers.sync.take import ended_line
from customers.timeline import Line, tell
from scrm.channel import Occurrence
from scrm.channel_contacts import KeepsTags, KnowsDirectory, KnowsGroups, KnowsRelations
from scrm.db import Row
from scrm.normalise import Batch
from scrm.services import Work

ABOUT_RELATIONS = frozenset(
    {
        "contact.added",
        "contact.half_added",
        "contact.edited",
        "contact.deleted_by_agent",
        "contact.deleted_by_customer",
        "contact.transfer_failed",
        "contact.archive_approved",
    }
)
ENDINGS = {
    "contact.deleted_by_agent": "deleted_by_agent",
    "contact.deleted_by_customer": "deleted_by_contact",
}
TAKEN_OVER = ("Source", "DELETE_BY_TRANSFER")
"""In the data of a deletion that is one half of a hand-over (``docs/writing-an-adapter.md``)."""
GROUP_SETTLES = timedelta(seconds=3)
"""A platform may tell a group as it was for a moment after it rang."""

PLACE = """
select k.id as contact_id, k.customer_id, a.id as account_id from contact k join account a on a.connection_id = k.connection_id
where k.connection_id = $1 and k.external_id = $2 and a.channel = $3 and a.external_id = $4
"""
# What we learn before the relation was ever read is kept too; a relation that began later is not touched.
END = """
insert into contact_link as l (contact_id, account_id, state, ended_at, read_no, created_at, updated_at)
values ($1, $2, $3, $4, nextval('reading_no'), $5, $5)
on conflict (contact_id, account_id) do update set state = excluded.state, ended_at = excluded.ended_at, read_no = excluded.read_no,
  wish = null, updated_at = $5
where l.state in ('active', 'half', 'gone') and (l.added_at is null or l.added_at <= excluded.ended_at)
returning l.id, l.state
"""
HALF = """
insert into contact_link as l (contact_id, account_id, state, added_at, by_contact, read_no, created_at, updated_at)
values ($1, $2, 'half', $3, true, nextval('reading_no'), $4, $4)
on conflict (contact_id, account_id) do update set state = 'half', added_at = excluded.added_at, ended_at = null, updated_at = $4
where l.state not in ('active', 'half') and coalesce(l.ended_at, l.added_at) <= excluded.added_at
returning l.id, l.state
"""
APPROVED = "update contact_link set approved_at = greatest(approved_at, $3) where contact_id = $1 and account_id = $2"


async def heed(work: Work, batch: Batch) -> None:
    """A handler of the normaliser, after those who make contacts and accounts of the batch."""
    adapter, connection_id = batch.connection.adapter, batch.connection.id
    due: dict[DueKind, set[str]] = defaultdict(set)
    lines: list[Line] = []
    for item in batch.items:
        event = item.event
        if not isinstance(event, Occurrence):
            continue
        if event.name in ABOUT_RELATIONS and event.contact is not None and isinstance(adapter, KnowsRelations):
            due["contact"].add(clean(event.contact.external_id))
            lines += await _relation(work, connection_id, event)
        elif event.name.startswith("group.") and isinstance(adapter, KnowsGroups):
            due["group"].add(clean(adapter.group_of(event)))
        elif event.name.startswith("tag.") and isinstance(adapter, KeepsTags):
            due["tags"].add("")
        elif event.name.startswith("directory.") and isinstance(adapter, KnowsDirectory):
            due["directory"].add("")
    for kind, ids in due.items():
        await ring(work, connection_id, kind, sorted(ids - {""} if kind in ("contact", "group") else ids),
                   wait=GROUP_SETTLES if kind == "group" else None)  # fmt: skip
    await tell(work, lines)


async def _relation(work: Work, connection_id: int, event: Occurrence) -> Sequence[Line]:
    if event.contact is None or event.account is None:
        return ()
    place = await work.tx.fetchrow(PLACE, connection_id, clean(event.contact.external_id), *account_key(event.account))
    if place is None:
        return ()
    if event.name in ENDINGS:
        return await _ended(work, event, place)
    if event.name == "contact.half_added":
        return await _half(work, event, place)
    if event.name == "contact.archive_approved":
        await work.tx.execute(APPROVED, place["contact_id"], place["account_id"], event.at)
    return ()


async def _ended(work: Work, event: Occurrence, place: Row) -> Sequence[Line]:
    row = await work.tx.fetchrow(END, place["contact_id"], place["account_id"], ENDINGS[event.name], event.at, work.now)
    return [_at(ended_line({**place, **row}), event)] if row is not None else ()


async def _half(work: Work, event: Occurrence, place: Row) -> Sequence[Line]:
    row = await work.tx.fetchrow(HALF, place["contact_id"], place["account_id"], event.at, work.now)
    if row is None:
        return ()
    return [
        Line(place["customer_id"], "contact.half_added", at=event.at, account_id=place["account_id"],
             contact_id=place["contact_id"], object_kind="relation", object_id=row["id"])
    ]  # fmt: skip


def _at(line: Line, event: Occurrence) -> Line:
    return Line(line.customer_id, line.kind, at=event.at, account_id=line.account_id, contact_id=line.contact_id,
                object_kind=line.object_kind, object_id=line.object_id)  # fmt: skip
