"""Finding any sentence ever said, newest first, for those who answer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints

from inbox.list_sql import Arguments
from inbox.search_engine import Search
from inbox.search_statements import Wanted, seen
from inbox.search_terms import Terms, excerpt, terms_of
from inbox.shapes import CONVERSATION, FROM_CONVERSATION, conversation_view
from inbox.views import MessageHit, MessageHits, SenderView
from scrm.db import Row, Tx
from scrm.permissions import Scope
from scrm.views import Id, Input


def _something(text: str) -> str:
    if not text.split():
        raise ValueError("Write what to look for.")
    return text


SearchText = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), AfterValidator(_something)
]


class SearchQuery(Input):
    """``q``: words with spaces between them must all occur. ``agent_id``: who wrote it. ``cursor``: goes on from an earlier page."""

    q: SearchText
    account_id: Id | None = None
    conversation_id: Id | None = None
    direction: Literal["in", "out", "note"] | None = None
    agent_id: Id | None = None
    since: datetime | None = None
    until: datetime | None = None
    cursor: Id | None = None
    limit: Annotated[int, Field(ge=1, le=50)] = 20


SHOWN = f"select {CONVERSATION} from {FROM_CONVERSATION} where c.id = any($1::bigint[])"  # noqa: S608
CREATED = "select created_at from message where id >= $1 order by id limit 1"


async def search_messages(tx: Tx, scope: Scope, query: SearchQuery) -> MessageHits:
    terms = await terms_of(tx, query.q)
    rows: list[Row] = []
    at = 0
    if terms.words:
        wanted = Wanted(
            terms,
            lambda arguments: _where(scope, query, arguments),
            query.since,
            query.until,
            None if query.conversation_id is None else [query.conversation_id],
        )
        rows, at = await Search(tx, wanted, limit=query.limit, below=query.cursor).run()
    views = {}
    if rows:
        shown = await tx.fetch(SHOWN, sorted({row["conversation_id"] for row in rows}))
        views = {row["id"]: conversation_view(row) for row in shown}
    return MessageHits(
        hits=[_hit(row, terms, views) for row in rows],
        next_cursor=at or None,
        searched_to=await tx.fetchval(CREATED, at) if at else None,
        words=list(terms.words),
    )


def _hit(row: Row, terms: Terms, views: Any) -> MessageHit:
    return MessageHit(
        message_id=row["message_id"],
        seq=row["seq"],
        direction=row["direction"],
        kind=row["kind"],
        sender=SenderView(
            kind=row["sender_kind"], agent_id=row["sender_agent_id"], id=row["sender_id"], name=row["sender_name"]
        ),
        sent_at=row["sent_at"],
        recalled=row["recalled_at"] is not None,
        excerpt=excerpt(row["text"], terms.words),
        conversation=views[row["conversation_id"]],
    )


def _where(scope: Scope, query: SearchQuery, arguments: Arguments) -> str:
    """What a find must meet besides saying the words."""
    wanted = [seen(arguments, scope)]
    if not scope.recalled:
        wanted.append("m.recalled_at is null")
    if query.account_id is not None:
        wanted.append(f"c.account_id = {arguments.add(query.account_id, 'bigint')}")
    if query.direction is not None:
        wanted.append(f"m.direction = {arguments.add(query.direction, 'text')}")
    if query.agent_id is not None:
        wanted.append(f"m.sender_agent_id = {arguments.add(query.agent_id, 'bigint')}")
    if query.since is not None:
        wanted.append(f"m.sent_at >= {arguments.add(query.since, 'timestamptz')}")
    if query.until is not None:
        wanted.append(f"m.sent_at < {arguments.add(query.until, 'timestamptz')}")
    return " and ".join(wanted)
