"""The conversation list: pages whose cost does not depend on how many conversations there are.

Usually the wanted page of each account is read from the end of an index and the few rows of all accounts are merged, so the work
is (accounts x page size) rows. Conditions that few conversations meet (a label, a late answer) are turned round: their
conversations are looked up first and then put in order, unless they turn out to be many, and then walking finds them soon. A label
that many have is walked for in all accounts at once.
"""

from __future__ import annotations

from datetime import datetime

import orjson

from inbox.list_query import ListQuery, Position, Sort
from inbox.list_sql import (
    MOST_WOVEN,
    Arguments,
    Rare,
    accounts_read,
    guessed,
    merged_page,
    ordered_page,
    picked_page,
    rare_conditions,
    woven_page,
)
from inbox.shapes import conversation_view
from inbox.views import ConversationPage
from scrm.db import Row, Tx
from scrm.permissions import Scope

__all__ = ["ListQuery", "list_conversations"]

FEW = 2_500
"""So many conversations are looked up and put in order in a few milliseconds."""
KEYS: dict[Sort, str] = {
    "newest": "last_message_at",
    "waiting": "waiting_since",
    "window": "window_expires_at",
    "sla": "sla_due_at",
}
PENDING = ("waiting", "window")
"""Orders of what somebody should do something about."""
NOTHING = ConversationPage(conversations=[], next_cursor=None, previous_cursor=None)


async def list_conversations(tx: Tx, scope: Scope, query: ListQuery, now: datetime) -> ConversationPage:
    """A conversation that moves while somebody pages moves to where they have been or will come to, so what stays where it is
    appears exactly once."""
    if query.view == "closed" and (query.unread or query.waiting or query.closing_hours or query.order in PENDING):
        # Closing reads everything and ends the waiting; a new message opens again.
        return NOTHING
    at = Position.decode(query.cursor, query.order) if query.cursor is not None else None
    rows = await _rows(tx, scope, query, at, now)
    more = len(rows) > query.limit
    rows = rows[: query.limit]
    if query.back:
        rows = rows[::-1]
    before, after = (more, at is not None) if query.back else (at is not None, more)
    return ConversationPage(
        conversations=[conversation_view(row) for row in rows],
        next_cursor=_cursor(rows[-1], query.order) if rows and after else None,
        previous_cursor=_cursor(rows[0], query.order) if rows and before else None,
    )


def _cursor(row: Row, order: Sort) -> str:
    return Position(row[KEYS[order]], row["id"]).encode(order)


async def _rows(tx: Tx, scope: Scope, query: ListQuery, at: Position | None, now: datetime) -> list[Row]:
    """One more than asked for, from the end that is read first."""
    arguments = Arguments()
    key = KEYS[query.order]
    rare = await _rare(tx, scope, query, now)
    if rare is not None:
        sql = picked_page(arguments, scope, query, key, at, now, rare)
    elif query.order in ("window", "sla") or (query.breached and query.order == "newest"):
        sql = ordered_page(arguments, scope, query, key, at, now)
    elif (account_ids := await _woven(tx, scope, query)) is not None:
        sql = woven_page(arguments, query, key, at, now, account_ids)
    else:
        sql = merged_page(arguments, scope, query, key, at, now)
    return await tx.fetch(sql, *arguments.values)


async def _woven(tx: Tx, scope: Scope, query: ListQuery) -> list[int] | None:
    """The accounts to read at once, for a label that too many have to look them up, and too few to find them soon in each account."""
    if query.label_ids is None or query.view == "mine" or not scope.everything:
        return None
    arguments = Arguments()
    sql = accounts_read(arguments, scope, query)
    ids = [row["id"] for row in await tx.fetch(sql, *arguments.values)]
    return ids if 0 < len(ids) <= MOST_WOVEN else None


async def _rare(tx: Tx, scope: Scope, query: ListQuery, now: datetime) -> Rare | None:
    """A condition that few meet, if the query has one."""
    for rare in rare_conditions(scope, query, now):
        if rare.view:
            return rare
        arguments = Arguments()
        sql = guessed(arguments, rare)
        (explained,) = orjson.loads(await tx.fetchval(sql, *arguments.values))
        if explained["Plan"]["Plan Rows"] <= FEW:
            return rare
    return None
