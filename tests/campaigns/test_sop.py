"""Follow-up plans: what begins them, what their steps become, what ends them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from scrm.clock import ManualClock
from scrm.services import Services
from tests.campaigns.sop_tools import (
    DAY,
    NOW,
    at,
    customer,
    done,
    entries,
    give_stage,
    give_tag,
    made,
    message,
    plan,
    stage,
    tag,
    talk,
    task,
    tasks_of,
    turn,
    wait_until,
)
from tests.http.site import Browser, Site


@pytest.fixture
async def clock(services: Services) -> ManualClock:
    clock = services.clock = ManualClock(NOW)
    return clock


@pytest.fixture
async def boss(site: Site, clock: ManualClock) -> Browser:
    return await site.signed_in("manager")


@pytest.fixture
async def rep(site: Site, clock: ManualClock) -> Browser:
    return await site.signed_in("rep")


async def test_steps_come_day_by_day_as_tasks_of_the_owner(
    site: Site, services: Services, clock: ManualClock, boss: Browser, rep: Browser
) -> None:
    wanted = await tag(services)
    steps = (
        task(0, minutes=30, words="{{customer.name}}，我是{{agent.name}}"),
        task(1),
        task(3, "15:00", text="问问考虑得如何"),
    )
    sop = await made(boss, plan({"on": "tag", "tag_ids": [wanted]}, *steps))
    one, other = await customer(site, rep), await customer(site, rep, name="别人")
    await give_tag(services, [one], wanted)
    await turn(services)
    assert await entries(services, sop) == [(one, "under_way", "", 0)]
    assert await tasks_of(services, one) == []

    await wait_until(services, clock, at(1, 10, 30))
    [first] = await tasks_of(services, one)
    assert (first["text"], first["words"]) == ("第0天", f"客户甲，我是{rep.me['agent']['name']}")
    assert first["agent_id"] == rep.me["agent"]["id"]
    assert first["all_day"]
    assert first["remind_at"] == clock.now()
    assert first["due_at"] == at(1, 23, 59) + timedelta(seconds=59)
    await wait_until(services, clock, at(2, 9, 59))
    assert len(await tasks_of(services, one)) == 1
    await wait_until(services, clock, at(2, 10))
    await wait_until(services, clock, at(4, 15))
    assert [row["text"] for row in await tasks_of(services, one)] == ["第0天", "第1天", "第3天\n问问考虑得如何"]
    assert await entries(services, sop) == [(one, "done", "", 3)]
    assert await tasks_of(services, other) == []
    kinds = [
        row["kind"]
        for row in await services.db.fetch("select kind from timeline where customer_id = $1 order by id", one)
    ]
    assert kinds == ["tag.added", "sop.began", "sop.step", "sop.step", "sop.step", "sop.done"]


async def test_an_answer_ends_it_and_counts_for_the_step(
    site: Site, services: Services, clock: ManualClock, boss: Browser, rep: Browser
) -> None:
    wanted = await tag(services)
    any_, after, never = [
        await made(boss, plan({"on": "tag", "tag_ids": [wanted]}, task(0, "11:00"), task(2), on_reply=how), name=how)
        for how in ("any", "after_step", "never")
    ]
    one = await customer(site, rep)
    where = await talk(site, one)
    await give_tag(services, [one], wanted)
    clock.advance(60)
    await turn(services)
    clock.advance(60)
    await site.says(where, "在吗")
    await turn(services)
    states = [(await entries(services, sop))[0][1:3] for sop in (any_, after, never)]
    assert states == [("stopped", "replied"), ("under_way", ""), ("under_way", "")]

    await wait_until(services, clock, at(1, 11))
    clock.advance(60)
    await site.says(where, "好的")
    await turn(services)
    states = [(await entries(services, sop))[0][1:3] for sop in (any_, after, never)]
    assert states == [("stopped", "replied"), ("stopped", "replied"), ("under_way", "")]
    found = await boss.get(f"/api/sops/{never}")
    assert (found["steps"][0]["tasks"], found["steps"][0]["replied"]) == (1, 1)
    assert found["sop"]["counts"] == {"entered": 1, "under_way": 1, "done": 0, "stopped": 0}
    assert (await boss.get(f"/api/sops/{after}"))["stopped"] == {"replied": 1}
    await wait_until(services, clock, at(3, 10))
    assert [len(await done(services, sop)) for sop in (any_, after, never)] == [0, 1, 2]


async def test_an_answer_that_was_not_read_yet_ends_it_too(
    site: Site, services: Services, clock: ManualClock, boss: Browser, rep: Browser
) -> None:
    from campaigns.sop import steps

    wanted = await tag(services)
    sop = await made(boss, plan({"on": "tag", "tag_ids": [wanted]}, task(0, "11:00")))
    one = await customer(site, rep)
    where = await talk(site, one)
    await give_tag(services, [one], wanted)
    await turn(services)
    clock.advance(at(1, 11) - clock.now())
    await site.says(where, "不用了")
    await steps.act(services)
    assert await entries(services, sop) == [(one, "stopped", "replied", 0)]


async def test_who_leaves_the_condition_is_let_go(
    site: Site, services: Services, clock: ManualClock, boss: Browser, rep: Browser
) -> None:
    wanted, first, second = await tag(services), await stage(services, "报价"), await stage(services, "成交")
    by_tag = await made(boss, plan({"on": "tag", "tag_ids": [wanted]}, task(3)), name="tag")
    by_stage = await made(boss, plan({"on": "stage", "stage_ids": [first]}, task(3)), name="stage")
    city = {"match": "all", "parts": [{"field": "city", "op": "is", "value": "上海"}]}
    by_filter = await made(boss, plan({"on": "tag", "tag_ids": [wanted]}, task(3), filter=city), name="filter")
    stays = await made(boss, plan({"on": "tag", "tag_ids": [wanted]}, task(3), leave=False), name="stays")
    one = await customer(site, rep, city="上海")
    elsewhere = await customer(site, rep, city="北京")
    await give_tag(services, [one, elsewhere], wanted)
    await give_stage(services, [one], first)
    await turn(services)
    for sop in (by_tag, by_stage, by_filter, stays):
        assert (await entries(services, sop))[0] == (one, "under_way", "", 0)
    assert [len(await entries(services, sop)) for sop in (by_tag, by_stage, by_filter, stays)] == [2, 1, 1, 2]

    await services.db.execute("update customer set city = '苏州' where id = $1", one)
    await give_stage(services, [one], second)
    await turn(services)
    assert (await entries(services, by_stage))[0][1:3] == ("stopped", "left")
    assert (await entries(services, by_filter))[0][1:3] == ("stopped", "left")
    await give_tag(services, [one], wanted, take=True)
    await turn(services)
    assert (await entries(services, by_tag))[0][1:3] == ("stopped", "left")
    assert (await entries(services, stays))[0][1:3] == ("under_way", "")
    # Given again, it begins again; the other, who never left, is in it once.
    await give_tag(services, [one], wanted)
    await turn(services)
    assert [row[1] for row in await entries(services, by_tag)] == ["stopped", "under_way", "under_way"]


async def test_holds_and_thrown_away_customers_end_it(
    site: Site, services: Services, clock: ManualClock, boss: Browser, rep: Browser
) -> None:
    wanted = await tag(services)
    sop = await made(boss, plan({"on": "tag", "tag_ids": [wanted]}, task(1)))
    ids = [await customer(site, rep, name=name) for name in ("退订", "投诉", "删除", "留下", "早已退订")]
    await boss.post(f"/api/customers/{ids[4]}/holds", {"kind": "opted_out"})
    await give_tag(services, ids, wanted)
    await turn(services)
    await boss.post(f"/api/customers/{ids[0]}/holds", {"kind": "opted_out"})
    await boss.post(f"/api/customers/{ids[1]}/holds", {"kind": "complaint"})
    await services.db.execute("update customer set deleted_at = now() where id = $1", ids[2])
    await wait_until(services, clock, at(2, 10))
    assert await entries(services, sop) == [
        (ids[0], "stopped", "opted_out", 0), (ids[1], "stopped", "complaint", 0), (ids[2], "stopped", "gone", 0), (ids[3], "done", "", 1),
    ]  # fmt: skip


async def test_messages_go_where_the_window_is_open_and_become_tasks_elsewhere(
    site: Site, services: Services, clock: ManualClock, boss: Browser, rep: Browser
) -> None:
    wanted = await tag(services)
    start = {"on": "tag", "tag_ids": [wanted]}
    sop = await made(boss, plan(start, message(0, "11:00"), on_reply="never"), name="a")
    or_not = await made(boss, plan(start, message(0, "11:00", otherwise="skip"), on_reply="never"), name="b")
    ready, closed, without = [await customer(site, rep, name=name) for name in ("开", "关", "无")]
    where = await talk(site, ready)
    await talk(site, closed, open_for=None)
    await give_tag(services, [ready, closed, without], wanted)
    await wait_until(services, clock, at(1, 11))
    assert sorted(await done(services, sop)) == [
        (ready, 0, "sending", ""), (closed, 0, "task", "window_closed"), (without, 0, "task", "no_account"),
    ]  # fmt: skip
    assert sorted(await done(services, or_not)) == [
        (ready, 0, "sending", ""), (closed, 0, "skipped", "window_closed"), (without, 0, "skipped", "no_account"),
    ]  # fmt: skip
    said = await services.db.fetch("select text, sender_kind, state from message where conversation_id = $1", where)
    assert [tuple(row) for row in said] == [("开，您好", "bot", "queued")] * 2
    assert await services.db.fetchval("select count(*) from outbox") == 2
    [by_hand] = await tasks_of(services, closed)
    assert by_hand["words"] == "关，您好"

    # What became of them: one was sent, the other failed and becomes a task.
    await services.db.execute("update message set state = 'sent' where client_token like $1", "sop:%-0")
    await services.db.execute(
        "update message set state = 'failed', reason = '{\"code\": \"refused\"}' where id = (select max(id) from message)"
    )
    await turn(services)
    states = {(await done(services, one))[0][2:] for one in (sop, or_not)}
    assert len(states) == 2
    assert ("sent", "") in states


async def test_the_cap_of_campaigns_holds_for_messages(
    site: Site, services: Services, clock: ManualClock, boss: Browser, rep: Browser
) -> None:
    from campaigns.life.settings import RULES, CampaignRules

    async with services.work() as work:
        await RULES.save(work, CampaignRules(cap_times=1, cap_days=7), by=None)
    wanted = await tag(services)
    sop = await made(boss, plan({"on": "tag", "tag_ids": [wanted]}, message(0, "11:00"), message(1), on_reply="never"))
    one = await customer(site, rep)
    await talk(site, one)
    await give_tag(services, [one], wanted)
    await wait_until(services, clock, at(1, 11))
    await wait_until(services, clock, at(2, 10))
    assert await done(services, sop) == [(one, 0, "sending", ""), (one, 1, "task", "frequency_cap")]


async def test_what_was_missed_is_done_late_or_left_out_with_the_reason(
    site: Site, services: Services, clock: ManualClock, boss: Browser, rep: Browser
) -> None:
    wanted = await tag(services)
    sop = await made(
        boss, plan({"on": "tag", "tag_ids": [wanted]}, task(0, "11:00"), task(0, "15:00"), task(1), late_hours=3)
    )
    one = await customer(site, rep)
    await give_tag(services, [one], wanted)
    await turn(services)
    await wait_until(services, clock, at(1, 17))
    assert await done(services, sop) == [(one, 0, "skipped", "late"), (one, 1, "task", "")]
    # Switched off, nothing is done; what was due meanwhile is judged when it is on again.
    await wait_until(services, clock, at(2, 10))
    other = await customer(site, rep)
    await give_tag(services, [other], wanted)
    await turn(services)
    await boss.post(f"/api/sops/{sop}/disable")
    await wait_until(services, clock, at(3, 10))
    assert (await entries(services, sop))[1] == (other, "under_way", "", 0)
    await boss.post(f"/api/sops/{sop}/enable", {})
    await turn(services)
    assert [row[1:] for row in await done(services, sop) if row[0] == other] == [
        (0, "skipped", "late"), (1, "skipped", "late"), (2, "task", ""),
    ]  # fmt: skip


async def test_quiet_hours_move_a_step_to_their_end(
    site: Site, services: Services, clock: ManualClock, boss: Browser, rep: Browser
) -> None:
    wanted = await tag(services)
    sop = await made(
        boss, plan({"on": "tag", "tag_ids": [wanted]}, task(0, minutes=60), quiet={"begin": "21:00", "end": "09:00"})
    )
    one = await customer(site, rep)
    clock.advance(at(1, 20, 30) - clock.now())
    await give_tag(services, [one], wanted)
    await turn(services)
    await wait_until(services, clock, at(2, 8, 59))
    assert await done(services, sop) == []
    await wait_until(services, clock, at(2, 9))
    assert await done(services, sop) == [(one, 0, "task", "")]
    # Also what could not be done in time: the service was down from eight in the evening.
    other = await customer(site, rep)
    clock.advance(at(2, 19) - clock.now())
    await give_tag(services, [other], wanted)
    await turn(services)
    await wait_until(services, clock, at(2, 22))
    assert len(await done(services, sop)) == 1
    await wait_until(services, clock, at(3, 9))
    assert (await done(services, sop))[1] == (other, 0, "task", "")


async def test_a_birthday_comes_each_year_and_the_29th_of_february_too(
    site: Site, services: Services, clock: ManualClock, boss: Browser, rep: Browser
) -> None:
    await services.db.execute("insert into custom_field (key, name, kind) values ('fbirth', '生日', 'date')")
    born = [
        await customer(site, rep, name=day, fields={"fbirth": day})
        for day in ("1990-06-03", "1991-06-04", "1988-02-29")
    ]
    sop = await made(boss, plan({"on": "date", "field": "fbirth"}, task(0, "10:00")))
    early = await made(boss, plan({"on": "date", "field": "fbirth", "days_before": 2}, task(0, "10:00")), name="early")
    await turn(services)
    assert await done(services, early) == [(born[0], 0, "task", "")]
    for day in (3, 4, 5):
        await wait_until(services, clock, at(day, 10))
    assert await done(services, sop) == [(born[0], 0, "task", ""), (born[1], 0, "task", "")]
    # Written down on the day itself.
    late = await customer(site, rep, name="今天")
    await boss.call("PATCH", f"/api/customers/{late}", json={"fields": {"fbirth": "2000-06-05"}, "version": 1})
    await turn(services)
    assert (await entries(services, sop))[-1][:2] == (late, "done")
    for moment in (at(1, 10) + 272 * DAY, at(3, 10) + 365 * DAY):
        await wait_until(services, clock, moment)
    assert [row[0] for row in await done(services, sop)] == [born[0], born[1], late, born[2], born[0]]


async def test_those_who_match_already_are_counted_and_taken_in(
    site: Site, services: Services, clock: ManualClock, boss: Browser, rep: Browser
) -> None:
    wanted = await tag(services)
    ids = [await customer(site, rep, name=str(n)) for n in range(3)]
    await give_tag(services, ids[:2], wanted)
    sop = await made(boss, plan({"on": "tag", "tag_ids": [wanted]}, task(1)), on=False)
    assert await boss.post(f"/api/sops/{sop}/matching") == {"n": 2}
    assert (await boss.post(f"/api/sops/{sop}/enable", {"also_matching": True}))["sop"]["enrolling"]
    await turn(services)
    assert [row[0] for row in await entries(services, sop)] == ids[:2]
    found = await boss.get(f"/api/sops/{sop}")
    assert not found["sop"]["enrolling"]
    assert await boss.post(f"/api/sops/{sop}/matching") == {"n": 0}
    # Switched off, nobody begins; what happened meanwhile is not made up for.
    await boss.post(f"/api/sops/{sop}/disable")
    await give_tag(services, ids[2:], wanted)
    await turn(services)
    clock.advance(60)
    await boss.post(f"/api/sops/{sop}/enable", {})
    await turn(services)
    assert len(await entries(services, sop)) == 2


async def test_who_began_goes_on_with_the_version_they_began_with(
    site: Site, services: Services, clock: ManualClock, boss: Browser, rep: Browser
) -> None:
    wanted = await tag(services)
    start = {"on": "tag", "tag_ids": [wanted]}
    sop = await made(boss, plan(start, task(1, title="旧")))
    one, two = await customer(site, rep), await customer(site, rep)
    await give_tag(services, [one], wanted)
    await turn(services)
    body = {"version": 1, "plan": plan(start, task(1, title="新"))}
    status, found = await boss.call("PATCH", f"/api/sops/{sop}", json=body)
    assert (status, found["sop"]["version"], found["versions"][1]["under_way"]) == (200, 2, 1)
    assert (await boss.call("PATCH", f"/api/sops/{sop}", json=body))[0] == 409
    await give_tag(services, [two], wanted)
    await turn(services)
    await wait_until(services, clock, at(2, 10))
    assert [(await tasks_of(services, who))[0]["text"] for who in (one, two)] == ["旧", "新"]


async def test_by_hand(site: Site, services: Services, clock: ManualClock, boss: Browser, rep: Browser) -> None:
    wanted = await tag(services)
    sop = await made(boss, plan({"on": "tag", "tag_ids": [wanted]}, task(1)))
    one = await customer(site, rep)
    path = f"/api/customers/{one}/sops"
    body = {"client_token": "begin-by-hand", "sop_id": sop}
    status, error = await rep.call("POST", path, json=body)
    assert (status, error["error"]) == (409, "does_not_fit")
    await give_tag(services, [one], wanted)
    await services.db.execute("delete from sop_entry")
    found = await rep.post(path, body, status=201)
    assert await rep.post(path, body) == found
    [entry] = [row["entry"] for row in found["entries"]]
    assert (entry["state"], entry["next_title"], found["offered"]) == ("under_way", "第1天", [])
    await turn(services)  # The tag's own beginning finds them in it.
    assert len(await entries(services, sop)) == 1
    status, error = await rep.call("POST", path, json={**body, "client_token": "another-token"})
    assert (status, error["error"]) == (409, "in_it_already")
    stopped = await rep.post(f"/api/sop-entries/{entry['id']}/stop")
    assert (stopped["entries"][0]["entry"]["state"], stopped["entries"][0]["entry"]["reason"]) == ("stopped", "by_hand")
    assert await rep.post(f"/api/sop-entries/{entry['id']}/stop") == stopped
    stranger = await site.signed_in("rep")
    assert (await stranger.call("POST", path, json=body))[0] == 404
    assert (await stranger.call("GET", path))[0] == 404
    assert [row["customer_id"] for row in (await boss.get(f"/api/sops/{sop}/entries", state="stopped"))["entries"]] == [
        one
    ]


async def test_a_filter_that_speaks_of_what_is_gone_switches_the_plan_off(
    site: Site, services: Services, clock: ManualClock, boss: Browser, rep: Browser
) -> None:
    await services.db.execute("insert into custom_field (key, name, kind) values ('fold', '旧', 'text')")
    wanted = await tag(services)
    gone = {"match": "all", "parts": [{"field": "fields.fold", "op": "empty"}]}
    sop = await made(boss, plan({"on": "tag", "tag_ids": [wanted]}, task(1), filter=gone), name="gone")
    other = await made(boss, plan({"on": "tag", "tag_ids": [wanted]}, task(1)), name="other")
    first, second = await customer(site, rep), await customer(site, rep)
    await give_tag(services, [first], wanted)
    await turn(services)
    await services.db.execute("update custom_field set archived_at = now()")
    await give_tag(services, [second], wanted)
    await turn(services)
    found = (await boss.get(f"/api/sops/{sop}"))["sop"]
    assert (found["enabled"], found["problem"]) == (False, "bad_filter")
    assert len(await entries(services, other)) == 2
    status, _ = await boss.call("POST", f"/api/sops/{sop}/enable", json={})
    assert status == 422


async def test_deleting_is_taken_back(site: Site, services: Services, clock: ManualClock, boss: Browser) -> None:
    sop = await made(boss, plan({"on": "tag", "tag_ids": [await tag(services)]}, task(1)))
    async with boss.http.delete(f"{boss.base}/api/sops/{sop}", headers={"X-CSRF-Token": boss.csrf}) as answer:
        step = answer.headers["X-Undo-Step"].split(";")[0]
    assert (await boss.get("/api/sops"))["sops"] == []
    await boss.post(f"/api/undo/{step}")
    assert [(row["id"], row["enabled"]) for row in (await boss.get("/api/sops"))["sops"]] == [(sop, False)]


async def test_of_two_customers_that_are_one_the_plan_goes_on_once(
    site: Site, services: Services, clock: ManualClock, boss: Browser, rep: Browser
) -> None:
    wanted = await tag(services)
    sop = await made(boss, plan({"on": "tag", "tag_ids": [wanted]}, task(1)))
    other = await made(boss, plan({"on": "tag", "tag_ids": [wanted]}, task(1)), name="other")
    one, two = await customer(site, rep), await customer(site, rep)
    await give_tag(services, [one, two], wanted)
    await turn(services)
    await services.db.execute("delete from sop_entry where sop_id = $1 and customer_id = $2", other, one)
    await boss.post("/api/customers/merge", {"into": one, "ids": [one, two]})
    await wait_until(services, clock, at(2, 10))
    assert sorted(row[:3] for row in await entries(services, sop)) == [(one, "done", ""), (two, "stopped", "gone")]
    assert await entries(services, other) == [(one, "done", "", 1)]
