"""Whether the customer list costs the same however many customers there are, and how fast a sheet becomes customers.

The list, filters by three fields of one's own and a segment's count are read by the product's own functions in a small and a large
database, turn about. The import is the product's own, chunk by chunk from a file, against the same rows by ``copy`` into the same table.
"""

from __future__ import annotations

import io
import resource
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg

from bench.result import Row
from bench.site import Site, site
from bench.size import Size
from customers import filtering
from customers.field_indexes import make_indexes
from customers.fields import definitions
from customers.filtering import EVERYBODY, Condition, Group
from customers.listing.search import CountQuery, SearchQuery, counted, planned_anew, search
from customers.listing.sorts import Sort
from customers.sheets import importing
from scrm.db import Database
from scrm.jobs import Job
from scrm.migrate import migrate
from scrm.people import create_agent
from scrm.permissions import OF_ROLE, Principal

TARGET = 2.0
PASSWORD = "correct horse battery 9"
WARM_UPS = 3
MANAGER = Principal(1, "", "", "manager", OF_ROLE["manager"], "all", "zh-CN", (), None, None)
REP = Principal(7, "", "", "rep", OF_ROLE["rep"], "team", "zh-CN", (3,), None, None)
NOW = datetime(2026, 11, 20, tzinfo=UTC)

PEOPLE = """
insert into team (name) select 'team ' || n from generate_series(1, 5) n;
insert into agent (login, name, role, password_hash)
  select 'agent' || n, '坐席' || n, case when n = 1 then 'manager' else 'rep' end, '' from generate_series(1, 50) n;
insert into team_member (team_id, agent_id) select 1 + (id % 5), id from agent where role = 'rep';
insert into stage (name, kind, position, color) select '阶段' || n, 'open', n, 'blue' from generate_series(1, 6) n;
insert into custom_field (key, name, kind, data, position, created_at) values
  ('fplan', '套餐', 'choice', '{"choices": [{"key": "a", "name": "标准"}, {"key": "b", "name": "专业"}, {"key": "c", "name": "旗舰"}]}', 1, now()),
  ('fsize', '人数', 'number', '{}', 2, now()),
  ('fcontract', '合同号', 'text', '{}', 3, now()),
  ('fbudget', '预算', 'money', '{}', 4, now());
"""
# Spread by multiplying with a large prime, so that nothing follows the order of the ids.
CUSTOMERS = """
insert into customer (name, company, city, source, owner_id, stage_id, stage_at, value_fen, fields, created_at, updated_at,
  last_message_at, last_inbound_at, next_due_at)
select (array['陈静', '刘伟', '张敏', '赵磊', '黄丽', '周强', '吴芳', '徐洋', '孙悦', '马超'])[1 + h % 10] || n, case when h % 3 = 0 then '公司' || h % 5000 else '' end,
  (array['杭州', '上海', '北京', '广州', '成都', ''])[1 + h % 6], (array['展会', '抖音', '官网', '转介绍'])[1 + h % 4],
  case when h % 10 < 8 then 1 + (h / 10) % 50 end, 1 + h % 6, at, (h % 1000) * 1000,
  jsonb_build_object('fplan', (array['a', 'b', 'c'])[1 + h % 3], 'fsize', h % 500, 'fbudget', (h / 7) % 100000)
    || case when n <= 300 then jsonb_build_object('fcontract', 'HT-2026') else jsonb_build_object('fcontract', 'HT-' || h % 100000) end,
  at, at, at + interval '1 hour', at, case when h % 20 = 0 then at + interval '30 days' end
from (select n, h, timestamptz '2026-11-20' - interval '1 second' * (h % 63072000) as at
  from (select n, (n * 2654435761) % 4294967291 as h from generate_series(1::bigint, $1) n) x) y
"""
DENSE = [("fields.fplan", "in", ["b"]), ("fields.fsize", "between", [100, 300]), ("fields.fbudget", "at_least", 20_000)]
"""Every eleventh customer, whatever the size: the newest fifty are near the top."""
RARE = [("fields.fcontract", "is", "HT-2026"), ("fields.fplan", "in", ["b", "c"]), ("fields.fsize", "at_most", 400)]
"""The same few customers in both databases."""

