"""Playing administrator, customer and servicer at the simulated WeCom: Python methods, and ``POST /_control/<method>``.

KF accounts are named by ``open_kfid`` alone (they are unique over all corps). ``bytes`` are base64 over HTTP.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from scrm.clock import ShiftedClock
from simulator.control import CommonControl, operation
from simulator.delivery import Deliveries
from simulator.faults import Faults
from simulator.wecom.app_messages import messages_of
from simulator.wecom.archive import Archive
from simulator.wecom.archive_control import ArchiveControl
from simulator.wecom.bill_control import BillControl
from simulator.wecom.callbacks import Callbacks
from simulator.wecom.contact_control import ContactControl
from simulator.wecom.contacts import Contacts
from simulator.wecom.crypto import key_of
from simulator.wecom.directory_control import DirectoryControl
from simulator.wecom.group_chats import GroupLife
from simulator.wecom.group_control import GroupControl
from simulator.wecom.kf_control import KfControl
from simulator.wecom.kf_people import KfPeople
from simulator.wecom.kf_send import KfSend
from simulator.wecom.limits import Limits
from simulator.wecom.mass_control import MassControl
from simulator.wecom.moment_control import MomentControl
from simulator.wecom.settings import Settings
from simulator.wecom.sign_in import SignInPages
from simulator.wecom.state import (
    App,
    AppMessage,
    Callback,
    Corp,
    Customer,
    JsonObject,
    KfAccount,
    Servicer,
    World,
    new_id,
)
from simulator.wecom.tag_control import TagControl
from simulator.wecom.tokens import Tokens
from simulator.wecom.transfer_control import TransferControl
from simulator.wecom.transfers import Ripening
from simulator.wecom.truth import truth


class WecomControl(
    KfControl,
    DirectoryControl,
    ContactControl,
    TagControl,
    GroupControl,
    MassControl,
    MomentControl,
    TransferControl,
    ArchiveControl,
    BillControl,
    CommonControl,
):
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
        sign_in: SignInPages,
        contacts: Contacts,
        group_life: GroupLife,
        ripening: Ripening,
        archive: Archive,
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
        self._sign_in = sign_in
        self._contacts = contacts
        self._group_life = group_life
        self._ripening = ripening
        self.archive = archive

    @operation
    def advance_clock(self, seconds: float) -> dict[str, str]:
        """Moves the simulated clock (back with a negative number); what was waiting for that time happens."""
        moved = super().advance_clock(seconds)
        self._ripening.ripen(list(self._world.corps.values()), self._now())
        return moved

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
    def set_login_domain(self, corp_id: str, domain: str | None, agent_id: int = 1000002) -> None:
        """Where people may be sent after signing in (``host:port``; None: anywhere)."""
        self._app(corp_id, agent_id).login_domain = domain
        self._changed()

    @operation
    def scan_to_sign_in(self, corp_id: str, userid: str, agent_id: int = 1000002) -> str:
        """A member scans the QR code of a sign-in page of the app; returns the code that the browser brings back."""
        return self._sign_in.code_for(self._corp(corp_id), self._app(corp_id, agent_id), userid)

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
        position: str = "",
        refuses_transfers: bool = False,
    ) -> str:
        """A person outside (again with the same id: changes them; nobody is told). ``type`` 2: somebody of another company.
        Returns the external_userid."""
        external_userid = external_userid or new_id("wm" if type == 1 else "wo")
        avatar = avatar or f"/avatars/{external_userid}.svg?name={quote(nickname)}"
        customer = Customer(external_userid, nickname, avatar, gender, unionid, type, corp_name)
        customer.position, customer.refuses_transfers = position, refuses_transfers
        self._corp(corp_id).customers[external_userid] = customer
        return external_userid

    @operation
    def truth(self, corp_id: str) -> dict[str, Any]:
        """Everything that is so in a corp: members, relations, tags, groups, transfers, codes, greetings; to compare with."""
        return truth(self._corp(corp_id))

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
            corp = self._world.corps[corp_id]
        except KeyError:
            raise LookupError(f"no corp {corp_id}; create_app makes one") from None
        self._ripening.ripen([corp], self._now())
        return corp

    def _app(self, corp_id: str, agent_id: int) -> App:
        try:
            return self._corp(corp_id).apps[agent_id]
        except KeyError:
            raise LookupError(f"no app {agent_id} in {corp_id}; create_app makes one") from None
