"""Looks for customers who may be one, as they come and change. Some hundred at a time, by keys that were made before: never all with all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from pydantic import AwareDatetime, BaseModel

from customers.identity.keys import keys_of
from scrm.company import Setting
from scrm.db import Row
from scrm.jobs import Job
from scrm.services import Services, Work

FIND_DUPLICATES = "find_duplicates"
BATCH = 500
ROUNDS = 20
SETTLED = timedelta(seconds=5)
"""Changes are given their time first and committed afterwards."""
MOST_ALIKE = 5
"""More customers than this with one key: a name like that says nothing."""
SCORES = {"phone": 100, "name_company": 60, "name_city": 40}


class Seen(BaseModel):
    """Up to where customers were compared, in the order in which they changed."""

    at: AwareDatetime = datetime.fromisoformat("2000-01-01T00:00:00+00:00")
    id: int = 0


SEEN = Setting("duplicates_seen", Seen())

CHANGED = """
select id, name, company, city, updated_at from customer
where merged_into is null and (updated_at, id) > ($1, $2) and updated_at < $3 order by updated_at, id limit $4
"""
FORGET_KEYS = """
delete from customer_key k using unnest($1::bigint[]) w (id)
where k.customer_id = w.id and not exists (select from unnest($2::bigint[], $3::text[]) n (id, kind) where n.id = w.id and n.kind = k.kind)
"""
KEEP_KEYS = """
insert into customer_key (customer_id, kind, key) select * from unnest($1::bigint[], $2::text[], $3::text[])
on conflict (customer_id, kind) do update set key = excluded.key where customer_key.key <> excluded.key
"""
ALIKE = """
select w.id as one, b.customer_id as other, a.kind as reason from unnest($1::bigint[]) w (id)
join customer_key a on a.customer_id = w.id
cross join lateral (select k.customer_id, count(*) over () as n from (
  select k.customer_id from customer_key k join customer u on u.id = k.customer_id and u.merged_into is null and u.deleted_at is null
  where k.kind = a.kind and k.key = a.key and k.customer_id <> w.id limit $2 + 1) k) b
where b.n <= $2
union all
select w.id, b.customer_id, 'phone' from unnest($1::bigint[]) w (id)
join phone_number a on a.customer_id = w.id
cross join lateral (select k.customer_id, count(*) over () as n from (
  select k.customer_id from phone_number k join customer u on u.id = k.customer_id and u.merged_into is null and u.deleted_at is null
  where k.phone = a.phone and k.customer_id <> w.id limit $2 + 1) k) b
where b.n <= $2
"""
FORGET = """
delete from duplicate d where (d.low_id = any($1::bigint[]) or d.high_id = any($1::bigint[]))
  and not exists (select from unnest($2::bigint[], $3::bigint[]) n (low, high) where n.low = d.low_id and n.high = d.high_id)
"""
KEEP = """
insert into duplicate (low_id, high_id, reasons, score, found_at)
select w.low, w.high, string_to_array(w.reasons, ','), w.score, $5
from unnest($1::bigint[], $2::bigint[], $3::text[], $4::int[]) w (low, high, reasons, score)
where not exists (select from customer_apart p where p.low_id = w.low and p.high_id = w.high)
on conflict (low_id, high_id) do update set reasons = excluded.reasons, score = excluded.score
where duplicate.reasons <> excluded.reasons
"""


async def find_duplicates(services: Services, job: Job) -> None:
    for _ in range(ROUNDS):
        async with services.work() as work:
            if not await compare_changed(work):
                return


async def compare_changed(work: Work) -> bool:
    """One batch of those that changed. False: nobody is left."""
    # One process at a time: the place up to which was read is one.
    if not await work.tx.fetchval("select pg_try_advisory_xact_lock(hashtext('find_duplicates'))"):
        return False
    seen = await SEEN.load(work.tx)
    rows = await work.tx.fetch(CHANGED, seen.at, seen.id, work.now - SETTLED, BATCH)
    if not rows:
        return False
    await compare(work, rows)
    await work.tx.execute(
        "insert into company_setting (key, value, updated_at) values ($1, $2, $3) "
        "on conflict (key) do update set value = excluded.value, updated_at = excluded.updated_at",
        SEEN.key, Seen(at=rows[-1]["updated_at"], id=rows[-1]["id"]).model_dump(mode="json"), work.now,
    )  # fmt: skip
    return len(rows) == BATCH


async def compare(work: Work, rows: Sequence[Row]) -> None:
    """Brings the keys and suggestions of these customers up to date."""
    ids = sorted(row["id"] for row in rows)
    keys = [
        (row["id"], kind, key)
        for row in sorted(rows, key=lambda row: row["id"])
        for kind, key in keys_of(row["name"], row["company"], row["city"]).items()
    ]
    owners, kinds, texts = [list(column) for column in zip(*keys, strict=True)] if keys else [[], [], []]
    await work.tx.execute(FORGET_KEYS, ids, owners, kinds)
    await work.tx.execute(KEEP_KEYS, owners, kinds, texts)
    pairs: dict[tuple[int, int], set[str]] = defaultdict(set)
    for row in await work.tx.fetch(ALIKE, ids, MOST_ALIKE):
        pairs[min(row["one"], row["other"]), max(row["one"], row["other"])].add(row["reason"])
    found = sorted(pairs)
    low, high = [one for one, _ in found], [other for _, other in found]
    await work.tx.execute(FORGET, ids, low, high)
    reasons = [sorted(pairs[pair], key=lambda one: -SCORES[one]) for pair in found]
    scores = [sum(SCORES[one] for one in each) for each in reasons]
    await work.tx.execute(KEEP, low, high, [",".join(each) for each in reasons], scores, work.now)
