"""The conformance kit finds adapters that break a promise of ``Broadcasts``. Each breaks one; the check of that promise must fail,
and pass on the adapter that keeps it (``test_contract.py``)."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from adapters.wechat_oa.adapter import OfficialAccountAdapter
from scrm.channel import Event, Kind, Occurrence, Raw, Sentence
from scrm.channel_campaigns import BroadcastResult, ReceiveLimit, SpreadPost
from scrm.errors import Rejected, RetryLater, Uncertain
from scrm.testing import ChannelContract
from scrm.testing import broadcast_checks as checks
from tests.adapters.wechat_oa.harness import Followers, OfficialAccountHarness

RULE = Sentence(zh="每月", en="A month")


class Wrapped(OfficialAccountAdapter):
    """The true adapter's methods, to be spoilt one at a time."""

    def __init__(self, true: OfficialAccountAdapter) -> None:
        self.__dict__.update(true.__dict__)


class NeverSpreads(Wrapped):
    async def broadcast(self, account_id: str, contact_ids: Sequence[str], post: SpreadPost) -> str:
        return "1"


class ForgetsTheId(Wrapped):
    async def broadcast(self, account_id: str, contact_ids: Sequence[str], post: SpreadPost) -> str:
        await super().broadcast(account_id, contact_ids, post)
        return ""


class ForgetsTheLast(Wrapped):
    async def broadcast(self, account_id: str, contact_ids: Sequence[str], post: SpreadPost) -> str:
        return await super().broadcast(account_id, contact_ids[:-1], post)


class MakesUpKeys(Wrapped):
    count = 0

    async def broadcast(self, account_id: str, contact_ids: Sequence[str], post: SpreadPost) -> str:
        self.count += 1
        fresh = replace(post, idempotency_key=f"{self.count:032}")
        return await super().broadcast(account_id, contact_ids, fresh)


class OneKeyForAll(Wrapped):
    async def broadcast(self, account_id: str, contact_ids: Sequence[str], post: SpreadPost) -> str:
        return await super().broadcast(account_id, contact_ids, replace(post, idempotency_key="0" * 32))


class ClaimsSuccess(Wrapped):
    async def broadcast(self, account_id: str, contact_ids: Sequence[str], post: SpreadPost) -> str:
        try:
            return await super().broadcast(account_id, contact_ids, post)
        except Uncertain:
            return "1"


class GivesUpWhatIsUncertain(Wrapped):
    async def broadcast(self, account_id: str, contact_ids: Sequence[str], post: SpreadPost) -> str:
        try:
            return await super().broadcast(account_id, contact_ids, post)
        except Uncertain as error:
            raise Rejected(error.code, error.reason) from None


class MindsDuplicates(Wrapped):
    async def broadcast(self, account_id: str, contact_ids: Sequence[str], post: SpreadPost) -> str:
        try:
            return await super().broadcast(account_id, contact_ids, post)
        except Uncertain as error:
            raise Rejected(error.code, error.reason) from None


class SaysNothingWasSent(Wrapped):
    async def broadcast(self, account_id: str, contact_ids: Sequence[str], post: SpreadPost) -> str:
        try:
            return await super().broadcast(account_id, contact_ids, post)
        except Uncertain as error:
            raise RetryLater(error.code, error.reason) from None


class AlwaysDone(Wrapped):
    async def broadcast_result(self, broadcast_id: str) -> BroadcastResult:
        return BroadcastResult(broadcast_id, "done")


class NeverDone(Wrapped):
    async def broadcast_result(self, broadcast_id: str) -> BroadcastResult:
        return BroadcastResult(broadcast_id, "waiting")


class SaysNothingOfTheEnd(Wrapped):
    def parse(self, raw: Raw) -> Sequence[Event]:
        return [one for one in super().parse(raw) if getattr(one, "name", "") != "broadcast.finished"]


class Retold(Wrapped):
    """Tells the end with something else in its data."""

    changes: ClassVar[dict[str, Any]] = {}

    def parse(self, raw: Raw) -> Sequence[Event]:
        return [
            replace(one, data={**one.data, **self.changes})
            if isinstance(one, Occurrence) and one.name == "broadcast.finished"
            else one
            for one in super().parse(raw)
        ]


