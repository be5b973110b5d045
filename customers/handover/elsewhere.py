"""The part of a handover that happens on a platform: whose relations and groups there go to whom.

Somebody is known there by their identity (``agent_identity``); an account is one by itself. Only connections that can hand relations
over (:class:`~scrm.channel_contacts.TransfersRelations`) take part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from customers.handover.parts import Source
from scrm.channel_contacts import TransfersRelations
from scrm.connections import Connections
from scrm.db import Tx

IDENTITIES = """
select agent_id, connection_id, external_id from agent_identity where agent_id = any($1::bigint[]) and connection_id = any($2::bigint[])
order by id
"""
ACCOUNT = "select connection_id, external_id from account where id = $1 and connection_id = any($2::bigint[])"
RELATIONS = """
select l.id, k.customer_id, k.external_id, a.connection_id, a.external_id as member
from contact_link l join account a on a.id = l.account_id join contact k on k.id = l.contact_id
join unnest($1::bigint[], $2::text[]) w (connection_id, member) on a.connection_id = w.connection_id and a.external_id = w.member
where l.state = 'active' and ($3::bigint[] is null or k.customer_id = any($3)) order by l.id
"""
GROUPS = """
select g.id, g.external_id, g.connection_id, g.owner_id as member
from group_chat g join unnest($1::bigint[], $2::text[]) w (connection_id, member)
  on g.connection_id = w.connection_id and g.owner_id = w.member
where g.dissolved_at is null order by g.id
"""


@dataclass(frozen=True, slots=True)
class There:
    """A relation or a group on a platform. ``to_external`` empty: who takes it is not known there."""

    kind: Literal["relation", "group"]
    object_id: int
    customer_id: int | None
    connection_id: int
    external_id: str
    from_external: str


def able(connections: Connections) -> list[int]:
    """The connections that can hand relations over."""
    return [one.id for one in connections.all() if isinstance(one.adapter, TransfersRelations)]


async def find_there(tx: Tx, connections: Connections, source: Source) -> list[There]:
    """A part of somebody's customers goes without the groups."""
    ids = able(connections)
    if not ids:
        return []
    if source.kind == "account":
        members = [
            (row["connection_id"], row["external_id"]) for row in await tx.fetch(ACCOUNT, source.account_id, ids)
        ]
    else:
        rows = await tx.fetch(IDENTITIES, [source.agent_id], ids)
        members = [(row["connection_id"], row["external_id"]) for row in rows]
    if not members:
        return []
    places = ([one for one, _ in members], [one for _, one in members])
    found = [
        There("relation", row["id"], row["customer_id"], row["connection_id"], row["external_id"], row["member"])
        for row in await tx.fetch(RELATIONS, *places, source.customer_ids)
    ]
    if source.kind != "part":
        found += [
            There("group", row["id"], None, row["connection_id"], row["external_id"], row["member"])
            for row in await tx.fetch(GROUPS, *places)
        ]
    return found


async def identities(tx: Tx, connections: Connections, agent_ids: Sequence[int]) -> Mapping[tuple[int, int], str]:
    """Who the takers are there, by agent and connection; the first of several."""
    found: dict[tuple[int, int], str] = {}
    for row in await tx.fetch(IDENTITIES, list(agent_ids), able(connections)):
        found.setdefault((row["agent_id"], row["connection_id"]), row["external_id"])
    return found
