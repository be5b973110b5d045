"""Rules, who is at work, explanations and the team's figures over HTTP."""

from __future__ import annotations

from typing import Any

from inbox.figures import fold
from inbox.routing import Router
from inbox.rows import lock_one, save
from tests.http.site import Browser, Site, eventually

WEEK = [[{"start": 540, "end": 1080}]] * 5 + [[], []]
PLAN = {"weekly": WEEK, "holidays": True, "exceptions": []}


async def add(browser: Browser, kind: str, name: str, **data: Any) -> int:
    made = await browser.post(f"/api/rules/{kind}", {"name": name, "data": data}, status=201)
    return int(made["id"])


async def waits(site: Site, conversation_id: int) -> None:
    """A customer wrote: the conversation's turn began."""
    await site.says(conversation_id, "在吗")
    async with site.services.work() as work:
        conversation = await lock_one(work, conversation_id)
        assert conversation is not None
        conversation.route_state = "due"
        conversation.changed = True
        await save(work, [conversation])


async def test_rules_are_made_changed_ordered_deleted_and_brought_back(site: Site) -> None:
    manager = await site.signed_in("manager")
    first = await add(manager, "assignment", "第一条", action="round_robin")
    second = await add(manager, "assignment", "第二条", action="least_busy")
    listed = (await manager.get("/api/rules/assignment"))["rules"]
    assert [one["id"] for one in listed] == [first, second]
    assert listed[0]["data"]["conditions"]["hours"] == "any"
    _, changed = await manager.call("PATCH", f"/api/rules/assignment/{first}", json={"name": "改名", "enabled": False})
    assert (changed["name"], changed["enabled"], changed["data"]["action"]) == ("改名", False, "round_robin")
    ordered = await manager.post("/api/rules/assignment/order", {"ids": [second, first]})
    assert [one["id"] for one in ordered["rules"]] == [second, first]
    for ids in ([second], [second, second], [second, first, 99]):
        assert (await manager.call("POST", "/api/rules/assignment/order", json={"ids": ids}))[0] == 409
    async with manager.http.delete(
        f"{site.base}/api/rules/assignment/{second}", headers={"X-CSRF-Token": manager.csrf}
    ) as gone:
        assert gone.status == 204
        step = gone.headers["X-Undo-Step"].split(";")[0]
    assert [one["id"] for one in (await manager.get("/api/rules/assignment"))["rules"]] == [first]
    await manager.post(f"/api/undo/{step}")
    assert [one["id"] for one in (await manager.get("/api/rules/assignment"))["rules"]] == [second, first]
    acts = await site.services.db.fetch("select action from audit_event where object_kind = 'rule' order by id")
    assert [row["action"] for row in acts] == [
        "rule.created", "rule.created", "rule.changed", "rule.ordered", "rule.deleted", "rule.restored",
    ]  # fmt: skip


async def test_what_makes_no_sense_is_refused_with_the_field(site: Site) -> None:
    manager = await site.signed_in("manager")
    for kind, data, field in (
        ("hours", {"plan": {"weekly": WEEK[:6]}}, "weekly"),
        ("hours", {"plan": {**PLAN, "weekly": [[{"start": 700, "end": 600}], *WEEK[1:]]}}, "weekly"),
        ("assignment", {"action": "fairest"}, "action"),
        ("sla", {"first_seconds": None, "next_seconds": None}, "data"),
        ("sla", {"first_seconds": 1}, "first_seconds"),
        ("answer", {"text": ""}, "text"),
        ("survey", {"question": "好吗", "expires_hours": 0}, "expires_hours"),
        ("survey", {"question": "好吗", "colour": "red"}, "colour"),
    ):
        status, problem = await manager.call("POST", f"/api/rules/{kind}", json={"name": "不行", "data": data})
        assert status == 422, (kind, data)
        assert any(field in place for place in problem["fields"]), problem
    status, problem = await manager.call("PATCH", "/api/settings/general", json={"time_zone": "Mars/Olympus"})
    assert (status, list(problem["fields"])) == (422, ["time_zone"])


async def test_only_those_who_decide_see_and_change_the_rules(site: Site) -> None:
    rep = await site.signed_in("rep")
    for method, path, body in (
        ("GET", "/api/rules/sla", None),
        ("POST", "/api/rules/sla", {"name": "x", "data": {}}),
        ("POST", "/api/routing/try", {"account_id": 1}),
        ("PATCH", "/api/settings/flow", {}),
        ("PATCH", "/api/settings/general", {}),
        ("GET", "/api/team", None),
        ("PATCH", "/api/attendance/1", {"capacity": 3}),
    ):
        assert (await rep.call(method, path, json=body) if body else await rep.call(method, path))[0] == 403, path


async def test_a_status_is_live_to_colleagues(site: Site) -> None:
    rep, manager = await site.signed_in("rep"), await site.signed_in("manager")
    rep_id = rep.me["agent"]["id"]
    async with manager.socket() as live:
        await rep.post("/api/me/status", {"status": "busy"})
        push = await live.next("attendance", lambda frame: any(one["status"] == "busy" for one in frame["agents"]))
    assert {one["agent_id"]: one["status"] for one in push["agents"]}[rep_id] == "busy"
    assert (await rep.call("POST", "/api/me/status", json={"status": "asleep"}))[0] == 422
    auditor = await site.signed_in("auditor")
    assert (await auditor.call("POST", "/api/me/status", json={"status": "away"}))[0] == 403


