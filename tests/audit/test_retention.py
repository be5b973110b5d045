"""Retention: holds beat everything, what was begun is finished after a kill, no file in use goes, and a report adds up."""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.retention import burying, erasing, removing
from audit.retention.collector import NEVER_NAMES_FILES, WAIT, Collector
from scrm.services import Services
from tests.http.site import Browser, Site, running

NOW = datetime.now(UTC)
OLD = NOW - timedelta(days=400)


@pytest.fixture
async def site(services: Services) -> AsyncIterator[Site]:
    async with running(services) as made:
        yield made


async def passed(site: Site) -> None:
    """A whole pass of every rule."""
    await site.services.db.execute("update retention_rule set due_at = now() - interval '1 second'")
    while await removing.round_of(site.services):
        pass


async def all_rounds(site: Site) -> None:
    while await removing.round_of(site.services):
        pass


async def rule(admin: Browser, kind: str = "messages", days: int = 365, channel: str = "", **more: Any) -> Any:
    body = {"kind": kind, "channel": channel, "days": days, "enabled": True, "confirm": str(days), **more}
    return await admin.post("/api/audit/retention/rules", body)


async def hold(admin: Browser, kind: str, object_id: int | None = None, **more: Any) -> int:
    body = {
        "kind": kind,
        "object_id": object_id,
        "reason": "诉讼保全",
        "client_token": f"token-{kind}-{object_id}-{more}"[:64],
        **more,
    }
    return int((await admin.post("/api/audit/holds", body, status=201))["id"])


async def texts(site: Site, *conversations: int) -> dict[int, list[str]]:
    rows = await site.services.db.fetch(
        "select conversation_id, text from message where conversation_id = any($1) order by conversation_id, seq", list(conversations)
    )  # fmt: skip
    found: dict[int, list[str]] = {one: [] for one in conversations}
    for row in rows:
        found[row["conversation_id"]].append(row["text"])
    return found


async def a_file(site: Site, message: int, data: bytes, age: timedelta = timedelta(days=2)) -> str:
    sha256 = await site.services.blobs.put_bytes(data)
    await site.services.db.execute(
        "insert into blob (sha256, size, mime, stored_at) values ($1, $2, 'image/png', now() - $3::interval) on conflict do nothing",
        sha256, len(data), age,
    )  # fmt: skip
    await site.services.db.execute(
        "insert into attachment (message_id, kind, state, sha256, name, size) values ($1, 'image', 'stored', $2, '合同.png', $3)",
        message, sha256, len(data),
    )  # fmt: skip
    return sha256


async def there(site: Site, sha256: str) -> bool:
    try:
        await site.services.blobs.read(sha256)
    except FileNotFoundError:
        return False
    return True


async def test_a_rule_empties_what_is_old_and_says_so(site: Site) -> None:
    admin, rep = await site.signed_in("admin"), await site.signed_in("rep")
    connection = await site.connection()
    chat = await site.conversation(await site.account(connection))
    other = await site.conversation(await site.account(connection, channel="wecom_member"))
    await site.says(chat, "旧的，手机 13812345678", sent_at=OLD, content={"title": "x"})
    await site.says(chat, "新的")
    await site.says(other, "旧的，另一渠道", sent_at=OLD)
    await a_file(site, await site.says(chat, "旧图", sent_at=OLD), b"picture")
    before = await admin.get("/api/audit/retention/preview", kind="messages", days=365, channel="wecom_kf")
    assert (before["goes"], before["stays"], before["files"], before["bytes"]) == (2, 0, 1, 7)
    body = {"kind": "messages", "channel": "wecom_kf", "days": 365, "enabled": True, "confirm": "36"}
    assert (await admin.call("POST", "/api/audit/retention/rules", json=body))[0] == 422
    await rule(admin, channel="wecom_kf")
    await passed(site)
    assert await texts(site, chat, other) == {chat: ["", "新的", ""], other: ["旧的，另一渠道"]}
    page = await rep.get(f"/api/conversations/{chat}/messages")
    assert [(one["seq"], one["removed_for"], one["content"]) for one in page["messages"]] == [
        (1, "retention", {}), (2, None, {}), (3, "retention", {}),
    ]  # fmt: skip
    assert page["messages"][2]["attachments"][0]["state"] == "expired"
    assert not (await rep.get("/api/search/messages", q="手机"))["hits"]
    (made,) = (await admin.get("/api/audit/retention"))["rules"]
    assert (made["removed"], made["kept"], made["passing"]) == (2, 0, False)
    assert await site.services.db.fetchval("select count(*) from removal where kind = 'message'") == 2
    assert (await admin.get("/api/audit/retention/preview", kind="messages", days=365, channel="wecom_kf"))["goes"] == 0


