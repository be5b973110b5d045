"""People got other names: the conversations that show them changed."""

from __future__ import annotations

from collections.abc import Sequence

from inbox.rows import lock, save
from scrm.services import Work


async def contacts_renamed(work: Work, contact_ids: Sequence[int]) -> None:
    found = await work.tx.fetch("select id from conversation where contact_id = any($1::bigint[])", list(contact_ids))
    conversations = await lock(work, [row["id"] for row in found])
    for conversation in conversations.values():
        conversation.next_version()
    await save(work, conversations.values())
