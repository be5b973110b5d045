"""Everything that happened with a customer, newest first: what the timeline says, what was said in conversations (a line for each
conversation and day, for those who may read it), and what platforms told of them.

Several ordered streams are merged without reading any to its end: a page takes the next few of each, and the cursor remembers how far
each was taken. The cost of a page does not grow with what lies before or behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from customers.happenings import in_words
from customers.queries import customer_row
from customers.sync.take import TOLD
from inbox.queries import SEEN, one_moment
from inbox.story_cursor import Reached
from inbox.story_rows import (
    MessagesView,
    StoryFollowUp,
    StoryTask,
    details,
    excerpt,
)
from inbox.text import preview
from scrm.company import FACTS
from scrm.db import Row, Tx
from scrm.http import Request, Route
from scrm.permissions import CUSTOMERS_READ, INBOX_READ, Principal, Scope
from scrm.views import Input, SentenceView, View

MOST_PLACES = 45
ROWS_OF_ALL = 300
"""Messages that a page reads at most, shared between the conversations."""
FEWEST_ROWS = 10

Part = Literal["messages", "follow_ups", "tasks", "changes", "events"]
PREFIXES: dict[str, tuple[str, ...]] = {
    "follow_ups": ("follow_up",),
    "tasks": ("task",),
    "changes": ("stage", "tag", "owner", "profile", "customer", "file"),
    "events": ("contact", "group", "code", "campaign"),
}

CONTACTS = "select id from contact where customer_id = $1 order by id limit $2"
CONVERSATIONS = f"""
select c.id, c.account_id, c.last_seq from contact k join conversation c on c.contact_id = k.id join account a on a.id = c.account_id
where k.customer_id = $1 and {SEEN} order by c.last_message_at desc, c.id desc limit $5
"""  # noqa: S608
LINES = """
select t.* from timeline t where t.customer_id = $1 and (t.at, t.id) < ($2, $3) order by t.at desc, t.id desc limit $4
"""
# The kinds that there are, by jumping from one to the next in the index; then the newest of each that is asked for.
LINES_OF_KINDS = """
with recursive kinds as (
  (select t.kind from timeline t where t.customer_id = $1 order by t.kind limit 1)
  union all
  select (select t.kind from timeline t where t.customer_id = $1 and t.kind > k.kind order by t.kind limit 1)
  from kinds k where k.kind is not null
)
select t.* from kinds k cross join lateral (
  select * from timeline t where t.customer_id = $1 and t.kind = k.kind and (t.at, t.id) < ($2, $3)
  order by t.at desc, t.id desc limit $4
) t where split_part(k.kind, '.', 1) = any($5::text[]) order by t.at desc, t.id desc limit $4
"""
MESSAGES = """
select m.conversation_id, m.seq, m.sent_at, m.direction, m.kind, left(m.text, 240) as text, m.recalled_at, m.sender_agent_id
from unnest($1::bigint[], $2::bigint[]) w (id, before) cross join lateral (
  select * from message m where m.conversation_id = w.id and m.seq < w.before and m.direction <> 'note' order by m.seq desc limit $3
) m order by m.conversation_id, m.seq desc
"""
EVENTS = """
select e.* from unnest($1::bigint[], $2::bigint[]) w (id, before) cross join lateral (
  select p.id, p.contact_id, p.account_id, p.name, p.at from platform_event p where p.contact_id = w.id and p.id < w.before
    and p.name <> all($4::text[])
  order by p.id desc limit $3
) e order by e.contact_id, e.id desc
"""


class StoryQuery(Input):
    """``parts``: which kinds, separated by commas; absent: all."""

    parts: (
        Annotated[str, Field(max_length=80, pattern=r"^(messages|follow_ups|tasks|changes|events)(,[a-z_]+)*$")] | None
    ) = None
    cursor: Annotated[str, Field(max_length=1200, pattern=r"^[A-Za-z0-9_-]*$")] | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 30


class StoryEntry(View):
    """``key`` stays the same when the page is read again. ``text``: words for what the page has none for."""

    key: str
    kind: str
    at: datetime
    agent_id: int | None = None
    account_id: int | None = None
    contact_id: int | None = None
    object_kind: str = ""
    object_id: int | None = None
    data: dict[str, Any] = Field(default_factory=dict)
    text: SentenceView | None = None
    messages: MessagesView | None = None
    follow_up: StoryFollowUp | None = None
    task: StoryTask | None = None


class Story(View):
    """``customer_id`` is another one than was asked for when that customer was merged."""

    customer_id: int
    entries: list[StoryEntry]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """An entry, and where its stream stands when it has been taken."""

    entry: StoryEntry
    stream: tuple[str, int]
    then: Any


async def story(request: Request, customer_id: int, query: StoryQuery) -> Story:
    async with one_moment(request.services.db) as tx:
        return await read_story(tx, request.principal, customer_id, query)


async def read_story(tx: Tx, principal: Principal, customer_id: int, query: StoryQuery) -> Story:
    """Raises :class:`NotFound` for a customer that the asker may not see, :class:`Unprocessable` for a foreign cursor."""
    row = await customer_row(tx, principal, customer_id)
    zone = (await FACTS.load(tx)).clock
    scope = Scope.of(principal) if principal.may(INBOX_READ) else None
    reached = Reached.decode(query.cursor) if query.cursor else await _start(tx, scope, row["id"])
    parts = set(query.parts.split(",")) if query.parts else None
    found: list[Found] = []
    horizon: datetime | None = None
    unread = False
    if parts is None or parts & PREFIXES.keys():
        found += await _lines(tx, row["id"], reached, parts, query.limit)
    if scope is not None and (parts is None or "messages" in parts):
        more, horizon, unread = await _said(tx, scope, row["id"], reached, zone)
        found += more
    if parts is None or "events" in parts:
        found += await _events(tx, row["id"], reached, query.limit)
    return await _page(tx, row["id"], found, horizon, unread, reached, query.limit)


async def _start(tx: Tx, scope: Scope | None, customer_id: int) -> Reached:
    contacts = await tx.fetch(CONTACTS, customer_id, MOST_PLACES)
    conversations = await _conversations(tx, scope, customer_id) if scope else {}
    return Reached.start(
        {one: row["last_seq"] + 1 for one, row in conversations.items()}, [row["id"] for row in contacts]
    )


async def _conversations(tx: Tx, scope: Scope, customer_id: int) -> dict[int, Row]:
    rows = await tx.fetch(CONVERSATIONS, customer_id, scope.everything, scope.agent_id, scope.teams, MOST_PLACES)
    return {row["id"]: row for row in rows}


async def _lines(tx: Tx, customer_id: int, reached: Reached, parts: set[str] | None, limit: int) -> list[Found]:
    if reached.line is None:
        return []
    at, line_id = reached.line
    if parts is None:
        rows = await tx.fetch(LINES, customer_id, at, line_id, limit + 1)
    else:
        prefixes = [prefix for part in sorted(parts) for prefix in PREFIXES.get(part, ())]
        rows = await tx.fetch(LINES_OF_KINDS, customer_id, at, line_id, limit + 1, prefixes)
    return [Found(_line(row), ("line", 0), (row["at"], row["id"])) for row in rows]


def _line(row: Row) -> StoryEntry:
    return StoryEntry(
        key=f"t{row['id']}", kind=row["kind"], at=row["at"], agent_id=row["agent_id"], account_id=row["account_id"],
        contact_id=row["contact_id"], object_kind=row["object_kind"], object_id=row["object_id"], data=row["data"],
        text=in_words(row["kind"]),
    )  # fmt: skip


async def _said(
    tx: Tx, scope: Scope, customer_id: int, reached: Reached, zone: ZoneInfo
) -> tuple[list[Found], datetime | None, bool]:
    """Lines for the messages of each conversation and day. The moment down to which everything is known: a day that was read in
    part waits for the next page, and so does all that is older. And whether there may be older messages."""
    seen = await _conversations(tx, scope, customer_id)
    places = [(one, seq) for one, seq in reached.said.items() if one in seen and seq > 1]
    if not places:
        return [], None, False
    ids, before = zip(*places, strict=True)
    width = max(FEWEST_ROWS, ROWS_OF_ALL // len(places))
    rows = await tx.fetch(MESSAGES, ids, before, width)
    found: list[Found] = []
    horizon: datetime | None = None
    unread = False
    for conversation_id in ids:
        own = [row for row in rows if row["conversation_id"] == conversation_id]
        days = _by_day(own, zone)
        unread |= len(own) == width
        if len(own) == width and len(days) > 1:
            held = days.pop()[0]["sent_at"]
            horizon = held if horizon is None else max(horizon, held)
        for day in days:
            entry = _day(seen[conversation_id], day, zone, scope)
            found.append(Found(entry, ("said", conversation_id), day[-1]["seq"]))
        if not own:
            reached.said[conversation_id] = 1
    return found, horizon, unread


def _by_day(rows: Sequence[Row], zone: ZoneInfo) -> list[list[Row]]:
    days: list[list[Row]] = []
    for row in rows:
        if not days or _date(days[-1][0], zone) != _date(row, zone):
            days.append([])
        days[-1].append(row)
    return days


def _date(row: Row, zone: ZoneInfo) -> str:
    sent_at: datetime = row["sent_at"]
    return sent_at.astimezone(zone).date().isoformat()


def _day(conversation: Row, rows: Sequence[Row], zone: ZoneInfo, scope: Scope) -> StoryEntry:
    newest, day = rows[0], _date(rows[0], zone)
    return StoryEntry(
        key=f"m{conversation['id']}:{day}:{rows[-1]['seq']}", kind="messages", at=newest["sent_at"],
        account_id=conversation["account_id"], object_kind="conversation", object_id=conversation["id"],
        messages=MessagesView(
            conversation_id=conversation["id"], day=day, first_seq=rows[-1]["seq"], last_seq=newest["seq"],
            received=sum(row["direction"] == "in" for row in rows), sent=sum(row["direction"] == "out" for row in rows),
            excerpts=[excerpt(row, preview(row["text"]), recalled=scope.recalled) for row in rows[:3]],
        ),
    )  # fmt: skip


async def _events(tx: Tx, customer_id: int, reached: Reached, limit: int) -> list[Found]:
    own = {row["id"] for row in await tx.fetch(CONTACTS, customer_id, MOST_PLACES)}
    places = [(one, before) for one, before in reached.events.items() if one in own and before > 1]
    if not places:
        return []
    ids, before = zip(*places, strict=True)
    rows = await tx.fetch(EVENTS, ids, before, limit + 1, sorted(TOLD))
    for one in set(ids) - {row["contact_id"] for row in rows}:
        reached.events[one] = 1
    return [Found(_event(row), ("events", row["contact_id"]), row["id"]) for row in rows]


def _event(row: Row) -> StoryEntry:
    return StoryEntry(
        key=f"e{row['id']}", kind="platform", at=row["at"], account_id=row["account_id"], contact_id=row["contact_id"],
        data={"name": row["name"]}, text=in_words(row["name"]),
    )  # fmt: skip


async def _page(
    tx: Tx,
    customer_id: int,
    found: list[Found],
    horizon: datetime | None,
    unread: bool,
    reached: Reached,
    limit: int,
) -> Story:
    # Sorting is stable: within a stream the order is that in which it was read.
    ordered = sorted(found, key=lambda one: one.entry.at, reverse=True)
    kept = [one for one in ordered if horizon is None or one.entry.at > horizon][:limit]
    for one in kept:
        reached.take(one.stream, one.then)
    more = unread or len(kept) < len(found)
    return Story(
        customer_id=customer_id,
        entries=await details(tx, [one.entry for one in kept]),
        next_cursor=reached.encode() if more else None,
    )


def api_routes() -> list[Route]:
    one = "/api/customers/{customer_id}/story"
    return [Route("GET", one, story, CUSTOMERS_READ, "Everything that happened with a customer, newest first")]
