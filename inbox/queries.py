"""Reads of one conversation: itself, pages of its messages, what changed; and what the socket pushes, in bulk."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, model_validator

from inbox.shapes import (
    ATTACHMENT,
    CONVERSATION,
    EVENT,
    FROM_CONVERSATION,
    MESSAGE,
    attachment_view,
    conversation_view,
    event_view,
    for_reader,
    message_views,
)
from inbox.views import AttachmentView, ChangesPage, ConversationView, EventView, MessagePage, MessageView
from scrm.channel import Capabilities
from scrm.db import Database, Row, Tx
from scrm.errors import NotFound
from scrm.permissions import Scope
from scrm.views import MAX_ID, Input

CapabilitiesOf = Callable[[str], Capabilities | None]
Seq = Annotated[int, Field(ge=0, le=MAX_ID)]

SEEN = """
($2 or c.assignee_id = $3 or $3 = any(c.collaborators)
  or ($4::bigint[] is not null and (a.team_id is null or a.team_id = any($4))))
"""
"""What :meth:`scrm.permissions.Scope.covers` says, in SQL."""
ONE = f"select {CONVERSATION} from {FROM_CONVERSATION} where c.id = $1 and {SEEN}"  # noqa: S608
BY_ID = f"select {CONVERSATION} from {FROM_CONVERSATION} where c.id = any($1::bigint[]) order by c.id"  # noqa: S608
OF_MESSAGE = f"""
select {MESSAGE}, a.channel from message m join {FROM_CONVERSATION} on c.id = m.conversation_id
where m.id = $1 and {SEEN}
"""  # noqa: S608
ATTACHMENTS = f"""
select {ATTACHMENT} from attachment t where t.message_id = any($1::bigint[]) order by t.message_id, t.position, t.id
"""  # noqa: S608
OF_CUSTOMER = f"""
select {CONVERSATION} from {FROM_CONVERSATION}
where c.contact_id = any($1::bigint[]) and {SEEN} order by c.last_message_at desc, c.id desc limit 100
"""  # noqa: S608

NEWEST = f"select {MESSAGE} from message m where m.conversation_id = $1 order by m.seq desc limit $2"  # noqa: S608
BEFORE = f"""
select {MESSAGE} from message m where m.conversation_id = $1 and m.seq < $3 order by m.seq desc limit $2
"""  # noqa: S608
AFTER = f"""
select {MESSAGE} from message m where m.conversation_id = $1 and m.seq > $3 order by m.seq limit $2
"""  # noqa: S608
CHANGED = f"""
select {MESSAGE} from message m where m.conversation_id = $1 and m.version > $3
order by m.version fetch first $2 rows with ties
"""  # noqa: S608

FARTHEST = 200
"""A push holds messages of at most this many versions: a thread farther behind asks /changes."""
UNKNOWN = 20
"""The same for a conversation of which it is not known what was pushed last."""
EVENTS_BETWEEN = f"""
select {EVENT} from conversation_event e where e.conversation_id = $1 and e.seq between $2 and $3 order by e.seq, e.id limit 1000
"""  # noqa: S608
EVENTS_CHANGED = f"""
select {EVENT} from conversation_event e where e.conversation_id = $1 and e.version > $2 and e.version <= $3
order by e.version
"""  # noqa: S608
# "offset 0": each by its index, whatever a young database without statistics would rather do.
PUSHED_EVENTS = f"""
select {EVENT} from unnest($1::bigint[], $2::bigint[]) w (id, since) cross join lateral (
  select e.* from conversation_event e where e.conversation_id = w.id and e.version > w.since offset 0
) e order by e.conversation_id, e.version
"""  # noqa: S608

PUSHED = f"""
select {CONVERSATION}, s.from_version,
  exists (select from conversation_event e where e.conversation_id = c.id and e.version > s.from_version) as has_events
