"""The chain: everything sealed once, in any order of commits and after any kill; nothing changes without being found and named."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import asyncpg
import pytest

from audit.evidence import keys, place
from audit.evidence.chain import EVER, Sealer, gather, seal
from audit.evidence.checking import check
from audit.evidence.tombstones import bury
from audit.evidence.watching import anchor, check_and_tell
from scrm.jobs import Job
from scrm.services import Services
from tests.audit.chains import sealed, superuser, talk
from tests.http.site import Site, running


@pytest.fixture
async def site(services: Services) -> AsyncIterator[Site]:
    async with running(services) as made:
        yield made


class Killed(Exception):
    pass


async def kinds(services: Services) -> dict[str, int]:
    rows = await services.db.fetch("select kind, count(*) as n from evidence_leaf group by 1")
    return {row["kind"]: row["n"] for row in rows}


async def names(services: Services) -> list[str]:
    return [one.name for one in (await check(services)).findings]


async def test_everything_that_was_said_is_sealed_once(site: Site) -> None:
    chat, _ = await talk(site)
    await site.says(chat, "只给同事看", direction="note")
    waiting = await site.says(chat, "还没发出", direction="out", state="queued")
    await sealed(site.services)
    found = await kinds(site.services)
    assert (found["message"], found["recall"], found["media"], found["envelope"], found["opened"]) == (6, 1, 1, 3, 2)
    assert found["key"] == 1
    await site.services.db.execute("update message set state = 'sent', sent_at = now() where id = $1", waiting)
    await site.services.db.execute("update archive_record set record = 'late' where record is null")
    await site.services.db.execute("update evidence_waiting set look_at = now() - interval '1 second'")
    await sealed(site.services)
    found = await kinds(site.services)
    assert (found["message"], found["opened"]) == (7, 3)
    report = await check(site.services, files=True)
    assert report.ok, report.findings
    assert report.leaves == sum(found.values())


async def test_a_recall_that_comes_days_late_is_sealed_too(site: Site) -> None:
    """From an archive that was read late: it has the platform's time."""
    _, said = await talk(site)
    await sealed(site.services)
    assert (await kinds(site.services))["recall"] == 1
    await site.services.db.execute(
        "update message set recalled_at = now() - interval '4 days', recalled_by = 'customer' where id = $1", said[3]
    )
    await sealed(site.services)
    assert (await kinds(site.services))["recall"] == 2


async def test_a_killed_sealer_leaves_nothing_and_another_goes_on(site: Site) -> None:
    await talk(site)
    services = site.services
    for _ in range(3):
        with contextlib.suppress(Killed):
            async with services.work() as work:
                assert await place.take(work)
                key = await keys.signer(work, services.vault)
                leaves, _ = await gather(work, EVER)
                await seal(work, key, leaves)
                # Meanwhile nobody else may.
                assert await Sealer(services).round() is False
                raise Killed
    assert await kinds(services) == {}
    await asyncio.gather(*[sealed(services) for _ in range(4)])
    await sealed(services)
    assert (await kinds(services))["message"] == 6
    assert (await check(services)).ok


async def test_what_is_committed_late_is_sealed_too(site: Site) -> None:
    chat, _ = await talk(site)
    services = site.services
    await sealed(services)
    async with services.db.transaction() as tx:
        late = await tx.fetchval("insert into audit_event (action) values ('late') returning id")
        await services.db.execute("insert into audit_event (action) values ('early')")
        await site.says(chat, "又一句")
        await sealed(services)
    await sealed(services)
    await sealed(services)
    assert (
        await services.db.fetchval("select count(*) from evidence_leaf where kind = 'event' and ref_id = $1", late) == 1
    )
    events = await services.db.fetchval("select count(*) from audit_event")
    assert (await kinds(services))["event"] == events
    assert (await check(services)).ok


async def test_archived_records_stay_and_buried_ones_verify(site: Site) -> None:
    chat, said = await talk(site)
    services = site.services
    await sealed(services)
    for change in (
        "update archive_record set sealed_message = 'x'", "update archive_record set record = 'x'", "delete from archive_record",
        "update archive_record set sealed_key = '', sealed_message = '', record = null", "update archive_record set seq = seq + 100",
        "update evidence_leaf set position = 7", "delete from evidence_block", "truncate evidence_tombstone",
    ):  # fmt: skip
        with pytest.raises(asyncpg.RestrictViolationError):
            await services.db.execute(change)
    records = [row["id"] for row in await services.db.fetch("select id from archive_record")]
    async with services.work() as work:
        assert await bury(work, "message", said[:2], "retention", None) == 2
        assert await bury(work, "record", records, "erasure", None) == 5
        await work.tx.execute("update message set text = '', content = '{}' where id = any($1::bigint[])", said[:2])
        await work.tx.execute("update archive_record set sealed_key = '', sealed_message = '', record = null")
    report = await check(services)
    assert report.ok, report.findings
    assert report.removed == {"retention": 2, "erasure": 5}
    await sealed(services)
    assert (await kinds(services))["tombstone"] == 7
    assert (await check(services)).ok
    # What was not said to be removed is still missed.
    await services.db.execute("delete from message where id = $1", said[3])
    assert f"removed: message {said[3]}" in " ".join(await names(services))
    assert chat


