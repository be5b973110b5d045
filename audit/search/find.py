"""Pages of finds: by time or by relevance, one by one or a conversation each."""

from __future__ import annotations

from dataclasses import dataclass

from audit.search.filters import wanted_of
from audit.search.grammar import terms_of
from audit.search.relevance import score
from audit.search.shapes import Hits, SearchQuery
from audit.search.showing import shown
from inbox.list_sql import Arguments
from inbox.search_engine import Search
from inbox.search_statements import FOUND, Statements, Wanted
from scrm.clock import monotonic
from scrm.db import Row, Tx
from scrm.permissions import Scope
from scrm.views import MAX_ID

# ruff: noqa: S608 - made of constants

SECONDS = 0.3
"""How long a page looks before it says how far it came."""
RANKED = 500
"""Finds that are put in order by relevance at once: the newest first, then the next ones."""
CREATED = "select created_at from message where id >= $1 order by id limit 1"


@dataclass(frozen=True, slots=True)
class Page:
    """``cursor``: empty when everything has been searched; ``at``: the id below which nothing has been."""

    rows: list[Row]
    cursor: str
    at: int


async def search(tx: Tx, scope: Scope, query: SearchQuery) -> Hits:
    terms = await terms_of(tx, query.q)
    wanted = await wanted_of(tx, scope, query, terms)
    place = [min(int(part), MAX_ID) for part in query.cursor.split(".")] if query.cursor else []
    if query.sort == "relevance" and terms.words:
        page = await _by_relevance(tx, wanted, place, query)
    elif query.group:
        page = await _by_conversation(tx, wanted, place, query.limit)
    else:
        rows, at = await Search(tx, wanted, limit=query.limit, below=place[0] if place else None, seconds=SECONDS).run()
        # Pages follow the order in which messages reached us, which an archive that is read later differs from; within a page, time decides.
        page = Page(sorted(rows, key=lambda row: row["sent_at"], reverse=True), str(at) if at else "", at)
    return Hits(
        hits=await shown(tx, scope, page.rows, terms),
        next_cursor=page.cursor or None,
        searched_to=await tx.fetchval(CREATED, page.at) if page.at else None,
        words=list(terms.words),
    )


async def _by_conversation(tx: Tx, wanted: Wanted, place: list[int], limit: int) -> Page:
    """The cursor holds the id below which to go on, and the newest id when the list began: of each conversation only its newest find up
    to there is shown."""
    below, top = (place[0], place[1] if len(place) > 1 else place[0]) if place else (None, await _newest(tx) + 1)
    until = monotonic() + SECONDS
    kept: dict[int, Row] = {}
    while True:
        rows, at = await Search(tx, wanted, limit=limit * 3, below=below or top, seconds=SECONDS).run()
        fresh = [row for row in rows if row["conversation_id"] not in kept]
        before = await _shown_before(tx, wanted, fresh, place[0], top) if place and fresh else set()
        for row in fresh:
            if row["conversation_id"] not in before and row["conversation_id"] not in kept:
                if len(kept) == limit:
                    # One too many: the page ends above it.
                    return Page(list(kept.values()), f"{row['message_id'] + 1}.{top}", row["message_id"] + 1)
                kept[row["conversation_id"]] = row
        if not at or monotonic() > until:
            return Page(list(kept.values()), f"{at}.{top}" if at else "", at)
        below = at


async def _shown_before(tx: Tx, wanted: Wanted, rows: list[Row], since: int, top: int) -> set[int]:
    """Those of the conversations that have a find on an earlier page."""
    conversations = sorted({row["conversation_id"] for row in rows})
    arguments = Arguments()
    where = wanted.where(arguments)
    within = arguments.add(conversations, "bigint[]")
    low, high = arguments.add(since, "bigint"), arguments.add(top, "bigint")
    says = Statements(wanted, FOUND).says_all(arguments)
    found = await tx.fetch(
        f"""select g.id from unnest({within}) g (id) where (
              select true from message m left join message_text t on t.message_id = m.id
              join conversation c on c.id = m.conversation_id join account a on a.id = c.account_id
              where m.conversation_id = g.id and m.id >= {low} and m.id < {high} and {says} and {where} limit 1) is not null""",
        *arguments.values,
    )
    return {row["id"] for row in found}


async def _by_relevance(tx: Tx, wanted: Wanted, place: list[int], query: SearchQuery) -> Page:
    """The newest :data:`RANKED` finds in order, then the next ones. The cursor holds between which ids these are, and the score and the id
    of the last one shown: scores never change, so nothing is shown twice or passed over."""
    low, top, last = 0, 0, None
    if len(place) == 4:
        low, top, last = place[0], place[1], (place[2], place[3])
    elif place:
        top = place[0]
    top = top or await _newest(tx) + 1
    seconds = SECONDS if last is None else 10.0
    above = max(low - 1, 0)
    rows, at = await Search(tx, wanted, limit=RANKED, below=top, above=above, seconds=seconds).run()
    if last is not None:
        at = low
    ranked = sorted(
        ((score(row["text"], wanted.terms), row["message_id"], row) for row in rows), reverse=True, key=_order
    )
    if query.group:
        ranked = _one_each(ranked)
    if last is not None:
        ranked = [one for one in ranked if _order(one) < last]
    now, rest = ranked[: query.limit], ranked[query.limit :]
    cursor = f"{at}.{top}.{now[-1][0]}.{now[-1][1]}" if rest else str(at) if at else ""
    return Page([row for _, _, row in now], cursor, at)


Ranked = tuple[int, int, Row]


def _order(one: Ranked) -> tuple[int, int]:
    return one[:2]


def _one_each(ranked: list[Ranked]) -> list[Ranked]:
    """The best find of each conversation."""
    best: dict[int, Ranked] = {}
    for one in ranked:
        best.setdefault(one[2]["conversation_id"], one)
    return list(best.values())


async def _newest(tx: Tx) -> int:
    return int(await tx.fetchval("select coalesce(max(id), 0) from message"))