class NamesAnotherPost(Retold):
    changes: ClassVar[dict[str, Any]] = {"broadcast_id": "7"}


class CountsWrongly(Retold):
    changes: ClassVar[dict[str, Any]] = {"filtered": 1000}


class GivesNoReason(Retold):
    changes: ClassVar[dict[str, Any]] = {"reason": None}


class CutsPosts(Wrapped):
    async def broadcast(self, account_id: str, contact_ids: Sequence[str], post: SpreadPost) -> str:
        return await super().broadcast(account_id, contact_ids, replace(post, text=post.text[:500]))


class StatesLongPosts(Wrapped):
    broadcast_text_bytes = 5000


class StatesLargeBatches(Wrapped):
    broadcast_batch = 12_000


class StatesSmallLeast(Wrapped):
    broadcast_least = 1


class StatesOtherKinds(Wrapped):
    broadcast_kinds = frozenset({Kind.TEXT, Kind.VIDEO})


class SpreadsAnything(Wrapped):
    async def broadcast(self, account_id: str, contact_ids: Sequence[str], post: SpreadPost) -> str:
        words = SpreadPost(Kind.TEXT, post.text or "x", post.idempotency_key)
        return await super().broadcast(account_id, contact_ids, words)


class StatesTooMany(Wrapped):
    def __init__(self, true: OfficialAccountAdapter) -> None:
        super().__init__(true)
        self.broadcast_limits = (ReceiveLimit(6, "month", RULE),)


class StatesTooFew(Wrapped):
    def __init__(self, true: OfficialAccountAdapter) -> None:
        super().__init__(true)
        self.broadcast_limits = (ReceiveLimit(2, "month", RULE),)


class StatesAQuickRate(Wrapped):
    broadcasts_per_minute = 90


class StatesASlowRate(Wrapped):
    broadcasts_per_minute = 30


class StatesManyADay(Wrapped):
    broadcasts_per_day = 130


class PreviewsForAll(Wrapped):
    async def broadcast_preview(self, account_id: str, contact_id: str, post: SpreadPost) -> None:
        everybody = (await self.relations([account_id], "")).relations
        await self.broadcast(account_id, [one.contact.external_id for one in everybody], post)


class PreviewsForNobody(Wrapped):
    async def broadcast_preview(self, account_id: str, contact_id: str, post: SpreadPost) -> None: ...


class GivesUpWhenThrottled(Wrapped):
    async def broadcast(self, account_id: str, contact_ids: Sequence[str], post: SpreadPost) -> str:
        try:
            return await super().broadcast(account_id, contact_ids, post)
        except RetryLater as error:
            raise Rejected(error.code, error.reason) from None


class WaitsNoTime(Wrapped):
    async def broadcast(self, account_id: str, contact_ids: Sequence[str], post: SpreadPost) -> str:
        try:
            return await super().broadcast(account_id, contact_ids, post)
        except RetryLater as error:
            raise RetryLater(error.code, error.reason, after=0) from None


class SpeaksNoChinese(Wrapped):
    async def broadcast_delete(self, broadcast_id: str) -> None:
        raise Rejected("wechat_oa.1", Sentence(zh="", en="no"))


class RaisesAnything(Wrapped):
    async def broadcast_delete(self, broadcast_id: str) -> None:
        raise ValueError("no")


