"""Whoever reads the archive is killed again and again, with SIGKILL and by the native library itself, while records and files come in:
each is there once, the cursor never ran ahead. ``ARCHIVE_KILLS`` and ``ARCHIVE_CRASHES`` set the numbers; the full size is 100 and 20."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import random
import signal
import sys
from pathlib import Path

import pytest

from scrm.config import Settings
from simulator.wecom.server import WecomSimulator
from simulator.wecom.settings import Settings as PlatformSettings
from tests.audit.places import CHEN, CORP, GROUP, LIU, Archive, archive
from tests.flows.reads import broken_invariants

KILLS = int(os.environ.get("ARCHIVE_KILLS", "3"))
CRASHES = int(os.environ.get("ARCHIVE_CRASHES", "2"))
RECORDS = 20 * KILLS
WORKERS = 2
CONFIG = """
data_dir = "{data}"
[database]
url = "{url}"
pool_size = 4
[secrets]
key = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
[worker]
lease_seconds = 1.0
[archive]
library = "{library}"
[log]
level = "error"
format = "text"
"""
AWAKE = """
update archive set lease_until = null, opening_until = null, due_at = now();
update archive_record set retry_at = null where state = 'sealed';
update archive_media set lease_until = null, due_at = now();
"""
"""Leases are longer than a test may wait; what they are for is that nobody does the same at once, which the killed do not."""
LEFT = """
select (select count(*) from archive_record where state <> 'done') + (select count(*) from archive_media)
"""


class Machine:
    def __init__(self, config: Path) -> None:
        self._config = config
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.audit.worker", str(self._config), stdout=asyncio.subprocess.PIPE
        )
        assert self.process.stdout is not None
        await self.process.stdout.readline()

    async def kill(self) -> None:
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGKILL)
        await self.process.wait()


@pytest.mark.timeout(180 + 20 * KILLS)
async def test_killed_again_and_again_everything_is_there_once(settings: Settings, tmp_path: Path) -> None:
    chance = random.Random(7)
    # Who dies leaves its calls behind: the platform's own limit is not what is tested here.
    platform = PlatformSettings(archive_calls_per_minute=100_000, archive_largest_page=1000)
    async with WecomSimulator(settings=platform) as simulator, archive(settings, simulator) as place:
        place.uploads_key()
        await place.knows_key()
        config = tmp_path / "worker.toml"
        assert settings.database.url is not None
        url = settings.database.url.get_secret_value()
        library = place.services.settings.archive.library
        config.write_text(CONFIG.format(data=tmp_path / "data", url=url, library=library))
        machines = [Machine(config) for _ in range(WORKERS)]
        await asyncio.gather(*(machine.start() for machine in machines))
        files = await say_and_kill(place, machines, chance)
        async with asyncio.timeout(120):
            while (
                await place.services.db.fetchval(LEFT) or await place.cursor() < simulator.world.corps[CORP].archive_seq
            ):
                await place.services.db.execute(AWAKE)
                await asyncio.sleep(0.3)
        await asyncio.gather(*(machine.kill() for machine in machines))
        await check(place, simulator, files)


async def say_and_kill(place: Archive, machines: list[Machine], chance: random.Random) -> set[str]:
    files: set[str] = set()
    crashes = 0
    for round_ in range(KILLS):
        for n in range(RECORDS // KILLS):
            await say(place, chance, f"{round_}-{n}", files)
        if crashes < CRASHES:
            crashes += 1
            place.simulator.control.crash_archive_library(1)
        await asyncio.sleep(chance.uniform(0.0, 0.5))
        machine = chance.choice(machines)
        await machine.kill()
        await place.services.db.execute(AWAKE)
        await machine.start()
    return files


async def say(place: Archive, chance: random.Random, name: str, files: set[str]) -> None:
    sender, to = chance.choice([(CHEN, "zhangsan"), ("zhangsan", CHEN), (LIU, "lisi"), ("lisi", "zhangsan")])
    group = {"roomid": GROUP, "tolist": ["lisi", CHEN, LIU]} if chance.random() < 0.3 else {}
    if chance.random() < 0.1:
        content = name.encode() + chance.randbytes(700_000)
        files.add(hashlib.sha256(content).hexdigest())
        told = place.simulator.control.archive_file(CORP, content)
        place.says(
            "", sender=sender, to=to, msgid=name, msgtype="file", file={**told, "filename": f"{name}.bin"}, **group
        )
    else:
        place.says(name, sender=sender, to=to, msgid=name, **group)


async def check(place: Archive, simulator: WecomSimulator, files: set[str]) -> None:
    db = place.services.db
    told = simulator.world.corps[CORP].archive
    kept = await db.fetch("select seq, message_id, sealed_message, state from archive_record order by seq")
    assert [row["seq"] for row in kept] == [one.seq for one in told]
    assert {row["sealed_message"] for row in kept} == {one.sealed_message for one in told}
    said = await db.fetch("select platform_message_id from message")
    assert sorted(row["platform_message_id"] for row in said) == sorted(one.msgid for one in told)
    stored = await db.fetch("select state, sha256 from attachment")
    assert {row["state"] for row in stored} <= {"stored"}
    assert sorted(row["sha256"] for row in stored) == sorted(files)
    assert await db.fetchval("select sum(n) from archive_range") == len(told)
    assert await place.cursor() == told[-1].seq
    assert await broken_invariants(db) == []
