"""Connections, accounts, events, jobs and customers over HTTP."""

from __future__ import annotations

from typing import Any

from scrm.clock import ManualClock
from scrm.services import Services
from tests.http.site import START, Site, running

WECOM = {
    "provider": "wecom", "name": "企业微信",
    "settings": {"corp_id": "ww0123456789abcdef", "base_url": "http://127.0.0.1:1"},
    "secrets": {"secret": "very-secret-1", "token": "tokentoken", "encoding_aes_key": "k" * 43},
}  # fmt: skip
DOUYIN = {
    "provider": "douyin", "name": "抖音", "settings": {"client_key": "aw0123456789", "base_url": "http://127.0.0.1:1"},
    "secrets": {"client_secret": "very-secret-2"},
}  # fmt: skip


async def test_a_connection_is_added_and_its_secrets_are_never_told(site: Site) -> None:
    admin = await site.signed_in("admin")
    names = {one["name"] for one in (await admin.get("/api/providers"))["providers"]}
    assert {"wecom", "douyin"} <= names
    made = await admin.post("/api/connections", WECOM, status=201)
    assert made["webhook_path"] == f"/webhooks/wecom/{made['key']}"
    assert made["settings"]["corp_id"] == "ww0123456789abcdef"
    assert made["health"]["new_events"] == 0
    listed = await admin.get("/api/connections")
    assert [one["id"] for one in listed["connections"]] == [made["id"]]
    assert "very-secret" not in repr(listed) + repr(made)
    channels = {one["channel"] for one in (await admin.get("/api/accounts"))["channels"]}
    assert "wecom_kf" in channels
    missing = {**WECOM, "settings": {}}
    status, answer = await admin.call("POST", "/api/connections", json=missing)
    assert (status, "corp_id" in answer["fields"]) == (422, True)
    assert (await admin.call("POST", "/api/connections", json={**WECOM, "provider": "icq"}))[0] == 422
    trail = await site.services.db.fetch("select action, detail from audit_event where object_kind = 'connection'")
    assert [row["action"] for row in trail] == ["connection.created"]
    assert "very-secret" not in repr([dict(row) for row in trail])


async def test_a_connection_is_changed_paused_and_tried(site: Site) -> None:
    admin = await site.signed_in("admin")
    made = await admin.post("/api/connections", WECOM, status=201)
    path = f"/api/connections/{made['id']}"
    assert (await admin.call("PATCH", path, json={"name": "新名字"}))[1]["name"] == "新名字"
    assert (await admin.post(f"{path}/pause"))["paused"] is True
    assert (await admin.post(f"{path}/resume"))["paused"] is False
    tried = await admin.post(f"{path}/test")
    assert tried["ok"] is False
    assert tried["sentence"]["zh"]
    for act in ("pause", "resume", "test", "authorise"):
        assert (await admin.call("POST", f"/api/connections/99/{act}"))[0] == 404
    assert (await admin.call("PATCH", "/api/connections/99", json={}))[0] == 404
    assert (await admin.call("POST", f"{path}/authorise"))[0] == 409


