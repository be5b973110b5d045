"""Why the platform did not deliver a message that it had accepted: ``fail_type`` of ``msg_send_fail`` (wecom.md 16.3)."""

from __future__ import annotations

from collections.abc import Mapping

from scrm.channel import Sentence

_REASONS: Mapping[int, Sentence] = {
    0: Sentence(
        "微信没有送达这条消息，原因未知。请稍后再试，或换一种方式联系客户。",
        "WeChat did not deliver this message and does not say why. Try again later or reach the customer another way.",
    ),
    1: Sentence(
        "这个微信客服账号已被删除，消息没有送达。请换一个账号联系客户。",
        "This customer service account was deleted, the message was not delivered. Use another account.",
    ),
    2: Sentence(
        "应用已关闭，消息没有送达。请管理员在企业微信管理后台检查应用状态。",
        "The app is closed, the message was not delivered. An administrator must check the app in the WeCom console.",
    ),
    4: Sentence(
        "距客户上次发消息已超过 48 小时，消息没有送达。等客户再次发来消息后才能回复。",
        "More than 48 hours have passed since the customer last wrote, the message was not delivered. "
        "You can answer once the customer writes again.",
    ),
    5: Sentence(
        "会话已关闭，消息没有送达。等客户再次发来消息后才能回复。",
        "The session is closed, the message was not delivered. You can answer once the customer writes again.",
    ),
    6: Sentence(
        "客户发来消息后最多回复 5 条，这条消息超出了，没有送达。等客户再次发来消息后才能回复。",
        "Only 5 messages may follow each message of the customer; this one was not delivered. "
        "You can answer once the customer writes again.",
    ),
    8: Sentence(
        "企业还没有完成认证，消息没有送达。请管理员在企业微信管理后台完成企业认证。",
        "The company is not verified, the message was not delivered. An administrator must verify it in the WeCom console.",
    ),
    10: Sentence(
        "客户设置了拒收消息，消息没有送达。",
        "The customer refuses messages, this one was not delivered.",
    ),
    11: Sentence(
        "企业没有成员登录企业微信，消息没有送达。请让任一接待人员登录企业微信客户端后重发。",
        "No member of the company is signed in to WeCom, the message was not delivered. "
        "Have somebody sign in to the WeCom client, then send again.",
    ),
    12: Sentence(
        "消息里有平台不允许发送的内容类型，没有送达。请换一种内容重发。",
        "The message has a type of content that the platform forbids, it was not delivered. Send something else.",
    ),
    13: Sentence(
        "消息因安全原因被平台拦截，没有送达。请修改内容后重发。",
        "The platform stopped the message for safety reasons. Change it, then send again.",
    ),
}


def failure_code(fail_type: int | None) -> str:
    """A stable code, such as ``wecom.msg_send_fail.4``."""
    return f"wecom.msg_send_fail.{fail_type or 0}"


def failure_reason(fail_type: int | None) -> Sentence:
    known = _REASONS.get(fail_type or 0)
    if known is not None:
        return known
    return Sentence(
        f"微信没有送达这条消息（原因代码 {fail_type}）。请稍后再试，或换一种方式联系客户。",
        f"WeChat did not deliver this message (reason {fail_type}). Try again later or reach the customer another way.",
    )
