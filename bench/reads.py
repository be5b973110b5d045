"""What a browser reads, as calls of the inbox's own functions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bench.million import LONG, Threads
from customers.queries import contact_rows, customer_row
from inbox.counts import load_tallies
from inbox.listing import ListQuery, list_conversations
from inbox.queries import ChangesQuery, PageQuery, changes, conversations_of_contacts, message_page
from inbox.search import SearchQuery, search_messages
from inbox.search_people import PeopleQuery, search_people
from inbox.story import StoryQuery, read_story
from scrm.channel import Capabilities
from scrm.db import Tx
from scrm.permissions import OF_ROLE, Principal, Scope

ADMIN = Scope(10_000, "all", (), True)
REP = Scope(7, "team", (3,), False)
"""One of fifty, in one of five teams."""

NOW = datetime(2026, 11, 20, tzinfo=UTC)
"""The moment that the rows were made for."""

SOMEBODY = Principal(10_000, "", "", "admin", OF_ROLE["admin"], "all", "zh-CN", (), None, None)

Read = Callable[[Tx, Threads, int], Awaitable[Any]]


def able(_channel: str) -> Capabilities | None:
    return None


@dataclass(frozen=True)
class Listed:
    """A page of the list, or its tenth page, as somebody who scrolls reads it."""

    scope: Scope
    query: ListQuery

    async def __call__(self, tx: Tx, threads: Threads, turn: int) -> Any:
        return await list_conversations(tx, self.scope, self.query, NOW)


async def first_page(tx: Tx, threads: Threads, turn: int) -> Any:
    return await message_page(tx, ADMIN, threads.ordinary[turn % len(threads.ordinary)], PageQuery(), able)


async def long_thread(tx: Tx, threads: Threads, turn: int) -> Any:
    return await message_page(tx, ADMIN, threads.long[turn % len(threads.long)], PageQuery(), able)


async def middle_page(tx: Tx, threads: Threads, turn: int) -> Any:
    query = PageQuery(before=LONG // 2)
    return await message_page(tx, ADMIN, threads.long[turn % len(threads.long)], query, able)


async def what_changed(tx: Tx, threads: Threads, turn: int) -> Any:
    query = ChangesQuery(since=3)
    return await changes(tx, ADMIN, threads.ordinary[turn % len(threads.ordinary)], query, able)


async def counted(tx: Tx, threads: Threads, turn: int) -> Any:
    return (await load_tallies(tx)).view(REP)


async def whole_head(tx: Tx, threads: Threads, turn: int) -> Any:
    """A customer's page above its tabs: themselves, their identities, their conversations. Customers have the numbers of conversations."""
    row = await customer_row(tx, SOMEBODY, threads.ordinary[turn % len(threads.ordinary)])
    contacts = await contact_rows(tx, row["id"])
    return await conversations_of_contacts(tx, ADMIN, [one["id"] for one in contacts])


@dataclass(frozen=True)
class Told:
    """A page of a customer's story: the newest, or ``deep`` in one of thousands of lines and messages."""

    deep: bool
    parts: str | None = None

    async def __call__(self, tx: Tx, threads: Threads, turn: int) -> Any:
        of = threads.long if self.deep else threads.ordinary
        customer_id = of[turn % len(of)]
        page = await read_story(tx, SOMEBODY, customer_id, StoryQuery(parts=self.parts))
        if self.deep and page.next_cursor is not None:
            page = await read_story(tx, SOMEBODY, customer_id, StoryQuery(parts=self.parts, cursor=page.next_cursor))
        return page


@dataclass(frozen=True)
class Searched:
    scope: Scope
    query: SearchQuery

    async def __call__(self, tx: Tx, threads: Threads, turn: int) -> Any:
        return await search_messages(tx, self.scope, self.query)


@dataclass(frozen=True)
class Looked:
    """People by a name that several have."""

    name: str

    async def __call__(self, tx: Tx, threads: Threads, turn: int) -> Any:
        return await search_people(tx, SOMEBODY, PeopleQuery(q=self.name))


def searches() -> dict[str, Read]:
    words = {"frequent word": "现货", "less frequent": "4321号", "rare word": "罕见词汇", "no such word": "从未说过"}
    return {
        **{f"search {name} (admin)": Searched(ADMIN, SearchQuery(q=word)) for name, word in words.items()},
        **{f"search {name} (rep)": Searched(REP, SearchQuery(q=word)) for name, word in words.items()},
        "search, a person": Looked("客户9876号"),
    }


def lists(scope: Scope, who: str) -> dict[str, Read]:
    queries = {
        "all": ListQuery(view="all"),
        "mine": ListQuery(view="mine"),
        "unassigned": ListQuery(view="unassigned"),
        "closed": ListQuery(view="closed"),
        "unread": ListQuery(unread=True),
        "waiting": ListQuery(waiting=True),
        "one account": ListQuery(account_id=5),
        "closing soon": ListQuery(closing_hours=4),
        "window first": ListQuery(sort="window"),
        "late": ListQuery(breached=True),
        "rare label": ListQuery(labels="1"),
        "common label": ListQuery(labels="2"),
        "snoozed": ListQuery(view="snoozed"),
        "helping": ListQuery(view="helping"),
        "end": ListQuery(back=True),
    }
    return {f"list {name} ({who})": Listed(scope, query) for name, query in queries.items()}


READS: dict[str, Read] = {
    **lists(ADMIN, "admin"),
    **lists(REP, "rep"),
    "thread, newest page": first_page,
    "long thread, newest page": long_thread,
    "long thread, middle": middle_page,
    "changes": what_changed,
    "counts": counted,
    "whole, head": whole_head,
    "whole, newest of the story": Told(False),
    "whole, second page of a long story": Told(True),
    "whole, only changes of a long story": Told(True, "changes"),
    **searches(),
}
"""Groups of the table by the first word."""

HTTP: dict[str, str] = {
    "list": "/api/conversations",
    "list unread": "/api/conversations?unread=true",
    "list waiting": "/api/conversations?waiting=true",
    "thread": "/api/conversations/2/messages",
    "changes": "/api/conversations/2/changes?since=3",
    "counts": "/api/conversations/counts",
    "search": "/api/search/messages?q=%E7%BD%95%E8%A7%81%E8%AF%8D%E6%B1%87",
    "search people": "/api/search/people?q=%E5%AE%A2%E6%88%B79876%E5%8F%B7",
}
