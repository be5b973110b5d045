"""Codes and buttons that add a member, "contact me" (chapter 6.1). Nothing here is told to the apps."""

from __future__ import annotations

import secrets
from typing import Any

from simulator.wecom.api import Answer, Call, Endpoint, Endpoints
from simulator.wecom.contacts import member_of
from simulator.wecom.errors import Refused
from simulator.wecom.limits import Limits
from simulator.wecom.media import PublicAddress
from simulator.wecom.paging import cursor_after, start_of
from simulator.wecom.settings import DAY, Settings
from simulator.wecom.state import ContactWay, Corp, JsonObject

SINGLE, SEVERAL = 1, 2
BUTTON, PICTURE = 1, 2
STATE, REMARK = 30, 30
MEMBERS = 100
_LONGEST = 14 * DAY
_LISTED_DAYS = 90


class ContactWayApi:
    def __init__(self, settings: Settings, limits: Limits, public: PublicAddress) -> None:
        self._settings = settings
        self._limits = limits
        self._public = public

    @property
    def endpoints(self) -> Endpoints:
        prefix = "externalcontact/"
        return {
            prefix + "add_contact_way": Endpoint("POST", self.add, "contacts"),
            prefix + "get_contact_way": Endpoint("POST", self.get, "contacts"),
            prefix + "list_contact_way": Endpoint("POST", self.list, "contacts"),
            prefix + "update_contact_way": Endpoint("POST", self.update, "contacts"),
            prefix + "del_contact_way": Endpoint("POST", self.delete, "contacts"),
        }

    def add(self, call: Call) -> Answer:
        kind = _choice(call, "type", (SINGLE, SEVERAL), missing=41037, wrong=41039)
        scene = _choice(call, "scene", (BUTTON, PICTURE), missing=41038, wrong=41040)
        way = ContactWay(secrets.token_hex(16), kind, scene, call.now)
        way.is_temp = _flag(call, "is_temp", default=False)
        if way.is_temp:
            if kind != SINGLE:
                raise Refused(41039, "a temporary one is for one member")
            self._limits.count(
                call.corp.corp_id, "temporary ways", DAY, self._settings.temporary_ways_per_day, call.now
            )
        elif sum(not one.is_temp for one in call.corp.contact_ways.values()) >= self._settings.contact_ways:
            raise Refused(41045)
        self._fill(call, way)
        if not way.user and not way.party:
            raise Refused(40063, "user and party are empty")
        if scene == PICTURE:
            way.qr_code = f"/pictures/{way.config_id}.png"
        call.corp.contact_ways[way.config_id] = way
        answer: JsonObject = {"config_id": way.config_id}
        return answer | ({"qr_code": self._public.of(way.qr_code)} if way.qr_code else {})

    def get(self, call: Call) -> Answer:
        return {"contact_way": self._view(_way(call))}

    def list(self, call: Call) -> Answer:
        """Those of the given time, the last 90 days by default; temporary ones never."""
        end = call.number("end_time", default=call.now)
        start = call.number("start_time", default=call.now - _LISTED_DAYS * DAY)
        limit = call.number("limit", default=100, low=1, high=1000)
        first = start_of(call)
        found = [way for way in call.corp.contact_ways.values() if not way.is_temp and start <= way.create_time <= end]
        return {
            "contact_way": [{"config_id": way.config_id} for way in found[first : first + limit]],
            "next_cursor": cursor_after(first + limit, len(found)),
        }

    def update(self, call: Call) -> Answer:
        """What is given replaces; type and scene stay. Nothing changes when anything is refused."""
        way = _way(call)
        draft = ContactWay(**vars(way))
        self._fill(call, draft)
        call.corp.contact_ways[way.config_id] = draft
        return {}

    def delete(self, call: Call) -> Answer:
        del call.corp.contact_ways[_way(call).config_id]
        return {}

    def _fill(self, call: Call, way: ContactWay) -> None:
        body = call.body
        style = call.number("style", default=way.style)
        if style not in (0, 1, 2, 3):
            raise Refused(41042)
        way.style = style
        for name, limit in (("remark", REMARK), ("state", STATE)):
            if name in body:
                setattr(way, name, _short(call, name, limit))
        way.skip_verify = _flag(call, "skip_verify", default=way.skip_verify)
        way.is_exclusive = _flag(call, "is_exclusive", default=way.is_exclusive)
        way.expires_in = call.number("expires_in", default=way.expires_in or 7 * DAY, low=1, high=_LONGEST)
        way.chat_expires_in = call.number("chat_expires_in", default=way.chat_expires_in or DAY, low=1, high=_LONGEST)
        way.unionid = call.optional("unionid", way.unionid)
        conclusions = body.get("conclusions", way.conclusions)
        if not isinstance(conclusions, dict):
            raise Refused(40058, "conclusions")
        way.conclusions = conclusions
        if "user" in body or "party" in body:
            self._people(call, way)

    def _people(self, call: Call, way: ContactWay) -> None:
        corp = call.corp
        users = [_usable(corp, userid) for userid in call.strings("user", limit=10_000, required=False)]
        parties = body_numbers(call.body.get("party") or [])
        if way.type == SINGLE and (len(users) != 1 or parties):
            raise Refused(41041, "a code of type 1 is for exactly one member")
        if unknown := [party for party in parties if party not in corp.departments]:
            raise Refused(60011, f"department {unknown[0]}")
        inside = {m.userid for m in corp.members.values() if set(parties) & set(m.department)}
        if len({*users, *inside}) > MEMBERS:
            raise Refused(41041)
        way.user, way.party = users, parties

    def _view(self, way: ContactWay) -> JsonObject:
        view: JsonObject = {
            "config_id": way.config_id,
            "type": way.type,
            "scene": way.scene,
            "remark": way.remark,
            "skip_verify": way.skip_verify,
            "state": way.state,
            "user": way.user,
            "party": way.party,
        }
        view |= {"style": way.style} if way.scene == BUTTON else {"qr_code": self._public.of(way.qr_code)}
        if way.is_temp:
            view |= {
                "is_temp": True,
                "expires_in": way.expires_in,
                "chat_expires_in": way.chat_expires_in,
                "unionid": way.unionid,
            }
        return view | ({"conclusions": way.conclusions} if way.conclusions else {})


