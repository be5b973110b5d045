"""Everything that happened on a platform besides messages, kept for the parts of the service that care."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from customers.resolve import Resolved
from inbox.text import clean, clean_json
from scrm.channel import Occurrence
from scrm.normalise import Item
from scrm.services import Work


async def keep(
    work: Work,
    connection_id: int,
    occurrences: Sequence[tuple[Item, Occurrence]],
    accounts: Mapping[tuple[str, str], int],
    people: Mapping[str, Resolved],
) -> None:
    if not occurrences:
        return
    await work.tx.execute(
        "insert into platform_event (inbound_event_id, ordinal, connection_id, name, at, account_id, contact_id, data) "
        "select w.inbound_event_id, w.ordinal, $8, w.name, w.at, w.account_id, w.contact_id, w.data from unnest($1::bigint[], "
        "$2::int[], $3::text[], $4::timestamptz[], $5::bigint[], $6::bigint[], $7::jsonb[]) w (inbound_event_id, ordinal, "
        "name, at, account_id, contact_id, data) on conflict (inbound_event_id, ordinal) do nothing",
        [item.inbound_event_id for item, _ in occurrences],
        [item.ordinal for item, _ in occurrences],
        [clean(event.name) for _, event in occurrences],
        [event.at for _, event in occurrences],
        [
            accounts.get((event.account.channel, clean(event.account.external_id))) if event.account else None
            for _, event in occurrences
        ],
        [
            person.contact_id if event.contact and (person := people.get(clean(event.contact.external_id))) else None
            for _, event in occurrences
        ],
        [clean_json(event.data) for _, event in occurrences],
        connection_id,
    )
    for _, event in occurrences:
        if event.needs_attention is not None:
            await work.tx.execute(
                "update connection_health set attention = $2 where connection_id = $1",
                connection_id,
                {"code": event.name, "zh": event.needs_attention.zh, "en": event.needs_attention.en},
            )
