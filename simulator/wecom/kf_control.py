"""Playing KF customers and servicers; mixed into the control interface. KF accounts are named by ``open_kfid`` alone."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, Literal

from simulator.control import operation
from simulator.wecom.kf_people import KfPeople
from simulator.wecom.kf_send import Delivered, KfSend, report_failure
from simulator.wecom.kf_sessions import session_of
from simulator.wecom.media import sniff
from simulator.wecom.settings import Settings
from simulator.wecom.state import Corp, JsonObject, KfAccount, Received, Session, World

MediaKind = Literal["image", "voice", "video", "file"]
_NAMES = {"image": "image.jpg", "voice": "voice.amr", "video": "video.mp4", "file": "file.bin"}


class KfControl:
    """What people do in their clients, and what the platform does by itself, at a KF account."""

    _world: World
    _settings: Settings
    _people: KfPeople
    _sends: KfSend
    _changed: Callable[[], None]

    @abstractmethod
    def _now(self) -> int: ...

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
