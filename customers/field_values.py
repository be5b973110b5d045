"""What a value of a custom field looks like, as it is stored and as people type it. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

import phonenumbers

from scrm.masking import masked

Kind = Literal["text", "number", "money", "date", "choice", "multi", "phone", "file"]
LONGEST_TEXT = 2000
LARGEST = 1e15
MOST_FILES = 20
HOME = "CN"
"""Numbers without a country's code are of here."""


class Wrong(ValueError):
    """What is wrong with a value, for people."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.en, self.zh = en, zh


@dataclass(frozen=True, slots=True)
class Choice:
    key: str
    name: str
    color: str = ""
    archived: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """A custom field as the company defined it."""

    id: int
    key: str
    name: str
    kind: Kind
    required: bool
    choices: tuple[Choice, ...]
    archived: bool


def normalised_phone(text: str) -> str:
    """``+8613812345678``. Raises :class:`Wrong`, also for a masked number: it would take the place of the real one."""
    if "*" in text:
        raise Wrong("This is a masked number; write the whole one.", "这是打码的号码，请填完整号码")
    try:
        number = phonenumbers.parse(text, HOME)
    except phonenumbers.NumberParseException as error:
        raise Wrong("This is no phone number.", "不是有效的电话号码") from error
    if not phonenumbers.is_valid_number(number):
        raise Wrong("This is no phone number.", "不是有效的电话号码")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def stored(field: Field, value: Any) -> Any:
    """The value as it is stored; None: there is none. Raises :class:`Wrong`."""
    if value is None or value == "" or value == []:
        return None
    return _STORED[field.kind](field, value)


def read(field: Field, text: str) -> Any:
    """What somebody wrote in a sheet, as a value for :func:`stored`: names of choices, amounts in yuan. Raises :class:`Wrong`."""
    text = text.strip()
    if not text:
        return None
    if field.kind == "number":
        return _number(text)
    if field.kind == "money":
        return fen(text)
    if field.kind == "choice":
        return _choice_named(field, text)
    if field.kind == "multi":
        names = [one.strip() for one in re.split(r"[,，、;；|\n]", text)]
        return [_choice_named(field, one) for one in names if one]
    if field.kind == "date":
        return day(text).isoformat()
    if field.kind == "file":
        raise Wrong("Files cannot be imported.", "附件不能导入")
    return text


def fen(text: str) -> int:
    """An amount in yuan as it is written (``¥1,234.50``, ``1.2万``)."""
    plain = text.replace(",", "").replace("，", "").replace("¥", "").replace("￥", "").replace("元", "").strip()
    times = 10_000 if plain.endswith("万") else 1
    amount = _decimal(plain.removesuffix("万").strip()) * times * 100
    if amount != amount.to_integral_value() or not 0 <= amount <= LARGEST:
        raise Wrong("Write an amount with at most two decimals.", "请填写金额，最多两位小数")
    return int(amount)


def day(text: str) -> date:
    """A day as it is written: 2026-03-01, 2026/3/1, 2026年3月1日, 20260301, with or without a time."""
    found = re.match(r"^\s*(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?(?:[ T].*)?$", text) or re.match(
        r"^\s*(\d{4})(\d{2})(\d{2})\s*$", text
    )
    try:
        if found is None:
            raise ValueError(text)
        return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError as error:
        raise Wrong("Write a date such as 2026-03-01.", "请按 2026-03-01 的格式填写日期") from error


def shown(fields: Sequence[Field], values: Mapping[str, Any], *, phones: bool) -> dict[str, Any]:
    """A customer's values for somebody who may (or may not) read phone numbers; those of fields put away are left out."""
    kinds = {field.key: field.kind for field in fields if not field.archived}
    return {
        key: masked(str(value)) if kinds[key] == "phone" and not phones else value
        for key, value in values.items()
        if key in kinds
    }


def written(field: Field, value: Any, *, phones: bool) -> str:
    """A stored value in words, for sheets."""
    if value is None:
        return ""
    if field.kind == "money":
        return f"{Decimal(int(value)) / 100:.2f}"
    if field.kind in ("choice", "multi"):
        names = {choice.key: choice.name for choice in field.choices}
        keys = value if isinstance(value, list) else [value]
        return "、".join(names.get(str(key), str(key)) for key in keys)
    if field.kind == "file":
        return "、".join(str(one.get("name", "")) for one in value if isinstance(one, dict))
    if field.kind == "phone":
        return str(value) if phones else masked(str(value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _text(field: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise Wrong("Write text.", "请填写文字")
    text = value.replace("\x00", "").strip()
    if len(text) > LONGEST_TEXT:
        raise Wrong(f"At most {LONGEST_TEXT} characters.", f"最多 {LONGEST_TEXT} 个字")
    return text


def _number_stored(field: Field, value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Wrong("Write a number.", "请填写数字")
    return _number(repr(value))


def _number(text: str) -> int | float:
    number = _decimal(text.replace(",", "").replace("，", ""))
    if abs(number) > LARGEST:
        raise Wrong("This number is too large.", "数字太大")
    return int(number) if number == number.to_integral_value() else float(round(number, 6))


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise Wrong("Write a number.", "请填写数字") from error
    if not math.isfinite(number):
        raise Wrong("Write a number.", "请填写数字")
    return number


def _money(field: Field, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST:
        raise Wrong("Give an amount in fen, a whole number.", "请填写金额")
    return value


def _date(field: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise Wrong("Write a date such as 2026-03-01.", "请按 2026-03-01 的格式填写日期")
    return day(value).isoformat()


def _choice(field: Field, value: Any) -> str:
    if not isinstance(value, str) or value not in {choice.key for choice in field.choices}:
        raise Wrong("Choose one of the list.", "请从选项中选择")
    return value


def _choice_named(field: Field, name: str) -> str:
    for choice in field.choices:
        if choice.name.casefold() == name.casefold() and not choice.archived:
            return choice.key
    raise Wrong(f"“{name}” is not one of the choices.", f"“{name}”不在选项中")


def _multi(field: Field, value: Any) -> list[str]:
    if not isinstance(value, list):
        raise Wrong("Choose some of the list.", "请从选项中选择")
    wanted = {_choice(field, one) for one in value}
    return [choice.key for choice in field.choices if choice.key in wanted]


def _phone(field: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise Wrong("Write a phone number.", "请填写电话号码")
    return normalised_phone(value)


def _files(field: Field, value: Any) -> list[dict[str, Any]]:
    """``{id, name, mime, size}`` each; that the files exist is checked by who writes them."""
    fits = isinstance(value, list) and len(value) <= MOST_FILES
    if not fits or not all(isinstance(one, dict) and isinstance(one.get("id"), int) for one in value):
        raise Wrong(f"Give at most {MOST_FILES} uploaded files.", f"最多 {MOST_FILES} 个附件")
    return [{name: one.get(name) for name in ("id", "name", "mime", "size")} for one in value]


_STORED: dict[str, Callable[[Field, Any], Any]] = {
    "text": _text,
    "number": _number_stored,
    "money": _money,
    "date": _date,
    "choice": _choice,
    "multi": _multi,
    "phone": _phone,
    "file": _files,
}
