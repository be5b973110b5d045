"""Suggestions of people for a search: colleagues, accounts, customers and groups by name, pinyin and initials, within the asker's reach."""

from __future__ import annotations

from functools import lru_cache

from audit.search.reach import accounts_seen
from audit.search.shapes import People, PeopleQuery, Person
from inbox.list_sql import Arguments
from inbox.search_people import BY_CUSTOMER, BY_NAME, GROUPS, MOST
from inbox.search_statements import seen
from inbox.search_terms import terms_of
from scrm.db import Row, Tx
from scrm.permissions import CUSTOMERS_READ, Principal, Scope
from scrm.spelling import keys_of

# ruff: noqa: S608 - made of constants


SPELLED_CUSTOMERS = f"""
select k.id from (select distinct id from spelled_name where kind = 'customer' and key ^@ $1 limit {MOST}) s
join contact k on k.customer_id = s.id limit {MOST}
"""
SPELLED_GROUPS = f"select distinct id from spelled_name where kind = 'group' and key ^@ $1 limit {MOST}"


ACCOUNTS = """
select a.id, a.name, a.avatar, g.id as agent_id, g.name as agent_name, g.avatar as agent_avatar
from account a left join agent_identity i on i.connection_id = a.connection_id and i.external_id = a.external_id
left join agent g on g.id = i.agent_id where a.id = any($1::bigint[]) order by a.id
"""


def _customers(scope: Scope, contacts: list[int], groups: list[int], limit: int) -> tuple[str, Arguments]:
    arguments = Arguments()
    reach = seen(arguments, scope)
    ids, chats = arguments.add(contacts, "bigint[]"), arguments.add(groups, "bigint[]")
    return (
        f"""
      select c.id, c.group_name, k.customer_id, k.avatar, coalesce(nullif(k.name, ''), u.name) as name, u.remark, c.last_message_at
      from conversation c join account a on a.id = c.account_id left join contact k on k.id = c.contact_id
      left join customer u on u.id = k.customer_id
      where c.id in (select id from conversation where contact_id = any({ids}) union all select unnest({chats})) and {reach}
      order by c.last_message_at desc, c.id desc limit {limit}
    """,
        arguments,
    )


@lru_cache(maxsize=20_000)
def _keys(name: str) -> str:
    return keys_of(name)


def _fits(name: str, words: tuple[str, ...]) -> bool:
    return all(word in _keys(name) for word in words)


async def people(tx: Tx, principal: Principal, query: PeopleQuery) -> People:
    scope, terms = Scope.of(principal), await terms_of(tx, query.q)
    if not terms.words:
        return People(people=[], more=False)
    found = _colleagues(await tx.fetch(ACCOUNTS, await accounts_seen(tx, scope)), terms.words)
    named = (list(terms.words), terms.name_keys)
    contacts = {row["id"] for row in await tx.fetch(BY_NAME, *named)}
    if principal.may(CUSTOMERS_READ):
        contacts |= {row["id"] for row in await tx.fetch(BY_CUSTOMER, *named)}
    groups = {row["id"] for row in await tx.fetch(GROUPS, *named)}
    typed = "".join(terms.words)
    if typed.isascii() and typed.isalnum():
        contacts |= {row["id"] for row in await tx.fetch(SPELLED_CUSTOMERS, typed)}
        groups |= {row["id"] for row in await tx.fetch(SPELLED_GROUPS, typed)}
    sql, arguments = _customers(scope, sorted(contacts), sorted(groups), query.limit * 4)
    rows = await tx.fetch(sql, *arguments.values)
    found += _others(rows, remarks=principal.may(CUSTOMERS_READ))
    return People(people=found[: query.limit], more=len(found) > query.limit)


def _colleagues(rows: list[Row], words: tuple[str, ...]) -> list[Person]:
    found: dict[tuple[str, int], Person] = {}
    for row in rows:
        if row["agent_id"] is not None:
            if _fits(row["agent_name"], words) or _fits(row["name"], words):
                one = Person(
                    kind="agent", id=row["agent_id"], name=row["agent_name"], remark="", avatar=row["agent_avatar"]
                )
                found.setdefault(("agent", one.id), one)
        elif _fits(row["name"], words):
            found["account", row["id"]] = Person(
                kind="account", id=row["id"], name=row["name"], remark="", avatar=row["avatar"]
            )
    return list(found.values())


def _others(rows: list[Row], *, remarks: bool) -> list[Person]:
    found: dict[tuple[str, int], Person] = {}
    for row in rows:
        if row["group_name"]:
            found["group", row["id"]] = Person(kind="group", id=row["id"], name=row["group_name"], remark="", avatar="")
        elif row["customer_id"] is not None:
            remark = (row["remark"] or "") if remarks else ""
            one = Person(
                kind="customer",
                id=row["customer_id"],
                name=row["name"] or "",
                remark=remark,
                avatar=row["avatar"] or "",
            )
            found.setdefault(("customer", one.id), one)
    return list(found.values())
