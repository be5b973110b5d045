"""The relations of a customer, one for each employee and platform identity, and the groups they are in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from customers.scope import may_write
from scrm.channel_contacts import WritesRelations
from scrm.connections import Connections
from scrm.db import Row, Tx
from scrm.masking import masked
from scrm.permissions import CUSTOMERS_PHONE, Principal
from scrm.views import SentenceView, View, sentence_view

MOST = 200

RELATIONS = """
select l.*, k.name as contact_name, k.external_id, k.connection_id, n.name as connection_name, a.name as account_name,
  a.avatar as account_avatar, i.agent_id, m.left_at is not null as member_left
from contact k join contact_link l on l.contact_id = k.id join account a on a.id = l.account_id
join connection n on n.id = k.connection_id
left join agent_identity i on i.connection_id = a.connection_id and i.external_id = a.external_id
left join directory_member m on m.connection_id = a.connection_id and m.external_id = a.external_id
where k.customer_id = $1
order by l.state not in ('active', 'half'), coalesce(l.ended_at, l.added_at) desc nulls last, l.id desc limit $2
"""
NAMES = """
select l.connection_id, l.external_id, t.id, t.name, g.name as group_name, g.color from tag_link l join tag t on t.id = l.tag_id
join tag_group g on g.id = t.tag_group_id
where (l.connection_id, l.external_id) in (select * from unnest($1::bigint[], $2::text[]))
"""
GROUPS = """
select g.id, g.name, g.dissolved_at, m.joined_at, m.left_at, coalesce(a.name, g.owner_id) as owner_name
from contact k join group_member m on m.contact_id = k.id join group_chat g on g.id = m.group_chat_id
left join account a on a.id = (
  select a.id from account a where a.connection_id = g.connection_id and a.external_id = g.owner_id order by a.id limit 1)
where k.customer_id = $1 order by m.left_at is not null or g.dissolved_at is not null, m.joined_at desc, m.id desc limit $2
"""


class RelationTag(View):
    id: int
    name: str
    group: str
    color: str


class RelationView(View):
    """What is wished but not written yet is shown as if it were, with ``pending``. ``problem``: why the last wish was refused."""

    id: int
    account_id: int
    account_name: str
    account_avatar: str
    agent_id: int | None
    connection_name: str
    contact_id: int
    contact_name: str
    state: str
    added_at: datetime | None
    ended_at: datetime | None
    member_left: bool
    remark: str
    description: str
    company: str
    phones: list[str]
    tags: list[RelationTag]
    way: SentenceView | None
    source: str
    by_contact: bool
    approved_at: datetime | None
    pending: bool
    problem: SentenceView | None
    limits: dict[str, int]
    """The most characters of ``remark``, ``description``, ``company`` and the most ``phones``; empty: nothing can be written."""


class CustomerGroupView(View):
    id: int
    name: str
    owner_name: str
    joined_at: datetime | None
    left_at: datetime | None
    dissolved_at: datetime | None


class RelationsView(View):
    relations: list[RelationView]
    groups: list[CustomerGroupView]
    may_write: bool
    sees_phones: bool


async def relations_view(
    tx: Tx, principal: Principal, connections: Connections, customer_id: int, *, changeable: bool
) -> RelationsView:
    rows = await tx.fetch(RELATIONS, customer_id, MOST)
    pairs = sorted({(row["connection_id"], tag) for row in rows for tag in row["tags"]})
    known = await tx.fetch(NAMES, [one for one, _ in pairs], [tag for _, tag in pairs])
    tags = {
        (row["connection_id"], row["external_id"]): RelationTag(
            id=row["id"], name=row["name"], group=row["group_name"], color=row["color"] or "grey"
        )
        for row in known
    }
    phones = principal.may(CUSTOMERS_PHONE)
    groups = await tx.fetch(GROUPS, customer_id, MOST)
    return RelationsView(
        relations=[relation_view(row, tags, connections, phones=phones) for row in rows],
        groups=[CustomerGroupView(**row) for row in groups],
        may_write=changeable and may_write(principal),
        sees_phones=phones,
    )


def relation_view(
    row: Row, tags: Mapping[tuple[int, str], RelationTag], connections: Connections, *, phones: bool
) -> RelationView:
    wish: Mapping[str, Any] = row["wish"] or {}
    numbers: list[str] = wish.get("phones", row["phones"])
    words, problem = row["way_words"], row["wish_error"]
    return RelationView(
        **{
            name: row[name]
            for name in (
                "id", "account_id", "account_name", "account_avatar", "agent_id", "connection_name", "contact_id",
                "contact_name", "state", "added_at", "ended_at", "member_left", "source", "by_contact", "approved_at",
            )
        },
        remark=wish.get("remark", row["remark"]),
        description=wish.get("description", row["description"]),
        company=wish.get("company", row["company"]),
        phones=numbers if phones else [masked(number) for number in numbers],
        tags=[found for tag in row["tags"] if (found := tags.get((row["connection_id"], tag))) is not None],
        way=SentenceView(code=row["way"], zh=words["zh"], en=words["en"]) if words else None,
        pending=row["wish"] is not None,
        problem=sentence_view({"code": problem["code"], "zh": problem["zh"], "en": problem["en"]}) if problem else None,
        limits=limits(connections, row),
    )  # fmt: skip


def limits(connections: Connections, row: Row) -> dict[str, int]:
    """Of what may be written into this relation: nothing when it is over or its platform has no such thing."""
    if row["state"] != "active" or row["member_left"]:
        return {}
    loaded = next((one for one in connections.all() if one.id == row["connection_id"]), None)
    if loaded is None or not isinstance(loaded.adapter, WritesRelations):
        return {}
    return dict(loaded.adapter.relation_limits)
