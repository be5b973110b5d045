"""Phone numbers: masked in the API, on the socket, in search and in notices; one look in full leaves a line in the trail."""

from __future__ import annotations

from typing import Any

import pytest

from scrm.masking import masked, masked_content
from tests.http.site import Site, eventually

NUMBER, SHOWN = "13812345678", "138****5678"
CARD = {
    "card_id": "c1", "status": "filled",
    "fields": [{"label": "姓名", "value": "李雷"}, {"label": "手机号", "value": NUMBER}, {"label": "数量", "value": "2"}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("phone", "shown"),
    [(NUMBER, SHOWN), ("+86 138 1234 5678", "+86**********5678"), ("5551234", "55***34"), ("12345", "*****"), ("", "")],
)
def test_enough_to_recognise_not_to_dial(phone: str, shown: str) -> None:
    assert masked(phone) == shown


def test_only_what_is_a_number_is_hidden() -> None:
    assert masked_content(CARD)["fields"] == [
        {"label": "姓名", "value": "李雷"}, {"label": "手机号", "value": SHOWN, "masked": True}, {"label": "数量", "value": "2"},
    ]  # fmt: skip
    plain = {"fields": [{"label": "预算", "value": "3000"}], "title": "13812345678 号楼"}
    assert masked_content(plain) is plain
    # Labelled otherwise, and deeper down.
    deep = {"messages": [{"content": {"fields": [{"label": "微信", "value": f" {NUMBER} "}], "phone": NUMBER}}]}
    assert NUMBER not in repr(masked_content(deep))
    assert NUMBER in repr(deep)


async def card_in(site: Site) -> tuple[int, int]:
    conversation = await site.conversation(await site.account(await site.connection()))
    message = await site.says(conversation, "[留资卡片] 已填写：姓名、手机号", kind="lead_card", content=CARD)
    await site.services.db.execute("update customer set phone = $1", NUMBER)
    return conversation, message


async def everything_told(site: Site, browser: Any, conversation: int) -> str:
    """All that somebody is told about a conversation and its customer over HTTP."""
    told: list[Any] = []
    customer = await site.services.db.fetchval("select customer_id from contact limit 1")
    for path in (
        f"/api/conversations/{conversation}", f"/api/conversations/{conversation}/messages",
        f"/api/conversations/{conversation}/changes?since=0", "/api/conversations", f"/api/customers/{customer}",
        f"/api/customers/{customer}/trail", "/api/notifications", "/api/search/messages?q=手机号",
        "/api/search/people?q=客户", f"/api/search/people?q={NUMBER}", f"/api/search/messages?q={NUMBER}",
        f"/api/conversations/{conversation}/search?q={NUMBER}", f"/api/conversations/{conversation}/history",
    ):  # fmt: skip
        status, body = await browser.call("GET", path)
        assert status in (200, 403, 404, 422), (path, status, body)
        # A search tells again what was asked for.
        told.append(body.get("hits", body) if path.startswith("/api/search") else body)
    return repr(told)


async def test_masked_everywhere_for_a_rep_and_shown_to_a_manager(site: Site) -> None:
    conversation, _ = await card_in(site)
    rep, manager = await site.signed_in("rep"), await site.signed_in("manager")
    seen = await everything_told(site, rep, conversation)
    assert SHOWN in seen
    assert NUMBER not in seen
    assert NUMBER in await everything_told(site, manager, conversation)
    hits = (await rep.get("/api/search/people", q=NUMBER))["hits"]
    assert hits == [], "who may not read numbers must not find out whether one is here"
    assert (await manager.get("/api/search/people", q=NUMBER))["hits"]


async def test_masked_on_the_socket_as_well(site: Site) -> None:
    conversation, _ = await card_in(site)
    rep, manager, auditor = [await site.signed_in(role) for role in ("rep", "manager", "auditor")]

    def about_it(frame: dict[str, Any]) -> bool:
        return "手机号" in repr(frame["messages"]) and "第二张" in repr(frame["messages"])

    async with rep.socket() as narrow, manager.socket() as wide, auditor.socket() as third:
        await site.says(conversation, "第二张", kind="lead_card", content=CARD)
        assert NUMBER in repr(await wide.next("conversation", about_it))
        assert NUMBER in repr(await third.next("conversation", about_it))
        assert SHOWN in repr(await narrow.next("conversation", about_it))
        assert NUMBER not in repr(narrow.heard)


async def test_a_role_change_masks_from_then_on(site: Site) -> None:
    conversation, _ = await card_in(site)
    admin, agent = await site.signed_in("admin"), await site.agent("manager")
    browser = await site.sign_in(agent)
    assert NUMBER in repr(await browser.get(f"/api/conversations/{conversation}/messages"))
    await admin.call("PATCH", f"/api/agents/{agent}", json={"role": "rep"})
    assert NUMBER not in repr(await browser.get(f"/api/conversations/{conversation}/messages"))


async def test_a_token_without_the_permission_sees_stars(site: Site) -> None:
    conversation, _ = await card_in(site)
    manager = await site.signed_in("manager")
    body = {"name": "报表", "permissions": ["inbox.read", "customers.read"]}
    token = (await manager.post("/api/tokens", body, status=201))["token"]
    bearer = {"Authorization": f"Bearer {token}"}
    _, told = await site.stranger().call("GET", f"/api/conversations/{conversation}/messages", headers=bearer)
    assert SHOWN in repr(told)
    assert NUMBER not in repr(told)


async def test_a_look_in_full_is_written_down_before_it_is_told(site: Site) -> None:
    conversation, message = await card_in(site)
    rep, auditor = await site.signed_in("rep"), await site.signed_in("auditor")
    customer = (await rep.get(f"/api/conversations/{conversation}"))["contact"]["customer_id"]
    assert await rep.post(f"/api/customers/{customer}/reveal") == {"phone": NUMBER}
    assert NUMBER in repr(await rep.post(f"/api/messages/{message}/reveal"))
    lines = (await auditor.get("/api/trail", agent_id=rep.me["agent"]["id"]))["lines"]
    assert [line["action"] for line in lines[:2]] == ["message.fields_revealed", "customer.phone_revealed"]
    assert lines[1]["object_id"] == customer
    assert NUMBER not in repr(lines)
    told = (await rep.get(f"/api/customers/{customer}/trail"))["lines"]
    assert [(line["action"], line["agent_id"], line["address"]) for line in told] == [
        ("customer.phone_revealed", rep.me["agent"]["id"], "")
    ]
    # Afterwards it is masked as before.
    assert (await rep.get(f"/api/customers/{customer}"))["phone"] == SHOWN


async def test_nobody_looks_beyond_what_they_see(site: Site) -> None:
    team = await site.team("别队")
    conversation = await site.conversation(await site.account(await site.connection(), team_id=team))
    message = await site.says(conversation, "[留资卡片]", kind="lead_card", content=CARD)
    plain = await site.says(conversation, "你好")
    await site.services.db.execute("update customer set phone = $1", NUMBER)
    customer = await site.services.db.fetchval("select id from customer")
    rep, marketer, manager = [await site.signed_in(role) for role in ("rep", "marketer", "manager")]
    assert (await rep.call("POST", f"/api/customers/{customer}/reveal"))[0] == 404
    assert (await rep.call("POST", f"/api/messages/{message}/reveal"))[0] == 404
    assert (await marketer.call("POST", f"/api/customers/{customer}/reveal"))[0] == 403
    assert (await manager.call("POST", f"/api/messages/{plain}/reveal"))[0] == 404
    await site.services.db.execute("update customer set phone = ''")
    assert (await manager.call("POST", f"/api/customers/{customer}/reveal"))[0] == 404
    counted = "select count(*) from audit_event where action like '%revealed'"
    assert await site.services.db.fetchval(counted) == 0


async def test_what_was_recalled_is_not_revealed(site: Site) -> None:
    _, message = await card_in(site)
    await site.recalls(message)
    rep = await site.signed_in("rep")
    assert (await rep.call("POST", f"/api/messages/{message}/reveal"))[0] == 404


async def test_no_log_and_no_notice_holds_a_number(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    conversation, message = await card_in(site)
    rep, manager = await site.signed_in("rep"), await site.signed_in("manager")
    body = {"text": f"打 {NUMBER}", "mention_ids": [manager.me["agent"]["id"]], "client_token": "m" * 20}
    await rep.call("POST", f"/api/conversations/{conversation}/notes", json=body)
    await rep.post(f"/api/messages/{message}/reveal")

    async def told() -> Any:
        return (await manager.get("/api/notifications"))["notifications"]

    assert NUMBER not in repr(await eventually(told))
    assert NUMBER not in caplog.text
