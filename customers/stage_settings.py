"""The list of stages, as managers keep it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import asyncpg
from pydantic import Field, StringConstraints

from customers.stages import move
from scrm import jobs
from scrm.db import Database, Row, Tx
from scrm.errors import Conflict, NotFound, Unprocessable
from scrm.jobs import Job
from scrm.permissions import Principal
from scrm.services import Services, Work
from scrm.trail import record
from scrm.views import Id, Input, Line, View

Color = Literal["grey", "red", "orange", "yellow", "green", "teal", "blue", "purple", "pink"]
StageKind = Literal["open", "won", "lost"]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
MOST = 30
MOST_REASONS = 20
EMPTY_STAGE = "empty_stage"
AT_ONCE = 500
DEFAULTS: tuple[tuple[str, str, StageKind, Color], ...] = (
    ("新客", "New", "open", "blue"),
    ("意向", "Interested", "open", "teal"),
    ("报价", "Quoted", "open", "yellow"),
    ("合同", "Contract", "open", "orange"),
    ("成交", "Won", "won", "green"),
    ("流失", "Lost", "lost", "grey"),
)
REASONS = {
    "zh-CN": ("价格太高", "选了别家", "暂不需要", "联系不上"),
    "en": ("Too expensive", "Chose another", "Not now", "No answer"),
}
LIST = (
    "select id, name, kind, color, position, data, archived_at is not null as archived from stage order by position, id"
)
PLACE = """
update stage s set position = w.position from unnest($1::bigint[]) with ordinality w (id, position)
where s.id = w.id and s.position <> w.position
"""
# The sums by furthest stage depend on the order and the kinds of all stages.
COUNT_AGAIN = "insert into report_due (hour) select distinct (day::timestamp + interval '12 hours') at time zone 'UTC' from stage_cohort"


class StageView(View):
    id: int
    name: str
    kind: StageKind
    color: Color
    position: int
    asks_reason: bool
    reasons: list[str]
    archived: bool


class StageList(View):
    stages: list[StageView]


class NewStage(Input):
    name: Line
    kind: StageKind = "open"
    color: Color = "blue"
    ask_reason: bool | None = None
    reasons: Annotated[list[Reason], Field(default_factory=list, max_length=MOST_REASONS)]


class StageInput(Input):
    """What is given is changed. ``archived`` false brings one back."""

    name: Line | None = None
    kind: StageKind | None = None
    color: Color | None = None
    ask_reason: bool | None = None
    reasons: Annotated[list[Reason], Field(max_length=MOST_REASONS)] | None = None
    archived: Literal[False] | None = None


class ArchiveInput(Input):
    """Where the customers of the stage go; null: into no stage."""

    move_to: Id | None = None


class StageOrder(Input):
    """Every id of the list that was not put away, in the new order."""

    ids: Annotated[list[Id], Field(max_length=MOST)]


async def list_stages(tx: Tx | Database) -> StageList:
    return StageList(stages=[_view(row) for row in await tx.fetch(LIST)])


def _view(row: Row) -> StageView:
    data = row["data"]
    color: Any = row["color"] or "grey"
    return StageView(
        id=row["id"], name=row["name"], kind=row["kind"], color=color, position=row["position"],
        asks_reason=bool(data.get("ask_reason", row["kind"] == "lost")), reasons=list(data.get("reasons", ())),
        archived=row["archived"],
    )  # fmt: skip


async def add_stage(work: Work, principal: Principal, new: NewStage, *, address: str) -> int:
    """Before the first won or lost stage, at the end for those. Raises :class:`Conflict` (``name_taken``), :class:`Unprocessable`."""
    await _alone(work)
    rows = [row for row in await work.tx.fetch(LIST) if not row["archived"]]
    if len(rows) >= MOST:
        raise Unprocessable(f"There are {MOST} stages already; put some away first.", code="too_many")
    stage_id = await _insert(work, new.name, new.kind, new.color, _data(new.ask_reason, new.reasons))
    order = [row["id"] for row in rows]
    ends = [n for n, row in enumerate(rows) if row["kind"] != "open"]
    order.insert(ends[0] if new.kind == "open" and ends else len(order), stage_id)
    await work.tx.execute(PLACE, order)
    await _note(work, principal, "stage.added", stage_id, address)
    return stage_id


async def add_defaults(work: Work, principal: Principal | None, language: str, *, address: str = "") -> bool:
    """The usual six, when there is no stage at all. False: there is one."""
    await _alone(work)
    if await work.tx.fetchval("select exists (select from stage where archived_at is null)"):
        return False
    for zh, en, kind, color in DEFAULTS:
        reasons = list(REASONS.get(language, REASONS["en"])) if kind == "lost" else []
        await _insert(work, zh if language == "zh-CN" else en, kind, color, _data(None, reasons))
    await _note(work, principal, "stage.defaults_added", None, address)
    return True


async def change_stage(work: Work, principal: Principal, stage_id: int, change: StageInput, *, address: str) -> None:
    """Raises :class:`NotFound`, :class:`Conflict` (``name_taken``)."""
    await _alone(work)
    held = await work.tx.fetchrow("select id, kind, data from stage where id = $1", stage_id)
    if held is None:
        raise NotFound("There is no such stage.")
    data = dict(held["data"])
    if "ask_reason" in change.model_fields_set:
        data.pop("ask_reason", None)
        data.update({} if change.ask_reason is None else {"ask_reason": change.ask_reason})
    if change.reasons is not None:
        data["reasons"] = list(dict.fromkeys(change.reasons))
    try:
        async with work.tx.transaction():
            await work.tx.execute(
                "update stage set name = coalesce($2, name), kind = coalesce($3, kind), color = coalesce($4, color), data = $5, "
                "archived_at = case when $6::boolean then null else archived_at end where id = $1",
                stage_id, change.name, change.kind, change.color, data, change.archived is False,
            )  # fmt: skip
    except asyncpg.UniqueViolationError as error:
        raise _taken() from error
    if change.kind not in (None, held["kind"]):
        await work.tx.execute(COUNT_AGAIN)
    await _note(work, principal, "stage.changed", stage_id, address)


async def put_in_order(work: Work, principal: Principal, ids: Sequence[int], *, address: str) -> None:
    """Raises :class:`Conflict` when the list is another one by now."""
    await _alone(work)
    known = {row["id"] for row in await work.tx.fetch(LIST) if not row["archived"]}
    if set(ids) != known or len(ids) != len(known):
        raise Conflict("Somebody changed this list meanwhile. Look at it again.", code="changed_meanwhile")
    await work.tx.execute(PLACE, list(ids))
    await work.tx.execute(COUNT_AGAIN)
    await _note(work, principal, "stage.ordered", None, address)


async def archive_stage(work: Work, principal: Principal, stage_id: int, move_to: int | None, *, address: str) -> None:
    """At once for new moves; its customers go to ``move_to`` by a job, some hundreds at a time. Raises :class:`NotFound`,
    :class:`Unprocessable` for a place where nobody can go."""
    await _alone(work)
    offered = {row["id"] for row in await work.tx.fetch(LIST) if not row["archived"]}
    if stage_id not in offered:
        raise NotFound("There is no such stage.")
    if move_to is not None and move_to not in offered - {stage_id}:
        raise Unprocessable("Customers cannot go there.", fields={"move_to": "Choose another stage."})
    await work.tx.execute("update stage set archived_at = $2 where id = $1", stage_id, work.now)
    payload = {"stage_id": stage_id, "move_to": move_to}
    await jobs.put(work, EMPTY_STAGE, [f"{stage_id}:{work.now.isoformat()}"], [payload])
    await work.tx.execute(COUNT_AGAIN)
    await _note(work, principal, "stage.archived", stage_id, address)


async def empty_stage(services: Services, job: Job) -> None:
    """Job: moves the customers of a stage that was put away. Killed in the middle, it goes on where it was. Brought back
    meanwhile, the stage keeps those who are still there."""
    stage_id = job.payload["stage_id"]
    while True:
        async with services.work() as work:
            rows = await work.tx.fetch(
                "select u.id from customer u join stage s on s.id = u.stage_id where u.stage_id = $1 and u.merged_into is null "
                "and s.archived_at is not null limit $2",
                stage_id,
                AT_ONCE,
            )
            if not rows:
                return
            await move(work, None, [row["id"] for row in rows], job.payload["move_to"])


async def _insert(work: Work, name: str, kind: str, color: str, data: dict[str, Any]) -> int:
    made = await work.tx.fetchval(
        "insert into stage (name, kind, color, data, position, created_at) values ($1, $2, $3, $4, "
        "(select coalesce(max(position), 0) + 1 from stage), $5) on conflict do nothing returning id",
        name, kind, color, data, work.now,
    )  # fmt: skip
    if made is None:
        raise _taken()
    return int(made)


def _data(ask_reason: bool | None, reasons: Sequence[str]) -> dict[str, Any]:
    data: dict[str, Any] = {"reasons": list(dict.fromkeys(reasons))} if reasons else {}
    return data if ask_reason is None else {**data, "ask_reason": ask_reason}


async def _alone(work: Work) -> None:
    """Changes of the list are rare: one after the other."""
    await work.tx.execute("lock table stage in share row exclusive mode")


async def _note(work: Work, principal: Principal | None, action: str, stage_id: int | None, address: str) -> None:
    work.ring("setting")
    await record(
        work, action, agent_id=principal.agent_id if principal else None, object_kind="stage", object_id=stage_id,
        address=address,
    )  # fmt: skip


def _taken() -> Conflict:
    return Conflict("There is a stage of this name.", code="name_taken", fields={"name": "Choose another name."})
