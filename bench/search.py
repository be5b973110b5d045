"""How fast any sentence is found in a small and in a large archive, beside a scan of the same table; and what words cut by jieba alone miss."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any

import asyncpg
import jieba

from audit.search.facets import SECONDS, facets
from audit.search.filters import wanted_of
from audit.search.find import search
from audit.search.grammar import quoted, terms_of
from audit.search.shapes import Filter, SearchQuery
from bench.at_work import catch_up
from bench.million import PEOPLE
from bench.result import Row
from bench.sentences import clauses, sentences
from bench.site import site
from bench.size import Size
from inbox.queries import one_moment_planned_once
from inbox.search_engine import Search
from scrm.db import Database
from scrm.migrate import migrate
from scrm.permissions import Scope

AUDITOR = Scope(10_000, "all", (), recalled=True)
FASTER, GROWTH = 50.0, 3.0
SCANS = 12
"""A scan is slow: of so many of the questions."""
CUT = 20_000
"""Messages that words are cut of."""
SCAN = "select message_id from message_text where strpos(words, search_fold($1)) > 0 order by message_id desc limit 20"

CONVERSATIONS = """
insert into customer (name) select '客户' || n || '号' from generate_series(1, $1) n;
insert into contact (connection_id, external_id, customer_id, name) select 1, 'wm' || n, n, '客户' || n || '号' from generate_series(1, $1) n;
insert into conversation (account_id, contact_id, status, last_seq, version, last_message_at)
select 1 + n % 20, n, 'closed', 50, 50, timestamptz '2026-11-20' from generate_series(1, $1) n;
"""
# A hundred chats go on at a time, fifty messages in each; every second message is two pieces, every tenth has a number in it.
MESSAGES = """
insert into message (conversation_id, seq, version, direction, kind, text, state, sender_kind, sent_at, created_at)
select 1 + (i / 5000) * 100 + i % 100, 1 + i % 5000 / 100, 1 + i % 5000 / 100, case when i % 2 = 0 then 'in' else 'out' end, 'text',
  a.w || case when i % 2 = 0 then '，' || b.w else '' end || case when i % 10 = 0 then ' ' || (i * 7919 % 99999989) else '' end,
  case when i % 2 = 0 then 'received' else 'sent' end, case when i % 2 = 0 then 'customer' else 'agent' end, at, at
from (select i, timestamptz '2024-11-20' + i * interval '6 seconds' as at from generate_series($1::bigint, $2::bigint) i) m
join clause a on a.n = i * 2654435761 % $3 join clause b on b.n = (i * 40503 + 17) * 7919 % $3 order by i
"""
TEXTS = "insert into message_text (message_id, conversation_id, words) select id, conversation_id, search_fold(text) from message order by id"
SECONDARY = """
select i.indexrelid::regclass::text as name, pg_get_indexdef(i.indexrelid) as made
from pg_index i where i.indrelid in ('message'::regclass, 'message_text'::regclass) and not exists (
  select from pg_constraint c where c.conindid = i.indexrelid)
