"""Reading alerts, each by those whose reach covers what it is about."""

from __future__ import annotations

from typing import Any

from audit.alerts.excerpts import excerpt_of
from audit.alerts.views import (
    AlertCounts,
    AlertDetail,
    AlertEventView,
    AlertFilter,
    AlertMessageView,
    AlertPage,
    AlertQuery,
    AlertView,
)
from inbox.list_sql import Arguments
from inbox.queries import SEEN, conversations_by_id
from inbox.views import ConversationView, SenderView
from scrm.db import Database, Row, Tx
from scrm.errors import NotFound
from scrm.permissions import Scope

# $1 is left to the caller, then the scope as in SEEN. An alert without a conversation is its account's; without both, only of those who see
# everything.
REACHED = f"(c.id is not null and {SEEN} or c.id is null and ($2 or a.id is not null and $4::bigint[] is not null and (a.team_id is null or a.team_id = any($4))))".replace(
    "($2 ", "($2::boolean "
).replace("= $3 ", "= $3::bigint ")
FROM_ALERT = """
  alert al left join conversation c on c.id = al.conversation_id left join account a on a.id = coalesce(c.account_id, al.account_id)
"""
ALERT = """
  al.id, al.version, al.rule_id, al.kind, al.severity, al.title, al.state, al.assignee_id, al.conversation_id, al.message_id,
  al.account_id, al.agent_id, al.detail, al.outcome, al.note, al.happened_at, al.raised_at, al.settled_at, al.settled_by,
  coalesce(r.name, '') as rule_name, m.seq, m.direction, m.kind as message_kind, m.text, m.sender_kind, m.sender_agent_id, m.sender_id,
  m.sender_name, m.sent_at, m.recalled_at, h.spans, h.words
"""
JOINED = f"""
{FROM_ALERT} left join audit_rule r on r.id = al.rule_id left join message m on m.id = al.message_id
  left join audit_hit h on h.message_id = al.message_id and h.rule_id = al.rule_id
"""
ONE = f"select {ALERT} from {JOINED} where al.id = $1 and {REACHED}"  # noqa: S608 - made of constants
HISTORY = "select at, agent_id, what, detail from alert_event where alert_id = $1 order by id limit 500"
MOST_COUNTED = 1000
OPEN = f"""
select count(*) filter (where state = 'new') as new, count(*) filter (where state = 'taken') as taken,
  count(*) filter (where assignee_id = $3) as mine, count(*) filter (where state = 'new' and severity = 'high') as high
from (select al.state, al.assignee_id, al.severity from {FROM_ALERT} where al.state in ('new', 'taken') and {REACHED} limit $1) o
"""  # noqa: S608 - made of constants


def alert_where(arguments: Arguments, first: Any, scope: Scope, asked: AlertFilter) -> str:
    """Takes the places $1 (``first``, the caller's own) to $4."""
    arguments.values += [first, scope.everything, scope.agent_id, scope.teams]
    wanted = [REACHED]
    if asked.state == "open":
        wanted.append("al.state in ('new', 'taken')")
    elif asked.state is not None:
        wanted.append(f"al.state = {arguments.add(asked.state, 'text')}")
    if asked.severity is not None:
        wanted.append(f"al.severity = {arguments.add(asked.severity, 'text')}")
    if asked.kind is not None:
        wanted.append(f"al.kind = {arguments.add(asked.kind, 'text')}")
    if asked.assignee_id == 0:
        wanted.append("al.assignee_id is null")
    elif asked.assignee_id is not None:
        wanted.append(f"al.assignee_id = {arguments.add(asked.assignee_id, 'bigint')}")
    for name in ("rule_id", "agent_id", "conversation_id"):
        value = getattr(asked, name)
        if value is not None:
            wanted.append(f"al.{name} = {arguments.add(value, 'bigint')}")
    if asked.account_id is not None:
        wanted.append(f"a.id = {arguments.add(asked.account_id, 'bigint')}")
    if asked.since is not None:
        wanted.append(f"al.happened_at >= {arguments.add(asked.since, 'timestamptz')}")
    if asked.until is not None:
        wanted.append(f"al.happened_at < {arguments.add(asked.until, 'timestamptz')}")
    return " and ".join(wanted)


