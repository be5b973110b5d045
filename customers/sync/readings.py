"""Looks at a platform are numbered before the question leaves: of two answers the one that was asked for later is newer, whichever
comes first and whichever process asked."""

from __future__ import annotations

from scrm.channel import AccountRef, ContactRef, KnowsContacts
from scrm.channel_contacts import KeepsTags, KnowsDirectory, KnowsGroups, KnowsRelations, WritesRelations
from scrm.connections import Loaded
from scrm.db import Database, Tx

NEXT = "select nextval('reading_no')"


async def next_number(tx: Tx | Database) -> int:
    return int(await tx.fetchval(NEXT))


def keeps_step(loaded: Loaded) -> bool:
    """Whether there is anything to be kept in step on this connection."""
    return isinstance(loaded.adapter, KnowsDirectory | KnowsRelations | KeepsTags | KnowsGroups | WritesRelations)


def clean(text: str) -> str:
    """The database holds every character but one."""
    return text.replace("\x00", "\ufffd") if "\x00" in text else text


def clean_contact(ref: ContactRef) -> ContactRef:
    return ContactRef(clean(ref.external_id), clean(ref.name), clean(ref.avatar), clean(ref.union_id))


def account_key(ref: AccountRef) -> tuple[str, str]:
    return ref.channel, clean(ref.external_id)


def asks_profiles(loaded: Loaded) -> bool:
    return isinstance(loaded.adapter, KnowsContacts)
