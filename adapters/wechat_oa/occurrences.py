"""Everything that is no message: who follows, scans and taps, and what became of what we sent (wechat-oa.md section 2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from adapters.wechat_oa.broadcast_results import data_of, finished
from adapters.wechat_oa.ids import SCENE_PREFIX, account, enter_window, welcome_code
from adapters.wechat_oa.push import Push
from scrm.channel import ContactEntered, ContactRef, Event, Ignored, Occurrence, Sentence

VERIFICATION_ENDS = Sentence(
    zh="公众号的微信认证即将到期或已经失效，群发和客服接口会停用。请管理员到微信公众平台办理年审。",
    en="The account's verification is ending or has ended; sending will stop. An administrator must renew it in the console of "
    "the WeChat public platform.",
)
VERIFICATION_FAILED = Sentence(
    zh="公众号的微信认证没有通过。请管理员到微信公众平台查看原因。",
    en="The account's verification failed. An administrator should look for the reason in the console.",
)

Read = Callable[[Push], Sequence[Event]]


def followed(push: Push) -> Sequence[Event]:
    """A minute and three messages, which also allow a greeting. ``State`` is the scene of the code that was scanned."""
    scene = push["EventKey"].removeprefix(SCENE_PREFIX)
    entered = ContactEntered(
        account=account(push.to_id),
        contact=ContactRef(push.from_id),
        at=push.at,
        scene=scene,
        welcome_code=welcome_code(push.from_id, push.at),
        welcome_until=enter_window(push.at).expires_at,
        window=enter_window(push.at),
        data=push.data,
    )
    state = {"State": scene} if scene else {}
    return [entered, _by_contact("contact.added", push, **state)]


def left(push: Push) -> Sequence[Event]:
    return [_by_contact("contact.deleted_by_customer", push)]


def entered(push: Push) -> Sequence[Event]:
    """Scanned a code, or tapped one of the three kinds of menu entries that allow an answer."""
    return [
        ContactEntered(
            account=account(push.to_id),
            contact=ContactRef(push.from_id),
            at=push.at,
            scene=push["EventKey"],
            window=enter_window(push.at),
            data=push.data,
        )
    ]


def of_contact(name: str) -> Read:
    return lambda push: [_by_contact(name, push)]


def of_account(name: str, attention: Sentence | None = None) -> Read:
    """``FromUserName`` is somebody who has nothing to do with it."""
    return lambda push: [Occurrence(name, push.at, account(push.to_id), data=push.data, needs_attention=attention)]


def spread(push: Push) -> Sequence[Event]:
    """A mass message has come to its end. ``data``: see :class:`~scrm.channel_campaigns.BroadcastResult`."""
    return [Occurrence("broadcast.finished", push.at, account(push.to_id), data=data_of(finished(push.fields)))]


def ignored(why: str) -> Read:
    return lambda push: [Ignored(why)]


def _by_contact(name: str, push: Push, **more: str) -> Occurrence:
    return Occurrence(name, push.at, account(push.to_id), ContactRef(push.from_id), {**push.data, **more})


_MENU_VIEWED = of_contact("menu.viewed")
_MENU_USED = of_contact("menu.used")

EVENTS: Mapping[str, Read] = {
    "subscribe": followed,
    "unsubscribe": left,
    "scan": entered,
    "click": entered,
    "scancode_push": entered,
    "scancode_waitmsg": entered,
    "view": _MENU_VIEWED,
    "view_miniprogram": _MENU_VIEWED,
    "pic_sysphoto": _MENU_USED,
    "pic_photo_or_album": _MENU_USED,
    "pic_weixin": _MENU_USED,
    "location_select": _MENU_USED,
    "location": ignored("where the customer is, told every few seconds while the chat is open; we do not keep that"),
    "masssendjobfinish": spread,
    "templatesendjobfinish": of_contact("notice.finished"),
    "subscribe_msg_popup_event": of_contact("notice.answered"),
    "subscribe_msg_change_event": of_contact("notice.changed"),
    "subscribe_msg_sent_event": of_contact("notice.sent"),
    "publishjobfinish": of_account("article.published"),
    "freepublishjobfinish": of_account("article.published"),
    "kf_create_session": of_contact("seat.session_created"),
    "kf_close_session": of_contact("seat.session_closed"),
    "kf_switch_session": of_contact("seat.session_switched"),
    "user_authorization_revoke": of_contact("contact.profile_withdrawn"),
    "qualification_verify_success": of_account("account.verified"),
    "naming_verify_success": of_account("account.verified"),
    "qualification_verify_fail": of_account("account.verification_failed", VERIFICATION_FAILED),
    "naming_verify_fail": of_account("account.verification_failed", VERIFICATION_FAILED),
    "annual_renew": of_account("account.verification_ends", VERIFICATION_ENDS),
    "verify_expired": of_account("account.verification_ends", VERIFICATION_ENDS),
}
