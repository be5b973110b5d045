"""Posts in members' Moments (wecom.md chapter 13; platform pages 95094, 93333, 97612). Making one is a job of WeCom's; then each member
publishes their own in the client, or does not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from adapters.wecom.client import WeComClient
from adapters.wecom.errors import MEDIA_REFUSED, api_error, unanswered
from adapters.wecom.ids import member
from adapters.wecom.lengths import check_bytes, check_characters, check_count
from adapters.wecom.moment_files import MomentFiles, check, ids_by_file
from adapters.wecom.values import integer, moment, moment_or_none, nested, objects, text, texts
from scrm.channel import JsonObject, Sentence
from scrm.channel_campaigns import MomentJob, MomentMember, MomentPost, MomentReactions, TaskRef
from scrm.clock import Clock
from scrm.errors import Rejected

TEXT_LIMIT, TEXT_BYTES, MEMBERS = 2_000, 4_000, 100_000
PER_MINUTE, PER_MONTH = 10, 100_000
_BY_COMPANY, _FINISHED, _PUBLISHED = 0, 3, 1
_NOT_PUBLISHED, _CANCELLED = "wecom.41062", "wecom.41093"
_MEDIA_REFUSED = frozenset(f"wecom.{errcode}" for errcode in MEDIA_REFUSED)
_EMPTY = Sentence("朋友圈没有内容。请填写文字或添加附件。", "The moment is empty. Write a text or add an attachment.")
_NOBODY = Sentence("没有选择发表的成员。请至少选择一位。", "No member is chosen to publish it. Choose at least one.")


class Moments:
    def __init__(self, client: WeComClient, files: MomentFiles, clock: Clock) -> None:
        self._client = client
        self._files = files
        self._clock = clock

    async def post(self, wanted: MomentPost) -> str:
        """``add_moment_task``. Not answered: it may have been made; :meth:`made` tells. What WeCom refuses is not made, so files that it
        has forgotten are uploaded anew."""
        _check(wanted)
        visible: JsonObject = {"sender_list": {"user_list": list(wanted.account_ids)}}
        visible |= {"external_contact_list": {"tag_list": list(wanted.tag_ids)}} if wanted.tag_ids else {}
        body: JsonObject = {"visible_range": visible}
        body |= {"text": {"content": wanted.text}} if wanted.text else {}
        job_id = text(await self._add(body, wanted), "jobid")
        if not job_id:
            raise unanswered(effect=True)
        return job_id

    async def _add(self, body: JsonObject, wanted: MomentPost) -> JsonObject:
        path = "externalcontact/add_moment_task"
        attachments = await self._files.attachments(wanted.parts, {})
        try:
            return await self._client.post(path, _with(body, attachments), effect=True)
        except Rejected as error:
            if error.code not in _MEDIA_REFUSED:
                raise
        refused = ids_by_file(wanted.parts, attachments)
        attachments = await self._files.attachments(wanted.parts, refused)
        return await self._client.post(path, _with(body, attachments), effect=True)

    async def job(self, job_id: str) -> MomentJob:
        """``get_moment_task_result``."""
        answer = await self._client.get("externalcontact/get_moment_task_result", {"jobid": job_id})
        if integer(answer, "status") != _FINISHED:
            return MomentJob("waiting")
        result = nested(answer, "result")
        refused = [member(one.strip()) for one in texts(nested(result, "invalid_sender_list"), "user_list")]
        tags = [one.strip() for one in texts(nested(result, "invalid_external_contact_list"), "tag_list")]
        errcode = integer(result, "errcode") or 0
        if errcode:
            error = api_error(errcode)
            return MomentJob("failed", refused=refused, refused_tags=tags, code=error.code, reason=error.reason)
        moment_id = text(result, "moment_id")
        if not moment_id:
            raise unanswered(effect=False)
        return MomentJob("done", moment_id, refused, refused_tags=tags)

    async def made(self, *, since: datetime, until: datetime, cursor: str) -> tuple[Sequence[TaskRef], str]:
        """``get_moment_list``; times are at most thirty days apart."""
        body: JsonObject = {
            "start_time": int(since.timestamp()), "end_time": int(until.timestamp()),
            "filter_type": _BY_COMPANY, "cursor": cursor, "limit": 20,
        }  # fmt: skip
        answer = await self._client.post("externalcontact/get_moment_list", body)
        found = [
            TaskRef(
                text(one, "moment_id"),
                text(nested(one, "text"), "content"),
                moment(one, "create_time", self._clock.now()),
            )
            for one in objects(answer, "moment_list")
            if text(one, "moment_id")
        ]
        return found, _following(answer, cursor)

    async def members(self, moment_id: str, cursor: str) -> tuple[Sequence[MomentMember], str]:
        """``get_moment_task``."""
        body: JsonObject = {"moment_id": moment_id, "cursor": cursor, "limit": 1000}
        answer = await self._client.post("externalcontact/get_moment_task", body)
        found = [
            MomentMember(member(text(one, "userid").strip()), integer(one, "publish_status") == _PUBLISHED)
            for one in objects(answer, "task_list")
            if text(one, "userid").strip()
        ]
        return found, _following(answer, cursor)

    async def chosen(self, moment_id: str, account_id: str, cursor: str) -> tuple[Sequence[str], str]:
        """``get_moment_customer_list``: the visible range as it was chosen."""
        return await self._customers("externalcontact/get_moment_customer_list", moment_id, account_id, cursor, 1000)

    async def receivers(self, moment_id: str, account_id: str, cursor: str) -> tuple[Sequence[str], str]:
        """``get_moment_send_result``: those who can see it now that it is published."""
        return await self._customers("externalcontact/get_moment_send_result", moment_id, account_id, cursor, 5000)

    async def _customers(
        self, path: str, moment_id: str, account_id: str, cursor: str, most: int
    ) -> tuple[Sequence[str], str]:
        body: JsonObject = {"moment_id": moment_id, "userid": account_id, "cursor": cursor, "limit": most}
        answer = await self._of_published(path, body)
        return [who for who in map(_customer, objects(answer, "customer_list")) if who], _following(answer, cursor)

    async def reactions(self, moment_id: str, account_id: str) -> MomentReactions:
        """``get_moment_comments``. What colleagues wrote is left out, and what has no time: it could not be told from another look's."""
        answer = await self._of_published(
            "externalcontact/get_moment_comments", {"moment_id": moment_id, "userid": account_id}
        )
        return MomentReactions(_reactions(answer, "comment_list"), _reactions(answer, "like_list"))

    async def withdraw(self, moment_id: str) -> None:
        """``cancel_moment_task``."""
        try:
            await self._client.post("externalcontact/cancel_moment_task", {"moment_id": moment_id})
        except Rejected as error:
            if error.code != _CANCELLED:
                raise

    async def _of_published(self, path: str, body: JsonObject) -> JsonObject:
        """Of a member who did not publish yet WeCom tells an error, where there is simply nothing to tell."""
        try:
            return await self._client.post(path, body)
        except Rejected as error:
            if error.code == _NOT_PUBLISHED:
                return {}
            raise


def _check(wanted: MomentPost) -> None:
    if not wanted.text.strip() and not wanted.parts:
        raise Rejected("wecom.moment_empty", _EMPTY)
    if not wanted.account_ids:
        # WeCom would ask everybody in the app's range.
        raise Rejected("wecom.moment_nobody", _NOBODY)
    check_characters(wanted.text, TEXT_LIMIT, name="moment", zh="朋友圈文字")
    check_bytes(wanted.text, TEXT_BYTES, name="moment", zh="朋友圈文字")
    check_count(len(wanted.account_ids), MEMBERS, name="members", zh="一条朋友圈的成员")
    check(wanted.parts)


def _with(body: JsonObject, attachments: Sequence[JsonObject]) -> JsonObject:
    return {**body, "attachments": list(attachments)} if attachments else body


def _customer(row: JsonObject) -> str:
    return text(row, "external_userid").strip()


def _reactions(answer: JsonObject, name: str) -> list[tuple[str, datetime]]:
    told = [(_customer(row), moment_or_none(row, "create_time")) for row in objects(answer, name)]
    return [(who, at) for who, at in told if who and at is not None]


def _following(answer: JsonObject, cursor: str) -> str:
    following = text(answer, "next_cursor")
    return "" if following == cursor else following