C = ChannelContract
LOST = {"fault": "drop_after"}
BROKEN: list[tuple[type[Wrapped], Callable[..., Any], dict[str, Any]]] = [
    (NeverSpreads, C.test_a_post_reaches_everybody_once, {}),
    (ForgetsTheId, C.test_a_post_reaches_everybody_once, {}),
    (ForgetsTheLast, C.test_a_post_reaches_everybody_once, {}),
    (MakesUpKeys, C.test_a_post_whose_answer_is_lost_may_be_repeated, LOST),
    (ClaimsSuccess, C.test_a_post_whose_answer_is_lost_may_be_repeated, LOST),
    (GivesUpWhatIsUncertain, C.test_a_post_whose_answer_is_lost_may_be_repeated, LOST),
    (NeverSpreads, C.test_a_post_whose_answer_is_lost_may_be_repeated, LOST),
    (MakesUpKeys, C.test_a_repetition_with_the_same_key_is_the_same_post, {}),
    (OneKeyForAll, C.test_a_repetition_with_the_same_key_is_the_same_post, {}),
    (SaysNothingWasSent, C.test_a_repetition_with_the_same_key_is_the_same_post, {}),
    (MindsDuplicates, C.test_a_repetition_with_the_same_key_is_the_same_post, {}),
    (AlwaysDone, C.test_how_a_post_ended_is_told_and_can_be_asked, {}),
    (NeverDone, C.test_how_a_post_ended_is_told_and_can_be_asked, {}),
    (SaysNothingOfTheEnd, C.test_how_a_post_ended_is_told_and_can_be_asked, {}),
    (NamesAnotherPost, C.test_how_a_post_ended_is_told_and_can_be_asked, {}),
    (CountsWrongly, C.test_how_a_post_ended_is_told_and_can_be_asked, {}),
    (GivesNoReason, C.test_a_post_that_the_platform_stops_says_why, {}),
    (AlwaysDone, C.test_a_post_that_the_platform_stops_says_why, {}),
    (AlwaysDone, C.test_the_result_of_an_unknown_post_is_refused, {}),
    (StatesLargeBatches, C.test_the_stated_numbers_of_people_are_taken_and_no_others, {}),
    (StatesSmallLeast, C.test_the_stated_numbers_of_people_are_taken_and_no_others, {}),
    (CutsPosts, C.test_the_longest_post_arrives_and_a_longer_one_is_refused, {}),
    (StatesLongPosts, C.test_the_longest_post_arrives_and_a_longer_one_is_refused, {}),
    (StatesOtherKinds, C.test_every_stated_kind_is_taken_and_every_other_refused, {}),
    (SpreadsAnything, C.test_every_stated_kind_is_taken_and_every_other_refused, {}),
    (PreviewsForNobody, C.test_every_stated_kind_is_taken_and_every_other_refused, {}),
    (StatesTooMany, C.test_who_has_had_the_stated_number_gets_no_more_in_that_period, {}),
    (StatesTooFew, C.test_who_has_had_the_stated_number_gets_no_more_in_that_period, {}),
    (StatesAQuickRate, C.test_the_stated_rates_are_the_platforms, {}),
    (StatesASlowRate, C.test_the_stated_rates_are_the_platforms, {}),
    (StatesManyADay, C.test_the_stated_rates_are_the_platforms, {}),
    (PreviewsForAll, C.test_a_preview_is_for_one_pair_of_eyes, {}),
    (PreviewsForNobody, C.test_a_preview_is_for_one_pair_of_eyes, {}),
    (GivesUpWhenThrottled, C.test_a_throttled_post_is_to_be_tried_later, {}),
    (WaitsNoTime, C.test_a_throttled_post_is_to_be_tried_later, {}),
    (GivesUpWhenThrottled, C.test_a_post_to_a_platform_that_cannot_be_reached_is_tried_later, {}),
    (SpeaksNoChinese, C.test_taking_a_post_back_works_or_says_why_not, {}),
    (RaisesAnything, C.test_taking_a_post_back_works_or_says_why_not, {}),
]


@pytest.mark.parametrize(("broken", "check", "more"), BROKEN, ids=lambda value: getattr(value, "__name__", ""))
async def test_the_kit_notices(
    harness: OfficialAccountHarness,
    adapter: OfficialAccountAdapter,
    broken: type[Wrapped],
    check: Callable[..., Any],
    more: dict[str, Any],
) -> None:
    spoilt = broken(adapter)
    away = broken(harness.build("http://127.0.0.1:9"))
    given = {"adapter": spoilt, "unreachable": away, "harness": harness, "crowd": Followers(harness), **more}
    arguments = {name: given[name] for name in inspect.signature(check).parameters if name != "self"}
    with pytest.raises((AssertionError, pytest.fail.Exception, RetryLater, Uncertain, Rejected, ValueError)):
        await check(ChannelContract(), **arguments)


def test_every_check_of_broadcasts_is_tried_on_a_broken_adapter() -> None:
    wanted = {name for name in vars(checks.BroadcastChecks) if name.startswith("test_")}
    assert wanted == {check.__name__ for _, check, _ in BROKEN}
    assert all(asyncio.iscoroutinefunction(getattr(checks.BroadcastChecks, name)) for name in wanted)
