"""How the sample company works: its hours, to whom chats go, what it promises, what it says by itself, and that it asks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from inbox.rulebook import FLOW, GENERAL, FlowSettings, General, RuleKind
from scrm.services import Services
from simulator.company.people import COMPANY, SUPPORT

INSERT = """
insert into inbox_rule (kind, name, position, data) select $1, $2, $3, $4
where not exists (select from inbox_rule where kind = $1 and name = $2)
"""
START_CLOCKS = "update conversation set route_state = 'turn' where waiting_since > $1 and status = 'open'"
RECENT = timedelta(minutes=10)


async def decide(services: Services) -> None:
    """Once, after the company's past was played: nothing is decided about it afterwards but the clocks of those who just wrote."""
    async with services.work() as work:
        await GENERAL.save(work, General(name=COMPANY), by=None)
        # The colleagues are simulated and have no page open.
        await FLOW.save(work, FlowSettings(capacity=25, on_leave="keep", absent_minutes=0), by=None)
        aftersale = await work.tx.fetchval("select id from account where name = '售后服务' order by id limit 1")
        support = await work.tx.fetchval("select id from team where name = $1", SUPPORT)
        for position, (kind, name, data) in enumerate(_rules(aftersale, support)):
            await work.tx.execute(INSERT, kind, name, position, data)
        await work.tx.execute(START_CLOCKS, work.now - RECENT)
        work.ring("setting")
        work.ring("turn")


def _rules(aftersale: int | None, support: int | None) -> list[tuple[RuleKind, str, dict[str, Any]]]:
    evening = [{"start": 9 * 60, "end": 22 * 60}]
    own = {"account_ids": [aftersale]} if aftersale else {}
    return [
        ("hours", "每天 9:00～22:00", {"account_ids": [], "plan": {"weekly": [evening] * 7, "holidays": False}}),
        ("assignment", "老客户找熟悉的客服", {"conditions": {"returning": True}, "action": "same_rep"}),
        (
            "assignment",
            "售后轮流接待",
            {
                "conditions": own,
                "action": "round_robin",
                "team_ids": [support] if support else [],
                "otherwise": "queue",
            },
        ),
        ("assignment", "其余给最空闲的人", {"action": "least_busy", "otherwise": "queue"}),
        ("sla", "标准时限", {"first_seconds": 180, "next_seconds": 600, "working_hours": False, "warn_seconds": 60}),
        (
            "answer",
            "下班后",
            {"occasion": "off_hours", "text": "您好，我们的上班时间是每天 9:00～22:00，上班后会第一时间回复您。"},
        ),
        ("answer", "排队中", {"occasion": "queued", "text": "您好，目前咨询的客户较多，请稍候，很快有人为您服务。"}),
        (
            "survey",
            "服务评价",
            {"question": "请为本次服务打分，您的评价对我们很重要", "thanks": "感谢您的评价！", "quiet_days": 30},
        ),
    ]
