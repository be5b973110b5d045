"""The persons of a reading as contacts, and what they tell of their customers: only what nobody has written down yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from customers.phones import Number, note_phones
from customers.resolve import Resolved, resolve
from customers.sync.readings import clean, clean_contact
from scrm.channel import ContactRef
from scrm.channel_contacts import Person, Relation
from scrm.services import Work

DESCRIBE = """
update contact c set kind = case when w.kind <> '' then w.kind else c.kind end,
  profile = case when w.profile <> '{}' then w.profile else c.profile end, updated_at = $2
from jsonb_to_recordset($1) w (id bigint, kind text, profile jsonb)
where c.id = w.id and ((w.kind <> '' and c.kind <> w.kind) or (w.profile <> '{}' and c.profile <> w.profile))
"""
# The code that was scanned is told by the part of the service that keeps codes; here it is the way in which they met.
FILL = """
update customer u set company = coalesce(nullif(u.company, ''), w.company), position = coalesce(nullif(u.position, ''), w.position),
  gender = coalesce(nullif(u.gender, ''), w.gender), phone = coalesce(nullif(u.phone, ''), w.phone),
  source = coalesce(nullif(u.source, ''), w.source), updated_at = $2
from jsonb_to_recordset($1) w (id bigint, company text, position text, gender text, phone text, source text)
where u.id = w.id and ((u.company = '' and w.company <> '') or (u.position = '' and w.position <> '')
  or (u.gender = '' and w.gender <> '') or (u.phone = '' and w.phone <> '') or (u.source = '' and w.source <> ''))
returning u.id
"""
LEAVES_STRANGERS = """
update group_member m set contact_id = k.id from contact k
where m.contact_id is null and m.kind = 'contact' and k.id = any($1::bigint[]) and m.external_id = k.external_id
  and exists (select from group_chat g where g.id = m.group_chat_id and g.connection_id = k.connection_id)
"""


async def take_people(
    work: Work, connection_id: int, persons: Sequence[Person], others: Iterable[ContactRef]
) -> dict[str, Resolved]:
    """The contacts, made where they are new. The caller holds the connection's lock."""
    refs = [clean_contact(person.contact) for person in persons] + [clean_contact(ref) for ref in others]
    people = await resolve(work, connection_id, refs, ask_profiles=False)
    told = [
        {"id": people[clean(one.contact.external_id)].contact_id, "kind": one.kind, "profile": _cleaned(one.profile)}
        for one in persons
        if clean(one.contact.external_id) in people
    ]
    if told:
        await work.tx.execute(DESCRIBE, told, work.now)
    await work.tx.execute(LEAVES_STRANGERS, [one.contact_id for one in people.values()])
    return people


async def fill_customers(
    work: Work, people: Mapping[str, Resolved], persons: Sequence[Person], relations: Sequence[Relation]
) -> None:
    """Company, position, gender, phone and source where they are empty; every phone of a relation among the customer's numbers."""
    facts: dict[int, dict[str, Any]] = {}

    def say(external_id: str, **told: str) -> None:
        person = people.get(clean(external_id))
        if person is not None:
            own = facts.setdefault(
                person.customer_id,
                {"id": person.customer_id, "company": "", "position": "", "gender": "", "phone": "", "source": ""},
            )
            own.update({key: clean(value) for key, value in told.items() if value and not own[key]})

    for person in persons:
        say(person.contact.external_id, company=person.company, position=person.position, gender=person.gender)
    numbers: list[Number] = []
    for relation in sorted(relations, key=lambda one: one.added_at):
        phones = [phone for phone in relation.phones if phone and "*" not in phone]
        way = relation.way_words.zh if relation.way_words is not None and not relation.source else ""
        say(relation.contact.external_id, company=relation.company, phone=phones[0] if phones else "", source=way)
        known = people.get(clean(relation.contact.external_id))
        numbers += [Number(known.customer_id, clean(phone), "relation") for phone in phones] if known else []
    told = [one for one in facts.values() if any(one[key] for key in one if key != "id")]
    if told:
        filled = await work.tx.fetch(FILL, sorted(told, key=lambda one: int(one["id"])), work.now)
        work.ring("customer", *(row["id"] for row in filled))
    await note_phones(work, numbers)


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {clean(str(key)): _cleaned(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(item) for item in value]
    return value