async def test_files_alone_go_and_the_words_stay(site: Site) -> None:
    admin = await site.signed_in("admin")
    chat = await site.conversation(await site.account(await site.connection()))
    sha256 = await a_file(site, await site.says(chat, "看图", sent_at=OLD), b"picture")
    await rule(admin, "media")
    await passed(site)
    assert await texts(site, chat) == {chat: ["看图"]}
    assert await site.services.db.fetchval("select state from attachment where message_id is not null") == "expired"
    assert await site.services.db.fetchval("select encode(digest, 'hex') from removal where kind = 'media'") == sha256


async def test_every_kind_of_hold_beats_rules_and_erasure(site: Site) -> None:
    admin = await site.signed_in("admin")
    connection = await site.connection()
    account = await site.account(connection)
    staff = await site.agent("rep")
    member = await site.account(connection, channel="wecom_member")
    await site.services.db.execute(
        "insert into agent_identity (agent_id, connection_id, external_id) select $1, connection_id, external_id from account where id = $2",
        staff, member,
    )  # fmt: skip
    chats = [await site.conversation(account) for _ in range(4)] + [await site.conversation(member)]
    for chat in chats:
        await site.says(chat, "旧", sent_at=OLD)
    await site.says(chats[3], "期间内", sent_at=OLD + timedelta(days=10))
    customer = await site.services.db.fetchval(
        "select customer_id from contact where id = (select contact_id from conversation where id = $1)", chats[0]
    )
    held = [
        await hold(admin, "customer", customer),
        await hold(admin, "conversation", chats[1]),
        await hold(admin, "employee", staff),
        await hold(
            admin, "period", since=(OLD + timedelta(days=9)).isoformat(), until=(OLD + timedelta(days=11)).isoformat()
        ),
    ]
    await rule(admin)
    await passed(site)
    kept = {chats[0]: ["旧"], chats[1]: ["旧"], chats[2]: [""], chats[3]: ["", "期间内"], chats[4]: ["旧"]}
    assert await texts(site, *chats) == kept
    assert (await admin.get("/api/audit/retention"))["rules"][0]["kept"] == 4
    # Nor does anything that deletes rows.
    for chat in (chats[0], chats[1], chats[3], chats[4]):
        for table, where in (
            ("conversation", "id"),
            ("contact", "id = (select contact_id from conversation where id = $1) and 0 <"),
        ):
            if table == "contact" and chat != chats[0]:
                continue
            with pytest.raises(asyncpg.PostgresError) as refused:
                await site.services.db.execute(
                    f"delete from {table} where {where} {'$1' if table == 'contact' else '= $1'}", chat
                )
            assert refused.value.sqlstate == "SC001"
    await site.services.db.execute("update customer set deleted_at = now() where id = $1", customer)
    status, body = await admin.call("POST", "/api/customers/purge", json={"ids": [customer], "confirm": "1"})
    assert (status, body["error"]) == (409, "held")
    # Lifted, they go.
    for one in held:
        await admin.post(f"/api/audit/holds/{one}/lift", {"reason": "结案"})
    assert (await admin.call("POST", f"/api/audit/holds/{held[0]}/lift", json={"reason": "结案"}))[0] == 409
    await passed(site)
    assert {text for one in (await texts(site, *chats)).values() for text in one} == {""}
    assert (await admin.call("POST", "/api/customers/purge", json={"ids": [customer], "confirm": "1"}))[0] == 200


