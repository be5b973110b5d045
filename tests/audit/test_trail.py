"""The trail: what is only read leaves its line, reasons are asked for where the company wants it, and nobody takes a line back."""

from __future__ import annotations

import csv
import io
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg
import pytest

from audit.trail.keeper import TrailKeeper
from audit.watermark import html_style, svg
from inbox.others import OPENED, SEARCHED
from scrm.http import Route
from scrm.privacy import ACTS
from scrm.route_table import routes
from scrm.services import Services
from tests.http.site import Browser, Site, running

ROLE_SQL = Path(__file__).parents[2] / "deploy" / "service-role.sql"


@pytest.fixture
async def site(services: Services) -> AsyncIterator[Site]:
    async with running(services) as made:
        yield made


@pytest.fixture
def keeper(services: Services) -> TrailKeeper:
    made = TrailKeeper(services)
    services.news.take(OPENED, made.open)
    services.news.take(SEARCHED, made.search)
    return made


async def lines(site: Site, action: str) -> list[tuple[int, int | None, Any]]:
    rows = await site.services.db.fetch(
        "select agent_id, object_id, detail from audit_event where action = $1 order by id", action
    )
    return [(row["agent_id"], row["object_id"], row["detail"]) for row in rows]


def me(browser: Browser) -> int:
    return int(browser.me["agent"]["id"])


async def wants(site: Site, *acts: str, minutes: int = 60) -> None:
    admin = await site.signed_in("admin")
    await admin.post("/api/settings/privacy", {"reasons": list(acts), "minutes": minutes, "watermark": []})


async def test_opening_a_chat_of_somebody_else_leaves_one_line(site: Site, keeper: TrailKeeper) -> None:
    rep, other, manager = await site.signed_in("rep"), await site.signed_in("rep"), await site.signed_in("manager")
    connection = await site.connection()
    account = await site.account(connection)
    theirs, free = await site.conversation(account, assignee_id=me(other)), await site.conversation(account)
    helped = await site.conversation(account, assignee_id=me(other), collaborators=[me(rep)])
    held = await site.conversation(await site.account(connection, channel="wecom_member"))
    for browser in (rep, manager, rep):
        for chat in (theirs, free):
            await browser.get(f"/api/conversations/{chat}/messages")
    await rep.get(f"/api/conversations/{helped}/messages")
    await other.get(f"/api/conversations/{theirs}/messages")
    await manager.get(f"/api/conversations/{held}/changes?since=0")
    assert await lines(site, "conversation.viewed") == []
    await keeper.write()
    assert sorted(one[:2] for one in await lines(site, "conversation.viewed")) == sorted(
        [(me(rep), theirs), (me(manager), theirs), (me(manager), held)]
    )
    # The same look again, also by another process that remembers nothing.
    await TrailKeeper(site.services).write()
    again = TrailKeeper(site.services)
    site.services.news.take(OPENED, again.open)
    await rep.get(f"/api/conversations/{theirs}/messages")
    await again.write()
    assert len(await lines(site, "conversation.viewed")) == 3
    # An employee's own chats are their own.
    await site.services.db.execute(
        "insert into agent_identity (agent_id, connection_id, external_id) select $1, connection_id, external_id from account "
        "where id = (select account_id from conversation where id = $2)", me(rep), held,
    )  # fmt: skip
    await rep.get(f"/api/conversations/{held}/messages")
    await keeper.write()
    assert len(await lines(site, "conversation.viewed")) == 3


async def test_an_orderly_stop_writes_what_is_left(site: Site) -> None:
    auditor, rep = await site.signed_in("auditor"), await site.signed_in("rep")
    chat = await site.conversation(await site.account(await site.connection()), assignee_id=me(rep))
    keeper = TrailKeeper(site.services)
    life = keeper.running(None)  # type: ignore[arg-type]
    await anext(life)
    await auditor.get(f"/api/conversations/{chat}/messages")
    await auditor.get("/api/search/messages", q="转")
    await auditor.get("/api/search/messages", q="转账")
    await auditor.get("/api/search/messages", q="发票")
    with pytest.raises(StopAsyncIteration):
        await anext(life)
    assert [one[:2] for one in await lines(site, "conversation.viewed")] == [(me(auditor), chat)]
    assert [one[2]["q"] for one in await lines(site, "message.searched")] == ["转账", "发票"]


