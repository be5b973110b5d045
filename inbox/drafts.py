"""What somebody typed and has not sent: kept for them on the server, so that another tab or device goes on where they stopped.

Each writing names the revision it started from. Whoever wrote without having seen the newest one is told so and gets it back: the
page puts both together, and nothing that was typed is lost.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from inbox.text import clean
from scrm.db import Row, Tx
from scrm.permissions import Principal
from scrm.services import Services, Work
from scrm.views import MAX_ID, Input, View

MOST = 500
COLUMNS = "id, conversation_id, text, revision, updated_at"

LIST = f"select {COLUMNS} from draft where agent_id = $1 and text <> '' order by updated_at desc limit {MOST}"  # noqa: S608
SAVE = f"""
insert into draft as d (agent_id, conversation_id, text, revision, updated_at) values ($1, $2, $3, $4::bigint + 1, $5)
on conflict (agent_id, conversation_id) do update set text = $3, revision = d.revision + 1, updated_at = $5
  where d.revision <= $4 or d.text = '' or d.text = $3
returning {COLUMNS}
"""  # noqa: S608
ONE = f"select {COLUMNS} from draft where agent_id = $1 and conversation_id = $2"  # noqa: S608
BY_IDS = f"select agent_id, {COLUMNS} from draft where id = any($1::bigint[])"  # noqa: S608
OLD = "delete from draft where text = '' and updated_at < now() - interval '30 days'"


class DraftInput(Input):
    """``revision``: the one that the text grew from; 0: none."""

    text: Annotated[str, Field(max_length=20_000)]
    revision: Annotated[int, Field(ge=0, le=MAX_ID - 1)]


class DraftView(View):
    conversation_id: int
    text: str
    revision: int
    updated_at: datetime


class DraftList(View):
    """Not empty, newest first."""

    drafts: list[DraftView]


class SavedDraft(View):
    """``kept`` False: somebody (another tab) wrote meanwhile; ``draft`` is theirs, and what was sent is not stored."""

    draft: DraftView
    kept: bool


def draft_view(row: Row) -> DraftView:
    return DraftView(
        conversation_id=row["conversation_id"],
        text=row["text"],
        revision=row["revision"],
        updated_at=row["updated_at"],
    )


async def list_drafts(tx: Tx, principal: Principal) -> DraftList:
    return DraftList(drafts=[draft_view(row) for row in await tx.fetch(LIST, principal.agent_id)])


async def save_draft(work: Work, principal: Principal, conversation_id: int, body: DraftInput) -> SavedDraft:
    """Of a conversation that the writer sees. An empty text ends the draft."""
    text = clean(body.text)
    text = text if text.strip() else ""
    row = await work.tx.fetchrow(SAVE, principal.agent_id, conversation_id, text, body.revision, work.now)
    if row is None:
        held = await work.tx.fetchrow(ONE, principal.agent_id, conversation_id)
        assert held is not None  # it was in the way a moment ago; rows that hold text are not taken away
        return SavedDraft(draft=draft_view(held), kept=False)
    work.ring("draft", row["id"])
    return SavedDraft(draft=draft_view(row), kept=True)


async def forget_old(services: Services) -> None:
    await services.db.execute(OLD)
