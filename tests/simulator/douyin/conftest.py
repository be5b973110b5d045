from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from simulator.douyin import DouyinSimulator, Settings
from tests.simulator.douyin.client import DEER, HAO, KEY, SECRET, SHOP, Client, Hook


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    hook = Hook()
    app = web.Application()
    app.router.add_post("/hook", hook.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    hook.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield hook
    await runner.cleanup()


@pytest.fixture
async def client(hook: Hook) -> AsyncIterator[Client]:
    """One app with its webhook, one authorised business account, two customers; what authorising pushed is forgotten."""
    settings = Settings(webhook_retry_delays=(0.01, 0.01))
    async with DouyinSimulator(settings=settings) as simulator, aiohttp.ClientSession() as http:
        control = simulator.control
        control.add_app(KEY, SECRET)
        control.add_account(SHOP, "青禾家居")
        control.add_customer(DEER, "小鹿", "https://p3.example.invalid/deer.jpeg")
        control.add_customer(HAO, "阿浩")
        await control.set_webhook(KEY, hook.url)
        control.authorise(SHOP, KEY)
        await control.settle()
        hook.got.clear()
        yield Client(simulator, http, hook)
