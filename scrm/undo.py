"""Taking back what one just did.

An act that can be taken back calls :func:`remember` in its own unit of work and answers with :func:`undoable`: the page sees the
header, offers Undo, and posts the step here. Each kind of step has one function that restores, if nothing else changed meanwhile.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from pydantic import BaseModel

from scrm.errors import Conflict, Forbidden, NotFound
from scrm.http import SIGNED_IN, Reply, Request, Route
from scrm.permissions import Principal
from scrm.services import Work
from scrm.views import View

HEADER = "X-Undo-Step"
KEPT = timedelta(minutes=15)

M = TypeVar("M", bound=BaseModel | None)

INSERT = """
insert into undo_step (agent_id, kind, data, created_at, expires_at) values ($1, $2, $3, $4, $5) returning id
"""
CLAIM = """
select kind, data, undone_at, expires_at from undo_step where id = $1 and agent_id = $2 for update
"""


@dataclass(frozen=True, slots=True)
class Step:
    """What was remembered. ``count``: how many things it restores, for the sentence on the page."""

    id: int
    kind: str
    count: int


class UndoneView(View):
    """What became of it: ``restored`` things are as before, ``skipped`` ones had been changed by somebody meanwhile."""

    kind: str
    restored: int
    skipped: int


@dataclass(frozen=True, slots=True)
class Undone:
    restored: int = 1
    skipped: int = 0


Restore = Callable[[Work, Principal, dict[str, Any]], Awaitable[Undone]]
"""Restores from the remembered data. Raises :class:`Conflict` when everything has been changed meanwhile."""


@dataclass(frozen=True, slots=True)
class Kind:
    """``permission``: what one must (still) be allowed in order to undo."""

    permission: str
    restore: Restore


async def remember(work: Work, principal: Principal, kind: str, data: Mapping[str, Any], *, count: int = 1) -> Step:
    """Keeps how to undo what this unit of work does; ``kind`` is a key of the table in ``scrm.app``. ``data`` is JSON (times as
    ISO text), holds no secret, and says both what to restore and what must still be so for that."""
    step_id = await work.tx.fetchval(INSERT, principal.agent_id, kind, dict(data), work.now, work.now + KEPT)
    return Step(step_id, kind, count)


def undoable(body: M, step: Step | None, *, status: int = 200) -> Reply[M]:
    """An answer that tells the page what can be undone. For an act without an answer: ``undoable(None, step, status=204)``."""
    headers = {HEADER: f"{step.id};{step.kind};{step.count}"} if step is not None else {}
    return Reply(body, status=status, headers=headers)


def api_routes(kinds: Mapping[str, Kind]) -> list[Route]:
    async def undo(request: Request, step_id: int) -> UndoneView:
        async with request.services.work() as work:
            row = await work.tx.fetchrow(CLAIM, step_id, request.principal.agent_id)
            if row is None or row["kind"] not in kinds:
                raise NotFound("There is nothing to undo here.")
            if row["undone_at"] is not None:
                # Asked twice: it is as they want it.
                return UndoneView(kind=row["kind"], restored=0, skipped=0)
            if row["expires_at"] < work.now:
                raise Conflict("This was too long ago to be undone.", code="undo_expired")
            kind = kinds[row["kind"]]
            if not request.principal.may(kind.permission):
                raise Forbidden("You may no longer change this.")
            done = await kind.restore(work, request.principal, row["data"])
            await work.tx.execute("update undo_step set undone_at = $2 where id = $1", step_id, work.now)
        return UndoneView(kind=row["kind"], restored=done.restored, skipped=done.skipped)

    return [Route("POST", "/api/undo/{step_id}", undo, SIGNED_IN, "Undo what one just did oneself", errors=(409,))]
