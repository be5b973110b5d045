"""Money of the sample company: what customers paid by the platform's collecting, what went back, and what was only spoken of."""

from __future__ import annotations

from simulator.company.people import CORP_ID
from simulator.wecom.control import WecomControl

HOUR, DAY = 3600, 86_400
# Days ago, fen, how it was paid, for what; back: fen after so many days.
PAID = (
    (26, 500_000, 0, "全屋定制定金", (0, 0)),
    (24, 128_050, 1, "布艺沙发尾款", (0, 0)),
    (21, 66_000, 0, "窗帘加工费", (66_000, 3)),
    (17, 1_860_000, 0, "衣柜二期款", (0, 0)),
    (15, 20_000, 14, "", (0, 0)),
    (12, 299_900, 3, "餐桌椅六件套", (0, 0)),
    (9, 88_000, 1, "上门安装费", (28_000, 2)),
    (6, 1_200_000, 0, "橱柜中期款", (0, 0)),
    (4, 45_000, 14, "", (0, 0)),
    (2, 358_000, 0, "儿童房套装", (0, 0)),
    (1, 99_900, 0, "五金升级", (0, 0)),
)


def collect(wecom: WecomControl, pairs: list[tuple[str, str]], now: float) -> None:
    """``pairs``: members with their customers."""
    wecom.collect(CORP_ID)
    for n, (days, fen, way, goods, (back, after)) in enumerate(PAID):
        userid, customer = pairs[n * 3 % len(pairs)]
        at = int(now) - days * DAY - (n * 5 % 9) * HOUR
        trade = wecom.pay(CORP_ID, userid, customer, fen, payment_type=way, goods=goods, at=at)
        if back:
            wecom.pay_back(CORP_ID, trade, back, "客户改了尺寸", at=at + after * DAY)
