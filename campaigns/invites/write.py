"""A list is looked at, stored with its split in one transaction, and ended."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from campaigns.invites.fates import TAKEN, Fate, Judged, counted, judge
from campaigns.invites.lines import lines_of
from campaigns.invites.split import split
from customers.let_in import colleagues
from scrm.company import FACTS
from scrm.errors import Conflict, NotFound, Unprocessable
from scrm.masking import masked
from scrm.permissions import CUSTOMERS_PHONE, CUSTOMERS_WRITE, Principal
from scrm.services import Services, Work
from scrm.trail import record
from scrm.views import Id, Input, Line, View

FARTHEST = timedelta(days=366)
SHOWN = 500
STORE = """
insert into invite_batch (client_token, name, greeting, first_day, per_day, created_by, created_at)
values ($1, $2, $3, $4, $5, $6, $7) on conflict (created_by, client_token) do nothing returning id
"""
MADE = "select id from invite_batch where created_by = $1 and client_token = $2"
TAKE = """
insert into invite (batch_id, phone, name, agent_id, day, created_at)
select $1, w.phone, w.name, w.agent_id, w.day, $6
from unnest($2::text[], $3::text[], $4::bigint[], $5::date[]) with ordinality w (phone, name, agent_id, day, n) order by w.n
on conflict (phone) where state <> 'cancelled' do nothing
"""
COUNT = "update invite_batch set n = (select count(*) from invite where batch_id = $1), left_out = $2 where id = $1 returning n"
END = "update invite_batch set ended_at = $2 where id = $1 and ended_at is null returning id"
CANCEL = "update invite set state = 'cancelled' where batch_id = $1 and state = 'open'"


class ListInput(Input):
    """``text``: pasted lines; ``attachment_id``: an uploaded sheet (.xlsx, .csv) instead. ``per_day``: for each employee."""

    text: Annotated[str, Field(max_length=1_000_000)] = ""
    attachment_id: Id | None = None
    agent_ids: Annotated[list[Id], Field(min_length=1, max_length=200)]
    first_day: date
    per_day: Annotated[int, Field(ge=1, le=200)] = 20

    @model_validator(mode="after")
    def _one_source(self) -> ListInput:
        if bool(self.text.strip()) == (self.attachment_id is not None):
            raise ValueError("Give either text or attachment_id.")
        return self


class NewBatch(ListInput):
    """``greeting``: what the employee copies; may hold {{agent.name}}, {{company.name}} and {{customer.name}}."""

    client_token: Annotated[str, StringConstraints(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9_.:-]+$")]
    name: Line
    greeting: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] = ""


class LineView(View):
    number: int
    phone: str
    name: str
    fate: Fate
    agent_id: int | None
    day: date | None


class ShareView(View):
    agent_id: int
    day: date
    n: int


class PreviewView(View):
    """``lines``: the first 500. ``counts`` by fate, over all."""

    total: int
    taken: int
    counts: dict[str, int]
    lines: list[LineView]
    shares: list[ShareView]
    last_day: date | None


async def preview(services: Services, principal: Principal, body: ListInput) -> PreviewView:
    lines = await lines_of(services, principal, body.text, body.attachment_id)
    async with services.work() as work:
        agents = await _agents(work, body)
        judged = await judge(work.tx, lines)
    taken = [one for one in judged if one.fate in TAKEN]
    plan = list(split(len(taken), agents, body.first_day, body.per_day))
    whose = {one.line.number: share for one, share in zip(taken, plan, strict=True)}
    shares = Counter(plan)
    full = principal.may(CUSTOMERS_PHONE)
    return PreviewView(
        total=len(judged),
        taken=len(taken),
        counts=counted(judged),
        lines=[_line(one, whose.get(one.line.number), full) for one in judged[:SHOWN]],
        shares=[
            ShareView(agent_id=agent, day=day, n=n)
            for (agent, day), n in sorted(shares.items(), key=lambda s: (s[0][1], s[0][0]))
        ],
        last_day=plan[-1][1] if plan else None,
    )


def _line(one: Judged, share: tuple[int, date] | None, full: bool) -> LineView:
    text = one.line.phone or one.line.text
    agent, day = share or (None, None)
    return LineView(
        number=one.line.number, phone=text if full else masked(text), name=one.line.name, fate=one.fate,
        agent_id=agent, day=day,
    )  # fmt: skip


async def create(
    services: Services, work: Work, principal: Principal, body: NewBatch, *, address: str
) -> tuple[int, bool]:
    """The batch and whether it is new. Raises :class:`Unprocessable` when nothing of the list is left."""
    lines = await lines_of(services, principal, body.text, body.attachment_id)
    agents = await _agents(work, body)
    made = await work.tx.fetchval(
        STORE, body.client_token, body.name, body.greeting, body.first_day, body.per_day, principal.agent_id, work.now
    )
    if made is None:
        return int(await work.tx.fetchval(MADE, principal.agent_id, body.client_token)), False
    judged = await judge(work.tx, lines)
    taken = [one.line for one in judged if one.fate in TAKEN]
    plan = list(split(len(taken), agents, body.first_day, body.per_day))
    await work.tx.execute(
        TAKE, made, [one.phone for one in taken], [one.name for one in taken], [agent for agent, _ in plan],
        [day for _, day in plan], work.now,
    )  # fmt: skip
    left = {fate: n for fate, n in counted(judged).items() if fate not in TAKEN}
    n = await work.tx.fetchval(COUNT, made, left)
    if n < len(taken):  # another list was stored in the same moment
        left["earlier"] = left.get("earlier", 0) + len(taken) - n
        await work.tx.execute(COUNT, made, left)
    if n == 0:
        raise Unprocessable(
            "Nothing of this list is left: all of it is known, in an earlier list, or no phone number.",
            code="nothing_left",
        )
    await record(
        work, "invites.stored", agent_id=principal.agent_id, object_kind="invite_batch", object_id=made, address=address,
        detail={"n": n, "left_out": left, "agents": len(agents)},
    )  # fmt: skip
    work.ring("invites")
    return int(made), True


async def end(work: Work, principal: Principal, batch_id: int, *, address: str) -> None:
    """What nobody has added yet is taken off everybody's share; those numbers may come in another list."""
    if await work.tx.fetchval(END, batch_id, work.now) is None:
        if await work.tx.fetchval("select true from invite_batch where id = $1", batch_id):
            raise Conflict("This list is ended already.")
        raise NotFound("There is no such list.")
    await work.tx.execute(CANCEL, batch_id)
    await record(
        work,
        "invites.ended",
        agent_id=principal.agent_id,
        object_kind="invite_batch",
        object_id=batch_id,
        address=address,
    )


async def _agents(work: Work, body: ListInput) -> list[int]:
    """In the order of their ids. Those who may change customers may add them."""
    people = await colleagues(work, body.agent_ids)
    if any(one not in people or not people[one].may(CUSTOMERS_WRITE) for one in body.agent_ids):
        raise Unprocessable(
            "One of these people does not work with customers.", fields={"agent_ids": "Choose active colleagues."}
        )
    today = work.now.astimezone((await FACTS.load(work.tx)).clock).date()
    if not today <= body.first_day <= today + FARTHEST:
        raise Unprocessable(
            "The first day must be today or later, within a year.", fields={"first_day": "Choose another day."}
        )
    return sorted(people)
