"""What is said of money: amounts as people write them, and sentences that only sound alike."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.payments.amounts import MONEY, chinese_number, fen_of, readable
from audit.payments.claims import Claim, claims_in

SAID = [
    ("转你 200", [("transfer", 20000)]),
    ("微信转你200块", [("transfer", 20000)]),
    ("微信转你了，２００元", [("transfer", 20000)]),
    ("我微信转您二百", [("transfer", 20000)]),
    ("尾款转过去了，两百五", [("transfer", 25000)]),
    ("刚转了1.2万，查收一下", [("transfer", 1200000)]),
    ("转账3.5w给你了", [("transfer", 3500000)]),
    ("转给你￥1,280.50", [("transfer", 128050)]),
    ("给你转了三百零五块", [("transfer", 30500)]),
    ("红包发你了", [("red_packet", None)]),
    ("发你个66元的红包，别嫌少", [("red_packet", 6600)]),
    ("红包已收到", [("red_packet", None)]),
    ("先转你500，再发个50块红包", [("transfer", 50000), ("red_packet", 5000)]),
    ("支付宝转你一万二", [("transfer", 1200000)]),
    ("转你3块5", [("transfer", 350)]),
    ("转我微信，8毛", [("transfer", 80)]),
    ("返点打你卡上了，5千", [("transfer", 500000)]),
    ("退您200上楼费", [("transfer", 20000)]),
    ("转你了", [("transfer", None)]),
]
SILENT = [
    "帮您转人工", "我把文件转发给你", "不要转账给任何人", "没转给你", "请勿私下转账", "红包封面做好了", "双十一红包活动开始啦",
    "转到主管处理", "付款方式有哪些", "今天有200个订单", "电话13800138000", "", "200", "不会给你转钱", "转机时间3小时", "对公转账、增值税专用发票都支持", "发票信息我加你微信，稍后转你电子版", "支持微信付款",
]  # fmt: skip


@pytest.mark.parametrize(("text", "claims"), SAID)
def test_said(text: str, claims: list[tuple[str, int | None]]) -> None:
    assert [(one.way, one.amount_fen) for one in claims_in(text)] == claims


@pytest.mark.parametrize("text", SILENT)
def test_not_said(text: str) -> None:
    assert claims_in(text) == []


@pytest.mark.parametrize(
    ("numeral", "number"),
    [
        ("二百", 200), ("两百五", 250), ("一万二", 12000), ("三百零五", 305), ("十五", 15), ("二十", 20), ("一千零五十", 1050),
        ("二〇〇", 200), ("三万五千", 35000), ("一亿", 100000000), ("贰佰", 200), ("百", None), ("一二百", None), ("万", None),
    ],
)  # fmt: skip
def test_numerals(numeral: str, number: int | None) -> None:
    assert chinese_number(numeral) == number


@given(st.integers(1, 99_999_999))
def test_every_amount_of_fen_is_read_as_it_is_written(fen: int) -> None:
    text = f"转你{fen // 100}.{fen % 100:02d}元"
    assert [(one.way, one.amount_fen) for one in claims_in(text)] == [("transfer", fen)]


@given(st.text(max_size=200))
def test_nothing_breaks_it(text: str) -> None:
    for one in claims_in(text):
        assert isinstance(one, Claim)
    for match in MONEY.finditer(readable(text)):
        fen_of(match)
