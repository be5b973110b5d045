"""Conformance of :class:`~scrm.channel_campaigns.Moments`: made once by a job, published by each member, and what became of it is read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import get_args

import pytest

from scrm.channel import Adapter
from scrm.channel_campaigns import MomentJob, MomentPost, Moments, TaskRef
from scrm.channel_contacts import AttachmentKind
from scrm.errors import Rejected, RetryLater, SendError, Uncertain
from scrm.testing.asking_checks import MADE, MOST_LOOKS, SETTLES, every, patiently
from scrm.testing.harness import Harness, SendFault
from scrm.testing.send_checks import check_reason
from scrm.testing.team import Team

KINDS = (AttachmentKind.IMAGE, AttachmentKind.VIDEO, AttachmentKind.LINK)


async def ended(adapter: Moments, harness: Harness, job_id: str) -> MomentJob:
    for _ in range(MOST_LOOKS):
        job = await patiently(harness, lambda: adapter.moment_job(job_id))
        if job.state != "waiting":
            return job
        harness.advance(timedelta(seconds=30))
    pytest.fail("the job never ends")


async def made(adapter: Moments, harness: Harness, post: MomentPost) -> str:
    job = await ended(adapter, harness, await patiently(harness, lambda: adapter.post_moment(post)))
    assert (job.state, bool(job.moment_id)) == ("done", True), f"the moment was not made: {job!r}"
    return job.moment_id


async def published(adapter: Moments, harness: Harness, moment_id: str) -> dict[str, bool]:
    rows = await every(harness, lambda cursor: adapter.moment_members(moment_id, cursor))
    assert len({one.account_id for one in rows}) == len(rows), "a member is told twice"
    return {one.account_id: one.published for one in rows}


async def listed(adapter: Moments, harness: Harness, team: Team) -> list[TaskRef]:
    since, until = team.now() - timedelta(hours=4), team.now() + timedelta(minutes=1)
    return await every(harness, lambda cursor: adapter.moments(since=since, until=until, cursor=cursor))


async def receivers(adapter: Moments, harness: Harness, moment_id: str, account_id: str) -> set[str]:
    rows = await every(harness, lambda cursor: adapter.moment_receivers(moment_id, account_id, cursor))
    assert len(set(rows)) == len(rows), "a customer is told twice"
    return set(rows)


async def audience(adapter: Moments, harness: Harness, moment_id: str, account_id: str) -> set[str]:
    return set(await every(harness, lambda cursor: adapter.moment_audience(moment_id, account_id, cursor)))


async def not_posted(adapter: Moments, team: Team, post: MomentPost, why: str) -> None:
    """Must be refused for good, and made nowhere."""
    before = len(team.posted())
    with pytest.raises(Rejected) as caught:
        await adapter.post_moment(post)
    check_reason(caught.value)
    assert len(team.posted()) == before, f"{why}: rejected, yet there is a moment"


class MomentChecks:
    async def test_a_moment_is_made_by_a_job_and_published_by_each_member(
        self, adapter: Adapter, harness: Harness, team: Team
    ) -> None:
        if not isinstance(adapter, Moments):
            return
        customer = team.customer("李雷")
        moment_id = await made(adapter, harness, MomentPost("湖边的早晨", (), [team.member, team.colleague]))
        assert await published(adapter, harness, moment_id) == {team.member: False, team.colleague: False}
        assert list(team.sees(customer)) == [], "a moment shows nothing by itself"
        team.publishes(moment_id, team.member)
        assert await published(adapter, harness, moment_id) == {team.member: True, team.colleague: False}
        assert list(team.sees(customer)) == ["湖边的早晨"]

    async def test_members_who_cannot_post_it_are_told(self, adapter: Adapter, harness: Harness, team: Team) -> None:
        if not isinstance(adapter, Moments):
            return
        unknown = f"{team.member}-unknown"
        job_id = await adapter.post_moment(MomentPost("你好", (), [team.member, unknown]))
        job = await ended(adapter, harness, job_id)
        assert (job.state, list(job.refused)) == ("done", [unknown])
        assert set(await published(adapter, harness, job.moment_id)) == {team.member}

    async def test_a_job_that_made_nothing_says_why(self, adapter: Adapter, harness: Harness, team: Team) -> None:
        if not isinstance(adapter, Moments):
            return
        try:
            job_id = await adapter.post_moment(MomentPost("你好", (), [f"{team.member}-unknown"]))
        except Rejected as error:
            check_reason(error)
            return
        job = await ended(adapter, harness, job_id)
        assert (job.state, job.moment_id) == ("failed", "")
        assert "." in job.code, "the code does not name its platform"
        assert job.reason is not None
        assert job.reason.zh
        assert job.reason.en

    async def test_a_job_that_nobody_knows_is_an_error(self, adapter: Adapter) -> None:
        if not isinstance(adapter, Moments):
            return
        with pytest.raises(Rejected) as caught:
            await adapter.moment_job("987654321")
        check_reason(caught.value)

    async def test_who_sees_it_is_told_when_it_is_published(
        self, adapter: Adapter, harness: Harness, team: Team
    ) -> None:
        if not isinstance(adapter, Moments):
            return
        friend, former = team.customer("李雷"), team.customer("露西")
        team.leaves(former)
        moment_id = await made(adapter, harness, MomentPost("湖", (), [team.member]))
        nothing = await patiently(harness, lambda: adapter.moment_reactions(moment_id, team.member))
        assert (list(nothing.comments), list(nothing.likes)) == ([], [])
        assert await receivers(adapter, harness, moment_id, team.member) == set()
        assert await audience(adapter, harness, moment_id, team.member) == set()
        team.publishes(moment_id, team.member)
        assert await receivers(adapter, harness, moment_id, team.member) == {friend}
        assert friend in await audience(adapter, harness, moment_id, team.member)

    async def test_tags_say_who_sees_it(self, adapter: Adapter, harness: Harness, team: Team) -> None:
        if not isinstance(adapter, Moments):
            return
        fond, keen, other = (team.customer(name) for name in ("李雷", "露西", "路人"))
        tags = [team.tag("摄影", [fond]), team.tag("徒步", [keen])]
        moment_id = await made(adapter, harness, MomentPost("山", (), [team.member], tags))
        team.publishes(moment_id, team.member)
        assert await receivers(adapter, harness, moment_id, team.member) == {fond, keen}
        assert await audience(adapter, harness, moment_id, team.member) == {fond, keen}
        assert list(team.sees(other)) == []

    async def test_what_customers_make_of_it_is_told(self, adapter: Adapter, harness: Harness, team: Team) -> None:
        if not isinstance(adapter, Moments):
            return
        fond, keen = team.customer("李雷"), team.customer("露西")
        moment_id = await made(adapter, harness, MomentPost("花", (), [team.member]))
        team.publishes(moment_id, team.member)
        team.likes(moment_id, team.member, fond)
        team.comments(moment_id, team.member, keen)
        team.comments(moment_id, team.member, keen)
        team.likes(moment_id, team.member, team.colleague)
        team.comments(moment_id, team.member, team.colleague)
        told = await patiently(harness, lambda: adapter.moment_reactions(moment_id, team.member))
        assert [who for who, _ in told.likes] == [fond], "likes are those of customers"
        assert [who for who, _ in told.comments] == [keen, keen], "comments are those of customers"
        for _, at in [*told.likes, *told.comments]:
            assert abs(at - team.now()) < timedelta(minutes=1)
        again = await patiently(harness, lambda: adapter.moment_reactions(moment_id, team.member))
        assert again == told, "a second look tells the same"

    @pytest.mark.parametrize("fault", get_args(SendFault))
    async def test_a_moment_whose_answer_is_lost_is_found_by_reading(
        self, adapter: Adapter, harness: Harness, team: Team, fault: SendFault
    ) -> None:
        if not isinstance(adapter, Moments):
            return
        team.lose_answer("moment", fault)
        try:
            await adapter.post_moment(MomentPost("只发一次", (), [team.member]))
        except Uncertain as error:
            check_reason(error)
        except RetryLater as error:
            check_reason(error)
            assert fault not in MADE, f"after {fault} it is being made, but the adapter says that it certainly is not"
        except Rejected as error:
            pytest.fail(f"after {fault} nobody knows, but the adapter says {error!r}")
        else:
            pytest.fail(f"after {fault} nobody knows, but the adapter claims success")
        wanted = ["只发一次"] if fault in MADE else []
        assert list(team.posted()) == wanted, (
            "a moment whose outcome is unknown must not be posted again by the adapter"
        )
        harness.advance(SETTLES)
        assert [one.text for one in await listed(adapter, harness, team)] == wanted

    async def test_every_moment_is_listed_once_with_its_words(
        self, adapter: Adapter, harness: Harness, team: Team
    ) -> None:
        if not isinstance(adapter, Moments):
            return
        begun, jobs = team.now(), {}
        for place in range(25):
            if place % max(adapter.moments_per_minute, 1) == 0:
                harness.advance(timedelta(minutes=1, seconds=1))
            post = MomentPost(f"第{place}条", (), [team.member])
            jobs[await patiently(harness, lambda post=post: adapter.post_moment(post))] = post.text  # type: ignore[misc]
        ids = {(await ended(adapter, harness, job)).moment_id: text for job, text in jobs.items()}
        harness.advance(SETTLES)
        found = await listed(adapter, harness, team)
        assert len(found) == len(jobs), "a moment is missing or told twice"
        assert {one.task_id: one.text for one in found} == ids
        assert all(begun - timedelta(minutes=1) <= one.made_at <= team.now() for one in found)

    async def test_a_moment_is_taken_back_from_who_did_not_publish_it(
        self, adapter: Adapter, harness: Harness, team: Team
    ) -> None:
        if not isinstance(adapter, Moments):
            return
        customer = team.customer("李雷")
        moment_id = await made(adapter, harness, MomentPost("收回", (), [team.member, team.colleague]))
        harness.advance(SETTLES)
        for _ in range(2):
            await adapter.withdraw_moment(moment_id)
        team.publishes(moment_id, team.member)
        assert list(team.sees(customer)) == []
        assert await published(adapter, harness, moment_id) == {team.member: False, team.colleague: False}

    async def test_the_stated_words_and_attachments_are_taken_and_no_others(
        self, adapter: Adapter, harness: Harness, team: Team
    ) -> None:
        if not isinstance(adapter, Moments):
            return
        signs, size = adapter.moment_text_limit, adapter.moment_text_bytes
        longest = ["a" * min(signs, size), "长" * min(signs, size // 3)]
        picture, video, link = (team.part(kind) for kind in KINDS)
        good = [
            (longest[0], []),
            (longest[1], []),
            ("", [picture] * adapter.moment_pictures),
            ("", [video]),
            ("x", [link]),
        ]
        for text, parts in good:
            await made(adapter, harness, MomentPost(text, parts, [team.member]))
        posted = list(team.posted())
        assert [*posted[:2], len(posted)] == [*longest, len(good)], "what was posted is not what was said"
        bad = [
            ("a text over the stated signs", longest[0] + "a", []),
            ("a text over the stated bytes", longest[1] + "长", []),
            ("nothing at all", "", []),
            ("more pictures than stated", "x", [picture] * (adapter.moment_pictures + 1)),
            ("two kinds at once", "x", [picture, video]),
            ("two links", "x", [link, link]),
        ]
        for why, text, parts in bad:
            await not_posted(adapter, team, MomentPost(text, parts, [team.member]), why)
        for kind in sorted(set(AttachmentKind) - set(KINDS)):
            await not_posted(adapter, team, MomentPost("x", [team.part(kind)], [team.member]), f"the kind {kind}")
        await not_posted(adapter, team, MomentPost("x"), "a moment of nobody")

    async def test_the_stated_rate_is_the_platforms(self, adapter: Adapter, harness: Harness, team: Team) -> None:
        """A platform may count from the full minute: then it refuses only after another as many."""
        if not isinstance(adapter, Moments) or adapter.moments_per_minute > 100:
            return
        rate, post = adapter.moments_per_minute, MomentPost("快", (), [team.member])
        for number in range(rate):
            try:
                await adapter.post_moment(post)
            except SendError as error:
                pytest.fail(f"call {number + 1} was refused although the stated rate allows it: {error!r}")

        async def one_too_many() -> None:
            for _ in range(rate + 1):
                await adapter.post_moment(post)

        with pytest.raises(RetryLater) as caught:
            await one_too_many()
        check_reason(caught.value)
        before = len(team.posted())
        harness.advance(timedelta(seconds=caught.value.after))
        await adapter.post_moment(post)
        assert len(team.posted()) == before + 1, "after the stated time it may be tried again"

    async def test_a_throttled_moment_is_to_be_tried_later(
        self, adapter: Adapter, harness: Harness, team: Team
    ) -> None:
        if not isinstance(adapter, Moments):
            return
        post = MomentPost("稍等", (), [team.member])
        team.throttle("moment")
        with pytest.raises(RetryLater) as caught:
            await adapter.post_moment(post)
        check_reason(caught.value)
        assert caught.value.after > 0
        assert list(team.posted()) == []
        harness.advance(timedelta(seconds=caught.value.after))
        await adapter.post_moment(post)
        assert list(team.posted()) == ["稍等"]

    async def test_a_moment_for_a_platform_that_cannot_be_reached_is_tried_later(
        self, unreachable: Adapter, team: Team
    ) -> None:
        if not isinstance(unreachable, Moments):
            return
        calls: list[Callable[[], Awaitable[object]]] = [
            lambda: unreachable.post_moment(MomentPost("喂", (), [team.member])),
            lambda: unreachable.moment_job("x"),
            lambda: unreachable.moments(since=team.now(), until=team.now(), cursor=""),
            lambda: unreachable.moment_members("x", ""),
            lambda: unreachable.moment_audience("x", team.member, ""),
            lambda: unreachable.moment_receivers("x", team.member, ""),
            lambda: unreachable.moment_reactions("x", team.member),
            lambda: unreachable.withdraw_moment("x"),
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
