"""How many webhooks one web process takes in durably, against a bare handler that stores nothing."""

from __future__ import annotations

from statistics import median
from typing import Any

from bench.processes import Child
from bench.result import Row
from bench.site import Running, Site, free_port, site
from bench.size import Size

CONNECTIONS = 256
TARGET = 0.8
WARM_UP = 0.1
"""Of a round, before the first one that counts."""
PROVIDERS = ("wecom", "douyin")
DECRYPTED = "wecom"
"""The target is about bodies that are verified and decrypted; the others have so little to verify that HTTP is all of the floor."""
SOURCES = {"wecom": "WeCom", "douyin": "Douyin"}


async def accept(size: Size) -> list[Row]:
    """Rounds of both, one after the other and again: what else the machine does meets both alike."""
    async with site(*PROVIDERS) as place, place.serve("web") as web:
        port = free_port()
        floor = Child.program("bench.floors.accept", {"port": port}, place.folder)
        async with floor, Child.program("bench.flood", {}, place.folder) as flood:
            await floor.line_with("ready")
            return [await _compare(size, place, web, flood, floor, port, provider) for provider in PROVIDERS]


async def _compare(
    size: Size, place: Site, web: Running, flood: Child, floor: Child, floor_port: int, provider: str
) -> Row:
    measured: list[dict[str, Any]] = []
    bare: list[dict[str, Any]] = []
    posted = 0
    for number in range(-1, size.accept_rounds):
        count = size.accept_requests if number >= 0 else max(int(size.accept_requests * WARM_UP), CONNECTIONS)
        order = {"kind": provider, "start": posted, "count": count, "connections": CONNECTIONS}
        posted += count
        one = await _round(flood, floor, {**order, "port": floor_port, "path": f"/{provider}"})
        two = await _round(flood, web.children["web"], {**order, "port": web.port, "path": place.hooks[provider]})
        if number >= 0:
            bare.append(one)
            measured.append(two)
    stored = await place.services.db.fetchval(
        "select count(*) from inbound_event e join connection c on c.id = e.connection_id where c.provider = $1",
        provider,
    )
    if stored != posted:
        raise RuntimeError(f"{posted} webhooks were acknowledged and {stored} are stored")
    ours, floor_rate = (median(one["rate"] for one in rounds) for rounds in (measured, bare))
    return Row(
        "accept",
        f"accept: durable webhooks/s, one process ({SOURCES[provider]})",
        f"{ours:,.0f}/s",
        f"{floor_rate:,.0f}/s, bare handler, stores nothing",
        ours / floor_rate,
        f"≥ {TARGET} × floor" if provider == DECRYPTED else "reported",
        ours / floor_rate >= TARGET if provider == DECRYPTED else None,
        {"measured": measured, "floor": bare, "connections": CONNECTIONS},
    )


async def _round(flood: Child, server: Child, order: dict[str, Any]) -> dict[str, Any]:
    used = server.cpu()
    await flood.tell(order)
    result = await flood.answer(seconds=180)
    if set(result["answers"]) != {"200"}:
        raise RuntimeError(f"not every webhook was accepted: {result['answers']}")
    rate = order["count"] / result["seconds"]
    return {**result, "rate": rate, "server_cpu_us_each": (server.cpu() - used) / order["count"] * 1e6}
