"""``kf/send_msg`` and ``kf/send_msg_on_event`` (chapter 16.4): what reaches a customer, once."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from simulator.wecom.api import Answer, Call, Endpoint, Endpoints, kf_account
from simulator.wecom.errors import Refused
from simulator.wecom.kf_content import checked
from simulator.wecom.kf_log import append_event
from simulator.wecom.kf_sessions import session_of, use_code
from simulator.wecom.media import MediaApi
from simulator.wecom.settings import Settings
from simulator.wecom.state import BOT, UNTREATED, Corp, JsonObject, KfAccount, Received, Session, new_id

_MSGID = re.compile(r"[0-9a-zA-Z_-]{1,32}")
REFUSED_BY_CUSTOMER = 10
_DELIVERED_KEPT = 20_000
Ring = Callable[[Corp, KfAccount], None]


@dataclass(frozen=True)
class Delivered:
    """One message of ours that has reached a customer; ``number`` counts from 1 since the start of the simulator."""

    number: int
    open_kfid: str
    external_userid: str
    message: Received


class KfSend:
    """``ring`` tells the apps that there is something to read. ``delivered`` keeps the newest deliveries."""

    def __init__(self, settings: Settings, media: MediaApi, ring: Ring) -> None:
        self.delivered: deque[Delivered] = deque(maxlen=_DELIVERED_KEPT)
        self._deliveries = 0
        self._settings = settings
        self._media = media
        self._ring = ring

    @property
    def endpoints(self) -> Endpoints:
        return {
            "kf/send_msg": Endpoint("POST", self.send, "kf"),
            "kf/send_msg_on_event": Endpoint("POST", self.send_on_event, "kf"),
        }

    def send(self, call: Call) -> Answer:
        touser = call.string("touser", missing=40096)
        account = call.kf_account()
        msgid = _wanted_msgid(call)
        msgtype = call.string("msgtype", missing=40008)
        if touser not in call.corp.customers:
            raise Refused(40096)
        if msgid and msgid in account.sent:
            return self._repeated(msgid)
        body = checked(msgtype, call.body, partial(self._check_media, call))
        session = session_of(account, touser, call.now, self._settings)
        self._check_window(session, call.now)
        session.replies_left -= 1
        msgid = msgid or new_id("", 32)
        self._deliver(call, account, touser, Received(msgid, msgtype, body, call.now, "api"))
        return {"msgid": msgid}

    def send_on_event(self, call: Call) -> Answer:
        code = call.string("code", missing=41049)
        msgid = _wanted_msgid(call)
        msgtype = call.string("msgtype", missing=40008)
        known = use_code(call.corp, code, msgtype, call.now)
        account = kf_account(call.corp, known.open_kfid)
        if msgid and msgid in account.sent:
            return self._repeated(msgid)
        body = checked(msgtype, call.body, partial(self._check_media, call), menu_items=10)
        del call.corp.codes[code]
        msgid = msgid or new_id("", 32)
        if known.situation == "entered":
            session_of(account, known.external_userid, call.now, self._settings).welcomed_at = call.now
        self._deliver(call, account, known.external_userid, Received(msgid, msgtype, body, call.now, "event"))
        return {"msgid": msgid}

    def _check_window(self, session: Session, now: int) -> None:
        """Time first (a session that old has also ended), then the state, then the number."""
        if session.last_customer_at and now - session.last_customer_at >= self._settings.reply_window:
            raise Refused(95002)
        if session.state not in (UNTREATED, BOT):
            raise Refused(95018)
        if session.replies_left <= 0:
            raise Refused(95001)

    def _deliver(self, call: Call, account: KfAccount, touser: str, message: Received) -> None:
        """The call has succeeded; whether the customer gets it is another matter."""
        account.sent[message.msgid] = touser
        session = account.sessions[touser]
        fail_type: int | None = None
        if session.failures:
            fail_type = session.failures.pop(0)
        elif call.corp.customers[touser].refuses_messages:
            fail_type = REFUSED_BY_CUSTOMER
        if fail_type is None:
            session.received.append(message)
            self._deliveries += 1
            self.delivered.append(Delivered(self._deliveries, account.open_kfid, touser, message))
        else:
            report_failure(account, touser, message.msgid, fail_type, call.now)
            self._ring(call.corp, account)

    def _repeated(self, msgid: str) -> JsonObject:
        if self._settings.repeated_msgid == "refuse":
            raise Refused(40058, "msgid is used")
        return {"msgid": msgid}

    def _check_media(self, call: Call, media_id: str, kind: str) -> object:
        return self._media.find(call.corp, media_id, call.now, kind)


def report_failure(account: KfAccount, external_userid: str, msgid: str, fail_type: int, now: int) -> None:
    """The event that says that an accepted message was not delivered."""
    who = {"open_kfid": account.open_kfid, "external_userid": external_userid}
    append_event(account, "msg_send_fail", now, {**who, "fail_msgid": msgid, "fail_type": fail_type})


def _wanted_msgid(call: Call) -> str:
    msgid = call.optional("msgid")
    if msgid and _MSGID.fullmatch(msgid) is None:
        raise Refused(40058, "msgid must be up to 32 of 0-9a-zA-Z_-")
    return msgid
