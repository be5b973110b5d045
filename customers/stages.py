"""Stages: :func:`move` is the one way in which a customer gets into one. Every move leaves its line in the history, with the
seconds that the customer spent in the former stage, so the funnel can always be counted again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from customers.pool.due import recompute
from customers.timeline import Line, tell
from scrm.db import Row
from scrm.errors import NotFound, Unprocessable
from scrm.permissions import Principal
from scrm.services import Work

STAGE = "select id, name, kind, color, data from stage where id = $1 and archived_at is null"
LOCK = """
select id, owner_id, stage_id, coalesce(stage_at, created_at) as since, stage_at from customer
where id = any($1::bigint[]) and merged_into is null and stage_id is distinct from $2 order by id for update
"""
MOVE = """
update customer set stage_id = $2, stage_at = $3, version = version + 1, updated_at = $3 where id = any($1::bigint[])
"""
NOTE = """
insert into stage_history (customer_id, from_id, to_id, at, agent_id, reason, seconds, owner_id)
select w.id, w.from_id, $4, $5, $6, $7, w.seconds, w.owner_id
from unnest($1::bigint[], $2::bigint[], $3::bigint[], $8::bigint[]) w (id, from_id, seconds, owner_id) returning id, customer_id
"""
NAMES = "select id, name, color, kind from stage where id = any($1::bigint[])"


@dataclass(frozen=True, slots=True)
class Moved:
    """What it takes to undo a move: where the customer was, since when, and the line of the history."""

    customer_id: int
    from_id: int | None
    since: datetime | None
    history_id: int


async def move(
    work: Work,
    principal: Principal | None,
    customer_ids: Sequence[int],
    stage_id: int | None,
    reason: str = "",
    *,
    rule: Mapping[str, Any] | None = None,
) -> list[Moved]:
    """Moves these customers, in a handful of statements however many they are; those that are there already stay as they are.
    ``principal`` None: by a rule, which ``rule`` (``{id, name}``) names, or by the service itself.

    Raises :class:`NotFound` for a stage that does not exist or was put away, :class:`Unprocessable` (``reason_needed``) when a person
    moves into a stage that asks why and says nothing.
    """
    stage = await _stage(work, stage_id)
    if stage is not None and principal is not None and asks_why(stage) and not reason.strip():
        raise Unprocessable(
            "Say why: this stage asks for a reason.", code="reason_needed", fields={"reason": "Write the reason."}
        )
    rows = await work.tx.fetch(LOCK, list(customer_ids), stage_id)
    if not rows:
        return []
    ids = [row["id"] for row in rows]
    await work.tx.execute(MOVE, ids, stage_id, work.now)
    seconds = [max(int((work.now - row["since"]).total_seconds()), 0) for row in rows]
    agent_id = principal.agent_id if principal is not None else None
    noted = await work.tx.fetch(
        NOTE, ids, [row["stage_id"] for row in rows], seconds, stage_id, work.now, agent_id, reason.strip(),
        [row["owner_id"] for row in rows],
    )  # fmt: skip
    lines = {row["customer_id"]: row["id"] for row in noted}
    await _tell(work, agent_id, rows, stage_id, reason.strip(), rule)
    await recompute(work, ids)
    return [Moved(row["id"], row["stage_id"], row["stage_at"], lines[row["id"]]) for row in rows]


def asks_why(stage: Row) -> bool:
    """A lost stage asks unless the company decided otherwise, a won one when it decided so."""
    return bool(stage["data"].get("ask_reason", stage["kind"] == "lost"))


async def _stage(work: Work, stage_id: int | None) -> Row | None:
    if stage_id is None:
        return None
    # Held, so that nobody puts it away while customers go there.
    stage = await work.tx.fetchrow(STAGE + " for share", stage_id)
    if stage is None:
        raise NotFound("There is no such stage.")
    return stage


async def _tell(
    work: Work,
    agent_id: int | None,
    rows: Sequence[Row],
    stage_id: int | None,
    reason: str,
    rule: Mapping[str, Any] | None,
) -> None:
    named = {row["id"]: dict(row) for row in await work.tx.fetch(NAMES, [stage_id, *{row["stage_id"] for row in rows}])}
    more: dict[str, Any] = {"reason": reason} if reason else {}
    if rule is not None:
        more["rule"] = dict(rule)
    await tell(
        work,
        [
            Line(
                row["id"], "stage.changed", agent_id=agent_id, object_kind="stage", object_id=stage_id,
                data={"from": named.get(row["stage_id"]), "to": named.get(stage_id), **more},
            )
            for row in rows
        ],
    )  # fmt: skip
