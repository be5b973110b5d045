"""The conformance kit finds adapters that are broken on purpose in ``AsksMembers`` or ``Moments``, one promise each, as in
:mod:`tests.adapters.wecom.test_kit_notices`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from scrm.channel import Sentence
from scrm.channel_campaigns import (
    AskedMember,
    AskedResult,
    MomentJob,
    MomentMember,
    MomentPost,
    MomentReactions,
    Post,
    ReceiveLimit,
    ResultState,
    TaskRef,
)
from scrm.channel_contacts import AttachmentKind
from scrm.errors import Rejected, RetryLater, Uncertain
from scrm.testing import ChannelContract
from tests.adapters.wecom.harness import WeComHarness
from tests.adapters.wecom.team import WeComTeam
from tests.adapters.wecom.test_kit_notices import Wrapped

RULE = Sentence("规则", "a rule")


# Posts that members send


class Asking(Wrapped):
    """Spoils what it is asked to say, or for whom."""

    async def ask(
        self, account_id: str, post: Post, *, contact_ids: Sequence[str] = (), group_ids: Sequence[str] = ()
    ) -> tuple[str, Sequence[str]]:
        return await super().ask(account_id, post, contact_ids=contact_ids, group_ids=group_ids)


class AsksForEverybody(Asking):
    async def ask(
        self, account_id: str, post: Post, *, contact_ids: Sequence[str] = (), group_ids: Sequence[str] = ()
    ) -> tuple[str, Sequence[str]]:
        body = {"sender": account_id, "text": {"content": post.text}}
        answer = await self._client.post("externalcontact/add_msg_template", body, effect=True)
        return answer["msgid"], []


class ForgetsWhoIsLost(Asking):
    async def ask(self, account_id: str, post: Post, **who: Any) -> tuple[str, Sequence[str]]:
        return (await super().ask(account_id, post, **who))[0], []


class CutsTasks(Asking):
    async def ask(self, account_id: str, post: Post, **who: Any) -> tuple[str, Sequence[str]]:
        return await super().ask(account_id, replace(post, text=post.text[:500]), **who)


class LosesAttachments(Asking):
    async def ask(self, account_id: str, post: Post, **who: Any) -> tuple[str, Sequence[str]]:
        return await super().ask(account_id, replace(post, text=post.text or "x", parts=post.parts[:9]), **who)


class AsksAgain(Asking):
    async def ask(self, account_id: str, post: Post, **who: Any) -> tuple[str, Sequence[str]]:
        try:
            return await super().ask(account_id, post, **who)
        except Uncertain:
            return await super().ask(account_id, post, **who)


class AsksAgainAndStaysUncertain(Asking):
    async def ask(self, account_id: str, post: Post, **who: Any) -> tuple[str, Sequence[str]]:
        try:
            return await super().ask(account_id, post, **who)
        except Uncertain:
            await super().ask(account_id, post, **who)
            raise


class SaysNothingWasAsked(Asking):
    async def ask(self, account_id: str, post: Post, **who: Any) -> tuple[str, Sequence[str]]:
        try:
            return await super().ask(account_id, post, **who)
        except Uncertain as error:
            raise RetryLater(error.code, error.reason) from None


class GivesUpTasks(Asking):
    async def ask(self, account_id: str, post: Post, **who: Any) -> tuple[str, Sequence[str]]:
        try:
            return await super().ask(account_id, post, **who)
        except (Uncertain, RetryLater) as error:
            raise Rejected(error.code, error.reason) from None


class ReadsOnePageOfTasks(Asking):
    async def tasks(
        self, *, groups: bool, since: datetime, until: datetime, cursor: str
    ) -> tuple[Sequence[TaskRef], str]:
        return (await super().tasks(groups=groups, since=since, until=until, cursor=cursor))[0], ""


class MixesGroups(Asking):
    async def tasks(
        self, *, groups: bool, since: datetime, until: datetime, cursor: str
    ) -> tuple[Sequence[TaskRef], str]:
        more, _ = await super().tasks(groups=not groups, since=since, until=until, cursor="")
        found, cursor = await super().tasks(groups=groups, since=since, until=until, cursor=cursor)
        return [*found, *more], cursor


class LosesTheWords(Asking):
    async def tasks(
        self, *, groups: bool, since: datetime, until: datetime, cursor: str
    ) -> tuple[Sequence[TaskRef], str]:
        found, cursor = await super().tasks(groups=groups, since=since, until=until, cursor=cursor)
        return [replace(one, text="") for one in found], cursor


class TellsNoTime(Asking):
    async def tasks(
        self, *, groups: bool, since: datetime, until: datetime, cursor: str
    ) -> tuple[Sequence[TaskRef], str]:
        found, cursor = await super().tasks(groups=groups, since=since, until=until, cursor=cursor)
        return [replace(one, made_at=one.made_at - timedelta(hours=8)) for one in found], cursor


class BelievesEveryMember(Asking):
    async def asked_members(self, task_id: str, cursor: str) -> tuple[Sequence[AskedMember], str]:
        found, cursor = await super().asked_members(task_id, cursor)
        return [replace(one, sent_at=one.sent_at or self._mass._clock.now()) for one in found], cursor


class BelievesNoMember(Asking):
    async def asked_members(self, task_id: str, cursor: str) -> tuple[Sequence[AskedMember], str]:
        found, cursor = await super().asked_members(task_id, cursor)
        return [replace(one, sent_at=None) for one in found], cursor


class BelievesEveryResult(Asking):
    async def asked_results(self, task_id: str, account_id: str, cursor: str) -> tuple[Sequence[AskedResult], str]:
        found, cursor = await super().asked_results(task_id, account_id, cursor)
        return [replace(one, state=ResultState.SENT) for one in found], cursor


class NeverEndsItsResults(Asking):
    async def asked_results(self, task_id: str, account_id: str, cursor: str) -> tuple[Sequence[AskedResult], str]:
        return (await super().asked_results(task_id, account_id, ""))[0], "again"


class KeepsThePlatformsCode(Asking):
    async def remind(self, task_id: str) -> None:
        await self._client.post("externalcontact/remind_groupmsg_send", {"msgid": task_id})


class StatesMoreReminders(Asking):
    reminders_per_task = 9


class MindsWhatIsTakenBack(Asking):
    async def withdraw(self, task_id: str) -> None:
        await self._client.post("externalcontact/cancel_groupmsg_send", {"msgid": task_id})


class NeverTakesBack(Asking):
    async def withdraw(self, task_id: str) -> None:
        return


class StatesLongTasks(Asking):
    task_text_bytes = 5000


class StatesLargeTasks(Asking):
    task_batch = 12_000


class StatesMoreParts(Asking):
    task_parts = 12


class StatesFewKinds(Asking):
    task_kinds = frozenset({AttachmentKind.IMAGE})


class AllowsMore(Asking):
    task_limits: Sequence[ReceiveLimit] = (ReceiveLimit(32, "month", RULE),)


class AllowsFewer(Asking):
    task_limits: Sequence[ReceiveLimit] = (ReceiveLimit(4, "week", RULE),)


# Moments


class Posting(Wrapped):
    async def post_moment(self, post: MomentPost) -> str:
        return await super().post_moment(post)


class ShowsItToAll(Posting):
    async def post_moment(self, post: MomentPost) -> str:
        return await super().post_moment(replace(post, tag_ids=()))


class AsksEverybody(Posting):
    async def post_moment(self, post: MomentPost) -> str:
        if post.account_ids:
            return await super().post_moment(post)
        body = {"text": {"content": post.text}}
        return str((await self._client.post("externalcontact/add_moment_task", body, effect=True))["jobid"])


class CutsMoments(Posting):
    async def post_moment(self, post: MomentPost) -> str:
        return await super().post_moment(replace(post, text=post.text[:1000]))


class PostsWhatItCan(Posting):
    async def post_moment(self, post: MomentPost) -> str:
        return await super().post_moment(replace(post, parts=post.parts[:1]))


class PostsAgain(Posting):
    async def post_moment(self, post: MomentPost) -> str:
        try:
            return await super().post_moment(post)
        except Uncertain:
            return await super().post_moment(post)


class PostsAgainAndStaysUncertain(Posting):
    async def post_moment(self, post: MomentPost) -> str:
        try:
            return await super().post_moment(post)
        except Uncertain:
            await super().post_moment(post)
            raise


class SaysNothingWasPosted(Posting):
    async def post_moment(self, post: MomentPost) -> str:
        try:
            return await super().post_moment(post)
        except Uncertain as error:
            raise RetryLater(error.code, error.reason) from None


class GivesUpMoments(Posting):
    async def post_moment(self, post: MomentPost) -> str:
        try:
            return await super().post_moment(post)
        except (Uncertain, RetryLater) as error:
            raise Rejected(error.code, error.reason) from None


class StatesAQuickRate(Posting):
    moments_per_minute = 40


class StatesLongMoments(Posting):
    moment_text_limit = 4000


class StatesManyPictures(Posting):
    moment_pictures = 12


class BelievesInEveryJob(Posting):
    async def moment_job(self, job_id: str) -> MomentJob:
        return MomentJob("done", job_id)


class NeverDone(Posting):
    async def moment_job(self, job_id: str) -> MomentJob:
        return MomentJob("waiting")


class ForgetsWhoIsRefused(Posting):
    async def moment_job(self, job_id: str) -> MomentJob:
        return replace(await super().moment_job(job_id), refused=())


class GivesNoReason(Posting):
    async def moment_job(self, job_id: str) -> MomentJob:
        return replace(await super().moment_job(job_id), reason=None)


class WaitsForUnknownJobs(Posting):
    async def moment_job(self, job_id: str) -> MomentJob:
        try:
            return await super().moment_job(job_id)
        except Rejected:
            return MomentJob("waiting")


class ReadsOnePageOfMoments(Posting):
    async def moments(self, *, since: datetime, until: datetime, cursor: str) -> tuple[Sequence[TaskRef], str]:
        return (await super().moments(since=since, until=until, cursor=cursor))[0], ""


class TellsPersonalOnes(Posting):
    async def moments(self, *, since: datetime, until: datetime, cursor: str) -> tuple[Sequence[TaskRef], str]:
        found, cursor = await super().moments(since=since, until=until, cursor=cursor)
        return [*found, *found], cursor


class SaysAllPublished(Posting):
    async def moment_members(self, moment_id: str, cursor: str) -> tuple[Sequence[MomentMember], str]:
        found, cursor = await super().moment_members(moment_id, cursor)
        return [replace(one, published=True) for one in found], cursor


class SpellsMembersAsTheyCome(Posting):
    async def moment_members(self, moment_id: str, cursor: str) -> tuple[Sequence[MomentMember], str]:
        found, cursor = await super().moment_members(moment_id, cursor)
        return [replace(one, account_id=one.account_id.upper()) for one in found], cursor


class TellsForWhomItWas(Posting):
    async def moment_receivers(self, moment_id: str, account_id: str, cursor: str) -> tuple[Sequence[str], str]:
        return await super().moment_audience(moment_id, account_id, cursor)


class MindsWhatIsNotPublished(Posting):
    async def moment_receivers(self, moment_id: str, account_id: str, cursor: str) -> tuple[Sequence[str], str]:
        body = {"moment_id": moment_id, "userid": account_id, "cursor": cursor}
        answer = await self._client.post("externalcontact/get_moment_send_result", body)
        return [one["external_userid"] for one in answer["customer_list"]], answer["next_cursor"]


class ForgetsLikes(Posting):
    async def moment_reactions(self, moment_id: str, account_id: str) -> MomentReactions:
        return replace(await super().moment_reactions(moment_id, account_id), likes=())


class CountsColleagues(Posting):
    async def moment_reactions(self, moment_id: str, account_id: str) -> MomentReactions:
        told = await super().moment_reactions(moment_id, account_id)
        return replace(told, comments=[*told.comments, *((account_id, at) for _, at in told.comments[:1])])


class TellsTheTimeOfTheLook(Posting):
    async def moment_reactions(self, moment_id: str, account_id: str) -> MomentReactions:
        told, now = await super().moment_reactions(moment_id, account_id), self._mass._clock.now()
        return replace(told, likes=[(who, now) for who, _ in told.likes])


class MindsMomentsTakenBack(Posting):
    async def withdraw_moment(self, moment_id: str) -> None:
        await self._client.post("externalcontact/cancel_moment_task", {"moment_id": moment_id})


class NeverTakesMomentsBack(Posting):
    async def withdraw_moment(self, moment_id: str) -> None:
        return


C = ChannelContract
SENT = C.test_a_task_is_sent_by_the_member_and_not_before
REACHED = C.test_whom_a_task_does_not_reach_is_told
ALLOWED = C.test_who_has_had_the_stated_number_of_tasks_gets_no_more_in_that_period
FOUND, LISTED = C.test_a_task_whose_answer_is_lost_is_found_by_reading, C.test_every_task_is_listed_once_with_its_words
ATTACHED = C.test_every_stated_kind_of_attachment_and_their_number_is_taken
LONGEST, BACK = (
    C.test_the_longest_task_arrives_and_a_longer_one_is_refused,
    C.test_a_task_is_taken_back_from_who_did_not_send_it,
)
REMINDED = C.test_the_stated_number_of_reminders_is_the_platforms
MADE = C.test_a_moment_is_made_by_a_job_and_published_by_each_member
SEEN, TAGGED = C.test_who_sees_it_is_told_when_it_is_published, C.test_tags_say_who_sees_it
REFUSED, WHY = C.test_members_who_cannot_post_it_are_told, C.test_a_job_that_made_nothing_says_why
REACTED, RATE = C.test_what_customers_make_of_it_is_told, C.test_the_stated_rate_is_the_platforms
SAID, WITHDRAWN = (
    C.test_the_stated_words_and_attachments_are_taken_and_no_others,
    C.test_a_moment_is_taken_back_from_who_did_not_publish_it,
)
RETOLD = C.test_every_moment_is_listed_once_with_its_words
MOMENT_FOUND = C.test_a_moment_whose_answer_is_lost_is_found_by_reading
LOST, NEVER = {"fault": "drop_after"}, {"fault": "drop_before"}
BROKEN: list[tuple[type[Wrapped], Callable[..., Any], dict[str, Any]]] = [
    (AsksForEverybody, SENT, {}),
    (BelievesEveryMember, SENT, {}),
    (BelievesNoMember, SENT, {}),
    (BelievesEveryResult, SENT, {}),
    (NeverEndsItsResults, SENT, {}),
    (BelievesEveryResult, REACHED, {}),
    (ForgetsWhoIsLost, REACHED, {}),
    (AsksForEverybody, C.test_a_task_for_nobody_is_refused, {}),
    (MixesGroups, C.test_groups_are_asked_for_apart_from_customers, {}),
    (AsksAgain, FOUND, LOST),
    (AsksAgainAndStaysUncertain, FOUND, LOST),
    (SaysNothingWasAsked, FOUND, LOST),
    (GivesUpTasks, FOUND, LOST),
    (AsksAgain, FOUND, NEVER),
    (LosesTheWords, FOUND, LOST),
    (ReadsOnePageOfTasks, LISTED, {}),
    (LosesTheWords, LISTED, {}),
    (TellsNoTime, LISTED, {}),
    (MindsWhatIsTakenBack, BACK, {}),
    (NeverTakesBack, BACK, {}),
    (KeepsThePlatformsCode, REMINDED, {}),
    (StatesMoreReminders, REMINDED, {}),
    (CutsTasks, LONGEST, {}),
    (StatesLongTasks, LONGEST, {}),
    (LosesAttachments, ATTACHED, {}),
    (StatesMoreParts, ATTACHED, {}),
    (StatesFewKinds, ATTACHED, {}),
    (StatesLargeTasks, C.test_the_stated_number_of_customers_is_taken_and_no_more, {}),
    (AllowsMore, ALLOWED, {}),
    (AllowsFewer, ALLOWED, {}),
    (BelievesEveryResult, ALLOWED, {}),
    (GivesUpTasks, C.test_a_throttled_task_is_to_be_asked_for_later, {}),
    (NeverDone, MADE, {}),
    (BelievesInEveryJob, MADE, {}),
    (SaysAllPublished, MADE, {}),
    (SpellsMembersAsTheyCome, MADE, {}),
    (ForgetsWhoIsRefused, REFUSED, {}),
    (BelievesInEveryJob, WHY, {}),
    (GivesNoReason, WHY, {}),
    (WaitsForUnknownJobs, C.test_a_job_that_nobody_knows_is_an_error, {}),
    (TellsForWhomItWas, SEEN, {}),
    (MindsWhatIsNotPublished, SEEN, {}),
    (ShowsItToAll, TAGGED, {}),
    (ForgetsLikes, REACTED, {}),
    (CountsColleagues, REACTED, {}),
    (TellsTheTimeOfTheLook, REACTED, {}),
    (PostsAgain, MOMENT_FOUND, LOST),
    (PostsAgainAndStaysUncertain, MOMENT_FOUND, LOST),
    (SaysNothingWasPosted, MOMENT_FOUND, LOST),
    (GivesUpMoments, MOMENT_FOUND, LOST),
    (PostsAgain, MOMENT_FOUND, NEVER),
    (ReadsOnePageOfMoments, RETOLD, {}),
    (TellsPersonalOnes, RETOLD, {}),
    (MindsMomentsTakenBack, WITHDRAWN, {}),
    (NeverTakesMomentsBack, WITHDRAWN, {}),
    (CutsMoments, SAID, {}),
    (StatesLongMoments, SAID, {}),
    (StatesManyPictures, SAID, {}),
    (PostsWhatItCan, SAID, {}),
    (AsksEverybody, SAID, {}),
    (StatesAQuickRate, RATE, {}),
    (GivesUpMoments, C.test_a_throttled_moment_is_to_be_tried_later, {}),
]


@pytest.mark.parametrize(("broken", "check", "more"), BROKEN, ids=lambda value: getattr(value, "__name__", ""))
async def test_the_kit_notices(
    site: WeComHarness, broken: type[Wrapped], check: Callable[..., Any], more: dict[str, Any]
) -> None:
    given = {"adapter": broken(site.connect()), "harness": site, "team": WeComTeam(site), **more}
    arguments = {name: given[name] for name in inspect.signature(check).parameters if name != "self"}
    with pytest.raises((AssertionError, pytest.fail.Exception, LookupError, RetryLater, Uncertain, Rejected)):
        await check(ChannelContract(), **arguments)