def _way(call: Call) -> ContactWay:
    way = call.corp.contact_ways.get(call.string("config_id", missing=41043))
    if way is None:
        raise Refused(41044)
    return way


def _usable(corp: Corp, userid: str) -> str:
    """Activated, real-name verified, with customer contact (41054)."""
    member = member_of(corp, userid)
    if member.status != 1 or not member.verified:
        raise Refused(41054, f"userid {member.userid}")
    if not member.serves:
        raise Refused(84074, f"userid {member.userid}")
    return member.userid


def _choice(call: Call, name: str, allowed: tuple[int, ...], *, missing: int, wrong: int) -> int:
    value = call.body.get(name)
    if value is None:
        raise Refused(missing)
    if value not in allowed or isinstance(value, bool):
        raise Refused(wrong)
    return int(value)


def _flag(call: Call, name: str, *, default: bool) -> bool:
    value = call.body.get(name, default)
    if not isinstance(value, bool):
        raise Refused(40058, f"{name} must be true or false")
    return value


def _short(call: Call, name: str, limit: int) -> str:
    value = call.optional(name)
    if len(value) > limit:
        raise Refused(40058, f"{name} is longer than {limit} characters")
    return value


def body_numbers(value: Any) -> list[int]:
    if not isinstance(value, list) or not all(isinstance(one, int) and not isinstance(one, bool) for one in value):
        raise Refused(40058, "party must be a list of numbers")
    return value
