"""Whose tasks somebody sees and may change, by role and reach; and what their day and calendar show."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.customers.test_follow_ups import customer, me, soon
from tests.http.site import Browser, Site, eventually


async def planned(browser: Browser, token: str, **body: object) -> dict[str, object]:
    made: dict[str, object] = await browser.post(
        "/api/tasks", {"client_token": token, "due_at": soon(hours=2), **body}, status=201
    )
    return made


async def test_own_days_are_seen_and_others_by_managers_only(site: Site) -> None:
    ours, theirs = await site.team("我们"), await site.team("他们")
    rep, mate = await site.signed_in("rep", teams=(ours,)), await site.signed_in("rep", teams=(ours,))
    far, boss = await site.signed_in("rep", teams=(theirs,)), await site.signed_in("manager")
    task = await planned(rep, "own-task-1", text="自己的事")
    path = f"/api/tasks/{task['id']}"
    # Of one's team one sees, of others not; changing is for whose it is and for managers.
    assert [(await one.call("GET", path))[0] for one in (rep, mate, far, boss)] == [200, 200, 404, 200]
    body = {"json": {"version": 1, "text": "x"}}
    assert [(await one.call("PATCH", path, **body))[0] for one in (far, mate, boss, rep)] == [404, 403, 200, 409]
    for browser, agents in ((mate, me(rep)), (far, me(rep))):
        assert (await browser.call("GET", "/api/tasks/today", params={"agent_id": str(agents)}))[0] == 403
    assert [one["id"] for one in (await boss.get("/api/tasks/today", agent_id=me(rep)))["today"]] in ([task["id"]], [])
    today = datetime.now(UTC).date()
    span = {"first": str(today - timedelta(days=1)), "last": str(today + timedelta(days=2))}
    assert (await rep.call("GET", "/api/tasks/calendar", params={**span, "agents": f"{me(mate)}"}))[0] == 403
    seen = await boss.get("/api/tasks/calendar", **span, agents=f"{me(rep)},{me(far)}")
    assert [one["id"] for one in seen["tasks"]] == [task["id"]]


async def test_only_managers_give_work_and_who_gets_it_sees_the_customer(site: Site) -> None:
    ours, theirs = await site.team("我们"), await site.team("他们")
    rep, far = await site.signed_in("rep", teams=(ours,)), await site.signed_in("rep", teams=(theirs,))
    boss = await site.signed_in("manager")
    whose = await customer(site, me(rep))
    refused = await rep.call("POST", "/api/tasks", json={"client_token": "give-task-1", "customer_id": whose, "agent_id": me(far), "due_at": soon(hours=1)})  # fmt: skip
    assert refused[0] == 403
    async with far.socket() as live:
        await planned(boss, "give-task-2", customer_id=whose, agent_id=me(far), text="寄合同")
        counts = (await live.next("tasks"))["counts"]
        assert counts["today"] + counts["overdue"] <= 1
    (notice,) = (await far.get("/api/notifications"))["notifications"]
    assert (notice["kind"], notice["title"], notice["text"], notice["customer_id"]) == (
        "task_given",
        "陈立群",
        "寄合同",
        whose,
    )
    assert (await far.get(f"/api/customers/{whose}/tasks"))["open"][0]["agent_id"] == me(far)
    # Taken away again, the task stays, the customer behind it does not show.
    await site.services.db.execute("update customer set readers = '{}' where id = $1", whose)
    shown = await far.get(f"/api/tasks/{notice['task_id']}")
    assert (shown["customer_id"], shown["customer_name"], shown["text"]) == (None, None, "寄合同")


async def test_a_day_has_what_is_late_first_then_by_time_then_without(site: Site) -> None:
    rep = await site.signed_in("rep")
    rows = [("迟", -26, False), ("全天", 0, True), ("明天", 24, False)]
    now = datetime.now(UTC)
    for text, hours, whole in rows:
        due = now + timedelta(hours=hours)
        if whole:
            local = (now + timedelta(hours=8)).date()
            due = datetime(local.year, local.month, local.day, 15, 59, 59, tzinfo=UTC)
        await site.services.db.execute(
            "insert into task (agent_id, text, due_at, all_day, created_by, created_at, updated_at) values ($1, $2, $3, $4, $1, now(), now())",
            me(rep), text, due, whole,
        )  # fmt: skip
    day = await rep.get("/api/tasks/today")
    found = {name: [one["text"] for one in day[name]] for name in ("overdue", "today", "untimed", "tomorrow", "done")}
    assert found == {"overdue": ["迟"], "today": [], "untimed": ["全天"], "tomorrow": ["明天"], "done": []}
    assert day["counts"] == {"overdue": 1, "today": 1} == await rep.get("/api/tasks/counts")
    await rep.post(f"/api/tasks/{day['overdue'][0]['id']}/done", {"version": 1})

    async def finished() -> bool:
        return [one["text"] for one in (await rep.get("/api/tasks/today"))["done"]] == ["迟"]

    await eventually(finished)
