"""What is too long is refused here, with the limit in the sentence, not by the platform with a number."""

from __future__ import annotations

from scrm.channel import Sentence
from scrm.errors import Rejected


def check_characters(value: str, limit: int, *, name: str, zh: str) -> None:
    """``name`` and ``zh`` are what people call it."""
    if len(value) > limit:
        raise Rejected(
            f"wecom.{name.replace(' ', '_')}_too_long",
            Sentence(
                f"{zh}超过 {limit} 个字，企业微信不接受。请缩短后再保存。",
                f"The {name} is over {limit} characters, which WeCom does not take. Shorten it.",
            ),
        )


def check_bytes(value: str, limit: int, *, name: str, zh: str) -> None:
    if len(value.encode("utf-8", "replace")) > limit:
        raise Rejected(
            f"wecom.{name.replace(' ', '_')}_too_long",
            Sentence(
                f"{zh}超过 {limit} 字节（约 {limit // 3} 个汉字），企业微信不接受。请缩短后再试。",
                f"The {name} is over {limit} bytes (about {limit // 3} Chinese characters). Shorten it.",
            ),
        )


def check_count(number: int, limit: int, *, name: str, zh: str) -> None:
    if number > limit:
        raise Rejected(
            f"wecom.too_many_{name.replace(' ', '_')}",
            Sentence(
                f"{zh}最多 {limit} 个，现在有 {number} 个。请减少后再试。",
                f"At most {limit} {name} are possible, these are {number}. Remove some.",
            ),
        )
