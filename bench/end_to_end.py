"""How many messages a second go all the way (webhook posted, message committed, pushed to a browser) without anything piling up,
against the same rows brought into the same tables by ``copy``."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from bench.floors.copying import copy_rows
from bench.processes import Child
from bench.result import Row
from bench.site import Running, Site, site
from bench.size import Size
from tests.conftest import RedisServer

PEOPLE = 4000
CONNECTIONS = 256
WINDOW = 2000
"""Messages under way: about half a second's worth, so a backlog cannot hide."""
TARGET = 3000
MOST_MB = 300


async def end_to_end(size: Size) -> list[Row]:
    return [
        *await _measure(size, "one process", ("all",), redis=False),
        *await _measure(size, "web + worker, Redis", ("web", "worker"), redis=True),
    ]


async def _measure(size: Size, name: str, roles: tuple[str, ...], *, redis: bool) -> list[Row]:
    with ExitStack() as stack:
        async with site("douyin") as place:
            token = await place.token("watcher")
            url = _redis(place, stack) if redis else ""
            async with place.serve(*roles, redis_url=url) as service:
                idle = service.resident_mb()
                figures = await _pump(size, place, service, token)
                loaded = service.resident_mb()
            floor = await copy_rows(place)
    committed = figures["committed"] / figures["seconds"]
    pushed = figures["pushed"] / figures["seconds"]
    details = {**figures, "floor": floor, "idle_mb": idle, "loaded_mb": loaded}
    largest = max(loaded.values())
    return [
        Row(
            "end_to_end",
            f"end to end: posted → committed and pushed, {size.flow_seconds:g} s ({name})",
            f"{pushed:,.0f}/s pushed, {committed:,.0f}/s committed, at most {WINDOW:,} under way",
            f"{floor['rate']:,.0f}/s by copy",
            pushed / floor["rate"],
            f"≥ {TARGET:,}/s",
            pushed >= TARGET and not figures["missing"],
            details,
        ),
        _memory(f"end to end ({name})", idle, loaded, largest),
    ]


def _memory(name: str, idle: dict[str, float], loaded: dict[str, float], largest: float) -> Row:
    def told(found: dict[str, float]) -> str:
        return ", ".join(f"{role} {mb:.0f} MB" for role, mb in found.items())

    ratio = largest / max(idle.values())
    return Row(
        "memory", f"memory: {name}", told(loaded), f"{told(idle)} idle", ratio, f"≤ {MOST_MB} MB", largest <= MOST_MB
    )


def _redis(place: Site, stack: ExitStack) -> str:
    folder = place.folder / "redis"
    folder.mkdir()
    server = RedisServer(folder)
    server.start()
    stack.callback(server.stop)
    return server.url


async def _pump(size: Size, place: Site, service: Running, token: str) -> dict[str, Any]:
    order = {
        "port": service.port,
        "path": place.hooks["douyin"],
        "token": token,
        "people": min(PEOPLE, int(PEOPLE * size.flow_seconds / 5)),
        "connections": CONNECTIONS,
        "warm_up": size.flow_warm_up,
        "seconds": size.flow_seconds,
        "window": WINDOW,
    }
    async with Child.program("bench.pump", order, place.folder) as pump:
        await pump.line(seconds=120)
        before, used = await _written(place), service.cpu()
        end = await pump.answer(seconds=size.flow_seconds + 60)
        after, now_used = await _written(place), service.cpu()
        drained = await pump.answer(seconds=60)
    if drained["refused"] or drained["lost"]:
        raise RuntimeError(f"webhooks were refused or the socket was lost: {drained}")
    cpu = {name: (now_used[name] - used[name]) / max(end["pushed"], 1) * 1e6 for name in used}
    return {
        **end,
        "committed": after - before,
        "end_backlog": end["under_way"],
        "missing": drained["missing"],
        "cpu_us_per_message": cpu,
    }


async def _written(place: Site) -> int:
    found: int = await place.services.db.fetchval("select count(*) from message")
    return found
