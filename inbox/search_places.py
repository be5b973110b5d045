"""Where in the archive something can be at all: which characters, accounts, writers and kinds are in which 1,024 ids, and from when to when.

Kept behind the messages' way by whoever looks after the archive; what is newer than it knows is read. It says "not here" for certain and
"perhaps here" otherwise: what is found is always compared with the message itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from inbox.search_statements import BLOCK, SEGMENT
from scrm.db import Tx
from scrm.services import Work

# ruff: noqa: S608 - made of constants

NAME = "search_places"
"""Of the reader that keeps it, in ``reading_place``."""
IN_BLOCK = 1 << (BLOCK - SEGMENT)
OF_ACCOUNT, OF_AGENT, OF_KIND = 1 << 40, 2 << 40, 3 << 40
"""Added to a number, so that none is a character."""
KIND_NUMBER = "('x' || substr(md5({kind}), 1, 8))::bit(32)::bigint"
"""As :func:`kind_number`."""
KNOWN = "select coalesce((select last_id from reading_place where name = $1), 0)"
BIT = f"set_bit(b'{'0' * IN_BLOCK}', ({{id}} >> {SEGMENT} & {IN_BLOCK - 1})::int, 1)"
"""The place of an id in its block."""
SAYS_NOW = f"""
with said as (update message_text set words = search_fold($2) where message_id = $1 returning words)
insert into search_place (key, block, segments)
select distinct ascii(one), $1::bigint >> {BLOCK}, {BIT.format(id="$1::bigint")}
from said cross join lateral unnest(string_to_array(words, null)) one order by 1
on conflict (key, block) do update set segments = search_place.segments | excluded.segments
"""
PLACES = "select key, block, segments from search_place where key = any($1::bigint[]) and block between $2 and $3"
TIMES = """
select segment from search_segment where segment between $1 and $2
  and ($3::timestamptz is null or last_sent >= $3) and ($4::timestamptz is null or first_sent < $4)
"""


@dataclass(frozen=True, slots=True)
class Segments:
    """Those in which finds can be, as bits by block. ``known``: nothing is said about greater ids."""

    known: int
    by_block: dict[int, int]

    def perhaps(self, block: int) -> bool:
        """Something can be in this block."""
        return block in self.by_block or (block + 1) << BLOCK > self.known

    def newest_first(self, low: int, at: int) -> Iterator[int]:
        """With ids above ``low`` and below ``at``."""
        lowest, highest = (low + 1) >> SEGMENT, (at - 1) >> SEGMENT
        for block in sorted(self.by_block, reverse=True):
            bits = self.by_block[block]
            while bits:
                # The first bit is the oldest segment, and the greatest part of the number.
                place = (bits & -bits).bit_length() - 1
                bits &= bits - 1
                segment = block * IN_BLOCK + IN_BLOCK - 1 - place
                if lowest <= segment <= highest:
                    yield segment


async def says_now(work: Work, message_id: int, text: str) -> None:
    """A message that was corrected is found by what it says now."""
    await work.tx.execute(SAYS_NOW, message_id, text)


def kind_number(kind: str) -> int:
    return int(hashlib.md5(kind.encode(), usedforsecurity=False).hexdigest()[:8], 16)


def character_keys(words: Iterable[str]) -> list[list[int]]:
    return [[ord(one)] for one in sorted({one for word in words for one in word})]


async def known_up_to(tx: Tx) -> int:
    return int(await tx.fetchval(KNOWN, NAME))


async def segments(
    tx: Tx,
    known: int,
    every: Sequence[Sequence[int]],
    since: datetime | None,
    until: datetime | None,
    low: int,
    high: int,
) -> Segments:
    """Segments that have one of each of these keys, and something of that time."""
    first, last = low >> SEGMENT, min(high, known) >> SEGMENT
    found: dict[int, int] | None = None
    if every:
        keys = sorted({key for some in every for key in some})
        bits: dict[int, dict[int, int]] = {key: {} for key in keys}
        for row in await tx.fetch(PLACES, keys, first // IN_BLOCK, last // IN_BLOCK):
            bits[row["key"]][row["block"]] = row["segments"].to_int()
        for some in every:
            either: dict[int, int] = {}
            for key in some:
                for block, there in bits[key].items():
                    either[block] = either.get(block, 0) | there
            found = (
                either
                if found is None
                else {block: there & either[block] for block, there in found.items() if block in either}
            )
    if since is not None or until is not None:
        times: dict[int, int] = {}
        for row in await tx.fetch(TIMES, first, last, since, until):
            block, place = divmod(row["segment"], IN_BLOCK)
            times[block] = times.get(block, 0) | 1 << (IN_BLOCK - 1 - place)
        found = times if found is None else {block: there & times.get(block, 0) for block, there in found.items()}
    return Segments(known, {block: there for block, there in (found or {}).items() if there})
