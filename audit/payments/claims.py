"""What is said of money in a sentence: somebody transferred, somebody gave a red packet. Pure, and versioned: when it learns, what it read
before is read again.

It wants to miss little that a manager would want to look at, and to leave alone what only sounds alike (转人工, 红包封面, 没转). It does not
understand: an intention ("明天转你 200") counts as said.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from audit.payments.amounts import MONEY, bare, fen_of, has_unit, readable

VERSION = 1
Way = Literal["transfer", "red_packet"]
MOST_CLAIMS = 5
LONGEST_TEXT = 5_000

CLAUSE = re.compile(r"[,，。;；!！?？\n~…]+(?!\d{3}(?:\D|$))")
WHO = "(?:你|您|我|他|她|你们|您们|我们|老板|师傅|客户|亲)"
TRANSFER = re.compile(
    rf"转(?:账|帐|了|给|过去|过来|好了|{WHO})|(?:微信|支付宝|私下|银行卡?|现在|先|再|直接|马上|立刻|一会儿?|稍后|等下|明天|今天|晚上|已经?|给{WHO})转(?!人工|接|发|告|到|述|让|正|运)"
    rf"|(?:打款|汇款|打钱|付款)(?:给|到|了)?|打(?:给|到){WHO}|打{WHO}(?:卡|账|微信|支付宝)|(?:汇|付|退|还|补|垫)(?:给)?{WHO}|(?:退|补|还)给{WHO}"
    rf"|收到(?:了)?{WHO}?的?转|(?:微信|支付宝)(?:收|付|给|打|退)(?:了|你|您|我|给)"
)
PACKET = re.compile(
    r"(?:发|给|塞|包|送|补|收|领|拆|抢).{0,8}红包|红包.{0,6}(?:发|给|收|领|拆|拿|到了)|(?:发|收)(?:了|到|个).{0,4}红包"
)
NOT_PACKET = re.compile(r"红包(?:封面|活动|雨|袋|墙|码|群|券|抵扣|优惠)|优惠红包|现金红包活动|红包抵")
NOT_DONE = re.compile(
    r"(?:不|别|没|未|勿|甭|无需|无须|禁止|不能|不要|不用|不会|不可|请勿|切勿|严禁)(?:有|会|要|用|能|可以|得|再|给|先|私下|在|通过|直接)*(?:{who})?$".replace(
        "{who}", WHO
    )
)
STRONG = re.compile(rf"转(?:(?:账|帐)?(?:了|给|到|过去|过来|好了)|{WHO})|转$|(?:收|给|付|打|退)(?:了|过)|收到")
"""Without an amount, talk of paying in general (对公转账都支持) is none that was done."""
NOT_TRANSFER = re.compile(
    rf"转(?:给)?{WHO}.{{0,4}}(?:电子版|文件|链接|发票|资料|图|视频|照片|合同|报价|名片|人工|客服|同事|主管|领导)|对公(?:转账|账户|打款)|"
    r"转(?:人工|接|发|告|述|让|正|运|介绍|机|车|身|账?户名|发票)|转给(?:人工|客服|同事|主管|领导)|转账(?:功能|限额|页面)|付款(?:方式|码|页面|链接|流程|后|前)"
)


@dataclass(frozen=True, slots=True)
class Claim:
    """``amount_fen`` None: no amount was said."""

    way: Way
    amount_fen: int | None


def claims_in(text: str) -> list[Claim]:
    """In the order of the sentence; the same said twice is one."""
    clauses = [one.strip() for one in CLAUSE.split(readable(text[:LONGEST_TEXT])) if one.strip()]
    found: list[Claim] = []
    for place, clause in enumerate(clauses):
        way = _way(clause)
        if way is None:
            continue
        amounts = _amounts(clause, near=True)
        if not amounts and place + 1 < len(clauses) and _way(clauses[place + 1]) is None:
            # 微信转你了，200 块
            amounts = _amounts(clauses[place + 1], near=False)[:1]
        if not amounts and way == "transfer" and STRONG.search(clause) is None:
            continue
        said = [Claim(way, amount) for amount in amounts] or [Claim(way, None)]
        # 转你了，转了200: the one without an amount is the same.
        if found and found[-1].way == way and found[-1].amount_fen is None:
            found.pop()
        elif said[0].amount_fen is None and any(one.way == way for one in found):
            continue
        found += [one for one in said if one not in found]
    return found[:MOST_CLAIMS]


def _way(clause: str) -> Way | None:
    for way, pattern, wrong in (("red_packet", PACKET, NOT_PACKET), ("transfer", TRANSFER, NOT_TRANSFER)):
        if wrong.search(clause):
            continue
        for match in pattern.finditer(clause):
            if not NOT_DONE.search(clause[max(match.start() - 8, 0) : match.start()]):
                return "red_packet" if way == "red_packet" else "transfer"
    return None


def _amounts(clause: str, *, near: bool) -> list[int]:
    """Those with a unit, else, in a clause that speaks of paying, the first number that can be money."""
    matches = [one for one in MONEY.finditer(clause) if one[0].strip()]
    with_unit = [fen for one in matches if has_unit(one) and (fen := fen_of(one)) is not None]
    if with_unit:
        return with_unit
    if near or (len(matches) == 1 and matches[0][0].strip() == clause):
        for one in matches:
            if bare(clause, one) and (fen := fen_of(one)) is not None:
                return [fen]
    return []
