"""Reads of one customer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from customers.field_values import shown
from customers.fields import definitions
from customers.happenings import in_words
from customers.phones import normalised
from customers.scope import CHANGED, SEEN, CustomerScope, may_write
from customers.views import ContactView, CustomerEventView, CustomerFacts, PhoneNumberView
from scrm.channel import Capabilities
from scrm.connections import Connections
from scrm.db import Row, Tx
from scrm.errors import Forbidden, NotFound
from scrm.masking import masked
from scrm.permissions import CUSTOMERS_PHONE, Principal
from scrm.views import SentenceView

MOST_EVENTS = 50
PLAIN = (
    "city", "remark", "company", "position", "email", "address", "gender", "source", "stage_id", "stage_at", "value_fen", "tags",
    "owner_id", "owned_at", "pooled_at", "readers", "writers", "next_due_at", "followed_at", "last_message_at",
    "created_by", "created_at", "deleted_at", "version",
)  # fmt: skip
"""Columns that are shown as they are."""

RESOLVE = """
with recursive chain as (
  select id, merged_into, 0 as steps from customer where id = $1
  union all
  select c.id, c.merged_into, chain.steps + 1 from customer c join chain on c.id = chain.merged_into where chain.steps < 200
)
select id from chain where merged_into is null
"""
CUSTOMER = f"""
select u.*, {CHANGED} as may_change from customer u where u.id = $4 and {SEEN}
"""  # noqa: S608 - made of constants
PHONES = """
select id, phone, verified, source from phone_number where customer_id = $1 order by verified desc, id limit 50
"""
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


async def row_to_change(tx: Tx, principal: Principal, customer_id: int) -> Row:
    """The same for a change. Raises :class:`Forbidden` for a customer that the asker sees and may not change."""
    row = await customer_row(tx, principal, customer_id)
    if not row["may_change"]:
        raise Forbidden("You may read this customer, not change it. Ask the owner to share it with you for writing.")
    return row


async def contact_rows(tx: Tx, customer_id: int) -> list[Row]:
    rows: list[Row] = await tx.fetch(CONTACTS, customer_id)
    return rows


async def customer_facts(
    tx: Tx, principal: Principal, row: Row, contacts: Sequence[Row], connections: Connections
) -> CustomerFacts:
    events = await tx.fetch(EVENTS, [contact["id"] for contact in contacts], MOST_EVENTS)
    channels = connections.channels()
    phones = await tx.fetch(PHONES, row["id"])
    return CustomerFacts(
        id=row["id"],
        name=row["name"],
        avatar=row["avatar"],
        phone=row["phone"] if principal.may(CUSTOMERS_PHONE) else masked(row["phone"]),
        phones=[_phone(one, normalised(row["phone"]), principal.may(CUSTOMERS_PHONE)) for one in phones],
        **{name: row[name] for name in PLAIN},
        fields=shown(await definitions(tx), row["fields"], phones=principal.may(CUSTOMERS_PHONE)),
        may_change=may_write(principal) and row["may_change"] and row["deleted_at"] is None,
        contacts=[_contact(contact, channels) for contact in contacts],
        events=[
            CustomerEventView(id=one["id"], name=one["name"], at=one["at"], text=in_words(one["name"]))
            for one in events
        ],
    )


def _phone(row: Row, main: str | None, whole: bool) -> PhoneNumberView:
    phone: str = row["phone"]
    shown = phone.removeprefix("+86")
    return PhoneNumberView(
        id=row["id"], phone=shown if whole else masked(shown), verified=row["verified"], source=row["source"],
        main=phone == main,
    )  # fmt: skip


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
