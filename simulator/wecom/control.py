"""Playing administrator, customer and servicer at the simulated WeCom: Python methods, and ``POST /_control/<method>``.

KF accounts are named by ``open_kfid`` alone (they are unique over all corps). ``bytes`` are base64 over HTTP.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal
from urllib.parse import quote

from scrm.clock import ShiftedClock
from simulator.control import CommonControl, operation
from simulator.delivery import Deliveries
from simulator.faults import Faults
from simulator.wecom.app_messages import messages_of
from simulator.wecom.callbacks import Callbacks
from simulator.wecom.crypto import key_of
from simulator.wecom.directory_control import DirectoryControl
from simulator.wecom.kf_people import KfPeople
from simulator.wecom.kf_send import Delivered, KfSend, report_failure
from simulator.wecom.kf_sessions import session_of
from simulator.wecom.limits import Limits
from simulator.wecom.media import sniff
from simulator.wecom.settings import Settings
from simulator.wecom.state import (
    App,
    AppMessage,
    Callback,
    Corp,
    Customer,
    JsonObject,
    KfAccount,
    Received,
    Servicer,
    Session,
    World,
    new_id,
)
from simulator.wecom.tokens import Tokens

MediaKind = Literal["image", "voice", "video", "file"]
_NAMES = {"image": "image.jpg", "voice": "voice.amr", "video": "video.mp4", "file": "file.bin"}


class WecomControl(DirectoryControl, CommonControl):
    """See ``GET /_control/`` of a running simulator for the list of operations with their fields."""

    def __init__(
        self,
        world: World,
        settings: Settings,
        clock: ShiftedClock,
        faults: Faults,
        deliveries: Deliveries,
        callbacks: Callbacks,
        people: KfPeople,
        tokens: Tokens,
        limits: Limits,
        sends: KfSend,
        changed: Callable[[], None],
    ) -> None:
        CommonControl.__init__(self, clock, faults, deliveries)
        self._world = world
        self._settings = settings
        self._callbacks = callbacks
        self._people = people
        self._tokens = tokens
        self._limits = limits
        self._sends = sends
        self._changed = changed

    # Set-up

    @operation
    def corps(self) -> list[dict[str, Any]]:
        """What has been set up: corps with their apps and KF accounts."""
        return [
            {
                "corp_id": corp.corp_id,
                "name": corp.name,
                "apps": list(corp.apps),
                "kf_accounts": {account.open_kfid: account.name for account in corp.kf.values()},
                "customers": len(corp.customers),
            }
            for corp in self._world.corps.values()
        ]

    @operation
    def create_app(
        self, corp_id: str, secret: str, agent_id: int = 1000002, name: str = "", corp_name: str = ""
    ) -> int:
        """An app of a corp (which is created if needed). Returns the agent id."""
        self._changed()
        corp = self._world.corps.get(corp_id)
        if corp is None:
            corp = self._world.corps[corp_id] = Corp(corp_id, corp_name)
            self.create_department(corp_id, 1, corp_name or corp_id, parentid=0)
        if agent_id in corp.apps:
            corp.apps[agent_id].secret = secret
        else:
            corp.apps[agent_id] = App(agent_id, secret, name)
        return agent_id

    @operation
    async def set_callback(
        self, corp_id: str, url: str, token: str, aes_key: str, agent_id: int = 1000002, check: bool = True
    ) -> None:
        """Configures where an app receives callbacks, after the address check (1 s). ``check`` False skips it."""
        app = self._app(corp_id, agent_id)
        if not token.isalnum() or not token.isascii() or len(token) > 32:
            raise ValueError("Token must be up to 32 letters and digits")
        key_of(aes_key)
        callback = Callback(url, token, aes_key)
        if check:
            await self._callbacks.check(callback, corp_id)
        app.callback = callback

    @operation
    def set_app_rights(
        self,
        corp_id: str,
        agent_id: int = 1000002,
        kf: bool = True,
        contacts: bool = True,
        trusted_ips: list[str] | None = None,
    ) -> None:
        """Whether the app is a callable app of KF and of customer contact, and from where it may call (None: anywhere)."""
        app = self._app(corp_id, agent_id)
        app.kf_allowed, app.contacts_allowed, app.trusted_ips = kf, contacts, trusted_ips

    @operation
    def invalidate_token(self, corp_id: str, agent_id: int = 1000002, errcode: int = 42001) -> int:
        """The platform drops the app's token early; calls with it get 40014 or 42001."""
        return self._tokens.invalidate(corp_id, agent_id, errcode)

    @operation
    def create_kf_account(
        self, corp_id: str, name: str, open_kfid: str = "", servicers: list[str] | None = None
    ) -> str:
        """Returns the open_kfid. ``servicers`` are members who serve it."""
        corp = self._corp(corp_id)
        open_kfid = open_kfid or new_id("wk")
        account = corp.kf.setdefault(open_kfid, KfAccount(open_kfid, name))
        account.name, account.avatar = name, f"/avatars/{open_kfid}.svg?name={quote(name)}"
        for userid in servicers or []:
            account.servicers.setdefault(userid, Servicer())
        return open_kfid

    @operation
    def grant_kf(self, open_kfid: str, granted: bool) -> None:
        """Gives or takes the app's right to manage an account; tells it with ``kf_account_auth_change``."""
        corp, account = self._kf(open_kfid)
        account.granted = granted
        field = "AuthAddOpenKfId" if granted else "AuthDelOpenKfId"
        self.raise_event(corp.corp_id, "kf_account_auth_change", {field: open_kfid})

    @operation
    def create_customer(
        self,
        corp_id: str,
        nickname: str,
        external_userid: str = "",
        avatar: str = "",
        unionid: str = "",
        gender: int = 0,
        type: int = 1,
        corp_name: str = "",
    ) -> str:
        """A person outside (again with the same id: changes them). Returns the external_userid."""
        external_userid = external_userid or new_id("wm")
        avatar = avatar or f"/avatars/{external_userid}.svg?name={quote(nickname)}"
        customer = Customer(external_userid, nickname, avatar, gender, unionid, type, corp_name)
        self._corp(corp_id).customers[external_userid] = customer
        return external_userid

    # The customer

    @operation
    def customer_enters(
        self,
        open_kfid: str,
        external_userid: str,
        scene: str = "",
        scene_param: str = "",
        wechat_channels: dict[str, Any] | None = None,
    ) -> str:
        """Opens the chat through a link. Returns the welcome code, empty when no welcome is allowed."""
        corp, account = self._pair(open_kfid, external_userid)
        return self._people.enter(corp, account, external_userid, self._now(), scene, scene_param, wechat_channels)

    @operation
    def customer_says(self, open_kfid: str, external_userid: str, text: str, menu_id: str = "") -> str:
        """Writes a text (with ``menu_id``: a tap on a menu item). Returns the msgid; empty when messages are refused."""
        body: JsonObject = {"content": text, **({"menu_id": menu_id} if menu_id else {})}
        return self.customer_sends(open_kfid, external_userid, "text", body)

    @operation
    def customer_sends(
        self, open_kfid: str, external_userid: str, msgtype: str, body: dict[str, Any] | None = None, ring: bool = True
    ) -> str:
        """Sends any type with the fields given (None: a type without fields). ``ring`` False: the callback gets lost."""
        corp, account = self._pair(open_kfid, external_userid)
        return self._people.write(corp, account, external_userid, self._now(), msgtype, body, ring=ring)

    @operation
    def customers_say(self, open_kfid: str, messages: list[list[str]]) -> list[str]:
        """Many texts at once, each ``[external_userid, text]``, with one ring at the end; for load."""
        corp, account = self._kf(open_kfid)
        now = self._now()
        msgids = [
            self._people.write(corp, account, who, now, "text", {"content": text}, ring=False) for who, text in messages
        ]
        self._people.ring(corp, account, now)
        return msgids

    @operation
    def customer_sends_media(
        self, open_kfid: str, external_userid: str, kind: MediaKind, content: bytes, name: str = ""
    ) -> dict[str, str]:
        """Sends a file; one that is too large arrives as a text. Returns msgid and media_id."""
        corp, account = self._pair(open_kfid, external_userid)
        if kind not in _NAMES:
            raise ValueError(f"kind must be one of {', '.join(_NAMES)}")
        name = name or ("image.png" if sniff(content) == "image/png" else _NAMES[kind])
        msgid, media_id = self._people.write_media(corp, account, external_userid, self._now(), kind, name, content)
        return {"msgid": msgid, "media_id": media_id}

    @operation
    def customer_recalls(self, open_kfid: str, msgid: str) -> None:
        """Withdraws a message."""
        corp, account = self._kf(open_kfid)
        self._people.recall(corp, account, self._written(account, msgid), self._now())

    @operation
    def customer_refuses(self, external_userid: str, refuses: bool = True) -> None:
        """The customer refuses messages: sends are accepted and fail with type 10."""
        customers = [c.customers[external_userid] for c in self._world.corps.values() if external_userid in c.customers]
        if not customers:
            raise LookupError(f"no customer {external_userid}")
        self._changed()
        for customer in customers:
            customer.refuses_messages = refuses

    @operation
    def received(self, open_kfid: str, external_userid: str) -> list[Received]:
        """What the customer sees of us, in order: each delivered message exactly as often as it was delivered."""
        _, account = self._pair(open_kfid, external_userid)
        session = account.sessions.get(external_userid)
        return list(session.received) if session else []

    @operation
    def delivered(self, after: int = 0, limit: int = 1000) -> list[Delivered]:
        """Our messages that have reached any customer since number ``after``, oldest first; for scripts that answer them."""
        newest: list[Delivered] = []
        for entry in reversed(self._sends.delivered):
            if entry.number <= after:
                break
            newest.append(entry)
        return newest[::-1][:limit]

    # The servicer in the WeCom client

    @operation
    def servicer_says(self, open_kfid: str, external_userid: str, userid: str, text: str) -> str:
        """A rep types a text in the client; the session becomes theirs. Returns the msgid."""
        return self.servicer_sends(open_kfid, external_userid, userid, "text", {"content": text})

    @operation
    def servicer_sends(
        self, open_kfid: str, external_userid: str, userid: str, msgtype: str, body: dict[str, Any]
    ) -> str:
        """A rep sends any type in the client. Returns the msgid."""
        corp, account = self._pair(open_kfid, external_userid)
        return self._people.servicer_writes(corp, account, external_userid, userid, self._now(), msgtype, body)

    @operation
    def servicer_recalls(self, open_kfid: str, msgid: str, userid: str) -> None:
        """A rep withdraws a message."""
        corp, account = self._kf(open_kfid)
        self._people.servicer_recalls(corp, account, self._written(account, msgid), userid, self._now())

    @operation
    def servicer_takes(self, open_kfid: str, external_userid: str, userid: str) -> str:
        """Takes a session from the pool, from a colleague, or up again. Returns the code for one text, if any."""
        corp, account = self._pair(open_kfid, external_userid)
        return self._people.servicer_takes(corp, account, external_userid, userid, self._now())

    @operation
    def servicer_ends(self, open_kfid: str, external_userid: str) -> str:
        """Ends the session in the client. Returns the code for closing words."""
        corp, account = self._pair(open_kfid, external_userid)
        return self._people.servicer_ends(corp, account, external_userid, self._now())

    @operation
    def servicer_rejects(self, open_kfid: str, external_userid: str, userid: str, on: bool = True) -> None:
        """Switches a customer's messages off (拒收) or on again."""
        corp, account = self._pair(open_kfid, external_userid)
        self._people.reject(corp, account, external_userid, userid, on, self._now())

    @operation
    def servicer_status(self, open_kfid: str, userid: str, stopped: bool, stop_type: int = 0) -> None:
        """A servicer stops or starts serving."""
        corp, account = self._kf(open_kfid)
        if userid not in account.servicers:
            raise LookupError(f"{userid} does not serve {open_kfid}")
        self._people.servicer_status(corp, account, userid, stopped, stop_type, self._now())

    # The platform

    @operation
    def session(self, open_kfid: str, external_userid: str) -> Session:
        """The session as the platform sees it now."""
        _, account = self._pair(open_kfid, external_userid)
        return session_of(account, external_userid, self._now(), self._settings)

    @operation
    def fail_next_sends(self, open_kfid: str, external_userid: str, fail_type: int, times: int = 1) -> None:
        """The next accepted sends are not delivered; ``msg_send_fail`` says so with ``fail_type``."""
        _, account = self._pair(open_kfid, external_userid)
        session_of(account, external_userid, self._now(), self._settings).failures += [fail_type] * times

    @operation
    def fail_sent(self, open_kfid: str, msgid: str, fail_type: int) -> None:
        """Reports a message that was accepted before as failed, and takes it from the customer."""
        corp, account = self._kf(open_kfid)
        if msgid not in account.sent:
            raise LookupError(f"no message {msgid} was sent")
        who = account.sent[msgid]
        session = account.sessions[who]
        session.received = [message for message in session.received if message.msgid != msgid]
        report_failure(account, who, msgid, fail_type, self._now())
        self._people.ring(corp, account, self._now())

    @operation
    def ring(self, open_kfid: str) -> None:
        """Pushes ``kf_msg_or_event`` although nothing happened."""
        corp, account = self._kf(open_kfid)
        self._people.ring(corp, account, self._now())

    @operation
    def empty_pages(self, open_kfid: str, pages: int, page_cap: int = 1000) -> None:
        """The next ``pages`` of sync_msg are empty although there is more; no page has over ``page_cap`` items."""
        _, account = self._kf(open_kfid)
        account.empty_pages, account.page_cap = pages, max(1, page_cap)

    @operation
    def raise_event(
        self, corp_id: str, event: str, fields: dict[str, Any] | None = None, sender: str = "sys", suite_id: str = ""
    ) -> int:
        """Any callback: contact, group, tag, directory, unknown ones. ``fields`` follow the common ones in their order; an
        object is a nested element, a list a repeated one. With ``suite_id`` in the third-party form. Returns to how many."""
        now = self._now()
        if suite_id:
            head: JsonObject = {"SuiteId": suite_id, "AuthCorpId": corp_id, "InfoType": event, "TimeStamp": now}
        else:
            head = {
                "ToUserName": corp_id,
                "FromUserName": sender,
                "CreateTime": now,
                "MsgType": "event",
                "Event": event,
            }
        return self._callbacks.send(self._corp(corp_id), {**head, **(fields or {})})

    @operation
    def member_writes(
        self, corp_id: str, userid: str, msgtype: str, fields: dict[str, Any], agent_id: int = 1000002
    ) -> str:
        """A member writes to the app (an app message, pushed whole). Returns its MsgId."""
        msgid = str(int(self.clock.now().timestamp() * 1_000_000))
        head = {"ToUserName": corp_id, "FromUserName": userid, "CreateTime": self._now(), "MsgType": msgtype}
        message = {**head, **fields, "MsgId": int(msgid), "AgentID": agent_id}
        self._callbacks.send(self._corp(corp_id), message, heard_by=lambda app: app.agent_id == agent_id)
        return msgid

    @operation
    def member_messages(self, corp_id: str, userid: str) -> list[AppMessage]:
        """The app messages that a member has received, oldest first."""
        return messages_of(self._corp(corp_id), userid)

    @operation
    def byte_order_mark(self, on: bool = True) -> None:
        """Callbacks begin with a byte order mark, outside and inside the encryption."""
        self._callbacks.byte_order_mark = on

    @operation
    def change_settings(self, changes: dict[str, Any]) -> dict[str, Any]:
        """Changes numbers of ``simulator.wecom.settings``; returns all of them. The callback settings count from the start."""
        for name, value in changes.items():
            if not hasattr(self._settings, name):
                raise ValueError(f"no setting {name}")
            setattr(self._settings, name, value)
        return vars(self._settings).copy()

    @operation
    def forget_counters(self) -> None:
        """All frequency counters begin anew."""
        self._limits.clear()

    def _now(self) -> int:
        return int(self.clock.now().timestamp())

    def _corp(self, corp_id: str) -> Corp:
        self._changed()
        try:
            return self._world.corps[corp_id]
        except KeyError:
            raise LookupError(f"no corp {corp_id}; create_app makes one") from None

    def _app(self, corp_id: str, agent_id: int) -> App:
        try:
            return self._corp(corp_id).apps[agent_id]
        except KeyError:
            raise LookupError(f"no app {agent_id} in {corp_id}; create_app makes one") from None

    def _kf(self, open_kfid: str) -> tuple[Corp, KfAccount]:
        self._changed()
        for corp in self._world.corps.values():
            account = corp.kf.get(open_kfid)
            if account is not None:
                return corp, account
        raise LookupError(f"no KF account {open_kfid}; create_kf_account makes one")

    def _pair(self, open_kfid: str, external_userid: str) -> tuple[Corp, KfAccount]:
        corp, account = self._kf(open_kfid)
        if external_userid not in corp.customers:
            raise LookupError(f"no customer {external_userid}; create_customer makes one")
        return corp, account

    def _written(self, account: KfAccount, msgid: str) -> str:
        if msgid not in account.authors:
            raise LookupError(f"no message {msgid} was written")
        return msgid
