"""The chat archive from the platform's sealed records to conversations, through everything that may go wrong on the way."""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from audit.archive.keys import add_key
from audit.archive.opening import Opener
from scrm.app import open_services
from scrm.config import Settings
from scrm.errors import Conflict, Unprocessable
from simulator.wecom.server import WecomSimulator
from tests.adapters.wecom.archives import key_pair
from tests.audit.places import CHEN, CORP, GROUP, LIU, Archive, archive
from tests.flows.reads import broken_invariants


@pytest.fixture
async def here(settings: Settings) -> AsyncIterator[Archive]:
    async with WecomSimulator() as simulator, archive(settings, simulator) as made:
        yield made


async def conversations(here: Archive) -> list[dict[str, Any]]:
    rows = await here.services.db.fetch(
        "select a.channel, a.external_id as account, k.external_id as contact, k.customer_id is not null as customer, c.group_key, "
        "c.group_name, c.status, c.unread, c.waiting_since, c.last_seq from conversation c join account a on a.id = c.account_id "
        "left join contact k on k.id = c.contact_id order by c.id"
    )
    return [dict(row) for row in rows]


async def test_a_chat_of_an_employee_with_a_customer(here: Archive) -> None:
    here.uploads_key()
    await here.knows_key()
    here.says("在吗")
    here.says("在的，您说", sender="ZhangSan", to=CHEN)
    await here.read()
    assert await here.texts() == ["在吗", "在的，您说"]
    assert await conversations(here) == [
        {
            "channel": "wecom_member", "account": "zhangsan", "contact": CHEN, "customer": True, "group_key": "",
            "group_name": "", "status": "closed", "unread": 0, "waiting_since": None, "last_seq": 2,
        }
    ]  # fmt: skip
    rows = await here.services.db.fetch("select direction, sender_kind, sender_id, state from message order by seq")
    assert [tuple(row) for row in rows] == [
        ("in", "customer", CHEN, "received"),
        ("out", "agent", "zhangsan", "sent"),
    ]
    assert await broken_invariants(here.services.db) == []


async def test_groups_and_chats_inside_the_company_stand_once(here: Archive) -> None:
    here.uploads_key()
    await here.knows_key()
    here.says("大家好", sender="lisi", tolist=["zhangsan", CHEN, LIU], roomid=GROUP)
    here.says("收到", sender=CHEN, tolist=["lisi", "zhangsan", LIU], roomid=GROUP)
    here.says("帮我看下合同", sender="zhangsan", to="lisi")
    await here.read()
    here.says("好", sender="lisi", to="zhangsan")
    here.says("在的", sender="wangwu", tolist=["lisi", CHEN], roomid=GROUP)
    await here.read()
    found = await conversations(here)
    assert {(one["account"], one["contact"], one["group_key"], one["last_seq"]) for one in found} == {
        ("lisi", None, GROUP, 3),
        ("lisi", None, "inside:lisi,zhangsan", 2),
    }
    assert len(found) == 2
    assert await here.services.db.fetchval("select count(*) from customer") == 0


async def test_sealed_records_are_kept_before_anybody_can_read_them_and_open_when_the_key_comes(here: Archive) -> None:
    version = here.uploads_key()
    seqs = [here.says(f"第{n}句") for n in range(3)]
    await here.read()
    assert await here.states() == [("failed", "no_key")] * 3
    assert (await here.texts(), await here.cursor()) == ([], seqs[-1])
    # Another pull is not needed: the platform may have thrown them away long since.
    await here.simulator.stop()
    await here.knows_key(version)
    await here.open()
    assert await here.states() == [("done", "")] * 3
    assert await here.texts() == ["第0句", "第1句", "第2句"]


async def test_a_key_that_does_not_fit_is_replaced_and_one_in_use_is_not(here: Archive) -> None:
    here.uploads_key(1)
    await here.knows_key(1, number=2)
    here.says("在吗")
    await here.read()
    assert await here.states() == [("failed", "wrong_key")]
    await here.knows_key(1, number=1)
    await here.open()
    assert await here.states() == [("done", "")]
    with pytest.raises(Conflict):
        await here.knows_key(1, number=2)
    async with here.services.work() as work:
        for wrong in ("", "no key", key_pair(1)[1]):
            with pytest.raises(Unprocessable):
                await add_key(here.services, work, here.admin, here.connection_id, 2, wrong)
    # Nothing of a key is readable in the rows.
    stored = await here.services.db.fetchval("select private_key from archive_key")
    assert b"PRIVATE" not in stored
    assert b"PRIVATE" not in str(await here.services.db.fetch("select detail from audit_event")).encode()


