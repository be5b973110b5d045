"""Customer groups with everybody who is or was in them. Joins and leaves are the difference between two readings; who left stays as a
row with ``left_at``, and a group that is dissolved stays with its people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from customers.sync.readings import clean
from customers.timeline import Line, tell
from scrm.channel_contacts import CustomerGroup
from scrm.db import Row
from scrm.services import Work

WRITE = """
insert into group_chat as g (connection_id, external_id, name, notice, owner_id, admins, version_there, members, contacts, read_no,
  seen_at, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::timestamptz, coalesce($12::timestamptz, $11))
on conflict (connection_id, external_id) do update set name = excluded.name, notice = excluded.notice, owner_id = excluded.owner_id,
  admins = excluded.admins, version_there = excluded.version_there, members = excluded.members, contacts = excluded.contacts,
  read_no = excluded.read_no, seen_at = excluded.seen_at, created_at = least(g.created_at, excluded.created_at), dissolved_at = null
where g.read_no <= excluded.read_no
returning id
"""
DISSOLVE = """
update group_chat set dissolved_at = $4, read_no = $3 where connection_id = $1 and external_id = $2 and dissolved_at is null
  and read_no <= $3 returning id
"""
MEMBERS = (
    "select id, external_id, contact_id, left_at from group_member where group_chat_id = $1 order by id for update"
)
ENTER = """
insert into group_member as m (group_chat_id, external_id, kind, contact_id, name, joined_at, scene, invited_by, source)
select $1, w.external_id, w.kind, k.id, w.name, coalesce(w.joined_at, $4::timestamptz), w.scene, w.invited_by, w.source
from jsonb_to_recordset($3) w (external_id text, kind text, name text, joined_at timestamptz, scene text, invited_by text, source text)
left join contact k on w.kind = 'contact' and k.connection_id = $2 and k.external_id = w.external_id
order by w.external_id
on conflict (group_chat_id, external_id) do update set kind = excluded.kind, contact_id = coalesce(excluded.contact_id, m.contact_id),
  name = excluded.name, joined_at = excluded.joined_at, scene = excluded.scene, invited_by = excluded.invited_by,
  source = excluded.source, left_at = null
where (m.kind, m.contact_id, m.name, m.joined_at, m.scene, m.invited_by, m.source, m.left_at) is distinct from
  (excluded.kind, coalesce(excluded.contact_id, m.contact_id), excluded.name, excluded.joined_at, excluded.scene,
   excluded.invited_by, excluded.source, null)
"""
LEAVE = "update group_member set left_at = $2 where id = any($1::bigint[])"
CUSTOMERS = """
select m.external_id, m.contact_id, m.joined_at, k.customer_id from group_member m join contact k on k.id = m.contact_id
where m.group_chat_id = $1 and m.external_id = any($2::text[])
"""
OWNER_STATES = """
update group_chat g set owner_state = w.state from unnest($2::text[], $3::text[]) w (external_id, state)
where g.connection_id = $1 and g.external_id = w.external_id and g.owner_state <> w.state
"""
UNSEEN = """
select external_id from group_chat where connection_id = $1 and dissolved_at is null and read_no < $2
"""


async def take_group(
    work: Work, connection_id: int, number: int, external_id: str, group: CustomerGroup | None
) -> None:
    """One group, whole; None: it was dissolved. An older reading than the one that is there changes nothing."""
    if group is None:
        await work.tx.execute(DISSOLVE, connection_id, external_id, number, work.now)
        work.ring("relation", connection_id)
        return
    group_id = await work.tx.fetchval(
        WRITE, connection_id, clean(group.external_id), clean(group.name), clean(group.notice), clean(group.owner_id),
        sorted(clean(one) for one in group.admin_ids), clean(group.version), len(group.members),
        sum(one.kind == "contact" for one in group.members), number, work.now, group.created_at,
    )  # fmt: skip
    if group_id is None:
        return
    await _members(work, connection_id, group_id, group)
    work.ring("relation", connection_id)


async def _members(work: Work, connection_id: int, group_id: int, group: CustomerGroup) -> None:
    known = {row["external_id"]: row for row in await work.tx.fetch(MEMBERS, group_id)}
    people = {clean(one.external_id): one for one in group.members}
    values: list[dict[str, Any]] = [
        {
            "external_id": external_id,
            "kind": one.kind,
            "name": clean(one.name),
            "joined_at": one.joined_at,
            "scene": clean(one.scene),
            "invited_by": clean(one.invited_by),
            "source": clean(one.source),
        }
        for external_id, one in people.items()
    ]
    await work.tx.execute(ENTER, group_id, connection_id, values, work.now)
    came = [one for one in people if one not in known or known[one]["left_at"] is not None]
    went = [one for one, row in known.items() if one not in people and row["left_at"] is None]
    await work.tx.execute(LEAVE, [known[one]["id"] for one in went], work.now)
    about = {"group": clean(group.name)}
    lines = [_line(row, "group.joined", group_id, about) for row in await _customers(work, group_id, came)]
    lines += [_line(row, "group.left", group_id, about) for row in await _customers(work, group_id, went)]
    await tell(work, lines)


async def _customers(work: Work, group_id: int, external_ids: Sequence[str]) -> list[Row]:
    return await work.tx.fetch(CUSTOMERS, group_id, list(external_ids)) if external_ids else []


def _line(row: Row, kind: str, group_id: int, about: dict[str, str]) -> Line:
    at = row["joined_at"] if kind == "group.joined" else None
    return Line(
        row["customer_id"],
        kind,
        at=at,
        contact_id=row["contact_id"],
        object_kind="group",
        object_id=group_id,
        data=about,
    )


async def note_owner_states(work: Work, connection_id: int, states: Sequence[tuple[str, str]]) -> None:
    """``normal``, ``owner_left``, ``moving``, ``moved``: told by the list of groups only."""
    await work.tx.execute(OWNER_STATES, connection_id, [one for one, _ in states], [state for _, state in states])


async def unseen(work: Work, connection_id: int, first_no: int) -> list[str]:
    """Groups that the list did not name: perhaps dissolved."""
    return [row["external_id"] for row in await work.tx.fetch(UNSEEN, connection_id, first_no)]
