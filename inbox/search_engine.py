"""Looking through everything that was ever said, newest first: the one way that all searches go.

An index holds the character pairs of every message, with the block of 131,072 ids that it belongs to in front. A search walks back
through the newest messages (frequent words are found there at once) and then asks the index, block by block: a block without the
pairs costs microseconds. What the index finds is compared with the text itself. One request works for a limited time and says how
far it came, so it is never slow and misses nothing: the next one goes on from there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from inbox.list_sql import Arguments
from inbox.queries import SEEN
from inbox.search_terms import Terms
from scrm.clock import monotonic
from scrm.db import Row, Tx
from scrm.permissions import Scope

# ruff: noqa: S608 - made of constants

BLOCK = 17
"""Bits: a block of ids in the index. The same number stands in the index of ``message_text``."""
MEDIA_BLOCK = 20
"""The same for what is called something: files, links and the like."""
WALKED = 2000
"""The newest messages that are read one by one before the index is asked."""
SECONDS = 0.25
"""How long one request looks before it says how far it came."""
STEPS = (4, 32, 256, 1024)
"""Blocks asked about at once, while nothing is found more and more."""
SHORT = 50_000
"""Conversations with so many messages together are read through."""

FOUND = """m.id as message_id, m.conversation_id, m.seq, m.direction, m.kind, m.text, m.sender_kind, m.sender_agent_id, m.sender_id,
  m.sender_name, m.sent_at, m.recalled_at"""
NAMES = "(select coalesce(string_agg(f.name, E'\\x1f' order by f.position, f.id), '') from attachment f where f.message_id = m.id)"
CALLED = f"search_fold(content_words(m.content) || E'\\x1f' || {NAMES})"
"""What a message has in words besides its text: titles, names of files, what was forwarded in it."""
CREATED = "select id, created_at from message where id >= $1 order by id limit 1"
LENGTH = "select coalesce(sum(last_seq), 0) from conversation where id = any($1::bigint[])"


def seen(arguments: Arguments, scope: Scope) -> str:
    """``SEEN``, with the asker among the arguments."""
    asker = {
        "2": arguments.add(scope.everything, "boolean"),
        "3": arguments.add(scope.agent_id, "bigint"),
        "4": arguments.add(scope.teams, "bigint[]"),
    }
    return re.sub(r"\$([234])(::bigint\[\])?", lambda place: asker[place[1]], SEEN.strip())


@dataclass(frozen=True, slots=True)
class Rare:
    """Where the ids of messages stand that meet something, in their order: the place, the id, the condition."""

    source: str
    id: str
    where: Callable[[Arguments], str]


ALL = Rare("message r", "r.id", lambda _: "true")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for. ``where`` says what a find must meet besides its words, about ``m``, ``c`` and ``a``. ``conversations``: only in
    these. ``called``: also by titles and names of files. ``rare``: few messages meet this."""

    terms: Terms
    where: Callable[[Arguments], str]
    since: datetime | None = None
    until: datetime | None = None
    conversations: Sequence[int] | None = None
    called: bool = False
    rare: Rare | None = None


