"""Phone numbers as what they are: digits with the country's code. What is masked, or no number that can exist, is never kept as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import phonenumbers

from scrm.services import Work

REGION = "CN"

INSERT = """
insert into phone_number (customer_id, phone, verified, source, created_at)
select w.customer_id, w.phone, false, w.source, $4 from unnest($1::bigint[], $2::text[], $3::text[]) w (customer_id, phone, source)
on conflict (customer_id, phone) do nothing
"""
FORGET = """
delete from phone_number where customer_id = $1 and phone = $2 and not verified and source = 'hand'
"""


@dataclass(frozen=True, slots=True)
class Number:
    """A number that was said to be a customer's. ``source``: ``hand``, ``relation``, ``import``, ``lead_card``, ..."""

    customer_id: int
    text: str
    source: str


def normalised(text: str, region: str = REGION) -> str | None:
    """``+8613812345678``; None for a masked number and for what no telephone has."""
    if not text or "*" in text or "x" in text.lower():
        return None
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


async def note_phones(work: Work, numbers: Sequence[Number]) -> None:
    """Keeps numbers that nobody has verified; what is no number is left out. Any number of customers in one statement."""
    found = [(one.customer_id, phone, one.source) for one in numbers if (phone := normalised(one.text)) is not None]
    if found:
        customers, phones, sources = zip(*found, strict=True)
        await work.tx.execute(INSERT, customers, phones, sources, work.now)


async def note_main_phone(work: Work, customer_id: int, before: str, now: str) -> None:
    """The number on the customer's page was changed by hand: the old one goes, unless somebody else than a person said it."""
    old, new = normalised(before), normalised(now)
    if old is not None and old != new:
        await work.tx.execute(FORGET, customer_id, old)
    await note_phones(work, [Number(customer_id, now, "hand")])
