"""What campaigns cost: freezing an audience against `insert … select` of the same rows, a delivery's way against a bare loop of the same
calls, and whether progress and the ledger's rounds cost the same for a run of a million as for a small one."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from statistics import median
from typing import Any

from bench import campaign_rows as rows
from bench.campaign_calls import answers, tasks
from bench.reads import SOMEBODY
from bench.result import Row
from bench.site import Site, connect, site
from bench.size import Size
from campaigns.audience.freeze import freeze
from campaigns.ledger import ends, measure, replies, tickets, views
from campaigns.ledger.tally import FOLD
from scrm.db import Database
from scrm.services import Services

FLAT, FREEZE = 2.0, 3.0
WARM_UPS = 3
CHURN, FOLDS_EVERY = 1000, 15.0
"""Recipients of whom a third changes at a time while progress is read; seconds between foldings of the counts, as in the product."""
COLUMNS = (
    "campaign_id, customer_id, group_chat_id, contact_id, account_id, connection_id, conversation_id, way, state, reason, due_at, counted_at, "
    "created_at, updated_at"
)
CHANGE = """
update delivery set state = case state when 'sent' then 'asked' else 'sent' end, updated_at = now()
where run_id = $1 and customer_id >= $2 and customer_id < $2 + $3 and state in ('asked', 'sent')
"""


async def campaigns(size: Size) -> list[Row]:
    async with site() as place:
        db, number = place.services.db, size.conversations[1]
        calls = [await tasks(size, place), await answers(size, place)]
        await db.execute("truncate campaign, account, contact, customer restart identity cascade")
        await db.execute("delete from connection")
        await connect(place.services, ["wecom"])
        await place.services.connections.refresh()
        await rows.people(db, number, await db.fetchval("select id from connection"))
        frozen = await _freezing(place, number)
        await db.execute("truncate delivery, delivery_tally, broadcast_ticket")
        await db.execute("update campaign set state = 'done'; update campaign_run set state = 'done'")
        flat = await _flat(size, place.services)
    return [*frozen, *calls, *flat]


# ------------------------------------------------------------------ freezing


async def _freezing(place: Site, number: int) -> list[Row]:
    """The plain audience, and one with exclusions that look at what everybody got before."""
    db = place.services.db
    first = await rows.campaign(db, state="freezing")
    plain = await _frozen(place.services)
    await db.execute("create table kept as select * from delivery; create table counts as select * from delivery_tally")
    await db.execute("truncate delivery, delivery_tally")
    began = time.perf_counter()
    async with db.pool.acquire() as tx:
        await tx.execute(
            f"insert into delivery (run_id, {COLUMNS}) select {first}, {COLUMNS} from kept order by id",
            timeout=3600,
        )
    floor = time.perf_counter() - began
    made = await db.fetchval("select count(*) from delivery")
    if made != number:
        raise RuntimeError(f"{made} of {number} recipients were frozen")
    await rows.campaign(
        db, state="freezing", audience={"exclude": {"contacted_days": 7}}, options={"cap_times": 2, "cap_days": 7}
    )
    excluding = await _frozen(place.services)
    return [
        Row(
            "campaigns", f"freezing {number:,} recipients{what}", f"{number / spent:,.0f}/s", f"{number / floor:,.0f}/s by insert … select",
            spent / floor, f"≤ {FREEZE:g} × floor" if not what else "reported", spent / floor <= FREEZE if not what else None,
            {"seconds": spent, "floor_seconds": floor},
        )
        for what, spent in (("", plain), (", all left out by what they got before", excluding))
    ]  # fmt: skip


async def _frozen(services: Services) -> float:
    began = time.perf_counter()
    while await freeze(services):
        pass
    return time.perf_counter() - began


# ---------------------------------------------------------------------- flat


Read = Callable[[Services, int], Awaitable[Any]]


async def _progress(services: Services, run: int) -> None:
    async with services.db.pool.acquire() as tx:
        await views.progress(tx, run, services.clock.now())


def _page(**query: Any) -> Read:
    async def read(services: Services, run: int) -> None:
        async with services.db.pool.acquire() as tx:
            await views.deliveries(tx, SOMEBODY, run, views.DeliveryQuery(**query))

    return read


async def _claim(services: Services, run: int) -> None:
    """A chunk of answers is taken, and given back."""
    async with services.db.pool.acquire() as tx, _undone(tx):
        await tx.fetch(replies.CLAIM, run, services.clock.now(), replies.CHUNK)


async def _pick(services: Services, run: int) -> None:
    async with services.db.pool.acquire() as tx, _undone(tx):
        now = services.clock.now()
        ripe = await tx.fetchrow(tickets.RIPE, run, "task", now)
        assert ripe is not None
        await tx.fetch(tickets.PICK, run, "task", ripe["account_id"], now, replies.CHUNK)


async def _read_back(services: Services, run: int) -> None:
    async with services.work() as work:
        await replies.settle(work, run, work.now)


@asynccontextmanager
async def _undone(tx: Any) -> AsyncIterator[None]:
    turn = tx.transaction()
    await turn.start()
    try:
        yield
    finally:
        await turn.rollback()


READS: Mapping[str, tuple[str, Read]] = {
    "progress": ("progress page", _progress),
    "newest": ("recipients", _page()),
    "failed": ("recipients", _page(state="failed")),
    "refused": ("recipients", _page(reason="refused")),
    "claim": ("taking a chunk", _claim),
    "pick": ("taking a chunk", _pick),
    "read back": ("reading back", _read_back),
}


async def _flat(size: Size, services: Services) -> list[Row]:
    """Both runs go on at once; the large one changes all the time."""
    small, large = size.conversations
    runs = {}
    for name, number in (("small", small), ("large", large)):
        runs[name] = await rows.campaign(services.db, state="running")
        await rows.ledger(services.db, runs[name], number)
    await services.db.execute(FOLD)
    await services.db.execute("vacuum (analyze) delivery")
    times: dict[str, dict[str, list[float]]] = {read: defaultdict(list) for read in READS}
    async with _changing(services, runs["large"], large):
        for turn in range(-WARM_UPS, size.reads):
            for read, (_, act) in READS.items():
                for name, run in runs.items():
                    began = time.perf_counter()
                    await act(services, run)
                    if turn >= 0:
                        times[read][name].append((time.perf_counter() - began) * 1000)
    medians = {read: {name: median(values) for name, values in of.items()} for read, of in times.items()}
    rounds = await _rounds(services)
    return [*_flat_rows(medians, small, large), rounds]


@asynccontextmanager
async def _changing(services: Services, run: int, number: int) -> AsyncIterator[None]:
    async def change() -> None:
        folded, place = time.monotonic(), 0
        while True:
            await services.db.execute(CHANGE, run, place, CHURN)
            place = (place + CHURN) % number
            if time.monotonic() - folded > FOLDS_EVERY:
                await services.db.execute(FOLD)
                folded = time.monotonic()
            await asyncio.sleep(0.05)

    task = asyncio.create_task(change())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def _flat_rows(times: Mapping[str, Mapping[str, float]], few: int, many: int) -> list[Row]:
    """One row per group with its worst member."""
    found = []
    for group in dict.fromkeys(group for group, _ in READS.values()):
        reads = [read for read, (of, _) in READS.items() if of == group]
        worst = max(reads, key=lambda read: times[read]["large"] / times[read]["small"])
        small, large = times[worst]["small"], times[worst]["large"]
        found.append(
            Row(
                "campaigns", f"{group} while {many:,} deliveries run; the worst is {worst}", f"{large:.2f} ms", f"{small:.2f} ms for {few:,}",
                large / small, f"≤ {FLAT:g} × floor", large / small <= FLAT, {"times": {read: times[read] for read in reads}},
            )
        )  # fmt: skip
    return found


async def _rounds(services: Services) -> Row:
    """What the loops ask every second when nothing is to be done, against the emptiest question."""
    db = services.db

    async def asked() -> None:
        now = services.clock.now()
        await db.fetch(replies.RUNS, now)
        await db.fetch(tickets.RUNNING, now)
        await db.fetch(ends.OPEN_RUNS, now)
        await db.fetch(ends.CANCELLED, now)
        await measure.measure(services)

    busy, idle = await _median(asked), await _median(lambda: _nothing(db))
    return Row(
        "campaigns", "the questions that the ledger's loops ask, together", f"{busy:.2f} ms", f"{idle:.2f} ms for an empty one",
        busy / idle, "reported", None, {"ms": busy},
    )  # fmt: skip


async def _nothing(db: Database) -> None:
    await db.fetchval("select 1")


async def _median(act: Callable[[], Awaitable[None]]) -> float:
    times = []
    for _ in range(20):
        began = time.perf_counter()
        await act()
        times.append((time.perf_counter() - began) * 1000)
    return median(times)
