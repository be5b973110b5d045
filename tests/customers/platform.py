"""A company with its platform: the simulator, a connection to it, the web server that gets its callbacks, and the background work of
keeping in step, round by round, on a clock that stands still."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from customers.sync.events import heed
from customers.sync.looks import Looks
from customers.sync.runs import begin
from customers.sync.sweep import Sweep
from customers.sync.writing import Writer
from inbox.contacts import contacts_renamed
from inbox.receive import receive
from scrm.app import open_services, running
from scrm.config import Settings
from scrm.normalise import Normaliser
from scrm.people import create_agent
from scrm.permissions import OF_ROLE, REACH, Principal
from scrm.services import Services
from simulator.wecom.server import WecomSimulator
from simulator.wecom.settings import Settings as WecomSettings
from tests.company import AES_KEY, CORP, PASSWORD, SECRET, TOKEN, fast
from tests.flows.day import StandingClock

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


@dataclass(slots=True)
class Worker:
    """The background work of one process."""

    services: Services
    normaliser: Normaliser
    looks: Looks
    sweep: Sweep
    writer: Writer

    @classmethod
    def of(cls, services: Services) -> Worker:
        return cls(
            services,
            Normaliser(services, [receive, heed]),
            Looks(services, contacts_renamed),
            Sweep(services, contacts_renamed),
            Writer(services),
        )

    async def rounds(self) -> bool:
        """One of each. True: something was done."""
        busy = await self.services.db.fetchval("select exists (select from inbound_event where state = 'new')")
        while await self.normaliser.round():
            pass
        busy = await self.sweep.round() or busy
        now = self.services.clock.now()
        busy = busy or await self.services.db.fetchval("select exists (select from sync_due where due_at <= $1)", now)
        await self.looks.round()
        busy = busy or await self.services.db.fetchval(
            "select exists (select from contact_link where wish is not null and wish_due_at <= $1)", now
        )
        await self.writer.round()
        return bool(busy)


@dataclass(slots=True)
class Office:
    clock: StandingClock
    services: Services
    wecom: WecomSimulator
    connection_id: int
    worker: Worker
    agents: dict[str, Principal] = field(default_factory=dict)
    """By userid of the member."""

    @property
    def play(self) -> Any:
        return self.wecom.control

    @property
    def db(self) -> Any:
        return self.services.db

    async def hire(self, userid: str, *, role: str = "rep") -> Principal:
        """A member who serves customers and works here under the same name."""
        self.play.create_member(CORP, userid, userid.upper())
        async with self.services.work() as work:
            agent_id = await create_agent(work, login=userid, name=userid, role=role, password=PASSWORD)
            await work.tx.execute(
                "insert into agent_identity (agent_id, connection_id, external_id) values ($1, $2, $3)",
                agent_id, self.connection_id, userid.lower(),
            )  # fmt: skip
        made = Principal(agent_id, userid, userid, role, OF_ROLE[role], REACH[role], "zh-CN", (), None, None)
        self.agents[userid] = made
        return made

    def people(self, number: int, prefix: str = "客户") -> list[str]:
        return [self.play.create_customer(CORP, f"{prefix}{n}") for n in range(number)]

    async def compare(self) -> None:
        """A whole comparison, to its end."""
        async with self.services.work() as work:
            await begin(work, self.connection_id, "hand")
        await self.settle()

    async def settle(self, *, most: timedelta = timedelta(hours=3)) -> None:
        """Delivers what was rung, and works until nothing waits; the clock goes on to what is due later."""
        await self.delivered()
        until = self.clock.now() + most
        while True:
            if await self.worker.rounds():
                continue
            due = await self.db.fetchval(
                "select min(d) from (select min(due_at) as d from sync_due union all select min(wish_due_at) from contact_link "
                "where wish is not null union all select min(due_at) from sync_run where state = 'running') s"
            )
            if due is None:
                return
            assert due < until, "something stays due"
            if due > self.clock.now():
                self.clock.at = due

    async def delivered(self) -> None:
        """Every callback has been answered."""
        await self.wecom.deliveries.settled(timeout=20)

    async def links(self) -> dict[str, dict[str, Any]]:
        """Relations as we hold them, by ``external_userid/userid``."""
        rows = await self.db.fetch(
            "select k.external_id || '/' || a.external_id as key, l.* from contact_link l join contact k on k.id = l.contact_id "
            "join account a on a.id = l.account_id where a.connection_id = $1",
            self.connection_id,
        )
        return {row["key"]: dict(row) for row in rows}

    async def customer(self, external_userid: str) -> dict[str, Any]:
        row = await self.db.fetchrow(
            "select u.* from customer u join contact k on k.customer_id = u.id where k.external_id = $1",
            external_userid,
        )
        assert row is not None
        return dict(row)

    async def tag_names(self, external_userid: str) -> list[str]:
        rows = await self.db.fetch(
            "select t.name from customer u join contact k on k.customer_id = u.id join tag t on t.id = any(u.tags) "
            "where k.external_id = $1 order by t.name",
            external_userid,
        )
        return [row["name"] for row in rows]

    async def story(self, external_userid: str) -> list[str]:
        rows = await self.db.fetch(
            "select t.kind from timeline t join contact k on k.customer_id = t.customer_id where k.external_id = $1 "
            "order by t.at, t.id",
            external_userid,
        )
        return [row["kind"] for row in rows]


@asynccontextmanager
async def office(
    settings: Settings, *, start: datetime = START, wecom_settings: WecomSettings | None = None, role: str = "web"
) -> AsyncIterator[Office]:
    clock = StandingClock(start)
    url = settings.database.url
    assert url is not None
    # The clock stands still, so a minute never ends: the platform's limits per minute must not matter unless a test wants them.
    limits = wecom_settings or WecomSettings(api_per_minute=10**7, api_per_hour=10**8, callback_check_deadline=30.0)
    async with AsyncExitStack() as stack:
        wecom = await stack.enter_async_context(WecomSimulator(clock=clock, settings=limits))
        wecom.control.create_app(CORP, SECRET)
        services = await stack.enter_async_context(
            open_services(fast(settings, lease_seconds=30.0), url.get_secret_value(), clock=clock)
        )
        async with services.work() as work:
            connection_id = await services.connections.create(
                work, "wecom", "企业微信", {"corp_id": CORP, "base_url": wecom.base_url},
                {"secret": SECRET, "token": TOKEN, "encoding_aes_key": AES_KEY},
            )  # fmt: skip
        await services.connections.refresh()
        address = await stack.enter_async_context(running(services, role))  # type: ignore[arg-type]
        key = await services.db.fetchval("select key from connection where id = $1", connection_id)
        await wecom.control.set_callback(CORP, f"{address}/webhooks/wecom/{key}", TOKEN, AES_KEY)
        yield Office(clock, services, wecom, connection_id, Worker.of(services))
        await asyncio.sleep(0)


def names(rows: Sequence[Any], key: str = "name") -> list[Any]:
    return [row[key] for row in rows]
