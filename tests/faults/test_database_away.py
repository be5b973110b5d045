"""While the database is away, everybody hears so: platforms shall repeat, reps shall try again; nothing is called a bug."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from scrm.config import load_settings
from scrm.migrate import migrate
from scrm.postgres import EmbeddedPostgres
from scrm.tokens import create_token
from tests.chaos.site import KEY
from tests.company import Company, company, eventually
from tests.faults.posting import from_douyin, post


@pytest.fixture
async def own() -> AsyncIterator[tuple[Company, EmbeddedPostgres]]:
    """A company with a database server that may be stopped."""
    with tempfile.TemporaryDirectory(prefix="scrm-away-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        # With its durability on: what is written here must survive being stopped without a checkpoint.
        with EmbeddedPostgres(folder / "db") as postgres:
            await migrate(postgres.url)
            settings = load_settings(
                None, data_dir=folder / "data", database={"url": postgres.url, "pool_size": 8}, secrets={"key": KEY}
            )
            async with company(settings) as shop:
                yield shop, postgres


async def test_everybody_hears_that_it_is_away(
    own: tuple[Company, EmbeddedPostgres], caplog: pytest.LogCaptureFixture
) -> None:
    shop, postgres = own
    async with shop.services.work() as work:
        _, token = await create_token(work, shop.rep.agent_id, "test", None)
    headers = {"Authorization": f"Bearer {token}"}
    hook = shop.address + await shop.webhook_path(shop.douyin_id)
    seen: set[tuple[str, int]] = set()
    async with aiohttp.ClientSession() as http:

        async def ask() -> None:
            webhook = await post(http, hook, from_douyin())
            seen.add(("webhook", webhook.status))
            for path in ("/api/conversations", "/readyz", "/healthz"):
                async with http.get(shop.address + path, headers=headers) as response:
                    seen.add((path, response.status))
                    assert response.status in (200, 503), await response.text()
                    if response.status == 503 and path.startswith("/api"):
                        assert response.headers["Retry-After"]

        await ask()
        assert {status for _, status in seen} == {200}
        restart = asyncio.create_task(asyncio.to_thread(postgres.restart))
        while not restart.done():
            await ask()
            await asyncio.sleep(0.01)
        await restart
        assert {("webhook", 503), ("/api/conversations", 503), ("/readyz", 503), ("/healthz", 200)} <= seen

        async def back() -> bool:
            return (await post(http, hook, from_douyin())).status == 200

        await eventually(back)
    assert ("/healthz", 503) not in seen, "the process itself is well; nobody needs to restart it"
    errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert errors == []
