"""The list over HTTP: who sees whom, what a line holds, what is refused."""

from __future__ import annotations

from typing import Any

from customers.folding import fold
from tests.http.site import Browser, Site


async def listed(browser: Browser, *parts: dict[str, Any], **more: Any) -> list[str]:
    page = await browser.post("/api/customers/search", {"filter": {"parts": list(parts)}, **more})
    return [one["name"] for one in page["customers"]]


async def add(site: Site, name: str, **columns: Any) -> int:
    values = {"name": name, **columns}
    names, places = ", ".join(values), ", ".join(f"${n}" for n in range(1, len(values) + 1))
    made: int = await site.services.db.fetchval(
        f"insert into customer ({names}) values ({places}) returning id", *values.values()
    )
    return made


async def named(site: Site, conversation_id: int, name: str) -> None:
    await site.services.db.execute(
        "update customer set name = $2 where id = (select k.customer_id from contact k join conversation c on c.contact_id = k.id where c.id = $1)",
        conversation_id,
        name,
    )


async def test_everybody_sees_their_own_and_what_they_reach(site: Site) -> None:
    team, other = await site.team("售前"), await site.team("售后")
    me, mate, stranger = (
        await site.agent("rep", teams=(team,)),
        await site.agent("rep", teams=(team,)),
        await site.agent("rep", teams=(other,)),
    )
    connection = await site.connection()
    theirs = await site.account(connection, team_id=other)
    ours = await site.account(connection, team_id=team)
    now = site.services.clock.now()
    await add(site, "我的", owner_id=me)
    await add(site, "同事的", owner_id=mate)
    await add(site, "别人的", owner_id=stranger)
    await add(site, "共享的", owner_id=stranger, readers=[me])
    await add(site, "公海的", pooled_at=now)
    await add(site, "已删的", owner_id=me, deleted_at=now)
    for account, name, assignee in ((ours, "本组会话", None), (theirs, "他组会话", None), (theirs, "分给我的会话", me)):
        await named(site, await site.conversation(account, assignee_id=assignee), name)
    while await fold(site.services):
        pass
    expected = {"我的", "同事的", "共享的", "公海的", "本组会话", "分给我的会话"}
    browser = await site.sign_in(me)
    assert set(await listed(browser)) == expected
    assert (await browser.post("/api/customers/count", {}))["count"] == len(expected)
    boss = await site.signed_in("manager")
    assert len(await listed(boss)) == 8
    assert await listed(boss, deleted=True) == ["已删的"]
    status, _ = await browser.call("POST", "/api/customers/search", json={"deleted": True})
    assert status == 403
    marketer = await site.signed_in("marketer")
    assert len(await listed(marketer)) == 8


async def test_a_conversation_taken_away_is_gone_at_once(site: Site) -> None:
    """The columns that lists read are told a moment later: what is handed out is checked."""
    theirs = await site.account(await site.connection(), team_id=await site.team("售后"))
    me = await site.agent("rep", teams=(await site.team("售前"),))
    conversation = await site.conversation(theirs, assignee_id=me)
    while await fold(site.services):
        pass
    browser = await site.sign_in(me)
    assert len(await listed(browser)) == 1
    await site.gives(conversation, None)
    assert await listed(browser) == []


async def test_a_line_says_the_last_sentence_the_next_step_and_the_channels(site: Site) -> None:
    account = await site.account(await site.connection())
    conversation = await site.conversation(account)
    await site.says(conversation, "合同第三条能改吗")
    while await fold(site.services):
        pass
    customer = await site.services.db.fetchval("select id from customer")
    for days in (3, 1):
        await site.services.db.execute(
            "insert into task (customer_id, text, due_at, created_at, updated_at) values ($1, $2, now() + make_interval(days => $3), now(), now())",
            customer, f"第{days}天", days,
        )  # fmt: skip
    await site.services.db.execute("update customer set phone = '13812345678'")
    rep, boss, marketer = [await site.signed_in(role) for role in ("rep", "manager", "marketer")]
    one = (await rep.post("/api/customers/search", {}))["customers"][0]
    assert (one["last_words"]["text"], one["last_words"]["direction"]) == ("合同第三条能改吗", "")
    assert one["next_step"]["text"] == "第1天"
    assert one["channels"] == ["wecom_kf"]
    assert one["phone"] == "138****5678"
    assert one["may_change"] is True
    assert (await boss.post("/api/customers/search", {}))["customers"][0]["phone"] == "13812345678"
    seen = (await marketer.post("/api/customers/search", {}))["customers"][0]
    assert (seen["last_words"], seen["phone"], seen["may_change"]) == (None, "138****5678", False)


