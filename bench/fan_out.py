"""How many frames a second reach a thousand browsers, against a bare loop that writes the same bytes to as many sockets.

Every conversation gets one message a second and every browser may see all of them. More and more conversations are
written to, until the sockets hear less than was said; the most that was delivered is the result.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from typing import Any

from bench.processes import Child
from bench.result import Row
from bench.site import Site, free_port, site
from bench.size import Size

TABS = 20
"""Sockets of one agent."""
TARGET = 0.5
MOST_MB = 300
ENOUGH = 0.8
"""When less than this share of what was said arrives, more would not arrive either."""


async def fan_out(size: Size) -> list[Row]:
    async with site("douyin") as place:
        token = await place.token("watcher")
        groups = [await place.tokens_of_one(f"agent{n}", TABS) for n in range(size.sockets // TABS)]
        # Neighbouring sockets belong to different agents, as they would.
        tokens = [group[n] for n in range(TABS) for group in groups]
        async with place.serve("all") as service:
            idle = service.resident_mb()["all"]
            levels = await _levels(size, place, service.port, tokens, token, service.children["all"])
            loaded = service.resident_mb()["all"]
        best = max(levels, key=lambda level: float(level["delivered"]))
        floor = await _floor(size, place, tokens, best["sizes"])
    for level in levels:
        del level["sizes"]
    return [
        _row(size, best, floor, levels),
        Row(
            "fan_out",
            "fan-out: the socket that heard least / most",
            f"{best['least']:,} / {best['most']:,} frames",
            "",
            best["least"] / max(best["most"], 1),
            "no socket starved",
            best["least"] >= 0.9 * best["most"] and not best["lost"],
        ),
        Row(
            "memory", f"memory: fan-out to {size.sockets:,} sockets", f"all {loaded:.0f} MB", f"all {idle:.0f} MB idle",
            loaded / idle, f"≤ {MOST_MB} MB", loaded <= MOST_MB,
        ),
    ]  # fmt: skip


def _row(size: Size, best: dict[str, Any], floor: dict[str, Any], levels: list[dict[str, Any]]) -> Row:
    ratio = best["delivered_octets"] / floor["delivered_octets"]
    return Row(
        "fan_out",
        f"fan-out: {best['conversations']} conversations × 1 message/s, {size.sockets:,} sockets",
        f"{best['delivered']:,.0f} frames/s, {best['delivered_octets'] / 1e6:,.0f} MB/s",
        f"{floor['delivered']:,.0f} frames/s, {floor['delivered_octets'] / 1e6:,.0f} MB/s, bare loop",
        ratio,
        f"≥ {TARGET:g} × floor",
        ratio >= TARGET,
        {"levels": levels, "floor": floor},
    )


async def _levels(
    size: Size, place: Site, port: int, tokens: list[str], token: str, server: Child
) -> list[dict[str, Any]]:
    async with AsyncExitStack() as stack:
        crowds = await _crowds(size, place, stack, port, tokens)
        found: list[dict[str, Any]] = []
        for number, conversations in enumerate(size.fan_out_levels):
            found += [await _level(size, place, port, token, crowds, conversations, server, number * 1_000_000)]
            if found[-1]["delivered"] < ENOUGH * found[-1]["said"]:
                break
        return found


async def _crowds(size: Size, place: Site, stack: AsyncExitStack, port: int, tokens: list[str]) -> list[Child]:
    crowds = []
    for number in range(size.crowds):
        order = {"port": port, "tokens": tokens[number :: size.crowds], "record": number == 0}
        crowds.append(await stack.enter_async_context(Child.program("bench.crowd", order, place.folder)))
    for crowd in crowds:
        await crowd.answer()
    return crowds


async def _level(
    size: Size,
    place: Site,
    port: int,
    token: str,
    crowds: list[Child],
    conversations: int,
    server: Child,
    first: int,
) -> dict[str, Any]:
    order = {
        "port": port, "path": place.hooks["douyin"], "token": token, "people": conversations, "connections": 8,
        "warm_up": size.flow_warm_up, "seconds": size.fan_out_seconds, "rate": conversations, "round_robin": True, "first": first,
    }  # fmt: skip
    async with Child.program("bench.pump", order, place.folder) as pump:
        await pump.line()
        await _counts(crowds)
        used, began = server.cpu(), time.perf_counter()
        end = await pump.answer(seconds=size.fan_out_seconds + 60)
        heard = await _counts(crowds)
        seconds = time.perf_counter() - began
        used = server.cpu() - used
        await pump.answer(seconds=60)
    frames = [number for one in heard for number in one["frames"]]
    return {
        "conversations": conversations,
        "said": end["accepted"] / seconds * len(frames),
        "delivered": sum(frames) / seconds,
        "delivered_octets": sum(sum(one["octets"]) for one in heard) / seconds,
        "least": min(frames),
        "most": max(frames),
        "lost": sum(one["lost"] for one in heard),
        "latency_ms": end["latency_ms"],
        "server_cpu": used / seconds,
        "clients_cpu": sum(one["own_cpu"] for one in heard) / seconds,
        "sizes": heard[0]["sizes"],
    }


async def _floor(size: Size, place: Site, tokens: list[str], sizes: list[int]) -> dict[str, Any]:
    port = free_port()
    async with AsyncExitStack() as stack:
        shouter = await stack.enter_async_context(Child.program("bench.floors.shout", {"port": port}, place.folder))
        await shouter.line_with("ready")
        crowds = await _crowds(size, place, stack, port, tokens)
        await _counts(crowds)
        began = time.perf_counter()
        await shouter.tell({"frames": sizes[:200], "seconds": size.fan_out_seconds})
        written = await shouter.answer(seconds=size.fan_out_seconds + 60)
        seconds = time.perf_counter() - began
        heard = await _counts(crowds)
    return {
        "delivered": sum(sum(one["frames"]) for one in heard) / seconds,
        "delivered_octets": sum(sum(one["octets"]) for one in heard) / seconds,
        "server_cpu": written["own_cpu"] / seconds,
        "clients_cpu": sum(one["own_cpu"] for one in heard) / seconds,
    }


async def _counts(crowds: list[Child]) -> list[dict[str, Any]]:
    """What each socket has heard since the last question."""
    await asyncio.gather(*(crowd.tell({}) for crowd in crowds))
    return await asyncio.gather(*(crowd.answer() for crowd in crowds))
