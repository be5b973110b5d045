"""The company's own people and departments as a platform knows them. Who left is marked and never removed; those whose customers wait
are told to the managers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from customers.sync.left import tell_managers
from customers.sync.readings import clean
from scrm.channel import AccountRef, Sentence
from scrm.channel_contacts import Department, Member
from scrm.connections import ensure_accounts
from scrm.errors import Rejected
from scrm.services import Work

FEW = 10
"""So many people may be missing at once; more of them only when it is less than half."""
SHRUNK_CODE = "directory.shrunk"
SHRUNK = Sentence(
    "通讯录中一次少了过多成员，请检查应用的可见范围；在确认之前不会把他们标记为离职。",
    "Too many people are missing in the directory at once. Check what the app may see; until then nobody is marked as left.",
)

LOCK = "select pg_advisory_xact_lock(hashtext('sync.directory'), $1::int)"
WRITE = """
insert into directory_member as m (connection_id, external_id, name, avatar, position, departments, status, serves, left_at, seen_at, updated_at)
select $1, w.external_id, w.name, w.avatar, w.position, w.departments, w.status, w.serves,
  case when w.status = 'left' then $3::timestamptz end, $3, $3
from jsonb_to_recordset($2) w (external_id text, name text, avatar text, position text, departments text[], status text, serves boolean)
order by w.external_id
on conflict (connection_id, external_id) do update set name = excluded.name, avatar = excluded.avatar, position = excluded.position,
  departments = excluded.departments, status = excluded.status, serves = excluded.serves, seen_at = $3,
  left_at = case when excluded.status = 'left' then coalesce(m.left_at, $3) end,
  updated_at = case when (m.name, m.position, m.departments, m.status, m.serves) is distinct from
    (excluded.name, excluded.position, excluded.departments, excluded.status, excluded.serves) then $3 else m.updated_at end
"""
MISSING = """
select external_id from directory_member
where connection_id = $1 and left_at is null and not external_id = any($2::text[])
"""
LEAVE = """
update directory_member set left_at = $3, status = 'left', serves = false, updated_at = $3
where connection_id = $1 and external_id = any($2::text[]) and left_at is null
"""
JUST_LEFT = "select external_id from directory_member where connection_id = $1 and left_at = $2"
SEES_AGAIN = """
update connection_health set attention = null where connection_id = $1 and attention->>'code' = $2
"""
RENAME = """
update account a set name = m.name from directory_member m
where m.connection_id = $1 and a.connection_id = $1 and a.channel = any($2::text[]) and a.external_id = m.external_id
  and m.name <> '' and a.name <> m.name
"""
DEPARTMENTS = """
insert into directory_department as d (connection_id, external_id, name, parent_id, position)
select $1, w.external_id, w.name, w.parent_id, w.position
from jsonb_to_recordset($2) w (external_id text, name text, parent_id text, position int) order by w.external_id
on conflict (connection_id, external_id) do update set name = excluded.name, parent_id = excluded.parent_id, position = excluded.position
"""
NO_DEPARTMENT = "delete from directory_department where connection_id = $1 and not external_id = any($2::text[])"


async def take_directory(
    work: Work, connection_id: int, departments: Sequence[Department], members: Sequence[Member]
) -> int:
    """The whole directory. Returns how many are there. Raises :class:`Rejected` when it looks as if the app had lost its sight."""
    await work.tx.execute(LOCK, connection_id)
    ids = [clean(one.external_id) for one in members]
    missing = [row["external_id"] for row in await work.tx.fetch(MISSING, connection_id, ids)]
    if len(missing) > FEW and len(missing) > len(ids):
        raise Rejected(SHRUNK_CODE, SHRUNK, needs_admin=True)
    await work.tx.execute(WRITE, connection_id, [_member(one) for one in members], work.now)
    await work.tx.execute(LEAVE, connection_id, missing, work.now)
    await work.tx.execute(DEPARTMENTS, connection_id, [_department(one) for one in departments])
    await work.tx.execute(NO_DEPARTMENT, connection_id, [clean(one.external_id) for one in departments])
    await work.tx.execute(SEES_AGAIN, connection_id, SHRUNK_CODE)
    left = [row["external_id"] for row in await work.tx.fetch(JUST_LEFT, connection_id, work.now)]
    await tell_managers(work, connection_id, left)
    work.ring("relation", connection_id)
    return len(ids)


async def take_accounts(
    work: Work, connection_id: int, refs: Sequence[AccountRef], members: Mapping[str, Member]
) -> None:
    """An account for everybody who serves, under the name that the directory has."""
    named = []
    for ref in refs:
        known = members.get(ref.external_id)
        name, avatar = (known.name, known.avatar) if known is not None else ("", "")
        named.append((ref.channel, clean(ref.external_id), clean(ref.name or name), clean(ref.avatar or avatar)))
    if named:
        await ensure_accounts(work.tx, connection_id, named)
        await work.tx.execute(RENAME, connection_id, sorted({ref.channel for ref in refs}))
        work.ring("account")


def _member(one: Member) -> dict[str, Any]:
    return {
        "external_id": clean(one.external_id),
        "name": clean(one.name),
        "avatar": clean(one.avatar),
        "position": clean(one.position),
        "departments": [clean(department) for department in one.department_ids],
        "status": one.status,
        "serves": one.serves,
    }


def _department(one: Department) -> dict[str, Any]:
    return {
        "external_id": clean(one.external_id),
        "name": clean(one.name),
        "parent_id": clean(one.parent_id),
        "position": one.order,
    }
