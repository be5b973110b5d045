"""How many finds there are and where: exact as long as there are no more than :data:`MOST` and they are found in time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from audit.archive.relations import DELETED_FRIEND, LEFT_GROUP
from audit.search.filters import KIND, wanted_of
from audit.search.find import CREATED
from audit.search.grammar import terms_of
from audit.search.shapes import (
    AgentCount,
    ChannelCount,
    Facets,
    Filter,
    KindCount,
    MonthCount,
    RuleCount,
    StateCount,
)
from inbox.search_engine import Search
from scrm.company import FACTS as COMPANY
from scrm.db import Row, Tx
from scrm.permissions import Scope

# ruff: noqa: S608 - made of constants

MOST = 10_000
"""Finds that are counted one by one."""
SECONDS = 1.0
"""How long a count looks."""
COUNTED = (
  "m.id as message_id", "m.conversation_id", "m.sent_at", "m.recalled_at is not null as recalled", "m.sender_agent_id", "c.account_id",
  "a.channel", f"({KIND}) as kind",
)  # fmt: skip
OWNERS = """
select a.id, a.name, i.agent_id, g.name as agent_name from account a
left join agent_identity i on i.connection_id = a.connection_id and i.external_id = a.external_id
left join agent g on g.id = i.agent_id where a.id = any($1::bigint[])
"""
AGENTS = "select id, name from agent where id = any($1::bigint[])"
ENDED = f"""
select c.id, {DELETED_FRIEND} as deleted_friend, {LEFT_GROUP} as left_group
from conversation c join account a on a.id = c.account_id where c.id = any($1::bigint[])
"""
RULES = """
select h.rule_id, r.name, count(*) as n from audit_hit h join audit_rule r on r.id = h.rule_id and r.deleted_at is null
where h.message_id = any($1::bigint[]) group by h.rule_id, r.name order by n desc, h.rule_id limit 50
"""


async def facets(tx: Tx, scope: Scope, query: Filter) -> Facets:
    terms = await terms_of(tx, query.q)
    wanted = await wanted_of(tx, scope, query, terms)
    rows, at = await Search(tx, wanted, limit=MOST, columns=COUNTED, seconds=SECONDS).run()
    zone = (await COMPANY.load(tx)).clock
    conversations = Counter(row["conversation_id"] for row in rows)
    return Facets(
        total=len(rows),
        exact=not at,
        searched_to=await tx.fetchval(CREATED, at) if at else None,
        conversations=len(conversations),
        by_month=_months(rows, zone),
        agents=await _agents(tx, rows),
        kinds=[KindCount(kind=kind, n=n) for kind, n in Counter(row["kind"] for row in rows).most_common()],
        channels=[ChannelCount(channel=one, n=n) for one, n in Counter(row["channel"] for row in rows).most_common()],
        states=await _states(tx, rows, conversations),
        rules=await _rules(tx, rows),
    )


def _months(rows: Sequence[Row], zone: ZoneInfo) -> list[MonthCount]:
    counts = Counter(row["sent_at"].astimezone(zone).strftime("%Y-%m") for row in rows)
    return [MonthCount(month=month, n=n) for month, n in sorted(counts.items())]


async def _agents(tx: Tx, rows: Sequence[Row]) -> list[AgentCount]:
    """By whose account it is; at an account that is nobody's, by who wrote it."""
    owners = {row["id"]: row for row in await tx.fetch(OWNERS, sorted({row["account_id"] for row in rows}))}
    counts: Counter[tuple[int | None, int | None]] = Counter()
    for row in rows:
        agent_id = owners[row["account_id"]]["agent_id"] or row["sender_agent_id"]
        counts[agent_id, None if agent_id else row["account_id"]] += 1
    named = {row["id"]: row["name"] for row in await tx.fetch(AGENTS, sorted({one for one, _ in counts if one}))}
    return [
        AgentCount(
            agent_id=agent_id,
            account_id=account_id,
            name=named.get(agent_id, "") if agent_id else owners[account_id or 0]["name"],
            n=n,
        )
        for (agent_id, account_id), n in counts.most_common(50)
    ]


async def _states(tx: Tx, rows: Sequence[Row], conversations: Counter[int]) -> list[StateCount]:
    ended = await tx.fetch(ENDED, list(conversations))
    recalled = sum(row["recalled"] for row in rows)
    deleted = sum(conversations[row["id"]] for row in ended if row["deleted_friend"])
    left = sum(conversations[row["id"]] for row in ended if row["left_group"])
    return [
        StateCount(state="recalled", n=recalled),
        StateCount(state="deleted_friend", n=deleted),
        StateCount(state="left_group", n=left),
    ]


async def _rules(tx: Tx, rows: Sequence[Row]) -> list[RuleCount]:
    found = await tx.fetch(RULES, [row["message_id"] for row in rows])
    return [RuleCount(rule_id=row["rule_id"], name=row["name"], n=row["n"]) for row in found]