async def test_recalls_find_their_message_in_both_orders(here: Archive) -> None:
    here.uploads_key()
    await here.knows_key()
    here.says("发错了", msgid="m1", sender="zhangsan", to=CHEN)
    here.says("", sender="zhangsan", to=CHEN, action="recall", msgtype="revoke", revoke={"pre_msgid": "m1"})
    here.says(
        "",
        sender=LIU,
        tolist=["lisi", CHEN],
        roomid=GROUP,
        action="recall",
        msgtype="revoke",
        revoke={"pre_msgid": "m2"},
    )
    await here.read()
    here.says("也发错了", msgid="m2", sender=LIU, tolist=["lisi", CHEN], roomid=GROUP)
    await here.read()
    rows = await here.services.db.fetch(
        "select platform_message_id, text, recalled_at is not null as recalled, recalled_by from message order by id"
    )
    assert [tuple(row) for row in rows] == [
        ("m1", "发错了", True, "agent"),
        ("m2", "也发错了", True, "customer"),
    ]
    assert await here.services.db.fetchval("select count(*) from early_recall") == 0


async def test_one_message_with_two_seqs_is_said_once(here: Archive) -> None:
    here.uploads_key()
    await here.knows_key()
    here.says("在吗", msgid="same")
    here.says("在吗", msgid="same")
    await here.read()
    assert await here.texts() == ["在吗"]
    assert await here.states() == [("done", "")] * 2


async def test_what_nobody_knows_is_kept_as_it_is_and_counted(here: Archive) -> None:
    here.uploads_key()
    await here.knows_key()
    here.says("", msgtype="solitaire", solitaire={"title": "团购接龙", "id": 2**63 + 5})
    here.says("", sender="", tolist=[], msgtype="", action="switch", user="zhangsan")
    here.simulator.control.archive_says(
        CORP, {"from": "", "tolist": None, "msgtype": 5, "text": "\u0000\ud800".encode("utf-8", "replace").decode()}
    )
    await here.read()
    rows = await here.services.db.fetch("select state, kind, known, record from archive_record order by seq")
    assert [(row["state"], row["kind"], row["known"]) for row in rows] == [
        ("done", "solitaire", False),
        ("done", "switch", True),
        ("done", "5", False),
    ]
    assert b"9223372036854775813" in rows[0]["record"]


async def test_a_record_over_which_the_library_dies(here: Archive) -> None:
    here.uploads_key()
    await here.knows_key()
    for n in range(5):
        here.says(str(n), crash=n == 2)
    await here.read()
    assert await here.texts() == ["0", "1", "3", "4"]
    assert (await here.states())[2] == ("sealed", "crash")
    for _ in range(6):
        await here.services.db.execute("update archive_record set retry_at = now() where state = 'sealed'")
        await here.open()
    assert (await here.states())[2] == ("failed", "crash")


async def test_the_library_crashes_while_pulling_and_nothing_is_lost(here: Archive) -> None:
    here.uploads_key()
    await here.knows_key()
    here.says("一")
    await here.pull()
    here.says("二")
    here.simulator.control.crash_archive_library(3)
    for _ in range(3):
        await here.pull()
        assert (await here.services.db.fetchval("select trouble ->> 'code' from archive")) == "crash"
    await here.read()
    assert await here.texts() == ["一", "二"]
    assert await here.services.db.fetchval("select trouble from archive") is None


async def test_a_process_that_dies_before_its_commit_leaves_the_cursor_with_the_rows(here: Archive) -> None:
    """The cursor and the rows are one: whichever statement fails, both stay."""
    here.uploads_key()
    await here.knows_key()
    here.says("一")
    await here.pull()
    before = await here.cursor()
    seq = here.says("二")
    db = here.services.db
    await db.execute(
        "create function die() returns trigger language plpgsql as $$ begin raise exception 'died'; end $$; "
        "create trigger die before insert on archive_record for each row execute function die()"
    )
    with pytest.raises(Exception, match="died"):
        await here.pull()
    assert await here.cursor() == before
    await db.execute("drop trigger die on archive_record; update archive set lease_until = null")
    await here.read()
    assert (await here.cursor(), await here.texts()) == (seq, ["一", "二"])


