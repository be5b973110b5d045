"""Reading samples, each by those who see its conversation."""

from __future__ import annotations

from typing import Any

from audit.quality.views import (
    MarkView,
    SampleCounts,
    SampleEventView,
    SamplePage,
    SampleQuery,
    SampleRow,
    SampleView,
    SheetItem,
)
from inbox.list_sql import Arguments
from inbox.queries import SEEN, conversations_by_id
from scrm.db import Row, Tx
from scrm.errors import NotFound
from scrm.permissions import Scope

REACHED = SEEN.replace("($2 or", "($2::boolean or").replace("= $3 ", "= $3::bigint ")
FROM = "quality_sample s join quality_plan p on p.id = s.plan_id join conversation c on c.id = s.conversation_id join account a on a.id = c.account_id"
SAMPLE = """
  s.id, s.plan_id, p.name as plan_name, s.agent_id, s.day, s.messages, s.first_seq, s.last_seq, s.state, s.scored_by, s.percent, s.passed,
  s.vetoed, s.scored_at, s.appealed_at, s.conversation_id, s.comment, s.appeal_reason, s.decision, s.decision_note, s.decided_by,
  s.sheet_version_id,
  (s.agent_id = $3 or exists (select from talk_day t where t.conversation_id = s.conversation_id and t.day = s.day and t.agent_id = $3)) as mine
"""
ONE = f"select {SAMPLE} from {FROM} where s.id = $1 and {REACHED}"  # noqa: S608 - made of constants
COUNTS = f"""
select count(*) filter (where s.state = 'due') as due, count(*) filter (where s.state = 'scored') as scored,
  count(*) filter (where s.state = 'reviewed') as reviewed, count(*) filter (where s.state = 'appealed') as appealed,
  count(*) filter (where s.state = 'closed') as closed
from {FROM} where $1::int is not null and {REACHED}
"""  # noqa: S608 - made of constants
MARKS = "select item, points, most, vetoed, comment from quality_mark where sample_id = $1 order by item"
HISTORY = "select at, agent_id, what, detail from quality_event where sample_id = $1 order by id"
SHEET = "select items, pass_percent from quality_sheet_version where id = $1"
STATES = {"open": ("due", "appealed"), "done": ("scored", "reviewed", "closed")}


async def sample_page(tx: Tx, scope: Scope, query: SampleQuery) -> SamplePage:
    """What waits comes first by its age, what is done by its youth: both in the order of ids, newest first."""
    arguments = Arguments()
    arguments.values += [query.limit + 1, scope.everything, scope.agent_id, scope.teams]
    wanted = [REACHED]
    if query.state is not None:
        wanted.append(f"s.state = any({arguments.add(list(STATES.get(query.state, (query.state,))), 'text[]')})")
    if query.plan_id is not None:
        wanted.append(f"s.plan_id = {arguments.add(query.plan_id, 'bigint')}")
    if query.agent_id is not None:
        wanted.append(f"s.agent_id = {arguments.add(query.agent_id, 'bigint')}")
    if query.cursor is not None:
        wanted.append(f"s.id < {arguments.add(query.cursor, 'bigint')}")
    rows = await tx.fetch(
        f"select {SAMPLE} from {FROM} where {' and '.join(wanted)} order by s.id desc limit $1",  # noqa: S608 - made of constants
        *arguments.values,
    )
    page = rows[: query.limit]
    counts = await tx.fetchrow(COUNTS, 0, scope.everything, scope.agent_id, scope.teams)
    assert counts is not None
    return SamplePage(
        samples=await _rows(tx, page),
        next_cursor=page[-1]["id"] if len(rows) > len(page) else None,
        counts=SampleCounts(**counts),
    )


async def _rows(tx: Tx, rows: list[Row]) -> list[SampleRow]:
    wanted = sorted({row["conversation_id"] for row in rows})
    conversations = {one.id: one for one in await conversations_by_id(tx, wanted)}
    names = [name for name in SampleRow.model_fields if name != "conversation"]
    return [
        SampleRow(**{name: row[name] for name in names}, conversation=conversations[row["conversation_id"]])
        for row in rows
    ]


async def sample_row(tx: Tx, scope: Scope, sample_id: int) -> Row:
    """Raises :class:`NotFound`, also for what the asker may not see."""
    row = await tx.fetchrow(ONE, sample_id, scope.everything, scope.agent_id, scope.teams)
    if row is None:
        raise NotFound("There is no such sample.")
    return row


async def one_sample(tx: Tx, scope: Scope, sample_id: int) -> SampleView:
    row = await sample_row(tx, scope, sample_id)
    return SampleView(
        sample=(await _rows(tx, [row]))[0],
        history=[SampleEventView(**event) for event in await tx.fetch(HISTORY, sample_id)],
        **await result_of(tx, row),
    )


async def result_of(tx: Tx, row: Row) -> dict[str, Any]:
    items, pass_percent = await sheet_of(tx, row)
    return {
        **{name: row[name] for name in ("comment", "appeal_reason", "decision", "decision_note", "decided_by")},
        "items": items,
        "pass_percent": pass_percent,
        "marks": [MarkView(**mark) for mark in await tx.fetch(MARKS, row["id"])],
    }


async def sheet_of(tx: Tx, row: Row) -> tuple[list[SheetItem], int]:
    sheet = await tx.fetchrow(SHEET, row["sheet_version_id"])
    assert sheet is not None
    return [SheetItem.model_validate(one) for one in sheet["items"]], sheet["pass_percent"]
