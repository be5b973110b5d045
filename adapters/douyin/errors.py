"""Each error code of the platform as one sentence for people, and what it means for a call. Platform reference, ch. 2, 7, 10."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from scrm.channel import Sentence
from scrm.errors import Rejected, RetryLater, SendError, Uncertain


class Meaning(Enum):
    RETRY = "try again in a moment"
    THROTTLED = "slow down, then try again"
    TOKEN = "the token was refused: refresh it once"  # noqa: S105 - no secret
    REJECTED = "will not work"
    CLOSED = "the reply window is over or was never open"
    ADMIN = "a person must mend the connection"


@dataclass(frozen=True, slots=True)
class Failure:
    """What an answer said: ``code`` is the platform's number, ``log_id`` is what its support asks for."""

    code: int
    description: str = ""
    log_id: str = ""


def error_for(failure: Failure) -> SendError:
    """The exception for a call that the platform refused."""
    meaning, known = MEANINGS.get(failure.code, (Meaning.REJECTED, UNKNOWN))
    code = f"douyin.{failure.code}"
    reason = known if known is not UNKNOWN else unknown_reason(failure)
    if meaning is Meaning.RETRY:
        return RetryLater(code, reason)
    if meaning is Meaning.THROTTLED:
        return RetryLater(code, reason, after=30.0)
    if meaning is Meaning.CLOSED:
        return Rejected(code, reason, closes_window=True)
    return Rejected(code, reason, needs_admin=meaning in (Meaning.ADMIN, Meaning.TOKEN))


def refuses_token(failure: Failure) -> bool:
    return MEANINGS.get(failure.code, (Meaning.REJECTED, UNKNOWN))[0] is Meaning.TOKEN


def unknown_reason(failure: Failure) -> Sentence:
    said = failure.description[:200].strip()
    log = f"，日志号 {failure.log_id[:80]}" if failure.log_id else ""
    log_en = f", log id {failure.log_id[:80]}" if failure.log_id else ""
    return Sentence(
        zh=f"抖音拒绝了请求：{said or '未说明原因'}（错误码 {failure.code}{log}）。",
        en=f"Douyin refused: {said or 'no reason given'} (error code {failure.code}{log_en}).",
    )


def unreachable() -> RetryLater:
    return RetryLater(
        "douyin.unreachable",
        Sentence(zh="暂时连不上抖音，稍后会自动重试。", en="Douyin cannot be reached now; it will be tried again."),
    )


def busy(status: int) -> RetryLater:
    return RetryLater(
        f"douyin.http_{status}",
        Sentence(zh="抖音服务器暂时繁忙，稍后会自动重试。", en="Douyin's server is busy; it will be tried again."),
    )


def refused_by_gateway(status: int) -> Rejected:
    return Rejected(
        f"douyin.http_{status}",
        Sentence(
            zh=f"抖音网关拒绝了请求（HTTP {status}），请管理员检查接口地址与应用权限。",
            en=f"Douyin's gateway refused the request (HTTP {status}); an administrator should check the base address.",
        ),
        needs_admin=True,
    )


def no_answer() -> Uncertain:
    return Uncertain(
        "douyin.no_answer",
        Sentence(
            zh="已发给抖音，但没有收到回音，不确定客户是否收到。请在抖音 App 里核对后再决定是否重发。",
            en="It went to Douyin, but no answer came back: the customer may or may not have it. "
            "Check in the Douyin app before sending again.",
        ),
    )


def not_authorised() -> Rejected:
    return Rejected(
        "douyin.not_authorised",
        Sentence(
            zh="这个抖音账号还没有授权，请管理员扫码授权。",
            en="This Douyin account is not authorised; an administrator must scan the code with it.",
        ),
        needs_admin=True,
    )


UNKNOWN = Sentence(zh="", en="")

