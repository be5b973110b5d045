"""What counts as an answer to a survey, and what certainly does not."""

from __future__ import annotations

import pytest

from inbox.language import language_of
from inbox.scores import score_of
from inbox.surveys import POINTS


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("5", 5), (" 4 分", 4), ("３", 3), ("5星！", 5), ("2/5", 2), ("⭐⭐⭐", 3), ("⭐️⭐️⭐️⭐️⭐️", 5), ("满意", 4), ("非常满意！", 5),
        ("不满意", 2), ("Excellent", 5), ("5️⃣", 5), ("一", 1), ("😡", 1),
    ],
)  # fmt: skip
def test_bare_answers(text: str, score: int) -> None:
    assert score_of(text) == (score, "")


def test_every_item_of_our_own_menu_is_a_bare_answer() -> None:
    assert [score_of(words) for _, words in POINTS] == [(points, "") for points, _ in POINTS]


def test_an_answer_with_words_keeps_them() -> None:
    assert score_of("5，师傅很专业") == (5, "师傅很专业")
    assert score_of("2 等太久了") == (2, "等太久了")


@pytest.mark.parametrize(
    "text",
    ["", "6", "0", "55", "5月能发货吗", "3件起批吗", "13800001111", "4米2的沙发", "好的", "满意的话再买", "1" * 600],
)
def test_anything_else_is_no_answer(text: str) -> None:
    assert score_of(text) is None


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("你好，在吗", "zh"), ("Hello there", "en"), ("こんにちは、在庫はありますか", "ja"), ("안녕하세요", "ko"), ("Привет", "ru"),
        ("مرحبا", "ar"), ("สวัสดี", "th"), ("12345 ¥", ""), ("", ""), ("iPhone 15 有货吗", "zh"),
    ],
)  # fmt: skip
def test_languages_by_their_letters(text: str, language: str) -> None:
    assert language_of(text) == language
