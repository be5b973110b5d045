"""By what customers are compared: how their names sound, with their company or their city. Pure."""

from __future__ import annotations

import re
import unicodedata

from pypinyin import lazy_pinyin

HONOURS = re.compile(r"(先生|女士|小姐|太太|老师|经理|总监|主任|老板|总|哥|姐|\b(mr|mrs|ms|dr)\b\.?)")
COMPANY_FORMS = re.compile(
    r"(股份有限公司|有限责任公司|有限公司|集团|公司|\b(co|ltd|inc|llc|limited|corp|corporation|company)\b\.?)"
)
NOT_LETTERS = re.compile(r"[^\w]+|_")
HAN = re.compile(r"[\u3400-\u9fff]")
SHORTEST = 4
"""Letters of a name in Latin script below which it says too little."""


def sound(name: str) -> str:
    """How a name sounds: ``陈立群 先生``, ``陳立群`` and ``chen liqun`` are alike. Empty for what says too little."""
    plain = NOT_LETTERS.sub("", HONOURS.sub("", _folded(name)))
    heard = "".join(lazy_pinyin(plain)).lower()
    enough = len(HAN.findall(plain)) >= 2 or (len(heard) >= SHORTEST and not HAN.search(plain))
    return heard if enough and not heard.isdigit() else ""


def firm(company: str) -> str:
    return NOT_LETTERS.sub("", COMPANY_FORMS.sub("", _folded(company)))


def keys_of(name: str, company: str, city: str) -> dict[str, str]:
    """By kind, what two customers have alike that may be one."""
    heard, where, place = sound(name), firm(company), NOT_LETTERS.sub("", _folded(city)).removesuffix("市")
    found: dict[str, str] = {}
    if heard and where:
        found["name_company"] = f"{heard}|{where}"
    if heard and place:
        found["name_city"] = f"{heard}|{place}"
    return found


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower().strip()