DAYS = st.integers(0, 20)
HOLDS = st.lists(
    st.tuples(st.sampled_from(["customer", "conversation", "employee", "period"]), st.integers(0, 1), DAYS, DAYS, st.booleans(), st.booleans()),
    max_size=4,
)  # fmt: skip


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    holds=HOLDS,
    rules=st.lists(st.tuples(st.sampled_from(["", "wecom_kf", "wecom_member"]), st.integers(30, 60)), max_size=3),
    erased=st.booleans(),
)
async def test_nothing_held_is_ever_removed(site: Site, holds: Any, rules: Any, erased: bool) -> None:
    db = site.services.db
    await db.execute(
        "delete from legal_hold; delete from retention_rule; delete from erasure; delete from conversation; delete from removal"
    )
    connection = await db.fetchval("select id from connection") or await site.connection()
    staff = [await site.agent("rep") for _ in range(2)]
    chats = []
    for number, channel in enumerate(("wecom_kf", "wecom_member")):
        account = await site.account(connection, channel=channel)
        chats.append(await site.conversation(account, assignee_id=staff[number]))
        for day in range(0, 21, 4):
            await site.says(chats[-1], f"第 {day} 天", sent_at=NOW - timedelta(days=30 + day, hours=1))
    customers = [
        await db.fetchval("select k.customer_id from conversation c join contact k on k.id = c.contact_id where c.id = $1", one) for one in chats
    ]  # fmt: skip
    expected: set[tuple[int, int]] = set()
    for kind, which, first, last, bounded, lifted in holds:
        since = NOW - timedelta(days=30 + max(first, last), hours=2) if bounded or kind == "period" else None
        until = NOW - timedelta(days=30 + min(first, last)) if bounded or kind == "period" else None
        of = {"customer": customers[which], "conversation": chats[which], "employee": staff[which], "period": None}[
            kind
        ]
        await db.execute(
            "insert into legal_hold (kind, customer_id, conversation_id, agent_id, since, until, reason, placed_at, lifted_at, client_token) "
            "values ($1, $2, $3, $4, $5, $6, 'x', now(), $7, gen_random_uuid()::text)",
            kind, of if kind == "customer" else None, of if kind == "conversation" else None, of if kind == "employee" else None,
            since, until, NOW if lifted else None,
        )  # fmt: skip
        if lifted:
            continue
        for chat in chats if kind == "period" else [chats[which]]:
            for seq, day in enumerate(range(0, 21, 4), 1):
                at = NOW - timedelta(days=30 + day, hours=1)
                if (since is None or at >= since) and (until is None or at < until):
                    expected.add((chat, seq))
    for channel, days in rules:
        await db.execute(
            "insert into retention_rule (kind, channel, days, enabled, due_at, updated_at) values ('messages', $1, $2, true, now(), now()) "
            "on conflict (kind, channel) do nothing", channel, days,
        )  # fmt: skip
    if erased:
        await db.execute(
            "insert into erasure (customer_id, state, reason, asked_at, report, client_token) values ($1, 'running', 'x', now(), $2, gen_random_uuid()::text)",
            customers[0], {"found": {}, "removed": {}, "stays": []},
        )  # fmt: skip
    while await removing.round_of(site.services) or await erasing.round_of(site.services):
        pass
    left = await db.fetch(
        "select conversation_id, seq from message where removed_at is null and conversation_id = any($1)", chats
    )
    assert expected <= {(row["conversation_id"], row["seq"]) for row in left}
    assert await db.fetchval("select count(*) from message where (removed_at is not null) <> (text = '')") == 0


