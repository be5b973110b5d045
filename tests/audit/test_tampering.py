"""Whatever is changed, dropped, put in or swapped in the tables that the chain covers, or in the bytes of a file, is found and named.

Rows are taken out and written again by somebody who is master of the database (no trigger, no foreign key stops them), any covered
column of any row, and put back afterwards. Not meant: what the service itself may still write, such as a recall that comes now.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.evidence.checking import check
from audit.evidence.tombstones import bury
from scrm.services import Services
from tests.audit.chains import sealed, superuser, talk
from tests.http.site import Site, running

COVERED: Mapping[str, tuple[str, ...]] = {
    "message": ("conversation_id", "seq", "direction", "kind", "text", "content", "sender_kind", "sender_id", "sender_name", "sent_at",
        "recalled_at", "recalled_by"),
    "attachment": ("message_id", "position", "sha256"),
    "archive_record": ("connection_id", "seq", "message_id", "key_version", "sealed_key", "sealed_message", "record"),
    "audit_event": ("at", "agent_id", "action", "object_kind", "object_id", "address", "detail"),
    "evidence_leaf": ("block", "position", "kind", "ref_id", "sha256"),
    "evidence_block": ("number", "previous", "root", "leaves", "sealed_at", "key_id", "hash", "signature"),
    "evidence_key": ("public_key", "fingerprint", "endorsed"),
    "evidence_tombstone": ("kind", "ref_id", "sha256", "reason", "agent_id", "removed_at"),
}  # fmt: skip
CHOICES = {
    "direction": ("in", "out"),
    "sender_kind": ("customer", "agent", "bot"),
    "recalled_by": ("customer", "agent"),
}
IDENTITY = {"evidence_leaf": ("block", "position"), "evidence_block": ("number",)}
KINDS_OF = {
    "message": ("message", "recall"), "attachment": ("media",), "archive_record": ("envelope", "opened"), "audit_event": ("event",),
    "evidence_key": ("key",), "evidence_tombstone": ("tombstone",),
}  # fmt: skip
UNIQUE: Mapping[str, tuple[str, ...]] = {
    "message": ("seq",), "archive_record": ("seq",), "evidence_leaf": ("ref_id",), "evidence_key": ("public_key",),
    "evidence_tombstone": ("ref_id",),
}  # fmt: skip
"""What a copy of a row must have of its own for the table to take it in."""
GAP = range(20, 40)
"""Numbers that no row has, below those of rows that are sealed."""
SKIP = """
select setval(pg_get_serial_sequence(name, 'id'), 50)
from unnest('{message,attachment,archive_record,audit_event,evidence_tombstone}'::text[]) name
"""
EXAMPLES = 100

Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture
async def site(services: Services) -> AsyncIterator[Site]:
    async with running(services) as made:
        yield made


async def everything_sealed(site: Site) -> str:
    """Two rounds of everything the chain covers, with a hole in the numbers between them; the SHA-256 of the file."""
    db = site.services.db
    for n in range(2):
        _, said = await talk(site)
        for what in ("looked", "searched"):
            await db.execute("insert into audit_event (action, detail) values ($1, '{\"n\": 1}')", what)
        await sealed(site.services)
        async with site.services.work() as work:
            await bury(work, "message", said[4:5], "retention", None)
            await work.tx.execute("update message set text = '' where id = $1", said[4])
        await sealed(site.services)
        if not n:
            await db.execute(SKIP)
    return str(await db.fetchval("select sha256 from attachment limit 1"))


async def _rows(master: asyncpg.Connection[asyncpg.Record]) -> Rows:
    return {
        table: [orjson.loads(row["row"]) for row in await master.fetch(f"select to_jsonb(x) as row from {table} x")]
        for table in COVERED
    }


def _other(draw: st.DataObject, column: str, old: Any) -> Any:
    """Another value of the same kind."""
    if column in CHOICES:
        return draw.draw(st.sampled_from([one for one in CHOICES[column] if one != old]))
    if isinstance(old, str) and column.endswith("at"):
        moved = datetime.fromisoformat(old) + timedelta(microseconds=draw.draw(st.integers(1, 10**12)))
        return moved.isoformat()
    if isinstance(old, str) and old.startswith("\\x"):
        data = bytearray.fromhex(old[2:])
        if not data:
            return "\\x00"
        data[draw.draw(st.integers(0, len(data) - 1))] ^= 1 << draw.draw(st.integers(0, 7))
        return "\\x" + data.hex()
    if isinstance(old, str):
        at = draw.draw(st.integers(0, len(old)))
        return draw.draw(st.sampled_from([old[:at] + "。" + old[at:], old[:at] + " " + old[at:], old[1:] or "x"]))
    if isinstance(old, dict):
        return {**old, "forged": draw.draw(st.integers(0, 9))}
    return (old or 0) + draw.draw(st.sampled_from([1000, 70_000]))


def _names(table: str, row: Mapping[str, Any]) -> set[tuple[str, int]]:
    """What may be said to be wrong when this row is."""
    if table == "evidence_leaf":
        return {(row["kind"], row["ref_id"]), ("leaves of block", row["block"])}
    if table == "evidence_block":
        return {("block", row["number"])}
    found = {(kind, row["id"]) for kind in KINDS_OF[table]}
    if table == "evidence_tombstone":
        found.add((row["kind"], row["ref_id"]))
    return found


def _same(table: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(one[name] == other[name] for name in COVERED[table])


def _emptied(table: str, row: Mapping[str, Any]) -> bool:
    """Removed on purpose: what is left of the row says nothing, and nothing may be written into it."""
    return table == "message" and row["text"] == ""


class Hand:
    """Draws one act of tampering and does it."""

    def __init__(self, draw: st.DataObject, rows: Rows) -> None:
        self.draw = draw
        self.table = draw.draw(st.sampled_from(sorted(COVERED)))
        self.rows = rows[self.table]
        self.row = self._any()

    def _any(self) -> dict[str, Any]:
        return dict(self.draw.draw(st.sampled_from(self.rows)))

    def act(self) -> tuple[str, list[dict[str, Any]], list[dict[str, Any]]]:
        """What it is, the rows that go, and the rows that come instead."""
        what = (
            "change"
            if self._buried()
            else self.draw.draw(st.sampled_from(["change", "change", "drop", "insert", "swap"]))
        )
        if what == "swap":
            other = self._any()
            if self.table in KINDS_OF and not _same(self.table, self.row, other) and not _emptied(self.table, other):
                swapped = [{**self.row, "id": other["id"]}, {**other, "id": self.row["id"]}]
                return what, [self.row, other], swapped
            what = "change"
        if what == "drop" and not self._last():
            return what, [self.row], []
        if what == "insert":
            return what, [], [self._put_in()]
        column = self.draw.draw(st.sampled_from(self._columns()))
        return f"change {column}", [self.row], [{**self.row, column: _other(self.draw, column, self.row[column])}]

    def _buried(self) -> bool:
        return _emptied(self.table, self.row)

    def _columns(self) -> list[str]:
        if self._buried():
            return ["text", "content"]
        # No recall yet, no record opened yet: such may still come. An agent of nothing stays nothing.
        return [
            name
            for name in COVERED[self.table]
            if self.row[name] is not None or name not in ("recalled_at", "recalled_by", "record", "sha256")
        ]

    def _last(self) -> bool:
        """A chain whose end is missing with all that hangs on it looks like a younger one: that is what anchors are for."""
        return self.table == "evidence_key" and len(self.rows) == 1

    def _put_in(self) -> dict[str, Any]:
        new = dict(self.row)
        for column in UNIQUE.get(self.table, ()):
            new[column] = "\\x" + "ab" * 32 if column == "public_key" else 7000 + self.draw.draw(st.integers(0, 9))
        if self.table == "message":
            new |= {"platform_message_id": None, "client_token": None}
        if self.table == "evidence_key":
            new |= {"retired_at": "2026-01-01T00:00:00+00:00"}
        if self.table == "evidence_leaf":
            new["position"] += 5000
        elif self.table == "evidence_block":
            new["number"] += max(row["number"] for row in self.rows)
        else:
            new["id"] = self.draw.draw(st.sampled_from(GAP))
        return new


def _where(table: str, row: Mapping[str, Any]) -> str:
    return " and ".join(f"{name} = {row[name]}" for name in IDENTITY.get(table, ("id",)))


async def _do(
    master: asyncpg.Connection[asyncpg.Record], table: str, gone: list[dict[str, Any]], come: list[dict[str, Any]]
) -> None:
    for row in gone:
        await master.execute(f"delete from {table} where {_where(table, row)}")
    for row in come:
        await master.execute(
            f"insert into {table} overriding system value select (jsonb_populate_record(null::{table}, $1::jsonb)).*",
            orjson.dumps(row).decode(),
        )


async def test_whatever_is_done_to_the_tables_is_found_and_named(site: Site) -> None:
    await everything_sealed(site)
    services = site.services
    loop = asyncio.get_running_loop()
    seen: set[str] = set()

    async with superuser(services) as master:
        await master.execute("alter table evidence_key disable trigger user")
        rows = await _rows(master)

        async def found() -> set[tuple[str, int]]:
            return {(one.kind, one.ref_id) for one in (await check(services)).findings}

        async def tampered(table: str, gone: list[dict[str, Any]], come: list[dict[str, Any]]) -> set[tuple[str, int]]:
            await _do(master, table, gone, come)
            try:
                return await found()
            finally:
                await _do(master, table, come, gone)

        @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
        @given(st.data())
        def play(draw: st.DataObject) -> None:
            hand = Hand(draw, rows)
            what, gone, come = hand.act()
            seen.add(f"{hand.table} {what.split()[0]}")
            said = asyncio.run_coroutine_threadsafe(tampered(hand.table, gone, come), loop).result(60)
            for row in gone or come:
                expected = _names(hand.table, row).union(*(_names(hand.table, one) for one in come))
                assert said & expected, (hand.table, what, gone, come, said)

        assert await found() == set()
        await asyncio.to_thread(play)
        assert await found() == set()
    assert len(seen) > len(COVERED), seen


@pytest.mark.parametrize("what", ["flip", "cut", "empty", "longer", "gone"])
async def test_one_byte_of_a_file_is_missed(site: Site, what: str) -> None:
    sha256 = await everything_sealed(site)
    services = site.services
    path = services.settings.data_dir / "blobs" / sha256[:2] / sha256[2:4] / sha256
    whole = path.read_bytes()
    assert (await check(services, files=True)).ok
    at = len(whole) // 2
    changed = {
        "flip": whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :], "cut": whole[:-1], "empty": b"", "longer": whole + b"x",
    }  # fmt: skip
    if what == "gone":
        path.unlink()
    else:
        path.write_bytes(changed[what])
    media = await services.db.fetchval("select min(ref_id) from evidence_leaf where kind = 'media'")
    found = [one.name for one in (await check(services, files=True)).findings]
    assert any(one.startswith((f"changed: media {media} ", f"removed: media {media} ")) for one in found), found
