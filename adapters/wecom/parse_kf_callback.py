"""Callbacks of WeChat customer service: they only ring, or tell which accounts this app may serve (wecom.md section 11.4)."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.wecom.callback import Callback
from adapters.wecom.ids import kf_account, kf_stream
from adapters.wecom.values import texts
from scrm.channel import Event, Occurrence, PullRequested, Sentence, Unrecognised

_REVOKED = Sentence(
    "这个微信客服账号不再允许本应用管理，收不到也发不出消息。如需恢复，请在企业微信管理后台“微信客服 → API”中重新授权。",
    "This customer service account no longer lets this app serve it: nothing arrives and nothing can be sent. "
    "To restore it, grant it again in the WeCom console under WeChat Customer Service, API.",
)


def rang(callback: Callback) -> Sequence[Event]:
    """``kf_msg_or_event``: new items wait. Its token lifts the strict limit on reading, for ten minutes."""
    open_kfid = callback["OpenKfId"]
    if not open_kfid:
        return (callback.lacks("OpenKfId"),)
    return (PullRequested(kf_stream(open_kfid), callback["Token"]),)


def authorisation_changed(callback: Callback) -> Sequence[Event]:
    """``kf_account_auth_change``: one event for each account that was granted or withdrawn."""
    granted = [
        Occurrence("account.granted", callback.at, kf_account(open_kfid), data={"OpenKfId": open_kfid})
        for open_kfid in texts(callback.fields, "AuthAddOpenKfId")
    ]
    revoked = [
        Occurrence(
            "account.revoked",
            callback.at,
            kf_account(open_kfid),
            data={"OpenKfId": open_kfid},
            needs_attention=_REVOKED,
        )
        for open_kfid in texts(callback.fields, "AuthDelOpenKfId")
    ]
    return [*granted, *revoked] or [Unrecognised("event kf_account_auth_change without any account")]
