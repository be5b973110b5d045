"""WeCom's identifiers: the channels they live on and how they are compared (wecom.md section 1)."""

from __future__ import annotations

from scrm.channel import AccountRef, ContactRef

KF = "wecom_kf"
"""WeChat customer service accounts (``open_kfid``)."""
APP = "wecom_app"
"""The self-built app (``agentid``) that members of the company write to."""
MEMBER = "wecom_member"
"""Members of the company (``userid``) and the customers who added them."""

_KF_STREAM = "kf:"


def kf_account(open_kfid: str) -> AccountRef:
    return AccountRef(KF, open_kfid)


def member_account(userid: str) -> AccountRef:
    return AccountRef(MEMBER, member(userid))


def app_account(agent_id: str) -> AccountRef:
    return AccountRef(APP, agent_id)


def customer(external_userid: str) -> ContactRef:
    return ContactRef(external_userid)


def member(userid: str) -> str:
    """WeCom compares a userid without regard to case and some answers lower it; the service compares strings exactly."""
    return userid.lower()


def kf_stream(open_kfid: str) -> str:
    """The name of the stream of messages of one customer service account."""
    return _KF_STREAM + open_kfid


def kf_of_stream(stream: str) -> str | None:
    """The ``open_kfid`` of a stream, or None when it is not the stream of a customer service account."""
    if stream.startswith(_KF_STREAM) and len(stream) > len(_KF_STREAM):
        return stream[len(_KF_STREAM) :]
    return None


def wechat_union(unionid: str) -> str:
    """A WeChat Open Platform unionid with the name of its space; empty when there is none."""
    return f"wechat:{unionid}" if unionid else ""
