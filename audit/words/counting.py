"""Counts of words by day, kept behind the messages: in the order of their ids and past no row that is still being written.

A batch's counts and how far the book has come are one unit of work: killed on any line, the batch comes again as if nothing had been. A
changed dictionary is another book, counted from the first message on beside the one that is read, which it replaces when it has come as far.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import date

from audit.following import safe_ceiling
from audit.words.segment import Segmenter
from scrm.company import FACTS
from scrm.db import RETRYABLE, Row
from scrm.gentle import for_each
from scrm.services import Services, Work

AT_ONCE = 2000
BOOK = "select id, words, stops, last_id from word_book where state = $1 for update skip locked"
FIRST = """
insert into word_book (state, words, stops, started_at)
select 'live', coalesce(array_agg(word) filter (where kind = 'word'), '{}'), coalesce(array_agg(word) filter (where kind = 'stop'), '{}'), $1
from word_entry on conflict do nothing
"""
ANEW = FIRST.replace("'live'", "'building'")
# Of other kinds the text is what a channel calls them, "[图片]".
MESSAGES = """
select m.text, m.direction = 'out' as outgoing, c.account_id, (m.sent_at at time zone $3)::date as day
from message m join conversation c on c.id = m.conversation_id
where m.id > $1 and m.id <= $2 and m.text <> '' and m.kind = 'text' and m.direction in ('in', 'out') and m.sender_kind in ('customer', 'agent')
"""
# An account that was deleted meanwhile takes its counts along.
ADD = """
insert into word_day as w (book_id, day, account_id, outgoing, word, messages)
select $1, n.day, n.account_id, n.outgoing, n.word, n.messages
from unnest($2::date[], $3::bigint[], $4::boolean[], $5::text[], $6::int[]) n (day, account_id, outgoing, word, messages)
join account a on a.id = n.account_id
order by n.day, n.account_id, n.outgoing, n.word
on conflict (book_id, day, account_id, outgoing, word) do update set messages = w.messages + excluded.messages
"""
MOVE = "update word_book set last_id = $2, until_id = $3 where id = $1"
Key = tuple[date, int, bool, str]


class WordCounter:
    """:meth:`round` counts the next messages. True: there are more."""

    def __init__(self, services: Services, segmenter: Segmenter | None = None) -> None:
        self._services = services
        self._segmenter = segmenter or Segmenter()

    async def round(self) -> bool:
        # The dictionaries of the two books differ: each of them has some rounds in a row while both have work.
        more = [await self._book("live"), await self._book("building")]
        return any(more)

    async def _book(self, state: str) -> bool:
        try:
            async with self._services.work() as work:
                book = await work.tx.fetchrow(BOOK, state)
                if book is None:
                    if state == "live":
                        await work.tx.execute(FIRST, work.now)
                    return False
                ceiling = await safe_ceiling(work.tx, "message")
                until = min(ceiling, book["last_id"] + AT_ONCE)
                if until > book["last_id"]:
                    await self._count(work, book, until)
                    await work.tx.execute(MOVE, book["id"], until, ceiling)
                if state == "building":
                    await _take_place(work, book["id"], max(until, book["last_id"]))
        except RETRYABLE:
            return True
        return bool(until < ceiling)

    async def _count(self, work: Work, book: Row, until: int) -> None:
        zone = (await FACTS.load(work.tx)).zone
        rows = await work.tx.fetch(MESSAGES, book["last_id"], until, zone)
        words = await self._segmenter.words_of([row["text"] for row in rows], book["words"], book["stops"])
        counts: Counter[Key] = Counter()
        await for_each(zip(rows, words, strict=True), lambda one: _count(counts, *one))
        if counts:
            days, accounts, sides, names = zip(*counts, strict=True)
            await work.tx.execute(ADD, book["id"], days, accounts, sides, names, [*counts.values()])


def _count(counts: Counter[Key], row: Row, words: Collection[str]) -> None:
    counts.update((row["day"], row["account_id"], row["outgoing"], word) for word in (*words, ""))


async def _take_place(work: Work, book_id: int, last_id: int) -> None:
    """Only when it has come as far as the one that is read."""
    live = await work.tx.fetchrow(BOOK, "live")
    if live is not None and last_id >= live["last_id"]:
        await work.tx.execute("delete from word_book where id = $1", live["id"])
        await work.tx.execute("update word_book set state = 'live' where id = $1", book_id)
        work.ring("words")


async def count_anew(work: Work) -> None:
    """After a change of the dictionary. One that is being built by an older one is given up."""
    await work.tx.execute("delete from word_book where state = 'building'")
    await work.tx.execute(ANEW, work.now)
    work.ring("words")