TOKEN_REFUSED = Sentence(
    zh="抖音授权已失效，请管理员用该账号重新扫码授权。",
    en="The Douyin authorisation is no longer valid; an administrator must scan the code with that account again.",
)
NOT_GRANTED = Sentence(
    zh="该账号没有授予这项权限，请管理员重新扫码并勾选全部权限。",
    en="The account did not grant this permission; an administrator must authorise again and tick every permission.",
)
NO_CAPABILITY = Sentence(
    zh="应用没有这项接口能力，请管理员到抖音开放平台申请。",
    en="The app lacks this capability; an administrator must apply for it at the Douyin open platform.",
)
MIXED_UP = Sentence(
    zh="授权与账号不匹配，请管理员重新授权。",
    en="The token does not belong to this account; an administrator must authorise it again.",
)
APP_BANNED = Sentence(
    zh="应用被抖音封禁或已下线，请管理员联系抖音开放平台。",
    en="The app is banned or offline; an administrator must contact the Douyin open platform.",
)
API_GONE = Sentence(
    zh="抖音已停用这个接口，请管理员升级系统。",
    en="Douyin has retired this interface; an administrator should upgrade this system.",
)
ABILITY_BANNED = Sentence(
    zh="这项能力已被抖音封禁，请管理员联系抖音开放平台。",
    en="This capability was banned; an administrator must contact the Douyin open platform.",
)
BUSY = Sentence(zh="抖音系统繁忙，稍后会自动重试。", en="Douyin is busy; it will be tried again.")
BAD_PARAMETER = Sentence(
    zh="抖音说请求参数不对：内容、素材或卡片可能已失效，请换一个再发。",
    en="Douyin says that a parameter is wrong: the content, material or card may be gone. Send a different one.",
)
BAD_CONTENT = Sentence(
    zh="内容不合规：不能超过 1000 字，不能带链接。请修改后再发。",
    en="The content is not allowed: at most 1000 characters and no links. Change it and send again.",
)
USER_LIMITS = Sentence(
    zh="该账号取消了授权或被限制，请管理员检查账号状态。",
    en="The account withdrew its authorisation or is restricted; an administrator should check its state.",
)
NO_PERMISSION = Sentence(zh="抖音不允许这个账号做这项操作。", en="Douyin does not allow this account to do that.")
QUOTA = Sentence(
    zh="今天的接口额度已用完，明天再发，或请管理员申请提额。",
    en="Today's quota of the interface is used up: send tomorrow, or ask an administrator to raise it.",
)
TOO_FAST = Sentence(zh="发送太频繁，稍后会自动重试。", en="Too many requests; it will be tried again a little later.")
USED_UP = Sentence(
    zh="这条客户消息的回复次数已用完（24 小时内最多 6 条，进入会话后最多 3 条），等客户再发消息后才能回复。",
    en="The replies to this customer's message are used up (6 within 24 hours, 3 after entering the chat). "
    "Wait until the customer writes again.",
)
WINDOW_OVER = Sentence(
    zh="客户上一条消息已超过回复时限（24 小时），等客户再发消息后才能回复。",
    en="The customer's last message is too old to answer (24 hours). Wait until the customer writes again.",
)
WRONG_MESSAGE = Sentence(
    zh="没有可回复的客户消息：这条消息不是该客户发来的。等客户再发消息后才能回复。",
    en="There is no message of this customer to answer. Wait until the customer writes again.",
)
WORKBENCH = Sentence(
    zh="该账号在抖音「互动经营工作台」里开启了自动回复策略，请管理员先关闭它，再从这里发送。",
    en="An auto-reply policy is active in the account's own Douyin workbench; "
    "an administrator must switch it off before sending from here.",
)
USER_BANNED = Sentence(
    zh="对方账号已被抖音封禁，消息发不出去。", en="The user is banned by Douyin; nothing can be sent."
)
NOT_CERTIFIED = Sentence(
    zh="发送账号不是认证企业号或员工号，请管理员检查账号认证。",
    en="The sending account is not a certified enterprise or employee account; an administrator should check it.",
)
SENDER_BANNED = Sentence(
    zh="发送账号被抖音禁止发消息，请管理员查看账号状态。",
    en="The sending account is banned from sending; an administrator should check its state.",
)
APP_KEY = Sentence(
    zh="应用的 Client Key 或 Client Secret 不对，请管理员检查连接设置。",
    en="The app's client key or client secret is wrong; an administrator must check the connection.",
)
CODE_EXPIRED = Sentence(
    zh="授权码已过期或已用过，请重新扫码。", en="The authorisation code has expired or was used; scan again."
)
REDIRECT = Sentence(
    zh="回调地址与抖音开放平台上填写的不一致，请管理员修改。",
    en="The redirect address is not the one entered at the open platform; an administrator must correct it.",
)
RENEWALS_USED = Sentence(
    zh="授权已续期 5 次，不能再自动续期，请管理员重新扫码授权。",
    en="The authorisation was renewed 5 times and cannot be renewed again; an administrator must scan the code.",
)
REVIEW = Sentence(zh="应用还在审核中。", en="The app is still under review.")
COMMENT = Sentence(zh="评论没有成功：内容或目标不被允许。", en="The comment was refused because of its text or target.")

