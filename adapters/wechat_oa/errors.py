"""Each error code of the platform as one sentence for people, and what it means for a call (wechat-oa.md sections 1, 3, 4 and 7)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

import aiohttp

from scrm.channel import Sentence
from scrm.errors import Rejected, RetryLater, SendError, Uncertain

TOKEN_REFUSED = frozenset({40001, 40014, 42001})
"""Fetch a token once and repeat the call once."""
MEDIA_REFUSED = frozenset({40007})
ALREADY_SENT, SENT_JUST_NOW = 45065, 45066
NOBODY = frozenset({40003, 46004})
USED_UP = frozenset({45009, 45028})
"""Of mass messages: today's are spent, tomorrow there are more."""


class Meaning(Enum):
    RETRY = "try again in a moment"
    THROTTLED = "slow down, then try again"
    REJECTED = "will not work"
    CLOSED = "the window is over or used up"
    ADMIN = "a person must mend the connection"


_AFTER = {Meaning.RETRY: 5.0, Meaning.THROTTLED: 30.0}

_NO_CONNECTION = Sentence(
    zh="连接不上微信公众平台，消息没有发出，稍后自动重试。",
    en="The WeChat public platform cannot be reached; nothing was sent, and this is tried again automatically.",
)
_UNANSWERED = Sentence(
    zh="微信公众平台没有回应，不能确定消息是否已发出。",
    en="The WeChat public platform did not answer; nobody knows whether the message was sent.",
)
_UNREADABLE = Sentence(
    zh="微信公众平台暂时没有给出有效的回应，稍后自动重试。",
    en="The WeChat public platform gave no useful answer for now; this is tried again automatically.",
)

_ROWS: tuple[tuple[tuple[int, ...], Meaning, str, str], ...] = (
    ((-1,), Meaning.RETRY, "微信公众平台系统繁忙，稍后会自动重试。", "The platform is busy; it will be tried again."),
    (
        (40001, 40125),
        Meaning.ADMIN,
        "AppSecret 不对或已被重置，请管理员在“设置 → 连接”里更新。",
        "The AppSecret is wrong or was reset; an administrator must enter the new one under Settings, Connections.",
    ),
    (
        (40014, 42001),
        Meaning.ADMIN,
        "公众号的接口凭证无效，请管理员检查 AppID 和 AppSecret。",
        "The account's access token is refused; an administrator must check AppID and AppSecret.",
    ),
    (
        (40013,),
        Meaning.ADMIN,
        "AppID 不对，请管理员检查连接设置。",
        "The AppID is wrong; an administrator must check the connection.",
    ),
    (
        (40164, 61004),
        Meaning.ADMIN,
        "本系统的 IP 不在公众号的白名单里。请管理员到公众平台“设置与开发 → 基本配置 → IP 白名单”添加。",
        "This service's IP is not on the account's allow-list; an administrator must add it in the console under basic configuration.",
    ),
    (
        (40003, 43004, 46004),
        Meaning.REJECTED,
        "对方没有关注这个公众号（或已取消关注），消息发不出去。",
        "This person does not follow the account (any more); nothing can be sent.",
    ),
    (
        (40007,),
        Meaning.REJECTED,
        "素材已失效（临时素材只保留 3 天），请重新上传后再发。",
        "The file is gone on the platform (it keeps files for 3 days). Upload it again, then send.",
    ),
    (
        (40004, 40005, 40006, 40009, 45001, 45006, 45007),
        Meaning.REJECTED,
        "文件的类型或大小不符合公众号的要求：图片 10 MB、语音 2 MB 且 60 秒内、视频 10 MB。",
        "The file's type or size is not allowed: pictures 10 MB, voice 2 MB and 60 seconds, videos 10 MB.",
    ),
    (
        (40008, 40032, 40035, 40037, 47001, 44002, 44003, 44004, 61451, 45072),
        Meaning.REJECTED,
        "微信公众平台说请求的内容不对。请检查内容后再发；如果反复出现，请告诉管理员。",
        "The platform says that the content of the request is wrong. Check it; if it happens again, tell an administrator.",
    ),
    (
        (43101, 48002),
        Meaning.REJECTED,
        "对方拒收这个公众号的消息。",
        "This person refuses messages of the account.",
    ),
    (
        (45002, 45003, 45004, 45005),
        Meaning.REJECTED,
        "内容太长，公众号不接受。请缩短或分条发送。",
        "The content is too long for the account. Shorten or split it.",
    ),
    (
        (45008,),
        Meaning.REJECTED,
        "客服消息里的图文只能有一条。",
        "A customer-service message holds exactly one article.",
    ),
    (
        (45009,),
        Meaning.ADMIN,
        "公众号今天的接口调用次数已用完，明天恢复；急用时请管理员在公众平台清零（每月 10 次）。",
        "Today's calls of the account are used up. They return tomorrow; an administrator can reset them in the console (10 times a month).",
    ),
    (
        (45011,),
        Meaning.THROTTLED,
        "调用太频繁，稍后会自动重试。",
        "Too many calls at once; it will be tried again a little later.",
    ),
    (
        (45015, 45080),
        Meaning.CLOSED,
        "已超过回复时限：客户发消息后 48 小时内、关注、扫码或点菜单后 1 分钟内才能回复。等客户再来消息后再发。",
        "The time to answer is over: 48 hours after a message, 1 minute after following, scanning or tapping the menu. "
        "Wait until the customer writes again.",
    ),
    (
        (45047,),
        Meaning.CLOSED,
        "回复条数已用完（每次客户消息后最多 5 条，关注、扫码或点菜单后最多 3 条）。等客户再来消息后再发。",
        "The answers are used up (5 after a message, 3 after following, scanning or tapping the menu). "
        "Wait until the customer writes again.",
    ),
    (
        (45028,),
        Meaning.REJECTED,
        "公众号的群发次数已用完：订阅号每天 1 次，服务号每位关注者每月 4 次。",
        "The account's mass messages are used up: 1 a day for a subscription account, 4 a month and follower for a service account.",
    ),
    (
        (45065,),
        Meaning.REJECTED,
        "这次群发已经提交过，不会重复发送。",
        "This mass message was handed in already and is not sent twice.",
    ),
    (
        (45066,),
        Meaning.RETRY,
        "同一次群发刚刚提交过，一分钟后自动核对。",
        "The same mass message was handed in just now; it is checked again in a minute.",
    ),
    ((45067,), Meaning.REJECTED, "群发的编号太长。", "The mass message's key is too long."),
    (
        (45081,),
        Meaning.RETRY,
        "正在输入状态已经显示，稍后再试。",
        "The typing state is shown already; it will be tried again.",
    ),
    (
        (48001, 48004, 48005, 48006, 50001),
        Meaning.ADMIN,
        "公众号没有这项接口权限（多数权限要求已认证）。请管理员到公众平台“设置与开发 → 接口权限”查看。",
        "The account lacks this permission (most need a verified account); an administrator should look under interface permissions "
        "in the console.",
    ),
    (
        (50002, 40132),
        Meaning.ADMIN,
        "公众号被微信限制或冻结，请管理员登录公众平台查看通知。",
        "WeChat has restricted the account; an administrator should read the notices in the console.",
    ),
)
MEANINGS: Mapping[int, tuple[Meaning, Sentence]] = {
    code: (meaning, Sentence(zh=zh, en=en)) for codes, meaning, zh, en in _ROWS for code in codes
}