async def alert_page(tx: Tx, scope: Scope, query: AlertQuery) -> AlertPage:
    arguments = Arguments()
    where = alert_where(arguments, query.limit + 1, scope, query)
    if query.cursor is not None:
        where += f" and al.id < {arguments.add(query.cursor, 'bigint')}"
    rows = await tx.fetch(
        f"select {ALERT} from {JOINED} where {where} order by al.id desc limit $1",  # noqa: S608 - made of constants
        *arguments.values,
    )
    page = rows[: query.limit]
    more = len(rows) > len(page)
    return AlertPage(alerts=await _views(tx, scope, page), next_cursor=page[-1]["id"] if more else None)


async def alert_counts(tx: Tx | Database, scope: Scope) -> AlertCounts:
    row = await tx.fetchrow(OPEN, MOST_COUNTED, scope.everything, scope.agent_id, scope.teams)
    assert row is not None
    return AlertCounts(**row)


async def alert_detail(tx: Tx, scope: Scope, alert_id: int) -> AlertDetail:
    """Raises :class:`NotFound`."""
    alert = await find_alert(tx, scope, alert_id)
    return AlertDetail(alert=alert, history=[AlertEventView(**row) for row in await tx.fetch(HISTORY, alert_id)])


async def find_alert(tx: Tx, scope: Scope, alert_id: int) -> AlertView:
    """Raises :class:`NotFound`, also for what the asker may not see."""
    row = await tx.fetchrow(ONE, alert_id, scope.everything, scope.agent_id, scope.teams)
    if row is None:
        raise NotFound("There is no such alert.")
    return (await _views(tx, scope, [row]))[0]


async def _views(tx: Tx, scope: Scope, rows: list[Row]) -> list[AlertView]:
    wanted = sorted({row["conversation_id"] for row in rows if row["conversation_id"] is not None})
    conversations = {one.id: one for one in await conversations_by_id(tx, wanted)} if wanted else {}
    return [_view(row, scope, conversations.get(row["conversation_id"])) for row in rows]


def _view(row: Row, scope: Scope, conversation: ConversationView | None) -> AlertView:
    hidden = row["recalled_at"] is not None and not scope.recalled
    return AlertView(
        id=row["id"],
        version=row["version"],
        rule_id=row["rule_id"],
        rule_name=row["rule_name"],
        kind=row["kind"],
        severity=row["severity"],
        title=row["title"],
        state=row["state"],
        assignee_id=row["assignee_id"],
        conversation=conversation,
        message=_message(row, scope, hidden) if row["seq"] is not None else None,
        account_id=row["account_id"],
        agent_id=row["agent_id"],
        detail={} if hidden else row["detail"],
        outcome=row["outcome"],
        note=row["note"],
        happened_at=row["happened_at"],
        raised_at=row["raised_at"],
        settled_at=row["settled_at"],
        settled_by=row["settled_by"],
    )


def _message(row: Row, scope: Scope, hidden: bool) -> AlertMessageView:
    return AlertMessageView(
        id=row["message_id"],
        seq=row["seq"],
        direction=row["direction"],
        kind=row["message_kind"],
        sender=SenderView(
            kind=row["sender_kind"], agent_id=row["sender_agent_id"], id=row["sender_id"], name=row["sender_name"]
        ),
        sent_at=row["sent_at"],
        recalled=row["recalled_at"] is not None,
        excerpt=[] if hidden else excerpt_of(row["text"], row["spans"] or (), phones=scope.phones),
        words=[] if hidden else [*(row["words"] or ())],
    )
