"""Whose turn it is: answers given elsewhere, the last message of a window, surveys, and people who leave."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from inbox import attendance
from inbox.figures_command import check_figures
from scrm.config import Settings
from scrm.people import set_disabled
from tests.company import CORP
from tests.flows.day import OFFICE, working_day

MORNING = datetime(2026, 12, 2, 9, 0, tzinfo=ZoneInfo("Asia/Shanghai"))


async def _row(day: Any) -> Any:
    return await day.services.db.fetchrow("select * from conversation")


async def test_an_answer_in_the_platforms_own_client_ends_the_promise(settings: Settings) -> None:
    async with working_day(settings, MORNING) as day:
        await day.rule("sla", "五分钟", first_seconds=300, warn_seconds=0)
        (who,) = day.people(1)
        await day.say([who])
        day.clock.advance(120)
        day.wecom.control.create_member(CORP, "zhangsan", "张三")
        day.wecom.control.servicer_takes(day.kf, who, "zhangsan")
        day.wecom.control.servicer_says(day.kf, who, "zhangsan", "在的")
        day.wecom.control.ring(day.kf)
        await day.count("conversation_event where kind = 'sla_met'", 1)
        row = await _row(day)
        assert (row["waiting_since"], row["sla_kind"], row["sla_look_at"]) == (None, "", None)
        event = await day.services.db.fetchrow("select agent_id, data from conversation_event where kind = 'answered'")
        assert event is not None
        assert (event["agent_id"], event["data"]) == (None, {"seconds": 120, "working_seconds": 120, "first": True})
        assert (await check_figures(day.services, None, None)).differences == []


async def test_the_last_message_of_a_window_is_left_to_people(settings: Settings) -> None:
    async with working_day(settings, MORNING.replace(hour=20)) as day:
        await day.rule("hours", "白天", plan={"weekly": OFFICE, "holidays": False})
        await day.rule("answer", "下班", text="明天见")
        (who,) = day.people(1)
        # In the queue's shadow: all but one message of the window has been used before the turn is looked at.
        await day.say([who])
        await day.count("message where sender_kind = 'bot'", 1)
        day.clock.advance(timedelta(days=1))
        await day.services.db.execute("update conversation set window_quota = 1, window_used = 0, waiting_since = null")
        used = await day.services.db.fetchval("select count(*) from auto_reply")
        async with day.services.work() as work:
            await work.tx.execute(
                "update conversation set waiting_since = $1, route_state = 'turn', window_expires_at = $2",
                work.now, work.now + timedelta(hours=1),
            )  # fmt: skip
            work.ring("turn")
        await day.settled()
        assert await day.services.db.fetchval("select count(*) from message where sender_kind = 'bot'") == 1
        # What was not said is not used up: when there is room again, it is said.
        assert await day.services.db.fetchval("select count(*) from auto_reply") == used
        await day.services.db.execute("update conversation set window_quota = 5, route_state = 'turn'")
        await day.count("message where sender_kind = 'bot'", 2)


async def test_a_survey_is_asked_once_and_words_are_read_by_a_person(settings: Settings) -> None:
    async with working_day(settings, MORNING) as day:
        await day.rule("survey", "评价", question="请打分", thanks="谢谢评价", quiet_days=7)
        rep, (who,) = day.reps[0], day.people(1)
        await day.say([who])
        await day.answers(rep, await day.ids("true"))
        await day.closes(rep, await day.ids("true"))
        await day.settled()
        await day.say([who], "5，很快")
        row = await _row(day)
        assert (row["status"], row["unread"]) == ("open", 1)
        answer = await day.services.db.fetchrow("select score, comment from survey")
        assert answer is not None
        assert tuple(answer) == (5, "很快")
        # Asked again only after the quiet days.
        await day.closes(rep, [row["id"]])
        await day.settled()
        await day.count("survey", 1)
        day.clock.advance(timedelta(days=8))
        await day.say([who], "你好")
        day.clock.advance(60)
        await day.answers(rep, [row["id"]])
        await day.closes(rep, [row["id"]])
        await day.count("survey", 2)
        await day.settled()
        # A late number is a message like any other.
        day.clock.advance(timedelta(hours=25))
        await day.say([who], "5")
        assert (await _row(day))["status"] == "open"
        assert await day.services.db.fetchval("select count(*) from survey where score is not null") == 1
        assert (await check_figures(day.services, None, None)).differences == []


async def test_chats_of_people_who_are_locked_out_never_keep_a_customer_waiting(settings: Settings) -> None:
    async with working_day(settings, MORNING, reps=2) as day:
        await day.flow(on_leave="keep", leave_minutes=1, absent_minutes=0)
        await day.rule("assignment", "轮流", action="round_robin")
        first, second = day.reps
        await day.say(day.people(4))
        assert len(await day.ids("c.assignee_id = $1", first.agent_id)) == 2
        async with day.services.work() as work:
            await attendance.set_status(work, second.agent_id, "away")
            await set_disabled(work, first.agent_id, True)
        day.clock.advance(61)
        await day.count(f"conversation where assignee_id = {first.agent_id}", 0)
        await day.settled()
        # Away is no reason to lose one's chats here; and nobody is left to take those that came back.
        assert len(await day.ids("c.assignee_id = $1", second.agent_id)) == 2
        assert len(await day.ids("c.assignee_id is null")) == 2
        why = await day.services.db.fetchval(
            "select data->'why'->>'en' from conversation_event where kind = 'unassigned' limit 1"
        )
        assert why == "rep1 was locked out: waiting conversations go back"
        async with day.services.work() as work:
            await attendance.set_status(work, second.agent_id, "online")