from unnest($1::bigint[], $2::bigint[]) w (id, since) join {FROM_CONVERSATION} on c.id = w.id
cross join lateral (
  select greatest(coalesce(w.since, c.version - {UNKNOWN}), c.version - {FARTHEST}, 0) as from_version
) s
"""  # noqa: S608
PUSHED_MESSAGES = f"""
select {MESSAGE}, exists (select from attachment t where t.message_id = m.id) as has_files
from unnest($1::bigint[], $2::bigint[]) w (id, since) cross join lateral (
  select m.* from message m where m.conversation_id = w.id and m.version > w.since offset 0
) m order by m.conversation_id, m.seq
"""  # noqa: S608


class PageQuery(Input):
    """At most one of ``before``, ``after`` and ``around``; none: the newest."""

    before: Seq | None = None
    after: Seq | None = None
    around: Seq | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50

    @model_validator(mode="after")
    def _one_of_them(self) -> PageQuery:
        if sum(one is not None for one in (self.before, self.after, self.around)) > 1:
            raise ValueError("Give one of before, after and around.")
        return self


class ChangesQuery(Input):
    since: Seq
    limit: Annotated[int, Field(ge=1, le=500)] = 200


@dataclass(frozen=True, slots=True)
class Pushed:
    """A changed conversation as it is pushed. ``team_id`` of its account says who may see it."""

    conversation: ConversationView
    messages: Sequence[MessageView]
    events: Sequence[EventView]
    from_version: int
    team_id: int | None


ALONE = "set local max_parallel_workers_per_gather = 0"
"""A search asks an index some eighty times in one statement: in tables of ten million rows the planner would start workers for each, which
takes longer than the answers."""


@asynccontextmanager
async def one_moment(db: Database) -> AsyncIterator[Tx]:
    """Several reads of one and the same moment."""
    async with db.pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        yield connection


@asynccontextmanager
async def one_moment_planned_once(db: Database) -> AsyncIterator[Tx]:
    """The same for reads that are made many times a second by the keys of rows: their plans are kept, not made anew each time."""
    async with db.pool.acquire() as connection:
        await connection.execute(
            f"begin isolation level repeatable read read only; {ALONE}; set local plan_cache_mode = force_generic_plan"
        )
        try:
            yield connection
        finally:
            await connection.execute("commit")


async def conversation_row(tx: Tx, scope: Scope, conversation_id: int) -> Row:
    """Raises :class:`NotFound`, also for what the asker may not see: that there is something is already an answer."""
    row = await tx.fetchrow(ONE, conversation_id, scope.everything, scope.agent_id, scope.teams)
    if row is None:
        raise NotFound("There is no such conversation.")
    return row


async def find_conversation(tx: Tx, scope: Scope, conversation_id: int) -> ConversationView:
    return conversation_view(await conversation_row(tx, scope, conversation_id))


async def find_message(tx: Tx, scope: Scope, message_id: int, able: CapabilitiesOf) -> MessageView:
    """Raises :class:`NotFound`, as :func:`conversation_row` does."""
    row = await tx.fetchrow(OF_MESSAGE, message_id, scope.everything, scope.agent_id, scope.teams)
    if row is None:
        raise NotFound("There is no such message.")
    return (await _views(tx, scope, [row], able(row["channel"])))[0]


async def message_page(
    tx: Tx, scope: Scope, conversation_id: int, query: PageQuery, able: CapabilitiesOf
) -> MessagePage:
    row = await conversation_row(tx, scope, conversation_id)
    rows, has_before, has_after = await _page_rows(tx, conversation_id, query)
    first = rows[0]["seq"] if rows and has_before else 0
    last = rows[-1]["seq"] if rows and has_after else row["last_seq"]
    return MessagePage(
        conversation=conversation_view(row),
        messages=await _views(tx, scope, rows, able(row["channel"])),
        events=[event_view(one) for one in await tx.fetch(EVENTS_BETWEEN, conversation_id, first, last)],
        has_before=has_before,
        has_after=has_after,
    )


async def _page_rows(tx: Tx, conversation_id: int, query: PageQuery) -> tuple[list[Row], bool, bool]:
    """The rows in order of seq, and whether there are more on either side."""
    limit = query.limit
    if query.after is not None:
        rows = await tx.fetch(AFTER, conversation_id, limit + 1, query.after)
        return rows[:limit], query.after > 0, len(rows) > limit
    if query.around is not None:
        older = await tx.fetch(BEFORE, conversation_id, limit // 2 + 1, query.around)
        newer = await tx.fetch(AFTER, conversation_id, limit - limit // 2 + 1, max(query.around - 1, 0))
        kept_older, kept_newer = older[: limit // 2], newer[: limit - limit // 2]
        return [*reversed(kept_older), *kept_newer], len(older) > len(kept_older), len(newer) > len(kept_newer)
    if query.before is not None:
        rows = await tx.fetch(BEFORE, conversation_id, limit + 1, query.before)
        newest = await tx.fetchval("select last_seq from conversation where id = $1", conversation_id)
        return rows[:limit][::-1], len(rows) > limit, query.before <= newest
    rows = await tx.fetch(NEWEST, conversation_id, limit + 1)
    return rows[:limit][::-1], len(rows) > limit, False


async def changes(tx: Tx, scope: Scope, conversation_id: int, query: ChangesQuery, able: CapabilitiesOf) -> ChangesPage:
    row = await conversation_row(tx, scope, conversation_id)
    rows = await tx.fetch(CHANGED, conversation_id, query.limit + 1, query.since)
    more = len(rows) > query.limit
    if more:
        # Messages changed by one and the same act stay together: the next page asks for greater versions only.
        last = rows[-1]["version"]
        rows = [row for row in rows if row["version"] < last] or rows
    up_to = rows[-1]["version"] if more else row["version"]
    events = await tx.fetch(EVENTS_CHANGED, conversation_id, query.since, up_to)
    return ChangesPage(
        conversation=conversation_view(row),
        messages=await _views(tx, scope, rows, able(row["channel"])),
        events=[event_view(one) for one in events],
        up_to_version=up_to,
        more=more,
    )


async def conversations_of_contacts(tx: Tx, scope: Scope, contact_ids: Sequence[int]) -> list[ConversationView]:
    arguments = (list(contact_ids), scope.everything, scope.agent_id, scope.teams)
    return [conversation_view(row) for row in await tx.fetch(OF_CUSTOMER, *arguments)]


async def conversations_by_id(tx: Tx, ids: Sequence[int]) -> list[ConversationView]:
    """For those who may see them: the caller has made sure."""
    return [conversation_view(row) for row in await tx.fetch(BY_ID, list(ids))]


async def changed_since(tx: Tx, wants: Sequence[tuple[int, int | None]], able: CapabilitiesOf) -> list[Pushed]:
    """Conversations with their messages changed after a version each (None: not known), recalled content included. Two to
    four statements for any number; read them in :func:`one_moment`. Conversations that are gone are left out."""
    rows = await tx.fetch(PUSHED, [one for one, _ in wants], [since for _, since in wants])
    wanted = [row["id"] for row in rows], [row["from_version"] for row in rows]
    message_rows = await tx.fetch(PUSHED_MESSAGES, *wanted)
    events: dict[int, list[EventView]] = {row["id"]: [] for row in rows}
    if any(row["has_events"] for row in rows):
        for one in await tx.fetch(PUSHED_EVENTS, *wanted):
            events[one["conversation_id"]].append(event_view(one))
    ables = {row["id"]: able(row["channel"]) for row in rows}
    files = await attachments_of(tx, [row for row in message_rows if row["has_files"]])
    views = message_views(message_rows, files, ables)
    by_conversation: dict[int, list[MessageView]] = {row["id"]: [] for row in rows}
    for view in views:
        by_conversation[view.conversation_id].append(view)
    return [
        Pushed(
            conversation_view(row), by_conversation[row["id"]], events[row["id"]], row["from_version"], row["team_id"]
        )
        for row in rows
    ]


async def attachments_of(tx: Tx, messages: Sequence[Row]) -> Mapping[int, list[AttachmentView]]:
    """By message id, in one statement."""
    found: dict[int, list[AttachmentView]] = {}
    ids = [row["id"] for row in messages]
    rows: list[Any] = await tx.fetch(ATTACHMENTS, ids) if ids else []
    for row in rows:
        found.setdefault(row["message_id"], []).append(attachment_view(row))
    return found


async def _views(tx: Tx, scope: Scope, rows: Sequence[Row], able: Capabilities | None) -> list[MessageView]:
    ables = {row["conversation_id"]: able for row in rows}
    views = message_views(rows, await attachments_of(tx, rows), ables)
    return [for_reader(view, recalled=scope.recalled, phones=scope.phones) for view in views]
