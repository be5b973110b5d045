"""Looking for words within one conversation, and for a day."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, Field, model_validator

from inbox.queries import conversation_row
from inbox.text import clean
from scrm.db import Tx
from scrm.permissions import Scope
from scrm.views import Input, View

MOST = 500

# A conversation is one customer's: reading its rows in their order is quick, and finds every text that holds the words.
FIND = """
select m.id, m.seq, m.sent_at from message m
where m.conversation_id = $1 and m.text ilike $2 and ($3 or m.recalled_at is null) order by m.seq desc limit $4
"""
SINCE = """
select m.id, m.seq, m.sent_at from message m where m.conversation_id = $1 and m.sent_at >= $2 order by m.seq limit 1
"""


class SearchQuery(Input):
    """Either words, or the first message ``since`` a moment (to jump to a day)."""

    q: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    since: AwareDatetime | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> SearchQuery:
        if (self.q is None) == (self.since is None):
            raise ValueError("Give either q or since.")
        return self


class HitView(View):
    message_id: int
    seq: int
    at: datetime


class SearchResult(View):
    """Newest first. ``more``: there are more than are told."""

    hits: list[HitView]
    more: bool


async def search(tx: Tx, scope: Scope, conversation_id: int, query: SearchQuery) -> SearchResult:
    """What was withdrawn is found only by those who may read it. Raises :class:`~scrm.errors.NotFound`."""
    await conversation_row(tx, scope, conversation_id)
    if query.since is not None:
        rows = await tx.fetch(SINCE, conversation_id, query.since)
    else:
        words = clean(query.q or "").strip()
        rows = await tx.fetch(FIND, conversation_id, _pattern(words), scope.recalled, MOST + 1) if words else []
    hits = [HitView(message_id=row["id"], seq=row["seq"], at=row["sent_at"]) for row in rows[:MOST]]
    return SearchResult(hits=hits, more=len(rows) > MOST)


def _pattern(words: str) -> str:
    for letter in ("\\", "%", "_"):
        words = words.replace(letter, f"\\{letter}")
    return f"%{words}%"
