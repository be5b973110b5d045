"""Conformance of :class:`~scrm.channel_campaigns.AsksMembers`: a task is made once, sent by a person or not at all, and what became of it
is read."""

from __future__ import annotations

import calendar
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TypeVar, get_args
from zoneinfo import ZoneInfo

import pytest

from scrm.channel import Adapter
from scrm.channel_campaigns import AskedMember, AskedResult, AsksMembers, Post, ReceiveLimit, ResultState, TaskRef
from scrm.channel_contacts import AttachmentKind
from scrm.errors import Rejected, RetryLater, SendError, Uncertain
from scrm.testing.harness import Harness, SendFault
from scrm.testing.send_checks import check_reason
from scrm.testing.team import Team

T = TypeVar("T")

MADE: frozenset[SendFault] = frozenset({"timeout_after", "drop_after", "broken_answer"})
"""The platform has done it, and nobody heard."""
MOST_LOOKS = 20
MOST_PAGES = 1000
LARGEST_TRIED = 20_000
SETTLES = timedelta(minutes=2)


async def patiently(harness: Harness, call: Callable[[], Awaitable[T]]) -> T:
    """What the service does while the platform is not ready to tell."""
    for _ in range(MOST_LOOKS):
        try:
            return await call()
        except RetryLater as error:
            check_reason(error)
            harness.advance(timedelta(seconds=max(error.after, 1)))
    pytest.fail("asking again never got an answer")


async def every(harness: Harness, page: Callable[[str], Awaitable[tuple[Sequence[T], str]]]) -> list[T]:
    """All pages of a list."""
    found: list[T] = []
    cursor = ""
    for _ in range(MOST_PAGES):
        here = cursor
        rows, cursor = await patiently(harness, lambda here=here: page(here))  # type: ignore[misc]
        found += rows
        if not cursor:
            return found
    pytest.fail("the list never ends")


async def listed(adapter: AsksMembers, harness: Harness, team: Team, *, groups: bool = False) -> list[TaskRef]:
    since, until = team.now() - timedelta(hours=2), team.now() + timedelta(minutes=1)
    return await every(harness, lambda cursor: adapter.tasks(groups=groups, since=since, until=until, cursor=cursor))


async def members(adapter: AsksMembers, harness: Harness, task_id: str) -> dict[str, AskedMember]:
    rows = await every(harness, lambda cursor: adapter.asked_members(task_id, cursor))
    assert len({one.account_id for one in rows}) == len(rows), "a member is told twice"
    return {one.account_id: one for one in rows}


async def results(adapter: AsksMembers, harness: Harness, team: Team, task_id: str) -> dict[str, AskedResult]:
    rows = await every(harness, lambda cursor: adapter.asked_results(task_id, team.member, cursor))
    assert len({one.external_id for one in rows}) == len(rows), "a result is told twice"
    return {one.external_id: one for one in rows}


async def not_asked(adapter: AsksMembers, team: Team, post: Post, contact_ids: Sequence[str], why: str) -> None:
    """Must be refused for good, and put before nobody."""
    before = len(team.asked())
    with pytest.raises(Rejected) as caught:
        await adapter.ask(team.member, post, contact_ids=contact_ids)
    check_reason(caught.value)
    assert len(team.asked()) == before, f"{why}: rejected, yet there is a task"


def allowance(limit: ReceiveLimit, team: Team) -> int:
    if limit.times:
        return limit.times
    here = team.now().astimezone(ZoneInfo(limit.zone))
    return calendar.monthrange(here.year, here.month)[1]


