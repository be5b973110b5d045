"""Reads of one customer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from customers.happenings import in_words
from customers.scope import SEEN, CustomerScope
from customers.views import ContactView, CustomerEventView, CustomerFacts
from scrm.channel import Capabilities
from scrm.connections import Connections
from scrm.db import Row, Tx
from scrm.errors import NotFound
from scrm.masking import masked
from scrm.permissions import CUSTOMERS_PHONE, Principal
from scrm.views import SentenceView

MOST_EVENTS = 50

RESOLVE = """
with recursive chain as (
  select id, merged_into, 0 as steps from customer where id = $1
  union all
  select c.id, c.merged_into, chain.steps + 1 from customer c join chain on c.id = chain.merged_into where chain.steps < 20
)
select id from chain where merged_into is null
"""
CUSTOMER = f"""
select u.id, u.name, u.avatar, u.phone, u.city, u.remark, u.owner_id, u.created_at from customer u where u.id = $4 and {SEEN}
"""  # noqa: S608 - made of constants
CONTACTS = """
select k.id, k.external_id, k.name, k.avatar, k.union_id is not null as union_linked, n.name as connection_name,
  array(select distinct a.channel from conversation c join account a on a.id = c.account_id
        where c.contact_id = k.id order by 1) as channels
from contact k join connection n on n.id = k.connection_id where k.customer_id = $1 order by k.id limit 100
"""
EVENTS = """
select e.id, e.name, e.at from unnest($1::bigint[]) k (id) cross join lateral (
  select p.id, p.name, p.at from platform_event p where p.contact_id = k.id order by p.id desc limit $2) e
order by e.at desc, e.id desc limit $2
"""


async def customer_row(tx: Tx, principal: Principal, customer_id: int) -> Row:
    """The customer, or the one they were merged into.

    Who sees what: ``customers.scope``. Raises :class:`NotFound`, also for what the asker may not see.
    """
    final = await tx.fetchval(RESOLVE, customer_id)
    row = None
    if final is not None:
        row = await tx.fetchrow(CUSTOMER, *CustomerScope.of(principal).arguments, final)
    if row is None:
        raise NotFound("There is no such customer.")
    return row


async def contact_rows(tx: Tx, customer_id: int) -> list[Row]:
    rows: list[Row] = await tx.fetch(CONTACTS, customer_id)
    return rows


async def customer_facts(
    tx: Tx, principal: Principal, row: Row, contacts: Sequence[Row], connections: Connections
) -> CustomerFacts:
    events = await tx.fetch(EVENTS, [contact["id"] for contact in contacts], MOST_EVENTS)
    channels = connections.channels()
    return CustomerFacts(
        id=row["id"],
        name=row["name"],
        avatar=row["avatar"],
        phone=row["phone"] if principal.may(CUSTOMERS_PHONE) else masked(row["phone"]),
        city=row["city"],
        remark=row["remark"],
        owner_id=row["owner_id"],
        created_at=row["created_at"],
        contacts=[_contact(contact, channels) for contact in contacts],
        events=[
            CustomerEventView(id=one["id"], name=one["name"], at=one["at"], text=in_words(one["name"]))
            for one in events
        ],
    )


def _contact(row: Row, channels: Mapping[str, Capabilities]) -> ContactView:
    return ContactView(
        id=row["id"],
        external_id=row["external_id"],
        name=row["name"],
        avatar=row["avatar"],
        union_linked=row["union_linked"],
        connection_name=row["connection_name"],
        channel_titles=[_title(name, channels.get(name)) for name in row["channels"]],
    )


def _title(name: str, able: Capabilities | None) -> SentenceView:
    return SentenceView(code=name, zh=able.title.zh if able else name, en=able.title.en if able else name)
