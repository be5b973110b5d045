"""Two hundred customers, three reps, two processes: the day ends in exactly these states and figures."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from inbox import attendance, snooze, transfer
from inbox.figures_command import check_figures, rebuild_figures
from inbox.queries import one_moment
from inbox.team import TeamQuery, overview
from scrm.config import Settings
from scrm.permissions import Scope
from tests.flows.day import OFFICE, Day, working_day
from tests.flows.reads import broken_invariants

SHANGHAI = ZoneInfo("Asia/Shanghai")
MORNING = datetime(2026, 12, 2, 9, 0, tzinfo=SHANGHAI)
"""A Wednesday without a holiday near."""
MINE = "c.assignee_id = $1 and c.status = 'open'"


async def test_a_day_of_work(settings: Settings) -> None:
    async with working_day(settings, MORNING) as day:
        await _decide(day)
        await _morning_rush(day)
        await _answer_and_close(day)
        await _break_promises(day)
        await _somebody_leaves(day)
        await _snooze_and_transfer(day)
        await _surveys_come_back(day)
        await _finish_the_day(day)
        await _after_hours(day)
        await _everything_adds_up(day)


async def _decide(day: Day) -> None:
    await day.rule("hours", "工作时间", plan={"weekly": OFFICE, "holidays": True, "exceptions": []})
    await day.rule("assignment", "老客户", conditions={"returning": True}, action="same_rep")
    await day.rule("assignment", "新客户", action="least_busy", otherwise="queue")
    await day.rule("sla", "五分钟", first_seconds=300, next_seconds=600, warn_seconds=60)
    await day.rule("answer", "排队", occasion="queued", text="前面有客户在咨询，请稍候。")
    await day.rule("answer", "下班", occasion="off_hours", text="我们明天 9 点上班，到时回复您。")
    await day.rule("survey", "满意度", question="请为本次服务打分", quiet_days=30)
    await day.flow(capacity=40, on_leave="waiting", leave_minutes=5, absent_minutes=0)


async def _morning_rush(day: Day) -> None:
    """09:00: 120 write, each rep gets 40. 09:01: 80 more find nobody free and are told so."""
    await day.say(day.people(120))
    for rep in day.reps:
        assert len(await day.ids(MINE, rep.agent_id)) == 40
    day.clock.advance(60)
    await day.write(day.shoppers(80))
    await day.count("conversation where route_state = 'queued'", 80)
    await day.count("message where sender_kind = 'bot' and state = 'sent'", 80)


async def _answer_and_close(day: Day) -> None:
    """09:03: the first answers all of theirs and closes them, the second answers all and closes half: 60 come out of the queue."""
    first, second, _ = day.reps
    day.clock.advance(120)
    for rep, number in ((first, 40), (second, 20)):
        theirs = await day.ids(MINE, rep.agent_id)
        await day.answers(rep, theirs)
        await day.closes(rep, theirs[:number])
        await day.settled()
    await day.count("conversation where route_state = 'queued'", 20)
    await day.count("survey", 60)
    # At 09:04 the first one answers what came.
    day.clock.advance(60)
    await day.answers(first, await day.ids(f"{MINE} and c.waiting_since is not null", first.agent_id))
    await day.settled()
    kinds = await day.kinds()
    assert (kinds["answered"], kinds["sla_met"], kinds.get("sla_breached", 0)) == (120, 120, 0)


async def _break_promises(day: Day) -> None:
    """09:07: the third has not answered anybody (40), the second not what came out of the queue (20), 20 are in the queue still."""
    day.clock.advance(180)
    await day.count("conversation_event where kind = 'sla_breached'", 80)
    third = day.reps[2]
    told = await day.services.db.fetch(
        "select agent_id, count(*) as n from notification where kind = 'sla_breached' group by 1"
    )
    assert {row["agent_id"]: row["n"] for row in told} == {
        day.manager.agent_id: 80, day.reps[1].agent_id: 20, third.agent_id: 40,
    }  # fmt: skip


async def _somebody_leaves(day: Day) -> None:
    """09:07: the third goes away; five minutes later her 40 are back in the queue, where 20 are waiting."""
    third = day.reps[2]
    async with day.services.work() as work:
        await attendance.set_status(work, third.agent_id, "away")
    day.clock.advance(301)
    await day.count("conversation where route_state = 'queued'", 60)
    assert await day.ids("c.assignee_id = $1", third.agent_id) == []
    await day.settled()


async def _snooze_and_transfer(day: Day) -> None:
    """09:12: snoozing 10 makes room for the 10 who wait longest; handing over 5 makes room for 5 with the second."""
    first, second, _ = day.reps
    theirs = await day.ids(MINE, first.agent_id)
    until = day.clock.at.replace(hour=11, minute=0, second=0)
    await day.each(theirs[:10], lambda work, one: snooze.snooze(work, first, one, until))
    await day.count("conversation where route_state = 'queued'", 50)
    handed = (await day.ids(f"{MINE} and c.waiting_since is null", second.agent_id))[:5]
    await day.each(handed, lambda work, one: transfer.transfer(work, second, one, first.agent_id, "请接一下"))
    await day.each(handed, lambda work, one: transfer.accept(work, first, one))
    await day.count("conversation where route_state = 'queued'", 45)
    assert len(await day.ids(MINE, first.agent_id)) == 45
    assert len(await day.ids(MINE, second.agent_id)) == 40


async def _surveys_come_back(day: Day) -> None:
    """Of the 60 who were asked, 30 give a 5, 10 a 2 and 5 write something else, which opens their conversations again."""
    asked = await day.services.db.fetch(
        "select k.external_id from survey s join contact k on k.id = s.contact_id order by s.id"
    )
    people = [row["external_id"] for row in asked]
    await day.say(people[:30], "5")
    await day.say(people[30:40], "不满意")
    assert len(await day.ids("c.status = 'closed'")) == 60
    await day.say(people[40:45], "再问一下安装")
    assert len(await day.ids("c.status = 'closed'")) == 55


async def _finish_the_day(day: Day) -> None:
    """11:00: who slept is awake. The third is back; everybody is answered, whoever has room takes the rest, and all is closed."""
    day.clock.advance(datetime(2026, 12, 2, 11, 0, 1, tzinfo=SHANGHAI) - day.clock.at)
    await day.nothing("conversation where status = 'snoozed'")
    async with day.services.work() as work:
        await attendance.set_status(work, day.reps[2].agent_id, "online")
    for _ in range(4):
        for rep in day.reps:
            theirs = await day.ids(MINE, rep.agent_id)
            await day.answers(rep, [one for one in theirs if one in await _waiting(day)])
            await day.closes(rep, theirs)
        await day.settled()
    await day.nothing("conversation where status <> 'closed' or route_state <> ''")
    await day.count("conversation where status = 'closed'", 200)


async def _waiting(day: Day) -> set[int]:
    return set(await day.ids("c.waiting_since is not null and c.status = 'open'"))


async def _after_hours(day: Day) -> None:
    """20:00: ten who were served write again. They hear once that nobody is in, and go to the rep they know."""
    day.clock.advance(datetime(2026, 12, 2, 20, 0, tzinfo=SHANGHAI) - day.clock.at)
    rows = await day.services.db.fetch(
        "select k.external_id, c.id, c.assignee_id from conversation c join contact k on k.id = c.contact_id "
        "join account a on a.id = c.account_id where a.external_id = $1 order by c.id limit 10",
        day.kf,
    )
    for text in ("你好", "有人吗"):
        await day.say([row["external_id"] for row in rows], text)
    await day.count("conversation_event where kind = 'auto_replied' and data->>'kind' = 'off_hours'", 10)
    for row in rows:
        now = await day.services.db.fetchrow("select * from conversation where id = $1", row["id"])
        assert now is not None
        assert (now["status"], now["assignee_id"], now["sla_kind"]) == ("open", row["assignee_id"], "first")
        assert now["sla_due_at"] == datetime(2026, 12, 3, 9, 5, tzinfo=SHANGHAI)


async def _everything_adds_up(day: Day) -> None:
    await day.nothing("conversation_event where not counted")
    assert await broken_invariants(day.services.db) == []
    report = await check_figures(day.services, None, None)
    assert report.differences == []
    assert report.answers == (await day.kinds())["answered"]
    async with one_moment(day.services.db) as tx:
        scope = Scope.of(day.manager)
        shown = await overview(tx, scope, TeamQuery(day=MORNING.date()), day.clock.now())
    today = shown.today
    assert (today.opened, today.reopened, today.closed) == (200, 15, 205)
    # 80 kept: 80 in three minutes, 40 of the queue in three; the other 80 were broken, 5 came again.
    assert today.sla_breached == 80 + 5
    assert today.sla_met == 120
    assert today.answered == 120 + 80 + 5
    assert today.first.median == 180
    assert today.surveys_sent == 60 + 140
    assert (today.scores, today.satisfaction) == ([0, 10, 0, 0, 30], 4.25)
    assert today.transferred == 5
    assert shown.open == 10
    # A day counted anew is the same day; and what was changed by hand is found.
    before = await day.services.db.fetch("select * from figure_day order by 1, 2, 3")
    assert (await rebuild_figures(day.services, None, None)).differences == []
    assert await day.services.db.fetch("select * from figure_day order by 1, 2, 3") == before
    await day.services.db.execute("update figure_day set closed = closed + 1 where agent_id = $1", day.reps[0].agent_id)
    await day.services.db.execute(
        "delete from conversation_event where id = (select min(id) from conversation_event where kind = 'answered')"
    )
    kinds = {one[0] for one in (await check_figures(day.services, None, None)).differences}
    assert kinds == {"figures", "messages"}
