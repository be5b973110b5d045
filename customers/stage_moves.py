"""Moving customers from the page: what the asker may change moves, in one step that can be taken back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from customers.pool.due import recompute
from customers.scope import CHANGED, CustomerScope
from customers.stages import move
from customers.timeline import Line, tell
from scrm.errors import Conflict, NotFound
from scrm.permissions import CUSTOMERS_WRITE, Principal
from scrm.services import Work
from scrm.undo import Kind, Step, Undone, remember
from scrm.views import Id, Input, View

UNDO_MOVE = "customer.stage"
MOST = 200
CHANGEABLE = f"""
select u.id from customer u where u.id = any($4::bigint[]) and u.merged_into is null and u.deleted_at is null and {CHANGED}
"""  # noqa: S608 - made of constants
# Only who is still where the move left them, by that very move.
STILL_THERE = """
select u.id, w.from_id, w.since, w.history_id from customer u
join unnest($1::bigint[], $3::bigint[], $4::timestamptz[], $5::bigint[]) w (id, from_id, since, history_id) on w.id = u.id
where u.stage_id is not distinct from $2 and u.merged_into is null
  and w.history_id = (select max(h.id) from stage_history h where h.customer_id = u.id)
  and (w.from_id is null or exists (select from stage s where s.id = w.from_id and s.archived_at is null))
order by u.id for update of u
"""
PUT_BACK = """
update customer u set stage_id = w.from_id, stage_at = w.since, version = u.version + 1, updated_at = $4
from unnest($1::bigint[], $2::bigint[], $3::timestamptz[]) w (id, from_id, since) where u.id = w.id
"""


class MoveInput(Input):
    """``stage_id`` null: into no stage."""

    ids: Annotated[list[Id], Field(min_length=1, max_length=MOST)]
    stage_id: Id | None
    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] = ""


class ChangeDone(View):
    """``skipped``: customers that are not there, may not be changed by the asker, or were so already."""

    changed: list[int]
    skipped: list[int]


async def changeable(work: Work, principal: Principal, ids: Sequence[int]) -> list[int]:
    """Those of these customers that the asker may change. Raises :class:`NotFound` when there is none."""
    rows = await work.tx.fetch(CHANGEABLE, *CustomerScope.of(principal).arguments, list(ids))
    if not rows:
        raise NotFound("There is no such customer among those you may change.")
    return [row["id"] for row in rows]


def done(asked: Sequence[int], changed: Sequence[int]) -> ChangeDone:
    kept = set(changed)
    return ChangeDone(changed=list(changed), skipped=[one for one in dict.fromkeys(asked) if one not in kept])


async def move_by_hand(work: Work, principal: Principal, body: MoveInput) -> tuple[ChangeDone, Step | None]:
    """Raises :class:`NotFound`, :class:`Unprocessable` (``reason_needed``)."""
    ids = await changeable(work, principal, body.ids)
    moved = await move(work, principal, ids, body.stage_id, body.reason)
    step = None
    if moved:
        rows = [[one.customer_id, one.from_id, one.since and one.since.isoformat(), one.history_id] for one in moved]
        step = await remember(work, principal, UNDO_MOVE, {"to": body.stage_id, "moved": rows}, count=len(rows))
    return done(body.ids, [one.customer_id for one in moved]), step


async def restore(work: Work, principal: Principal, data: dict[str, Any]) -> Undone:
    """The move did not happen: its line leaves the history, so that it counts in no figure; the story keeps both."""
    ids, from_ids, since, history = (list(column) for column in zip(*data["moved"], strict=True))
    allowed = set(await changeable(work, principal, ids))
    times = [datetime.fromisoformat(one) if one else None for one in since]
    found = await work.tx.fetch(STILL_THERE, ids, data["to"], from_ids, times, history)
    rows = [row for row in found if row["id"] in allowed]
    if not rows:
        raise Conflict("Somebody moved this customer in the meantime.", code="changed_meanwhile")
    back = [row["id"] for row in rows]
    await work.tx.execute("delete from stage_history where id = any($1::bigint[])", [row["history_id"] for row in rows])
    await work.tx.execute(PUT_BACK, back, [row["from_id"] for row in rows], [row["since"] for row in rows], work.now)
    await recompute(work, back)
    names = {
        row["id"]: dict(row)
        for row in await work.tx.fetch(
            "select id, name, color, kind from stage where id = any($1::bigint[])", [data["to"], *from_ids]
        )
    }
    await tell(
        work,
        [
            Line(
                row["id"], "stage.changed", agent_id=principal.agent_id, object_kind="stage", object_id=row["from_id"],
                data={"from": names.get(data["to"]), "to": names.get(row["from_id"]), "undone": True},
            )
            for row in rows
        ],
    )  # fmt: skip
    return Undone(restored=len(rows), skipped=len(ids) - len(rows))


def undo_kinds() -> dict[str, Kind]:
    return {UNDO_MOVE: Kind(CUSTOMERS_WRITE, restore)}