@pytest.mark.parametrize(
    "line", ["DIGEST_MESSAGES", "EMPTY_MEDIA", "EMPTY_MESSAGES", "DIGEST_RECORDS", "MOVE", "PASSED"]
)
async def test_killed_on_any_line_it_goes_on(site: Site, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    admin = await site.signed_in("admin")
    account = await site.account(await site.connection())
    chats = [await site.conversation(account) for _ in range(3)]
    for chat in chats:
        for number in range(4):
            await a_file(site, await site.says(chat, f"旧 {number}", sent_at=OLD), f"{chat}-{number}".encode())
    await rule(admin)
    monkeypatch.setattr(removing, "AT_ONCE", 5)
    await removing.round_of(site.services)
    module = removing if line in ("MOVE", "PASSED") else burying
    with monkeypatch.context() as killed:
        killed.setattr(module, line, "select 1 / 0")
        if line == "DIGEST_RECORDS":
            killed.setattr(burying, "RECORDS_OF", "select 1 / 0 as id, $1::bigint[]")
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
            await all_rounds(site)
    done = await site.services.db.fetchval("select count(*) from message where removed_at is not null")
    assert done == await site.services.db.fetchval("select count(*) from removal where kind = 'message'")
    while await removing.round_of(site.services):
        pass
    assert await texts(site, *chats) == {chat: [""] * 4 for chat in chats}
    assert await site.services.db.fetchval("select removed from retention_rule") == 12
    assert await site.services.db.fetchval("select count(*) from removal where kind = 'media'") == 12


async def test_the_collector_removes_what_nobody_names_and_nothing_else(site: Site) -> None:
    admin = await site.signed_in("admin")
    chat = await site.conversation(await site.account(await site.connection()))
    shared = await a_file(site, await site.says(chat, "旧", sent_at=OLD), b"shared")
    await a_file(site, await site.says(chat, "新"), b"shared")
    alone = await a_file(site, await site.says(chat, "旧", sent_at=OLD), b"alone")
    quick = await a_file(site, await site.says(chat, "旧", sent_at=OLD), b"in a quick reply")
    young = await a_file(site, await site.says(chat, "旧", sent_at=OLD), b"young", age=timedelta(hours=1))
    again = await a_file(site, await site.says(chat, "旧", sent_at=OLD), b"again")
    await site.services.db.execute(
        "insert into macro (name, reach, owner_id, actions, created_at, updated_at) values ('m', 'personal', $1, $2, now(), now())", admin.me["agent"]["id"], [{"kind": "send", "file": quick}]
    )  # fmt: skip
    await rule(admin)
    await passed(site)
    collector, now = Collector(site.services), site.services.clock.now()
    while await collector.look(now):
        pass
    await collector.remove(now)
    for one in (shared, alone, quick, young, again):
        assert await there(site, one)
    # In between somebody stores the same bytes, and somebody else refers to a file that was to go.
    await a_file(site, await site.says(chat, "又来"), b"again")
    later = now + WAIT + timedelta(seconds=1)
    assert await collector.remove(later)
    assert [await there(site, one) for one in (shared, alone, quick, young, again)] == [True, False, True, True, True]
    assert await site.services.db.fetchval("select count(*) from blob where sha256 = $1", alone) == 0
    # While the bytes go nobody may write down that they are there.
    with pytest.raises(asyncpg.InsufficientResourcesError):
        await site.services.db.execute(
            "insert into blob (sha256, size, mime) values ($1, 5, 'x/y') on conflict do nothing", alone
        )
    await collector.remove(site.services.clock.now() + timedelta(hours=3))
    await site.services.db.execute(
        "insert into blob (sha256, size, mime) values ($1, 5, 'x/y') on conflict do nothing", alone
    )


async def test_documents_that_may_name_a_file_are_known(site: Site) -> None:
    """Whoever adds one that is not looked at says that no file is in it; all others are looked at without being named."""
    tables = {
        row["table_name"]
        for row in await site.services.db.fetch(
            "select table_name from information_schema.tables where table_schema = 'public'"
        )
    }
    assert tables >= NEVER_NAMES_FILES


PAID = """
insert into payment (connection_id, source, reference, kind, direction, amount_fen, channel, contact_ref, note, at, seen_at)
select k.connection_id, 'bill', 'b1', 'collected', 'in', 20000, 'wecom_kf', k.external_id, '定金', now(), now()
from conversation c join contact k on k.id = c.contact_id where c.id = $1
"""


async def test_a_person_is_erased_and_the_report_adds_up(site: Site) -> None:
    admin = await site.signed_in("admin")
    account = await site.account(await site.connection())
    chat, other = await site.conversation(account), await site.conversation(account)
    for number in range(5):
        await site.says(chat, f"消息 {number}")
    await a_file(site, await site.says(chat, "图"), b"mine")
    await site.says(other, "别人的")
    customer = await site.services.db.fetchval(
        "select customer_id from contact where id = (select contact_id from conversation where id = $1)", chat
    )
    await admin.get(f"/api/customers/{customer}")
    await site.services.db.execute(PAID, chat)
    body = {"customer_id": customer, "reason": "本人申请", "client_token": "erase-me-1"}
    made = await admin.post("/api/audit/erasures", body, status=201)
    assert (await admin.post("/api/audit/erasures", body, status=201))["id"] == made["id"]
    assert (made["state"], made["report"]["found"]["messages"], made["report"]["found"]["files"]) == ("planned", 6, 1)
    path = f"/api/audit/erasures/{made['id']}"
    assert (await admin.call("POST", f"{path}/confirm", json={"confirm": "nobody"}))[0] == 422
    assert await texts(site, chat) == {chat: ["消息 0", "消息 1", "消息 2", "消息 3", "消息 4", "图"]}
    await admin.post(f"{path}/confirm", {"confirm": str(customer)})
    assert (await admin.call("POST", f"{path}/cancel"))[0] == 409
    while await erasing.round_of(site.services):
        pass
    done = await admin.get(path)
    assert [one["id"] for one in (await admin.get("/api/audit/erasures"))["erasures"]] == [made["id"]]
    report = done["report"]
    assert done["state"] == "done"
    assert report["removed"]["messages"] == report["found"]["messages"]
    assert report["removed"]["files"] == report["found"]["files"]
    assert {"what": "digests", "n": 7, "why": "chain"} in report["stays"]
    assert {"what": "payments", "n": 1, "why": "law"} in report["stays"]
    assert [tuple(row) for row in await site.services.db.fetch("select amount_fen, note from payment")] == [(20000, "")]
    assert not [one for one in report["stays"] if one["why"] == "hold"]
    assert (await admin.call("GET", f"/api/customers/{customer}"))[0] == 404
    assert await texts(site, other) == {other: ["别人的"]}
    assert await site.services.db.fetchval("select count(*) from contact where customer_id = $1", customer) == 0


async def test_what_is_held_stays_and_the_report_says_why(site: Site) -> None:
    admin = await site.signed_in("admin")
    chat = await site.conversation(await site.account(await site.connection()))
    for number in range(4):
        await site.says(chat, f"消息 {number}", sent_at=NOW - timedelta(days=number * 10))
    customer = await site.services.db.fetchval(
        "select customer_id from contact where id = (select contact_id from conversation where id = $1)", chat
    )
    await hold(
        admin, "period", since=(NOW - timedelta(days=15)).isoformat(), until=(NOW - timedelta(days=5)).isoformat()
    )
    made = await admin.post(
        "/api/audit/erasures", {"customer_id": customer, "reason": "本人申请", "client_token": "erase-me-2"}, status=201
    )
    await admin.post(f"/api/audit/erasures/{made['id']}/confirm", {"confirm": str(customer)})
    while await erasing.round_of(site.services):
        pass
    report = (await admin.get(f"/api/audit/erasures/{made['id']}"))["report"]
    held = {one["what"]: one["n"] for one in report["stays"] if one["why"] == "hold"}
    assert (report["removed"]["messages"], held["messages"]) == (3, 1)
    assert report["removed"]["messages"] + held["messages"] == report["found"]["messages"]
    assert await texts(site, chat) == {chat: ["", "消息 1", "", ""]}
    assert (await admin.call("GET", f"/api/customers/{customer}"))[0] == 200


async def test_the_package_of_a_person(site: Site) -> None:
    admin = await site.signed_in("admin")
    chat = await site.conversation(await site.account(await site.connection()))
    await a_file(site, await site.says(chat, "<b>合同</b>"), b"the picture")
    await site.says(chat, "内部备注", direction="note")
    customer = await site.services.db.fetchval(
        "select customer_id from contact where id = (select contact_id from conversation where id = $1)", chat
    )
    status, body = await admin.call("GET", f"/api/audit/people/{customer}/export")
    assert status == 200
    bundle = zipfile.ZipFile(io.BytesIO(body))
    data = orjson.loads(bundle.read("data.json"))
    (message,) = data["messages"]
    assert message["text"] == "<b>合同</b>"
    assert bundle.read(message["files"][0]) == b"the picture"
    page = bundle.read("index.html").decode()
    assert "&lt;b&gt;合同" in page
    assert "内部备注" not in page
    assert admin.me["agent"]["name"] in page
    assert await site.services.db.fetchval("select count(*) from audit_event where action = 'person.exported'") == 1


async def test_retention_is_for_who_sees_everything(site: Site) -> None:
    admin = await site.signed_in("admin")
    key = (
        await admin.post(
            "/api/roles",
            {
                "name": "组内",
                "permissions": ["audit.read", "audit.retention", "customers.read", "inbox.read"],
                "reach": "team",
            },
            status=201,
        )
    )["key"]
    agent = await site.agent("rep")
    await admin.call("PATCH", f"/api/agents/{agent}", json={"role": key})
    browser = await site.sign_in(agent)
    for path in ("/api/audit/retention", "/api/audit/holds", "/api/audit/erasures"):
        status, body = await browser.call("GET", path)
        assert (status, body["error"]) == (403, "beyond_you")
