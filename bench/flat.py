"""Whether reading costs the same however many conversations there are: a small and a large database, read alternately by the
inbox's own functions, and once more over HTTP."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from statistics import median
from typing import Any, cast

import aiohttp

from bench.million import Threads, fill
from bench.reads import HTTP, READS, Read, Searched
from bench.result import Row
from bench.site import Site, site
from bench.size import Size
from inbox.queries import one_moment, one_moment_planned_once
from scrm.app import open_services
from scrm.db import Database, Tx
from scrm.migrate import migrate
from scrm.people import create_agent
from scrm.tokens import create_token
from scrm.upkeep import FOLD

TARGET = 2.0
WARM_UPS = 3
CHANGES = 300
"""Statements of about a dozen conversations each that leave differences in the tallies, before they are folded."""
GROUPS = {
    "list": "inbox list",
    "thread": "thread page",
    "long": "thread page",
    "changes": "changes",
    "counts": "counts",
    "whole": "customer's page",
    "search": "search",
}
TOUCHED = 5
TOUCH = """
update conversation set unread = case when unread > 0 then 0 else 1 end
where id <= 200 and id % 5 = $1 and status = 'open'
"""
"""Some of the first conversations, the same in both databases."""


async def flat(size: Size) -> list[Row]:
    async with site() as place:
        databases, threads, built = {}, {}, {}
        for name, conversations in zip(("small", "large"), size.conversations, strict=True):
            began = time.perf_counter()
            await _create(place, name)
            threads[name] = await fill(place.postgres.url_of(name), conversations)
            built[name] = time.perf_counter() - began
            databases[name] = await Database.open(place.postgres.url_of(name), size=2)
        try:
            times = await _direct(size, databases, threads)
            plans = await _plans(databases["large"], threads["large"])
            tallies = await _tallies(size, databases)
        finally:
            for database in databases.values():
                await database.close()
        over_http = await _over_http(size, place)
    details = {"direct": times, "http": over_http, "tallies": tallies, "built_seconds": built, "plans": plans}
    return _rows(size, times, tallies, over_http, details)


async def _create(place: Site, name: str) -> None:
    await place.services.db.execute(f"create database {name}")
    await migrate(place.postgres.url_of(name))


# -------------------------------------------------------------------- the inbox's own functions


async def _direct(
    size: Size, databases: Mapping[str, Database], threads: Mapping[str, Threads]
) -> dict[str, dict[str, float]]:
    """Milliseconds, the median of each read in each database; turn about, so that what else the machine does meets both."""
    times: dict[str, dict[str, list[float]]] = {read: defaultdict(list) for read in READS}
    for turn in range(-WARM_UPS, size.reads):
        for read, act in READS.items():
            for name, database in databases.items():
                async with moment_of(act)(database) as tx:
                    began = time.perf_counter()
                    await act(tx, threads[name], turn)
                    if turn >= 0:
                        times[read][name].append((time.perf_counter() - began) * 1000)
    return {read: {name: median(values) for name, values in of.items()} for read, of in times.items()}


def moment_of(act: Read) -> Callable[[Database], AbstractAsyncContextManager[Tx]]:
    """As the product's own handlers read."""
    return one_moment_planned_once if isinstance(act, Searched) else one_moment


