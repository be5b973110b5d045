"""What the sample company knows of its customers besides their chats: its words for them, and what its people noted."""

from __future__ import annotations

from dataclasses import dataclass

TAG_GROUPS: tuple[tuple[str, str, bool, tuple[str, ...]], ...] = (
    ("购买意向", "red", True, ("高意向", "中意向", "随便看看")),
    ("风格偏好", "purple", False, ("北欧", "新中式", "奶油风", "工业风")),
    ("客户类型", "blue", False, ("新房装修", "旧房改造", "民宿酒店", "设计师")),
    ("服务提醒", "orange", False, ("价格敏感", "要送装", "投诉过")),
)
"""Name, colour, whether a customer has one of them at most, and the tags."""

FIELDS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("房屋面积", "number", ()),
    ("装修进度", "choice", ("毛坯", "水电", "硬装完成", "已入住")),
    ("预计入住", "date", ()),
    ("关注品类", "multi", ("沙发", "餐桌", "床", "灯具", "定制柜")),
)
"""Name, kind and choices."""

CITIES = ("杭州", "上海", "南京", "苏州", "宁波", "合肥", "成都")
SOURCES = ("抖音直播", "抖音短视频", "门店", "老客介绍", "小红书")


@dataclass(frozen=True, slots=True)
class Note:
    """``hours``: how long ago. ``next_hours``: when the next step is due from now on, negative: it is overdue; None: none."""

    kind: str
    text: str
    outcome: str
    hours: int
    next_text: str = ""
    next_hours: int | None = None


NOTES: tuple[Note, ...] = (
    Note(
        "call",
        "电话沟通：客厅 32 平，喜欢云朵沙发四人位，预算 1 万左右，要等先生看过再定。",
        "interested",
        5,
        "发四人位实拍图和尺寸",
        3,
    ),
    Note("chat", "要了照明方案，全屋灯具 12 盏，想和吊扇灯一起算折扣。", "interested", 26, "发报价单", -20),
    Note("visit", "到店看了岩板餐桌，1.6 米合适，等物业确认电梯尺寸。", "interested", 46, "问电梯尺寸，约送货日期", 22),
    Note("call", "没接，改天再打。", "no_answer", 30, "再打一次电话", -3),
    Note("chat", "已付定金 2000，月底前付尾款。", "agreed", 44, "确认尾款", 46),
    Note("meeting", "和设计师一起过了一遍平面图，主卧改 1.8 米床。", "interested", 40, "出第二版方案", 6),
    Note("call", "孩子刚出生，半年后再考虑儿童房。", "not_now", 47, "半年后回访", 24 * 170),
    Note("chat", "灯罩裂纹已补发，客户确认收到。", "reached", 8),
    Note("call", "对比了另一家的价格，差 600，申请会员折扣。", "interested", 20, "答复能不能给折扣", 1),
    Note("visit", "上门量尺完成，玄关柜 1.2 米，图纸三天内给。", "agreed", 28, "给玄关柜图纸", 70),
    Note("mail", "发了民宿 18 间的整体报价，等对方老板回来看。", "reached", 45, "跟进民宿报价", -44),
    Note("chat", "安装师傅周六上午到，提前一小时联系。", "agreed", 12, "安装后回访满意度", 52),
)

STAGES: tuple[str, ...] = (
    "意向",
    "报价",
    "新客",
    "意向",
    "成交",
    "报价",
    "流失",
    "成交",
    "意向",
    "合同",
    "报价",
    "成交",
)
"""Of those with notes, in the same order; everybody else is new."""
LOST_BECAUSE = "价格太高"
VALUES = (
    980_000,
    1_260_000,
    560_000,
    329_900,
    1_880_000,
    2_450_000,
    None,
    29_900,
    749_900,
    1_640_000,
    18_600_000,
    432_000,
)
"""Expected money in fen."""
POOL_RULE = "30 天没有跟进"