class Search:
    """One request. Finds are rows that begin with ``message_id``."""

    def __init__(
        self,
        tx: Tx,
        wanted: Wanted,
        *,
        limit: int,
        below: int | None = None,
        above: int = 0,
        found: str = FOUND,
        seconds: float = SECONDS,
    ) -> None:
        self._tx = tx
        self._wanted = wanted
        self._terms = wanted.terms
        self._limit = limit
        self._below = below
        self._above = above
        self._found = found
        self._until = monotonic() + seconds
        self._finds: list[Row] = []

    @property
    def _missing(self) -> int:
        return self._limit - len(self._finds)

    @property
    def _going_on(self) -> bool:
        return self._missing > 0 and monotonic() < self._until

    async def run(self) -> tuple[list[Row], int]:
        """The finds, and below which id to go on; 0: everything has been searched."""
        conversations = self._wanted.conversations
        if conversations is not None:
            if not conversations:
                return [], 0
            if await self._tx.fetchval(LENGTH, list(conversations)) <= SHORT:
                return await self._in_conversations(conversations)
        low, high = await self._bounds()
        at = (
            await self._in_texts(low, high)
            if self._terms.words and not self._wanted.rare
            else await self._in_all(low, high)
        )
        if self._wanted.called and self._terms.words and not self._wanted.rare and at < high:
            at = await self._by_name(max(at - 1, low), high, at)
        return self._finds, at if at > low else 0

    # ------------------------------------------------------------------ where to look

    async def _bounds(self) -> tuple[int, int]:
        """Ids between which messages of the wanted time lie: everything wanted is above the first and below the second. An archive may
        be opened years after what is in it was said: how old a message is says nothing about its id."""
        newest = await self._tx.fetchval("select coalesce(max(id), 0) from message")
        low, high = self._above, newest + 1
        if self._wanted.since is not None and self._wanted.since.year > 1:
            low = max(await self._first_since(self._wanted.since - timedelta(hours=1), high) - 1, low)
        return max(low, 0), min(high, self._below or high)

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

    # ------------------------------------------------------------------ looking

    async def _in_texts(self, low: int, at: int) -> int:
        at = await self._walk(low, at)
        if not self._terms.pairs:
            # A single character: only the texts themselves tell.
            while at > low and self._going_on:
                at = await self._walk(low, at, many=5)
        steps = iter(STEPS)
        size = 0
        while at > low and self._going_on:
            size = next(steps, size)
            at = await self._blocks(low, at, size)
        return at

    async def _in_all(self, low: int, at: int) -> int:
        """Without words, or where few come into question: messages one by one."""
        many = 1
        while at > low and self._going_on:
            at = await self._walk_messages(low, at, many)
            many = 5
        return at

    async def _in_conversations(self, conversations: Sequence[int]) -> tuple[list[Row], int]:
        arguments = Arguments()
        where = self._wanted.where(arguments)
        within = arguments.add(list(conversations), "bigint[]")
        below = f"and m.id < {arguments.add(self._below, 'bigint')}" if self._below else ""
        above = f"and m.id > {arguments.add(self._above, 'bigint')}" if self._above else ""
        rows = await self._tx.fetch(
            f"select {self._found} from message m left join message_text t on t.message_id = m.id "
            "join conversation c on c.id = m.conversation_id join account a on a.id = c.account_id "
            f"where m.conversation_id = any({within}) {below} {above} and {self.says_all(arguments)} and {where} "
            f"order by m.id desc limit {self._limit + 1}",
            *arguments.values,
        )
        kept = rows[: self._limit]
        return kept, kept[-1]["message_id"] if len(rows) > len(kept) else 0

    async def _walk(self, low: int, at: int, many: int = 1) -> int:
        """Reads the newest texts below ``at``. Returns the id below which nothing has been read."""
        if at <= low or self._missing <= 0:
            return at
        arguments = Arguments()
        where = self._wanted.where(arguments)
        below, above = arguments.add(at, "bigint"), arguments.add(low, "bigint")
        walked = f"""(select * from message_text where message_id < {below} and message_id > {above}
          order by message_id desc limit {WALKED * many})"""
        rows = await self._tx.fetch(
            f"""with walked as materialized {walked},
              matching as materialized (select * from walked t where {self._says(arguments)} order by message_id desc)
              (select f.*, null::bigint as lowest from matching t cross join lateral ({self._looked_up(arguments, where)}) f
                limit {self._missing})
              union all select {self._nothing}, case when count(*) = {WALKED * many} then min(message_id) end from walked
              order by message_id desc nulls last limit {self._missing + 1}""",
            *arguments.values,
        )
        return self._take(rows, low)

    async def _walk_messages(self, low: int, at: int, many: int) -> int:
        """The same through messages with and without text."""
        arguments = Arguments()
        where = self._wanted.where(arguments)
        below, above = arguments.add(at, "bigint"), arguments.add(low, "bigint")
        of = self._wanted.rare or ALL
        rows = await self._tx.fetch(
            f"""with walked as materialized (select {of.id} as id from {of.source}
                where {of.id} < {below} and {of.id} > {above} and {of.where(arguments)} order by {of.id} desc limit {WALKED * many}),
              matching as materialized (select w.id as message_id, t.words from walked w
                left join message_text t on t.message_id = w.id order by w.id desc)
              (select f.*, null::bigint as lowest from matching t cross join lateral (
                  select {self._found} from message m join conversation c on c.id = m.conversation_id
                  join account a on a.id = c.account_id
                  where m.id = t.message_id and {self.says_all(arguments)} and {where} limit 1) f
                limit {self._missing})
              union all select {self._nothing}, case when count(*) = {WALKED * many} then min(id) end from walked
              order by message_id desc nulls last limit {self._missing + 1}""",
            *arguments.values,
        )
        return self._take(rows, low)

    async def _blocks(self, low: int, at: int, number: int) -> int:
        """Asks the index about the next blocks of ids below ``at``."""
        top = (at - 1) >> BLOCK
        bottom = max(top - number + 1, low >> BLOCK, 0)
        arguments = Arguments()
        where = self._wanted.where(arguments)
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
                ) t where message_id < {below} and message_id > {above} and {self._says(arguments)}
                order by message_id desc offset 0
              ) t cross join lateral ({self._looked_up(arguments, where)}) f
              limit {self._missing}""",
            *arguments.values,
        )
        self._finds += rows
        if self._missing <= 0:
            return int(rows[-1]["message_id"])
        return max(bottom << BLOCK, low)

    async def _by_name(self, low: int, high: int, at: int) -> int:
        """Adds what says it in a title or the name of a file, between ids that have been looked through for their texts."""
        arguments = Arguments()
        where = self._wanted.where(arguments)
        top, bottom = (high - 1) >> MEDIA_BLOCK, max(low, 0) >> MEDIA_BLOCK
        blocks = arguments.add(list(range(top, bottom - 1, -1)), "bigint[]")
        below, above = arguments.add(high, "bigint"), arguments.add(low, "bigint")
        asked = [arguments.add(keys, "bigint[]") for keys in self._terms.keys_by_word]

        def called(keys: str) -> str:
            each = [f"{keys} @> array(select (b.id << 42) | p from unnest({one}) p)" for one in asked]
            return f"({' or '.join(each)})"

        rows = await self._tx.fetch(
            f"""select f.* from unnest({blocks}) with ordinality b (id, place)
              cross join lateral (
                select message_id from (
                  select id as message_id from message where content <> '{{}}'
                    and {called(f"search_keys(id >> {MEDIA_BLOCK}, search_fold(content_words(content)), true)")}
                  union
                  select message_id from attachment where name <> '' and message_id is not null
                    and {called(f"search_keys(message_id >> {MEDIA_BLOCK}, search_fold(name), true)")}
                ) u where message_id < {below} and message_id > {above} order by message_id desc offset 0
              ) n cross join lateral (
                select {self._found} from message m join conversation c on c.id = m.conversation_id
                join account a on a.id = c.account_id left join message_text t on t.message_id = m.id
                where m.id = n.message_id and {self.says_all(arguments)} and {where} limit 1
              ) f limit {self._limit}""",
            *arguments.values,
        )
        both = {row["message_id"]: row for row in [*rows, *self._finds]}
        self._finds = [both[one] for one in sorted(both, reverse=True)][: self._limit]
        return int(self._finds[-1]["message_id"]) if len(self._finds) == self._limit else at

    def _take(self, rows: list[Row], low: int) -> int:
        lowest = next((row["lowest"] for row in rows if row["message_id"] is None), None)
        finds = [row for row in rows if row["message_id"] is not None]
        more = len(finds) >= self._missing
        self._finds += finds[: self._missing]
        if more:
            return int(self._finds[-1]["message_id"])
        return int(lowest) if lowest is not None else low

    # ------------------------------------------------------------------ conditions

    @property
    def _nothing(self) -> str:
        return ", ".join(["null"] * (self._found.count(",") + 1))

    def _says(self, arguments: Arguments) -> str:
        """Of the text ``t.words`` alone."""
        return _all_in("t.words", self._terms, arguments)

    def says_all(self, arguments: Arguments) -> str:
        """Of everything that ``m`` has in words; ``t`` may be missing."""
        terms = self._terms
        if not terms.words and not terms.excluded:
            return "true"
        text = "coalesce(t.words, '')"
        if not self._wanted.called:
            return _all_in(text, terms, arguments)
        whole = _all_in(f"{text} || E'\\x1f' || {CALLED}", terms, arguments)
        if terms.excluded:
            return whole
        return f"({_all_in(text, terms, arguments)} or ((m.content <> '{{}}' or exists (select from attachment f where f.message_id = m.id)) and {whole}))"

    def _looked_up(self, arguments: Arguments, where: str) -> str:
        """A candidate, one by one and from the newest on, so that no more are looked at than needed."""
        without = ""
        if self._wanted.called and self._terms.excluded:
            without = f"and {_all_in(CALLED, Terms((), self._terms.excluded), arguments)}"
        return f"""select {self._found} from message m join conversation c on c.id = m.conversation_id
          join account a on a.id = c.account_id where m.id = t.message_id {without} and {where} limit 1"""


def _all_in(text: str, terms: Terms, arguments: Arguments) -> str:
    """All words and none of the excluded ones. A text that is put together is put together once."""
    conditions = [f"strpos(x.said, {arguments.add(word, 'text')}) > 0" for word in terms.words]
    conditions += [f"strpos(x.said, {arguments.add(word, 'text')}) = 0" for word in terms.excluded]
    if not conditions:
        return "true"
    condition = " and ".join(conditions)
    if text == "t.words":
        return condition.replace("x.said", text)
    return f"(select {condition} from (select {text} as said offset 0) x)"
