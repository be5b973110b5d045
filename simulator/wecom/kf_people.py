"""What customers and servicers do in their own clients (WeChat, WeCom), and what the platform makes of it for KF."""

from __future__ import annotations

from simulator.wecom.callbacks import Callbacks
from simulator.wecom.errors import Refused
from simulator.wecom.kf_log import append_event, append_message, make_token
from simulator.wecom.kf_sessions import (
    TEXT,
    TEXT_OR_MENU,
    check_servicer,
    customer_wrote,
    end,
    make_code,
    session_of,
)
from simulator.wecom.media import MEGABYTE, keep
from simulator.wecom.settings import Settings
from simulator.wecom.state import HUMAN, POOL, Corp, JsonObject, KfAccount, Received, Session

INBOUND_LIMITS = {"image": 2 * MEGABYTE, "voice": 2 * MEGABYTE, "video": 10 * MEGABYTE, "file": 20 * MEGABYTE}
TAKEN_FROM_POOL, HANDED_OVER, SESSION_ENDED, TAKEN_UP_AGAIN = 1, 2, 3, 4
"""``change_type`` of ``session_status_change``."""


class KfPeople:
    """Every act ends with a ring (``kf_msg_or_event``) to the apps."""

    def __init__(self, settings: Settings, callbacks: Callbacks) -> None:
        self._settings = settings
        self._callbacks = callbacks

    def ring(self, corp: Corp, account: KfAccount, now: int) -> None:
        """``kf_msg_or_event``: without FromUserName, with the token for ``sync_msg``."""
        if not account.granted:
            return
        token = make_token(corp, account.open_kfid, now, self._settings)
        fields = {
            "ToUserName": corp.corp_id,
            "CreateTime": now,
            "MsgType": "event",
            "Event": "kf_msg_or_event",
            "Token": token,
            "OpenKfId": account.open_kfid,
        }
        self._callbacks.send(corp, fields, heard_by=lambda app: app.kf_allowed)

    def enter(
        self,
        corp: Corp,
        account: KfAccount,
        who: str,
        now: int,
        scene: str,
        scene_param: str,
        channels: JsonObject | None,
    ) -> str:
        """Opens the chat through a link. Returns the welcome code, or an empty text when no welcome is allowed."""
        session = self._session(account, who, now)
        session.entered_at = now
        session.scene, session.scene_param, session.wechat_channels = scene, scene_param, channels
        event: JsonObject = {"open_kfid": account.open_kfid, "external_userid": who}
        event |= {"scene": scene} if scene else {}
        event |= {"scene_param": scene_param} if scene_param else {}
        code = ""
        if self._may_be_welcomed(session, now):
            code = make_code(corp, account, who, "entered", TEXT_OR_MENU, now, self._settings.welcome_life)
            event["welcome_code"] = code
        event |= {"wechat_channels": channels} if channels is not None else {}
        append_event(account, "enter_session", now, event)
        self.ring(corp, account, now)
        return code

    def _may_be_welcomed(self, session: Session, now: int) -> bool:
        """No welcome and no word of the customer in the past 48 hours."""
        silent = now - session.last_customer_at >= self._settings.reply_window
        return silent and now - session.welcomed_at >= self._settings.reply_window

    def write(
        self,
        corp: Corp,
        account: KfAccount,
        who: str,
        now: int,
        msgtype: str,
        body: JsonObject | None,
        *,
        ring: bool = True,
    ) -> str:
        """A customer's message. Returns its msgid, or an empty text when a servicer has switched the customer off."""
        session = self._session(account, who, now)
        if session.rejects_customer:
            return ""
        customer_wrote(session, now, self._settings)
        msgid = append_message(account, who, now, msgtype, body)
        if ring:
            self.ring(corp, account, now)
        return msgid

    def write_media(
        self, corp: Corp, account: KfAccount, who: str, now: int, kind: str, name: str, content: bytes
    ) -> tuple[str, str]:
        """A customer's file: msgid and media_id. One over the size limit arrives as a text that says so, without media_id."""
        if len(content) > INBOUND_LIMITS[kind]:
            hint = {"content": f"[{name or kind}] 文件过大，请在微信客户端查看"}
            return self.write(corp, account, who, now, "text", hint), ""
        media = keep(corp, kind, name, content, now)
        return self.write(corp, account, who, now, kind, {"media_id": media.media_id}), media.media_id

    def recall(self, corp: Corp, account: KfAccount, msgid: str, now: int) -> None:
        """The customer withdraws a message. Raises ``LookupError`` for a message that was never written here."""
        who = account.authors[msgid]
        event = {"open_kfid": account.open_kfid, "external_userid": who, "recall_msgid": msgid}
        append_event(account, "user_recall_msg", now, event)
        self.ring(corp, account, now)

    # Servicers

    def servicer_writes(
        self, corp: Corp, account: KfAccount, who: str, userid: str, now: int, msgtype: str, body: JsonObject
    ) -> str:
        """A rep types in the client: the session becomes theirs."""
        session = self._session(account, who, now)
        if session.state != HUMAN or session.servicer_userid != userid:
            self._take(corp, account, who, session, userid, now)
        msgid = append_message(account, who, now, msgtype, body, servicer=userid)
        session.received.append(Received(msgid, msgtype, body, now, "servicer", userid))
        self.ring(corp, account, now)
        return msgid

    def servicer_recalls(self, corp: Corp, account: KfAccount, msgid: str, userid: str, now: int) -> None:
        """Raises ``LookupError`` for a message that was never written here."""
        who = account.authors[msgid]
        for message in account.sessions[who].received:
            message.recalled = message.recalled or message.msgid == msgid
        event = {
            "open_kfid": account.open_kfid,
            "external_userid": who,
            "recall_msgid": msgid,
            "servicer_userid": userid,
        }
        append_event(account, "servicer_recall_msg", now, event)
        self.ring(corp, account, now)

    def servicer_takes(self, corp: Corp, account: KfAccount, who: str, userid: str, now: int) -> str:
        """Takes a session (from the pool, from a colleague, or up again). Returns the message code where one is given."""
        session = self._session(account, who, now)
        code = self._take(corp, account, who, session, self._serving(corp, account, userid), now)
        self.ring(corp, account, now)
        return code

    def servicer_ends(self, corp: Corp, account: KfAccount, who: str, now: int) -> str:
        """Ends the session in the client. Returns the code for closing words."""
        session = self._session(account, who, now)
        servicer = session.servicer_userid
        end(session)
        code = make_code(corp, account, who, "ended", TEXT_OR_MENU, now, self._settings.closing_life)
        self._status(account, who, now, SESSION_ENDED, old=servicer, code=code)
        self.ring(corp, account, now)
        return code

    def reject(self, corp: Corp, account: KfAccount, who: str, userid: str, on: bool, now: int) -> None:
        """A servicer switches a customer's messages off or on."""
        self._session(account, who, now).rejects_customer = on
        event = {"servicer_userid": userid, "open_kfid": account.open_kfid, "external_userid": who}
        append_event(account, "reject_customer_msg_switch_change", now, {**event, "reject_switch": int(on)})
        self.ring(corp, account, now)

    def servicer_status(
        self, corp: Corp, account: KfAccount, userid: str, stopped: bool, stop_type: int, now: int
    ) -> None:
        """Starts or stops serving. In the event 1 is serving and 2 stopped, unlike in the list."""
        servicer = account.servicers[userid]
        servicer.stopped, servicer.stop_type = stopped, stop_type
        event: JsonObject = {"servicer_userid": userid, "status": 2 if stopped else 1}
        event |= {"stop_type": stop_type} if stopped else {}
        append_event(account, "servicer_status_change", now, {**event, "open_kfid": account.open_kfid})
        self.ring(corp, account, now)

    def _take(self, corp: Corp, account: KfAccount, who: str, session: Session, userid: str, now: int) -> str:
        before, old = session.state, session.servicer_userid
        session.state, session.servicer_userid = HUMAN, userid
        if before == POOL:
            code = make_code(corp, account, who, "taken", TEXT, now, self._settings.pool_code_life)
            self._status(account, who, now, TAKEN_FROM_POOL, new=userid, code=code)
            return code
        self._status(account, who, now, HANDED_OVER if before == HUMAN else TAKEN_UP_AGAIN, old=old, new=userid)
        return ""

    def _status(
        self, account: KfAccount, who: str, now: int, change: int, *, old: str = "", new: str = "", code: str = ""
    ) -> None:
        event: JsonObject = {"open_kfid": account.open_kfid, "external_userid": who, "change_type": change}
        event |= {"old_servicer_userid": old} if old else {}
        event |= {"new_servicer_userid": new} if new else {}
        event |= {"msg_code": code} if code else {}
        append_event(account, "session_status_change", now, event)

    def _serving(self, corp: Corp, account: KfAccount, userid: str) -> str:
        try:
            return check_servicer(corp, account, userid)
        except Refused as refused:
            raise ValueError(str(refused)) from None

    def _session(self, account: KfAccount, who: str, now: int) -> Session:
        return session_of(account, who, now, self._settings)
