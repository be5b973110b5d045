"""Which side of a recall is ours.

Some platforms say who withdrew a message and whose screen it vanished from, but not which of the two is the business account.
The accounts that exist decide: a recall never makes an account of a customer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from inbox.text import clean
from scrm.channel import AccountRef, ContactRef, MessageRecalled
from scrm.normalise import Item
from scrm.services import Work


async def orient_recalls(work: Work, connection_id: int, items: Sequence[Item]) -> list[Item]:
    """The items, with recalls turned round whose contact is an account of ours and whose account is not."""
    recalls = [item.event for item in items if isinstance(item.event, MessageRecalled)]
    if not recalls:
        return list(items)
    sides = {clean(one) for event in recalls for one in (event.account.external_id, event.contact.external_id)}
    rows = await work.tx.fetch(
        "select channel, external_id from account where connection_id = $1 and external_id = any($2::text[])",
        connection_id,
        sorted(sides),
    )
    ours = {(row["channel"], row["external_id"]) for row in rows}
    return [
        replace(item, event=_turned(item.event))
        if isinstance(item.event, MessageRecalled) and _wrong(item.event, ours)
        else item
        for item in items
    ]


def _wrong(event: MessageRecalled, ours: set[tuple[str, str]]) -> bool:
    channel = event.account.channel
    return (channel, clean(event.account.external_id)) not in ours and (
        channel,
        clean(event.contact.external_id),
    ) in ours


def _turned(event: MessageRecalled) -> MessageRecalled:
    return replace(
        event,
        account=AccountRef(event.account.channel, event.contact.external_id),
        contact=ContactRef(event.account.external_id),
        by="customer" if event.by == "agent" else "agent",
    )
