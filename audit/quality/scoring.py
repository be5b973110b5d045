"""The life of a sample: scored, looked at by a second person, appealed once by whom it is about, decided.

Each act holds the sample's row, so that of two at once one comes too late and hears so. Nobody scores a chat they took part in, and each
act leaves its line in the sample's history and in the trail.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audit.quality.arithmetic import Outcome, outcome
from audit.quality.samples import sample_row, sheet_of
from audit.quality.views import DecisionInput, MarkInput, ScoreInput, SheetItem
from scrm.db import Row
from scrm.errors import Conflict, Forbidden, NotFound
from scrm.notices import notify
from scrm.permissions import Principal, Scope
from scrm.services import Work
from scrm.trail import record

HOLD = "select state from quality_sample where id = $1 for update"
SCORE = """
update quality_sample set state = $2, percent = $3, passed = $4, vetoed = $5, comment = $6, scored_by = $7, scored_at = $8 where id = $1
"""
RESCORE = "update quality_sample set percent = $2, passed = $3, vetoed = $4, comment = $5 where id = $1"
MARKS = """
insert into quality_mark (sample_id, item, points, most, vetoed, comment)
select $1, w.* from unnest($2::text[], $3::int[], $4::int[], $5::boolean[], $6::text[]) w (item, points, most, vetoed, comment)
on conflict (sample_id, item) do update set points = excluded.points, vetoed = excluded.vetoed, comment = excluded.comment
"""
EVENT = "insert into quality_event (sample_id, at, agent_id, what, detail) values ($1, $2, $3, $4, $5)"
APPEAL = """
update quality_sample set state = 'appealed', appeal_reason = $3, appealed_at = $4
where id = $1 and agent_id = $2 and appealed_at is null and state in ('scored', 'reviewed') returning scored_by
"""
DECIDE = "update quality_sample set state = 'closed', decision = $2, decision_note = $3, decided_by = $4 where id = $1"


async def score(work: Work, principal: Principal, sample_id: int, body: ScoreInput) -> None:
    row = await _held(work, principal, sample_id, ("due",))
    told, result = await _write_marks(work, row, body)
    await work.tx.execute(
        SCORE, sample_id, "scored", result.percent, result.passed, result.vetoed, body.comment, principal.agent_id, work.now
    )  # fmt: skip
    await _told(work, principal, sample_id, "scored", told)
    await _tell(work, principal, row["agent_id"], "quality_scored", sample_id, percent=result.percent)


async def review(work: Work, principal: Principal, sample_id: int, body: ScoreInput) -> None:
    """The second look: by somebody else than who scored."""
    row = await _held(work, principal, sample_id, ("scored",))
    if row["scored_by"] == principal.agent_id:
        raise Forbidden("You scored this chat yourself: the second look is somebody else's.", code="second_person")
    told, result = await _write_marks(work, row, body)
    await work.tx.execute(RESCORE, sample_id, result.percent, result.passed, result.vetoed, body.comment)
    await work.tx.execute("update quality_sample set state = 'reviewed' where id = $1", sample_id)
    await _told(work, principal, sample_id, "reviewed", {**told, "before": row["percent"]})
    if result.percent != row["percent"]:
        await _tell(work, principal, row["agent_id"], "quality_scored", sample_id, "again", percent=result.percent)


async def appeal(work: Work, principal: Principal, sample_id: int, reason: str) -> None:
    """By whom it is about, once. Raises :class:`NotFound` for samples of others."""
    await work.tx.fetchval(HOLD, sample_id)
    appealed = await work.tx.fetchrow(APPEAL, sample_id, principal.agent_id, reason, work.now)
    if appealed is None:
        known = "select state from quality_sample where id = $1 and agent_id = $2 and state <> 'due'"
        if await work.tx.fetchval(known, sample_id, principal.agent_id) is None:
            raise NotFound("There is no such result.")
        raise Conflict("You have appealed against this result already.", code="appealed")
    await _told(work, principal, sample_id, "appealed", {"reason": reason})
    await _tell(work, principal, appealed["scored_by"], "quality_appealed", sample_id)


async def decide(work: Work, principal: Principal, sample_id: int, body: DecisionInput) -> None:
    row = await _held(work, principal, sample_id, ("appealed",))
    told: dict[str, Any] = {"decision": "kept", "note": body.note}
    if body.score is not None:
        marks, result = await _write_marks(work, row, body.score)
        await work.tx.execute(
            RESCORE, sample_id, result.percent, result.passed, result.vetoed, body.score.comment
        )  # fmt: skip
        told = {**told, **marks, "decision": "changed", "before": row["percent"]}
    await work.tx.execute(DECIDE, sample_id, told["decision"], body.note, principal.agent_id)
    await _told(work, principal, sample_id, "decided", told)
    percent = told.get("percent", row["percent"])
    await _tell(
        work, principal, row["agent_id"], "quality_decided", sample_id, percent=percent, decision=told["decision"]
    )


async def _held(work: Work, principal: Principal, sample_id: int, states: tuple[str, ...]) -> Row:
    """Raises :class:`NotFound`, :class:`Forbidden` for one's own chats, :class:`Conflict` when it is not its turn."""
    await work.tx.fetchval(HOLD, sample_id)
    row = await sample_row(work.tx, Scope.of(principal), sample_id)
    if row["mine"]:
        raise Forbidden("You took part in this chat: somebody else judges it.", code="own_chat")
    if row["state"] not in states:
        raise Conflict("Somebody was quicker, look at it again.", code="not_now")
    return row


async def _write_marks(work: Work, row: Row, body: ScoreInput) -> tuple[dict[str, Any], Outcome]:
    items, pass_percent = await sheet_of(work.tx, row)
    result = outcome(items, body.marks, pass_percent)
    most = {one.key: one.points for one in items}
    await work.tx.execute(
        MARKS, row["id"], [one.item for one in body.marks], [one.points for one in body.marks], [most[one.item] for one in body.marks],
        [one.failed for one in body.marks], [one.comment for one in body.marks],
    )  # fmt: skip
    return {"percent": result.percent, "marks": _short(items, body.marks), "comment": body.comment}, result


def _short(items: Sequence[SheetItem], marks: Sequence[MarkInput]) -> list[dict[str, Any]]:
    names = {one.key: one.name for one in items}
    return [
        {"item": one.item, "name": names[one.item], "points": one.points, "failed": one.failed, "comment": one.comment}
        for one in marks
    ]


async def _tell(
    work: Work, by: Principal, agent_id: int | None, kind: str, sample_id: int, turn: str = "", **data: object
) -> None:
    """Whom it is about, or whose score is appealed against; it says how many percent, not of which chat."""
    if agent_id is not None and agent_id != by.agent_id:
        key = f"{kind}:{sample_id}:{turn}"
        await notify(work, [agent_id], kind, key, by=by.agent_id, data={"sample_id": sample_id, **data})


async def _told(work: Work, principal: Principal, sample_id: int, what: str, detail: Mapping[str, Any]) -> None:
    """The history holds what was written, the trail only what was done."""
    await work.tx.execute(EVENT, sample_id, work.now, principal.agent_id, what, dict(detail))
    public = {name: detail[name] for name in ("percent", "before", "decision") if name in detail}
    await record(
        work, f"quality_sample.{what}", agent_id=principal.agent_id, object_kind="quality_sample", object_id=sample_id, detail=public
    )  # fmt: skip
