"""Evidence: sealing what was said, packing a chat with its files, and checking the package by its own script; each beside hashing the same bytes."""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
import zipfile
from pathlib import Path

from audit.evidence import exporting, verify_alone
from audit.evidence.bundle import Wanted
from audit.evidence.chain import Sealer
from bench.result import Row
from bench.site import Site, site
from bench.size import Size
from scrm.people import create_agent
from scrm.permissions import OF_ROLE, Principal

MEGABYTE = 1 << 20
ROWS = """
with placed as (
  insert into account (connection_id, channel, external_id, name) select id, 'bench', 'kf', '客服' from connection limit 1 returning id, connection_id
), person as (
  insert into customer (name) values ('周航') returning id
), known as (
  insert into contact (connection_id, external_id, customer_id, name) select connection_id, 'wm1', person.id, '周航' from placed, person
  returning id
)
insert into conversation (account_id, contact_id, last_seq, version) select placed.id, known.id, $1, $1 from placed, known returning id
"""
SAID = """
insert into message (conversation_id, seq, version, direction, kind, text, state, sender_kind, sender_id, sent_at, created_at)
select $1, n, n, 'in', 'text', '这款沙发还有现货吗，周末过来看看，第' || n || '句', 'received', 'customer', 'wm1', now(), now() from generate_series(1, $2) n
"""
BLOB = "insert into blob (sha256, size, mime) values ($1, $2, 'image/jpeg') on conflict do nothing"
FILE = """
insert into attachment (message_id, kind, state, sha256, name, mime, size)
select id, 'image', 'stored', $3, 'picture.jpg', 'image/jpeg', $4 from message where conversation_id = $1 and seq = $2
"""


async def evidence(size: Size) -> list[Row]:
    async with site("douyin") as place:
        chat, principal = await _said(place, size)
        began = time.perf_counter()
        await Sealer(place.services).everything()
        sealing = time.perf_counter() - began
        leaves = await place.services.db.fetchval("select count(*) from evidence_leaf")
        path = place.folder / "evidence.zip"

        async def nobody_looks(done: int) -> None:
            return None

        began = time.perf_counter()
        await exporting.make(place.services, principal, [Wanted(chat)], path, nobody_looks)
        packing = time.perf_counter() - began
        octets, hashing = await asyncio.to_thread(_hashed, path)
        began = time.perf_counter()
        problems = await asyncio.to_thread(_problems, path)
        checking = time.perf_counter() - began
        assert problems == [], problems[:3]
        bare = await asyncio.to_thread(_leaf_floor, leaves)
    mb = octets / MEGABYTE
    details = {
        "leaves": leaves,
        "mb": mb,
        "sealing": sealing,
        "packing": packing,
        "checking": checking,
        "hashing": hashing,
    }
    return [
        Row("evidence", f"evidence: {leaves:,} leaves sealed", f"{leaves / sealing:,.0f}/s", f"{leaves / bare:,.0f}/s hashed alone", bare / sealing, "reported", None, details),
        Row("evidence", f"evidence: a package of {mb:,.0f} MB made", f"{mb / packing:,.0f} MB/s", f"{mb / hashing:,.0f} MB/s hashed alone", hashing / packing, "reported", None),
        Row("evidence", "evidence: the same package checked by its script", f"{mb / checking:,.0f} MB/s", f"{mb / hashing:,.0f} MB/s hashed alone", hashing / checking, "reported", None),
    ]  # fmt: skip


async def _said(place: Site, size: Size) -> tuple[int, Principal]:
    db = place.services.db
    chat = int(await db.fetchval(ROWS, size.evidence_messages))
    await db.execute(SAID, chat, size.evidence_messages)
    for seq in range(1, size.evidence_files + 1):
        data = os.urandom(MEGABYTE)
        sha256 = await place.services.blobs.put_bytes(data)
        await db.execute(BLOB, sha256, len(data))
        await db.execute(FILE, chat, seq, sha256, len(data))
    async with place.services.work() as work:
        agent_id = await create_agent(
            work, login="auditor", name="auditor", role="auditor", password="correct horse battery 9"
        )
    return chat, Principal(
        agent_id, "auditor", "auditor", "auditor", OF_ROLE["auditor"], "all", "zh-CN", (), None, None
    )


def _hashed(path: Path) -> tuple[int, float]:
    """The octets of everything in the package, and the seconds of hashing them; reading is not counted."""
    octets, seconds = 0, 0.0
    with zipfile.ZipFile(path) as package:
        for name in package.namelist():
            data = package.read(name)
            began = time.perf_counter()
            hashlib.sha256(data).digest()
            seconds += time.perf_counter() - began
            octets += len(data)
    return octets, seconds


def _problems(path: Path) -> list[str]:
    with path.open("rb") as file:
        return verify_alone.Verifier(verify_alone.Package(file)).run()


def _leaf_floor(leaves: int) -> float:
    """Seconds for as many hashes of a sentence, which nobody can leave out."""
    sentence = b"x" * 300
    began = time.perf_counter()
    for _ in range(leaves):
        hashlib.sha256(sentence).digest()
    return time.perf_counter() - began