async def test_the_database_away_loses_no_view(site: Site, keeper: TrailKeeper, monkeypatch: Any) -> None:
    auditor, rep = await site.signed_in("auditor"), await site.signed_in("rep")
    chat = await site.conversation(await site.account(await site.connection()), assignee_id=me(rep))
    await auditor.get(f"/api/conversations/{chat}/messages")
    with monkeypatch.context() as broken:
        broken.setattr("audit.trail.keeper.LOOKED", "select 1 / 0, $1, $2, $3, $4, $5")
        with pytest.raises(asyncpg.PostgresError):
            await keeper.write()
    await keeper.write()
    assert len(await lines(site, "conversation.viewed")) == 1


async def test_a_chat_of_somebody_else_asks_why_and_once(site: Site) -> None:
    manager, rep = await site.signed_in("manager"), await site.signed_in("rep")
    chat = await site.conversation(await site.account(await site.connection()), assignee_id=me(rep))
    path = f"/api/conversations/{chat}/messages"
    await manager.get(path)
    await wants(site, "chats")
    status, body = await manager.call("GET", path)
    assert (status, body["error"], body["fields"]) == (403, "reason_needed", {"act": "chats", "object_id": str(chat)})
    for other in (f"/api/conversations/{chat}/changes?since=0",):
        assert (await manager.call("GET", other))[1]["error"] == "reason_needed"
    look = {"json": {"conversation_id": chat}}
    assert (await manager.call("POST", "/api/audit/views", **look))[1]["error"] == "reason_needed"
    assert (await rep.call("GET", path))[0] == 200
    assert (await manager.get("/api/reasons", act="chats", object_id=chat))["needed"] is True
    await manager.post("/api/reasons", {"act": "chats", "object_id": chat, "reason": "客户投诉，核对承诺"})
    assert (await manager.get("/api/reasons", act="chats", object_id=chat))["needed"] is False
    await manager.get(path)
    assert (await manager.call("POST", "/api/audit/views", **look))[0] == 200
    assert await lines(site, "reason.given") == [(me(manager), chat, {"act": "chats", "why": "客户投诉，核对承诺"})]
    await site.services.db.execute("update reason_given set until = now() - interval '1 second'")
    assert (await manager.call("GET", path))[1]["error"] == "reason_needed"
    # A program says it with the request.
    assert (await manager.call("GET", path, headers={"X-Reason": quote("季度抽查")}))[0] == 200
    assert (await manager.call("GET", path))[0] == 200
    assert (await lines(site, "reason.given"))[-1][2]["why"] == "季度抽查"


def asks(table: list[Route], act: str) -> list[Route]:
    return [route for route in table if route.reason == act]


@pytest.mark.parametrize("act", [one for one in ACTS if one != "chats"])
async def test_every_route_of_an_act_asks_why(site: Site, act: str) -> None:
    await wants(site, *ACTS)
    admin = await site.signed_in("admin")
    for route in asks(site.table, act):
        path = route.path
        for name in [part[1:-1] for part in path.split("/") if part.startswith("{")]:
            path = path.replace(f"{{{name}}}", "987654321")
        options: dict[str, Any] = {"json": {}} if route.method == "POST" else {}
        status, body = await admin.call(route.method, path, **options)
        # 422: the question itself was not understood, and nothing looked up.
        assert (status, body["error"]) == (403, "reason_needed") or status == 422, (route.path, status, body)


def test_whatever_leaves_the_house_may_ask_why() -> None:
    leaves = ("/export", "/csv", "/xlsx", "/reveal", "/api/customer-exports")
    harmless = {"/api/quick-replies/export", "/api/customer-exports/{export_id}/file"}
    for route in routes():
        makes = route.method == "POST" or route.binary
        if makes and route.path.endswith(leaves) and route.path not in harmless:
            assert route.reason is not None, route.path


