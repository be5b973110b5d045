"""Finding conversations by who they are with: names, remarks, ids of the platform, phone numbers, names of groups."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from inbox.queries import SEEN
from inbox.search import SearchText
from inbox.search_terms import Terms, excerpt, terms_of
from inbox.shapes import CONVERSATION, FROM_CONVERSATION, conversation_view
from inbox.views import PersonHit, PersonHits
from scrm.db import Row, Tx
from scrm.permissions import CUSTOMERS_PHONE, CUSTOMERS_READ, Principal, Scope
from scrm.views import Input

MOST = 3000
"""People looked at. When more fit, what was typed says too little, and the answer says so."""
DIGITS = 4
"""Of a phone number, from its beginning or its end."""


class PeopleQuery(Input):
    q: SearchText
    limit: Annotated[int, Field(ge=1, le=50)] = 12


SAYS = "not exists (select from unnest($1::text[]) w where strpos({text}, w) = 0)"
BY_NAME = f"""
select id from contact where name <> '' and name_keys(search_fold(name), false) @> $2::bigint[]
  and {SAYS.format(text="search_fold(name)")} limit {MOST}
"""  # noqa: S608 - made of constants
BY_CUSTOMER = f"""
select k.id from (
  select id from customer where name_keys(search_fold(name || ' ' || remark), false) @> $2::bigint[]
    and {SAYS.format(text="search_fold(name || ' ' || remark)")} limit {MOST}
) u join contact k on k.customer_id = u.id limit {MOST}
"""  # noqa: S608 - made of constants
BY_EXTERNAL = "select id from contact where external_id ^@ $1 limit 50"
BY_PHONE = """
select k.id from customer u join contact k on k.customer_id = u.id
where u.phone <> '' and (u.phone ^@ $1 or reverse(u.phone) ^@ reverse($1)) limit 200
"""
GROUPS = f"""
select id from conversation where group_key <> '' and name_keys(search_fold(group_name), false) @> $2::bigint[]
  and {SAYS.format(text="search_fold(group_name)")} limit {MOST}
"""  # noqa: S608 - made of constants
SHOWN = f"""
select {CONVERSATION}, u.name as customer_name, u.remark
from {FROM_CONVERSATION} left join customer u on u.id = k.customer_id
where c.id in (
    select id from conversation where contact_id = any($1::bigint[]) union all select unnest($5::bigint[])
  ) and {SEEN}
order by c.last_message_at desc, c.id desc limit $6
"""  # noqa: S608 - made of constants


async def search_people(tx: Tx, principal: Principal, query: PeopleQuery) -> PersonHits:
    """Conversations that the asker sees, the newest first. Remarks and phone numbers are looked into only for those who may
    read them."""
    terms = await terms_of(tx, query.q)
    if not terms.words:
        return PersonHits(hits=[], more=False)
    named = (list(terms.words), terms.name_keys)
    contacts = {row["id"] for row in await tx.fetch(BY_NAME, *named)}
    many = len(contacts) >= MOST
    if principal.may(CUSTOMERS_READ):
        found = {row["id"] for row in await tx.fetch(BY_CUSTOMER, *named)}
        many = many or len(found) >= MOST
        contacts |= found
    contacts |= await _by_numbers(tx, principal, query.q)
    groups = [row["id"] for row in await tx.fetch(GROUPS, *named)]
    scope = Scope.of(principal)
    rows = await tx.fetch(
        SHOWN, sorted(contacts), scope.everything, scope.agent_id, scope.teams, groups, query.limit + 1
    )
    hits = [_hit(row, terms, remarks=principal.may(CUSTOMERS_READ)) for row in rows[: query.limit]]
    return PersonHits(hits=hits, more=many or len(rows) > query.limit)


async def _by_numbers(tx: Tx, principal: Principal, text: str) -> set[int]:
    found: set[int] = set()
    if " " not in text and len(text) >= DIGITS:
        found |= {row["id"] for row in await tx.fetch(BY_EXTERNAL, text)}
    digits = "".join(one for one in text if one.isascii() and one.isdigit())
    if principal.may(CUSTOMERS_PHONE) and len(digits) >= DIGITS and digits == text.replace(" ", "").replace("-", ""):
        found |= {row["id"] for row in await tx.fetch(BY_PHONE, digits)}
    return found


def _hit(row: Row, terms: Terms, *, remarks: bool) -> PersonHit:
    view = conversation_view(row)
    name = view.group.name if view.group else (view.contact.name if view.contact else "")
    remark = row["remark"] if remarks and row["remark"] else ""
    return PersonHit(
        conversation=view,
        name=excerpt(name or row["customer_name"] or "", terms.words),
        remark=excerpt(remark, terms.words) if remark else [],
    )
