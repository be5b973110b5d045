"""Finding any sentence ever said, newest first.

An index holds the character pairs of every message, with the block of 131,072 ids that it belongs to in front. A search walks back
through the newest messages (frequent words are found there at once) and then asks the index, block by block: a block without the
pairs costs microseconds. What the index finds is compared with the text itself. One request works for a limited time and says how
far it came, so it is never slow and misses nothing: the next one goes on from there.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints

from inbox.list_sql import Arguments
from inbox.queries import SEEN
from inbox.search_terms import Terms, excerpt, terms_of
from inbox.shapes import CONVERSATION, FROM_CONVERSATION, conversation_view
from inbox.views import MessageHit, MessageHits, SenderView
from scrm.clock import monotonic
from scrm.db import Row, Tx
from scrm.permissions import Scope
from scrm.views import Id, Input

BLOCK = 17
"""Bits: a block of ids in the index. The same number stands in the index of ``message_text``."""
WALKED = 2000
"""The newest messages that are read one by one before the index is asked."""
SECONDS = 0.25
"""How long one request looks before it says how far it came."""
LATE = timedelta(days=4)
"""Platforms keep what we have not fetched for three days: what arrives is at most so much older than its row."""
STEPS = (16, 128, 1024)
"""Blocks asked about at once, while nothing is found more and more."""


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


FOUND = """
  m.id as message_id, m.conversation_id, m.seq, m.direction, m.kind, m.text, m.sender_kind, m.sender_agent_id, m.sender_id,
  m.sender_name, m.sent_at, m.recalled_at
