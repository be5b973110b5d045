"""Campaigns over HTTP: written, read, and led through their life. Who may read campaigns reads all of them."""

from __future__ import annotations

from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

from campaigns.life import acts, approval, content, dates, write
from campaigns.life.approval import Decision, Submission
from campaigns.life.calendar import CalendarQuery, CampaignCalendar, calendar
from campaigns.life.facts import CampaignChannels, channels, ways_of
from campaigns.life.fitting import Problem, all_problems
from campaigns.life.rows import CampaignPage, CampaignQuery, CampaignView, found, one, page, posts_of
from campaigns.life.settings import RULES, CampaignRules, change_rules
from campaigns.life.trial import TestedList, TestInput, send_test
from campaigns.life.write import CampaignChange, NewCampaign
from campaigns.shapes import Audience, Schedule
from scrm.channel_contacts import NotifiesPeople
from scrm.errors import NotFound
from scrm.handing_out import hand_out
from scrm.http import Raw, Reply, Request, Route
from scrm.permissions import CAMPAIGNS_APPROVE, CAMPAIGNS_READ, CAMPAIGNS_SETTINGS, CAMPAIGNS_WRITE
from scrm.undo import undoable
from scrm.views import Input, View


class DatesInput(Input):
    schedule: Schedule


class ProblemList(View):
    problems: list[Problem]


class DateView(View):
    """``local``: by the schedule's own clock. ``shift``: the clock jumps there (``skipped``: moved to the next moment that exists;
    ``doubled``: the first of the two)."""

    at: datetime
    local: str
    shift: str


class DatesView(View):
    """The next ten at most."""

    zone: str
    dates: list[DateView]


async def campaigns(request: Request, query: CampaignQuery) -> CampaignPage:
    async with request.services.db.pool.acquire() as tx:
        return await page(tx, request.principal, query)


async def show(request: Request, campaign_id: int) -> CampaignView:
    async with request.services.db.pool.acquire() as tx:
        return await one(tx, request.principal, campaign_id, request.services.clock.now())


async def add(request: Request, body: NewCampaign) -> Reply[CampaignView]:
    async with request.services.work() as work:
        made = await write.create(request.services, work, request.principal, body, address=request.address)
        return Reply(await one(work.tx, request.principal, made, work.now), status=201)


async def change(request: Request, campaign_id: int, body: CampaignChange) -> CampaignView:
    async with request.services.work() as work:
        await write.change(request.services, work, request.principal, campaign_id, body, address=request.address)
        return await one(work.tx, request.principal, campaign_id, work.now)


async def delete(request: Request, campaign_id: int) -> Reply[None]:
    async with request.services.work() as work:
        step = await write.delete(work, request.principal, campaign_id, address=request.address)
    return undoable(None, step, status=204)


async def copy(request: Request, campaign_id: int) -> Reply[CampaignView]:
    async with request.services.work() as work:
        made = await write.copy(work, request.principal, campaign_id, address=request.address)
        return Reply(await one(work.tx, request.principal, made, work.now), status=201)


async def submit(request: Request, campaign_id: int, query: Submission) -> CampaignView:
    services = request.services
    recipients = await approval.size(services, campaign_id)
    async with services.work() as work:
        await approval.submit(
            services, work, request.principal, campaign_id, query, recipients=recipients, address=request.address
        )
        return await one(work.tx, request.principal, campaign_id, work.now)


async def decide(request: Request, campaign_id: int, body: Decision) -> CampaignView:
    async with request.services.work() as work:
        await approval.decide(work, request.principal, campaign_id, body, address=request.address)
        return await one(work.tx, request.principal, campaign_id, work.now)


async def withdraw(request: Request, campaign_id: int) -> CampaignView:
    async with request.services.work() as work:
        await approval.withdraw(work, request.principal, campaign_id, address=request.address)
        return await one(work.tx, request.principal, campaign_id, work.now)


async def pause(request: Request, campaign_id: int) -> CampaignView:
    async with request.services.work() as work:
        await acts.pause(work, request.principal, campaign_id, address=request.address)
        return await one(work.tx, request.principal, campaign_id, work.now)


async def resume(request: Request, campaign_id: int) -> CampaignView:
    async with request.services.work() as work:
        await acts.resume(work, request.principal, campaign_id, address=request.address)
        return await one(work.tx, request.principal, campaign_id, work.now)


async def cancel(request: Request, campaign_id: int) -> CampaignView:
    async with request.services.work() as work:
        await acts.cancel(work, request.principal, campaign_id, address=request.address)
        return await one(work.tx, request.principal, campaign_id, work.now)


