"""Sealing: what is new becomes leaves, the leaves a block, and the block is signed and holds on to the one before.

One unit of work for a block, in which the places up to which everything was read move too: killed on any line, the same leaves come
again; two processes cannot seal at once. What cannot be sealed yet (a file on its way, a record without its key, an answer not sent) is
written down and looked at again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from audit.evidence import merkle, place
from audit.evidence.blocks import NOTHING, Header
from audit.evidence.keys import Signer, signer
from audit.evidence.statements import KINDS, ORDER
from audit.following import Source, next_stretch
from scrm.metrics import EVIDENCE_LEAVES
from scrm.services import Services, Work

# ruff: noqa: S608 - made of constants, values are parameters

BATCH = 4000
"""Numbers of one table at once."""
WAITING = 4000
PREFIX = "audit-sealing:"
HEAD = "select number, hash from evidence_block order by number desc limit 1"
SEALED = "select from evidence_leaf l where l.kind = {kind} and l.ref_id = x.id"
SAID = "x.direction <> 'note' and (x.direction <> 'out' or (x.state = 'sent' and not exists (select from outbox o where o.message_id = x.id)))"
"""What was said. An answer on its way may still get another time; a note is not said to anybody."""

NEW = "select x.id, {hash} as sha256 from {table} x where x.id > $1 and x.id <= $2 and {there}"
LATER = """
insert into evidence_waiting (kind, ref_id, look_at) select '{kind}', x.id, $3 from {table} x
where x.id > $1 and x.id <= $2 and {there} on conflict do nothing
"""
DUE = "select kind, ref_id from evidence_waiting where look_at <= $1 order by look_at limit $2 for update skip locked"
READY = "select x.id, {hash} as sha256 from {table} x where x.id = any($1::bigint[]) and {there}"
GONE = """
delete from evidence_waiting w where w.kind = '{kind}' and w.ref_id = any($1::bigint[]) and not exists (select from {table} x where x.id = w.ref_id)
"""
DONE = "delete from evidence_waiting where kind = $1 and ref_id = any($2::bigint[])"
AGAIN = """
update evidence_waiting set tries = tries + 1, look_at = $3::timestamptz + least(interval '5 seconds' * 2 ^ least(tries, 10), interval '1 hour')
where kind = $1 and ref_id = any($2::bigint[])
"""
RECALLED = f"""
select x.id, {KINDS["recall"].hash} as sha256 from message x where x.recalled_at is not null and x.recalled_at > $1
and exists (select from evidence_leaf l where l.kind = 'message' and l.ref_id = x.id)
and not exists ({SEALED.format(kind="'recall'")}) order by x.recalled_at limit 4000
"""
INSERT_LEAVES = """
insert into evidence_leaf (block, position, kind, ref_id, sha256)
select $1, w.position - 1, w.kind, w.ref_id, w.sha256 from unnest($2::text[], $3::bigint[], $4::bytea[]) with ordinality w (kind, ref_id, sha256, position)
"""
INSERT_BLOCK = """
insert into evidence_block (number, previous, root, leaves, sealed_at, key_id, hash, signature) values ($1, $2, $3, $4, $5, $6, $7, $8)
"""
FILES_OF = """
insert into evidence_waiting (kind, ref_id, look_at) select 'media', f.id, $2 from attachment f where f.message_id = any($1::bigint[])
on conflict do nothing
"""
BACK = timedelta(hours=2)
"""How far recalls are looked for again each time."""
SWEEP = timedelta(minutes=10)
"""So often all of them are looked through: one that comes late has the platform's time, which may be days ago."""
EVER = datetime(1970, 1, 1, tzinfo=UTC)

FOLLOWED: tuple[tuple[Source, str], ...] = (
    ("message", "message"),
    ("archive_record", "envelope"),
    ("audit_event", "event"),
)
PLACES = "insert into reading_place (name, last_id) select unnest($1::text[]), 0 on conflict do nothing"

Leaf = tuple[str, int, bytes]


