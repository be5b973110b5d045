"""What would happen: whom a campaign reaches and whom it does not and why, by the very statement that freezes it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import asyncpg
from pydantic import Field

from campaigns.audience import series
from campaigns.audience.decide import REASONS, Moment, decide, due, spread_key
from campaigns.audience.groups import decide_groups
from campaigns.audience.places import Place, period_of, places
from campaigns.audience.whose import COMPANY
from campaigns.shapes import Audience, Options, Schedule, Way
from customers import filtering
from customers.filtering import Arguments
from scrm.channel_campaigns import Broadcasts
from scrm.connections import Connections
from scrm.db import Row, Tx
from scrm.errors import NotFound, Unavailable, Unprocessable
from scrm.permissions import Principal
from scrm.services import Services
from scrm.views import Id, Input, View

# ruff: noqa: S608 - made of constants; values are parameters

PATIENCE = "30s"
PAGE = 50
CAMPAIGN = "select * from campaign where id = $1 and deleted_at is null"
TODAY = """
select account_id, count(*)::bigint as n from delivery
where account_id = any($1::bigint[]) and counted_at >= $2 and counted_at < $2 + interval '1 day' group by 1
"""
CALLS = """
select account_id, count(*)::bigint as n from broadcast_ticket
where account_id = any($1::bigint[]) and way = 'broadcast' and created_at >= $2 and state not in ('failed', 'cancelled') group by 1
"""


class ReasonCount(View):
    code: str
    n: int


class AccountShare(View):
    """``today``: recipients of all campaigns on the day of the start. ``quota``: people that its calls of that day still reach, where
    they are limited; ``near_limit``: four fifths of it and more."""

    account_id: int
    name: str
    channel: str
    way: Way
    n: int
    today: int
    quota: int | None
    near_limit: bool


class UsedUp(View):
    """From this date of a series on, so many are left out, since the dates before have used up what their platform allows them."""

    at: datetime
    people: int


class DryRun(View):
    """``members``: how many of the company's people have to confirm. ``too_few``: of ``reachable``, people of accounts whose platform
    takes no call for so few. ``at``: when this was found; nothing of it is kept."""

    matched: int
    reachable: int
    left_out: int
    members: int
    too_few: int
    reasons: list[ReasonCount]
    accounts: list[AccountShare]
    starts_at: datetime
    ends_at: datetime | None
    used_up: UsedUp | None
    at: datetime


class PeopleQuery(Input):
    """``reason``: of those left out; without one: those who are reached. ``cursor``: after this one."""

    reason: Annotated[str, Field(max_length=40)] | None = None
    account_id: Id | None = None
    cursor: Id | None = None


class DryPerson(View):
    id: int
    name: str
    avatar: str
    account_id: int | None
    way: str
    reason: str


class DryPeople(View):
    people: list[DryPerson]
    next_cursor: int | None


async def dry_run(services: Services, campaign_id: int) -> DryRun:
    """Raises :class:`NotFound`, :class:`Unprocessable` for an audience that cannot be found, :class:`Unavailable` when it takes too long."""
    now = services.clock.now()
    async with services.db.transaction() as tx:
        row = await _campaign(tx, campaign_id)
        schedule = Schedule.model_validate(row["schedule"])
        start = max(row["next_at"] or schedule.at or now, now)
        sql, arguments, where = await _statement(tx, services.connections, row, Moment(now, start))
        key = "group_chat_id" if Audience.model_validate(row["audience"]).of == "groups" else "customer_id"
        values = Arguments(arguments)
        at = due(schedule, start, values, spread_key(key))
        rows = await _patiently(
            tx,
            f"select reason, way, account_id, count(*)::bigint as n, max({at}) filter (where reason = '') as ends "
            f"from ({sql}) d group by 1, 2, 3",
            values,
        )
        shares = [one for one in rows if one["reason"] == ""]
        accounts = await _accounts(tx, services.connections, shares, where, start)
        over = await _used_up(tx, services.connections, row, schedule, start)
    reasons: dict[str, int] = {}
    for one in rows:
        if one["reason"]:
            reasons[one["reason"]] = reasons.get(one["reason"], 0) + one["n"]
    reachable, left_out = sum(one["n"] for one in shares), sum(reasons.values())
    least = {p.connection_id: _least(services.connections, p) for p in where if p.way == "broadcast"}
    few = sum(one.n for one in accounts if one.way == "broadcast" and one.n < max(least.values(), default=0))
    return DryRun(
        matched=reachable + left_out, reachable=reachable, left_out=left_out,
        members=sum(one.way == "task" for one in accounts), too_few=few,
        reasons=[ReasonCount(code=code, n=reasons[code]) for code in REASONS if code in reasons],
        accounts=accounts, starts_at=start, ends_at=max((one["ends"] for one in shares), default=None), at=now,
        used_up=UsedUp(at=over[0], people=over[1]) if over is not None else None,
    )  # fmt: skip


async def people(services: Services, principal: Principal, campaign_id: int, query: PeopleQuery) -> DryPeople:
    """A page of those who are reached, or of those who are left out for one reason, in the order of their ids: as far as the asker
    sees them."""
    now = services.clock.now()
    async with services.db.transaction() as tx:
        row = await _campaign(tx, campaign_id)
        if Audience.model_validate(row["audience"]).of == "groups":
            raise Unprocessable("This campaign is for groups.", code="for_groups")
        start = max(row["next_at"] or Schedule.model_validate(row["schedule"]).at or now, now)
        sql, arguments, _ = await _statement(tx, services.connections, row, Moment(now, start), after=query.cursor or 0)
        values = Arguments(arguments)
        wanted = [f"d.reason = {values.add(query.reason or '', 'text')}"]
        wanted.append(filtering.reach_of(await filtering.asking(tx, principal, now), values))
        if query.account_id is not None:
            wanted.append(f"d.account_id = {values.add(query.account_id, 'bigint')}")
        rows = await _patiently(
            tx,
            f"select u.id, u.name, u.avatar, d.account_id, d.way, d.reason from ({sql}) d join customer u on u.id = d.customer_id "
            f"where {' and '.join(wanted)} order by d.customer_id limit {PAGE + 1}",
            values,
        )
    shown = [DryPerson(**dict(one)) for one in rows[:PAGE]]
    return DryPeople(people=shown, next_cursor=shown[-1].id if len(rows) > PAGE else None)


async def _used_up(
    tx: Tx, connections: Connections, row: Row, schedule: Schedule, start: datetime
) -> tuple[datetime, int] | None:
    if schedule.mode != "recurring" or Audience.model_validate(row["audience"]).of == "groups":
        return None
    sql, arguments, where = await _statement(tx, connections, row, Moment(start, start))
    found = []
    for place, limit in series.limited(where):
        values = Arguments(list(arguments))
        begun, _ = period_of(limit, start)
        asked = series.USED.format(
            sql=sql, since=values.add(begun, "timestamptz"), everything="true" if limit.everything else "false",
            connection=values.add(place.connection_id, "bigint"), way=values.add(place.way, "text"),
        )  # fmt: skip
        found += [series.Used(limit, one["used"], one["people"]) for one in await _patiently(tx, asked, values)]
    return series.used_up(schedule, start, found)


async def _campaign(tx: Tx, campaign_id: int) -> Row:
    row = await tx.fetchrow(CAMPAIGN, campaign_id)
    if row is None:
        raise NotFound("There is no such campaign.")
    return row


async def _statement(
    tx: Tx, connections: Connections, row: Row, moment: Moment, *, after: int = 0
) -> tuple[str, list[object], list[Place]]:
    audience, options = Audience.model_validate(row["audience"]), Options.model_validate(row["options"])
    where = places(connections, audience, options)
    if audience.of == "groups":
        sql, arguments, _ = decide_groups(audience, where)
        return sql, arguments, where
    found = await decide(tx, COMPANY, audience, options, where, moment, campaign_id=row["id"], limit=None)
    found.arguments[found.after] = after
    return found.sql, found.arguments, where


async def _patiently(tx: Tx, sql: str, values: Arguments) -> list[Row]:
    await tx.execute(f"set local statement_timeout = '{PATIENCE}'; set local plan_cache_mode = force_custom_plan")
    try:
        return await tx.fetch(sql, *values.values)
    except asyncpg.QueryCanceledError as error:
        raise Unavailable("Looking at so many customers takes too long. Narrow the audience, or try again.") from error


async def _accounts(
    tx: Tx, connections: Connections, shares: list[Row], where: list[Place], start: datetime
) -> list[AccountShare]:
    ids = [one["account_id"] for one in shares if one["account_id"] is not None]
    known = {
        one["id"]: one
        for one in await tx.fetch(
            "select id, name, channel, connection_id from account where id = any($1::bigint[])", ids
        )
    }
    day = start.replace(hour=0, minute=0, second=0, microsecond=0)
    today = {one["account_id"]: one["n"] for one in await tx.fetch(TODAY, ids, day)}
    calls = {one["account_id"]: one["n"] for one in await tx.fetch(CALLS, ids, day)}
    found = []
    for one in sorted(shares, key=lambda share: -share["n"]):
        account = known.get(one["account_id"])
        if account is None:
            continue
        quota = _quota(connections, account, one["way"], calls.get(one["account_id"], 0))
        found.append(
            AccountShare(
                account_id=account["id"], name=account["name"], channel=account["channel"], way=one["way"], n=one["n"],
                today=today.get(account["id"], 0), quota=quota, near_limit=quota is not None and one["n"] * 5 >= quota * 4,
            )
        )  # fmt: skip
    return found


def _quota(connections: Connections, account: Row, way: str, used: int) -> int | None:
    loaded = connections.held(account["connection_id"])
    if way != "broadcast" or loaded is None or not isinstance(loaded.adapter, Broadcasts):
        return None
    return max(loaded.adapter.broadcasts_per_day - used, 0) * loaded.adapter.broadcast_batch


def _least(connections: Connections, place: Place) -> int:
    loaded = connections.held(place.connection_id)
    return loaded.adapter.broadcast_least if loaded is not None and isinstance(loaded.adapter, Broadcasts) else 0
