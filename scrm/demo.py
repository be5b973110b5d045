"""``scrm demo``: a sample company with simulated platforms, on the service's own database, in one process.

Everything that customers and colleagues do takes the real way: simulator, webhook, inbound log, rows; reply, outbox, adapter,
simulator. The state of the platforms is kept beside the database, so the next start goes on where this one stopped.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import cast

import orjson

from scrm import (
    demo_alerts,
    demo_archive,
    demo_campaigns,
    demo_company,
    demo_library,
    demo_quality,
    demo_rules,
    demo_sales,
)
from scrm.app import open_services, running, until_stopped
from scrm.clock import ShiftedClock
from scrm.config import LogSettings, Settings
from scrm.demo_office import ServiceOffice
from scrm.errors import ConfigError
from scrm.logs import set_up_logs
from scrm.migrate import migrate
from scrm.services import Services
from simulator.company.director import Director
from simulator.company.history import chats, play_history
from simulator.company.people import COMPANY, PASSWORD, STAFF
from simulator.company.stage import Stage
from simulator.douyin.server import DouyinSimulator
from simulator.wechat_oa.server import OfficialAccountSimulator
from simulator.wecom.server import WecomSimulator
from simulator.wecom.settings import Settings as PlatformSettings

HOST = "127.0.0.1"

Say = Callable[[str], object]


async def run_demo(settings: Settings, url: str, *, pace: float, say: Say) -> None:
    """Runs until SIGINT or SIGTERM. ``url``: the database; ``pace``: seconds between two customers who write, 0: nobody does.

    Raises :class:`ConfigError` when the port is taken, when the folder is in use or holds a company that is not the sample one.
    """
    if settings.database.url is not None:
        raise ConfigError("The demo runs on a database of its own: leave database.url (SCRM_DATABASE__URL) out.")
    set_up_logs(_quieter(settings.log))
    stop = asyncio.create_task(until_stopped(), name="until stopped")
    play = asyncio.create_task(_play(settings, url, pace, say), name="demo")
    await asyncio.wait({stop, play}, return_when=asyncio.FIRST_COMPLETED)
    if not play.done():
        say("Stopping…")
        play.cancel()
    stop.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await play


async def _play(settings: Settings, url: str, pace: float, say: Say) -> None:
    with _only_one(settings.data_dir):
        _check_port(settings.server.port)
        await migrate(url)
        state = DemoState(settings.data_dir)
        clock = ShiftedClock()
        settings = demo_archive.with_library(settings, state.folder / "library")
        async with open_services(settings, url, clock=clock) as services:
            fresh = await _prepared(services, state, say)
            async with _stage(state, clock) as stage, running(services, "all") as address:
                await _open_company(services, stage, address)
                await demo_library.stock(services)
                office = ServiceOffice(services, stage)
                if fresh:
                    await play_history(stage, office, clock, chats())
                    stage.announce()
                    await office.quiet()
                    await demo_rules.decide(services)
                    await demo_sales.sell(services)
                    await demo_campaigns.announce(services)
                    await demo_archive.record(services, stage)
                    await demo_alerts.watch(services)
                    await demo_quality.inspect(services)
                    state.complete()
                say(f"Simulated platforms, to be played with: {_controls(stage)}")
                say(f"Open {address} — {' / '.join(one.login for one in STAFF)}, password: {PASSWORD}")
                await Director(stage, office, pace=pace).run()


async def _prepared(services: Services, state: DemoState, say: Say) -> bool:
    """Whether the company's past has still to be played. Raises :class:`ConfigError` for somebody's real data."""
    if state.is_complete:
        return False
    begun = state.exists
    if not begun and await services.db.fetchval("select exists (select from agent)"):
        raise ConfigError(
            f"{state.folder.parent} holds data that is not the demo's. Choose another folder with --data-dir."
        )
    state.begin()
    if begun:
        await demo_company.forget_customers(services)
        state.forget_platforms()
    say(f"Setting up {COMPANY}: people, accounts and two days of conversations (only once)…")
    return True


async def _open_company(services: Services, stage: Stage, address: str) -> None:
    stage.set_up()
    async with services.work() as work:
        await demo_company.hire(work)
    await demo_company.connect(services, stage, address)


@asynccontextmanager
async def _stage(state: DemoState, clock: ShiftedClock) -> AsyncIterator[Stage]:
    """The simulators, on the ports of the last time when these are free: the addresses of pictures stay good."""
    async with AsyncExitStack() as stack:
        # On a machine that just started everything, the first answer may take longer than the second that a platform gives.
        patient = PlatformSettings(callback_check_deadline=30.0)
        wecom = WecomSimulator(clock=clock, settings=patient, snapshot_path=state.folder / "wecom.json")
        douyin = DouyinSimulator(clock=clock, snapshot_path=state.folder / "douyin.json")
        oa = OfficialAccountSimulator(clock=clock, snapshot_path=state.folder / "wechat_oa.json")
        # What a snapshot says about its clock is of no use here: the service shares it.
        clock.offset = timedelta(0)
        ports = state.ports
        await wecom.start(HOST, _free(ports.get("wecom", 0)))
        stack.push_async_callback(wecom.stop)
        await douyin.start(HOST, _free(ports.get("douyin", 0)))
        stack.push_async_callback(douyin.stop)
        await oa.start(HOST, _free(ports.get("wechat_oa", 0)))
        stack.push_async_callback(oa.stop)
        simulators = {"wecom": wecom.base_url, "douyin": douyin.base_url, "wechat_oa": oa.base_url}
        state.keep_ports({name: _port_of(base_url) for name, base_url in simulators.items()})
        yield Stage(wecom, douyin, oa)


class DemoState:
    """``<data>/company``: the platforms' snapshots, and how far the company's past has been played."""

    def __init__(self, data_dir: Path) -> None:
        self.folder = data_dir / "company"
        self._file = self.folder / "demo.json"

    @property
    def exists(self) -> bool:
        return self._file.exists()

    @property
    def is_complete(self) -> bool:
        return bool(self._read().get("complete"))

    @property
    def ports(self) -> dict[str, int]:
        return cast(dict[str, int], self._read().get("ports", {}))

    def begin(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._write({"complete": False})

    def complete(self) -> None:
        self._write({**self._read(), "complete": True})

    def keep_ports(self, ports: dict[str, int]) -> None:
        self._write({**self._read(), "ports": ports})

    def forget_platforms(self) -> None:
        for name in ("wecom.json", "douyin.json", "wechat_oa.json"):
            (self.folder / name).unlink(missing_ok=True)

    def _read(self) -> dict[str, object]:
        return cast(dict[str, object], orjson.loads(self._file.read_bytes())) if self.exists else {}

    def _write(self, value: dict[str, object]) -> None:
        beside = self._file.with_suffix(".new")
        beside.write_bytes(orjson.dumps(value))
        beside.replace(self._file)


@contextlib.contextmanager
def _only_one(data_dir: Path) -> Iterator[None]:
    """Two demos on one folder would overwrite each other's platforms."""
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o711)
    lock = os.open(data_dir / "demo.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(f"A demo is running on {data_dir} already. Stop it, or use --data-dir.") from None
        yield
    finally:
        os.close(lock)


def _check_port(port: int) -> None:
    if port and not _is_free(port):
        raise ConfigError(
            f"Port {port} is taken. Stop what uses it, or choose another one: scrm demo --port {port + 1}"
        )


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _free(port: int) -> int:
    """The port if nobody has it, else 0, which takes any."""
    return port if port and _is_free(port) else 0


def _port_of(base_url: str) -> int:
    return int(base_url.rsplit(":", 1)[1])


def _controls(stage: Stage) -> str:
    played = {
        "WeCom": stage.wecom.base_url,
        "Douyin": stage.douyin.base_url,
        "Official Account": stage.oa.base_url,
    }
    return ", ".join(f"{base_url}/_control/ ({name})" for name, base_url in played.items())


def _quieter(log: LogSettings) -> LogSettings:
    """A demo's terminal is for its one line; warnings still show."""
    return log.model_copy(update={"level": "warning"}) if log.level == "info" else log
