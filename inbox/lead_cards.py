"""Cards on which customers left their number: a platform that asks for it has checked it, so it says who they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from customers.identity.acts import unit
from customers.identity.join import join_phone
from customers.phones import normalised
from inbox.arrivals import Arrival
from inbox.contacts import contacts_renamed
from scrm import jobs
from scrm.channel import Kind
from scrm.jobs import Job
from scrm.masking import is_phone
from scrm.services import Services, Work

LEARN_PHONE = "learn_phone"
MOST = 5
"""Numbers of one card."""


async def note_numbers(work: Work, arrivals: Sequence[Arrival]) -> None:
    """Whoever turns out to be somebody known is joined later, in a unit of work of its own: messages do not wait for it."""
    found: dict[str, dict[str, Any]] = {}
    for one in arrivals:
        if one.event.kind is not Kind.LEAD_CARD or one.event.direction != "in" or one.conversation.contact_id is None:
            continue
        for phone in numbers_on(one.event.content):
            key = f"{one.conversation.contact_id}:{phone}"
            found[key] = {"contact_id": one.conversation.contact_id, "phone": phone}
    if found:
        at = work.now.isoformat()
        await jobs.put(work, LEARN_PHONE, [f"{key}:{at}" for key in found], list(found.values()))


def numbers_on(content: Any) -> list[str]:
    """Normalised. Only of a card that was filled in."""
    if not isinstance(content, dict) or content.get("status") != "filled":
        return []
    found = []
    for field in content.get("fields") or []:
        label, value = str(field.get("label", "")), str(field.get("value", ""))
        if is_phone(label, value) and (phone := normalised(value)) is not None:
            found.append(phone)
    return list(dict.fromkeys(found))[:MOST]


async def learn_phone(services: Services, job: Job) -> None:
    async def act(work: Work) -> None:
        customer = await work.tx.fetchval("select customer_id from contact where id = $1", job.payload["contact_id"])
        if customer is not None:
            await join_phone(work, int(customer), job.payload["phone"], "lead_card", contacts_renamed)

    await unit(services, act)
