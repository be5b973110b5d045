"""A working day on simulated platforms with a clock that stands still: what happens takes exactly the time that the test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from inbox import rules, status
from inbox.reply import Draft, reply
from inbox.rulebook import FLOW, FlowSettings, RuleKind
from scrm.app import open_services, running
from scrm.clock import ShiftedClock
from scrm.config import Settings
from scrm.people import create_agent, create_team
from scrm.permissions import OF_ROLE, REACH, Principal
from scrm.services import Services
from simulator.douyin.server import DouyinSimulator
from simulator.douyin.settings import Settings as DouyinSettings
from simulator.wecom.server import WecomSimulator
from simulator.wecom.settings import Settings as WecomSettings
from tests.company import CORP, PASSWORD, SECRET, connect, eventually, fast, settle_in

OFFICE = [[{"start": 540, "end": 1080}]] * 5 + [[], []]


class StandingClock(ShiftedClock):
    """Moves when it is told to."""

    def __init__(self, start: datetime) -> None:
        super().__init__()
        self.at = start

    def now(self) -> datetime:
        return self.at

    def advance(self, by: timedelta | float) -> None:
        self.at += by if isinstance(by, timedelta) else timedelta(seconds=by)


@dataclass(slots=True)
class Day:
    clock: StandingClock
    services: Services
    wecom: WecomSimulator
    douyin: DouyinSimulator
    kf: str
    shop: str
    manager: Principal
    team_id: int
    reps: list[Principal] = field(default_factory=list)
    written: int = 0
    """Messages of customers so far."""

    async def rule(self, kind: RuleKind, name: str, **data: Any) -> int:
        async with self.services.work() as work:
            row = await rules.create(work, self.manager, kind, name, True, data)
        return int(row["id"])

    async def flow(self, **values: Any) -> None:
        async with self.services.work() as work:
            await FLOW.save(work, FlowSettings(**values), by=None)

    def people(self, number: int) -> list[str]:
        return [self.wecom.control.create_customer(CORP, f"微信客户{n}") for n in range(number)]

    def shoppers(self, number: int) -> list[str]:
        return [self.douyin.control.add_customer(name=f"抖音客户{n}").open_id for n in range(number)]

    async def say(self, who: Iterable[str], text: str = "在吗？") -> None:
        """WeCom customers write; returns when the service has understood it."""
        everyone = list(who)
        self.wecom.control.customers_say(self.kf, [[one, text] for one in everyone])
        self.wecom.control.ring(self.kf)
        await self._arrived(len(everyone))

    async def write(self, who: Iterable[str], text: str = "这款有货吗？") -> None:
        """The same for Douyin."""
        everyone = list(who)
        for one in everyone:
            self.douyin.control.write(one, self.shop, text)
        await self._arrived(len(everyone))

    async def _arrived(self, number: int) -> None:
        self.written += number
        await self.count("message where direction = 'in'", self.written)
        await self.settled()

    async def settled(self) -> None:
        """Nothing waits for anybody but people."""
        await self.nothing("inbound_event where state = 'new'")
        await self.nothing("conversation where route_state in ('turn', 'due')")
        await self.nothing("outbox")
        await self.nothing("job where state in ('queued', 'running') and kind in ('ask_survey', 'thank_for_survey')")
        await self.nothing("outbox")

    async def nothing(self, what: str) -> None:
        await self.count(what, 0)

    async def count(self, what: str, number: int) -> None:
        found = -1

        async def is_so() -> bool:
            nonlocal found
            found = await self.services.db.fetchval(f"select count(*) from {what}")
            return bool(found == number)

        try:
            await eventually(is_so, seconds=25)
        except AssertionError:
            raise AssertionError(f"{found} and not {number}: {what}") from None

    async def ids(self, where: str, *arguments: Any) -> list[int]:
        rows = await self.services.db.fetch(
            f"select c.id from conversation c join account a on a.id = c.account_id where {where} "
            "order by c.waiting_since nulls last, c.id",
            *arguments,
        )
        return [row["id"] for row in rows]

    async def each(self, ids: Iterable[int], act: Callable[[Any, int], Awaitable[Any]]) -> None:
        for one in ids:
            async with self.services.work() as work:
                await act(work, one)

    async def answers(self, rep: Principal, ids: Iterable[int], text: str = "您好，有的") -> None:
        able = self.services.connections.capabilities

        async def one(work: Any, conversation_id: int) -> None:
            token = f"answer-{conversation_id}-{int(self.clock.at.timestamp())}"
            await reply(work, rep, conversation_id, Draft(client_token=token, text=text), able)

        await self.each(ids, one)

    async def closes(self, rep: Principal, ids: Iterable[int]) -> None:
        await self.each(ids, lambda work, one: status.close(work, rep, one))

    async def kinds(self) -> dict[str, int]:
        rows = await self.services.db.fetch("select kind, count(*) as n from conversation_event group by 1")
        return {row["kind"]: row["n"] for row in rows}


@asynccontextmanager
async def working_day(settings: Settings, start: datetime, *, reps: int = 3) -> AsyncIterator[Day]:
    """Two processes' worth of background loops, one web server."""
    clock = StandingClock(start)
    url = settings.database.url
    assert url is not None
    # The clock stands still, so a minute never ends: the platforms' limits per minute must not matter.
    wecom_settings = WecomSettings(
        api_per_minute=10**7, api_per_hour=10**8, sync_without_token_per_minute=10**6, callback_check_deadline=30.0
    )
    douyin_settings = DouyinSettings(calls_per_second=10**6)
    async with AsyncExitStack() as stack:
        wecom = await stack.enter_async_context(WecomSimulator(clock=clock, settings=wecom_settings))
        douyin = await stack.enter_async_context(DouyinSimulator(clock=clock, settings=douyin_settings))
        wecom.control.create_app(CORP, SECRET)
        # Leases outlive every jump of the clock: here nobody dies.
        quick = fast(settings, lease_seconds=3600.0, reconcile_seconds=1.0)
        first = await stack.enter_async_context(open_services(quick, url.get_secret_value(), clock=clock))
        ids = await connect(first, wecom.base_url, douyin.base_url)
        second = await stack.enter_async_context(open_services(quick, url.get_secret_value(), clock=clock))
        address = await stack.enter_async_context(running(first, "all"))
        await stack.enter_async_context(running(second, "worker"))
        kf, shop = await settle_in(first, wecom, douyin, ids, address)
        async with first.work() as work:
            team_id = await create_team(work, "客服")
            await work.tx.execute("update account set team_id = $1", team_id)
        manager = await _person(first, "manager", "manager", team_id)
        crew = [await _person(first, f"rep{n}", "rep", team_id) for n in range(1, reps + 1)]
        yield Day(clock, first, wecom, douyin, kf, shop, manager, team_id, crew)
        await asyncio.sleep(0)


async def _person(services: Services, login: str, role: str, team_id: int) -> Principal:
    async with services.work() as work:
        agent_id = await create_agent(work, login=login, name=login, role=role, password=PASSWORD, team_ids=[team_id])
    return Principal(agent_id, login, login, role, OF_ROLE[role], REACH[role], "zh-CN", (team_id,), None, None)
