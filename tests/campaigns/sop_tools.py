"""A company with customers, and the loops of plans turned by hand under a clock that stands still."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from campaigns.sop import days, listen, settle, steps
from customers.stages import move
from customers.tags import change_tags
from scrm.clock import ManualClock, monotonic
from scrm.services import Services
from tests.http.site import Browser, Site

NOW = datetime(2026, 6, 1, 2, 0, tzinfo=UTC)
"""A Monday, ten in the morning in Shanghai."""
DAY = timedelta(days=1)
READ = """
select not exists (select from reading_place p where (p.name = 'sop_timeline' and p.last_id < (select coalesce(max(id), 0) from timeline))
  or (p.name = 'sop_messages' and p.last_id < (select coalesce(max(id), 0) from message))) and (select count(*) from reading_place where name like 'sop%') = 2
"""


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """In Shanghai, that day of June 2026."""
    return datetime(2026, 6, day, hour, minute, tzinfo=UTC) - timedelta(hours=8)


def plan(start: dict[str, Any], *steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"start": start, "steps": list(steps), **more}


def task(days: int = 0, at: str | None = "10:00", **more: Any) -> dict[str, Any]:
    when = {"days": days, "at": at} if "minutes" not in more else {}
    return {"kind": "task", "title": f"第{days}天", **when, **more}


def message(days: int = 0, at: str = "10:00", **more: Any) -> dict[str, Any]:
    return {"kind": "message", "title": "问候", "days": days, "at": at, "words": "{{customer.name}}，您好", **more}


async def made(
    boss: Browser, what: dict[str, Any], name: str = "新客跟进", *, on: bool = True, also: bool = False
) -> int:
    body = {"client_token": f"sop-{name}-{id(what)}".encode("ascii", "ignore").decode(), "name": name, "plan": what}
    found = await boss.post("/api/sops", body, status=201)
    sop_id = int(found["sop"]["id"])
    if on:
        await boss.post(f"/api/sops/{sop_id}/enable", {"also_matching": also})
    return sop_id


async def turn(services: Services, rounds: tuple[Callable[[Services], Awaitable[bool]], ...] = ()) -> None:
    """Every loop, until none has anything left. What is read must be read up to its end, which other databases' transactions may delay."""
    deadline = monotonic() + 60
    while monotonic() < deadline:
        more = [await one(services) for one in (listen.listen, days.look, steps.act, settle.settle, *rounds)]
        if not any(more) and await services.db.fetchval(READ):
            return
        await asyncio.sleep(0 if any(more) else 0.01)
    raise AssertionError("the plans never came to rest")


async def wait_until(services: Services, clock: ManualClock, moment: datetime) -> None:
    """Turns the loops at that moment."""
    clock.advance(moment - clock.now())
    await turn(services)


async def customer(site: Site, owner: Browser | None = None, **columns: Any) -> int:
    values = {"name": "客户甲", "owner_id": owner.me["agent"]["id"] if owner else None, **columns}
    places = ", ".join(f"${n}" for n in range(1, len(values) + 1))
    sql = f"insert into customer ({', '.join(values)}) values ({places}) returning id"
    return int(await site.services.db.fetchval(sql, *values.values()))


async def tag(services: Services, name: str = "意向") -> int:
    group = await services.db.fetchval("insert into tag_group (name) values ($1) returning id", f"组{name}")
    return int(
        await services.db.fetchval("insert into tag (tag_group_id, name) values ($1, $2) returning id", group, name)
    )


async def stage(services: Services, name: str) -> int:
    return int(await services.db.fetchval("insert into stage (name) values ($1) returning id", name))


async def give_tag(services: Services, customers: list[int], tag_id: int, *, take: bool = False) -> None:
    async with services.work() as work:
        await change_tags(work, None, customers, [] if take else [tag_id], [tag_id] if take else [])


async def give_stage(services: Services, customers: list[int], stage_id: int) -> None:
    async with services.work() as work:
        await move(work, None, customers, stage_id)


async def talk(site: Site, customer_id: int, *, open_for: timedelta | None = timedelta(hours=48)) -> int:
    """A conversation of the customer on a channel with a reply window."""
    connection = await site.connection()
    account = await site.account(connection)
    now = site.services.clock.now()
    window: dict[str, Any] = {}
    if open_for is not None:
        window = {"window_kind": "kf", "window_opened_at": now, "window_expires_at": now + open_for, "window_quota": 5}
    made = await site.conversation(account, **window)
    await site.services.db.execute(
        "update contact set customer_id = $2 where id = (select contact_id from conversation where id = $1)",
        made,
        customer_id,
    )
    return made


async def entries(services: Services, sop_id: int) -> list[tuple[int, str, str, int]]:
    """(customer, state, reason, next step), in the order in which they began."""
    rows = await services.db.fetch(
        "select customer_id, state, reason, next_step from sop_entry where sop_id = $1 order by id", sop_id
    )
    return [tuple(row) for row in rows]


async def done(services: Services, sop_id: int) -> list[tuple[int, int, str, str]]:
    """(customer, step, state, reason), in the order in which they were done."""
    rows = await services.db.fetch(
        "select customer_id, n, state, reason from sop_step where sop_id = $1 order by id", sop_id
    )
    return [tuple(row) for row in rows]


async def tasks_of(services: Services, customer_id: int) -> list[Any]:
    return list(await services.db.fetch("select * from task where customer_id = $1 order by id", customer_id))
