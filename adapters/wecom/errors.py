"""From WeCom's error codes and broken connections to the errors of the contract."""

from __future__ import annotations

import aiohttp

from adapters.wecom.error_table import MEANINGS
from scrm.channel import Sentence
from scrm.errors import Rejected, RetryLater, SendError, Uncertain

TOKEN_REFUSED = frozenset({40014, 42001})
"""Fetch a new token and repeat the call once (wecom.md section 3.1)."""
BUSY = -1
MEDIA_REFUSED = frozenset({40007, 40145})

_NO_CONNECTION = Sentence(
    "连接不上企业微信，消息没有发出，稍后自动重试。",
    "WeCom cannot be reached; nothing was sent, and this is tried again automatically.",
)
_UNANSWERED = Sentence(
    "企业微信没有回应，不能确定消息是否已发出。",
    "WeCom did not answer; nobody knows whether the message was sent.",
)
_UNREADABLE = Sentence(
    "企业微信暂时没有给出有效的回应，稍后自动重试。",
    "WeCom gave no useful answer for now; this is tried again automatically.",
)


def api_error(errcode: int) -> SendError:
    """The error for a non-zero ``errcode``: certainly not done."""
    code = f"wecom.{errcode}"
    meaning = MEANINGS.get(errcode)
    if meaning is None:
        return Rejected(code, _unknown(errcode))
    if meaning.retry_after is not None:
        return RetryLater(code, meaning.reason, after=meaning.retry_after)
    return Rejected(code, meaning.reason, closes_window=meaning.closes_window, needs_admin=meaning.needs_admin)


def connection_error(error: Exception, *, effect: bool) -> SendError:
    """The error for a call that got no answer. ``effect``: the call may have done something that must not be done twice."""
    if isinstance(error, (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)):
        return RetryLater("wecom.unreachable", _NO_CONNECTION)
    return unanswered(effect=effect)


def unanswered(*, effect: bool) -> SendError:
    """The request left and no answer came that tells what became of it."""
    if effect:
        return Uncertain("wecom.unanswered", _UNANSWERED)
    return RetryLater("wecom.unanswered", _UNREADABLE)


def refused_by_gateway(status: int) -> SendError:
    """An HTTP refusal without WeCom's JSON: something between us and WeCom, or a wrong address."""
    if status == 429:
        return RetryLater("wecom.http_429", _UNREADABLE, after=60)
    reason = Sentence(
        f"发往企业微信的请求被中途拒绝（HTTP {status}）。请管理员核对连接的接口地址和代理设置。",
        f"The request to WeCom was refused on its way (HTTP {status}). An administrator must check the base address and proxies.",
    )
    return Rejected(f"wecom.http_{status}", reason, needs_admin=True)


def _unknown(errcode: int) -> Sentence:
    return Sentence(
        f"企业微信拒绝了请求（错误代码 {errcode}）。请把代码告诉管理员，可在企业微信的错误码文档中查询。",
        f"WeCom refused the request (error code {errcode}). Tell an administrator the code; WeCom's list of error codes explains it.",
    )
