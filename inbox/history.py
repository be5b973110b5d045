"""What happened to a conversation besides its messages, newest first: who did what, and why it went to whom."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from inbox.queries import conversation_row
from inbox.shapes import EVENT, event_view
from inbox.views import EventView
from scrm.db import Tx
from scrm.permissions import Scope
from scrm.views import Id, Input, View

PAGE = f"""
select {EVENT} from conversation_event e where e.conversation_id = $1 and ($2::bigint is null or e.version < $2)
order by e.version desc limit $3
"""  # noqa: S608


class HistoryQuery(Input):
    """``before``: the version of the last event of the page before."""

    before: Id | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class History(View):
    events: list[EventView]
    more: bool


async def history(tx: Tx, scope: Scope, conversation_id: int, query: HistoryQuery) -> History:
    """Raises :class:`~scrm.errors.NotFound`."""
    await conversation_row(tx, scope, conversation_id)
    rows = await tx.fetch(PAGE, conversation_id, query.before, query.limit + 1)
    return History(events=[event_view(row) for row in rows[: query.limit]], more=len(rows) > query.limit)
