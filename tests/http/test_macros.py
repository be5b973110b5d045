"""Macros: whole or not at all in each conversation, once however often asked, undone where that is possible."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.http.site import Browser, Site
from tests.http.test_answering import keep, open_chat, said


async def macro(browser: Browser, name: str, *actions: dict[str, Any], reach: str = "company") -> int:
    body = {"place": {"reach": reach}, "name": name, "actions": list(actions)}
    made: int = (await browser.post("/api/macros", body, status=201))["id"]
    return made


async def labelled(site: Site, name: str) -> int:
    made: int = await site.services.db.fetchval(
        "insert into label (name, color, position, created_at) values ($1, 'blue', 0, now()) returning id", name
    )
    return made


async def state(site: Site, conversation_id: int) -> tuple[str, int | None, list[int]]:
    row = await site.services.db.fetchrow(
        "select status, assignee_id, labels from conversation where id = $1", conversation_id
    )
    assert row is not None
    return row["status"], row["assignee_id"], row["labels"]


async def run(browser: Browser, macro_id: int, token: str, ids: list[int]) -> tuple[dict[str, Any], str]:
    """The result, and the step that undoes it."""
    path = f"{browser.base}/api/macros/{macro_id}/run"
    body = {"client_token": token, "conversation_ids": ids}
    async with browser.http.post(path, json=body, headers={"X-CSRF-Token": browser.csrf}) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json(), answer.headers.get("X-Undo-Step", "").split(";")[0]


async def test_several_acts_once_however_often_asked(site: Site) -> None:
    manager = await site.signed_in("manager")
    me = manager.me["agent"]["id"]
    label = await labelled(site, "售后")
    reply = await keep(manager, "处理完", "{{customer.name}}，处理好了", "还有问题随时找我", reach="company")
    made = await macro(
        manager, "处理完并结束",
        {"kind": "reply", "quick_reply_id": reply["id"]}, {"kind": "label", "label_ids": [label]},
        {"kind": "note", "text": "按流程处理"}, {"kind": "assign_me"}, {"kind": "close"},
    )  # fmt: skip
    conversation = await open_chat(site)
    results = await asyncio.gather(*(run(manager, made, "run-00000001", [conversation]) for _ in range(3)))
    assert [(result["done"], result["failed"]) for result, _ in results] == [(1, 0)] * 3
    texts = await said(site, conversation)
    assert len(texts) == 2
    assert texts[0].endswith("，处理好了")
    assert await state(site, conversation) == ("closed", me, [label])
    notes = await site.services.db.fetchval(
        "select count(*) from message where conversation_id = $1 and direction = 'note'", conversation
    )
    assert notes == 1
    assert (await manager.get("/api/macros"))["macros"][0]["uses"] == 1
    assert (await manager.get(f"/api/quick-replies/{reply['id']}"))["uses"] == 1


async def test_where_one_act_fails_nothing_is_done_and_the_others_go_on(site: Site) -> None:
    manager = await site.signed_in("manager")
    label = await labelled(site, "退货")
    reply = await keep(manager, "好的", "好的", reach="company")
    made = await macro(
        manager, "先标再回", {"kind": "label", "label_ids": [label]}, {"kind": "reply", "quick_reply_id": reply["id"]},
        {"kind": "close"},
    )  # fmt: skip
    good, shut = await open_chat(site), await open_chat(site, window_used=5)
    result, step = await run(manager, made, "run-00000002", [good, shut, 999_999])
    told = {one["conversation_id"]: (one["done"], one["code"], one["action"]) for one in result["outcomes"]}
    assert told == {good: (True, "", None), shut: (False, "window_used_up", 1), 999_999: (False, "not_found", None)}
    assert (await state(site, good))[0] == "closed"
    assert await state(site, shut) == ("open", None, [])
    assert await said(site, shut) == []
    # What was sent stays sent; the rest is as before, and the customer does not wait again.
    await manager.post(f"/api/undo/{step}")
    status, assignee, labels = await state(site, good)
    assert (status, assignee, labels) == ("open", None, [])
    assert await said(site, good) == ["好的"]
    waiting = await site.services.db.fetchval("select waiting_since from conversation where id = $1", good)
    assert waiting is None


async def test_whose_macro_and_whose_conversation(site: Site) -> None:
    manager, rep = await site.signed_in("manager"), await site.signed_in("rep")
    made = await macro(manager, "完成", {"kind": "close"})
    own = await macro(rep, "我的", {"kind": "close"}, reach="personal")
    assert (await rep.call("DELETE", f"/api/macros/{made}"))[0] == 403
    assert {one["name"] for one in (await manager.get("/api/macros"))["macros"]} == {"完成"}
    team = await site.team("别处")
    hidden = await site.conversation(await site.account(await site.connection(), team_id=team))
    result, _ = await run(rep, own, "run-00000003", [hidden])
    assert [(one["done"], one["code"]) for one in result["outcomes"]] == [(False, "not_found")]
    assert (await state(site, hidden))[0] == "open"
    marketer = await site.signed_in("marketer")
    body = {"client_token": "run-00000004", "conversation_ids": [hidden]}
    assert (await marketer.call("POST", f"/api/macros/{made}/run", json=body))[0] == 403
    incomplete = {"place": {"reach": "personal"}, "name": "缺", "actions": [{"kind": "assign"}]}
    assert (await rep.call("POST", "/api/macros", json=incomplete))[0] == 422