class Sealer:
    """:meth:`round` seals one block."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._swept_at: datetime | None = None

    async def round(self) -> bool:
        async with self._services.work() as work:
            if not await place.take(work):
                return False
            key = await signer(work, self._services.vault)
            sweep = self._swept_at is None or work.now - self._swept_at > SWEEP
            leaves, more = await gather(work, EVER if sweep else work.now - BACK)
            if leaves:
                await seal(work, key, leaves)
        if sweep and not more:
            self._swept_at = work.now
        EVIDENCE_LEAVES.inc(len(leaves))
        return more

    async def everything(self) -> None:
        """Until nothing is left that can be sealed."""
        while await self.round():
            pass


async def gather(work: Work, recalled_since: datetime) -> tuple[list[Leaf], bool]:
    """What is new, and whether there is more."""
    leaves: list[Leaf] = []
    more = False
    await work.tx.execute(PLACES, [PREFIX + source for source, _ in FOLLOWED])
    for source, kind in FOLLOWED:
        found, full = await _following(work, source, kind)
        leaves += found
        more = more or full
    found, full = await _waiting(work)
    leaves += found
    messages = [ref_id for kind, ref_id, _ in leaves if kind == "message"]
    if messages:
        await work.tx.execute(FILES_OF, messages, work.now)
        more = True
    rows = await work.tx.fetch(RECALLED, recalled_since)
    leaves += [("recall", row["id"], row["sha256"]) for row in rows]
    return leaves, more or full or len(rows) == 4000


async def _following(work: Work, source: Source, kind: str) -> tuple[list[Leaf], bool]:
    stretch = await next_stretch(work, PREFIX + source, source, at_once=BATCH)
    if stretch is None:
        return [], False
    one = KINDS[kind]
    span = (stretch.after, stretch.until)
    there = SAID if kind == "message" else one.there
    rows = await work.tx.fetch(NEW.format(hash=one.hash, table=one.table, there=there), *span)
    if kind == "message":
        await work.tx.execute(
            LATER.format(kind=kind, table="message", there=f"x.direction <> 'note' and not ({SAID})"), *span, work.now + timedelta(seconds=5)
        )  # fmt: skip
    if kind == "envelope":
        await work.tx.execute(LATER.format(kind="opened", table=one.table, there="true"), *span, work.now)
    return [(kind, row["id"], row["sha256"]) for row in rows], stretch.full


async def _waiting(work: Work) -> tuple[list[Leaf], bool]:
    due = await work.tx.fetch(DUE, work.now, WAITING)
    leaves: list[Leaf] = []
    for kind in ORDER:
        ids = [row["ref_id"] for row in due if row["kind"] == kind]
        if not ids:
            continue
        one = KINDS[kind]
        await work.tx.execute(GONE.format(kind=kind, table=one.table), ids)
        there = SAID if kind == "message" else one.there
        rows = await work.tx.fetch(READY.format(hash=one.hash, table=one.table, there=there), ids)
        ready = [row["id"] for row in rows]
        await work.tx.execute(DONE, kind, ready)
        await work.tx.execute(AGAIN, kind, sorted(set(ids) - set(ready)), work.now)
        leaves += [(kind, row["id"], row["sha256"]) for row in rows]
    return leaves, len(due) == WAITING


async def seal(work: Work, key: Signer, leaves: Sequence[Leaf]) -> Header:
    """In the order of kinds and numbers, so that another order shows."""
    ordered = sorted(leaves)
    head = await work.tx.fetchrow(HEAD)
    hashes = await asyncio.to_thread(lambda: merkle.root([merkle.leaf_hash(*one) for one in ordered]))
    header = Header(
        number=1 if head is None else head["number"] + 1,
        previous=NOTHING if head is None else head["hash"],
        root=hashes, count=len(ordered), sealed_at=work.now, key=key.fingerprint,
    )  # fmt: skip
    kinds, ids, digests = zip(*ordered, strict=True)
    await work.tx.execute(INSERT_LEAVES, header.number, list(kinds), list(ids), list(digests))
    await work.tx.execute(
        INSERT_BLOCK, header.number, header.previous, header.root, header.count, header.sealed_at, key.id, header.hash,
        key.sign(header.text.encode()),
    )  # fmt: skip
    work.ring("evidence")
    return header
