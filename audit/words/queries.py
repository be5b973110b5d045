"""Reading counts, only of accounts that the asker sees as a whole: a sum would tell of chats that they may not see."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import Literal

from audit.words.splitter import MARKS
from audit.words.views import (
    CountProgress,
    Dictionary,
    HotWordsView,
    MoodDay,
    MoodView,
    TopicList,
    TopicView,
    TrendQuery,
    TrendView,
    WordCount,
    WordDayCount,
    WordEntryView,
    WordQuery,
)
from inbox.list_sql import Arguments
from scrm.company import FACTS
from scrm.db import Row, Tx
from scrm.permissions import Scope

MOST = 120
RISING = 20
SMOOTH = 5
FEWEST = 3
USUAL_DAYS = 30
MARKED = frozenset(MARKS.values())
STANDING = """
select b.last_id, b.until_id from word_book b where state = 'building'
"""


async def words(tx: Tx, scope: Scope, query: WordQuery, now: datetime) -> HotWordsView:
    first, last = await _period(tx, query, now)
    length = (last - first).days + 1
    rows = await _counted(tx, scope, query, first - timedelta(days=length), last, first)
    whole = next((row for row in rows if row["word"] == ""), None)
    total, before = (whole["now"], whole["before"]) if whole else (0, 0)
    counts = [_count(row, total, before) for row in rows if row["word"] and row["word"] not in MARKED]
    rising = [one for one in counts if one.messages >= FEWEST and one.rise > 1 and before > 0]
    return HotWordsView(
        first=first,
        last=last,
        reach=_reach(scope),
        messages=total,
        messages_before=before,
        words=sorted((one for one in counts if one.messages), key=lambda one: (-one.messages, one.word))[:MOST],
        rising=sorted(rising, key=lambda one: (-one.rise, -one.messages, one.word))[:RISING],
        progress=await progress(tx),
    )


def _reach(scope: Scope) -> Literal["some", "none"]:
    return "some" if scope.everything or scope.teams is not None else "none"


def _count(row: Row, total: int, before: int) -> WordCount:
    share, share_before = (row["now"] + SMOOTH) / (total + SMOOTH), (row["before"] + SMOOTH) / (before + SMOOTH)
    return WordCount(word=row["word"], messages=row["now"], before=row["before"], rise=round(share / share_before, 3))


async def trend(tx: Tx, scope: Scope, query: TrendQuery, now: datetime) -> TrendView:
    first, last = await _period(tx, query, now)
    days = await _by_day(tx, scope, query, first, last, [query.word])
    return TrendView(first=first, last=last, days=_days(days, [query.word], first, last))


async def mood(tx: Tx, scope: Scope, query: WordQuery, now: datetime) -> MoodView:
    first, last = await _period(tx, query, now)
    begin = first - (last - first) - timedelta(days=1)
    by_day = await _by_day(tx, scope, query, begin, last, sorted(MARKED))
    days, before = _moods(by_day, first, last), _moods(by_day, begin, first - timedelta(days=1))
    return MoodView(
        first=first, last=last, reach=_reach(scope), days=days,
        pleased=sum(one.pleased for one in days), upset=sum(one.upset for one in days), messages=sum(one.of for one in days),
        pleased_before=sum(one.pleased for one in before), upset_before=sum(one.upset for one in before),
        messages_before=sum(one.of for one in before), progress=await progress(tx),
    )  # fmt: skip


def _moods(by_day: dict[tuple[date, str], int], first: date, last: date) -> list[MoodDay]:
    return [
        MoodDay(day=day, pleased=by_day[day, MARKS["pleased"]], upset=by_day[day, MARKS["upset"]], of=by_day[day, ""])
        for day in _each(first, last)
    ]


async def topics(tx: Tx, scope: Scope, query: WordQuery, now: datetime) -> TopicList:
    first, last = await _period(tx, query, now)
    begin = first - (last - first) - timedelta(days=1)
    rows = await tx.fetch("select id, name, words from word_topic order by name")
    wanted = sorted({word for row in rows for word in row["words"]})
    by_day = await _by_day(tx, scope, query, begin, last, wanted)
    return TopicList(first=first, last=last, topics=[_topic(row, by_day, begin, first, last) for row in rows])


def _topic(row: Row, by_day: dict[tuple[date, str], int], begin: date, first: date, last: date) -> TopicView:
    days = _days(by_day, row["words"], first, last)
    before = sum(one.messages for one in _days(by_day, row["words"], begin, first - timedelta(days=1)))
    return TopicView(**row, messages=sum(one.messages for one in days), before=before, days=days)


def _days(by_day: dict[tuple[date, str], int], wanted: list[str], first: date, last: date) -> list[WordDayCount]:
    return [
        WordDayCount(day=day, messages=sum(by_day[day, word] for word in wanted), of=by_day[day, ""])
        for day in _each(first, last)
    ]


def _each(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _where(arguments: Arguments, scope: Scope, query: WordQuery, first: date, last: date) -> str:
    wanted = [
        "w.book_id = (select id from word_book where state = 'live')",
        f"w.day between {arguments.add(first, 'date')} and {arguments.add(last, 'date')}",
    ]
    if not scope.everything:
        teams = arguments.add(scope.teams, "bigint[]")
        wanted.append(f"{teams} is not null and (a.team_id is null or a.team_id = any({teams}))")
    if query.side is not None:
        wanted.append(f"w.outgoing = {arguments.add(query.side == 'employee', 'boolean')}")
    if query.channel is not None:
        wanted.append(f"a.channel = {arguments.add(query.channel, 'text')}")
    if query.account_id is not None:
        wanted.append(f"a.id = {arguments.add(query.account_id, 'bigint')}")
    return " and ".join(wanted)


async def _counted(tx: Tx, scope: Scope, query: WordQuery, begin: date, last: date, first: date) -> list[Row]:
    arguments = Arguments()
    where = _where(arguments, scope, query, begin, last)
    split = arguments.add(first, "date")
    rows: list[Row] = await tx.fetch(
        f"select w.word, coalesce(sum(w.messages) filter (where w.day >= {split}), 0)::bigint as now, "  # noqa: S608 - made of constants
        f"coalesce(sum(w.messages) filter (where w.day < {split}), 0)::bigint as before "
        f"from word_day w join account a on a.id = w.account_id where {where} group by w.word",
        *arguments.values,
    )
    return rows


async def _by_day(
    tx: Tx, scope: Scope, query: WordQuery, first: date, last: date, wanted: list[str]
) -> dict[tuple[date, str], int]:
    arguments = Arguments()
    where = _where(arguments, scope, query, first, last)
    named = arguments.add([*wanted, ""], "text[]")
    rows = await tx.fetch(
        f"select w.day, w.word, sum(w.messages)::bigint as n from word_day w join account a on a.id = w.account_id "  # noqa: S608 - made of constants
        f"where {where} and w.word = any({named}) group by w.day, w.word",
        *arguments.values,
    )
    return defaultdict(int, {(row["day"], row["word"]): row["n"] for row in rows})


async def progress(tx: Tx) -> CountProgress:
    row = await tx.fetchrow(STANDING)
    if row is None:
        return CountProgress(building=False, done=0, all=0)
    return CountProgress(building=True, done=row["last_id"], all=max(row["until_id"], row["last_id"]))


async def dictionary(tx: Tx) -> Dictionary:
    rows = await tx.fetch("select word, kind, added_by, added_at from word_entry order by kind desc, word")
    return Dictionary(entries=[WordEntryView(**row) for row in rows], progress=await progress(tx))


async def _period(tx: Tx, query: WordQuery, now: datetime) -> tuple[date, date]:
    today = now.astimezone((await FACTS.load(tx)).clock).date()
    usual = today if query.first is None else max(today, query.first)
    last = query.last or usual
    first = query.first or last - timedelta(days=USUAL_DAYS - 1)
    return max(first, last - timedelta(days=399)), last