async def test_files_come_in_parts_go_on_where_they_were_and_are_checked(here: Archive) -> None:
    here.uploads_key()
    await here.knows_key()
    content = b"%PDF-1.4\x00" + os.urandom(1_300_000) + b"\x00\x00"
    told = here.simulator.control.archive_file(CORP, content)
    here.says("", msgtype="file", file={**told, "filename": "合同.pdf", "fileext": "pdf"})
    await here.read()
    here.simulator.control.add_fault("drop", "/finance/media", skip=1)
    await here.fetch()
    media = await here.services.db.fetchrow("select parts, next_index, last_error from archive_media")
    assert media is not None
    assert (media["parts"], media["next_index"]) == (1, "Range:bytes=524288-")
    asked = len(here.simulator.faults.rules())
    await here.fetch()
    assert asked == 1
    row = await here.services.db.fetchrow("select state, sha256, size, name from attachment")
    assert row is not None
    assert dict(row) == {
        "state": "stored", "sha256": hashlib.sha256(content).hexdigest(), "size": len(content), "name": "合同.pdf",
    }  # fmt: skip
    assert await here.services.db.fetchval("select count(*) from archive_media_part") == 0
    assert await here.services.db.fetchval("select count(*) from archive_media") == 0


async def test_a_file_that_differs_from_its_record_is_fetched_anew_and_then_kept_as_it_came(here: Archive) -> None:
    here.uploads_key()
    await here.knows_key()
    told = here.simulator.control.archive_file(CORP, b"x" * 1000)
    here.says("", msgtype="image", image={**told, "md5sum": "0" * 32})
    await here.read()
    await here.fetch()
    assert await here.services.db.fetchval("select last_error from archive_media") == "the checksum differs"
    await here.fetch()
    await here.fetch()
    assert await here.services.db.fetchval("select state from attachment") == "stored"


async def test_a_file_that_is_too_old_says_so(here: Archive) -> None:
    here.uploads_key()
    await here.knows_key()
    told = here.simulator.control.archive_file(CORP, b"x" * 1000)
    here.says("", msgtype="image", image=told)
    await here.read()
    here.simulator.control.advance_clock(timedelta(days=6).total_seconds())
    await here.fetch()
    row = await here.services.db.fetchrow("select state, reason from attachment")
    assert row is not None
    assert (row["state"], row["reason"]["code"]) == ("expired", "expired")


async def test_a_pause_longer_than_the_platform_keeps_is_told(here: Archive) -> None:
    here.uploads_key()
    await here.knows_key()
    here.says("早先")
    await here.read()
    await here.services.db.execute("update archive set caught_up_at = caught_up_at - interval '6 days'")
    here.says("后来")
    await here.read()
    rows = await here.services.db.fetch("select n, lost_since is not null as lost from archive_range order by id")
    assert [tuple(row) for row in rows] == [(1, False), (1, True)]


async def test_an_old_record_is_not_tried_again_at_once(here: Archive) -> None:
    """What is tried again waits from now on, however long ago it was pulled: the library is not killed in a row."""
    here.uploads_key()
    await here.knows_key()
    here.says("0", crash=True)
    await here.pull()
    await here.services.db.execute("update archive_record set pulled_at = now() - interval '3 days'")
    await here.open()
    row = await here.services.db.fetchrow("select state, attempts, retry_at > now() as waits from archive_record")
    assert row is not None
    assert tuple(row) == ("sealed", 1, True)


async def test_without_the_library_the_archive_waits_and_no_record_is_touched(settings: Settings) -> None:
    async with WecomSimulator() as simulator:
        async with archive(settings, simulator) as before:
            before.uploads_key()
            await before.knows_key()
            before.says("在吗")
            await before.pull()
            rows = "select id, xmin::text from archive_record"
            written = await before.services.db.fetch(rows)
            access = before.services.settings.model_copy(update={"archive": settings.archive})
        url = settings.database.url
        assert url is not None
        async with open_services(access, url.get_secret_value()) as without:
            opener = Opener(without)
            assert not await opener.round()
            assert not await opener.round()
            assert await without.db.fetch(rows) == written
            assert await without.db.fetchval("select opening_until > now() from archive")