async def test_who_reads_the_trail_is_in_it(site: Site) -> None:
    auditor = await site.signed_in("auditor")
    await auditor.get("/api/trail", action="session")
    await auditor.get("/api/trail", action="session")
    await auditor.get("/api/trail", q="x")
    assert [one[2] for one in await lines(site, "trail.read")] == [{"action": "session"}, {"q": "x"}]
    found = await auditor.get("/api/trail", action="trail")
    assert {line["action"] for line in found["lines"]} == {"trail.read"}
    assert (await auditor.get("/api/trail", address="127.0.0"))["lines"]
    assert not (await auditor.get("/api/trail", address="10."))["lines"]
    assert [line["detail"] for line in (await auditor.get("/api/trail", q='"action": "SESSION'))["lines"]] == [
        {"action": "session"}
    ]


async def test_the_trail_as_a_sheet_is_marked_and_leaves_a_line(site: Site) -> None:
    auditor = await site.signed_in("auditor")
    for number in range(450):
        await site.services.db.execute(
            "insert into audit_event (agent_id, action, detail) values ($1, 'label.changed', $2)", me(auditor),
            {"name": "=1+1", "n": number},
        )  # fmt: skip
    status, body = await auditor.call("GET", "/api/trail/export?action=label")
    assert status == 200
    rows = list(csv.reader(io.StringIO(body.decode("utf-8-sig"))))
    assert len(rows) == 452
    assert rows[-1][0].startswith("# ")
    assert auditor.me["agent"]["name"] in rows[-1][0]
    assert [one[2] for one in await lines(site, "trail.exported")] == [{"action": "label", "format": "csv"}]
    status, body = await auditor.call("GET", "/api/trail/export?action=label&format=xlsx")
    assert (status, body[:2]) == (200, b"PK")
    assert (await (await site.signed_in("manager")).call("GET", "/api/trail/export"))[0] == 403


async def tried(site: Site, *statements: str) -> None:
    async with site.services.db.transaction() as tx:
        for one in statements:
            await tx.execute(one)


@pytest.mark.parametrize(
    "attempt",
    [
        "update audit_event set action = 'nothing'",
        "delete from audit_event",
        "truncate audit_event",
        "truncate audit_event, agent cascade",
        "insert into audit_event (id, action) overriding system value values (1, 'x') on conflict (id) do update set action = 'x'",
        "set local session_replication_role = replica; delete from audit_event",
        "delete from agent",
    ],
)
async def test_nobody_takes_a_line_back(site: Site, attempt: str) -> None:
    await site.signed_in("auditor")
    before = await site.services.db.fetch("select * from audit_event order by id")
    assert before
    with pytest.raises(asyncpg.PostgresError):
        await tried(site, *attempt.split("; "))
    assert await site.services.db.fetch("select * from audit_event order by id") == before


async def test_a_service_with_a_role_of_its_own_cannot_even_let_go_of_the_lock(site: Site) -> None:
    await site.signed_in("auditor")
    role, database = f"svc_{secrets.token_hex(4)}", site.services.db
    script = ROLE_SQL.read_text().replace(":service", role).replace(":password", "'secret-of-the-test'")
    await database.execute(script)
    try:
        async with database.transaction() as tx:
            await tx.execute(f"set local role {role}")
            await tx.execute("insert into audit_event (action) values ('test.done')")
            await tx.execute("update customer set name = name")
        for attempt in (
            "update audit_event set action = 'x'",
            "delete from audit_event",
            "truncate audit_event",
            "alter table audit_event disable trigger audit_event_append_only",
            "drop trigger audit_event_append_only on audit_event",
            "drop table audit_event",
            "set local session_replication_role = replica",
            "create or replace function refuse_change() returns trigger language plpgsql as $$ begin return null; end $$",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await tried(site, f"set local role {role}", attempt)
    finally:
        await database.execute(f"drop owned by {role}; drop role {role}")


def test_the_mark_is_harmless_in_a_page() -> None:
    mark = "青禾 · <b>王琳</b> & co · 2026-11-28 22:01"
    assert "<b>" not in svg(mark)
    assert "&lt;b&gt;" in svg(mark)
    assert '"' not in html_style(mark).split("utf8,")[1].split('")')[0]
