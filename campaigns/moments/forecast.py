"""What would happen: who is asked to post it, how many customers could see it, and what is left of the platform's limits."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from campaigns.moments.places import MINUTE, Place, all_who_may_see, called_since, may_see, members, month_of, places
from campaigns.shapes import Audience, Schedule
from scrm.db import Database, Row, Tx
from scrm.errors import NotFound
from scrm.services import Services
from scrm.views import View

SHOWN = 500
CAMPAIGN = "select * from campaign where id = $1 and kind = 'moment' and deleted_at is null"

LeftOut = Literal["", "account_off", "connection_paused", "tags_unknown"]


class MomentAccount(View):
    """``n``: customers on this member's list who could see it. ``left_out``: why this member is not asked."""

    account_id: int
    name: str
    channel: str
    n: int
    left_out: LeftOut


class MomentLimit(View):
    """Of one connection. ``month_used``: moments of the month of the start that were asked for; ``month_limit``: how many the platform
    takes; ``near_limit``: four fifths and more, this one with them; ``full``: none is left; ``waits``: others of this minute come first."""

    connection_id: int
    channel: str
    month_used: int
    month_limit: int
    per_minute: int
    near_limit: bool
    full: bool
    waits: bool


class MomentForecast(View):
    """``customers``: each once, however many of the members they know. ``accounts``: the first 500, those with most customers first.
    ``at``: when this was found; nothing of it is kept."""

    members: int
    left_out: int
    customers: int
    accounts: list[MomentAccount]
    limits: list[MomentLimit]
    starts_at: datetime
    at: datetime


async def forecast(services: Services, campaign_id: int) -> MomentForecast:
    """Raises :class:`NotFound`."""
    now = services.clock.now()
    async with services.db.transaction() as tx:
        row = await tx.fetchrow(CAMPAIGN, campaign_id)
        if row is None:
            raise NotFound("There is no such moment.")
        audience, schedule = Audience.model_validate(row["audience"]), Schedule.model_validate(row["schedule"])
        start = max(row["next_at"] or schedule.at or now, now)
        where = places(services.connections)
        who = await members(tx, where, audience)
        asked = [one for one in who if not _why(one, where)]
        seen = await may_see(tx, asked)
        customers = await all_who_may_see(tx, asked)
        limits = [await _limit(tx, one, start, now) for one in where if _asks(one, asked)]
    accounts = [
        MomentAccount(
            account_id=one["id"], name=one["name"], channel=one["channel"], n=seen.get(one["id"], 0), left_out=_why(one, where)
        )
        for one in who
    ]  # fmt: skip
    accounts.sort(key=lambda one: (one.left_out == "", -one.n, one.name))
    return MomentForecast(
        members=len(asked),
        left_out=len(who) - len(asked),
        customers=customers,
        accounts=accounts[:SHOWN],
        limits=limits,
        starts_at=start,
        at=now,
    )


async def size(services: Services, campaign_id: int) -> int:
    """How many customers could see it: what decides whether a second person is needed."""
    return (await forecast(services, campaign_id)).customers


def _asks(place: Place, asked: list[Row]) -> bool:
    return any(one["connection_id"] == place.connection_id for one in asked)


def _why(member: Row, where: list[Place]) -> LeftOut:
    if member["off"]:
        return "account_off"
    if any(one.paused for one in where if one.connection_id == member["connection_id"]):
        return "connection_paused"
    return "tags_unknown" if member["tagless"] else ""


async def _limit(tx: Tx | Database, place: Place, start: datetime, now: datetime) -> MomentLimit:
    first, _ = await month_of(tx, start)
    used, most = await called_since(tx, place.connection_id, first), place.adapter.moments_per_month
    soon = await called_since(tx, place.connection_id, now - MINUTE) if start - now < MINUTE else 0
    return MomentLimit(
        connection_id=place.connection_id,
        channel=place.channel,
        month_used=used,
        month_limit=most,
        per_minute=place.adapter.moments_per_minute,
        near_limit=(used + 1) * 5 >= most * 4,
        full=used >= most,
        waits=soon >= place.adapter.moments_per_minute,
    )
