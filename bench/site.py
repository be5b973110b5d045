"""Where a benchmark takes place: a database of its own, a small company in it, and the service as processes."""

from __future__ import annotations

import asyncio
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from sys import executable

from pydantic import SecretStr

from bench.bodies import AES_KEY, CLIENT_KEY, CLIENT_SECRET, CORP, TOKEN
from bench.processes import Child, cpu_of, family
from scrm.app import open_services
from scrm.config import load_settings
from scrm.migrate import migrate
from scrm.people import create_agent
from scrm.postgres import EmbeddedPostgres
from scrm.services import Services
from scrm.tokens import create_token

KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
NOWHERE = "http://127.0.0.1:9"
"""The platforms' addresses: nothing that is measured calls them."""
CONFIG = """
data_dir = "{data}"
[server]
port = {port}
[database]
url = "{url}"
{redis}
[secrets]
key = "{key}"
[log]
level = "warning"
format = "text"
"""


@dataclass
class Site:
    folder: Path
    postgres: EmbeddedPostgres
    url: str
    services: Services
    """This process's own view of the database; no part of the service runs here."""
    hooks: dict[str, str]
    """The path of the webhook by provider."""
    _configs: int = field(default=0)

    @asynccontextmanager
    async def serve(self, *roles: str, redis_url: str = "", database_url: str = "") -> AsyncIterator[Running]:
        """The service as one process per role, all of them ready."""
        async with AsyncExitStack() as stack:
            port = free_port()
            children = {}
            for role in roles:
                config = self._write_config(port, redis_url, database_url or self.url)
                command = [executable, "-m", "scrm.cli", "serve", "--config", str(config), "--role", role]
                children[role] = await stack.enter_async_context(Child(role, command, self.folder / f"{role}.log"))
            for child in children.values():
                await child.line_with("scrm is running")
            yield Running(port, children, self)

    def _write_config(self, port: int, redis_url: str, database_url: str) -> Path:
        self._configs += 1
        path = self.folder / f"config-{self._configs}.toml"
        redis = f'[redis]\nurl = "{redis_url}"' if redis_url else ""
        data = self.folder / "data"
        path.write_text(CONFIG.format(data=data, port=port, url=database_url, redis=redis, key=KEY))
        return path

    async def token(self, login: str, role: str = "admin") -> str:
        """An API token of a new agent."""
        async with self.services.work() as work:
            agent_id = await create_agent(work, login=login, name=login, role=role, password="correct horse battery 9")
            _, token = await create_token(work, agent_id, "bench", None)
        return token

    async def tokens_of_one(self, login: str, number: int) -> list[str]:
        """Several programs of one agent."""
        async with self.services.work() as work:
            agent_id = await create_agent(work, login=login, name=login, role="rep", password="correct horse battery 9")
            return [(await create_token(work, agent_id, "bench", None))[1] for _ in range(number)]

    def postgres_cpu(self) -> float:
        """Seconds of processor time of the server and all its connections."""
        return cpu_of(family(int((self.postgres.data / "postmaster.pid").read_text().split()[0])))


@dataclass
class Running:
    """The service at work."""

    port: int
    children: dict[str, Child]
    _site: Site

    def resident_mb(self) -> dict[str, float]:
        return {role: round(child.resident() / 1e6, 1) for role, child in self.children.items()}

    def cpu(self) -> dict[str, float]:
        used = {role: child.cpu() for role, child in self.children.items()}
        return {**used, "postgres": self._site.postgres_cpu()}


@asynccontextmanager
async def site(*providers: str) -> AsyncIterator[Site]:
    """A fresh database with a connection to each of the named providers. What is below its folder goes away with it."""
    async with AsyncExitStack() as stack:
        # Short, since a socket lies in it, and below a folder that the database's user may enter.
        folder = Path(tempfile.mkdtemp(prefix="scrm-bench-"))
        folder.chmod(0o755)
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        postgres = EmbeddedPostgres(folder / "db")
        await asyncio.to_thread(postgres.start)
        stack.callback(postgres.stop)
        await migrate(postgres.url)
        settings = load_settings(
            None, data_dir=folder / "data", database={"url": SecretStr(postgres.url)}, secrets={"key": KEY}
        )
        services = await stack.enter_async_context(open_services(settings, postgres.url))
        yield Site(folder, postgres, postgres.url, services, await connect(services, providers))


async def connect(services: Services, providers: Sequence[str]) -> dict[str, str]:
    forms: dict[str, tuple[dict[str, str], dict[str, str]]] = {
        "wecom": (
            {"corp_id": CORP, "base_url": NOWHERE},
            {"secret": "bench-app-secret", "token": TOKEN, "encoding_aes_key": AES_KEY},
        ),
        "douyin": ({"client_key": CLIENT_KEY, "base_url": NOWHERE}, {"client_secret": CLIENT_SECRET}),
    }
    async with services.work() as work:
        for provider in providers:
            await services.connections.create(work, provider, provider, *forms[provider])
    rows = await services.db.fetch("select provider, key from connection")
    return {row["provider"]: f"/webhooks/{row['provider']}/{row['key']}" for row in rows}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
