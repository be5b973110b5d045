"""A company whose employees' chats are archived, with the loops in the test's hands."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from audit.archive.keys import add_key
from audit.archive.media import MediaKeeper
from audit.archive.opening import Opener
from audit.archive.pull import ArchivePuller
from scrm.app import open_services
from scrm.config import Settings
from scrm.people import create_agent
from scrm.permissions import OF_ROLE, Principal
from scrm.services import Services
from simulator.wecom.finance.build import library
from simulator.wecom.server import WecomSimulator
from tests.adapters.wecom.archives import key_pair
from tests.company import AES_KEY, CORP, SECRET, TOKEN, fast

ARCHIVE_SECRET = "archive-secret-0001"
CHEN = "wmGAgeDQAAdBjb8CK4ieMPRm7Cqm-9VA"
LIU = "wmErxtDgAA9AW32YyyuYRimKr7D1KWlw"
GROUP = "wrjc7bDwYAOAhf9quEwRRxyyoMm0QAAA"


@dataclass
class Archive:
    services: Services
    simulator: WecomSimulator
    connection_id: int
    admin: Principal

    def says(self, text: str, sender: str = CHEN, to: str = "zhangsan", **changes: Any) -> int:
        record = {"from": sender, "tolist": [to], "roomid": "", "msgtype": "text", "text": {"content": text}}
        crash, version = changes.pop("crash", False), changes.pop("version", 0)
        return self.simulator.control.archive_says(CORP, {**record, **changes}, crash=crash, version=version)

    def uploads_key(self, number: int = 1) -> int:
        """At the platform; ours is another step."""
        return self.simulator.control.add_archive_key(CORP, key_pair(number)[1])

    async def knows_key(self, version: int = 1, number: int = 1) -> None:
        async with self.services.work() as work:
            await add_key(self.services, work, self.admin, self.connection_id, version, key_pair(number)[0].decode())

    async def pull(self) -> None:
        await self.services.db.execute("update archive set due_at = now()")
        puller = ArchivePuller(self.services)
        await puller.round()

    async def open(self) -> None:
        opener = Opener(self.services)
        while await opener.round():
            pass

    async def fetch(self) -> None:
        await self.services.db.execute("update archive_media set due_at = now()")
        keeper = MediaKeeper(self.services)
        while await keeper.round():
            pass

    async def read(self) -> None:
        await self.pull()
        await self.open()

    async def texts(self) -> list[str]:
        rows = await self.services.db.fetch("select text from message order by conversation_id, seq")
        return [row["text"] for row in rows]

    async def states(self) -> list[tuple[str, str]]:
        rows = await self.services.db.fetch("select state, reason from archive_record order by seq")
        return [(row["state"], row["reason"]) for row in rows]

    async def cursor(self) -> int:
        return int(await self.services.db.fetchval("select cursor from archive"))


@asynccontextmanager
async def archive(settings: Settings, simulator: WecomSimulator) -> AsyncIterator[Archive]:
    where = settings.model_copy(update={"archive": settings.archive.model_copy(update={"library": str(library())})})
    assert where.database.url is not None
    async with open_services(fast(where), where.database.url.get_secret_value()) as services:
        simulator.control.create_app(CORP, SECRET)
        simulator.control.buy_archive(CORP, ARCHIVE_SECRET, ["zhangsan", "lisi"])
        secrets = {"secret": SECRET, "token": TOKEN, "encoding_aes_key": AES_KEY, "archive_secret": ARCHIVE_SECRET}
        async with services.work() as work:
            found = await services.db.fetchval("select id from connection")
            connection_id = found or await services.connections.create(
                work, "wecom", "企业微信", {"corp_id": CORP, "base_url": simulator.base_url}, secrets
            )
            agent_id = await create_agent(
                work, login="admin", name="管理员", role="admin", password="correct horse battery"
            )
        await services.connections.refresh()
        admin = Principal(agent_id, "admin", "管理员", "admin", OF_ROLE["admin"], "all", "zh-CN", (), None, None)
        yield Archive(services, simulator, connection_id, admin)
