"""Checking the chain against the database: every block, every signature, every leaf against its row, every row against its leaf. What does
not fit is named."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from audit.evidence import merkle
from audit.evidence.blocks import NOTHING, header_of
from audit.evidence.chain import PREFIX, SAID
from audit.evidence.keys import fingerprint, signed_by
from audit.evidence.statements import KINDS
from scrm.db import Row, Tx
from scrm.services import Services

BLOCKS = 50
"""At once; a block has some thousands of leaves at most."""
STEP = 50_000
MOST_NAMED = 200

HEADERS = """
select b.*, k.fingerprint, k.public_key from evidence_block b left join evidence_key k on k.id = b.key_id
where b.number > $1 order by b.number limit $2
"""
LEAVES = "select block, position, kind, ref_id, sha256 from evidence_leaf where block between $1 and $2 order by block, position"
CHANGED = """
select l.block, l.kind, l.ref_id, x.id is null as gone, t.reason,
  t.sha256 = l.sha256 and (x.id is null or {emptied}) as fits from evidence_leaf l
left join {table} x on x.id = l.ref_id left join evidence_tombstone t on t.kind = l.kind and t.ref_id = l.ref_id
where l.kind = '{kind}' and l.block between $1 and $2 and (x.id is null or not ({there}) or {hash} is distinct from l.sha256)
order by l.block, l.position
"""
STRAY = """
select l.block, l.kind, l.ref_id from evidence_leaf l where not exists (select from evidence_block b where b.number = l.block) limit 1000
"""
UNKNOWN = "select block, kind, ref_id from evidence_leaf where kind <> all($1::text[]) limit 1000"
UNSEALED = """
select x.id from {table} x where x.id > $1 and x.id <= $2 and {there} and not exists (select from evidence_leaf l where l.kind = '{kind}' and l.ref_id = x.id)
and not exists (select from evidence_waiting w where w.kind = '{kind}' and w.ref_id = x.id) order by x.id
"""
# Files whose message is sealed are written down with it; recalls are looked for over a stretch of time.
EXPECTED = (
    ("message", "message", SAID), ("archive_record", "envelope", "true"), ("archive_record", "opened", "x.record is not null"),
    ("audit_event", "event", "true"),
)  # fmt: skip
FILES = """
select x.id from attachment x where x.id > $1 and x.id <= $2 and x.sha256 is not null
and exists (select from evidence_leaf l where l.kind = 'message' and l.ref_id = x.message_id)
and not exists (select from evidence_leaf l where l.kind = 'media' and l.ref_id = x.id)
and not exists (select from evidence_waiting w where w.kind = 'media' and w.ref_id = x.id) order by x.id
"""
SEALED_FILES = """
select l.ref_id, l.block, x.sha256 from evidence_leaf l join attachment x on x.id = l.ref_id
where l.kind = 'media' and l.ref_id > $1 and x.sha256 is not null order by l.ref_id limit 500
"""
ANCHORED = "select number, hash from evidence_block where number = $1"


@dataclass(frozen=True, slots=True)
class Finding:
    """``what``: changed, removed, inserted, reordered, unsigned, broken, lost."""

    what: str
    kind: str
    ref_id: int
    block: int | None = None

    @property
    def name(self) -> str:
        return f"{self.what}: {self.kind} {self.ref_id}" + (f" (block {self.block})" if self.block is not None else "")


@dataclass(slots=True)
class Report:
    started_at: datetime
    finished_at: datetime | None = None
    blocks: int = 0
    leaves: int = 0
    head: str = ""
    removed: Counter[str] = field(default_factory=Counter)
    """On purpose, by reason: the leaf stays, a tombstone says who removed it."""
    findings: list[Finding] = field(default_factory=list)
    total: int = 0

    @property
    def ok(self) -> bool:
        return self.total == 0

    def add(self, found: Finding) -> None:
        if found in self.findings:
            return
        self.total += 1
        if len(self.findings) < MOST_NAMED:
            self.findings.append(found)

    def as_json(self) -> dict[str, Any]:
        return {
            "ok": self.ok, "blocks": self.blocks, "leaves": self.leaves, "head": self.head, "removed": dict(self.removed),
            "total": self.total, "findings": [{"what": f.what, "kind": f.kind, "ref_id": f.ref_id, "block": f.block} for f in self.findings],
        }  # fmt: skip


async def check(services: Services, *, files: bool = False) -> Report:
    """Reads one moment of the database. ``files``: also the bytes of all files, which takes as long as reading them."""
    report = Report(services.clock.now())
    async with services.db.pool.acquire() as tx, tx.transaction(isolation="repeatable_read", readonly=True):
        await _blocks(tx, report)
        await _strays(tx, report)
        await _unsealed(tx, report)
        if files:
            await _files(services, tx, report)
    report.finished_at = services.clock.now()
    return report


async def _blocks(tx: Tx, report: Report) -> None:
    previous, number = NOTHING, 0
    while rows := await tx.fetch(HEADERS, number, BLOCKS):
        leaves: dict[int, list[Row]] = {}
        for leaf in await tx.fetch(LEAVES, rows[0]["number"], rows[-1]["number"], timeout=600):
            leaves.setdefault(leaf["block"], []).append(leaf)
        for row in rows:
            for missing in range(number + 1, row["number"]):
                report.add(Finding("removed", "block", missing, missing))
            number = row["number"]
            for found in await asyncio.to_thread(_block, row, previous, leaves.get(number, [])):
                report.add(found)
            previous = row["hash"]
            report.blocks += 1
            report.leaves += len(leaves.get(number, []))
            report.head = row["hash"].hex()
        for kind, one in KINDS.items():
            sql = CHANGED.format(kind=kind, table=one.table, hash=one.hash, there=one.there, emptied=one.emptied)
            for row in await tx.fetch(sql, rows[0]["number"], rows[-1]["number"], timeout=600):
                if row["reason"] is not None and row["fits"]:
                    report.removed[row["reason"]] += 1
                else:
                    report.add(
                        Finding("removed" if row["gone"] else "changed", row["kind"], row["ref_id"], row["block"])
                    )


def _block(row: Row, previous: bytes, leaves: Sequence[Row]) -> list[Finding]:
    number: int = row["number"]
    found: list[Finding] = []
    if row["previous"] != previous:
        found.append(Finding("broken", "block", number, number))
    if row["fingerprint"] is None or fingerprint(row["public_key"]) != row["fingerprint"]:
        found += [Finding("lost", "key", row["key_id"], number), Finding("unsigned", "block", number, number)]
    else:
        header = header_of(row)
        if header.hash != row["hash"]:
            found.append(Finding("changed", "block", number, number))
        if not signed_by(row["public_key"], row["signature"], header.text.encode()):
            found.append(Finding("unsigned", "block", number, number))
    order = [(leaf["kind"], leaf["ref_id"]) for leaf in leaves]
    for n, leaf in enumerate(leaves):
        if leaf["position"] != n or (n and order[n - 1] > order[n]):
            found.append(Finding("reordered", leaf["kind"], leaf["ref_id"], number))
    if len(leaves) != row["leaves"]:
        found.append(
            Finding("removed" if len(leaves) < row["leaves"] else "inserted", "leaves of block", number, number)
        )
    tree = merkle.root([merkle.leaf_hash(leaf["kind"], leaf["ref_id"], leaf["sha256"]) for leaf in leaves])
    if tree != row["root"]:
        found.append(Finding("changed", "leaves of block", number, number))
    return found


async def _strays(tx: Tx, report: Report) -> None:
    strays = await tx.fetch(STRAY)
    for block in sorted({row["block"] for row in strays}):
        report.add(Finding("removed", "block", block, block))
    for row in (*strays, *await tx.fetch(UNKNOWN, list(KINDS))):
        report.add(Finding("inserted", row["kind"], row["ref_id"], row["block"]))
    state = await tx.fetchrow("select anchored_block, anchored_hash from evidence_state")
    if state is not None and state["anchored_block"] is not None:
        held = await tx.fetchrow(ANCHORED, state["anchored_block"])
        if held is None or held["hash"] != state["anchored_hash"]:
            report.add(Finding("removed", "anchored block", state["anchored_block"], state["anchored_block"]))


async def _unsealed(tx: Tx, report: Report) -> None:
    """Rows among those that were sealed that have no leaf: put in later, or their leaf was taken out."""
    for source, kind, there in EXPECTED:
        until = await tx.fetchval("select last_id from reading_place where name = $1", PREFIX + source) or 0
        at = 0
        sql = UNSEALED.format(table=source, kind=kind, there=there)
        while at < until:
            for row in await tx.fetch(sql, at, min(at + STEP, until), timeout=600):
                report.add(Finding("inserted", kind, row["id"]))
            at += STEP
    at, until = 0, await tx.fetchval("select coalesce(max(ref_id), 0) from evidence_leaf where kind = 'media'")
    while at < until:
        for row in await tx.fetch(FILES, at, min(at + STEP, until), timeout=600):
            report.add(Finding("inserted", "media", row["id"]))
        at += STEP
    for row in await tx.fetch(UNCOVERED_KEYS):
        report.add(Finding("inserted", row["kind"], row["id"]))


UNCOVERED_KEYS = """
select 'key' as kind, x.id from evidence_key x where not exists (select from evidence_leaf l where l.kind = 'key' and l.ref_id = x.id)
and not exists (select from evidence_waiting w where w.kind = 'key' and w.ref_id = x.id)
union all
select 'tombstone', x.id from evidence_tombstone x where not exists (select from evidence_leaf l where l.kind = 'tombstone' and l.ref_id = x.id)
and not exists (select from evidence_waiting w where w.kind = 'tombstone' and w.ref_id = x.id)
"""


async def _files(services: Services, tx: Tx, report: Report) -> None:
    last = 0
    while found := await tx.fetch(SEALED_FILES, last):
        last = found[-1]["ref_id"]
        for row in found:
            try:
                digest = await services.blobs.digest(row["sha256"])
            except FileNotFoundError:
                report.add(Finding("removed", "media", row["ref_id"], row["block"]))
                continue
            if digest != row["sha256"]:
                report.add(Finding("changed", "media", row["ref_id"], row["block"]))
