"""A worker of the archive alone, as a process that a test may kill: ``python -m tests.audit.worker <config.toml>``."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from audit.archive.media import MediaKeeper
from audit.archive.opening import Opener
from audit.archive.pull import ArchivePuller
from scrm.app import open_services
from scrm.config import load_settings
from scrm.loops import Loop


async def main(config: Path) -> None:
    settings = load_settings(config)
    assert settings.database.url is not None
    async with open_services(settings, settings.database.url.get_secret_value()) as services:
        loops = [
            Loop("archive-pull", ArchivePuller(services).round, bus=services.bus, topics=("archive",), look=0.2),
            Loop("archive-open", Opener(services).round, bus=services.bus, topics=("archived",), look=0.2),
            Loop("archive-media", MediaKeeper(services).round, bus=services.bus, topics=("archived_media",), look=0.2),
        ]
        for loop in loops:
            loop.start()
        print("at work", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
