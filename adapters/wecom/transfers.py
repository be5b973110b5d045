"""Handing customers and groups over, from colleagues and from those who left (wecom.md section 8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adapters.wecom.client import WeComClient
from adapters.wecom.errors import api_error, unanswered
from adapters.wecom.ids import member
from adapters.wecom.lengths import check_characters, check_count
from adapters.wecom.values import flag, integer, moment_or_none, objects, text
from scrm.channel import JsonObject, Sentence
from scrm.channel_contacts import TransferAnswer, TransferState, Unassigned

BATCH = 100
TEXT_LIMIT = 200
GROUP_BATCH = 100
_PAGE = 1000
_TAKER_FULL = 40099
_STATES: Mapping[int, TransferState] = {
    1: TransferState.DONE,
    2: TransferState.WAITING,
    3: TransferState.REFUSED,
    4: TransferState.TAKER_FULL,
}
_NOT_TOLD = Sentence(
    "企业微信没有说明原因，客户没有转接成功。请稍后在企业微信管理后台核对。",
    "WeCom did not say why the customer was not handed over. Check it in the WeCom console later.",
)
_GROUP_REFUSED = Sentence(
    "企业微信没有转移这个群：它不是客户群，或群主不符合条件。请在企业微信管理后台核对。",
    "WeCom did not hand this group over: it is no customer group or its owner does not qualify. Check it in the console.",
)


class Transfers:
    def __init__(self, client: WeComClient) -> None:
        self._client = client

    async def customers(
        self, from_id: str, to_id: str, contact_ids: Sequence[str], *, left: bool, text_for_customer: str
    ) -> Sequence[TransferAnswer]:
        """``transfer_customer`` (platform page 92125), ``resigned/transfer_customer`` (94081). Accepted takes effect by itself
        after 24 hours; the answer tells each customer apart."""
        check_count(len(contact_ids), BATCH, name="customers", zh="一次转接的客户")
        check_characters(text_for_customer, TEXT_LIMIT, name="transfer message", zh="转接说明")
        body: JsonObject = {
            "handover_userid": from_id,
            "takeover_userid": to_id,
            "external_userid": list(contact_ids),
        }
        body |= {"transfer_success_msg": text_for_customer} if text_for_customer and not left else {}
        path = "externalcontact/resigned/transfer_customer" if left else "externalcontact/transfer_customer"
        answer = await self._client.post(path, body, effect=True)
        if "customer" not in answer:
            raise unanswered(effect=True)
        return [_accepted(entry) for entry in objects(answer, "customer") if text(entry, "external_userid")]

    async def results(
        self, from_id: str, to_id: str, *, left: bool, cursor: str
    ) -> tuple[Sequence[TransferAnswer], str]:
        """``transfer_result`` (platform page 94088), ``resigned/transfer_result`` (94082)."""
        path = "externalcontact/resigned/transfer_result" if left else "externalcontact/transfer_result"
        body = {"handover_userid": from_id, "takeover_userid": to_id, "cursor": cursor}
        answer = await self._client.post(path, body)
        entries = [entry for entry in objects(answer, "customer") if text(entry, "external_userid")]
        following = text(answer, "next_cursor")
        return [_result(entry) for entry in entries], "" if following == cursor else following

    async def unassigned(self, cursor: str) -> tuple[Sequence[Unassigned], str]:
        """``get_unassigned_list``, platform page 92124."""
        answer = await self._client.post("externalcontact/get_unassigned_list", {"cursor": cursor, "page_size": _PAGE})
        waiting = [
            Unassigned(
                member(text(entry, "handover_userid")),
                text(entry, "external_userid"),
                moment_or_none(entry, "dimission_time"),
            )
            for entry in objects(answer, "info")
            if text(entry, "handover_userid") and text(entry, "external_userid")
        ]
        following = "" if flag(answer, "is_last") else text(answer, "next_cursor")
        return waiting, "" if following == cursor else following

    async def groups(self, group_ids: Sequence[str], to_id: str, *, left: bool) -> Sequence[TransferAnswer]:
        """``groupchat/transfer`` for owners who left (platform page 92127), ``groupchat/onjob_transfer`` else (95703). What is
        not among the failed is done; a failed one may carry the code 0 all the same."""
        check_count(len(group_ids), GROUP_BATCH, name="groups", zh="一次转移的群")
        path = "externalcontact/groupchat/transfer" if left else "externalcontact/groupchat/onjob_transfer"
        answer = await self._client.post(path, {"chat_id_list": list(group_ids), "new_owner": to_id}, effect=True)
        failed = {
            text(entry, "chat_id"): integer(entry, "errcode") or 0 for entry in objects(answer, "failed_chat_list")
        }
        return [
            _failed(group_id, failed[group_id], _GROUP_REFUSED)
            if group_id in failed
            else TransferAnswer(group_id, TransferState.DONE)
            for group_id in group_ids
        ]


def _accepted(entry: JsonObject) -> TransferAnswer:
    contact_id, errcode = text(entry, "external_userid"), integer(entry, "errcode") or 0
    if not errcode:
        return TransferAnswer(contact_id, TransferState.WAITING)
    return _failed(contact_id, errcode, _NOT_TOLD)


def _failed(external_id: str, errcode: int, without_code: Sentence) -> TransferAnswer:
    state = TransferState.TAKER_FULL if errcode == _TAKER_FULL else TransferState.FAILED
    if not errcode:
        return TransferAnswer(external_id, state, reason=without_code)
    error = api_error(errcode)
    return TransferAnswer(external_id, state, error.code, error.reason)


def _result(entry: JsonObject) -> TransferAnswer:
    contact_id, state = text(entry, "external_userid"), _STATES.get(integer(entry, "status") or 0)
    if state is None:
        return TransferAnswer(contact_id, TransferState.FAILED, reason=_NOT_TOLD)
    return TransferAnswer(contact_id, state, at=moment_or_none(entry, "takeover_time"))
