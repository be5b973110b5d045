"""Each code of the platform's list has its meaning and its sentences; an unknown one is told with what the platform said."""

from __future__ import annotations

import pytest

from adapters.douyin.answers import failure_in
from adapters.douyin.errors import Failure, error_for
from scrm.errors import Rejected, RetryLater, SendError

RETRIED = (28001005, 28001006, 2100004, 28003018)
CLOSING = (28003070, 28003080, 28003081, 28003082)
FOR_ADMINS = (
    *(28001003, 2190002, 28001008, 2190008, 10008, 28001012, 2190003, 28001014, 28001018, 2190004, 28001015, 2190015),
    *(28001016, 2190016, 28001017, 28001056, 28001019, 28001042, 28001045, 28001046, 28001047, 28001052),
    *(28003095, 28029003, 28029004, 29002002),
)
FINAL = (28001007, 2100005, 28001038, 2100007, 2100009, 28003017, 2190001, 28003101)


def error(code: int) -> SendError:
    told = error_for(Failure(code, "平台的话", "log-1"))
    assert told.code == f"douyin.{code}"
    assert told.reason.zh
    assert told.reason.en
    return told


@pytest.mark.parametrize("code", RETRIED)
def test_what_passes_is_tried_again(code: int) -> None:
    assert isinstance(error(code), RetryLater)


@pytest.mark.parametrize("code", [*CLOSING, *FOR_ADMINS, *FINAL])
def test_what_will_not_work_is_rejected(code: int) -> None:
    told = error(code)
    assert isinstance(told, Rejected)
    assert told.closes_window is (code in CLOSING)
    assert told.needs_admin is (code in FOR_ADMINS)
    assert "平台的话" not in told.reason.zh, "a known code has a sentence of our own"


def test_an_unknown_code_shows_the_platforms_words_and_log_id() -> None:
    told = error(77)
    assert isinstance(told, Rejected)
    assert "平台的话" in told.reason.zh
    assert "log-1" in told.reason.zh
    assert "77" in told.reason.en


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"data": {"error_code": 0}, "extra": {"error_code": 28003070, "description": "x"}}, 28003070),
        ({"data": {"error_code": "28003070"}, "extra": {}}, 28003070),
        ({"err_no": 28001007, "err_msg": "x", "data": {}}, 28001007),
        ({"error_code": 10013, "message": "x", "data": {}}, 10013),
        ({"data": {"error_code": 10010}, "message": "error"}, 10010),
        ({"err_no": 0, "data": {"data": {}, "extra": {"error_code": 2111001}}}, 2111001),
        ({"data": {"error_code": 0}, "extra": {"error_code": 0, "sub_error_code": 2100005}}, 2100005),
        ({"data": {"error_code": 2190008}, "extra": {"logid": "1"}}, 2190008),
        ({"data": {"error_code": "strange"}}, -1),
    ],
)
def test_a_code_is_found_wherever_it_stands(answer: dict[str, object], code: int) -> None:
    failure = failure_in(answer)
    assert failure is not None
    assert failure.code == code


@pytest.mark.parametrize(
    "answer",
    [
        {"err_no": 0, "err_msg": "", "log_id": "1"},
        {"data": {"error_code": "0"}},
        {"data": {"error_code": None}, "extra": None},
    ],
)
def test_zero_everywhere_is_success(answer: dict[str, object]) -> None:
    assert failure_in(answer) is None


@pytest.mark.parametrize("answer", [{}, {"data": {}}, {"message": "success"}, {"data": None, "extra": []}])
def test_an_answer_without_any_code_is_no_answer(answer: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        failure_in(answer)
