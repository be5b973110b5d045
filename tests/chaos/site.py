"""Where a fault test takes place: a database of its own with every durability setting on, simulated platforms in this process,
connections to them, and the service as processes of their own."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from scrm.app import open_services
from scrm.config import load_settings
from scrm.migrate import migrate
from scrm.postgres import EmbeddedPostgres
from scrm.services import Services
from scrm.tokens import create_token
from simulator.douyin.server import DouyinSimulator
from simulator.douyin.settings import Settings as DouyinSettings
from simulator.wecom.server import WecomSimulator
from simulator.wecom.settings import Settings as WecomSettings
from tests.chaos.balancer import Balancer
from tests.chaos.processes import Server, quiet_port
from tests.company import CORP, SECRET, connect, people, settle_in
from tests.conftest import RedisServer

LEASE_SECONDS = 4.0
RECONCILE_SECONDS = 2.0
LOG_KEPT = 500_000
KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
CONFIG = """
data_dir = "{data}"
[server]
port = {port}
[database]
url = "{url}"
pool_size = 8
{redis}
[secrets]
key = "{key}"
[log]
level = "warning"
format = "json"
[worker]
lease_seconds = {lease}
reconcile_seconds = {reconcile}
"""


@dataclass(frozen=True)
class Plan:
    """Which processes there are: ``all=1``, or ``web`` and ``worker`` processes behind a balancer and with Redis."""

    web: int = 0
    worker: int = 0
    welcome: str = ""
    platform_attempts: int = 3
    """How often a platform posts a callback before it gives up."""

    @property
    def several(self) -> bool:
        return self.web > 0


@dataclass
class Site:
    folder: Path
    postgres: EmbeddedPostgres
    redis: RedisServer | None
    wecom: WecomSimulator
    douyin: DouyinSimulator
    services: Services
    """This process's own view of the database; no part of the service runs here."""
    address: str
    wecom_id: int
    douyin_id: int
    wecom_hook: str
    douyin_hook: str
    kf: str
    shop: str
    tokens: list[str]
    """API tokens of a rep and a manager."""
    servers: list[Server] = field(default_factory=list)
    ports: list[int] = field(default_factory=list)
    """Of the web processes."""

    async def wait_up(self) -> None:
        await asyncio.gather(*(server.wait_up() for server in self.servers))

    def of_role(self, role: str) -> list[Server]:
        return [server for server in self.servers if server.role == role]

    async def restart_database(self, mode: str = "immediate") -> None:
        """``immediate`` is what a crash of the machine would do: no checkpoint, recovery from the log at the start."""
        await asyncio.to_thread(self.postgres.restart, mode=mode)

    def logs(self) -> str:
        return "".join(server.logs() for server in self.servers)


@asynccontextmanager
async def site(plan: Plan | None = None, folder: Path | None = None) -> AsyncIterator[Site]:
    """Everything started and every process ready. What is below ``folder`` goes away with it."""
    plan = plan or Plan()
    async with AsyncExitStack() as stack:
        # Short, since a socket lies in it, and below a folder that the database's user may enter.
        root = folder or Path(tempfile.mkdtemp(prefix="scrm-chaos-"))
        root.chmod(0o755)
        stack.callback(shutil.rmtree, root, ignore_errors=True)
        postgres = await asyncio.to_thread(EmbeddedPostgres(root / "db").__enter__)
        stack.callback(postgres.stop)
        await migrate(postgres.url)
        redis = _redis(root, stack) if plan.several else None
        wecom, douyin = await _platforms(plan, stack)
        wecom.control.create_app(CORP, SECRET)
        settings = load_settings(
            None, data_dir=root / "data", database={"url": SecretStr(postgres.url)}, secrets={"key": KEY}
        )
        services = await stack.enter_async_context(open_services(settings, postgres.url))
        ids = await connect(services, wecom.base_url, douyin.base_url)
        servers, ports = _servers(plan, root, postgres, redis)
        for server in servers:
            server.start()
        stack.push_async_callback(_stop, servers)
        address = f"http://127.0.0.1:{await _front(plan, ports, stack)}"
        await asyncio.gather(*(server.wait_up() for server in servers))
        kf, shop = await settle_in(services, wecom, douyin, ids, address, welcome=plan.welcome)
        hooks = {
            row["id"]: f"/webhooks/{row['provider']}/{row['key']}"
            for row in await services.db.fetch("select id, provider, key from connection")
        }
        tokens = await _tokens(services)
        made = Site(
            root,
            postgres,
            redis,
            wecom,
            douyin,
            services,
            address,
            *ids,
            hooks[ids[0]],
            hooks[ids[1]],
            kf,
            shop,
            tokens,
        )
        made.servers, made.ports = servers, ports
        yield made


def _redis(root: Path, stack: AsyncExitStack) -> RedisServer:
    folder = root / "redis"
    folder.mkdir()
    redis = RedisServer(folder)
    redis.start()
    stack.callback(redis.stop)
    return redis


async def _platforms(plan: Plan, stack: AsyncExitStack) -> tuple[WecomSimulator, DouyinSimulator]:
    """As the real ones post callbacks, but with pauses that fit a test. Calls are limited so high that the service's own
    reconciliation, which is a hundred times as frequent here, does not meet the limits."""
    delays = (1.0, 5.0)
    wecom = WecomSimulator(
        settings=WecomSettings(
            callback_attempts=plan.platform_attempts,
            callback_retry_delays=delays,
            api_per_minute=1_000_000,
            api_per_hour=10_000_000,
            sync_without_token_per_minute=100_000,
        )
    )
    douyin = DouyinSimulator(
        settings=DouyinSettings(
            webhook_attempts=plan.platform_attempts, webhook_retry_delays=delays, calls_per_second=10_000
        )
    )
    for simulator in (wecom, douyin):
        simulator.deliveries.log = deque(maxlen=LOG_KEPT)
        await stack.enter_async_context(simulator)
    return wecom, douyin


def _servers(
    plan: Plan, root: Path, postgres: EmbeddedPostgres, redis: RedisServer | None
) -> tuple[list[Server], list[int]]:
    logs = root / "logs"
    logs.mkdir()
    servers: list[Server] = []
    ports: list[int] = []
    roles = ["web"] * plan.web + ["worker"] * plan.worker if plan.several else ["all"]
    for number, role in enumerate(roles, start=1):
        port = quiet_port()
        config = root / f"config-{number}.toml"
        config.write_text(
            CONFIG.format(
                data=root / "data",
                port=port,
                url=postgres.url,
                redis=f'[redis]\nurl = "{redis.url}"' if redis else "",
                key=KEY,
                lease=LEASE_SECONDS,
                reconcile=RECONCILE_SECONDS,
            )
        )
        if role != "worker":
            ports.append(port)
        servers.append(Server(f"{role}-{number}", role, config, logs))
    return servers, ports


async def _front(plan: Plan, ports: Sequence[int], stack: AsyncExitStack) -> int:
    """The port that platforms and reps know."""
    if not plan.several:
        return ports[0]
    balancer = Balancer(ports)
    await balancer.start(quiet_port())
    stack.push_async_callback(balancer.stop)
    return balancer.port


async def _tokens(services: Services) -> list[str]:
    tokens = []
    principals = await people(services)
    async with services.work() as work:
        for principal in principals:
            _, token = await create_token(work, principal.agent_id, "chaos", None)
            tokens.append(token)
    return tokens


async def _stop(servers: Sequence[Server]) -> None:
    await asyncio.gather(*(server.stop() for server in servers))
