"""Phone numbers for those who may not read them in full: enough to recognise one, not to dial it."""

from __future__ import annotations

import re
from typing import Any

LABEL = re.compile(r"手机|电话|联系方式|号码|phone|mobile|\btel\b", re.IGNORECASE)
NUMBER = re.compile(r"\+?[0-9][0-9() \-]{5,22}[0-9]")
DIGITS = re.compile(r"[0-9]")
KEYS = frozenset({"phone", "mobile", "tel", "telephone", "phone_number", "mobile_phone"})
SHORTEST, LONGEST = 7, 15
"""Digits of a phone number."""


def masked(phone: str) -> str:
    """``138****5678``; what is too short to hide its middle is hidden whole."""
    if len(phone) < 7:
        return "*" * len(phone)
    if len(phone) == 7:
        return f"{phone[:2]}***{phone[-2:]}"
    return f"{phone[:3]}{'*' * (len(phone) - 7)}{phone[-4:]}"


def masked_content(value: Any) -> Any:
    """A message's content without phone numbers in its fields: what is labelled as one, and what looks like one. The same
    object when nothing had to be hidden. What people write in their own words is left alone."""
    if isinstance(value, list):
        items = [masked_content(item) for item in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    if not isinstance(value, dict):
        return value
    label, own = value.get("label"), value.get("value")
    if isinstance(label, str) and isinstance(own, str) and own and is_phone(label, own):
        return {**value, "value": masked(own.strip()), "masked": True}
    changed = {name: _of_key(name, item) for name, item in value.items()}
    return changed if any(changed[name] is not value[name] for name in value) else value


def is_phone(label: str, value: str) -> bool:
    if LABEL.search(label):
        return True
    return bool(NUMBER.fullmatch(value.strip())) and SHORTEST <= len(DIGITS.findall(value)) <= LONGEST


def _of_key(name: str, item: Any) -> Any:
    if isinstance(item, str):
        return masked(item) if item and name in KEYS else item
    return masked_content(item)
