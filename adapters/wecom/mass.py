"""Mass messages as tasks of members (wecom.md chapter 12; platform pages 92135, 93338, 97610, 97611). The calls send nothing: a member
confirms each task in the client."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from adapters.wecom.client import WeComClient
from adapters.wecom.errors import unanswered
from adapters.wecom.greeting import Greetings
from adapters.wecom.ids import member
from adapters.wecom.lengths import check_bytes, check_count
from adapters.wecom.values import integer, moment, moment_or_none, nested, objects, text, texts
from scrm.channel import JsonObject, Sentence
from scrm.channel_campaigns import AskedMember, AskedResult, Post, ReceiveLimit, ResultState, TaskRef
from scrm.channel_contacts import AttachmentKind
from scrm.clock import Clock
from scrm.errors import Rejected, RetryLater

BATCH, GROUP_BATCH, PARTS, TEXT_BYTES, REMINDERS = 10_000, 2_000, 9, 4_000, 3
KINDS = frozenset(AttachmentKind)
PER_MINUTE = 1_000
"""The platform allows ten times as many calls of one kind in a minute, but blocks the app for a minute after that."""
LIMITS = (
    ReceiveLimit(
        0,
        "month",
        Sentence(
            "每位客户、每个客户群每个自然月最多收到与当月天数相同次数的群发（企业与成员合计）。",
            "A customer or group gets at most as many mass messages in a month as it has days, those of the company and its members together.",
        ),
    ),
)
_HANDED_OUT, _OFTEN, _CANCELLED = "wecom.41063", "wecom.41094", "wecom.41093"
_BY_COMPANY = 0
_SENT = (1, 2)
"""The platform's text says 2, its own sample 1."""
_STATES: Mapping[int, ResultState] = {
    0: ResultState.WAITING,
    1: ResultState.SENT,
    2: ResultState.NOT_A_FRIEND,
    3: ResultState.LIMIT_REACHED,
}
_STILL = Sentence("企业微信还在分发这个群发任务，稍后再看。", "WeCom still hands this task out; look again later.")
_NOBODY = Sentence("没有选择群发对象。请至少选择一位客户或一个群。", "Nobody is chosen to get it. Choose somebody.")


class MassTasks:
    def __init__(self, client: WeComClient, greetings: Greetings, clock: Clock) -> None:
        self._client = client
        self._greetings = greetings
        self._clock = clock

    async def ask(
        self, account_id: str, post: Post, contact_ids: Sequence[str], group_ids: Sequence[str]
    ) -> tuple[str, Sequence[str]]:
        """``add_msg_template``. Not answered: it may have been made; :meth:`tasks` tells."""
        if not contact_ids and not group_ids:
            raise Rejected("wecom.mass_nobody", _NOBODY)  # WeCom would take all customers of this member
        check_bytes(post.text, TEXT_BYTES, name="mass message", zh="群发内容")
        check_count(len(post.parts), PARTS, name="attachments", zh="群发的附件")
        body: JsonObject = {"sender": account_id, "chat_type": "group" if group_ids else "single"}
        if group_ids:
            check_count(len(group_ids), GROUP_BATCH, name="groups", zh="一次群发的群")
            body["chat_id_list"] = list(group_ids)
        else:
            check_count(len(contact_ids), BATCH, name="customers", zh="一次群发的客户")
            body["external_userid"] = list(contact_ids)
        body |= {"text": {"content": post.text}} if post.text else {}
        attachments = await self._greetings.attachments(post.parts)
        body |= {"attachments": attachments} if attachments else {}
        answer = await self._client.post("externalcontact/add_msg_template", body, effect=True)
        task_id = text(answer, "msgid")
        if not task_id:
            raise unanswered(effect=True)
        return task_id, texts(answer, "fail_list")

    async def tasks(
        self, *, groups: bool, since: datetime, until: datetime, cursor: str
    ) -> tuple[Sequence[TaskRef], str]:
        """``get_groupmsg_list_v2``; times are at most a month apart."""
        body: JsonObject = {
            "chat_type": "group" if groups else "single", "start_time": int(since.timestamp()), "end_time": int(until.timestamp()),
            "filter_type": _BY_COMPANY, "limit": 100, "cursor": cursor,
        }  # fmt: skip
        answer = await self._client.post("externalcontact/get_groupmsg_list_v2", body)
        found = [
            TaskRef(
                text(one, "msgid"), text(nested(one, "text"), "content"), moment(one, "create_time", self._clock.now())
            )
            for one in objects(answer, "group_msg_list")
            if text(one, "msgid")
        ]
        return found, _following(answer, cursor)

    async def members(self, task_id: str, cursor: str) -> tuple[Sequence[AskedMember], str]:
        """``get_groupmsg_task``."""
        answer = await self._read(
            "externalcontact/get_groupmsg_task", {"msgid": task_id, "limit": 1000, "cursor": cursor}
        )
        found = [
            AskedMember(
                member(text(one, "userid")),
                (moment_or_none(one, "send_time") or self._clock.now()) if integer(one, "status") in _SENT else None,
            )
            for one in objects(answer, "task_list")
            if text(one, "userid")
        ]
        return found, _following(answer, cursor)

    async def results(self, task_id: str, account_id: str, cursor: str) -> tuple[Sequence[AskedResult], str]:
        """``get_groupmsg_send_result``; of groups only those that were sent are told."""
        body: JsonObject = {"msgid": task_id, "userid": account_id, "limit": 1000, "cursor": cursor}
        answer = await self._read("externalcontact/get_groupmsg_send_result", body)
        found = [
            AskedResult(
                text(one, "external_userid") or text(one, "chat_id"),
                _STATES.get(integer(one, "status") or 0, ResultState.FAILED),
                moment_or_none(one, "send_time"),
            )
            for one in objects(answer, "send_list")
            if text(one, "external_userid") or text(one, "chat_id")
        ]
        return found, _following(answer, cursor)

    async def remind(self, task_id: str) -> None:
        """``remind_groupmsg_send``."""
        try:
            await self._client.post("externalcontact/remind_groupmsg_send", {"msgid": task_id})
        except Rejected as error:
            raise Rejected("reminded_enough", error.reason) if error.code == _OFTEN else error from None

    async def withdraw(self, task_id: str) -> None:
        """``cancel_groupmsg_send``."""
        try:
            await self._client.post("externalcontact/cancel_groupmsg_send", {"msgid": task_id})
        except Rejected as error:
            if error.code != _CANCELLED:
                raise

    async def _read(self, path: str, body: JsonObject) -> JsonObject:
        try:
            return await self._client.post(path, body)
        except Rejected as error:
            if error.code == _HANDED_OUT:
                raise RetryLater(error.code, _STILL, after=30.0) from None
            raise


def _following(answer: JsonObject, cursor: str) -> str:
    following = text(answer, "next_cursor")
    return "" if following == cursor else following
