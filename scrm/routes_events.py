"""What platforms sent, as it was stored, and durable work: for those who look after the service."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, model_validator

from scrm import jobs
from scrm.db import Row
from scrm.errors import Conflict, NotFound, Unprocessable
from scrm.http import Request, Route
from scrm.permissions import EVENTS_MANAGE, EVENTS_READ
from scrm.trail import record
from scrm.views import MAX_ID, Id, Input, View

EventState = Literal["new", "done", "ignored", "unrecognised", "failed"]
JobState = Literal["queued", "running", "done", "failed"]
MOST_BYTES = 256 << 10
RERUN_AT_ONCE = 10_000

EVENT = "id, connection_id, source, state, attempts, error, received_at, octet_length(body) as size"
EVENTS = f"""
select {EVENT} from inbound_event where state = $1 and id < $2 order by id desc limit $3
"""  # noqa: S608
ALL_EVENTS = f"select {EVENT} from inbound_event where id < $1 order by id desc limit $2"  # noqa: S608
ONE_EVENT = f"select {EVENT}, substring(body for {MOST_BYTES}) as body from inbound_event where id = $1"  # noqa: S608
RERUN = """
update inbound_event e set state = 'new', attempts = 0, error = null, handled_at = null
from (select id from inbound_event where %s order by id limit $2 for update skip locked) again
where e.id = again.id returning e.connection_id
"""
RERUN_IDS = RERUN % "id = any($1::bigint[]) and state in ('failed', 'unrecognised', 'ignored')"
RERUN_STATE = RERUN % "state = $1"
JOB = "id, kind, state, attempts, error, run_at, created_at"
JOBS = f"select {JOB} from job where state = $1 order by id desc limit 200"  # noqa: S608
ONE_JOB = f"select {JOB} from job where id = $1"  # noqa: S608


class EventsQuery(Input):
    state: Literal["failed", "unrecognised", "new"] | None = None
    cursor: Annotated[str, Field(pattern=r"^[0-9]{1,19}$")] | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class InboundEventView(View):
    id: int
    connection_id: int
    source: str
    state: EventState
    attempts: int
    error: str | None
    received_at: datetime
    size: int


class InboundEventDetail(InboundEventView):
    """``body_text``: as received, at most 256 KB of it; bytes that are no text are shown as such."""

    body_text: str


class EventPage(View):
    events: list[InboundEventView]
    next_cursor: str | None


class RerunInput(Input):
    """Which: some by id, or all of a state."""

    ids: Annotated[list[Id], Field(max_length=1000)] | None = None
    state: Literal["failed", "unrecognised"] | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> RerunInput:
        if (self.ids is None) == (self.state is None):
            raise ValueError("Give either ids or state.")
        return self


class RerunView(View):
    count: int


class JobsQuery(Input):
    state: JobState = "failed"


class JobView(View):
    id: int
    kind: str
    state: JobState
    attempts: int
    error: str | None
    run_at: datetime
    created_at: datetime


class JobList(View):
    jobs: list[JobView]


async def events(request: Request, query: EventsQuery) -> EventPage:
    """Newest first."""
    db, before = request.services.db, int(query.cursor) if query.cursor is not None else MAX_ID
    if before > MAX_ID:
        raise Unprocessable("This cursor cannot be used.", fields={"cursor": "Use the next_cursor of an earlier page."})
    rows = (
        await db.fetch(ALL_EVENTS, before, query.limit + 1)
        if query.state is None
        else await db.fetch(EVENTS, query.state, before, query.limit + 1)
    )
    page = rows[: query.limit]
    cursor = str(page[-1]["id"]) if len(rows) > query.limit else None
    return EventPage(events=[InboundEventView(**row) for row in page], next_cursor=cursor)


async def event(request: Request, event_id: int) -> InboundEventDetail:
    """Customers' own words may be in it: who looked is written down."""
    async with request.services.work() as work:
        row = await work.tx.fetchrow(ONE_EVENT, event_id)
        if row is None:
            raise NotFound("There is no such event.")
        await record(
            work, "inbound_event.read", agent_id=request.principal.agent_id, object_kind="inbound_event",
            object_id=event_id, address=request.address,
        )  # fmt: skip
    values = dict(row)
    body = values.pop("body")
    return InboundEventDetail(**values, body_text=body.decode("utf-8", "replace"))


async def rerun(request: Request, body: RerunInput) -> RerunView:
    """Understands stored events once more, after a fault of ours was mended."""
    async with request.services.work() as work:
        rows = (
            await work.tx.fetch(RERUN_STATE, body.state, RERUN_AT_ONCE)
            if body.state is not None
            else await work.tx.fetch(RERUN_IDS, body.ids, RERUN_AT_ONCE)
        )
        await record(
            work, "inbound_event.rerun", agent_id=request.principal.agent_id, object_kind="inbound_event",
            address=request.address, detail={"count": len(rows), "state": body.state or ""},
        )  # fmt: skip
        if rows:
            work.ring("inbound", *{row["connection_id"] for row in rows})
    return RerunView(count=len(rows))


async def list_jobs(request: Request, query: JobsQuery) -> JobList:
    """The newest 200."""
    return JobList(jobs=[_job(row) for row in await request.services.db.fetch(JOBS, query.state)])


async def retry_job(request: Request, job_id: int) -> JobView:
    async with request.services.work() as work:
        known = await work.tx.fetchrow(ONE_JOB, job_id)
        if known is None:
            raise NotFound("There is no such job.")
        if not await jobs.retry(work, job_id):
            raise Conflict("Only a job that failed can be tried again.", code="not_failed")
        await record(
            work, "job.retried", agent_id=request.principal.agent_id, object_kind="job", object_id=job_id,
            address=request.address,
        )  # fmt: skip
        row = await work.tx.fetchrow(ONE_JOB, job_id)
    return _job(row or known)


def _job(row: Row) -> JobView:
    return JobView(**row)


def api_routes() -> list[Route]:
    return [
        Route("GET", "/api/inbound-events", events, EVENTS_READ, "What platforms sent"),
        Route("GET", "/api/inbound-events/{event_id}", event, EVENTS_READ, "One of it, with its body"),
        Route("POST", "/api/inbound-events/rerun", rerun, EVENTS_MANAGE, "Understand events again"),
        Route("GET", "/api/jobs", list_jobs, EVENTS_READ, "Durable work"),
        Route("POST", "/api/jobs/{job_id}/retry", retry_job, EVENTS_MANAGE, "Try a failed job again", errors=(409,)),
    ]