async def test_a_page_that_opens_brings_back_who_was_only_absent(site: Site) -> None:
    rep = await site.signed_in("rep")
    rep_id = rep.me["agent"]["id"]
    db = site.services.db
    await db.execute("update agent set status = 'away', away_reason = 'absent' where id = $1", rep_id)
    async with rep.socket():
        await eventually(
            lambda: db.fetchval("select status = 'online' and seen_at is not null from agent where id = $1", rep_id)
        )
    await rep.post("/api/me/status", {"status": "away"})
    async with rep.socket() as live:
        await live.next("counts")
        # Who said so themselves stays away until they say otherwise.
        assert await db.fetchval("select status from agent where id = $1", rep_id) == "away"


async def test_why_it_went_to_whom_is_told_to_those_who_see_it(site: Site) -> None:
    manager = await site.signed_in("manager")
    team = await site.team("客服")
    rep = await site.signed_in("rep", teams=(team,))
    busy = await site.agent("rep", teams=(team,))
    stranger = await site.signed_in("rep")
    await site.services.db.execute("update agent set status = 'busy' where id = $1", busy)
    account = await site.account(await site.connection(), team_id=team)
    await add(manager, "assignment", "英语", conditions={"languages": ["en"]})
    rule = await add(manager, "assignment", "全部", action="round_robin", agent_ids=[busy, rep.me["agent"]["id"]])
    conversation = await site.conversation(account)
    await waits(site, conversation)
    trial = await manager.post("/api/routing/try", {"conversation_id": conversation})
    assert (trial["kind"], trial["agent_id"], trial["rule_id"]) == ("assign", rep.me["agent"]["id"], rule)
    assert await site.services.db.fetchval("select assignee_id from conversation where id = $1", conversation) is None
    await Router(site.services).round()
    told = (await rep.get(f"/api/conversations/{conversation}/routing"))["explanations"][0]
    assert (told["to"], told["by"], told["rule_id"]) == (rep.me["agent"]["id"], None, rule)
    assert told["why"] == {"zh": "规则「全部」：轮流分配", "en": "Rule “全部”: next in turn"}
    assert [(one["name"], one["outcome"]) for one in told["considered"]] == [("英语", "skipped"), ("全部", "used")]
    assert told["considered"][1]["passed"] == [{"agent_id": busy, "why": {"zh": "忙碌", "en": "busy"}}]
    assert (await stranger.call("GET", f"/api/conversations/{conversation}/routing"))[0] == 404
    notices = (await rep.get("/api/notifications"))["notifications"]
    assert [one["kind"] for one in notices] == ["assigned"]


async def test_the_team_view_covers_what_its_reader_may_see(site: Site) -> None:
    admin = await site.signed_in("admin")
    ours, theirs = await site.team("我们"), await site.team("他们")
    connection = await site.connection()
    mine, other = await site.account(connection, team_id=ours), await site.account(connection, team_id=theirs)
    rep = await site.agent("rep", teams=(ours,))
    for account in (mine, mine, other):
        await waits(site, await site.conversation(account))
    everything = await admin.get("/api/team")
    assert (everything["open"], everything["waiting"], everything["unassigned"]) == (3, 3, 3)
    assert [one["waiting_since"] for one in everything["longest"]] == sorted(
        one["waiting_since"] for one in everything["longest"]
    )
    only = await admin.get("/api/team", team_id=ours)
    assert (only["open"], [one["account_id"] for one in only["accounts"]]) == (2, [mine])
    assert [one["agent_id"] for one in only["reps"]] == [rep]
    await site.services.db.execute(
        "insert into role (key, name, permissions, reach) values ('lead', '组长', $1, 'team')",
        ["inbox.read", "inbox.team", "inbox.reply", "agents.read"],
    )
    lead = await site.signed_in("lead", teams=(ours,))
    seen = await lead.get("/api/team")
    assert seen["open"] == 2
    assert {one["account_id"] for one in seen["longest"]} == {mine}
    assert [one["account_id"] for one in (await lead.get("/api/team", account_id=other))["accounts"]] == []


async def test_figures_are_counted_once_from_events(site: Site) -> None:
    manager, rep = await site.signed_in("manager"), await site.signed_in("rep")
    account = await site.account(await site.connection())
    conversations = [await site.conversation(account) for _ in range(3)]
    for conversation in conversations:
        await rep.post(f"/api/conversations/{conversation}/close")
    while await fold(site.services):
        pass
    await fold(site.services)
    today = (await manager.get("/api/team"))["today"]
    assert (today["closed"], today["answered"], today["first"]["median"]) == (3, 0, None)


async def test_the_calendar_says_what_it_does_not_know(site: Site) -> None:
    manager = await site.signed_in("manager")
    known = await manager.get("/api/calendar", year=2025)
    assert known["known"]
    assert any(day["working"] for day in known["days"])
    unknown = await manager.get("/api/calendar", year=known["known_until"] + 1)
    assert (unknown["known"], unknown["days"]) == (False, [])
    await add(manager, "hours", "从不", plan={"weekly": [[]] * 7})
    account = await site.account(await site.connection())
    states = {one["account_id"]: one for one in (await manager.get("/api/hours"))["accounts"]}
    assert (states[account]["open"], states[account]["next_open"]) == (False, None)
