"""The reading and managing half of the KF API: accounts, servicers, states, ``sync_msg``, customers (chapter 16)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from aiohttp import web

from simulator.wecom import kf_log
from simulator.wecom.api import Answer, Call, Endpoint, Endpoints
from simulator.wecom.errors import Refused
from simulator.wecom.kf_sessions import change_state, session_of
from simulator.wecom.limits import Limits
from simulator.wecom.media import MediaApi, PublicAddress
from simulator.wecom.settings import MINUTE, Settings
from simulator.wecom.state import HUMAN, Corp, JsonObject, KfAccount, Servicer, Session, new_id

_SCENE = re.compile(r"[0-9a-zA-Z_-]{1,32}")
_ACCOUNTS = 5000
_NAME_CHARACTERS = 16


class KfApi:
    def __init__(self, settings: Settings, limits: Limits, media: MediaApi, public: PublicAddress) -> None:
        self._public = public
        self._settings = settings
        self._limits = limits
        self._media = media

    @property
    def endpoints(self) -> Endpoints:
        return {
            "kf/account/add": Endpoint("POST", self.add_account, "kf"),
            "kf/account/update": Endpoint("POST", self.update_account, "kf"),
            "kf/account/del": Endpoint("POST", self.delete_account, "kf"),
            "kf/account/list": Endpoint("ANY", self.list_accounts, "kf"),
            "kf/add_contact_way": Endpoint("POST", self.add_contact_way, "kf"),
            "kf/servicer/add": Endpoint("POST", self.add_servicers, "kf"),
            "kf/servicer/del": Endpoint("POST", self.delete_servicers, "kf"),
            "kf/servicer/list": Endpoint("GET", self.list_servicers, "kf"),
            "kf/service_state/get": Endpoint("POST", self.get_state, "kf"),
            "kf/service_state/trans": Endpoint("POST", self.change_state, "kf"),
            "kf/sync_msg": Endpoint("POST", self.sync, "kf"),
            "kf/customer/batchget": Endpoint("POST", self.customers, "kf"),
            "kf/customer/get_upgrade_service_config": Endpoint("GET", self.upgrade_config, "kf"),
        }

    # Accounts

    def add_account(self, call: Call) -> Answer:
        name = _account_name(call)
        media = self._media.find(call.corp, call.string("media_id", missing=41006), call.now, "image")
        if len(call.corp.kf) >= _ACCOUNTS:
            raise Refused(95005)
        account = KfAccount(new_id("wk"), name, f"/avatars/{media.media_id[:8]}.png")
        call.corp.kf[account.open_kfid] = account
        return {"open_kfid": account.open_kfid}

    def update_account(self, call: Call) -> Answer:
        account = call.kf_account()
        name = _account_name(call) if call.body.get("name") is not None else account.name
        if call.optional("media_id"):
            media = self._media.find(call.corp, call.optional("media_id"), call.now, "image")
            account.avatar = f"/avatars/{media.media_id[:8]}.png"
        account.name = name
        return {}

    def delete_account(self, call: Call) -> Answer:
        del call.corp.kf[call.kf_account().open_kfid]
        return {}

    def list_accounts(self, call: Call) -> Answer:
        """Only accounts that the app may manage; in pages of at most 100."""
        offset = call.number("offset", default=0)
        limit = call.number("limit", default=100, low=1, high=100)
        granted = [account for account in call.corp.kf.values() if account.granted]
        return {"account_list": [self._account_view(account) for account in granted[offset : offset + limit]]}

    def _account_view(self, account: KfAccount) -> JsonObject:
        return {
            "open_kfid": account.open_kfid,
            "name": account.name,
            "avatar": self._public.of(account.avatar),
            "manage_privilege": account.granted,
        }

    def add_contact_way(self, call: Call) -> Answer:
        account = call.kf_account()
        scene = call.optional("scene")
        if scene and _SCENE.fullmatch(scene) is None:
            raise Refused(40058, "scene must be up to 32 of 0-9a-zA-Z_-")
        digest = hashlib.sha256(f"{account.open_kfid}/{scene}".encode()).hexdigest()
        query = f"?enc_scene=ENC{digest[16:36]}" if scene else ""
        return {"url": f"https://work.weixin.qq.com/kf/kfc{digest[:16]}{query}"}

    # Servicers

    def add_servicers(self, call: Call) -> Answer:
        account = call.kf_account()
        results: list[JsonObject] = []
        for userid in self._named(call, "userid_list", 100):
            member = call.corp.members.get(userid.lower())
            if member is None:
                results.append({"userid": userid, "errcode": 60030, "errmsg": "not in the visible range"})
                continue
            known = member.userid in account.servicers
            account.servicers.setdefault(member.userid, Servicer())
            results.append({"userid": userid, "errcode": 0, "errmsg": "ignored" if known else "success"})
        for number in _departments(call):
            known = number in account.departments
            if not known and number in call.corp.departments:
                account.departments.append(number)
            exists = number in call.corp.departments
            text = ("ignored" if known else "success") if exists else "not in the visible range"
            results.append({"department_id": number, "errcode": 0 if exists else 60030, "errmsg": text})
        return {"result_list": results}

    def delete_servicers(self, call: Call) -> Answer:
        account = call.kf_account()
        results: list[JsonObject] = []
        for userid in self._named(call, "userid_list", 100):
            name = next((known for known in account.servicers if known.lower() == userid.lower()), None)
            if name is not None:
                del account.servicers[name]
            results.append({"userid": userid, "errcode": 0, "errmsg": "ignored" if name is None else "success"})
        for number in _departments(call):
            known = number in account.departments
            if known:
                account.departments.remove(number)
            results.append({"department_id": number, "errcode": 0, "errmsg": "success" if known else "ignored"})
        return {"result_list": results}

    def list_servicers(self, call: Call) -> Answer:
        """``status`` is 0 serving, 1 stopped here, unlike in the event."""
        open_kfid = call.parameter("open_kfid", missing=60251)
        account = Call(call.corp, call.app, call.now, call.query, {"open_kfid": open_kfid}, call.request).kf_account()
        people: list[JsonObject] = []
        for userid, servicer in account.servicers.items():
            entry: JsonObject = {"userid": userid, "status": int(servicer.stopped)}
            if servicer.stopped:
                entry["stop_type"] = servicer.stop_type
            people.append(entry)
        return {"servicer_list": people + [{"department_id": number} for number in account.departments]}

    def _named(self, call: Call, field: str, limit: int) -> Iterable[str]:
        names = call.strings(field, limit=limit, required=False)
        if not names and not call.body.get("department_id_list"):
            raise Refused(40063, "userid_list and department_id_list are empty")
        return names

    # Sessions

    def get_state(self, call: Call) -> Answer:
        account = call.kf_account()
        session = session_of(account, _customer_of(call), call.now, self._settings)
        state: JsonObject = {"service_state": session.state}
        if session.state == HUMAN:
            state["servicer_userid"] = session.servicer_userid
        return state

    def change_state(self, call: Call) -> Answer:
        account = call.kf_account()
        external_userid = _customer_of(call)
        state = call.number("service_state", high=4)
        servicer = call.string("servicer_userid", missing=95014) if state == HUMAN else ""
        code = change_state(call.corp, account, external_userid, state, servicer, call.now, self._settings)
        return {"msg_code": code} if code else {}

    # Reading

    def sync(self, call: Call) -> Answer:
        account = call.kf_account()
        token, cursor = call.optional("token"), call.optional("cursor")
        limit = call.number("limit", default=1000, high=1000) or 1000
        call.number("voice_format", default=0, high=1)
        if len(cursor) > 64 or len(token) > 128:
            raise Refused(40058, "cursor or token is too long")
        if token:
            kf_log.check_token(call.corp, account.open_kfid, token, call.now)
        else:
            allowed = self._settings.sync_without_token_per_minute
            self._limits.count(call.corp.corp_id, "kf/sync_msg without token", MINUTE, allowed, call.now)
        items, following, more = kf_log.page(account, cursor, limit, call.now, self._settings)
        head = f'{{"errcode":0,"errmsg":"ok","next_cursor":"{following}","has_more":{int(more)},"msg_list":['
        body = "".join((head, ",".join(items), "]}")).encode()
        return web.Response(body=body, content_type="application/json", charset="utf-8")

    def customers(self, call: Call) -> Answer:
        """Profiles of those who were at any account within 48 hours; the others are invalid."""
        ids = call.strings("external_userid_list", limit=100)
        with_context = call.number("need_enter_session_context", default=0, high=1) == 1
        found: list[JsonObject] = []
        invalid: list[str] = []
        for external_userid in ids:
            session = self._recent(call.corp, external_userid, call.now)
            if session is None:
                invalid.append(external_userid)
            else:
                found.append(self._customer_view(call, external_userid, session if with_context else None))
        return {"customer_list": found, "invalid_external_userid": invalid}

    def upgrade_config(self, call: Call) -> Answer:
        return {
            "member_range": {"userid_list": [], "department_id_list": []},
            "groupchat_range": {"chat_id_list": []},
        }

    def _recent(self, corp: Corp, external_userid: str, now: int) -> Session | None:
        if external_userid not in corp.customers:
            return None
        sessions = (account.sessions.get(external_userid) for account in corp.kf.values())
        recent = [s for s in sessions if s and now - _active_at(s) < self._settings.reply_window]
        return max(recent, key=_active_at, default=None)

    def _customer_view(self, call: Call, external_userid: str, session: Session | None) -> JsonObject:
        customer = call.corp.customers[external_userid]
        view: JsonObject = {
            "external_userid": external_userid,
            "nickname": customer.nickname,
            "avatar": self._public.of(customer.avatar),
            "gender": customer.gender,
        }
        if customer.unionid:
            view["unionid"] = customer.unionid
        if session is not None and session.entered_at:
            context: JsonObject = {"scene": session.scene, "scene_param": session.scene_param}
            if session.wechat_channels is not None:
                context["wechat_channels"] = session.wechat_channels
            view["enter_session_context"] = context
        return view


def _active_at(session: Session) -> int:
    return max(session.last_customer_at, session.entered_at)


def _customer_of(call: Call) -> str:
    external_userid = call.string("external_userid", missing=41035)
    if external_userid not in call.corp.customers:
        raise Refused(40096)
    return external_userid


def _account_name(call: Call) -> str:
    name = call.optional("name")
    if not name or len(name) > _NAME_CHARACTERS:
        raise Refused(95006)
    return name


def _departments(call: Call) -> list[int]:
    numbers = call.body.get("department_id_list") or []
    if not isinstance(numbers, list) or len(numbers) > 20 or not all(isinstance(n, int) for n in numbers):
        raise Refused(40058, "department_id_list must be at most 20 numbers")
    return numbers