class AskingChecks:
    async def test_a_task_is_sent_by_the_member_and_not_before(
        self, adapter: Adapter, harness: Harness, team: Team
    ) -> None:
        if not isinstance(adapter, AsksMembers):
            return
        people, bystander = [team.customer("李雷"), team.customer("露西")], team.customer("路人")
        task_id, lost = await adapter.ask(team.member, Post("周末去湖边吗"), contact_ids=people)
        assert task_id, "without an id nothing can be said of it later"
        assert list(lost) == []
        harness.advance(SETTLES)
        assert [list(team.got(one)) for one in people] == [[], []], "a task sends nothing by itself"
        told = await members(adapter, harness, task_id)
        assert [(one.account_id, one.sent_at) for one in told.values()] == [(team.member, None)]
        waiting = await results(adapter, harness, team, task_id)
        assert {one.state for one in waiting.values()} <= {ResultState.WAITING}
        team.confirms(task_id)
        assert [list(team.got(one)) for one in [*people, bystander]] == [["周末去湖边吗"], ["周末去湖边吗"], []]
        (member,) = (await members(adapter, harness, task_id)).values()
        assert member.sent_at is not None, "the member has sent it"
        assert abs(member.sent_at - team.now()) < timedelta(minutes=1), "sent_at is not when it was sent"
        sent = await results(adapter, harness, team, task_id)
        assert {one: sent[one].state for one in people} == dict.fromkeys(people, ResultState.SENT)
        assert bystander not in sent
        assert all(one.sent_at is not None for one in sent.values())

    async def test_whom_a_task_does_not_reach_is_told(self, adapter: Adapter, harness: Harness, team: Team) -> None:
        if not isinstance(adapter, AsksMembers):
            return
        friend, former, stranger = team.customer("李雷"), team.customer("露西"), team.stranger("路人")
        task_id, lost = await adapter.ask(team.member, Post("你好"), contact_ids=[friend, former, stranger])
        assert list(lost) == [stranger], "who cannot be reached is told at once"
        team.leaves(former)
        harness.advance(SETTLES)
        team.confirms(task_id)
        told = await results(adapter, harness, team, task_id)
        assert told[friend].state is ResultState.SENT
        assert told[former].state is ResultState.NOT_A_FRIEND
        assert list(team.got(former)) == []

    async def test_a_task_for_nobody_is_refused(self, adapter: Adapter, team: Team) -> None:
        if not isinstance(adapter, AsksMembers):
            return
        team.customer("李雷")
        await not_asked(adapter, team, Post("你好"), [team.stranger("路人")], "nobody can be reached")
        await not_asked(adapter, team, Post("你好"), [], "nobody is named, which is not everybody")

    async def test_groups_are_asked_for_apart_from_customers(
        self, adapter: Adapter, harness: Harness, team: Team
    ) -> None:
        if not isinstance(adapter, AsksMembers) or not adapter.group_task_batch:
            return
        customer, group = team.customer("李雷"), team.group("湖边的朋友")
        first, _ = await adapter.ask(team.member, Post("给客户"), contact_ids=[customer])
        second, _ = await adapter.ask(team.member, Post("给群"), group_ids=[group])
        harness.advance(SETTLES)
        assert [one.task_id for one in await listed(adapter, harness, team)] == [first]
        assert [one.task_id for one in await listed(adapter, harness, team, groups=True)] == [second]
        team.confirms(second)
        assert (list(team.got(customer)), list(team.got(group))) == ([], ["给群"])
        told = await results(adapter, harness, team, second)
        assert {one.external_id: one.state for one in told.values()} == {group: ResultState.SENT}

    @pytest.mark.parametrize("fault", get_args(SendFault))
    async def test_a_task_whose_answer_is_lost_is_found_by_reading(
        self, adapter: Adapter, harness: Harness, team: Team, fault: SendFault
    ) -> None:
        if not isinstance(adapter, AsksMembers):
            return
        customer = team.customer("李雷")
        team.lose_answer("ask", fault)
        try:
            await adapter.ask(team.member, Post("只问一次"), contact_ids=[customer])
        except Uncertain as error:
            check_reason(error)
        except RetryLater as error:
            check_reason(error)
            assert fault not in MADE, (
                f"after {fault} there is a task, but the adapter says that there certainly is none"
            )
        except Rejected as error:
            pytest.fail(f"after {fault} nobody knows, but the adapter says {error!r}")
        else:
            pytest.fail(f"after {fault} nobody knows, but the adapter claims success")
        made = ["只问一次"] if fault in MADE else []
        assert list(team.asked()) == made, "a task whose outcome is unknown must not be asked for again by the adapter"
        harness.advance(SETTLES)
        assert [one.text for one in await listed(adapter, harness, team)] == made

    async def test_every_task_is_listed_once_with_its_words(
        self, adapter: Adapter, harness: Harness, team: Team
    ) -> None:
        if not isinstance(adapter, AsksMembers):
            return
        customer, number = team.customer("李雷"), 120
        begun = team.now()
        made = {}
        for place in range(number):
            task_id, _ = await adapter.ask(team.member, Post(f"第{place}条"), contact_ids=[customer])
            made[task_id] = f"第{place}条"
        found = await listed(adapter, harness, team)
        assert len(found) == number, "a task is missing or told twice"
        assert {one.task_id: one.text for one in found} == made
        assert all(begun - timedelta(minutes=1) <= one.made_at <= team.now() for one in found)

    async def test_a_task_is_taken_back_from_who_did_not_send_it(
        self, adapter: Adapter, harness: Harness, team: Team
    ) -> None:
        if not isinstance(adapter, AsksMembers):
            return
        customer = team.customer("李雷")
        task_id, _ = await adapter.ask(team.member, Post("收回"), contact_ids=[customer])
        harness.advance(SETTLES)
        for _ in range(2):
            await adapter.withdraw(task_id)
        team.confirms(task_id)
        assert list(team.got(customer)) == []
        assert all(one.sent_at is None for one in (await members(adapter, harness, task_id)).values())

    async def test_the_stated_number_of_reminders_is_the_platforms(
        self, adapter: Adapter, harness: Harness, team: Team
    ) -> None:
        if not isinstance(adapter, AsksMembers):
            return
        task_id, _ = await adapter.ask(team.member, Post("提醒"), contact_ids=[team.customer("李雷")])
        harness.advance(SETTLES)
        for _ in range(adapter.reminders_per_task):
            await patiently(harness, lambda: adapter.remind(task_id))
        with pytest.raises(Rejected) as caught:
            await patiently(harness, lambda: adapter.remind(task_id))
        assert caught.value.code == "reminded_enough"
        assert caught.value.reason.zh
        assert caught.value.reason.en

    async def test_the_longest_task_arrives_and_a_longer_one_is_refused(
        self, adapter: Adapter, harness: Harness, team: Team
    ) -> None:
        if not isinstance(adapter, AsksMembers):
            return
        customer, limit = team.customer("李雷"), adapter.task_text_bytes
        longest = "长" * (limit // 3) + "a" * (limit % 3)
        task_id, _ = await adapter.ask(team.member, Post(longest), contact_ids=[customer])
        harness.advance(SETTLES)
        team.confirms(task_id)
        assert list(team.got(customer)) == [longest], "a text of the stated limit did not arrive whole"
        await not_asked(adapter, team, Post(longest + "a"), [customer], "a text over the stated limit")

    async def test_every_stated_kind_of_attachment_and_their_number_is_taken(
        self, adapter: Adapter, team: Team
    ) -> None:
        if not isinstance(adapter, AsksMembers):
            return
        customer = team.customer("李雷")
        for kind in sorted(adapter.task_kinds):
            await adapter.ask(team.member, Post("", [team.part(kind)]), contact_ids=[customer])
        for kind in sorted(set(AttachmentKind) - adapter.task_kinds):
            await not_asked(adapter, team, Post("x", [team.part(kind)]), [customer], f"the kind {kind}")
        if adapter.task_kinds:
            many = [team.part(min(adapter.task_kinds))] * (adapter.task_parts + 1)
            await adapter.ask(team.member, Post("x", many[:-1]), contact_ids=[customer])
            await not_asked(adapter, team, Post("x", many), [customer], "more attachments than stated")

    async def test_the_stated_number_of_customers_is_taken_and_no_more(self, adapter: Adapter, team: Team) -> None:
        if not isinstance(adapter, AsksMembers) or adapter.task_batch > LARGEST_TRIED:
            return
        customer = team.customer("李雷")
        many = [customer, *(f"{customer[:-6]}{place:06}" for place in range(adapter.task_batch))]
        task_id, lost = await adapter.ask(team.member, Post("许多人"), contact_ids=many[:-1])
        assert (bool(task_id), len(lost)) == (True, adapter.task_batch - 1)
        await not_asked(adapter, team, Post("太多人"), many, "more than stated")

    async def test_who_has_had_the_stated_number_of_tasks_gets_no_more_in_that_period(
        self, adapter: Adapter, harness: Harness, team: Team
    ) -> None:
        if not isinstance(adapter, AsksMembers):
            return
        for limit in adapter.task_limits:
            assert limit.rule.zh, "the rule lacks its Chinese"
            assert limit.rule.en, "the rule lacks its English"
            customer = team.customer("李雷")
            made = [
                (await adapter.ask(team.member, Post(f"第{place}条"), contact_ids=[customer]))[0]
                for place in range(33 if limit.period == "month" else limit.times + 1)
            ]
            harness.advance(SETTLES)
            times = allowance(limit, team)
            for task_id in made:
                team.confirms(task_id)
            states = [(await results(adapter, harness, team, one))[customer].state for one in made]
            assert states[:times] == [ResultState.SENT] * times, "fewer than the stated number arrived"
            assert set(states[times:]) == {ResultState.LIMIT_REACHED}, "more than the stated number arrived"
            harness.advance(timedelta(days=32))
            task_id, _ = await adapter.ask(team.member, Post("下一期"), contact_ids=[customer])
            harness.advance(SETTLES)
            team.confirms(task_id)
            assert list(team.got(customer))[-1:] == ["下一期"], "the next period did not bring a new allowance"

    async def test_a_throttled_task_is_to_be_asked_for_later(
        self, adapter: Adapter, harness: Harness, team: Team
    ) -> None:
        if not isinstance(adapter, AsksMembers):
            return
        customer = team.customer("李雷")
        team.throttle("ask")
        with pytest.raises(RetryLater) as caught:
            await adapter.ask(team.member, Post("稍等"), contact_ids=[customer])
        check_reason(caught.value)
        assert caught.value.after > 0
        assert list(team.asked()) == []
        harness.advance(timedelta(seconds=caught.value.after))
        await adapter.ask(team.member, Post("稍等"), contact_ids=[customer])
        assert list(team.asked()) == ["稍等"]

    async def test_a_task_for_a_platform_that_cannot_be_reached_is_tried_later(
        self, unreachable: Adapter, team: Team
    ) -> None:
        if not isinstance(unreachable, AsksMembers):
            return
        customer = team.customer("李雷")
        calls: list[Callable[[], Awaitable[object]]] = [
            lambda: unreachable.ask(team.member, Post("喂"), contact_ids=[customer]),
            lambda: unreachable.asked_members("x", ""),
            lambda: unreachable.asked_results("x", team.member, ""),
            lambda: unreachable.tasks(groups=False, since=team.now(), until=team.now(), cursor=""),
            lambda: unreachable.remind("x"),
            lambda: unreachable.withdraw("x"),
        ]
        for call in calls:
            try:
                await call()
            except RetryLater as error:
                check_reason(error)
            except SendError as error:
                pytest.fail(f"nothing has happened, but the adapter says {error!r}")
            else:
                pytest.fail("nobody listens, but the adapter claims success")
