"""Customers of members: added, edited, deleted, handed over; and acquisition links (wecom.md sections 11.1 and 11.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adapters.wecom.callback import Callback
from adapters.wecom.ids import customer, member_account
from scrm.channel import Event, Occurrence, Sentence

_NAMES: Mapping[str, str] = {
    "add_external_contact": "contact.added",
    "add_half_external_contact": "contact.half_added",
    "edit_external_contact": "contact.edited",
    "del_external_contact": "contact.deleted_by_agent",
    "del_follow_user": "contact.deleted_by_customer",
    "transfer_fail": "contact.transfer_failed",
    "msg_audit_approved": "contact.archive_approved",
}

_ACQUISITION = frozenset(
    {
        "balance_low",
        "balance_exhausted",
        "balance_increased",
        "link_unavailable",
        "delete_link",
        "quota_expire_soon",
        "open_profile",
        "friend_request",
        "customer_start_chat",
        "message_from_customer",
    }
)

_ATTENTION: Mapping[str, Sentence] = {
    "balance_low": Sentence(
        "获客助手剩余使用量不足 20 次，请尽快在企业微信管理后台续购。",
        "Fewer than 20 uses of the customer acquisition links are left; buy more in the WeCom console.",
    ),
    "balance_exhausted": Sentence(
        "获客助手使用量已用完，获客链接已失效，请在企业微信管理后台续购。",
        "The customer acquisition quota is used up and the links no longer work; buy more in the WeCom console.",
    ),
    "link_unavailable": Sentence(
        "一个获客链接已不可用，请检查链接的使用范围和成员状态。",
        "A customer acquisition link no longer works; check its members and their state.",
    ),
    "quota_expire_soon": Sentence(
        "获客助手的一部分使用量即将过期，请在企业微信管理后台查看。",
        "Part of the customer acquisition quota is about to expire; see the WeCom console.",
    ),
}


def changed(callback: Callback) -> Sequence[Event]:
    """``change_external_contact``, platform page 92130. The account is the member, the contact is the customer."""
    name = _NAMES.get(callback.change)
    if name is None:
        return (callback.unknown_change(),)
    userid, external_userid = callback["UserID"], callback["ExternalUserID"]
    if not userid or not external_userid:
        return (callback.lacks("UserID", "ExternalUserID"),)
    return (Occurrence(name, callback.at, member_account(userid), customer(external_userid), callback.data),)


def acquisition(callback: Callback) -> Sequence[Event]:
    """``customer_acquisition``, platform page 97299. Who it is about is told by some changes only."""
    if callback.change not in _ACQUISITION:
        return (callback.unknown_change(),)
    userid, external_userid = callback["UserID"], callback["ExternalUserID"]
    return (
        Occurrence(
            f"acquisition.{callback.change}",
            callback.at,
            member_account(userid) if userid else None,
            customer(external_userid) if external_userid else None,
            callback.data,
            _ATTENTION.get(callback.change),
        ),
    )
