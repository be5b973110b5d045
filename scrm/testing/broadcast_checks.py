"""Conformance of :class:`~scrm.channel_campaigns.Broadcasts`: one call for many people, each of whom gets it once or not at all."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import get_args

import pytest

from scrm.channel import Adapter, Kind, Occurrence
from scrm.channel_campaigns import Broadcasts, SpreadPost
from scrm.errors import Rejected, RetryLater, SendError, Uncertain
from scrm.testing.context import outgoing_media
from scrm.testing.crowd import Crowd
from scrm.testing.harness import Harness, SendFault
from scrm.testing.send_checks import check_reason

MOST_REPETITIONS = 5
REST = timedelta(seconds=70)
"""Between two repetitions, as the service waits: some platforms want a minute."""
LARGEST_TRIED = 20_000
MOST_CALLS = 200
PERIODS = {"day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=31)}
COUNTS = ("total", "filtered", "sent", "failed")


def new_key() -> str:
    return secrets.token_hex(16)


def words(crowd: Crowd, text: str) -> SpreadPost:
    return crowd.post(Kind.TEXT, text, new_key())


def some_people(crowd: Crowd, number: int) -> list[str]:
    return [crowd.person(f"听众{place}") for place in range(number)]


def enough(adapter: Broadcasts) -> int:
    return max(3, adapter.broadcast_least)


async def accepted(adapter: Broadcasts, harness: Harness, crowd: Crowd, people: Sequence[str], post: SpreadPost) -> str:
    """What the service does with a post of unknown outcome: repeats it with its key until the platform tells its id."""
    for _ in range(MOST_REPETITIONS):
        try:
            return await adapter.broadcast(crowd.account, people, post)
        except (RetryLater, Uncertain) as error:
            check_reason(error)
            harness.advance(REST)
    pytest.fail("repeating the post never got an answer")


async def not_taken(adapter: Broadcasts, crowd: Crowd, people: Sequence[str], post: SpreadPost, why: str) -> SendError:
    """Must be refused for good, and reach nobody."""
    before = [len(crowd.got(one)) for one in people]
    with pytest.raises(Rejected) as caught:
        await adapter.broadcast(crowd.account, people, post)
    check_reason(caught.value)
    assert [len(crowd.got(one)) for one in people] == before, f"{why}: rejected, yet somebody has it"
    return caught.value


class BroadcastChecks:
    async def test_a_post_reaches_everybody_once(self, adapter: Adapter, crowd: Crowd) -> None:
        if not isinstance(adapter, Broadcasts):
            return
        people, bystander = some_people(crowd, enough(adapter)), crowd.person("路人")
        broadcast_id = await adapter.broadcast(crowd.account, people, words(crowd, "周年庆"))
        assert broadcast_id, "without an id nothing can be said of it later"
        assert [list(crowd.got(one)) for one in people] == [["周年庆"]] * len(people)
        assert list(crowd.got(bystander)) == [], "somebody got it who was not on the list"

    @pytest.mark.parametrize("fault", get_args(SendFault))
    async def test_a_post_whose_answer_is_lost_may_be_repeated(
        self, adapter: Adapter, harness: Harness, crowd: Crowd, fault: SendFault
    ) -> None:
        if not isinstance(adapter, Broadcasts):
            return
        people, post = some_people(crowd, enough(adapter)), words(crowd, "只发一次")
        crowd.lose_answer(fault)
        try:
            await adapter.broadcast(crowd.account, people, post)
        except (RetryLater, Uncertain) as error:
            check_reason(error)
        except Rejected as error:
            pytest.fail(f"after {fault} nobody knows, but the adapter says {error!r}")
        else:
            pytest.fail(f"after {fault} nobody knows, but the adapter claims success")
        assert await accepted(adapter, harness, crowd, people, post)
        assert [list(crowd.got(one)) for one in people] == [["只发一次"]] * len(people), f"{fault}: lost or doubled"

    async def test_a_repetition_with_the_same_key_is_the_same_post(
        self, adapter: Adapter, harness: Harness, crowd: Crowd
    ) -> None:
        if not isinstance(adapter, Broadcasts):
            return
        people, post = some_people(crowd, enough(adapter)), words(crowd, "同一条")
        first = await adapter.broadcast(crowd.account, people, post)
        try:
            assert await adapter.broadcast(crowd.account, people, post) == first, "a repetition got another id"
        except Uncertain as error:
            check_reason(error)
        except (RetryLater, Rejected) as error:
            pytest.fail(f"the platform has it already, but the adapter says that nothing was sent: {error!r}")
        assert await accepted(adapter, harness, crowd, people, post) == first, "a repetition got another id"
        other = await accepted(adapter, harness, crowd, people, replace(post, idempotency_key=new_key()))
        assert other != first, "another key is another post"

    async def test_how_a_post_ended_is_told_and_can_be_asked(
        self, adapter: Adapter, harness: Harness, crowd: Crowd
    ) -> None:
        if not isinstance(adapter, Broadcasts):
            return
        people = some_people(crowd, enough(adapter) + 1)
        crowd.leaves(people[-1])
        crowd.hold()
        broadcast_id = await adapter.broadcast(crowd.account, people, words(crowd, "新品"))
        assert (await adapter.broadcast_result(broadcast_id)).state == "waiting"
        told = await ended(adapter, crowd, broadcast_id, refused=False)
        assert told["state"] == "done"
        reached = len(people) - 1
        assert [told[name] for name in COUNTS] == [len(people), reached, reached, 0], "the counts are wrong"
        result = await adapter.broadcast_result(broadcast_id)
        assert (result.broadcast_id, result.state) == (broadcast_id, "done")

    async def test_a_post_that_the_platform_stops_says_why(
        self, adapter: Adapter, harness: Harness, crowd: Crowd
    ) -> None:
        if not isinstance(adapter, Broadcasts):
            return
        people = some_people(crowd, enough(adapter))
        crowd.hold()
        broadcast_id = await adapter.broadcast(crowd.account, people, words(crowd, "被拦下"))
        told = await ended(adapter, crowd, broadcast_id, refused=True)
        assert told["state"] == "failed"
        assert told["code"], "the reason has no code"
        reason = told["reason"]
        assert isinstance(reason, dict), "the reason is told in both languages"
        assert reason.get("zh"), "the reason lacks its Chinese"
        assert reason.get("en"), "the reason lacks its English"
        assert (await adapter.broadcast_result(broadcast_id)).state == "failed"
        assert [list(crowd.got(one)) for one in people] == [[]] * len(people)

    async def test_the_result_of_an_unknown_post_is_refused(self, adapter: Adapter) -> None:
        if not isinstance(adapter, Broadcasts):
            return
        with pytest.raises(Rejected) as caught:
            await adapter.broadcast_result("987654321")
        check_reason(caught.value)

    async def test_the_stated_numbers_of_people_are_taken_and_no_others(self, adapter: Adapter, crowd: Crowd) -> None:
        if not isinstance(adapter, Broadcasts):
            return
        least, most = adapter.broadcast_least, adapter.broadcast_batch
        assert 1 <= least <= most
        few = some_people(crowd, least)
        assert await adapter.broadcast(crowd.account, few, words(crowd, "最少"))
        await not_taken(adapter, crowd, few[:-1], words(crowd, "太少"), "fewer than stated")
        if most > LARGEST_TRIED:
            return
        many = some_people(crowd, most + 1)
        await not_taken(adapter, crowd, many, words(crowd, "太多"), "more than stated")
        assert await adapter.broadcast(crowd.account, many[:-1], words(crowd, "最多"))
        assert list(crowd.got(many[-2])) == ["最多"], "a post to the stated number did not reach the last of them"

    async def test_the_longest_post_arrives_and_a_longer_one_is_refused(self, adapter: Adapter, crowd: Crowd) -> None:
        if not isinstance(adapter, Broadcasts) or Kind.TEXT not in adapter.broadcast_kinds:
            return
        people, limit = some_people(crowd, enough(adapter)), adapter.broadcast_text_bytes
        longest = "长" * (limit // 3) + "a" * (limit % 3)
        await adapter.broadcast(crowd.account, people, words(crowd, longest))
        assert list(crowd.got(people[0])) == [longest], "a text of the stated limit did not arrive whole"
        await not_taken(adapter, crowd, people, words(crowd, longest + "a"), "a text over the stated limit")

    async def test_every_stated_kind_is_taken_and_every_other_refused(self, adapter: Adapter, crowd: Crowd) -> None:
        if not isinstance(adapter, Broadcasts):
            return
        for kind in sorted(Kind):
            people = some_people(crowd, enough(adapter))
            if kind in adapter.broadcast_kinds:
                await adapter.broadcast(crowd.account, people, crowd.post(kind, "", new_key()))
                assert len(crowd.got(people[0])) == 1, f"{kind} did not arrive"
                await adapter.broadcast_preview(crowd.account, people[0], crowd.post(kind, "", new_key()))
                assert len(crowd.got(people[0])) == 2, f"a preview of {kind} did not arrive"
                continue
            file = outgoing_media(b"x" * 100, "a.bin", "application/octet-stream")
            post = SpreadPost(kind, "x", new_key(), media=file)
            await not_taken(adapter, crowd, people, post, f"the kind {kind}")

    async def test_who_has_had_the_stated_number_gets_no_more_in_that_period(
        self, adapter: Adapter, harness: Harness, crowd: Crowd
    ) -> None:
        if not isinstance(adapter, Broadcasts):
            return
        for limit in adapter.broadcast_limits:
            assert limit.rule.zh, "the rule lacks its Chinese"
            assert limit.rule.en, "the rule lacks its English"
            times = limit.times or 31
            people = some_people(crowd, enough(adapter))
            harness.advance(PERIODS[limit.period])
            for place in range(times):
                await adapter.broadcast_preview(crowd.account, people[0], words(crowd, "预览"))
                await adapter.broadcast(crowd.account, people, words(crowd, f"第{place}条"))
            assert len(crowd.got(people[1])) == times, "fewer than the stated number arrived"
            await too_many(adapter, crowd, people)
            assert len(crowd.got(people[1])) == times, (
                "more than the stated number arrived: the limit is not the platform's"
            )
            harness.advance(PERIODS[limit.period])
            await adapter.broadcast(crowd.account, people, words(crowd, "下一期"))
            assert list(crowd.got(people[1]))[-1:] == ["下一期"], "the next period did not bring a new allowance"

    async def test_the_stated_rates_are_the_platforms(self, adapter: Adapter, harness: Harness, crowd: Crowd) -> None:
        if not isinstance(adapter, Broadcasts) or adapter.broadcasts_per_day > MOST_CALLS:
            return
        if any(limit.everything and limit.times == 1 and limit.period == "day" for limit in adapter.broadcast_limits):
            return
        for number in range(adapter.broadcasts_per_day):
            if number % adapter.broadcasts_per_minute == 0:
                harness.advance(timedelta(minutes=1, seconds=1))
            people = some_people(crowd, adapter.broadcast_least)
            try:
                await adapter.broadcast(crowd.account, people, words(crowd, "快"))
            except SendError as error:
                pytest.fail(f"call {number + 1} was refused although the stated rates allow it: {error!r}")
            if number + 1 == adapter.broadcasts_per_minute:
                with pytest.raises(RetryLater):
                    await adapter.broadcast(crowd.account, people, words(crowd, "太快"))
        harness.advance(timedelta(minutes=1, seconds=1))
        with pytest.raises((Rejected, RetryLater)):
            await adapter.broadcast(crowd.account, some_people(crowd, enough(adapter)), words(crowd, "太多"))

    async def test_a_preview_is_for_one_pair_of_eyes(self, adapter: Adapter, crowd: Crowd) -> None:
        if not isinstance(adapter, Broadcasts):
            return
        viewer, other = crowd.person("同事"), crowd.person("听众")
        await adapter.broadcast_preview(crowd.account, viewer, words(crowd, "预览"))
        assert (list(crowd.got(viewer)), list(crowd.got(other))) == (["预览"], [])

    async def test_a_throttled_post_is_to_be_tried_later(
        self, adapter: Adapter, harness: Harness, crowd: Crowd
    ) -> None:
        if not isinstance(adapter, Broadcasts):
            return
        people, post = some_people(crowd, enough(adapter)), words(crowd, "稍等")
        crowd.throttle()
        with pytest.raises(RetryLater) as caught:
            await adapter.broadcast(crowd.account, people, post)
        check_reason(caught.value)
        assert caught.value.after > 0
        assert list(crowd.got(people[0])) == []
        harness.advance(timedelta(seconds=caught.value.after))
        await adapter.broadcast(crowd.account, people, post)
        assert list(crowd.got(people[0])) == ["稍等"]

    async def test_a_post_to_a_platform_that_cannot_be_reached_is_tried_later(
        self, unreachable: Adapter, crowd: Crowd
    ) -> None:
        if not isinstance(unreachable, Broadcasts):
            return
        with pytest.raises(RetryLater) as caught:
            await unreachable.broadcast(crowd.account, some_people(crowd, enough(unreachable)), words(crowd, "喂"))
        check_reason(caught.value)

    async def test_taking_a_post_back_works_or_says_why_not(self, adapter: Adapter, crowd: Crowd) -> None:
        if not isinstance(adapter, Broadcasts):
            return
        for kind in sorted(adapter.broadcast_kinds):
            people = some_people(crowd, enough(adapter))
            broadcast_id = await adapter.broadcast(crowd.account, people, crowd.post(kind, "", new_key()))
            try:
                for _ in range(2):
                    await adapter.broadcast_delete(broadcast_id)
            except Rejected as error:
                check_reason(error)


async def ended(adapter: Adapter, crowd: Crowd, broadcast_id: str, *, refused: bool) -> dict[str, object]:
    """The data of the one occurrence that tells how a post ended."""
    events = await crowd.ends(adapter, broadcast_id, refused=refused)
    told = [one for one in events if isinstance(one, Occurrence) and one.name == "broadcast.finished"]
    assert len(told) == 1, f"one broadcast.finished was to be told, not {events!r}"
    assert told[0].data["broadcast_id"] == broadcast_id, "it does not say which post has ended"
    return told[0].data


async def too_many(adapter: Broadcasts, crowd: Crowd, people: Sequence[str]) -> None:
    """One more than the limit: the platform may refuse the call, or take it and leave these people out."""
    try:
        await adapter.broadcast(crowd.account, people, words(crowd, "多一条"))
    except Rejected as error:
        check_reason(error)