BOUNDED = "count of a large segment, which stops at 10,000"
Read = Callable[[Database], Awaitable[Any]]


def tree(conditions: list[tuple[str, str, Any]]) -> Group:
    return Group(parts=[Condition(field=field, op=op, value=value) for field, op, value in conditions])  # type: ignore[arg-type]


@dataclass(frozen=True)
class Listed:
    principal: Principal
    filter: Group = EVERYBODY
    sort: str = ""

    async def __call__(self, db: Database) -> Any:
        sorts = [Sort(key=self.sort, descending=True)] if self.sort else []
        return await search(db, self.principal, SearchQuery(filter=self.filter, sort=sorts), NOW)


@dataclass(frozen=True)
class Counts:
    filter: Group

    async def __call__(self, db: Database) -> Any:
        return await counted(db, MANAGER, CountQuery(filter=self.filter), NOW)


READS: Mapping[str, tuple[str, Read]] = {
    "newest, all": ("customer list", Listed(MANAGER)),
    "newest, a rep's": ("customer list", Listed(REP)),
    "by value": ("customer list", Listed(MANAGER, sort="value")),
    "by next step": ("customer list", Listed(MANAGER, sort="next_due_at")),
    "three fields, every eleventh": ("filter by three fields", Listed(MANAGER, tree(DENSE))),
    "three fields, few": ("filter by three fields", Listed(MANAGER, tree(RARE))),
    "segment, few": ("segment count", Counts(tree(RARE))),
    "segment, many": (BOUNDED, Counts(tree(DENSE))),
}


async def customers(size: Size) -> list[Row]:
    async with site() as place:
        databases: dict[str, Database] = {}
        for name, n in zip(("small", "large"), size.conversations, strict=True):
            await place.services.db.execute(f"create database customers_{name}")
            url = place.postgres.url_of(f"customers_{name}")
            await migrate(url)
            await fill(url, n)
            databases[name] = await Database.open(url, size=2)
            async with databases[name].pool.acquire() as connection:
                await make_indexes(connection, await definitions(connection))
        try:
            times = await _times(size, databases)
            plans = await _plans(databases["large"])
        finally:
            for database in databases.values():
                await database.close()
        imported = await _import(size, place)
    return [*_rows(size, times, plans), imported]


async def fill(url: str, customers: int) -> None:
    db = await asyncpg.connect(url)
    try:
        # What is measured is reading: while the rows are made, a crash may undo them.
        await db.execute("set synchronous_commit = off; set maintenance_work_mem = '512MB'")
        await db.execute(PEOPLE)
        await db.execute("set session_replication_role = replica")
        await db.execute(CUSTOMERS.replace("$1", str(customers)))
        await db.execute("set session_replication_role = origin")
        await db.execute("vacuum (analyze)")
    finally:
        await db.close()


async def _times(size: Size, databases: Mapping[str, Database]) -> dict[str, dict[str, float]]:
    times: dict[str, dict[str, list[float]]] = {read: defaultdict(list) for read in READS}
    for turn in range(-WARM_UPS, size.reads):
        for read, (_, act) in READS.items():
            for name, database in databases.items():
                began = time.perf_counter()
                await act(database)
                if turn >= 0:
                    times[read][name].append((time.perf_counter() - began) * 1000)
    return {read: {name: median(values) for name, values in of.items()} for read, of in times.items()}


async def _plans(database: Database) -> dict[str, list[str]]:
    """Of what the page reads by each filter, newest first."""
    found = {}
    for read, (_, act) in READS.items():
        if not isinstance(act, Listed) or act.sort:
            continue
        async with planned_anew(database) as tx:
            compiled = filtering.compile(act.filter, await filtering.asking(tx, act.principal, NOW))
            rows = await tx.fetch(
                f"explain (analyze, buffers) select u.id from customer u where {compiled.where} "
                "order by u.created_at desc, u.id desc limit 51",
                *compiled.arguments,
            )
        found[read] = [row[0] for row in rows]
    return found