def api_error(errcode: int, said: str = "") -> SendError:
    """The error for a non-zero ``errcode``: certainly not done."""
    code = f"wechat_oa.{errcode}"
    known = MEANINGS.get(errcode)
    if known is None:
        return Rejected(code, _unknown(errcode, said))
    meaning, reason = known
    if meaning in _AFTER:
        return RetryLater(code, reason, after=_AFTER[meaning])
    return Rejected(code, reason, closes_window=meaning is Meaning.CLOSED, needs_admin=meaning is Meaning.ADMIN)


def connection_error(error: Exception, *, effect: bool) -> SendError:
    """The error for a call that got no answer. ``effect``: the call may have done something that must not be done twice."""
    if isinstance(error, (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)):
        return RetryLater("wechat_oa.unreachable", _NO_CONNECTION)
    return unanswered(effect=effect)


def unanswered(*, effect: bool) -> SendError:
    """The request left and no answer came that tells what became of it."""
    if effect:
        return Uncertain("wechat_oa.unanswered", _UNANSWERED)
    return RetryLater("wechat_oa.unanswered", _UNREADABLE)


def refused_by_gateway(status: int) -> SendError:
    """An HTTP refusal without the platform's JSON: something between us and it, or a wrong address."""
    if status == 429:
        return RetryLater("wechat_oa.http_429", _UNREADABLE, after=60)
    reason = Sentence(
        zh=f"发往微信公众平台的请求被中途拒绝（HTTP {status}）。请管理员核对连接的接口地址和代理设置。",
        en=f"The request was refused on its way (HTTP {status}). An administrator must check the base address and proxies.",
    )
    return Rejected(f"wechat_oa.http_{status}", reason, needs_admin=True)


def asked_too_soon() -> Uncertain:
    """The platform has this mass message and will tell its id, but not within a minute of the first time."""
    return Uncertain(f"wechat_oa.{SENT_JUST_NOW}", MEANINGS[SENT_JUST_NOW][1])


def used_up(errcode: int) -> RetryLater:
    """A mass message that finds no quota left today; it may wait."""
    return RetryLater(f"wechat_oa.{errcode}", MEANINGS[errcode][1], after=3600)


def incomplete(name: str, label: str) -> Rejected:
    return Rejected(
        "wechat_oa.incomplete",
        Sentence(zh=f"缺少{label}，无法发送。", en=f"The {name} is missing; nothing can be sent."),
    )


def unsupported() -> Rejected:
    return Rejected(
        "wechat_oa.unsupported_kind",
        Sentence(zh="公众号不支持发送这种消息。", en="Official Accounts cannot send this kind of message."),
    )


def _unknown(errcode: int, said: str) -> Sentence:
    words = said[:200].strip()
    return Sentence(
        zh=f"微信公众平台拒绝了请求：{words or '未说明原因'}（错误代码 {errcode}）。请把代码告诉管理员。",
        en=f"The WeChat public platform refused: {words or 'no reason given'} (error code {errcode}). Tell an administrator the code.",
    )