async def test_consent_comes_back_only_to_the_session_that_asked(services: Services) -> None:
    clock = ManualClock()
    services.clock = clock
    async with running(services) as site:
        admin, other = await site.signed_in("admin"), await site.signed_in("admin")
        made = await admin.post("/api/connections", DOUYIN, status=201)
        second = await admin.post("/api/connections", {**DOUYIN, "name": "二号"}, status=201)
        state = await _state(admin, made["id"])
        back = f"/oauth/douyin/{made['key']}"
        assert (await other.call("GET", f"{back}?code=c&state={state}"))[0] == 403
        assert (await site.stranger().call("GET", f"{back}?code=c&state={state}"))[0] == 401
        for wrong in ("x", "A" * 80, state[:-2], state + "AAAA"):
            assert (await admin.call("GET", f"{back}?code=c&state={wrong}"))[0] == 400
        assert (await admin.call("GET", f"/oauth/douyin/{second['key']}?code=c&state={state}"))[0] == 400
        async with admin.http.get(f"{site.base}{back}?state={state}&errcode=1&x=y", allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (302, "/settings/connections?authorised=refused")
        clock.advance(601)
        assert (await admin.call("GET", f"{back}?code=c&state={state}"))[1]["error"] == "bad_state"


async def _state(admin: Any, connection_id: int) -> str:
    from urllib.parse import parse_qs, urlsplit

    url: str = (await admin.post(f"/api/connections/{connection_id}/authorise"))["url"]
    return parse_qs(urlsplit(url).query)["state"][0]


async def test_an_account_is_changed(site: Site) -> None:
    admin = await site.signed_in("admin")
    account = await site.account(await site.connection())
    team = await site.team("售前")
    path = f"/api/accounts/{account}"
    changed = (await admin.call("PATCH", path, json={"name": "售前咨询", "welcome_text": "您好！", "team_id": team}))[1]
    assert (changed["name"], changed["welcome_text"], changed["team_id"]) == ("售前咨询", "您好！", team)
    assert (await admin.call("PATCH", path, json={"disabled": True}))[1]["disabled"] is True
    assert (await admin.call("PATCH", path, json={"team_id": None}))[1] == {
        **changed, "team_id": None, "disabled": True,
    }  # fmt: skip
    assert (await admin.call("PATCH", path, json={"team_id": 99}))[0] == 422
    assert (await admin.call("PATCH", "/api/accounts/99", json={}))[0] == 404


async def test_events_are_listed_read_and_run_again(site: Site) -> None:
    admin = await site.signed_in("admin")
    connection, db = await site.connection(), site.services.db
    for number, state in enumerate(["done", "failed", "failed", "unrecognised", "new", "ignored", "failed"]):
        await db.execute(
            "insert into inbound_event (connection_id, source, dedupe_key, body, state, error) "
            "values ($1, 'webhook', $2, $3, $4, 'boom')",
            connection, str(number), f"第{number}个".encode() + b"\xff\x00", state,
        )  # fmt: skip
    found, cursor = [], None
    while True:
        page = await admin.get("/api/inbound-events", state="failed", limit=2, cursor=cursor)
        found += [one["id"] for one in page["events"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == [7, 3, 2]
    assert len((await admin.get("/api/inbound-events"))["events"]) == 7
    detail = await admin.get("/api/inbound-events/2")
    assert detail["body_text"] == "第1个\ufffd\x00"
    assert (await admin.call("GET", "/api/inbound-events/99"))[0] == 404
    heard: list[Any] = []
    site.services.bus.listen("inbound", heard.append)
    assert await admin.post("/api/inbound-events/rerun", {"ids": [1, 2, 4, 5, 99]}) == {"count": 2}
    assert heard == [[connection]]
    assert await admin.post("/api/inbound-events/rerun", {"state": "failed"}) == {"count": 2}
    assert [row["state"] for row in await db.fetch("select state from inbound_event order by id")] == [
        "done", "new", "new", "new", "new", "ignored", "new",
    ]  # fmt: skip
    for wrong in ({}, {"ids": [1], "state": "failed"}, {"state": "done"}):
        assert (await admin.call("POST", "/api/inbound-events/rerun", json=wrong))[0] == 422
    health = (await admin.get("/api/connections"))["connections"][0]["health"]
    assert (health["new_events"], health["failed_events"]) == (5, 0)


async def test_a_failed_job_is_tried_again(site: Site) -> None:
    admin = await site.signed_in("admin")
    job = await site.services.db.fetchval(
        "insert into job (kind, dedupe_key, state, error) values ('fetch_media', '1', 'failed', 'boom') returning id"
    )
    assert [one["id"] for one in (await admin.get("/api/jobs"))["jobs"]] == [job]
    assert (await admin.post(f"/api/jobs/{job}/retry"))["state"] == "queued"
    assert (await admin.call("POST", f"/api/jobs/{job}/retry"))[0] == 409
    assert (await admin.call("POST", "/api/jobs/99/retry"))[0] == 404
    assert (await admin.get("/api/jobs"))["jobs"] == []


async def test_the_card_of_a_customer(site: Site) -> None:
    manager, rep, marketer = [await site.signed_in(role) for role in ("manager", "rep", "marketer")]
    theirs = await site.team("他们")
    connection, db = await site.connection(), site.services.db
    open_one, their_one = await site.account(connection), await site.account(connection, team_id=theirs)
    here = await site.conversation(open_one)
    contact = await db.fetchval("select contact_id from conversation where id = $1", here)
    there = await site.conversation(their_one, contact_id=contact, last_message_at=START.replace(day=2))
    customer = await db.fetchval("select customer_id from contact where id = $1", contact)
    await db.execute("update customer set phone = '13812345678', name = '张三' where id = $1", customer)
    await db.execute(
        "insert into platform_event (inbound_event_id, connection_id, name, at, contact_id) "
        "values (1, $1, 'contact.added', now(), $2), (2, $1, 'some.news', now() - interval '1 day', $2)",
        connection, contact,
    )  # fmt: skip
    path = f"/api/customers/{customer}"
    full = await manager.get(path)
    assert full["phone"] == "13812345678"
    assert [one["id"] for one in full["conversations"]] == [there, here]
    assert [one["name"] for one in full["events"]] == ["contact.added", "some.news"]
    assert full["events"][0]["text"]["zh"] == "添加为联系人"
    assert full["contacts"][0]["connection_name"] == "企业微信"
    assert full["contacts"][0]["channel_titles"][0]["code"] == "wecom_kf"
    narrow = await rep.get(path)
    assert narrow["phone"] == "138****5678"
    assert [one["id"] for one in narrow["conversations"]] == [here]
    assert (await marketer.get(path))["conversations"] == []
    assert (await rep.call("PATCH", path, json={"phone": "138****5678"}))[0] == 422
    changed = (await rep.call("PATCH", path, json={"phone": "13900001111", "remark": "VIP"}))[1]
    assert (changed["phone"], changed["remark"], changed["name"]) == ("139****1111", "VIP", "张三")
    assert (await marketer.call("PATCH", path, json={"remark": "x"}))[0] == 403
    trail = await db.fetchrow("select agent_id, detail from audit_event where action = 'customer.changed'")
    assert trail is not None
    assert trail["detail"] == {"fields": ["phone", "remark"]}


async def test_a_customer_who_was_merged_is_found_by_both_ids(site: Site) -> None:
    manager, db = await site.signed_in("manager"), site.services.db
    ids = [await db.fetchval("insert into customer (name) values ($1) returning id", f"{n}") for n in range(3)]
    await db.execute("update customer set merged_into = $2 where id = $1", ids[0], ids[1])
    await db.execute("update customer set merged_into = $2 where id = $1", ids[1], ids[2])
    assert (await manager.get(f"/api/customers/{ids[0]}"))["id"] == ids[2]