def _rows(size: Size, times: Mapping[str, Mapping[str, float]], plans: dict[str, list[str]]) -> list[Row]:
    """One row per group with its worst member."""
    few, many = size.conversations
    rows = []
    for group in dict.fromkeys(group for group, _ in READS.values()):
        reads = [read for read, (of, _) in READS.items() if of == group]
        worst = max(reads, key=lambda read: times[read]["large"] / times[read]["small"])
        small, large = times[worst]["small"], times[worst]["large"]
        # The small database has fewer than where counting stops, so the two count different things.
        compared = group != BOUNDED
        rows.append(
            Row(
                "customers", f"{group}: {many:,} customers; the worst is {worst}", f"{large:.2f} ms",
                f"{small:.2f} ms at {few:,}", large / small,
                f"≤ {TARGET:g} × floor" if compared else "reported", large / small <= TARGET if compared else None,
                {"times": {read: times[read] for read in reads}, "plans": {read: plans[read] for read in reads if read in plans}},
            )
        )  # fmt: skip
    return rows


# -------------------------------------------------------------------- import


async def _import(size: Size, place: Site) -> Row:
    """A sheet: the dry run, the real one, what they took of memory, and the floor."""
    n = size.conversations[1] // 10
    services = place.services
    async with services.work() as work:
        agent_id = await create_agent(work, login="importer", name="importer", role="manager", password=PASSWORD)
    principal = Principal(agent_id, "importer", "", "manager", OF_ROLE["manager"], "all", "zh-CN", (), None, None)
    sha256 = await services.blobs.put_bytes(sheet(n))
    await services.db.execute(
        "insert into blob (sha256, size, mime) values ($1, $2, 'text/csv')", sha256, len(sheet(n))
    )
    attachment: int = await services.db.fetchval(
        "insert into attachment (kind, state, sha256, name, mime, size, uploaded_by) "
        "values ('file', 'stored', $1, '客户.csv', 'text/csv', $2, $3) returning id",
        sha256, len(sheet(n)), agent_id,
    )  # fmt: skip
    import_id = await importing.take(services, principal, importing.NewImport(attachment_id=attachment))
    before = resident_mb()
    dry = await _run(place, principal, import_id, real=False)
    real = await _run(place, principal, import_id, real=True)
    grown = resident_mb() - before
    made = await services.db.fetchval("select count(*) from customer")
    if made != n:
        raise RuntimeError(f"{made} of {n} rows became customers")
    floor = await _copied(place, n)
    return Row(
        "customers", f"import: {n:,} rows of a sheet become customers", f"{n / real:,.0f} rows/s, dry run {n / dry:,.0f}/s, {grown:.0f} MB more",
        f"{n / floor:,.0f} rows/s by copy", floor / real, "reported", None,
        {"rows": n, "dry_seconds": dry, "real_seconds": real, "copy_seconds": floor, "grown_mb": grown},
    )  # fmt: skip


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20


def sheet(n: int) -> bytes:
    lines = (f"客户{k},1{3_800_000_000 + k},公司{k % 997},杭州,{k % 1000},展会\n" for k in range(n))
    return ("姓名,手机号,公司,城市,金额,来源\n" + "".join(lines)).encode()


async def _run(place: Site, principal: Principal, import_id: int, *, real: bool) -> float:
    services = place.services
    async with services.work() as work:
        await importing.start(work, principal, import_id, None, real=real, address="")
    row = await services.db.fetchrow("select * from job where kind = $1 order by id desc limit 1", importing.RUN)
    assert row is not None
    began = time.perf_counter()
    await importing.run(services, Job(row["id"], row["kind"], row["dedupe_key"], row["payload"], 1))
    return time.perf_counter() - began


async def _copied(place: Site, n: int) -> float:
    """The same customers and phone numbers into the same tables of an empty database, one stream and one commit for each."""
    await place.services.db.execute("create database customers_copy")
    await migrate(place.postgres.url_of("customers_copy"))
    source = await asyncpg.connect(place.url)
    target = await asyncpg.connect(place.postgres.url_of("customers_copy"))
    try:
        spent = 0.0
        for table in ("agent", "customer", "phone_number"):
            buffer = io.BytesIO()
            await source.copy_from_table(table, output=buffer, format="binary")
            buffer.seek(0)
            began = time.perf_counter()
            await target.copy_to_table(table, source=buffer, format="binary")
            spent += time.perf_counter() - began if table != "agent" else 0.0
        assert await target.fetchval("select count(*) from customer") == n
    finally:
        await source.close()
        await target.close()
    return spent
