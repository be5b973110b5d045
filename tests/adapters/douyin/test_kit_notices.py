"""The conformance kit finds adapters that are broken on purpose. Each breaks one promise; the check of that promise must fail,
and pass again on the adapter that keeps it (``test_contract.py``)."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import scrm.testing
from adapters.douyin.adapter import DouyinAdapter
from scrm.channel import (
    Adapter,
    Capabilities,
    Challenge,
    Event,
    JsonObject,
    Kind,
    MessageReceived,
    OutgoingMessage,
    Raw,
    Receipt,
    Sentence,
    Verified,
    WebhookRequest,
)
from scrm.errors import BadSignature, Rejected, RetryLater, Uncertain
from scrm.testing import ChannelContract
from tests.adapters.douyin.golden import GOLDEN
from tests.adapters.douyin.harness import DouyinHarness

NOTHING = Sentence(zh="出错了。", en="Something went wrong.")


class Wrapped(DouyinAdapter):
    """The true adapter's methods, to be spoilt one at a time."""

    def __init__(self, true: DouyinAdapter) -> None:
        self.__dict__.update(true.__dict__)


class AcceptsAnySignature(Wrapped):
    def verify(self, request: WebhookRequest) -> Verified | Challenge:
        try:
            return super().verify(request)
        except BadSignature:
            return Verified(request.body, "forged")


class RaisesInVerify(Wrapped):
    def verify(self, request: WebhookRequest) -> Verified | Challenge:
        return Verified(request.body, request.headers["msg-id"])


class NewKeyEveryTime(Wrapped):
    count = 0

    def verify(self, request: WebhookRequest) -> Verified | Challenge:
        self.count += 1
        verified = super().verify(request)
        return replace(verified, dedupe_key=str(self.count)) if isinstance(verified, Verified) else verified


class SameKeyAlways(Wrapped):
    def verify(self, request: WebhookRequest) -> Verified | Challenge:
        verified = super().verify(request)
        return replace(verified, dedupe_key="one") if isinstance(verified, Verified) else verified


class RaisesInParse(Wrapped):
    def parse(self, raw: Raw) -> Sequence[Event]:
        raw.body.decode()
        return super().parse(raw)


class RaisesOnHalfBodies(Wrapped):
    def parse(self, raw: Raw) -> Sequence[Event]:
        if raw.body and not raw.body.endswith(b"}"):
            raise ValueError("half a body")
        return super().parse(raw)


class ForgetsWindow(Wrapped):
    def parse(self, raw: Raw) -> Sequence[Event]:
        return [
            replace(event, window=None) if isinstance(event, MessageReceived) else event for event in super().parse(raw)
        ]


class SendsTwice(Wrapped):
    async def send(self, message: OutgoingMessage) -> Receipt:
        await super().send(message)
        return await super().send(message)


class NeverSends(Wrapped):
    async def send(self, message: OutgoingMessage) -> Receipt:
        return Receipt("@1")


class RepeatsWhatIsUncertain(Wrapped):
    async def send(self, message: OutgoingMessage) -> Receipt:
        try:
            return await super().send(message)
        except Uncertain:
            return await super().send(message)


class ClaimsNothingWasSent(Wrapped):
    async def send(self, message: OutgoingMessage) -> Receipt:
        try:
            return await super().send(message)
        except Uncertain as error:
            raise RetryLater(error.code, error.reason) from None


class GivesUpOnThrottle(Wrapped):
    async def send(self, message: OutgoingMessage) -> Receipt:
        try:
            return await super().send(message)
        except RetryLater as error:
            raise Rejected(error.code, error.reason) from None


class SaysUncertainWhenUnreachable(Wrapped):
    async def send(self, message: OutgoingMessage) -> Receipt:
        try:
            return await super().send(message)
        except RetryLater as error:
            raise Uncertain(error.code, error.reason) from None


class HasNoSentences(Wrapped):
    async def send(self, message: OutgoingMessage) -> Receipt:
        try:
            return await super().send(message)
        except Rejected as error:
            raise Rejected(error.code, Sentence(zh="", en=error.reason.en)) from None


class HidesTheCode(Wrapped):
    async def send(self, message: OutgoingMessage) -> Receipt:
        try:
            return await super().send(message)
        except Rejected:
            raise Rejected("douyin.error", NOTHING) from None


class CutsTexts(Wrapped):
    async def send(self, message: OutgoingMessage) -> Receipt:
        return await super().send(replace(message, text=message.text[:999]))


class SendsAnythingAsText(Wrapped):
    async def send(self, message: OutgoingMessage) -> Receipt:
        return await super().send(replace(message, kind=Kind.TEXT, text=message.text or "x"))


class StatesTooMuch(Wrapped):
    """``stated`` is what it claims."""

    stated: Mapping[str, Any] = {}

    @property
    def capabilities(self) -> Mapping[str, Capabilities]:
        return {"douyin": replace(super().capabilities["douyin"], **self.stated)}


class StatesLongTexts(StatesTooMuch):
    stated: Mapping[str, Any] = {"text_limit": 2000}


class StatesLinks(StatesTooMuch):
    stated: Mapping[str, Any] = {"links_allowed": True}


class StatesTextOnly(StatesTooMuch):
    stated: Mapping[str, Any] = {"sends": frozenset({Kind.TEXT})}


class StatesDeduplication(StatesTooMuch):
    stated: Mapping[str, Any] = {"deduplicates_sends": True}


class ChangesFiles(Wrapped):
    async def _shortened(self, handle: JsonObject) -> AsyncIterator[bytes]:
        async for chunk in super().fetch(handle):
            yield chunk[:-1]

    def fetch(self, handle: JsonObject) -> AsyncIterator[bytes]:
        return self._shortened(handle)


