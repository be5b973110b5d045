"""Whether reading stays as quick while the whole company is at work: 200 agents connected, 100 messages a second coming in, a small
and a large database after each other under the same load, read over HTTP all the while."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from contextlib import AsyncExitStack
from statistics import median
from typing import Any

import aiohttp

from bench.at_work import catch_up
from bench.flat import TARGET, ask, reader_token
from bench.million import TEAMS, fill
from bench.processes import Child
from bench.reads import HTTP
from bench.result import Row
from bench.site import Site, connect, site
from bench.size import Size
from scrm.app import open_services
from scrm.migrate import migrate
from scrm.tokens import create_token

RATE = 100
WRITERS = 300
"""Customers who write. New conversations: the same in both databases."""
PAUSE_SECONDS = 0.02

AGENTS = """
with made as (
  insert into agent (login, name, role, password_hash) select 'busy' || n, '坐席' || n, 'rep', '' from generate_series(1, $1) n
  returning id
), teams as (insert into team_member (team_id, agent_id) select 1 + (id % $2), id from made)
select id from made order by id
"""


async def busy(size: Size) -> list[Row]:
    async with site() as place:
        found: dict[str, dict[str, Any]] = {}
        for name, conversations in zip(("small", "large"), size.conversations, strict=True):
            await place.services.db.execute(f"create database {name}")
            await migrate(place.postgres.url_of(name))
            await fill(place.postgres.url_of(name), conversations)
            await catch_up(place.services.settings, place.postgres.url_of(name))
            found[name] = await _under_load(size, place, place.postgres.url_of(name))
    small, large = found["small"]["reads"], found["large"]["reads"]
    worst = max(HTTP, key=lambda read: large[read] / small[read])
    few, many = size.conversations
    pushed = [found[name]["load"]["latency_ms"].get("p50", 0.0) for name in ("small", "large")]
    what = f"busy: {size.agents} agents connected at {size.busy_rate} messages/s, {many:,} conversations"
    return [
        Row(
            "busy", f"{what}; the worst read over HTTP is {worst}", f"{large[worst]:.2f} ms", f"{small[worst]:.2f} ms at {few:,}",
            large[worst] / small[worst], f"≤ {TARGET:g} × floor", large[worst] / small[worst] <= TARGET, found,
        ),
        Row(
            "busy", f"{what}; webhook → browser socket, p50", f"{pushed[1]:.1f} ms", f"{pushed[0]:.1f} ms at {few:,}",
            pushed[1] / max(pushed[0], 0.001), f"≤ {TARGET:g} × floor", pushed[1] <= TARGET * pushed[0],
        ),
    ]  # fmt: skip


async def _under_load(size: Size, place: Site, url: str) -> dict[str, Any]:
    async with AsyncExitStack() as stack:
        hook, tokens = await _staff(size, place, url)
        reader = await reader_token(place, url)
        service = await stack.enter_async_context(place.serve("all", database_url=url))
        crowd = await stack.enter_async_context(
            Child.program("bench.crowd", {"port": service.port, "tokens": tokens}, place.folder)
        )
        await crowd.answer(seconds=60)
        order = {
            "port": service.port, "path": hook, "token": reader, "people": min(WRITERS, size.busy_rate * 3), "connections": 8,
            "warm_up": size.flow_warm_up, "seconds": size.busy_seconds, "rate": size.busy_rate,
        }  # fmt: skip
        pump = await stack.enter_async_context(Child.program("bench.pump", order, place.folder))
        await pump.line(seconds=120)
        reads = await _read_all_the_while(size, service.port, reader)
        load = await pump.answer(seconds=size.busy_seconds + 60)
        drained = await pump.answer(seconds=60)
        await crowd.tell({})
        heard = await crowd.answer()
        if drained["missing"] or drained["refused"] or heard["lost"]:
            raise RuntimeError(f"messages or sockets were lost: {drained}, {heard['lost']} sockets")
        return {"reads": reads, "load": load, "frames": sum(heard["frames"]), "mb": service.resident_mb()}


async def _staff(size: Size, place: Site, url: str) -> tuple[str, list[str]]:
    """A platform that posts, and a token for each agent, spread over the teams: each sees something else."""
    async with open_services(place.services.settings, url) as services:
        hooks = await connect(services, ("douyin",))
        ids = [row["id"] for row in await services.db.fetch(AGENTS, size.agents, TEAMS)]
        async with services.work() as work:
            tokens = [(await create_token(work, one, "busy", None))[1] for one in ids]
    return hooks["douyin"], tokens


async def _read_all_the_while(size: Size, port: int, token: str) -> dict[str, float]:
    times: dict[str, list[float]] = defaultdict(list)
    deadline = time.perf_counter() + size.busy_seconds
    async with aiohttp.ClientSession() as http:
        while time.perf_counter() < deadline or not times:
            for read, path in HTTP.items():
                times[read].append(await ask(http, f"http://127.0.0.1:{port}{path}", token))
                await asyncio.sleep(PAUSE_SECONDS)
    return {read: median(values) for read, values in times.items()}
