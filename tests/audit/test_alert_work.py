"""The life of an alert: taken, given, settled, put away, and what its rule learns."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from scrm.services import Services
from tests.audit.test_rules import a_rule, alerts_of, watched
from tests.http.site import Browser, Site, eventually, running


@pytest.fixture
async def site(services: Services) -> AsyncIterator[Site]:
    async with running(services) as site:
        yield site


async def act(browser: Browser, ids: list[int], act: str, **more: Any) -> tuple[int, Any]:
    return await browser.call("POST", "/api/audit/alerts/act", json={"ids": ids, "act": act, **more})


async def test_the_life_of_an_alert(site: Site) -> None:
    auditor, manager = await site.signed_in("auditor"), await site.signed_in("manager")
    conversation = await site.conversation(await site.account(await site.connection()))
    await a_rule(auditor, "返现")
    await watched(site)
    await site.says(conversation, "返现", direction="out")
    await watched(site)
    (alert,) = await alerts_of(auditor)
    ids = [alert["id"]]
    me, other = auditor.me["agent"]["id"], manager.me["agent"]["id"]
    assert (await act(auditor, ids, "take"))[1] == {"changed": ids, "skipped": [], "also": 0}
    assert (await act(manager, ids, "take"))[1] == {"changed": [], "skipped": ids, "also": 0}
    assert (await alerts_of(auditor, assignee_id=me))[0]["state"] == "taken"
    await act(auditor, ids, "give", assignee_id=other)
    await act(manager, ids, "done", outcome="talked", note="已和员工谈过")
    assert (await act(manager, ids, "done"))[1]["skipped"] == ids
    detail = await auditor.get(f"/api/audit/alerts/{ids[0]}")
    assert (detail["alert"]["state"], detail["alert"]["outcome"], detail["alert"]["settled_by"]) == (
        "done",
        "talked",
        other,
    )
    assert [(one["what"], one["agent_id"]) for one in detail["history"]] == [
        ("taken", me),
        ("given", me),
        ("done", other),
    ]
    await act(auditor, ids, "reopen")
    assert (await alerts_of(auditor, state="open"))[0]["assignee_id"] == other
    rep = await site.agent("rep")
    assert (await act(auditor, ids, "give", assignee_id=rep))[0] == 422
    lines = await site.services.db.fetch("select action from audit_event where action like 'alert.%' order by id")
    assert [row["action"] for row in lines] == ["alert.taken", "alert.given", "alert.done", "alert.reopened"]


async def test_a_false_alarm_teaches_the_rule_and_takes_the_alike_along(site: Site) -> None:
    auditor = await site.signed_in("auditor")
    connection = await site.connection()
    here, there = [await site.conversation(await site.account(connection)) for _ in range(2)]
    rule = await a_rule(auditor, "返现")
    await watched(site)
    for conversation in (here, there):
        for text in ("我们不支持返现", "给您返现", "返现 5 元"):
            await site.says(conversation, text, direction="out")
    await watched(site)
    found = {(one["conversation"]["id"], one["message"]["seq"]): one["id"] for one in await alerts_of(auditor)}
    _, answer = await act(auditor, [found[here, 1]], "dismiss", tune={"phrase": "不支持返现"})
    assert (answer["changed"], answer["also"]) == ([found[here, 1]], 1)
    _, answer = await act(auditor, [found[there, 2]], "dismiss", tune={"mute": "conversation"})
    assert answer["also"] == 1
    assert {one["id"] for one in await alerts_of(auditor, state="open")} == {found[here, 2], found[here, 3]}
    step = (await site.services.db.fetchrow("select id from undo_step order by id desc limit 1"))["id"]
    undone = await auditor.post(f"/api/undo/{step}")
    assert (undone["restored"], len(await alerts_of(auditor, state="open"))) == (2, 4)
    await act(auditor, [found[there, 2], found[there, 3]], "dismiss")
    await act(auditor, [found[here, 2]], "done", outcome="warned")
    shown = await auditor.get(f"/api/audit/rules/{rule['id']}")
    assert (shown["version"], shown["open"], shown["done"], shown["dismissed"]) == (2, 1, 1, 4)
    assert (shown["precision"], shown["mutes"]) == (0.2, 1)
    for conversation in (here, there):
        await site.says(conversation, "不支持返现，真的可以返现", direction="out")
    await watched(site)
    newest = await alerts_of(auditor, state="new")
    assert [one["conversation"]["id"] for one in newest] == [here, here]
    assert [part["text"] for part in newest[0]["message"]["excerpt"] if part["hit"]] == ["返现"]
    (mute,) = (await auditor.get(f"/api/audit/rules/{rule['id']}/mutes"))["mutes"]
    status, _ = await auditor.call("DELETE", f"/api/audit/rules/{rule['id']}/mutes/{mute['id']}")
    assert status == 204


async def test_nobody_works_on_what_they_do_not_see_and_reviewers_do_not_change_rules(site: Site) -> None:
    await site.services.db.execute(
        "insert into role (key, name, permissions, reach) values ('checker', '质检员', '{audit.read,audit.review}', 'team')"
    )
    auditor = await site.signed_in("auditor")
    ours, theirs = await site.team("一组"), await site.team("二组")
    connection = await site.connection()
    checker = await site.signed_in("checker", teams=(ours,))
    here = await site.conversation(await site.account(connection, team_id=ours))
    there = await site.conversation(await site.account(connection, team_id=theirs))
    rule = await a_rule(auditor, "返现")
    await watched(site)
    for conversation in (here, there):
        await site.says(conversation, "返现", direction="out")
    await watched(site)
    by_place = {one["conversation"]["id"]: one["id"] for one in await alerts_of(auditor)}
    assert (await act(checker, [by_place[there]], "take"))[0] == 404
    assert (await act(checker, [by_place[here], by_place[there]], "take"))[0] == 404
    assert (await act(checker, [by_place[here]], "dismiss", tune={"phrase": "返现"}))[0] == 403
    assert (await act(checker, [by_place[here]], "dismiss"))[0] == 200
    seen = await checker.get("/api/audit/rules")
    assert [(one["hits"], one["dismissed"], one["open"]) for one in seen["rules"]] == [(1, 1, 0)]
    assert (await auditor.get(f"/api/audit/rules/{rule['id']}"))["hits"] == 2
    assert (await checker.get("/api/audit/alerts/counts"))["new"] == 0


async def test_the_count_in_the_page_moves_by_itself(site: Site) -> None:
    auditor = await site.signed_in("auditor")
    conversation = await site.conversation(await site.account(await site.connection()))
    await a_rule(auditor, "返现")
    await watched(site)
    async with auditor.socket() as live:
        await site.says(conversation, "返现", direction="out")
        await watched(site)
        told = await live.next("alerts")
        assert told["counts"]["new"] == 1

    async def rung() -> bool:
        return bool(await site.services.db.fetchval("select count(*) from notification where kind = 'alert'"))

    await eventually(rung)
