"""How a mass message ended (wechat-oa.md section 4): the event ``MASSSENDJOBFINISH`` and the answer of ``mass/get``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from adapters.wechat_oa.values import integer, text
from scrm.channel import JsonObject, Sentence
from scrm.channel_campaigns import BroadcastResult

_CODE = re.compile(r"err\((\d{1,6})\)")
_REFUSED: Mapping[int, tuple[str, str]] = {
    10001: ("涉嫌广告", "suspected advertising"),
    20001: ("涉嫌政治", "suspected politics"),
    20002: ("涉嫌色情", "suspected pornography"),
    20004: ("涉嫌社会问题", "suspected harm to society"),
    20006: ("涉嫌违法犯罪", "suspected crime"),
    20008: ("涉嫌欺诈", "suspected fraud"),
    20013: ("涉嫌版权", "suspected breach of copyright"),
    21000: ("涉嫌其他", "suspected other violation"),
    22000: ("涉嫌互推（互相宣传）", "suspected mutual promotion"),
    30001: ("原创校验出现系统错误，按设置不群发", "the check of originality failed"),
    30002: ("原创校验判定不能群发", "the check of originality forbids it"),
    30003: ("原创校验判定为转载，按设置不群发", "judged to be a reprint, which the settings do not allow to be sent"),
    40001: ("管理员拒绝了群发确认", "the account's administrator refused it"),
    40002: ("管理员 30 分钟内没有确认群发", "the account's administrator did not confirm within 30 minutes"),
}
_FAILED = Sentence(
    zh="微信公众平台报告群发失败，没有说明原因。", en="The platform reports that the mass message failed."
)


def finished(fields: Mapping[str, Any]) -> BroadcastResult:
    """Of the event. ``MsgID`` is what :meth:`~scrm.channel_campaigns.Broadcasts.broadcast` returned."""
    status = text(fields, "Status").strip().lower()
    done = status in ("send success", "sendsuccess", "success")
    code, reason = ("", None) if done else _why(status)
    return BroadcastResult(
        broadcast_id=text(fields, "MsgID") or text(fields, "MsgId"),
        state="done" if done else "failed",
        total=max(integer(fields, "TotalCount") or 0, 0),
        filtered=max(integer(fields, "FilterCount") or 0, 0),
        sent=max(integer(fields, "SentCount") or 0, 0),
        failed=max(integer(fields, "ErrorCount") or 0, 0),
        code=code,
        reason=reason,
    )


def looked_up(broadcast_id: str, answer: Mapping[str, Any]) -> BroadcastResult:
    """Of the answer, which tells no counts."""
    match text(answer, "msg_status").upper():
        case "SEND_SUCCESS" | "DELETE":
            return BroadcastResult(broadcast_id, "done")
        case "SEND_FAIL":
            return BroadcastResult(broadcast_id, "failed", code="wechat_oa.mass_failed", reason=_FAILED)
        case _:
            return BroadcastResult(broadcast_id, "waiting")


def data_of(result: BroadcastResult) -> JsonObject:
    """The same as JSON, as an occurrence carries it."""
    reason = {"zh": result.reason.zh, "en": result.reason.en} if result.reason is not None else None
    return {
        "broadcast_id": result.broadcast_id,
        "state": result.state,
        "total": result.total,
        "filtered": result.filtered,
        "sent": result.sent,
        "failed": result.failed,
        "code": result.code,
        "reason": reason,
    }


def _why(status: str) -> tuple[str, Sentence]:
    found = _CODE.search(status)
    if found is None:
        return "wechat_oa.mass_failed", _FAILED
    number = int(found[1])
    zh, en = _REFUSED.get(number, ("平台没有通过", "the platform refused it"))
    sentence = Sentence(zh=f"群发没有通过：{zh}（{number}）。", en=f"The mass message was not sent: {en} ({number}).")
    return f"wechat_oa.mass_{number}", sentence
