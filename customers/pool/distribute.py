"""Handing what lies in the pool out to people, in turn, as far as each has room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, model_validator

from customers.owner_undo import remember_given
from customers.owning import give_each, must_be_usable
from customers.pool.listing import IN_POOL
from customers.pool.rules import LIMITS
from scrm.db import Tx
from scrm.permissions import Principal
from scrm.services import Work
from scrm.trail import record
from scrm.undo import Step
from scrm.views import Id, Input, View

MOST = 5000
OLDEST = f"select u.id from customer u where {IN_POOL} order by u.pooled_at, u.id limit $1"  # noqa: S608
THESE = (
    f"select u.id from customer u where {IN_POOL} and u.id = any($1::bigint[]) order by u.pooled_at, u.id for update"  # noqa: S608
)
HELD = """
select a.id, (select count(*) from customer u where u.owner_id = a.id and u.deleted_at is null) as held
from unnest($1::bigint[]) with ordinality a (id, place) order by a.place
"""


class DistributeInput(Input):
    """``count`` of the oldest (a preview only: it answers with their ids), or these ``ids``."""

    agent_ids: Annotated[list[Id], Field(min_length=1, max_length=200)]
    ids: Annotated[list[Id], Field(min_length=1, max_length=MOST)] | None = None
    count: Annotated[int, Field(ge=1, le=MOST)] | None = None
    preview: bool = False

    @model_validator(mode="after")
    def _one_of_them(self) -> DistributeInput:
        if (self.ids is None) == (self.count is None):
            raise ValueError("Give either ids or count.")
        if self.ids is None and not self.preview:
            raise ValueError("Preview it first, and distribute the ids that it names.")
        return self


class PoolPortion(View):
    """``held``: how many they have before. ``full``: they have no room for more."""

    agent_id: int
    held: int
    ids: list[int]
    full: bool


class PoolDistribution(View):
    """``left``: in the pool still, since nobody has room. ``gone``: asked for and no longer in the pool."""

    portions: list[PoolPortion]
    left: int
    gone: int
    done: bool


async def distribute(
    work: Work, principal: Principal, body: DistributeInput, *, address: str
) -> tuple[PoolDistribution, Step | None]:
    """In turn, oldest first. Raises :class:`Unprocessable` for somebody who cannot have customers."""
    agents = list(dict.fromkeys(body.agent_ids))
    await must_be_usable(work.tx, agents)
    ids = await _chosen(work.tx, body)
    view = await _planned(work.tx, agents, ids, asked=len(set(body.ids)) if body.ids else len(ids))
    if body.preview:
        return view, None
    owners: dict[int, int | None] = {one: portion.agent_id for portion in view.portions for one in portion.ids}
    given = await give_each(work, owners, "distributed", principal.agent_id)
    if given:
        await record(
            work, "customer.distributed", agent_id=principal.agent_id, object_kind="customer", address=address,
            detail={"count": len(given), "agent_ids": agents},
        )  # fmt: skip
    return view.model_copy(update={"done": True}), await remember_given(work, principal, given)


async def _chosen(tx: Tx, body: DistributeInput) -> list[int]:
    rows = await (tx.fetch(THESE, body.ids) if body.ids is not None else tx.fetch(OLDEST, body.count))
    return [row["id"] for row in rows]


async def _planned(tx: Tx, agents: Sequence[int], ids: Sequence[int], *, asked: int) -> PoolDistribution:
    most = (await LIMITS.load(tx)).hold_most
    held = {row["id"]: row["held"] for row in await tx.fetch(HELD, list(agents))}
    room = {one: len(ids) if most is None else max(most - held[one], 0) for one in agents}
    portions: dict[int, list[int]] = {one: [] for one in agents}
    waiting = list(ids)
    while waiting and any(room.values()):
        for one in agents:
            if waiting and room[one]:
                portions[one].append(waiting.pop(0))
                room[one] -= 1
    return PoolDistribution(
        portions=[
            PoolPortion(agent_id=one, held=held[one], ids=portions[one], full=most is not None and room[one] == 0)
            for one in agents
        ],
        left=len(waiting),
        gone=asked - len(ids),
        done=False,
    )
