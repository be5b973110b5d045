"""What a customer answers to a rep, plausibly: chosen by what the rep wrote."""

from __future__ import annotations

import random
import re

GOODBYE = re.compile(r"再见|拜拜|不客气|祝您|晚安|感谢您的(支持|信任|评价)|上班时间是|请稍候")
"""After these, and what is said by itself, there is nothing to say."""
SURVEY = re.compile(r"打分|评价")
SCORES = ("5 非常满意", "5", "5", "4 满意", "3 一般", "⭐⭐⭐⭐⭐")
MENUS = frozenset({"msgmenu", "question_guide_card"})
REACTIONS: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = tuple(
    (re.compile(pattern), answers)
    for pattern, answers in (
        (r"电话|手机号?|联系方式", ("13800002468，微信同号", "13900001357，白天不方便接，晚上七点后打给我吧")),
        (r"地址|哪个城市|在哪", ("苏州工业园区星湖街 328 号", "杭州滨江，江南大道附近", "上海徐汇，龙华中路那边")),
        (r"订单号", ("20241118007352", "订单号 6920418837，昨天下的单")),
        (r"照片|图片|拍(一下|张|个)", ("好的，我拍一下，稍等", "在上班，晚上回家拍给你可以吗")),
        (
            r"尺寸|多大|多宽|几米|面积",
            ("客厅大概 4 米 2 乘 3 米 6", "餐厅比较小，2 米 8 见方", "层高 2 米 75，面积 20 平左右"),
        ),
        (r"预算", ("五千以内吧，能再好看一点可以加点", "沙发加茶几控制在八千")),
        (r"颜色|色系|灰|白|胡桃", ("雾灰吧，耐脏", "我比较喜欢浅色的", "胡桃色会不会显暗？")),
        (
            r"周[一二三四五六日末]|明天|后天|上午|下午|几点",
            ("可以，就这个时间", "那天下午有事，能不能改上午", "行，到时候提前打个电话"),
        ),
        (r"优惠|活动|折|券|便宜", ("还能再便宜点吗😂", "这个活动到什么时候结束？", "好的，那我今天就下单")),
        (r"[¥￥]|\d+ ?元|价", ("比我预想的贵一点，包安装吗？", "价格可以，能开发票吗", "那两件一起买有优惠吗")),
        (r"发货|物流|快递|送(货|装|到)", ("好的，大概几天能到？", "能指定周末送吗", "到之前会打电话吧？")),
        (r"抱歉|对不起|不好意思", ("没事，尽快处理就行", "嗯，希望这次能解决", "好吧，那我再等等")),
        (r"实木|材质|环保|检测|甲醛", ("有检测报告可以看吗", "放心了，家里有小孩比较在意这个")),
        (r"安装|师傅", ("师傅大概什么时候联系我？", "安装要另外收费吗")),
        (r"预约|门店|到店", ("好的，到了报谁的名字？", "门店好停车吗")),
        (r"链接|小程序|下单|付款", ("找到了，我看看", "已付款，麻烦尽快发货", "点进去了，选哪个规格？")),
        (r"[?？吗]\s*$", ("是的", "对，没错", "嗯嗯，可以", "不太确定，你推荐一下呢")),
        (r"^(您好|你好|在的|在呢)", ("在吗，我刚才的问题帮我看下", "你好呀，就是上面问的那个", "嗯，想了解一下")),
    )
)
OTHERWISE = ("好的", "明白了，谢谢", "嗯嗯", "好的，我考虑一下", "收到👌", "那就这么定吧", "可以可以", "谢谢，回复好快")
TO_FILES = {
    "image": ("好看！这个就是我想要的感觉", "还有别的角度吗", "看着不错诶"),
    "location": ("收到，导航过去", "好的，离我不远"),
    "file": ("好的，我仔细看看", "收到"),
    "link": ("打开了，我看看", "好的"),
}
QUESTIONS = {
    "presale": (
        "{product}现在有现货吗？", "{product}和松影系列能搭配吗", "{product}有几个颜色可以选", "请问{product}可以定制尺寸吗",
        "{product}这周下单什么时候能到上海", "家里有宠物，{product}合适吗",
    ),
    "aftersale": (
        "{product}收到了，但是少了说明书", "{product}用着有点响，正常吗", "想给{product}约个保养，怎么收费",
        "{product}的质保卡丢了还能保修吗", "上次说补发的配件还没收到",
    ),
    "store": ("{city}店今天有{product}的样品吗", "周末去{city}店看{product}要预约吗", "{city}店地铁几号口出来"),
    "flagship": ("{product}今天有活动吗", "视频里的{product}是实物颜色吗", "{product}可以发{city}吗，运费多少", "{product}有小一号的吗"),
    "lighting": ("望月吊灯配 1 米 6 的餐桌用几头的", "浅川落地灯的灯泡可以换吗", "吸顶灯 20 平客厅用多少瓦", "有没有可以连小爱的灯"),
    "official": (
        "看了今天的推文，{product}还有优惠吗", "{product}在{city}店能看到吗", "公众号下单和门店价格一样吗", "{product}送到{city}要几天",
    ),
    "live_room": ("今晚直播有{product}吗", "直播间的{product}和橱窗是一样的吗", "刚才主播说的赠品还有吗", "怎么没抢到呀，还会返场吗"),
}  # fmt: skip
PRODUCTS = ("云栖三人沙发", "青岚餐桌", "松影床架", "木言书柜", "听雨茶几", "小满儿童床", "青岚餐椅")
CITIES = ("苏州", "上海", "杭州", "南京", "武汉")


def reaction(kind: str, text: str, chance: random.Random) -> str | None:
    """What the customer writes back; None when the talk is over."""
    if kind in TO_FILES:
        return chance.choice(TO_FILES[kind])
    if GOODBYE.search(text):
        return None
    if kind in MENUS or SURVEY.search(text):
        return chance.choice(SCORES)
    for pattern, answers in REACTIONS:
        if pattern.search(text):
            return chance.choice(answers)
    return chance.choice(OTHERWISE)


def question(account: str, chance: random.Random) -> str:
    """Something that a customer of this account might want to know."""
    asked = chance.choice(QUESTIONS[account])
    return asked.format(product=chance.choice(PRODUCTS), city=chance.choice(CITIES))
