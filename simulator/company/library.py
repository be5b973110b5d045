"""What the sample company keeps to say again: quick replies, materials, macros. Content only; ``scrm.demo_library`` puts it in."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.company.people import SALES, SUPPORT


@dataclass(frozen=True)
class Piece:
    """``file`` names a drawing; ``content`` is a card's."""

    text: str = ""
    kind: str = "text"
    file: str = ""
    content: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Reply:
    """``team`` empty: the company's; ``owner``: a login, then it is that person's alone."""

    title: str
    shortcut: str
    folder: str
    pieces: tuple[Piece, ...]
    team: str = ""
    owner: str = ""
    uses: int = 0


@dataclass(frozen=True)
class Material:
    title: str
    folder: str
    kind: str = "image"
    file: str = ""
    content: tuple[tuple[str, str], ...] = ()
    uses: int = 0


@dataclass(frozen=True)
class Macro:
    """Acts: ``reply:title``, ``label:name``, ``assign_me``, ``snooze:hours``, ``note:text``, ``close``."""

    name: str
    acts: tuple[str, ...]


def _say(*texts: str) -> tuple[Piece, ...]:
    return tuple(Piece(text) for text in texts)


REPLIES = (
    Reply("问候", "nh", "常用", _say("{{greeting}}，{{customer.name}}！我是{{account.name}}的{{agent.name}}，很高兴为您服务。"), uses=126),
    Reply("稍等查询", "sd", "常用", _say("您稍等，我马上帮您查一下，2 分钟内回复您。"), uses=98),
    Reply("发货时效", "fh", "常用/物流", _say("{{customer.name}}您好，今天 16:00 前付款当天发货，江浙沪次日达，其他地区 2～4 天送达。"), uses=211),
    Reply("送货与安装", "az", "常用/物流", _say("大件免费送货上门并安装，师傅会提前一天打电话和您约时间。", "电梯放不下需要吊装时，费用由楼层决定，下单前我们会先帮您确认。"), uses=74),
    Reply("优惠券", "yhq", "活动", _say("直播间专享券满 3000 减 200，有效至今晚 24:00，领取后下单自动抵扣。"), uses=63),
    Reply("双十二活动", "s12", "活动", _say("双十二全场满 5000 减 500，可与会员折扣同享，活动到 12 月 12 日 24:00 结束。"), uses=41),
    Reply(
        "云栖沙发介绍", "yq", "产品/沙发",
        (
            Piece("云栖三人位长 2.28 米、深 0.95 米，科技布防泼水、可拆洗，有米白和雾灰两个颜色。"),
            Piece(kind="image", file="sofa"),
            Piece("需要的话可以免费寄布样给您，把城市和收件电话发我就行。"),
        ),
        team=SALES, uses=57,
    ),
    Reply(
        "望月吊灯介绍", "wy", "产品/灯具",
        (Piece("望月吊灯三色温可调，10～18 平米的餐厅或书房都合适，AA 级照度，无可视频闪。"), Piece(kind="image", file="lamp")),
        team=SALES, uses=33,
    ),
    Reply("选沙发尺寸", "cc", "产品/沙发", _say("您量一下摆沙发那面墙的长度告诉我，我帮您看放几人位合适，两侧各留 20 厘米最舒服。"), team=SALES, uses=29),
    Reply("价格有优惠吗", "jg", "产品", _say("今天下单是活动价，已经是全年最低啦。付款后 7 天内降价，我们补差价给您。"), team=SALES, uses=88),
    Reply("预约到店", "dd", "门店", _say("好的，已为您登记{{tomorrow}}到店。地址和停车位置我发您，到了直接找我就行。"), team=SALES, uses=25),
    Reply("请发照片", "zp", "售后", _say("非常抱歉给您添麻烦了。麻烦拍一张整体、一张细节的照片，再发下订单号，我马上为您登记。"), team=SUPPORT, uses=119),
    Reply("补发配件", "pj", "售后", _say("已经为您登记补发，仓库今天寄出，{{tomorrow}}可以查到物流单号。"), team=SUPPORT, uses=66),
    Reply("退换货说明", "th", "售后", _say("签收 7 天内、不影响二次销售都可以退换，上门取件的费用由我们承担。", "请保留好原包装，取件前一天会电话联系您。"), team=SUPPORT, uses=47),
    Reply("已处理完成", "wc", "售后", _say("{{customer.name}}，您反映的问题已经处理好了，之后有任何问题随时找我。"), team=SUPPORT, uses=52),
    Reply("开票", "fp", "售后", _say("请发公司抬头、税号和接收邮箱，电子发票 24 小时内发到您邮箱。"), team=SUPPORT, uses=38),
    Reply("我的名片", "mp", "", _say("我是{{agent.name}}，工作时间 9:00～18:00，有事您直接留言，我看到第一时间回。"), owner="rep1", uses=12),
    Reply("小猫科普", "mao", "", _say("家里有猫选科技布最稳：不容易勾丝，毛发一擦就掉。"), owner="rep1", uses=5),
)  # fmt: skip

MATERIALS = (
    Material("云栖三人位 场景图", "产品图/沙发", file="sofa", uses=57),
    Material("云栖 面料色卡", "产品图/沙发", file="swatch", uses=24),
    Material("山石餐桌 配套餐椅", "产品图/餐桌", file="chairs", uses=18),
    Material("望月吊灯 实拍", "产品图/灯具", file="lamp", uses=33),
    Material("松间书柜", "产品图", file="bookcase", uses=9),
    Material("户型布置参考", "资料", file="plan", uses=14),
    Material("安装与保养手册", "资料", kind="file", file="安装与保养手册.pdf", uses=31),
    Material("质保条款", "资料", kind="file", file="质保条款.pdf", uses=12),
    Material(
        "到店导航", "链接与小程序", kind="link", file="room",
        content=(("title", "青禾家居体验店 到店导航"), ("description", "地铁口步行 3 分钟，停车 2 小时免费"), ("url", "https://example.com/qinghe/store")),
        uses=21,
    ),
    Material(
        "青禾商城", "链接与小程序", kind="miniprogram", file="chairs",
        content=(("title", "青禾家居商城"), ("app_id", "wx0123456789abcdef"), ("path", "pages/index/index.html")), uses=16,
    ),
)  # fmt: skip

MACROS = (
    Macro("售后登记", ("reply:请发照片", "label:售后", "assign_me")),
    Macro("处理完并结束", ("reply:已处理完成", "close")),
    Macro("明天再跟进", ("note:明天上午再联系一次", "snooze:20")),
)
