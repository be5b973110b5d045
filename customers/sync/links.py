"""Relations as rows. A reading brings what a relation is; what is missing in a complete reading has ended; events tell who ended it.

Two things the platform does not tell in its answers are remembered here: a customer who deleted the member stays on the member's
list, so ``deleted_by_contact`` holds until they are added anew; and the customers of somebody who left are not told any more, but
wait for somebody else and stay ``active`` until they are handed over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from customers.resolve import Resolved
from customers.sync.readings import account_key, clean
from scrm.channel_contacts import Relation
from scrm.db import Row
from scrm.services import Work

KNOWN = """
select l.id, l.contact_id, l.account_id, l.state, l.added_at, l.ended_at, l.tags, l.read_no
from contact_link l join unnest($1::bigint[], $2::bigint[]) w (contact_id, account_id)
  on l.contact_id = w.contact_id and l.account_id = w.account_id
order by l.id for update of l
"""
WRITE = """
insert into contact_link as l (contact_id, account_id, state, added_at, ended_at, remark, description, company, phones, tags, way,
  way_words, source, by_contact, read_no, seen_at, created_at, updated_at)
select w.contact_id, w.account_id, w.state, w.added_at, w.ended_at, w.remark, w.description, w.company, w.phones, w.tags, w.way,
  w.way_words, w.source, w.by_contact, $2, $3, $3, $3
from jsonb_to_recordset($1) w (contact_id bigint, account_id bigint, state text, added_at timestamptz, ended_at timestamptz,
  remark text, description text, company text, phones text[], tags text[], way text, way_words jsonb, source text, by_contact boolean)
order by w.contact_id, w.account_id
on conflict (contact_id, account_id) do update set state = excluded.state, added_at = excluded.added_at, ended_at = excluded.ended_at,
  remark = excluded.remark, description = excluded.description, company = excluded.company, phones = excluded.phones,
  tags = excluded.tags, way = excluded.way, way_words = excluded.way_words, source = excluded.source,
  by_contact = excluded.by_contact, read_no = excluded.read_no, seen_at = excluded.seen_at,
  updated_at = case when (l.state, l.added_at, l.remark, l.description, l.company, l.phones, l.tags, l.source) is distinct from
    (excluded.state, excluded.added_at, excluded.remark, excluded.description, excluded.company, excluded.phones, excluded.tags, excluded.source)
    then $3 else l.updated_at end
returning l.id, l.contact_id, l.account_id
"""
END = """
update contact_link l set ended_at = $5, updated_at = $5, read_no = $4, wish = null,
  state = case when exists (select from handover_item h where h.kind = 'relation' and h.connection_id = $1
    and h.external_id = k.external_id and h.from_external = a.external_id
    and h.state in ('asking', 'uncertain', 'waiting', 'done')) then 'transferred' else 'gone' end
from contact k, account a
where k.id = l.contact_id and a.id = l.account_id and l.contact_id = any($2::bigint[]) and l.state = 'active'
  and not (l.id = any($3::bigint[])) and l.read_no <= $4 and a.connection_id = $1
  and not exists (select from directory_member m where m.connection_id = a.connection_id and m.external_id = a.external_id
    and m.left_at is not null)
returning l.id, l.contact_id, l.account_id, l.state, k.customer_id
"""


@dataclass(frozen=True, slots=True)
class Taken:
    """A relation of a reading as a row, beside what it was."""

    id: int
    customer_id: int
    contact_id: int
    account_id: int
    relation: Relation
    before: Row | None
    state: str

    @property
    def begins(self) -> bool:
        """They were not, or had ceased to be, in contact."""
        if self.state != "active":
            return False
        before = self.before
        return before is None or before["state"] == "half" or before["added_at"] != self.relation.added_at

    @property
    def tags_before(self) -> Sequence[str]:
        return self.before["tags"] if self.before is not None else ()


async def write_links(
    work: Work,
    number: int,
    relations: Sequence[Relation],
    people: Mapping[str, Resolved],
    accounts: Mapping[tuple[str, str], int],
) -> list[Taken]:
    """Writes what is newer than what is there; older readings change nothing."""
    wanted: dict[tuple[int, int], Relation] = {}
    customers: dict[int, int] = {}
    for relation in relations:
        person, account_id = (
            people.get(clean(relation.contact.external_id)),
            accounts.get(account_key(relation.account)),
        )
        if person is not None and account_id is not None:
            wanted[person.contact_id, account_id] = relation
            customers[person.contact_id] = person.customer_id
    if not wanted:
        return []
    pairs = sorted(wanted)
    rows = await work.tx.fetch(KNOWN, [pair[0] for pair in pairs], [pair[1] for pair in pairs])
    known = {(row["contact_id"], row["account_id"]): row for row in rows}
    newer = [pair for pair in pairs if pair not in known or known[pair]["read_no"] <= number]
    states = {pair: _state(known.get(pair), wanted[pair]) for pair in newer}
    values = [_values(pair, wanted[pair], *states[pair]) for pair in newer]
    written = await work.tx.fetch(WRITE, values, number, work.now) if values else []
    return [
        Taken(row["id"], customers[pair[0]], *pair, wanted[pair], known.get(pair), states[pair][0])
        for row in written
        if (pair := (row["contact_id"], row["account_id"])) in wanted
    ]


async def end_missing(
    work: Work, connection_id: int, number: int, contact_ids: Sequence[int], told: Sequence[int]
) -> list[Row]:
    """Of these contacts every relation was told: what is not in ``told`` is over."""
    if not contact_ids:
        return []
    return await work.tx.fetch(END, connection_id, list(contact_ids), list(told), number, work.now)


def _state(before: Row | None, relation: Relation) -> tuple[str, datetime | None]:
    if before is not None and before["state"] == "deleted_by_contact" and before["ended_at"] >= relation.added_at:
        return "deleted_by_contact", before["ended_at"]
    return "active", None


def _values(pair: tuple[int, int], relation: Relation, state: str, ended_at: datetime | None) -> dict[str, Any]:
    words = relation.way_words
    return {
        "contact_id": pair[0],
        "account_id": pair[1],
        "state": state,
        "added_at": relation.added_at,
        "ended_at": ended_at,
        "remark": clean(relation.remark),
        "description": clean(relation.description),
        "company": clean(relation.company),
        "phones": [clean(phone) for phone in relation.phones],
        "tags": sorted({clean(tag) for tag in relation.tags}),
        "way": clean(relation.way),
        "way_words": {"zh": words.zh, "en": words.en} if words is not None else None,
        "source": clean(relation.source),
        "by_contact": relation.by_contact,
    }