"""


@dataclass(frozen=True)
class Times:
    """Milliseconds."""

    asked: list[float]
    pages: list[float]
    single: list[float]
    counted: list[float]
    scanned: list[float]
    recall: float
    """Share of the finds of the scans that the search had as well, on its page."""


async def search_bench(size: Size) -> list[Row]:
    whole = sentences()
    pieces = clauses(whole)
    found: dict[int, Times] = {}
    built: dict[int, float] = {}
    async with site() as place:
        for number in size.searched:
            began = time.perf_counter()
            name = f"said_{number}"
            await place.services.db.execute(f"create database {name}")
            await migrate(place.postgres.url_of(name))
            await _fill(place.postgres.url_of(name), number, pieces)
            await catch_up(place.services.settings, place.postgres.url_of(name))
            built[number] = time.perf_counter() - began
            database = await Database.open(place.postgres.url_of(name), size=1)
            try:
                found[number] = await _ask(database, size)
            finally:
                await database.close()
            if number != size.searched[-1]:
                await place.services.db.execute(f"drop database {name}")
    details: dict[str, Any] = {
        "sentences": len(whole),
        "built_seconds": built,
        "times": {n: vars(of) for n, of in found.items()},
    }
    return _rows(size, found, _cut(whole), details)


async def _fill(url: str, number: int, pieces: Sequence[str]) -> None:
    db = await asyncpg.connect(url)
    try:
        await db.execute("set synchronous_commit = off; set maintenance_work_mem = '1GB'")
        await db.execute(PEOPLE)
        for statement in CONVERSATIONS.replace("$1", str((number // 5000 + 1) * 100)).split(";\n"):
            if statement.strip():
                await db.execute(statement)
        await db.execute("create temp table clause (n bigint primary key, w text not null)")
        await db.copy_records_to_table("clause", records=list(enumerate(pieces)))
        await db.execute("analyze clause")
        indexes = await db.fetch(SECONDARY)
        for index in indexes:
            await db.execute(f"drop index {index['name']}")
        await db.execute("set session_replication_role = replica")
        for at in range(0, number, 1_000_000):
            await db.execute(MESSAGES, at, min(at + 1_000_000, number) - 1, len(pieces))
        await db.execute(TEXTS)
        for index in indexes:
            await db.execute(index["made"])
        await db.execute(["vacuum analyze message", " vacuum analyze message_text"][0])
        await db.execute("vacuum analyze message_text")
        await db.execute("checkpoint")
    finally:
        await db.close()


async def _ask(database: Database, size: Size) -> Times:
    """Questions are pieces of messages from everywhere, two to eight characters; single characters apart."""
    chance = random.Random(5)
    newest = await database.fetchval("select max(id) from message")
    ids = [chance.randint(1, newest) for _ in range(size.search_questions)]
    texts = [row["text"] for row in await database.fetch("select text from message where id = any($1::bigint[])", ids)]
    asked = [_piece(text, chance.randint(2, 8), chance) for text in texts]
    single = [_piece(text, 1, chance) for text in texts[: size.search_questions // 3]]
    for question in [*asked[:6], *single[:6]]:
        await _timed(database, question)
        await _paged(database, question)
    scans = [await _scanned(database, one) for one in asked[:SCANS]]
    right = [id_ for _, ids in scans for id_ in ids]
    got = [set(await _found(database, one)) for one in asked[:SCANS]]
    return Times(
        [await _timed(database, one) for one in asked],
        [await _paged(database, one) for one in asked],
        [await _timed(database, one) for one in single],
        [await _counted(database, one) for one in asked[::3]],
        [took for took, _ in scans],
        sum(id_ in there for (_, ids), there in zip(scans, got, strict=True) for id_ in ids) / len(right),
    )


def _piece(text: str, length: int, chance: random.Random) -> str:
    at = chance.randrange(max(len(text) - length, 0) + 1)
    return text[at : at + length].strip() or text[:1]


async def _timed(database: Database, question: str) -> float:
    began = time.perf_counter()
    await _found(database, question)
    return (time.perf_counter() - began) * 1000


async def _found(database: Database, question: str) -> list[int]:
    """The same as a scan gives: the ids of the newest twenty."""
    async with one_moment_planned_once(database) as tx:
        query = SearchQuery(q=quoted(question))
        wanted = await wanted_of(tx, AUDITOR, query, await terms_of(tx, query.q))
        rows, _ = await Search(tx, wanted, limit=20, columns=("m.id as message_id",)).run()
        return [row["message_id"] for row in rows]


async def _paged(database: Database, question: str) -> float:
    """The page that somebody sees: with excerpts, chats and marks."""
    began = time.perf_counter()
    async with one_moment_planned_once(database) as tx:
        await search(tx, AUDITOR, SearchQuery(q=quoted(question)))
    return (time.perf_counter() - began) * 1000


async def _counted(database: Database, question: str) -> float:
    began = time.perf_counter()
    async with one_moment_planned_once(database) as tx:
        await facets(tx, AUDITOR, Filter(q=quoted(question)))
    return (time.perf_counter() - began) * 1000


async def _scanned(database: Database, question: str) -> tuple[float, list[int]]:
    """All of the table, by as many processes as the database takes for it."""
    async with database.transaction() as tx:
        await tx.execute("set local enable_indexscan = off; set local enable_bitmapscan = off")
        began = time.perf_counter()
        rows = await tx.fetch(SCAN, question)
        return (time.perf_counter() - began) * 1000, [row["message_id"] for row in rows]


def _cut(said: Sequence[str]) -> float:
    """How much of what is there is found by the words that jieba cuts: of the message, and of the question."""
    jieba.setLogLevel(60)
    chance = random.Random(7)
    texts = chance.choices(said, k=CUT)
    words = [frozenset(jieba.cut_for_search(text)) for text in texts]
    shares: list[float] = []
    for _ in range(60):
        question = _piece(chance.choice(texts), chance.randint(2, 6), chance)
        wanted = set(jieba.cut_for_search(question))
        right = [n for n, text in enumerate(texts) if question in text]
        shares.append(sum(wanted <= words[n] for n in right) / len(right))
    return sum(shares) / len(shares)


def _rows(size: Size, found: dict[int, Times], by_words: float, details: dict[str, Any]) -> list[Row]:
    few, many = size.searched
    last = found[many]
    counted = quantiles(last.counted, n=20)[-1]
    return [
        *[_beside_scan(number, times, details if number == few else {}) for number, times in found.items()],
        _growth("the newest twenty finds", few, many, median(found[few].asked), median(last.asked)),
        _growth("the page with excerpts, chats and marks", few, many, median(found[few].pages), median(last.pages)),
        _growth("the newest twenty of a single character", few, many, median(found[few].single), median(last.single)),
        Row(
            "search",
            f"search: counts and facets of {many:,} messages, p95 (p50 {median(last.counted):.0f} ms), beside the time they are given",
            f"{counted:.0f} ms",
            f"{SECONDS * 1000:.0f} ms",
            counted / SECONDS / 1000,
            "≤ 1.5 × floor",
            counted / SECONDS / 1000 <= 1.5,
        ),
        Row(
            "search",
            "search: share of the finds of a scan, beside what is found by words that jieba cuts",
            f"{last.recall:.2f}",
            f"{by_words:.2f}",
            last.recall / by_words,
            "all: 1.00",
            last.recall == 1.0,
        ),
    ]


def _growth(what: str, few: int, many: int, small: float, large: float) -> Row:
    return Row(
        "search",
        f"search: {what}, {many:,} messages beside {few:,}",
        f"{large:.2f} ms",
        f"{small:.2f} ms",
        large / small,
        f"≤ {GROWTH:g} × floor",
        large / small <= GROWTH,
    )


def _beside_scan(number: int, times: Times, details: dict[str, Any]) -> Row:
    p50, p95, scan = median(times.asked), quantiles(times.asked, n=20)[-1], median(times.scanned)
    return Row(
        "search",
        f"search: the newest twenty finds of {number:,} messages, p50 (p95 {p95:.1f} ms), beside a scan of the texts",
        f"{p50:.2f} ms",
        f"{scan:.0f} ms",
        scan / p50,
        f"≥ {FASTER:g} × faster",
        scan / p50 >= FASTER,
        details,
    )
