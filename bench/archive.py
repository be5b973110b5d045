"""Taking in the chat archive: pulled, opened with the company's key, written as conversations; against the RSA of the same records alone,
which nobody can leave out."""

from __future__ import annotations

import asyncio
import base64
import time
from contextlib import AsyncExitStack

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from audit.archive.keys import add_key
from audit.archive.opening import Opener
from audit.archive.pull import ArchivePuller
from bench.archive_far import APP_SECRET, SECRET
from bench.bodies import AES_KEY, CORP, TOKEN
from bench.processes import Child
from bench.result import Row
from bench.site import site
from bench.size import Size
from scrm.app import open_services
from scrm.db import Database
from scrm.people import create_agent
from scrm.permissions import OF_ROLE, Principal
from scrm.services import Services
from simulator.wecom.finance.build import library

TARGET = 0.7
DONE = "select count(*) from archive_record where state = 'done' and conversation_id is not null"


async def archive(size: Size) -> list[Row]:
    key = rsa.generate_private_key(65537, 2048)
    async with site() as place, AsyncExitStack() as stack:
        order = {"public": _public(key), "records": size.archive_records, "people": max(size.archive_records // 20, 1)}
        far = await stack.enter_async_context(Child.program("bench.archive_far", order, place.folder))
        address = (await far.answer(seconds=300))["base_url"]
        settings = place.services.settings.model_copy(
            update={"archive": place.services.settings.archive.model_copy(update={"library": str(library())})}
        )
        services = await stack.enter_async_context(open_services(settings, place.url))
        await _company(services, address, _private(key))
        seconds, rounds = await _taken_in(services, size.archive_records)
        floor = await _floor(place.services.db, key)
    rate = size.archive_records / seconds
    ratio = rate / floor
    return [
        Row(
            "archive", f"archive: {size.archive_records:,} records pulled, opened, in conversations", f"{rate:,.0f}/s",
            f"{floor:,.0f}/s by RSA alone, one core", ratio, f"≥ {TARGET:g} × floor", ratio >= TARGET,
            {"seconds": seconds, "rounds": rounds, "floor_per_second": floor},
        )
    ]  # fmt: skip


def _public(key: rsa.RSAPrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _private(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


async def _company(services: Services, address: str, pem: str) -> None:
    secrets = {"secret": APP_SECRET, "token": TOKEN, "encoding_aes_key": AES_KEY, "archive_secret": SECRET}
    async with services.work() as work:
        connection_id = await services.connections.create(
            work, "wecom", "企业微信", {"corp_id": CORP, "base_url": address}, secrets
        )
        agent_id = await create_agent(
            work, login="admin", name="admin", role="admin", password="correct horse battery 9"
        )
    await services.connections.refresh()
    admin = Principal(agent_id, "admin", "admin", "admin", OF_ROLE["admin"], "all", "zh-CN", (), None, None)
    async with services.work() as work:
        await add_key(services, work, admin, connection_id, 1, pem)


async def _taken_in(services: Services, wanted: int) -> tuple[float, int]:
    """Seconds until everything stands in conversations; pulling and opening go on side by side, as in a worker."""
    began = time.perf_counter()
    rounds = 0

    async def pulling() -> None:
        puller = ArchivePuller(services)
        while await services.db.fetchval("select count(*) from archive_record") < wanted:
            if not await puller.round():
                await services.db.execute("update archive set due_at = now()")

    async def opening() -> None:
        nonlocal rounds
        opener = Opener(services)
        while await services.db.fetchval(DONE) < wanted:
            if await opener.round():
                rounds += 1
            else:
                await asyncio.sleep(0.01)

    await asyncio.gather(pulling(), opening())
    return time.perf_counter() - began, rounds


async def _floor(db: Database, key: rsa.RSAPrivateKey) -> float:
    """Sealed keys opened per second, one after the other, the same ones."""
    rows = await db.fetch("select sealed_key from archive_record order by id limit 3000")
    sealed = [base64.b64decode(row["sealed_key"]) for row in rows]

    def work() -> float:
        began = time.perf_counter()
        for one in sealed:
            key.decrypt(one, padding.PKCS1v15())
        return len(sealed) / (time.perf_counter() - began)

    return await asyncio.to_thread(work)
