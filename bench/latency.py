"""How long it takes from a platform's post to a browser's socket at a quiet pace, against one commit and one socket echo."""

from __future__ import annotations

from typing import Any

from bench.processes import Child
from bench.result import Row
from bench.site import Site, free_port, site
from bench.size import Size

RATE = 200
PEOPLE = 200
TARGET = 5.0
OCTETS = 900
"""Of one line of the floor: about the size of a webhook's body."""


async def latency(size: Size) -> list[Row]:
    async with site("douyin") as place:
        token = await place.token("watcher")
        async with place.serve("all") as service:
            order = {
                "port": service.port, "path": place.hooks["douyin"], "token": token, "people": PEOPLE, "connections": 16,
                "warm_up": size.latency_warm_up, "seconds": size.latency_seconds, "rate": RATE,
            }  # fmt: skip
            async with Child.program("bench.pump", order, place.folder) as pump:
                await pump.line()
                measured = await pump.answer(seconds=size.latency_seconds + 60)
                drained = await pump.answer()
            # The service stays up: its own loops, which look at the database now and then, meet both alike.
            floor = await _floor(size, place)
    if drained["missing"] or drained["refused"]:
        raise RuntimeError(f"messages were refused or never pushed: {drained}")
    return [_row(point, measured, floor) for point in ("p50", "p99")]


async def _floor(size: Size, place: Site) -> dict[str, Any]:
    port = free_port()
    async with Child.program("bench.floors.echo", {"port": port, "url": place.url}, place.folder) as echo:
        await echo.line_with("ready")
        order = {"port": port, "rate": RATE, "seconds": size.latency_seconds, "octets": OCTETS}
        async with Child.program("bench.line_pump", order, place.folder) as lines:
            return await lines.answer(seconds=size.latency_seconds + 60)


def _row(point: str, measured: dict[str, Any], floor: dict[str, Any]) -> Row:
    ours, bare = measured["latency_ms"][point], floor["latency_ms"][point]
    return Row(
        "latency",
        f"latency at {RATE} messages/s, webhook → browser socket, {point}",
        f"{ours:.1f} ms",
        f"{bare:.1f} ms, one commit + one echo",
        ours / bare,
        f"≤ {TARGET:g} × floor",
        ours / bare <= TARGET,
        {"measured": measured, "floor": floor},
    )
