"""Amounts of money as people write them, in fen: digits of any width, Chinese numerals, 万 and w, 元 and 块."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from unicodedata import normalize

DIGITS = {
    "零": 0, "〇": 0, "一": 1, "壹": 1, "二": 2, "两": 2, "俩": 2, "贰": 2, "三": 3, "叁": 3, "四": 4, "肆": 4, "五": 5, "伍": 5,
    "六": 6, "陆": 6, "七": 7, "柒": 7, "八": 8, "捌": 8, "九": 9, "玖": 9,
}  # fmt: skip
PLACES = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
LARGE = {"万": 10_000, "亿": 100_000_000}
NUMERAL = "".join([*DIGITS, *PLACES, *LARGE])
UNITS = {"万": 10_000, "w": 10_000, "千": 1000, "k": 1000, "百": 100, "亿": 100_000_000}
MOST_FEN = 10**15
"""Ten billion yuan: more is no amount of money that somebody sends."""

# A number with what makes it money. Not the end or the middle of a longer number, a word or a date.
NUMBER = rf"(?P<arabic>\d{{1,3}}(?:,\d{{3}})+(?:\.\d{{1,2}})?|\d{{1,9}}(?:\.\d{{1,4}})?)(?P<times>\s?[万wk千百亿](?![a-z]))?|(?P<chinese>[{NUMERAL}]+)"
MONEY = re.compile(
    rf"(?<![\d.a-z])(?P<sign>[¥￥]\s?|rmb\s?)?(?:{NUMBER})"
    rf"(?P<unit>\s?(?:块钱|块|元整|元|圆|rmb|人民币|大洋)|毛|角)?(?P<more>(?<=块)(?:\d|[{''.join(DIGITS)}])(?![\d{NUMERAL}]))?"
)
NOT_MONEY = re.compile(
    r"\s?(?:[%％‰°:/\-~]|\d|个|件|套|台|张|份|号|月|日|天|点|分钟|小时|周|年|次|位|人|楼|层|平|米|斤|公斤|折|期|条|遍|下|栋|幢|单元|包|户|单|家|"
    r"页|寸|室|房|码|倍|款|只|支|瓶|箱|盒|袋|公里|km|cm|mm|kg|g|gb|mb|[a-z])"
)


def readable(text: str) -> str:
    """Widths and cases made one: what looks alike is alike."""
    return normalize("NFKC", text).lower()


def chinese_number(numeral: str) -> int | None:
    """二百 is 200, 两百五 250, 一万二 12000, 三百零五 305, 二〇〇 200. None: it is no number."""
    if all(letter in DIGITS for letter in numeral):
        return int("".join(str(DIGITS[letter]) for letter in numeral)) if len(numeral) <= 9 else None
    total = section = 0
    digit: int | None = None
    last_place, zero = 0, False
    for letter in numeral:
        if letter in DIGITS:
            if digit is not None and digit != 0:
                return None
            digit, zero = DIGITS[letter], zero or DIGITS[letter] == 0
        elif letter in PLACES:
            place = PLACES[letter]
            if digit is None and place != 10:
                return None
            section += (1 if digit is None else digit) * place
            digit, last_place, zero = None, place, False
        else:
            section += digit or 0
            if not section:
                return None
            total, section, digit, last_place, zero = (total + section) * LARGE[letter], 0, None, LARGE[letter], False
    if digit:
        # 两百五: what follows a place without its own stands one place below.
        section += digit * (last_place // 10 if last_place >= 100 and not zero else 1)
    return total + section


def fen_of(match: re.Match[str]) -> int | None:
    """The amount of a find of :data:`MONEY`; None: it is none that somebody pays."""
    if match["arabic"]:
        try:
            value = Decimal(match["arabic"].replace(",", ""))
        except InvalidOperation:
            return None
        value *= UNITS[match["times"].strip()] if match["times"] else 1
    else:
        number = chinese_number(match["chinese"])
        if number is None:
            return None
        value = Decimal(number)
    if match["unit"] in ("毛", "角"):
        value /= 10
    if match["more"]:
        more = match["more"]
        value += Decimal(DIGITS.get(more, 0) if more in DIGITS else int(more)) / 10
    fen = value * 100
    return int(fen) if fen == int(fen) and 0 < fen <= MOST_FEN else None


def has_unit(match: re.Match[str]) -> bool:
    return bool(match["sign"] or match["unit"])


def bare(text: str, match: re.Match[str]) -> bool:
    """Whether a number without a unit can be money: 转你200, not 200个; of Chinese numerals, 二百, not 一."""
    if NOT_MONEY.match(text, match.end()) is not None:
        return False
    if match["chinese"]:
        return len(match["chinese"]) >= 2 and any(letter in PLACES or letter in LARGE for letter in match["chinese"])
    return True