async def next_dates(request: Request, body: DatesInput) -> DatesView:
    dates.check(body.schedule)
    zone = ZoneInfo(body.schedule.zone)
    wanted = min(body.schedule.times or dates.SHOWN, dates.SHOWN)
    some = islice(dates.dates(body.schedule, request.services.clock.now()), wanted)
    return DatesView(
        zone=body.schedule.zone,
        dates=[
            DateView(at=due.at, local=due.at.astimezone(zone).isoformat(timespec="minutes"), shift=due.shift)
            for due in some
        ],
    )


async def trouble(request: Request, campaign_id: int) -> ProblemList:
    row = await found(request.services.db, campaign_id)
    audience = Audience.model_validate(row["audience"])
    connections = request.services.connections
    return ProblemList(
        problems=await all_problems(request.services.db, row["kind"], posts_of(row), audience, connections)
    )


async def try_out(request: Request, campaign_id: int, body: TestInput) -> TestedList:
    services = request.services
    async with services.work() as work:
        return await send_test(services, work, request.principal, campaign_id, body, address=request.address)


async def places(request: Request) -> CampaignChannels:
    held = request.services.connections
    able = (one.adapter for one in held.all() if not one.paused)
    cards = any(isinstance(one, NotifiesPeople) and one.notifies for one in able)
    return await channels(request.services.db, held, cards=cards)


async def planned(request: Request, query: CalendarQuery) -> CampaignCalendar:
    async with request.services.db.pool.acquire() as tx:
        return await calendar(tx, query, request.services.clock.now(), ways_of(request.services.connections))


async def settings(request: Request) -> CampaignRules:
    return await RULES.load(request.services.db)


async def change_settings(request: Request, body: CampaignRules) -> CampaignRules:
    async with request.services.work() as work:
        await change_rules(work, request.principal, body, address=request.address)
    return body


async def file(request: Request, campaign_id: int, which: str, number: int) -> Raw:
    """``which``: ``post`` or a channel with words of its own."""
    said = content.of_place(posts_of(await found(request.services.db, campaign_id)), which)
    parts = said.parts if said is not None else ()
    held = parts[number - 1].file if 1 <= number <= len(parts) else None
    if held is None:
        raise NotFound("There is no such file.")
    return await hand_out(request, held.model_dump())


def api_routes() -> list[Route]:
    base, one_of = "/api/campaigns", "/api/campaigns/{campaign_id}"
    may, see, clash = CAMPAIGNS_WRITE, CAMPAIGNS_READ, (409,)
    return [
        Route("GET", base, campaigns, see, "Campaigns, the latest changed first"),
        Route("POST", base, add, may, "Write a campaign: it is a draft", status=201),
        Route("POST", f"{base}/dates", next_dates, see, "The next ten dates of a schedule"),
        Route("GET", f"{base}/channels", places, see, "Over which channels campaigns go, how, and within what limits"),
        Route("GET", f"{base}/calendar", planned, see, "What is scheduled and what ran in some days, by account, with clashes"),
        Route("GET", f"{base}/settings", settings, see, "What holds for all campaigns"),
        Route("PATCH", f"{base}/settings", change_settings, CAMPAIGNS_SETTINGS, "Change it: the whole of it is given"),
        Route("GET", one_of, show, see, "One of them"),
        Route("PATCH", one_of, change, may, "Change what is given; what was scheduled becomes a draft", errors=clash),
        Route("DELETE", one_of, delete, may, "Delete one that is not on its way", status=204, errors=clash),
        Route("POST", f"{one_of}/copy", copy, may, "A draft like it", status=201),
        Route("POST", f"{one_of}/submit", submit, may, "Onto the schedule, or before a second person", errors=clash),
        Route("POST", f"{one_of}/decide", decide, CAMPAIGNS_APPROVE, "Approve it or send it back", errors=clash),
        Route("POST", f"{one_of}/withdraw", withdraw, may, "Back to a draft", errors=clash),
        Route("POST", f"{one_of}/pause", pause, may, "Nothing more leaves, from now on", errors=clash),
        Route("POST", f"{one_of}/resume", resume, may, "Go on", errors=clash),
        Route("POST", f"{one_of}/cancel", cancel, may, "Stop it for good", errors=clash),
        Route("GET", f"{one_of}/problems", trouble, see, "What of its words does not fit where it is to go"),
        Route("POST", f"{one_of}/test", try_out, may, "Send a test to colleagues"),
        Route("GET", f"{one_of}/files/{{which}}/{{number}}", file, see, "A file of its attachments", also=(206, 304),
              errors=(416,), binary="application/octet-stream"),
    ]  # fmt: skip
