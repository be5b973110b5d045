"""What an entry of a customer's story is about: messages of a day, a follow-up, a task."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from scrm.db import Row, Tx
from scrm.views import View

if TYPE_CHECKING:
    from inbox.story import StoryEntry

FOLLOW_UPS = """
select id, kind, case when deleted_at is null then text else '' end as text, outcome, deleted_at is not null as deleted, conversation_id
from follow_up where id = any($1::bigint[])
"""
TASKS = "select id, text, due_at, all_day, state from task where id = any($1::bigint[])"


class ExcerptView(View):
    """``text`` is empty for what was withdrawn, unless the reader may read that."""

    seq: int
    at: datetime
    direction: str
    kind: str
    text: str
    recalled: bool
    agent_id: int | None


class MessagesView(View):
    """The messages of one conversation on one day (of the company's), newest first."""

    conversation_id: int
    day: str
    first_seq: int
    last_seq: int
    received: int
    sent: int
    excerpts: list[ExcerptView]


class StoryFollowUp(View):
    kind: str
    text: str
    outcome: str
    deleted: bool
    conversation_id: int | None


class StoryTask(View):
    text: str
    due_at: datetime
    all_day: bool
    state: str


def excerpt(row: Row, text: str, *, recalled: bool) -> ExcerptView:
    withdrawn = row["recalled_at"] is not None
    return ExcerptView(
        seq=row["seq"], at=row["sent_at"], direction=row["direction"], kind=row["kind"],
        text="" if withdrawn and not recalled else text, recalled=withdrawn, agent_id=row["sender_agent_id"],
    )  # fmt: skip


async def details(tx: Tx, entries: Sequence[StoryEntry]) -> list[StoryEntry]:
    """The entries with the follow-ups and tasks that they are about, as these are now. A statement for each kind."""
    follow_ups = await _by_id(tx, FOLLOW_UPS, [one.object_id for one in entries if one.object_kind == "follow_up"])
    tasks = await _by_id(tx, TASKS, [one.object_id for one in entries if one.object_kind == "task"])
    return [_with(one, follow_ups, tasks) for one in entries]


async def _by_id(tx: Tx, sql: str, ids: Sequence[int | None]) -> dict[int, Row]:
    wanted = [one for one in ids if one is not None]
    return {row["id"]: row for row in await tx.fetch(sql, wanted)} if wanted else {}


def _with(entry: StoryEntry, follow_ups: dict[int, Row], tasks: dict[int, Row]) -> StoryEntry:
    if entry.object_id is None:
        return entry
    if entry.object_kind == "follow_up" and (row := follow_ups.get(entry.object_id)) is not None:
        return entry.model_copy(
            update={
                "follow_up": StoryFollowUp(
                    kind=row["kind"], text=row["text"], outcome=row["outcome"], deleted=row["deleted"],
                    conversation_id=row["conversation_id"],
                )
            }
        )  # fmt: skip
    if entry.object_kind == "task" and (row := tasks.get(entry.object_id)) is not None:
        task = StoryTask(text=row["text"], due_at=row["due_at"], all_day=row["all_day"], state=row["state"])
        return entry.model_copy(update={"task": task})
    return entry
