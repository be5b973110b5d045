"""Customer groups for people: the list, one group, and who is or was in it.

Somebody sees the groups of which they are a member themselves, those of accounts of their teams (and of no team), or all.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from customers.scope import SEEN, CustomerScope
from scrm.db import Row, Tx
from scrm.errors import NotFound
from scrm.permissions import Principal
from scrm.views import MAX_ID, Input, View

GROUP_SEEN = """
($1 or exists (select from agent_identity i where i.connection_id = g.connection_id and i.agent_id = $2 and (i.external_id = g.owner_id
    or exists (select from group_member o where o.group_chat_id = g.id and o.external_id = i.external_id and o.kind = 'member'
      and o.left_at is null)))
  or ($3::bigint[] is not null and exists (select from account s where s.connection_id = g.connection_id
    and s.external_id = g.owner_id and (s.team_id is null or s.team_id = any($3)))))
"""
COLUMNS = """
g.id, g.connection_id, g.name, g.notice, g.owner_id, g.owner_state, g.members, g.contacts, g.created_at, g.dissolved_at, g.seen_at,
  coalesce((select a.name from account a where a.connection_id = g.connection_id and a.external_id = g.owner_id order by a.id limit 1),
    (select m.name from directory_member m where m.connection_id = g.connection_id and m.external_id = g.owner_id and m.name <> ''),
    g.owner_id) as owner_name,
  (select max(m.joined_at) from group_member m where m.group_chat_id = g.id and m.left_at is null) as last_joined_at,
  (select count(*) from group_member m where m.group_chat_id = g.id and m.left_at is null and m.contact_id is not null) as customers
"""
LIST = f"""
select {COLUMNS} from group_chat g where {GROUP_SEEN}
  and ($4::bigint is null or g.id < $4) and ($5 = '' or position(lower($5) in lower(g.name)) > 0)
  and ($6 = '' or g.owner_id = $6)
  and case $7 when 'open' then g.dissolved_at is null when 'dissolved' then g.dissolved_at is not null
    when 'owner_left' then g.dissolved_at is null and g.owner_state = 'owner_left' else true end
order by g.id desc limit $8
"""  # noqa: S608 - made of constants
ONE = f"select {COLUMNS} from group_chat g where {GROUP_SEEN} and g.id = $4"  # noqa: S608
OWNERS = f"""
select o.owner_id as id, coalesce((select a.name from account a where a.connection_id = o.connection_id and a.external_id = o.owner_id
    order by a.id limit 1), o.owner_id) as name, o.n
from (select g.connection_id, g.owner_id, count(*) as n from group_chat g where {GROUP_SEEN} group by 1, 2 order by 3 desc limit 500) o
order by name
"""  # noqa: S608
# Customers whom the asker may not see are named as the group names them, without a way to their page.
PEOPLE = f"""
select m.id, m.external_id, m.kind, m.name, m.joined_at, m.left_at, m.scene, m.invited_by, m.source,
  (select u.id from contact k join customer u on u.id = k.customer_id where k.id = m.contact_id and u.deleted_at is null and {SEEN})
    as customer_id,
  (select i.agent_id from agent_identity i where m.kind = 'member' and i.connection_id = g.connection_id and i.external_id = m.external_id)
    as agent_id,
  coalesce((select k.avatar from contact k where k.id = m.contact_id), '') as avatar
from group_member m join group_chat g on g.id = m.group_chat_id
where m.group_chat_id = $4 and ($5::bigint is null or m.id > $5) and (m.left_at is not null) = $6
order by m.id limit $7
"""  # noqa: S608

State = Literal["all", "open", "owner_left", "dissolved"]


class GroupQuery(Input):
    q: Annotated[str, Field(max_length=100, pattern=r"^[^\x00]*$")] = ""
    owner: Annotated[str, Field(max_length=128, pattern=r"^[^\x00]*$")] = ""
    state: State = "open"
    before: Annotated[int, Field(ge=1, le=MAX_ID)] | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class PeopleQuery(Input):
    """``left``: those who are no longer in it."""

    left: bool = False
    after: Annotated[int, Field(ge=1, le=MAX_ID)] | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 200


class GroupChatView(View):
    """``customers``: of its people from outside, those whom we know."""

    id: int
    connection_id: int
    name: str
    notice: str
    owner_id: str
    owner_name: str
    owner_state: str
    members: int
    contacts: int
    customers: int
    created_at: datetime
    last_joined_at: datetime | None
    dissolved_at: datetime | None
    seen_at: datetime | None


class GroupOwner(View):
    id: str
    name: str
    n: int


class GroupPage(View):
    """``owners`` comes with the first page."""

    groups: list[GroupChatView]
    owners: list[GroupOwner] | None
    next_before: int | None


class GroupPerson(View):
    id: int
    kind: Literal["member", "contact"]
    name: str
    avatar: str
    joined_at: datetime | None
    left_at: datetime | None
    scene: str
    source: str
    customer_id: int | None
    agent_id: int | None


class GroupPeople(View):
    people: list[GroupPerson]
    next_after: int | None


async def group_page(tx: Tx, principal: Principal, query: GroupQuery) -> GroupPage:
    scope = CustomerScope.of(principal).arguments
    rows = await tx.fetch(LIST, *scope, query.before, query.q.strip(), query.owner, query.state, query.limit + 1)
    shown = rows[: query.limit]
    owners = None
    if query.before is None:
        owners = [GroupOwner(**row) for row in await tx.fetch(OWNERS, *scope)]
    more = shown[-1]["id"] if len(rows) > query.limit else None
    return GroupPage(groups=[GroupChatView(**row) for row in shown], owners=owners, next_before=more)


async def group_view(tx: Tx, principal: Principal, group_id: int) -> GroupChatView:
    """Raises :class:`NotFound`, also for what the asker may not see."""
    row = await tx.fetchrow(ONE, *CustomerScope.of(principal).arguments, group_id)
    if row is None:
        raise NotFound("There is no such group.")
    return GroupChatView(**row)


async def group_people(tx: Tx, principal: Principal, group_id: int, query: PeopleQuery) -> GroupPeople:
    """Raises :class:`NotFound`."""
    await group_view(tx, principal, group_id)
    scope = CustomerScope.of(principal).arguments
    rows = await tx.fetch(PEOPLE, *scope, group_id, query.after, query.left, query.limit + 1)
    shown = rows[: query.limit]
    return GroupPeople(
        people=[_person(row) for row in shown], next_after=shown[-1]["id"] if len(rows) > query.limit else None
    )


def _person(row: Row) -> GroupPerson:
    return GroupPerson(**{name: row[name] for name in GroupPerson.model_fields})