async def test_pages_follow_each_other_and_cursors_are_checked(site: Site) -> None:
    for n in range(7):
        await add(site, f"客户{n}", value_fen=None if n == 3 else n)
    browser = await site.signed_in("manager")
    sort = [{"key": "value", "descending": True}]
    first = await browser.post("/api/customers/search", {"sort": sort, "limit": 3})
    second = await browser.post("/api/customers/search", {"sort": sort, "limit": 3, "cursor": first["next_cursor"]})
    third = await browser.post("/api/customers/search", {"sort": sort, "limit": 3, "cursor": second["next_cursor"]})
    names = [one["name"] for page in (first, second, third) for one in page["customers"]]
    assert names == ["客户6", "客户5", "客户4", "客户2", "客户1", "客户0", "客户3"]
    assert (first["previous_cursor"], third["next_cursor"]) == (None, None)
    back = await browser.post(
        "/api/customers/search", {"sort": sort, "limit": 3, "cursor": third["previous_cursor"], "back": True}
    )
    assert back["customers"] == second["customers"]
    for body in (
        {"cursor": first["next_cursor"]},
        {"cursor": "WyJ4Il0"},
        {"sort": [{"key": "nothing"}]},
        {"sort": sort * 2},
    ):
        status, problem = await browser.call("POST", "/api/customers/search", json=body)
        assert status == 422, (body, problem)


async def test_counts_say_when_they_stop(site: Site) -> None:
    await site.services.db.execute("insert into customer (name) select 'x' from generate_series(1, 10001)")
    browser = await site.signed_in("manager")
    assert await browser.post("/api/customers/count", {}) == {"count": 10000, "exact": False, "more": True}
    await site.services.db.execute("delete from customer where id % 2 = 0")
    count = await browser.post("/api/customers/count", {})
    assert count["exact"]


async def test_views_are_kept_counted_shared_and_deleted(site: Site) -> None:
    boss, rep = await site.signed_in("manager"), await site.signed_in("rep")
    me = rep.me["agent"]["id"]
    await add(site, "甲", owner_id=me, next_due_at=site.services.clock.now())
    await add(site, "乙", owner_id=me)
    data = {
        "filter": {"parts": [{"field": "name", "op": "is", "value": "乙"}]},
        "sort": [{"key": "name"}],
        "columns": ["name", "tags"],
    }
    mine = await rep.post("/api/customer-views", {"name": "我的视图", "data": data}, status=201)
    status, _ = await rep.call("POST", "/api/customer-views", json={"name": "公司的", "company": True, "data": data})
    assert status == 403
    await boss.post("/api/customer-views", {"name": "公司的", "company": True, "data": data}, status=201)
    seen = await rep.get("/api/customer-views")
    assert [(one["name"], one["mine"]) for one in seen["kept"]] == [("我的视图", True), ("公司的", False)]
    assert [one["key"] for one in seen["standard"]] == ["all", "today", "mine", "quiet", "new", "pool"]
    counts = (await rep.get("/api/customer-views/counts"))["counts"]
    view = mine["kept"][0]["id"]
    assert {name: counts[name]["count"] for name in ("all", "today", "mine", "quiet", "pool", str(view))} == {
        "all": 2, "today": 1, "mine": 2, "quiet": 2, "pool": 0, str(view): 1,
    }  # fmt: skip
    status, _ = await boss.call("DELETE", f"/api/customer-views/{view}")
    assert status == 404
    wrong = {"filter": {"parts": [{"field": "nothing", "op": "is"}]}}
    status, problem = await rep.call("PATCH", f"/api/customer-views/{view}", json={"data": wrong})
    assert (status, list(problem["fields"])) == (422, ["filter.parts.0.field"])
    async with rep.http.delete(f"{rep.base}/api/customer-views/{view}", headers={"X-CSRF-Token": rep.csrf}) as answer:
        step = int(answer.headers["X-Undo-Step"].split(";")[0])
        assert len((await answer.json())["kept"]) == 1
    assert (await rep.post(f"/api/undo/{step}"))["restored"] == 1
    assert next(one["id"] for one in (await rep.get("/api/customer-views"))["kept"]) == view


async def test_a_segment_means_the_same_to_everybody(site: Site) -> None:
    boss, rep = await site.signed_in("manager"), await site.signed_in("rep")
    await add(site, "甲", city="杭州", owner_id=boss.me["agent"]["id"])
    await add(site, "乙", city="杭州")
    await add(site, "丙", city="上海")
    tree = {"parts": [{"field": "city", "op": "is", "value": "杭州"}]}
    made = await boss.post("/api/segments", {"name": "杭州", "filter": tree}, status=201)
    segment = made["segments"][0]
    assert (await boss.post(f"/api/segments/{segment['id']}/count"))["count"] == 2
    assert (await rep.get("/api/segments"))["segments"][0]["total"] == 2
    assert await listed(rep, {"field": "segment", "op": "in", "value": [segment["id"]]}) == ["乙"]
    assert set(await listed(boss, {"field": "segment", "op": "not_in", "value": [segment["id"]]})) == {"丙"}
    for part in (
        {"field": "owner", "op": "in", "value": ["me"]},
        {"field": "segment", "op": "in", "value": [segment["id"]]},
    ):
        status, _ = await boss.call("POST", "/api/segments", json={"name": "别的", "filter": {"parts": [part]}})
        assert status == 422
    status, problem = await boss.call("POST", "/api/segments", json={"name": "杭州", "filter": tree})
    assert (status, problem["error"]) == (409, "name_taken")
    status, _ = await boss.call("PATCH", f"/api/segments/{segment['id']}", json={"name": "杭州市", "version": 1})
    assert status == 200
    status, problem = await boss.call("PATCH", f"/api/segments/{segment['id']}", json={"name": "旧", "version": 1})
    assert (status, problem["error"]) == (409, "changed_meanwhile")
    status, _ = await rep.call("DELETE", f"/api/segments/{segment['id']}")
    assert status == 403
