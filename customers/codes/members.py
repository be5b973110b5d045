"""Whom a code may add: the members of connections on which codes can be made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scrm.channel_contacts import MakesContactCodes
from scrm.connections import Connections
from scrm.db import Tx
from scrm.errors import Unprocessable
from scrm.views import View

# A member is an account with the member's own id; other accounts of the connection are none.
MEMBERS = """
select a.id, a.connection_id, d.serves, d.status, coalesce(nullif(d.name, ''), a.name) as name, a.team_id,
  coalesce(nullif(d.avatar, ''), a.avatar) as avatar, d.position
from account a join directory_member d on d.connection_id = a.connection_id and d.external_id = a.external_id
where a.connection_id = any($1::bigint[]) and a.disabled_at is null and d.status = 'active'
order by d.serves desc, name, a.id
"""
THERE = """
select count(*) from account a join directory_member d on d.connection_id = a.connection_id and d.external_id = a.external_id
where a.connection_id = $1 and a.id = any($2::bigint[])
"""


class MemberView(View):
    """``serves``: customers may add this member, as far as the platform told."""

    account_id: int
    name: str
    avatar: str
    position: str
    team_id: int | None
    serves: bool


class MakerView(View):
    """A connection on which codes can be made, with its limits."""

    connection_id: int
    name: str
    most_members: int
    remark_limit: int
    members: list[MemberView]


class MakerList(View):
    makers: list[MakerView]


def makers(connections: Connections) -> dict[int, Mapping[str, int]]:
    """The limits of codes, by connection."""
    return {
        loaded.id: loaded.adapter.code_limits
        for loaded in connections.all()
        if isinstance(loaded.adapter, MakesContactCodes)
    }


async def maker_list(tx: Tx, connections: Connections) -> MakerList:
    able = makers(connections)
    members: dict[int, list[MemberView]] = {connection_id: [] for connection_id in able}
    for row in await tx.fetch(MEMBERS, list(able)):
        members[row["connection_id"]].append(
            MemberView(
                account_id=row["id"],
                name=row["name"],
                avatar=row["avatar"],
                position=row["position"],
                team_id=row["team_id"],
                serves=row["serves"],
            )
        )
    return MakerList(
        makers=[
            MakerView(
                connection_id=loaded.id,
                name=loaded.name,
                most_members=able[loaded.id]["accounts"],
                remark_limit=able[loaded.id]["remark"],
                members=members[loaded.id],
            )
            for loaded in connections.all()
            if loaded.id in able
        ]
    )


async def check_members(tx: Tx, connection_id: int, account_ids: Sequence[int]) -> None:
    """Raises :class:`Unprocessable` when one of them is no member there."""
    wanted = list(set(account_ids))
    if await tx.fetchval(THERE, connection_id, wanted) != len(wanted):
        raise Unprocessable(
            "One of these is no member on this connection.", fields={"account_ids": "Choose the members again."}
        )
