"""Who agents are on platforms, so that they can sign in there."""

from __future__ import annotations

from datetime import datetime

from scrm.channel import SignsPeopleIn
from scrm.connections import Connections, Loaded
from scrm.db import Tx
from scrm.errors import Conflict, NotFound, Unprocessable
from scrm.services import Services, Work
from scrm.trail import record
from scrm.views import SentenceView, View, sentence_view

LIST = """
select i.id, i.connection_id, i.external_id, i.created_at, i.used_at, c.name as connection_name, c.provider
from agent_identity i join connection c on c.id = i.connection_id where i.agent_id = $1 order by i.id
"""
BIND = """
insert into agent_identity (agent_id, connection_id, external_id, created_at) values ($1, $2, $3, $4)
on conflict (connection_id, external_id) do nothing returning id
"""
WHOSE = """
update agent_identity set used_at = $3 where connection_id = $1 and external_id = $2 returning agent_id
"""


class IdentityView(View):
    id: int
    connection_id: int
    connection_name: str
    platform: SentenceView
    external_id: str
    created_at: datetime
    used_at: datetime | None


async def list_identities(tx: Tx, agent_id: int, connections: Connections) -> list[IdentityView]:
    providers = connections.providers()
    found = []
    for row in await tx.fetch(LIST, agent_id):
        title = providers[row["provider"]].title if row["provider"] in providers else None
        platform = sentence_view(title, row["provider"]) or SentenceView(
            code=row["provider"], zh=row["provider"], en=row["provider"]
        )
        found.append(
            IdentityView(
                id=row["id"],
                connection_id=row["connection_id"],
                connection_name=row["connection_name"],
                platform=platform,
                external_id=row["external_id"],
                created_at=row["created_at"],
                used_at=row["used_at"],
            )
        )
    return found


async def bind(work: Work, agent_id: int, connection_id: int, external_id: str, *, by: int, address: str = "") -> int:
    """Raises :class:`Conflict` when this person of the platform is an agent already."""
    made: int | None = await work.tx.fetchval(BIND, agent_id, connection_id, external_id, work.now)
    if made is None:
        raise Conflict("This person is bound to an agent already.", code="identity_taken")
    await record(
        work, "identity.bound", agent_id=by, object_kind="agent", object_id=agent_id, address=address,
        detail={"connection_id": connection_id, "external_id": external_id},
    )  # fmt: skip
    return made


async def unbind(work: Work, agent_id: int, identity_id: int, *, by: int, address: str = "") -> None:
    gone = await work.tx.fetchrow(
        "delete from agent_identity where id = $1 and agent_id = $2 returning connection_id, external_id",
        identity_id, agent_id,
    )  # fmt: skip
    if gone is None:
        raise NotFound("There is no such binding.")
    await record(
        work, "identity.unbound", agent_id=by, object_kind="agent", object_id=agent_id, address=address,
        detail=dict(gone),
    )  # fmt: skip


async def whose(work: Work, connection_id: int, external_id: str) -> int | None:
    """The agent who is this person of the platform."""
    agent_id: int | None = await work.tx.fetchval(WHOSE, connection_id, external_id, work.now)
    return agent_id


def ways_in(connections: Connections) -> list[tuple[Loaded, SignsPeopleIn]]:
    """Connections where people can sign in."""
    return [
        (loaded, loaded.adapter)
        for loaded in connections.all()
        if not loaded.paused and isinstance(loaded.adapter, SignsPeopleIn) and loaded.adapter.signs_in
    ]


async def signing_adapter(services: Services, connection_id: int) -> SignsPeopleIn:
    """Raises :class:`NotFound`, :class:`Unprocessable` when nobody can sign in there."""
    adapter = (await services.connections.get(connection_id)).adapter
    if not isinstance(adapter, SignsPeopleIn) or not adapter.signs_in:
        raise Unprocessable(
            "Nobody can sign in at this platform.", fields={"connection_id": "Cannot be used to sign in."}
        )
    return adapter