class SaysAgainWhenAFileIsGone(Wrapped):
    async def _retried(self, handle: JsonObject) -> AsyncIterator[bytes]:
        try:
            async for chunk in super().fetch(handle):
                yield chunk
        except Rejected as error:
            raise RetryLater(error.code, error.reason) from None

    def fetch(self, handle: JsonObject) -> AsyncIterator[bytes]:
        return self._retried(handle)


class DoesNotRecall(Wrapped):
    async def recall(self, account_id: str, contact_id: str, message_id: str, window_key: JsonObject) -> None:
        await asyncio.sleep(0)


C = ChannelContract
BROKEN: list[tuple[type[Wrapped], Callable[..., Any], dict[str, Any]]] = [
    (AcceptsAnySignature, C.test_verify_refuses_tampered_requests, {}),
    (AcceptsAnySignature, C.test_verify_refuses_requests_without_headers_and_query, {}),
    (AcceptsAnySignature, C.test_verify_answers_anything_with_a_refusal, {}),
    (RaisesInVerify, C.test_verify_answers_anything_with_a_refusal, {}),
    (NewKeyEveryTime, C.test_a_repetition_has_the_same_dedupe_key, {}),
    (NewKeyEveryTime, C.test_verify_is_pure, {}),
    (SameKeyAlways, C.test_different_events_have_different_dedupe_keys, {}),
    (RaisesInParse, C.test_parse_survives_anything, {}),
    (RaisesInParse, C.test_parse_survives_damaged_bodies, {}),
    (RaisesOnHalfBodies, C.test_parse_survives_truncated_bodies, {}),
    (ForgetsWindow, C.test_golden_payloads_become_exactly_their_events, {}),
    (ForgetsWindow, C.test_the_customers_message_states_the_same_window, {}),
    (SendsTwice, C.test_a_text_reaches_the_customer_once, {}),
    (NeverSends, C.test_a_text_reaches_the_customer_once, {}),
    (NeverSends, C.test_a_refused_send_is_rejected_with_its_code, {}),
    (NeverSends, C.test_two_messages_with_equal_text_are_two, {}),
    (RepeatsWhatIsUncertain, C.test_a_lost_answer_is_uncertain_or_harmless_to_repeat, {"fault": "timeout_after"}),
    (RepeatsWhatIsUncertain, C.test_a_lost_answer_is_uncertain_or_harmless_to_repeat, {"fault": "drop_after"}),
    (ClaimsNothingWasSent, C.test_a_lost_answer_is_uncertain_or_harmless_to_repeat, {"fault": "drop_after"}),
    (ClaimsNothingWasSent, C.test_a_lost_answer_is_uncertain_or_harmless_to_repeat, {"fault": "broken_answer"}),
    (StatesDeduplication, C.test_a_lost_answer_is_uncertain_or_harmless_to_repeat, {"fault": "drop_after"}),
    (StatesDeduplication, C.test_a_platform_that_deduplicates_is_told_our_key, {}),
    (GivesUpOnThrottle, C.test_a_throttled_send_is_to_be_tried_later, {}),
    (SaysUncertainWhenUnreachable, C.test_a_platform_that_cannot_be_reached_is_tried_later, {}),
    (HasNoSentences, C.test_a_refused_send_is_rejected_with_its_code, {}),
    (HidesTheCode, C.test_a_refused_send_is_rejected_with_its_code, {}),
    (HidesTheCode, C.test_the_window_has_the_stated_quota, {}),
    (CutsTexts, C.test_the_longest_text_is_taken_and_a_longer_one_refused, {}),
    (StatesLongTexts, C.test_the_longest_text_is_taken_and_a_longer_one_refused, {}),
    (StatesLinks, C.test_links_are_refused_where_they_are_not_allowed, {}),
    (StatesTextOnly, C.test_capabilities_are_complete_and_constant, {}),
    (SendsAnythingAsText, C.test_every_other_kind_is_rejected, {}),
    (SendsAnythingAsText, C.test_every_stated_kind_arrives_as_that_kind, {}),
    (ChangesFiles, C.test_a_customers_file_is_fetched_unchanged, {}),
    (SaysAgainWhenAFileIsGone, C.test_a_file_that_is_gone_is_rejected, {}),
    (DoesNotRecall, C.test_a_recalled_message_is_gone, {}),
]


@pytest.mark.parametrize(("broken", "check", "more"), BROKEN, ids=lambda value: getattr(value, "__name__", ""))
async def test_the_kit_notices(
    adapter: DouyinAdapter,
    harness: DouyinHarness,
    broken: type[Wrapped],
    check: Callable[..., Any],
    more: dict[str, Any],
) -> None:
    spoilt: Adapter = broken(adapter)
    given = {
        "adapter": spoilt,
        "harness": harness,
        "golden": GOLDEN,
        "unreachable": broken(harness.build("http://127.0.0.1:9")),
        **more,
    }
    arguments = {name: given[name] for name in inspect.signature(check).parameters if name != "self"}
    with pytest.raises((AssertionError, pytest.fail.Exception, KeyError, RetryLater, Uncertain, Rejected)):
        await finished(check(ChannelContract(), **arguments))


async def finished(result: Any) -> None:
    if inspect.isawaitable(result):
        await result


def test_the_kit_knows_no_adapter() -> None:
    """It is shipped for adapters that do not exist yet."""
    sources = [path.read_text(encoding="utf-8") for path in Path(scrm.testing.__file__).parent.glob("*.py")]
    for source in sources:
        for word in ("import adapters", "from adapters", "import simulator", "from simulator"):
            assert word not in source