_ROWS: tuple[tuple[tuple[int, ...], Meaning, Sentence], ...] = (
    ((28001003, 2190002, 28001008, 2190008, 10008, 10010), Meaning.TOKEN, TOKEN_REFUSED),
    ((28001012, 2190003), Meaning.ADMIN, NOT_GRANTED),
    ((28001014, 28001018, 2190004, 10004), Meaning.ADMIN, NO_CAPABILITY),
    ((28001015, 2190015), Meaning.ADMIN, MIXED_UP),
    ((28001016, 2190016), Meaning.ADMIN, APP_BANNED),
    ((28001017, 28001056), Meaning.ADMIN, API_GONE),
    ((28001019,), Meaning.ADMIN, ABILITY_BANNED),
    ((28001005, 28001006, 2100004), Meaning.RETRY, BUSY),
    ((28001007, 2100005, 10002, 10005), Meaning.REJECTED, BAD_PARAMETER),
    ((28001038,), Meaning.REJECTED, BAD_CONTENT),
    ((28001042, 28001045, 28001046, 28001047, 28001052), Meaning.ADMIN, USER_LIMITS),
    ((2100007, 2100009), Meaning.REJECTED, NO_PERMISSION),
    ((28003017, 2190001), Meaning.REJECTED, QUOTA),
    ((28003018,), Meaning.THROTTLED, TOO_FAST),
    ((28003070,), Meaning.CLOSED, USED_UP),
    ((28003080, 28003081), Meaning.CLOSED, WINDOW_OVER),
    ((28003082,), Meaning.CLOSED, WRONG_MESSAGE),
    ((28003095,), Meaning.ADMIN, WORKBENCH),
    ((28003101,), Meaning.REJECTED, USER_BANNED),
    ((28029003,), Meaning.ADMIN, NOT_CERTIFIED),
    ((28029004,), Meaning.ADMIN, SENDER_BANNED),
    ((29002002, 10003, 10013, 10014), Meaning.ADMIN, APP_KEY),
    ((10006,), Meaning.ADMIN, REDIRECT),
    ((10007,), Meaning.REJECTED, CODE_EXPIRED),
    ((10020,), Meaning.ADMIN, RENEWALS_USED),
    ((10011, 10012, 10015, 10017), Meaning.ADMIN, REVIEW),
    (
        (2111001, 2111002, 2111003, 2111004, 2111005, 2111006, 2111007, 2112001),
        Meaning.REJECTED,
        COMMENT,
    ),
)
MEANINGS: dict[int, tuple[Meaning, Sentence]] = {
    code: (meaning, sentence) for codes, meaning, sentence in _ROWS for code in codes
}