class Explained:
    """Stands in for a transaction and keeps the plan of each statement that goes through it."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self.plans: list[dict[str, Any]] = []

    async def fetch(self, sql: str, *arguments: Any) -> Any:
        await self._explain(sql, arguments)
        return await self._tx.fetch(sql, *arguments)

    async def fetchrow(self, sql: str, *arguments: Any) -> Any:
        await self._explain(sql, arguments)
        return await self._tx.fetchrow(sql, *arguments)

    async def fetchval(self, sql: str, *arguments: Any) -> Any:
        await self._explain(sql, arguments)
        return await self._tx.fetchval(sql, *arguments)

    async def _explain(self, sql: str, arguments: Sequence[Any]) -> None:
        if sql.startswith("explain"):
            return
        rows = await self._tx.fetch(f"explain (analyze, buffers) {sql}", *arguments)
        self.plans.append({"sql": " ".join(sql.split()), "plan": [row[0] for row in rows]})


async def _plans(database: Database, threads: Threads) -> dict[str, list[dict[str, Any]]]:
    found = {}
    for read, act in READS.items():
        async with moment_of(act)(database) as tx:
            explained = Explained(tx)
            await act(cast(Tx, explained), threads, 1)
            found[read] = explained.plans
    return found


async def _tallies(size: Size, databases: Mapping[str, Database]) -> dict[str, dict[str, float]]:
    """The same changes in both databases leave differences; milliseconds of counting with them and after they were folded, and
    of folding."""
    found: dict[str, dict[str, float]] = {name: {} for name in databases}
    for name, database in databases.items():
        for turn in range(min(CHANGES, size.reads * 5)):
            await database.execute(TOUCH, turn % TOUCHED)
        found[name]["rows_before"] = await database.fetchval("select count(*) from conversation_tally")
    before = await _counting(size, databases)
    for name, database in databases.items():
        began = time.perf_counter()
        await database.execute(FOLD)
        found[name]["fold_ms"] = (time.perf_counter() - began) * 1000
        await database.execute("vacuum conversation_tally")
        found[name]["rows_after"] = await database.fetchval("select count(*) from conversation_tally")
    after = await _counting(size, databases)
    return {name: {**of, "count_before_ms": before[name], "count_after_ms": after[name]} for name, of in found.items()}


async def _counting(size: Size, databases: Mapping[str, Database]) -> dict[str, float]:
    times: dict[str, list[float]] = defaultdict(list)
    for _ in range(size.reads):
        for name, database in databases.items():
            async with one_moment(database) as tx:
                began = time.perf_counter()
                await READS["counts"](tx, Threads([], []), 0)
                times[name].append((time.perf_counter() - began) * 1000)
    return {name: median(values) for name, values in times.items()}


# -------------------------------------------------------------------- over HTTP


async def _over_http(size: Size, place: Site) -> dict[str, dict[str, float]]:
    """Milliseconds, with everything: the request, who asks, the answer as JSON. A web process for each database, asked turn
    about."""
    urls = {name: place.postgres.url_of(name) for name in ("small", "large")}
    tokens = {name: await reader_token(place, url) for name, url in urls.items()}
    times: dict[str, dict[str, list[float]]] = {read: defaultdict(list) for read in HTTP}
    async with (
        place.serve("web", database_url=urls["small"]) as small,
        place.serve("web", database_url=urls["large"]) as large,
        aiohttp.ClientSession() as http,
    ):
        ports = {"small": small.port, "large": large.port}
        for turn in range(-WARM_UPS, size.reads):
            for read, path in HTTP.items():
                for name, port in ports.items():
                    took = await ask(http, f"http://127.0.0.1:{port}{path}", tokens[name])
                    if turn >= 0:
                        times[read][name].append(took)
    return {read: {name: median(values) for name, values in of.items()} for read, of in times.items()}


async def ask(http: aiohttp.ClientSession, url: str, token: str) -> float:
    began = time.perf_counter()
    async with http.get(url, headers={"Authorization": f"Bearer {token}"}) as answer:
        await answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{url}: {answer.status}")
    return (time.perf_counter() - began) * 1000


async def reader_token(place: Site, url: str) -> str:
    async with open_services(place.services.settings, url) as services, services.work() as work:
        agent_id = await create_agent(
            work, login="reader", name="reader", role="admin", password="correct horse battery 9"
        )
        return (await create_token(work, agent_id, "bench", None))[1]


# -------------------------------------------------------------------- rows


def _rows(
    size: Size,
    times: Mapping[str, Mapping[str, float]],
    tallies: Mapping[str, Mapping[str, float]],
    over_http: Mapping[str, Mapping[str, float]],
    details: dict[str, Any],
) -> list[Row]:
    """One row per group with its worst member."""
    all_times: dict[str, Mapping[str, float]] = {
        **times,
        "counts, after folding": {name: tally["count_after_ms"] for name, tally in tallies.items()},
    }
    groups: dict[str, list[str]] = defaultdict(list)
    for read in all_times:
        groups[GROUPS[read.split(",")[0].split()[0]]].append(read)
    rows = [_row(size, group, reads, all_times) for group, reads in groups.items()]
    rows.append(_row(size, "all of it over HTTP", list(HTTP), over_http, details))
    return rows


def _row(
    size: Size,
    group: str,
    reads: Sequence[str],
    times: Mapping[str, Mapping[str, float]],
    details: dict[str, Any] | None = None,
) -> Row:
    worst = max(reads, key=lambda read: times[read]["large"] / times[read]["small"])
    small, large = times[worst]["small"], times[worst]["large"]
    few, many = size.conversations
    return Row(
        "flat",
        f"{group}: {many:,} conversations; the worst is {worst}",
        f"{large:.2f} ms",
        f"{small:.2f} ms at {few:,}",
        large / small,
        f"≤ {TARGET:g} × floor",
        large / small <= TARGET,
        details or {},
    )
