"""Every error code has a sentence that a person understands, in both languages, and says what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from adapters.wecom.error_table import MEANINGS
from adapters.wecom.errors import api_error
from adapters.wecom.kf_failures import failure_code, failure_reason
from scrm.channel import Sentence
from scrm.errors import Rejected, RetryLater
from simulator.wecom.errors import TEXTS

NOT_OURS = {40050, 42052}
"""Of app messages and group chats, which this adapter does not call."""
FAIL_TYPES = (0, 1, 2, 4, 5, 6, 8, 10, 11, 12, 13, 99, None)


def understandable(sentence: Sentence) -> None:
    assert re.search(r"[\u4e00-\u9fff]", sentence.zh), sentence
    assert not re.search(r"[\u4e00-\u9fff]", sentence.en), sentence
    assert sentence.zh.endswith("。"), sentence
    assert sentence.en.endswith("."), sentence


@pytest.mark.parametrize("errcode", MEANINGS)
def test_a_known_code_is_understandable(errcode: int) -> None:
    error = api_error(errcode)
    understandable(error.reason)
    assert error.code == f"wecom.{errcode}"
    if isinstance(error, RetryLater):
        assert 0 < error.after <= 60


def test_every_refusal_of_the_simulated_platform_has_a_sentence_of_its_own() -> None:
    assert sorted(set(TEXTS) - set(MEANINGS) - NOT_OURS) == []


def test_what_to_do_after_each_refusal() -> None:
    said: Mapping[str, set[int]] = {
        "later": {code for code in MEANINGS if isinstance(api_error(code), RetryLater)},
        "window": {code for code in MEANINGS if getattr(api_error(code), "closes_window", False)},
        "admin": {code for code in MEANINGS if getattr(api_error(code), "needs_admin", False)},
    }
    assert said["later"] == {-1, 40014, 41001, 41078, 41079, 41096, 42001, 45009, 45033, 45035}
    assert said["window"] == {95001, 95002}
    assert {40001, 40013, 48002, 48007, 60020, 95017} <= said["admin"]


def test_an_unknown_code_is_rejected_and_named() -> None:
    error = api_error(123456)
    assert isinstance(error, Rejected)
    assert "123456" in error.reason.zh
    assert "123456" in error.reason.en
    understandable(error.reason)


@pytest.mark.parametrize("fail_type", FAIL_TYPES)
def test_a_failed_delivery_is_understandable(fail_type: int | None) -> None:
    understandable(failure_reason(fail_type))
    assert failure_code(fail_type).startswith("wecom.msg_send_fail.")
