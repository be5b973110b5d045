"""A platform's word that a customer agreed: asked about at once, not tomorrow."""

from __future__ import annotations

from scrm.channel import Occurrence
from scrm.channel_archive import KnowsConsent
from scrm.normalise import Batch
from scrm.services import Work

APPROVED = "contact.archive_approved"
DUE = """
insert into archive_consent as x (account_id, contact_id, connection_id, due_at)
select a.id, k.id, $1, $4 from unnest($2::text[], $3::text[]) w (member, contact)
join account a on a.connection_id = $1 and a.external_id = w.member
join archive_people p on p.connection_id = $1 and p.channel = a.channel
join contact k on k.connection_id = $1 and k.external_id = w.contact
order by a.id, k.id on conflict (account_id, contact_id) do update set due_at = least(x.due_at, $4)
"""
NOW = "update archive_people set due_at = least(due_at, $2) where connection_id = $1"


async def heed(work: Work, batch: Batch) -> None:
    """A handler of the normaliser."""
    if not isinstance(batch.connection.adapter, KnowsConsent):
        return
    pairs = {
        (event.account.external_id, event.contact.external_id)
        for item in batch.items
        if isinstance(event := item.event, Occurrence) and event.name == APPROVED and event.account and event.contact
    }
    if not pairs:
        return
    members, contacts = [one for one, _ in pairs], [one for _, one in pairs]
    await work.tx.execute(DUE, batch.connection.id, members, contacts, work.now)
    await work.tx.execute(NOW, batch.connection.id, work.now)
    work.ring("consent", batch.connection.id)
