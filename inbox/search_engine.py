"""Looking through everything that was ever said, newest first: the one way that all searches go.

An index holds the character pairs of every message, with the block of 131,072 ids that it belongs to in front; a map says which
characters, accounts and times are in which 1,024 ids (``inbox/search_places.py``). A search walks back through the newest messages (frequent
words are found there at once) and then asks the index, block by block, or reads the segments that the map leaves: a block without the
pairs costs microseconds. What is found is compared with the text itself. One request works for a limited time and says how far it came, so
it is never slow and misses nothing: the next one goes on from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from inbox.list_sql import Arguments
from inbox.search_places import Segments, character_keys, known_up_to, segments
from inbox.search_statements import BLOCK, FOUND, SEGMENT, Statements, Wanted
from scrm.clock import monotonic
from scrm.db import Row, Tx
from scrm.views import MAX_ID

GLANCED = 100
"""The newest messages that are read one by one before anything else."""
WALKED = 1000
"""So many more of them when there were finds among these: what is said often is found there sooner than by the index."""
SECONDS = 0.25
"""How long one request looks before it says how far it came."""
STEPS = (64, 1024)
"""Blocks asked about at once, while nothing is found more and more."""
SEGMENT_STEPS = (4, 16, 48)
"""The same for segments, which are read through."""
FEW = 48
"""Segments that are read rather than asked the index about."""
SHORT = 50_000
"""Conversations with so many messages together are read through."""
LENGTH = "select coalesce(sum(last_seq), 0) from conversation where id = any($1::bigint[])"


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
        columns: Sequence[str] = FOUND,
        seconds: float = SECONDS,
    ) -> None:
        self._tx = tx
        self._wanted = wanted
        self._terms = wanted.terms
        self._limit = limit
        self._below = below
        self._low = above
        self._until = monotonic() + seconds
        self._statements = Statements(wanted, columns)
        self._finds: list[Row] = []
        self._unnamed = MAX_ID
        """Below which id titles and names of files have not been looked through."""

    async def run(self) -> tuple[list[Row], int]:
        """The finds, and below which id to go on; 0: everything has been searched."""
        conversations = self._wanted.conversations
        if conversations is not None:
            if not conversations:
                return [], 0
            if await self._tx.fetchval(LENGTH, list(conversations)) <= SHORT:
                return await self._in_conversations(conversations)
        high = self._unnamed = self._below or MAX_ID
        words = bool(self._terms.words) and not self._wanted.rare
        at = await self._walk(high, GLANCED)
        if self._finds:
            at = await self._walk(at, WALKED)
        if at > self._low and self._going_on:
            at = await self._further(at)
        if self._wanted.called and words and at < self._unnamed:
            at = await self._by_name(self._unnamed, at)
        return self._finds, at if at > self._low + 1 else 0

    # ------------------------------------------------------------------ the ways

    async def _further(self, at: int) -> int:
        """After the newest messages."""
        if self._wanted.rare:
            return await self._walk_on(at, self._low)
        by_pairs = bool(self._terms.pairs)
        every = [*self._wanted.places, *([] if by_pairs else character_keys(self._terms.words))]
        if not every and self._wanted.since is None and self._wanted.until is None:
            return await self._through_blocks(at, None) if by_pairs else await self._walk_on(at, self._low)
        known = await known_up_to(self._tx)
        only = await segments(self._tx, known, every, self._wanted.since, self._wanted.until, self._low, at)
        left = list(only.newest_first(self._low, min(at, known + 1)))
        if by_pairs and (len(left) > FEW or at - known > WALKED * 20):
            return await self._through_blocks(at, only)
        at = await self._walk_on(at, max(self._low, known))
        return await self._through_segments(at, left) if at <= known + 1 and self._going_on else at

    async def _walk_on(self, at: int, low: int) -> int:
        """One by one, down to an id."""
        while at > low + 1 and self._going_on:
            at = await self._walk(at, WALKED * 5)
        return at

    async def _through_blocks(self, at: int, only: Segments | None) -> int:
        steps, size = iter(STEPS), 0
        allowed = None if only is None else list(only.newest_first(self._low, at))
        while at > self._low and self._going_on:
            size = next(steps, size)
            top = (at - 1) >> BLOCK
            bottom = max(top - size + 1, self._low >> BLOCK, 0)
            numbers = [one for one in range(top, bottom - 1, -1) if only is None or only.perhaps(one)]
            lowest = max(bottom << BLOCK, self._low)
            rows: list[Row] = []
            if numbers:
                arguments = Arguments()
                known = only.known if only is not None else 0
                sql = self._statements.blocks(arguments, numbers, self._low, at, self._missing, allowed, known)
                if self._wanted.called:
                    # The names of the same stretch in the same round trip.
                    names = self._statements.by_name(arguments, max(lowest - 1, self._low), self._unnamed, self._limit)
                    sql = f"({sql}) union all ({names})"
                    self._unnamed = lowest
                    at = self._merge(await self._tx.fetch(sql, *arguments.values), lowest)
                    continue
                rows = await self._tx.fetch(sql, *arguments.values)
            at = self._take(rows, lowest)
        return at

    async def _through_segments(self, at: int, left: Sequence[int]) -> int:
        """``left``: those below ``at`` in which finds can be, the newest first."""
        steps, size, numbers = iter(SEGMENT_STEPS), 0, iter(left)
        while self._going_on:
            size = next(steps, size)
            some = list(islice(numbers, size))
            if not some:
                return self._low
            arguments = Arguments()
            sql = self._statements.segments(arguments, some, self._low, at, self._missing)
            at = self._take(await self._tx.fetch(sql, *arguments.values), max(some[-1] << SEGMENT, self._low))
        return at

    async def _in_conversations(self, conversations: Sequence[int]) -> tuple[list[Row], int]:
        arguments = Arguments()
        sql = self._statements.in_conversations(arguments, conversations, self._below, self._low, self._limit + 1)
        rows = await self._tx.fetch(sql, *arguments.values)
        kept = rows[: self._limit]
        return kept, kept[-1]["message_id"] if len(rows) > len(kept) else 0

    async def _walk(self, at: int, number: int) -> int:
        """Reads so many of the newest below ``at``. Returns the id below which nothing has been read."""
        if at <= self._low or self._missing <= 0:
            return at
        one_by_one = self._statements.messages if self._wanted.rare or not self._terms.words else self._statements.texts
        arguments = Arguments()
        sql = one_by_one(arguments, self._low, at, number, self._missing)
        rows = await self._tx.fetch(sql, *arguments.values)
        lowest = next((row["lowest"] for row in rows if row["message_id"] is None), None)
        return self._take([row for row in rows if row["message_id"] is not None], lowest or self._low)

    async def _by_name(self, high: int, at: int) -> int:
        """Adds what says it in a title or the name of a file, between ids that have been looked through for their texts."""
        arguments = Arguments()
        sql = self._statements.by_name(arguments, max(at - 1, self._low), high, self._limit)
        return self._merge(await self._tx.fetch(sql, *arguments.values), at)

    # ------------------------------------------------------------------ how far

    @property
    def _missing(self) -> int:
        return self._limit - len(self._finds)

    @property
    def _going_on(self) -> bool:
        return self._missing > 0 and monotonic() < self._until

    def _merge(self, finds: Sequence[Row], lowest: int) -> int:
        """The same for finds in no order, some of which may be there already."""
        both = {row["message_id"]: row for row in [*finds, *self._finds]}
        self._finds = [both[one] for one in sorted(both, reverse=True)][: self._limit]
        return int(self._finds[-1]["message_id"]) if len(self._finds) == self._limit else lowest

    def _take(self, finds: Sequence[Row], lowest: int) -> int:
        """Adds finds; below which id to go on, when everything down to ``lowest`` was looked through for them."""
        self._finds += finds[: self._missing]
        return lowest if self._missing > 0 else int(self._finds[-1]["message_id"])
