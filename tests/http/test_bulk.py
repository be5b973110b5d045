"""One act on many, each row for itself; what was done can be taken back while it is still so; lists that people keep."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from scrm.undo import HEADER
from tests.http.site import Browser, Site


async def acted(browser: Browser, path: str, body: Any = None, *, method: str = "POST") -> tuple[Any, str]:
    """The answer and the id of the step that undoes it ('' without)."""
    options = {"json": body} if body is not None else {}
    headers = {"X-CSRF-Token": browser.csrf}
    async with browser.http.request(method, browser.base + path, headers=headers, **options) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json(), answer.headers.get(HEADER, "")


async def bulk(browser: Browser, ids: list[int], act: str, **more: Any) -> tuple[dict[int, str], str]:
    """By id: 'done' or the error."""
    done, header = await acted(browser, "/api/conversations/bulk", {"ids": ids, "act": act, **more})
    return {one["id"]: "done" if one["done"] else one["error"] for one in done["results"]}, header.split(";")[0]


async def undo(browser: Browser, step: str) -> tuple[int, Any]:
    return await browser.call("POST", f"/api/undo/{step}")


async def rows(site: Site, ids: list[int]) -> list[dict[str, Any]]:
    found = await site.services.db.fetch("select * from conversation where id = any($1::bigint[]) order by id", ids)
    return [{name: value for name, value in row.items() if name not in ("version", "closed_at")} for row in found]


async def test_each_row_is_answered_for_itself(site: Site) -> None:
    theirs = await site.team("他们")
    connection = await site.connection()
    ours = await site.account(connection)
    hidden = await site.conversation(await site.account(connection, team_id=theirs))
    rep = await site.signed_in("rep")
    me, other = rep.me["agent"]["id"], await site.agent("rep")
    free, mine, taken = [await site.conversation(ours, assignee_id=who) for who in (None, me, other)]
    results, _ = await bulk(rep, [free, mine, taken, hidden, 999_999, free], "assign", agent_id=me)
    assert results == {free: "done", mine: "done", taken: "forbidden", hidden: "not_found", 999_999: "not_found"}
    after = {row["id"]: row["assignee_id"] for row in await rows(site, [free, mine, taken, hidden])}
    assert after == {free: me, mine: me, taken: other, hidden: None}


async def test_every_act_on_many_is_undone_in_one_step(site: Site) -> None:
    manager = await site.signed_in("manager")
    account = await site.account(await site.connection())
    other = await site.agent("rep")
    label = (await manager.post("/api/labels", {"name": "意向高"}, status=201))["labels"][0]["id"]
    ids = [await site.conversation(account, labels=[] if n else [label]) for n in range(4)]
    for one in ids[:2]:
        await site.says(one, "在吗")
    later = (site.services.clock.now() + timedelta(hours=2)).isoformat()
    acts: list[tuple[str, dict[str, Any]]] = [
        ("close", {}),
        ("assign", {"agent_id": other}),
        ("read", {}),
        ("label", {"add": [label]}),
        ("snooze", {"until": later}),
        ("snooze", {"until": None}),
    ]
    for act, more in acts:
        before = await rows(site, ids)
        results, step = await bulk(manager, ids, act, **more)
        assert set(results.values()) == {"done"}, act
        changed = [row["id"] for row, was in zip(await rows(site, ids), before, strict=True) if row != was]
        assert changed, act
        status, answer = await undo(manager, step)
        assert (status, answer["restored"], answer["skipped"]) == (200, len(changed), 0)
        assert await rows(site, ids) == before, act
        # Asked once more, nothing happens.
        assert (await undo(manager, step))[0] == 200
        assert await rows(site, ids) == before, act


async def test_what_somebody_changed_meanwhile_stays(site: Site) -> None:
    rep, manager = await site.signed_in("rep"), await site.signed_in("manager")
    account = await site.account(await site.connection())
    one, two = await site.conversation(account), await site.conversation(account)
    _, step = await bulk(rep, [one, two], "close")
    await manager.post(f"/api/conversations/{one}/reopen", {})
    status, answer = await undo(rep, step)
    assert (status, answer["restored"], answer["skipped"]) == (200, 1, 1)
    assert [row["status"] for row in await rows(site, [one, two])] == ["open", "open"]
    _, header = await acted(rep, f"/api/conversations/{one}/close", {})
    await manager.post(f"/api/conversations/{one}/reopen", {})
    status, answer = await undo(rep, header.split(";")[0])
    assert (status, answer["error"]) == (409, "changed_meanwhile")


async def test_nobody_undoes_what_others_did_or_what_is_long_ago(site: Site) -> None:
    rep, manager = await site.signed_in("rep"), await site.signed_in("manager")
    one = await site.conversation(await site.account(await site.connection()))
    _, step = await bulk(rep, [one], "close")
    assert (await undo(manager, step))[0] == 404
    await site.services.db.execute("update undo_step set expires_at = now() - interval '1 second'")
    status, answer = await undo(rep, step)
    assert (status, answer["error"]) == (409, "undo_expired")
    assert (await undo(rep, "123456"))[0] == 404


async def test_undoing_is_told_as_it_happened(site: Site) -> None:
    manager = await site.signed_in("manager")
    one = await site.conversation(await site.account(await site.connection()))
    other = await site.agent("rep")
    for act, more in (("assign", {"agent_id": other}), ("close", {})):
        _, step = await bulk(manager, [one], act, **more)
        await undo(manager, step)
    kinds = await site.services.db.fetch(
        "select kind from conversation_event where conversation_id = $1 order by version", one
    )
    assert [row["kind"] for row in kinds] == ["assigned", "unassigned", "closed", "reopened"]


async def test_an_answer_after_closing_is_kept_unread(site: Site) -> None:
    rep = await site.signed_in("rep")
    one = await site.conversation(await site.account(await site.connection()))
    await site.says(one, "在吗")
    _, step = await bulk(rep, [one], "read")
    await site.says(one, "还在吗")
    await undo(rep, step)
    assert [(row["unread"], row["read_seq"]) for row in await rows(site, [one])] == [(2, 0)]


async def test_saved_lists(site: Site) -> None:
    ours, theirs = await site.team("我们"), await site.team("他们")
    rep, manager = await site.signed_in("rep", teams=(ours,)), await site.signed_in("manager")
    kept = {"view": "all", "waiting": True, "labels": "1,2", "sort": "newest"}
    (own,) = (await rep.post("/api/views", {"name": "等最久", "filter": kept}, status=201))["views"]
    assert {name: own["filter"][name] for name in kept} == kept
    status, _ = await rep.call("POST", "/api/views", json={"name": "x", "filter": {}, "team_id": ours})
    assert status == 403
    for team in (ours, theirs):
        await manager.post("/api/views", {"name": f"队{team}", "filter": {"view": "team"}, "team_id": team}, status=201)
    assert [one["name"] for one in (await rep.get("/api/views"))["views"]] == ["等最久", f"队{ours}"]
    team_view = (await rep.get("/api/views"))["views"][1]["id"]
    assert (await rep.call("PATCH", f"/api/views/{team_view}", json={"name": "y"}))[0] == 403
    assert (await manager.call("PATCH", f"/api/views/{own['id']}", json={"name": "y"}))[0] == 404
    answer, _ = await acted(rep, f"/api/views/{own['id']}", {"name": "等我", "position": 3}, method="PATCH")
    assert next((one["name"], one["position"]) for one in answer["views"]) == ("等我", 3)
    _, header = await acted(rep, f"/api/views/{own['id']}", method="DELETE")
    assert len((await rep.get("/api/views"))["views"]) == 1
    assert (await undo(rep, header.split(";")[0]))[0] == 200
    restored = (await rep.get("/api/views"))["views"][0]
    assert (restored["name"], restored["filter"]) == ("等我", own["filter"])