"""
WORDS = "$1"
SHOWN = f"select {CONVERSATION} from {FROM_CONVERSATION} where c.id = any($1::bigint[])"  # noqa: S608
CREATED = "select id, created_at from message where id >= $1 order by id limit 1"


async def search_messages(tx: Tx, scope: Scope, query: SearchQuery) -> MessageHits:
    terms = await terms_of(tx, query.q)
    search = _Search(tx, scope, query, terms)
    rows, at = await search.run()
    views = {}
    if rows:
        shown = await tx.fetch(SHOWN, sorted({row["conversation_id"] for row in rows}))
        views = {row["id"]: conversation_view(row) for row in shown}
    reached = await tx.fetchval("select created_at from message where id >= $1 order by id limit 1", at) if at else None
    return MessageHits(
        hits=[_hit(row, terms, views) for row in rows],
        next_cursor=at or None,
        searched_to=reached,
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


class _Search:
    """One request."""

    def __init__(self, tx: Tx, scope: Scope, query: SearchQuery, terms: Terms) -> None:
        self._tx = tx
        self._scope = scope
        self._query = query
        self._terms = terms
        self._found: list[Row] = []

    @property
    def _missing(self) -> int:
        return self._query.limit - len(self._found)

    async def run(self) -> tuple[list[Row], int]:
        """The finds, and below which id to go on; 0: everything has been searched."""
        if not self._terms.words:
            return [], 0
        if self._query.conversation_id is not None:
            return await self._in_conversation()
        began = monotonic()
        low, at = await self._bounds()
        at = await self._walk(low, at)
        if not self._terms.pairs:
            # A single character: only the texts themselves tell.
            while at > low and self._missing > 0 and monotonic() - began < SECONDS:
                at = await self._walk(low, at, many=5)
        steps = iter(STEPS)
        size = 0
        while at > low and self._missing > 0 and monotonic() - began < SECONDS and self._terms.pairs:
            size = next(steps, size)
            at = await self._blocks(low, at, size)
        return self._found, at if at > low else 0

    async def _in_conversation(self) -> tuple[list[Row], int]:
        arguments = Arguments()
        where = self._where(arguments)
        conversation = arguments.add(self._query.conversation_id, "bigint")
        below = f"and m.id < {arguments.add(self._query.cursor, 'bigint')}" if self._query.cursor else ""
        rows = await self._tx.fetch(
            f"select {FOUND} from message m join message_text t on t.message_id = m.id "  # noqa: S608 - made of constants
            "join conversation c on c.id = m.conversation_id join account a on a.id = c.account_id "
            f"where m.conversation_id = {conversation} {below} and {self._says(WORDS)} and {where} order by m.id desc limit {self._query.limit + 1}",
            *arguments.values,
        )
        kept = rows[: self._query.limit]
        return kept, kept[-1]["message_id"] if len(rows) > len(kept) else 0

    async def _bounds(self) -> tuple[int, int]:
        """Ids between which messages of the wanted time lie: everything wanted is above the first and below the second."""
        newest = await self._tx.fetchval("select coalesce(max(message_id), 0) from message_text")
        low, high = 0, newest + 1
        if self._query.since is not None:
            low = await self._first_since(self._query.since - timedelta(hours=1), high) - 1
        if self._query.until is not None:
            high = await self._first_since(self._query.until + LATE, high)
        return max(low, 0), min(high, self._query.cursor or high)

    async def _first_since(self, moment: datetime, high: int) -> int:
        """The first id written at ``moment`` or later; ids follow the time of writing closely. By halving."""
        low = 1
        while low < high:
            middle = (low + high) // 2
            row = await self._tx.fetchrow(CREATED, middle)
            if row is None or row["created_at"] >= moment:
                high = middle
            else:
                low = row["id"] + 1
        return high

    async def _walk(self, low: int, at: int, many: int = 1) -> int:
        """Reads the newest texts below ``at``. Returns the id below which nothing has been read."""
        if at <= low or self._missing <= 0:
            return at
        arguments = Arguments()
        where = self._where(arguments)
        below, above = arguments.add(at, "bigint"), arguments.add(low, "bigint")
        walked = f"""(select * from message_text where message_id < {below} and message_id > {above}
          order by message_id desc limit {WALKED * many})"""  # noqa: S608 - made of constants
        rows = await self._tx.fetch(
            f"""with walked as materialized {walked},
              matching as materialized (select * from walked t where {self._says(WORDS)} order by message_id desc)
              (select f.*, null::bigint as lowest from matching t cross join lateral ({_looked_up(where)}) f
                limit {self._missing})
              union all select {NO_FIND}, min(message_id) from walked
              order by message_id desc nulls last limit {self._missing + 1}""",  # noqa: S608 - made of constants
            *arguments.values,
        )
        return self._take(rows, low)

    async def _blocks(self, low: int, at: int, number: int) -> int:
        """Asks the index about the next blocks of ids below ``at``."""
        top = (at - 1) >> BLOCK
        bottom = max(top - number + 1, low >> BLOCK, 0)
        arguments = Arguments()
        where = self._where(arguments)
        pairs = arguments.add(self._terms.pairs, "bigint[]")
        blocks = arguments.add(list(range(top, bottom - 1, -1)), "bigint[]")
        below, above = arguments.add(at, "bigint"), arguments.add(low, "bigint")
        rows = await self._tx.fetch(
            f"""select f.* from unnest({blocks}) with ordinality b (id, place)
              cross join lateral (
                select message_id, conversation_id from (
                  select message_id, conversation_id, words from message_text
                  where search_keys(message_id >> {BLOCK}, words, false)
                    @> array(select (b.id << 42) | p from unnest({pairs}) p)
                  offset 0
                ) t where message_id < {below} and message_id > {above} and {self._says(WORDS)}
                order by message_id desc offset 0
              ) t cross join lateral ({_looked_up(where)}) f
              limit {self._missing}""",  # noqa: S608 - made of constants
            *arguments.values,
        )
        self._found += rows
        if self._missing <= 0:
            return int(rows[-1]["message_id"])
        return max(bottom << BLOCK, low)

    def _take(self, rows: list[Row], low: int) -> int:
        lowest = next((row["lowest"] for row in rows if row["message_id"] is None), None)
        finds = [row for row in rows if row["message_id"] is not None]
        more = len(finds) >= self._missing
        self._found += finds[: self._missing]
        if more:
            return int(self._found[-1]["message_id"])
        return int(lowest) if lowest is not None else low

    def _says(self, words: str) -> str:
        return f"not exists (select from unnest({words}::text[]) w where strpos(words, w) = 0)"

    def _where(self, arguments: Arguments) -> str:
        """What a find must meet besides saying the words. These come first among the arguments, then the scope as in ``SEEN``."""
        scope, query = self._scope, self._query
        arguments.add(list(self._terms.words), "text[]")
        for value in (scope.everything, scope.agent_id, scope.teams):
            arguments.values.append(value)
        wanted = [SEEN.strip().replace("($2 ", "($2::boolean ")]
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


def _looked_up(where: str) -> str:
    """A candidate, one by one and from the newest on, so that no more are looked at than needed."""
    return f"""select {FOUND} from message m join conversation c on c.id = m.conversation_id
      join account a on a.id = c.account_id where m.id = t.message_id and {where} limit 1"""  # noqa: S608 - made of constants


NO_FIND = "null, null, null, null, null, null, null, null, null, null, null, null"
