"""What happens to each line of a list, and why. Preview and storing ask the same; between both, the unique index has the last word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from campaigns.invites.lines import ListLine
from scrm.db import Database, Tx

Fate = Literal["take", "no_number", "twice", "friend", "known", "earlier"]
"""``take``; no number in the line; the second time in the list; somebody's friend already; a customer who is nobody's friend (taken, and
marked); in an earlier list."""
TAKEN: frozenset[Fate] = frozenset({"take", "known"})

KNOWN = """
select p.phone, bool_or(exists (
  select from contact k join contact_link l on l.contact_id = k.id
  where k.customer_id = p.customer_id and l.state in ('active', 'half'))) as friend
from phone_number p join customer u on u.id = p.customer_id and u.deleted_at is null
where p.phone = any($1::text[]) group by p.phone
"""
EARLIER = "select phone from invite where phone = any($1::text[]) and state <> 'cancelled'"


@dataclass(frozen=True, slots=True)
class Judged:
    line: ListLine
    fate: Fate


async def judge(tx: Tx | Database, lines: Sequence[ListLine]) -> list[Judged]:
    phones = sorted({one.phone for one in lines if one.phone})
    known = {row["phone"]: row["friend"] for row in await tx.fetch(KNOWN, phones)}
    earlier = {row["phone"] for row in await tx.fetch(EARLIER, phones)}
    seen: set[str] = set()
    judged = []
    for line in lines:
        judged.append(Judged(line, _fate(line, seen, known, earlier)))
        if line.phone:
            seen.add(line.phone)
    return judged


def _fate(line: ListLine, seen: set[str], known: dict[str, bool], earlier: set[str]) -> Fate:
    if line.phone is None:
        return "no_number"
    if line.phone in seen:
        return "twice"
    if line.phone in earlier:
        return "earlier"
    if line.phone in known:
        return "friend" if known[line.phone] else "known"
    return "take"


def counted(judged: Sequence[Judged]) -> dict[str, int]:
    return dict(Counter(one.fate for one in judged))
