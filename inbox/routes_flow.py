"""Who is at work, where conversations go, how the team does, over HTTP."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from chinese_calendar import constants
from pydantic import Field

from inbox import attendance, explain, rulebook, team
from inbox.attendance_push import AttendanceList, read
from inbox.hours import KNOWN_YEARS
from inbox.queries import one_moment
from inbox.rulebook import FlowSettings, General
from scrm.errors import NotFound
from scrm.http import Request, Route
from scrm.permissions import AGENTS_READ, INBOX_READ, INBOX_REPLY, INBOX_SETTINGS, INBOX_TEAM, Scope
from scrm.trail import record
from scrm.views import Input, View


class StatusInput(Input):
    status: attendance.Status


class CapacityInput(Input):
    """0: as the company says."""

    capacity: Annotated[int, Field(ge=0, le=10_000)]


class CalendarQuery(Input):
    year: Annotated[int, Field(ge=2000, le=2100)]


class SpecialDay(View):
    """``working``: a day of a weekend on which people work for a holiday elsewhere; else a public holiday."""

    day: date
    name: str
    working: bool


class CalendarView(View):
    known: bool = Field(description="False: the holidays of this year have not been decided; weeks go as planned.")
    known_until: int
    days: list[SpecialDay]


class HoursState(View):
    account_id: int
    open: bool
    next_open: datetime | None
    closes: datetime | None


class HoursStates(View):
    at: datetime
    accounts: list[HoursState]


async def attending(request: Request) -> AttendanceList:
    return AttendanceList(agents=await read(request.services.db))


async def set_status(request: Request, body: StatusInput) -> AttendanceList:
    async with request.services.work() as work:
        await attendance.set_status(work, request.principal.agent_id, body.status)
    return AttendanceList(agents=await read(request.services.db))


async def set_capacity(request: Request, agent_id: int, body: CapacityInput) -> AttendanceList:
    async with request.services.work() as work:
        done = await work.tx.fetchval(
            "update agent set capacity = $2 where id = $1 returning id", agent_id, body.capacity
        )
        if done is None:
            raise NotFound("There is no such agent.")
        await record(
            work, "agent.capacity_set", agent_id=request.principal.agent_id, object_kind="agent", object_id=agent_id,
            address=request.address, detail={"capacity": body.capacity},
        )  # fmt: skip
        work.ring("agent", agent_id)
        work.ring("turn")
    return AttendanceList(agents=await read(request.services.db))


async def routing(request: Request, conversation_id: int) -> explain.RoutingView:
    async with one_moment(request.services.db) as tx:
        return await explain.explanations(tx, Scope.of(request.principal), conversation_id)


async def try_out(request: Request, body: explain.TryInput) -> explain.TrialView:
    async with one_moment(request.services.db) as tx:
        return await explain.attempt(tx, Scope.of(request.principal), body, request.services.clock.now())


async def team_overview(request: Request, query: team.TeamQuery) -> team.TeamOverview:
    async with one_moment(request.services.db) as tx:
        return await team.overview(tx, Scope.of(request.principal), query, request.services.clock.now())


async def general(request: Request) -> General:
    return await rulebook.GENERAL.load(request.services.db)


async def set_general(request: Request, body: General) -> General:
    async with request.services.work() as work:
        await rulebook.GENERAL.save(work, body, by=request.principal.agent_id)
        await record(work, "setting.general_set", agent_id=request.principal.agent_id, address=request.address)
    return body


async def flow(request: Request) -> FlowSettings:
    return await rulebook.FLOW.load(request.services.db)


async def set_flow(request: Request, body: FlowSettings) -> FlowSettings:
    async with request.services.work() as work:
        await rulebook.FLOW.save(work, body, by=request.principal.agent_id)
        await record(work, "setting.flow_set", agent_id=request.principal.agent_id, address=request.address)
        work.ring("turn")
    return body


async def calendar_of_year(request: Request, query: CalendarQuery) -> CalendarView:
    holidays = [(day, str(name), False) for day, name in constants.holidays.items() if day.year == query.year]
    workdays = [(day, str(name), True) for day, name in constants.workdays.items() if day.year == query.year]
    days = [SpecialDay(day=day, name=name, working=working) for day, name, working in sorted(holidays + workdays)]
    return CalendarView(known=query.year in KNOWN_YEARS, known_until=max(KNOWN_YEARS), days=days)


async def hours_now(request: Request) -> HoursStates:
    now = request.services.clock.now()
    async with one_moment(request.services.db) as tx:
        book = await rulebook.load(tx)
        rows = await tx.fetch("select id, team_id from account where disabled_at is null order by id")
    scope = Scope.of(request.principal)
    states = []
    for row in rows:
        if scope.covers_account(row["team_id"]):
            calendar = book.calendar_of(row["id"])
            states.append(
                HoursState(
                    account_id=row["id"], open=calendar.is_open(now), next_open=calendar.next_open(now),
                    closes=calendar.closes(now),
                )
            )  # fmt: skip
    return HoursStates(at=now, accounts=states)


def api_routes() -> list[Route]:
    return [
        Route("GET", "/api/attendance", attending, AGENTS_READ, "Who is online, busy, away"),
        Route("POST", "/api/me/status", set_status, INBOX_REPLY, "Say whether one is online, busy or away"),
        Route("PATCH", "/api/attendance/{agent_id}", set_capacity, INBOX_SETTINGS, "How much somebody can take"),
        Route("GET", "/api/conversations/{conversation_id}/routing", routing, INBOX_READ, "Why it is with whom it is"),
        Route("POST", "/api/routing/try", try_out, INBOX_SETTINGS, "Where a conversation would go now", errors=(404,)),
        Route("GET", "/api/team", team_overview, INBOX_TEAM, "The team at work, and the day's figures"),
        Route("GET", "/api/settings/general", general, INBOX_READ, "The company's name and time zone"),
        Route("PATCH", "/api/settings/general", set_general, INBOX_SETTINGS, "Change the company's name and time zone"),
        Route("GET", "/api/settings/flow", flow, INBOX_SETTINGS, "Capacity, and chats of people who leave"),
        Route("PATCH", "/api/settings/flow", set_flow, INBOX_SETTINGS, "Change capacity and what leaving does"),
        Route("GET", "/api/calendar", calendar_of_year, INBOX_SETTINGS, "Public holidays and make-up working days"),
        Route("GET", "/api/hours", hours_now, INBOX_READ, "Which accounts are open now"),
    ]