async def test_a_purge_of_customers_is_no_tampering(site: Site) -> None:
    chat, _ = await talk(site)
    await sealed(site.services)
    contact = await site.services.db.fetchval("select contact_id from conversation where id = $1", chat)
    async with site.services.work() as work:
        await work.tx.execute("select set_config('scrm.removing', 'purge', true)")
        await work.tx.execute("delete from contact where id = $1", contact)
    report = await check(site.services)
    assert report.ok, report.findings
    assert report.removed["purge"] == 8


TAMPERINGS = {
    "text": ("update message set text = text || '。' where id = {m}", "changed: message {m}"),
    "swap": ("update message set text = (select x.text from message x where x.id = case when message.id = {m} then {n} else {m} end) where id in ({m}, {n})", "changed: message {n}"),
    "drop": ("delete from message where id = {m}", "removed: message {m}"),
    "recall undone": ("update message set recalled_at = null where recalled_at is not null", "changed: recall {n}"),
    "insert": ("insert into message (id, conversation_id, seq, version, direction, kind, text, state, sender_kind, sent_at) overriding system value "
        "select 0 + 7, conversation_id, 900, 900, 'in', 'text', 'forged', 'received', 'customer', now() from message where id = {m}", None),
    "record": ("update archive_record set record = record || 'x' where id = {r}", "changed: opened {r}"),
    "envelope": ("update archive_record set sealed_message = 'x' where id = {r}", "changed: envelope {r}"),
    "event": ("update audit_event set action = 'nothing' where id = {e}", "changed: event {e}"),
    "event dropped": ("delete from audit_event where id = {e}", "removed: event {e}"),
    "leaf": ("update evidence_leaf set sha256 = sha256('x') where kind = 'message' and ref_id = {m}", "changed: message {m}"),
    "leaf dropped": ("delete from evidence_leaf where kind = 'message' and ref_id = {m}", "inserted: message {m}"),
    "leaves swapped": ("update evidence_leaf set position = 1000 - position where kind = 'message'", "reordered: message {m}"),
    "leaf put in": ("insert into evidence_leaf values (1, 5000, 'message', 99999, 'x')", "removed: message 99999"),
    "block": ("update evidence_block set leaves = leaves + 1 where number = 1", "changed: block 1"),
    "signature": ("update evidence_block set signature = sha256('x') || sha256('y') where number = 1", "unsigned: block 1"),
    "block dropped": ("delete from evidence_block where number = 1", "removed: block 1"),
    "key": ("update evidence_key set public_key = sha256('x')", "lost: key 1"),
    "file": ("update attachment set sha256 = repeat('ab', 32)", "changed: media"),
}  # fmt: skip


@pytest.mark.parametrize("what", TAMPERINGS)
async def test_whoever_is_master_of_the_database_is_found_out(site: Site, what: str) -> None:
    _, said = await talk(site)
    await site.services.db.execute("insert into audit_event (action) values ('looked')")
    await sealed(site.services)
    await sealed(site.services)
    assert await names(site.services) == []
    db = site.services.db
    at = {
        "m": said[0], "n": said[1], "r": await db.fetchval("select min(id) from archive_record"),
        "e": await db.fetchval("select min(id) from audit_event"),
    }  # fmt: skip
    sql, name = TAMPERINGS[what]
    if what == "insert":
        await db.execute("select setval(pg_get_serial_sequence('message', 'id'), 50)")
        await site.says(await db.fetchval("select conversation_id from message limit 1"), "越过编号")
        await sealed(site.services)
        name = "inserted: message 7"
    async with superuser(site.services) as master:
        await master.execute(sql.format(**at))
    found = await names(site.services)
    assert any(one.startswith((name or "").format(**at)) for one in found), found
    report = await check_and_tell(site.services)
    assert not report.ok
    assert await db.fetchval("select count(*) from alert where kind = 'evidence.broken'") == 1


async def test_the_key_changes_within_the_chain(site: Site) -> None:
    chat, _ = await talk(site)
    services = site.services
    await sealed(services)
    admin = await site.agent("admin")
    async with services.work() as work:
        await place.wait(work)
        await keys.change_key(work, services.vault, admin, "")
    await site.says(chat, "换了钥匙")
    await sealed(services)
    rows = await services.db.fetch("select * from evidence_key order by id")
    assert rows[0]["private_key"] is None
    assert keys.signed_by(rows[0]["public_key"], rows[1]["endorsed"], rows[1]["public_key"])
    assert (await kinds(services))["key"] == 2
    assert (await check(services)).ok


async def test_a_chain_cut_short_is_missed_by_its_anchor(site: Site, tmp_path: object) -> None:
    chat, _ = await talk(site)
    services = site.services
    await sealed(services)
    services.settings = services.settings.model_copy(
        update={"evidence": services.settings.evidence.model_copy(update={"anchor": f"{tmp_path}/anchor"})}
    )
    await site.says(chat, "最后一句")
    await sealed(services)
    await anchor(services, Job(1, "evidence.anchor", "", {}, 1))
    head = await services.db.fetchval("select max(number) from evidence_block")
    async with superuser(services) as master:
        await master.execute("delete from evidence_block where number = $1", head)
        await master.execute("delete from evidence_leaf where block = $1", head)
        await master.execute("update reading_place set last_id = 0 where name like 'audit-sealing:%'")
    assert f"removed: anchored block {head} (block {head})" in await names(services)
