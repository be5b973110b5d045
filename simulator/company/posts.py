"""What the sample company says to many: who wrote it, to whom, and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Campaign:
    """``way``: only over accounts where posts go this way; empty: over all; ``moment``: in the Moments of all who have them. A campaign whose way nobody has is left out."""

    name: str
    text: str
    by: str
    way: Literal["", "task", "broadcast", "reply", "moment"]
    schedule: dict[str, Any]
    submitted: bool = True


WAITS_FOR_APPROVAL_OF = "marketer"
"""Whatever people of this role submit needs a second person."""

CAMPAIGNS = (
    Campaign(
        "冬季新品：云朵沙发到店",
        "{{greeting}}！{{company.name}}冬季新品「云朵沙发」到店啦，四人位 9,880 元起，本周六日试坐有礼。回复「沙发」看实拍图～",
        "manager",
        "broadcast",
        {"mode": "now", "quiet": None},
    ),
    Campaign(
        "老客关怀：天冷了，给皮沙发做个保养",
        "{{greeting}}，天气转冷，皮沙发容易干裂。本月{{company.name}}老客户免费上门保养一次，回复「保养」约师傅。",
        "manager",
        "broadcast",
        {"mode": "now", "quiet": None, "spread_minutes": 2 * 24 * 60},
    ),
    Campaign(
        "双十二全屋灯具 8 折预告",
        "{{greeting}}！双十二全屋灯具 8 折，望月吊灯首次参加活动。12 月 10 日 20:00 开抢，库存有限，先到先得。",
        "marketer",
        "",
        {"mode": "recurring", "calendar": {"every": "week", "days": [5], "time": "19:30"}, "times": 4},
    ),
    Campaign(
        "朋友圈：云朵沙发到店试坐",
        "云朵沙发到店啦，坐下就不想起来。周末来{{company.name}}试坐，送同色抱枕一对。",
        "manager",
        "moment",
        {"mode": "now", "quiet": None},
    ),
    Campaign(
        "新年问候（草稿）",
        "{{greeting}}，新的一年，愿你的家更温暖。",
        "marketer",
        "",
        {"mode": "now"},
        submitted=False,
    ),
)
