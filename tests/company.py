"""A whole company for tests: both simulators, a connection to each, accounts, people, and the service at work on free ports."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from scrm.app import open_services, running
from scrm.config import Settings
from scrm.people import create_agent
from scrm.permissions import OF_ROLE, REACH, Principal
from scrm.services import Services
from simulator.douyin.server import DouyinSimulator
from simulator.wecom.server import WecomSimulator
from simulator.wecom.settings import Settings as PlatformSettings

CORP, SECRET, TOKEN = "wwtestcorp0000001", "test-app-secret", "callbacktoken123"
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
CLIENT_KEY, CLIENT_SECRET = "awtestapp0000001", "douyin-test-secret-0123456789abcd"
PASSWORD = "correct horse battery"
PATIENT = PlatformSettings(callback_check_deadline=30.0)
"""A second is enough for a service; one that starts beside a browser on a busy machine may need more."""


@dataclass(slots=True)
class Company:
    """What a test may hold on to. ``kf`` and ``shop`` are platform ids of the first KF and Douyin account."""

    services: Services
    address: str
    wecom: WecomSimulator
    douyin: DouyinSimulator
    wecom_id: int
    douyin_id: int
    kf: str
    shop: str
    rep: Principal
    manager: Principal

    def customer(self, name: str, *, unionid: str = "") -> str:
        """A WeCom customer; returns the external_userid."""
        return self.wecom.control.create_customer(CORP, name, unionid=unionid)

    def shopper(self, name: str) -> str:
        """A Douyin customer; returns the open_id."""
        return self.douyin.control.add_customer(name=name).open_id

    async def webhook_path(self, connection_id: int) -> str:
        row = await self.services.db.fetchrow("select provider, key from connection where id = $1", connection_id)
        assert row is not None
        return f"/webhooks/{row['provider']}/{row['key']}"


def fast(settings: Settings, **worker: Any) -> Settings:
    """Settings whose looks and leases are short, so that tests of recovery do not wait."""
    values = {"reconcile_seconds": 1.0, "lease_seconds": 3.0, **worker}
    return settings.model_copy(
        update={
            "worker": settings.worker.model_copy(update=values),
            "server": settings.server.model_copy(update={"port": 0}),
        }
    )


@asynccontextmanager
async def company(settings: Settings, *, role: str = "all", welcome: str = "") -> AsyncIterator[Company]:
    async with AsyncExitStack() as stack:
        wecom = await stack.enter_async_context(WecomSimulator(settings=PATIENT))
        douyin = await stack.enter_async_context(DouyinSimulator())
        url = settings.database.url
        assert url is not None
        services = await stack.enter_async_context(open_services(fast(settings), url.get_secret_value()))
        wecom.control.create_app(CORP, SECRET)
        ids = await connect(services, wecom.base_url, douyin.base_url)
        address = await stack.enter_async_context(running(services, role))  # type: ignore[arg-type]
        kf, shop = await settle_in(services, wecom, douyin, ids, address, welcome=welcome)
        rep, manager = await people(services)
        yield Company(services, address, wecom, douyin, *ids, kf, shop, rep, manager)


async def connect(services: Services, wecom_url: str, douyin_url: str) -> tuple[int, int]:
    async with services.work() as work:
        wecom = await services.connections.create(
            work,
            "wecom",
            "企业微信",
            {"corp_id": CORP, "base_url": wecom_url},
            {"secret": SECRET, "token": TOKEN, "encoding_aes_key": AES_KEY},
        )
        douyin = await services.connections.create(
            work, "douyin", "抖音", {"client_key": CLIENT_KEY, "base_url": douyin_url}, {"client_secret": CLIENT_SECRET}
        )
    await services.connections.refresh()
    return wecom, douyin


async def settle_in(
    services: Services,
    wecom: WecomSimulator,
    douyin: DouyinSimulator,
    ids: tuple[int, int],
    address: str,
    *,
    welcome: str = "",
) -> tuple[str, str]:
    """The platforms' consoles: an app with a callback address on each, one KF account, one authorised Douyin account."""
    keys = {row["id"]: row["key"] for row in await services.db.fetch("select id, key from connection")}
    wecom.control.create_app(CORP, SECRET)  # again is harmless
    kf = wecom.control.create_kf_account(CORP, "售前咨询", servicers=["zhangsan"])
    douyin.control.add_app(CLIENT_KEY, CLIENT_SECRET, "收件箱", [f"{address}/oauth/douyin/{keys[ids[1]]}"])
    shop = douyin.control.add_account(name="青禾家居旗舰店").open_id
    if address:
        await wecom.control.set_callback(CORP, f"{address}/webhooks/wecom/{keys[ids[0]]}", TOKEN, AES_KEY)
        await douyin.control.set_webhook(CLIENT_KEY, f"{address}/webhooks/douyin/{keys[ids[1]]}")
    await services.connections.authorised(ids[1], douyin.control.scan(shop, CLIENT_KEY)["code"])
    ok, sentence = await services.connections.test(ids[0])
    assert ok, sentence.en
    if welcome:
        await services.db.execute("update account set welcome_text = $1", welcome)
    return kf, shop


async def people(services: Services) -> tuple[Principal, Principal]:
    made = []
    async with services.work() as work:
        for login, name, role in (("rep", "李婷", "rep"), ("manager", "王经理", "manager")):
            agent_id = await create_agent(work, login=login, name=name, role=role, password=PASSWORD)
            made.append(Principal(agent_id, login, name, role, OF_ROLE[role], REACH[role], "zh-CN", (), None, None))
    return made[0], made[1]


async def eventually(
    check: Callable[[], Awaitable[Any]], *, seconds: float = 15.0, why: str = "the condition never held"
) -> Any:
    """Asks until the answer is truthy and returns it; for what other loops do in their own time."""
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(AssertionError):
            found = await check()
            if found:
                return found
        if time.monotonic() > deadline:
            raise AssertionError(why)
        await asyncio.sleep(0.02)
