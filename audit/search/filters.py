"""What a find must meet besides its words, as SQL about ``m``, ``c`` and ``a``. The asker's reach stands in every statement."""

from __future__ import annotations

from dataclasses import dataclass, replace

from audit.archive.relations import OF_STATE
from audit.search.reach import accounts_seen, own_conversations
from audit.search.shapes import Filter
from inbox.list_sql import Arguments
from inbox.search_places import OF_ACCOUNT, OF_AGENT, OF_KIND, kind_number
from inbox.search_statements import Rare, Wanted, seen
from inbox.search_terms import Terms
from scrm.db import Tx
from scrm.permissions import Scope
from scrm.views import MAX_ID

KIND = "case when m.kind = 'other' and m.content ? 'platform_type' then 'other:' || (m.content ->> 'platform_type') else m.kind end"
"""The kind of a message; where it is none of ours, with the platform's own name."""
ACCOUNTS_OF = """
select a.id from agent_identity i join account a on a.connection_id = i.connection_id and a.external_id = i.external_id
where i.agent_id = $1 order by a.id
"""
CONTACTS_OF = "select id, external_id from contact where customer_id = $1"
CONVERSATIONS_OF = """
select id from conversation where contact_id = any($1::bigint[])
union select c.id from group_member g join group_chat h on h.id = g.group_chat_id
join account a on a.connection_id = h.connection_id join conversation c on c.account_id = a.id and c.group_key = h.external_id
where g.contact_id = any($1::bigint[])
"""


@dataclass(frozen=True, slots=True)
class Resolved:
    """What the ids of a filter stand for."""

    accounts: list[int]
    contacts: list[int]
    senders: list[str]
    conversations: list[int] | None


async def resolve(tx: Tx, query: Filter) -> Resolved:
    accounts = [row["id"] for row in await tx.fetch(ACCOUNTS_OF, query.agent_id)] if query.agent_id else []
    conversations = [query.conversation_id] if query.conversation_id is not None else None
    if query.customer_id is None:
        return Resolved(accounts, [], [], conversations)
    rows = await tx.fetch(CONTACTS_OF, query.customer_id)
    contacts = [row["id"] for row in rows]
    theirs = {row["id"] for row in await tx.fetch(CONVERSATIONS_OF, contacts)}
    wanted = theirs if conversations is None else theirs & set(conversations)
    return Resolved(accounts, contacts, [row["external_id"] for row in rows if row["external_id"]], sorted(wanted))


async def wanted_of(tx: Tx, scope: Scope, query: Filter, terms: Terms) -> Wanted:
    resolved = await resolve(tx, query)
    places = _places(query, resolved)
    if resolved.conversations is None and not scope.everything:
        resolved = replace(resolved, conversations=await own_conversations(tx, scope))
        if resolved.conversations is None:
            places.append([OF_ACCOUNT + one for one in await accounts_seen(tx, scope)])
    return Wanted(
        terms,
        lambda arguments: _where(scope, query, resolved, arguments),
        query.since,
        query.until,
        resolved.conversations,
        called=True,
        rare=_rare(query),
        places=places,
    )


def _rare(query: Filter) -> Rare | None:
    """What few messages meet and an index knows: they are looked through one by one."""
    rule_id = query.rule_id
    if rule_id is not None:
        return Rare("audit_hit h", "h.message_id", lambda arguments: f"h.rule_id = {arguments.add(rule_id, 'bigint')}")
    if query.state == "recalled":
        return Rare("message r", "r.id", lambda _: "r.recalled_at is not null")
    return None


def _places(query: Filter, resolved: Resolved) -> list[list[int]]:
    """What the map of the archive tells apart: a find has one key of each of these."""
    found: list[list[int]] = []
    if query.account_id is not None:
        found.append([OF_ACCOUNT + query.account_id])
    if query.agent_id is not None:
        found.append([OF_AGENT + query.agent_id, *(OF_ACCOUNT + one for one in resolved.accounts)])
    if query.kind is not None:
        found.append([OF_KIND + kind_number(query.kind)])
    return [[key for key in keys if key < MAX_ID] for keys in found]


def _where(scope: Scope, query: Filter, resolved: Resolved, arguments: Arguments) -> str:
    wanted = [seen(arguments, scope)]
    if not scope.recalled:
        wanted.append("m.recalled_at is null")
    if query.state == "recalled":
        wanted.append("m.recalled_at is not null")
    elif query.state is not None:
        wanted.append(OF_STATE[query.state])
    if query.account_id is not None:
        wanted.append(f"c.account_id = {arguments.add(query.account_id, 'bigint')}")
    if query.agent_id is not None:
        accounts, agent = arguments.add(resolved.accounts, "bigint[]"), arguments.add(query.agent_id, "bigint")
        wanted.append(f"(c.account_id = any({accounts}) or m.sender_agent_id = {agent})")
    if resolved.conversations is not None:
        wanted.append(f"m.conversation_id = any({arguments.add(resolved.conversations, 'bigint[]')})")
    if query.customer_id is not None:
        contacts, senders = arguments.add(resolved.contacts, "bigint[]"), arguments.add(resolved.senders, "text[]")
        wanted.append(f"(c.contact_id = any({contacts}) or m.sender_id = any({senders}))")
    if query.channel is not None:
        wanted.append(f"a.channel = {arguments.add(query.channel, 'text')}")
    if query.kind is not None:
        wanted.append(f"{KIND} = {arguments.add(query.kind, 'text')}")
    if query.direction is not None:
        wanted.append(f"m.direction = {arguments.add(query.direction, 'text')}")
    if query.since is not None:
        wanted.append(f"m.sent_at >= {arguments.add(query.since, 'timestamptz')}")
    if query.until is not None:
        wanted.append(f"m.sent_at < {arguments.add(query.until, 'timestamptz')}")
    if query.rule_id is not None:
        rule = arguments.add(query.rule_id, "bigint")
        wanted.append(f"exists (select from audit_hit h where h.message_id = m.id and h.rule_id = {rule})")
    return " and ".join(wanted)
