"""Customer contact (客户联系), reading and describing customers (chapter 4)."""

from __future__ import annotations

from simulator.wecom.api import Answer, Call, Endpoint, Endpoints, text_field
from simulator.wecom.contacts import follows_of, member_of, relation
from simulator.wecom.errors import Refused
from simulator.wecom.media import MediaApi, PublicAddress
from simulator.wecom.paging import cursor_after, start_of
from simulator.wecom.settings import Settings
from simulator.wecom.state import Corp, Follow, JsonObject

REMARK, DESCRIPTION, COMPANY = 20, 150, 20
_FOLLOWERS = 500
"""More members of one customer are told page by page."""


class ExternalApi:
    def __init__(self, settings: Settings, media: MediaApi, public: PublicAddress) -> None:
        self._settings = settings
        self._media = media
        self._public = public

    @property
    def endpoints(self) -> Endpoints:
        prefix = "externalcontact/"
        return {
            prefix + "get_follow_user_list": Endpoint("GET", self.followers, "contacts"),
            prefix + "list": Endpoint("GET", self.customers_of, "contacts"),
            prefix + "get": Endpoint("GET", self.customer, "contacts"),
            prefix + "batch/get_by_user": Endpoint("POST", self.customers_by_member, "contacts"),
            prefix + "remark": Endpoint("POST", self.remark, "contacts"),
            prefix + "unionid_to_external_userid": Endpoint("POST", self.by_union, "contacts"),
        }

    def followers(self, call: Call) -> Answer:
        """Members who have the feature, with and without customers."""
        return {"follow_user": [m.userid for m in call.corp.members.values() if m.serves and m.status in (1, 4)]}

    def customers_of(self, call: Call) -> Answer:
        member = member_of(call.corp, call.parameter("userid", missing=40003))
        mine = [follow.external_userid for follow in follows_of(call.corp, member.userid)]
        if not mine:
            raise Refused(84061)
        return {"external_userid": mine}

    def customer(self, call: Call) -> Answer:
        external_userid = call.parameter("external_userid", missing=41035)
        if external_userid not in call.corp.customers:
            raise Refused(40096)
        there = [f for f in call.corp.follows.get(external_userid, {}).values() if _is_there(call.corp, f.userid)]
        if not there:
            raise Refused(84061)
        start = _query_start(call.query.get("cursor", ""))
        answer: JsonObject = {
            "external_contact": self._contact_view(call.corp, external_userid),
            "follow_user": [_follow_view(call.corp, follow) for follow in there[start : start + _FOLLOWERS]],
        }
        following = cursor_after(start + _FOLLOWERS, len(there))
        return answer | ({"next_cursor": following} if following else {})

    def customers_by_member(self, call: Call) -> Answer:
        """``follow_info`` has ``tag_id`` in place of ``tags``; a limit over 100 is capped."""
        wanted = [member_of(call.corp, userid).userid for userid in call.strings("userid_list", limit=100)]
        limit = min(call.number("limit", default=50), 100) or 50
        start = start_of(call)
        mine = set(wanted)
        found = [f for follows in call.corp.follows.values() for f in follows.values() if f.userid in mine]
        if self._settings.member_without_customers == "refuse" and mine - {follow.userid for follow in found}:
            raise Refused(84061)
        entries = [
            {
                "external_contact": self._contact_view(call.corp, follow.external_userid),
                "follow_info": {**_follow_fields(follow), "tag_id": follow.tag_ids},
            }
            for follow in found[start : start + limit]
        ]
        return {"external_contact_list": entries, "next_cursor": cursor_after(start + limit, len(found))}

    def remark(self, call: Call) -> Answer:
        """At least one of five fields. No event: it was no person."""
        follow = relation(call.corp, call.string("userid"), call.string("external_userid", missing=41035))
        given = {
            name: call.body[name]
            for name in ("remark", "description", "remark_company", "remark_mobiles", "remark_pic_mediaid")
            if call.body.get(name) is not None
        }
        if not given:
            raise Refused(40063, "nothing to change")
        phones = self._phones(call) if "remark_mobiles" in given else None
        texts = {
            name: _characters(given, name, limit)
            for name, limit in (("remark", REMARK), ("description", DESCRIPTION), ("remark_company", COMPANY))
            if name in given
        }
        if picture := text_field(given, "remark_pic_mediaid", limit=256):
            self._media.find(call.corp, picture, call.now, "image")
            follow.remark_pic_mediaid = picture
        follow.remark = texts.get("remark", follow.remark)
        follow.description = texts.get("description", follow.description)
        if "remark_company" in texts and call.corp.customers[follow.external_userid].type == 1:
            follow.remark_corp_name = texts["remark_company"]
        if phones is not None:
            follow.remark_mobiles = phones
        return {}

    def by_union(self, call: Call) -> Answer:
        unionid = call.string("unionid")
        found = [c.external_userid for c in call.corp.customers.values() if c.unionid == unionid]
        if not found:
            raise Refused(84061)
        return {"external_userid": found[0]}

    def _phones(self, call: Call) -> list[str] | None:
        """Replaces all; one empty number clears. An empty list changes nothing."""
        phones = call.strings("remark_mobiles", limit=self._settings.phones_per_customer, required=False)
        if not phones:
            return None
        return [phone for phone in phones if phone]

    def _contact_view(self, corp: Corp, external_userid: str) -> JsonObject:
        customer = corp.customers[external_userid]
        view: JsonObject = {
            "external_userid": external_userid,
            "name": customer.nickname,
            "avatar": self._public.of(customer.avatar),
            "type": customer.type,
            "gender": customer.gender,
        }
        view |= {"unionid": customer.unionid} if customer.unionid else {}
        if customer.type == 2:
            view |= (
                {"corp_name": customer.corp_name, "corp_full_name": customer.corp_name} if customer.corp_name else {}
            )
            view |= {"position": customer.position} if customer.position else {}
            view |= {"external_profile": {"external_attr": customer.attributes}} if customer.attributes else {}
        return view


def _is_there(corp: Corp, userid: str) -> bool:
    """Whose member has left is nobody's until somebody takes them over."""
    return userid.lower() in corp.members


def _query_start(cursor: str) -> int:
    if not cursor:
        return 0
    if not cursor.startswith("CUR") or not cursor[3:].isdecimal():
        raise Refused(50100)
    return int(cursor[3:])


def _characters(given: JsonObject, name: str, limit: int) -> str:
    value = given[name]
    if not isinstance(value, str):
        raise Refused(40058, f"{name} must be a string")
    if len(value) > limit:
        raise Refused(40058, f"{name} is longer than {limit} characters")
    return value


def _follow_fields(follow: Follow) -> JsonObject:
    fields: JsonObject = {
        "userid": follow.userid,
        "remark": follow.remark,
        "description": follow.description,
        "createtime": follow.createtime,
        "oper_userid": follow.oper_userid or follow.userid,
        "add_way": follow.add_way,
    }
    fields |= {"remark_corp_name": follow.remark_corp_name} if follow.remark_corp_name else {}
    fields |= {"remark_mobiles": follow.remark_mobiles} if follow.remark_mobiles else {}
    fields |= {"state": follow.state} if follow.state else {}
    return fields


def _follow_view(corp: Corp, follow: Follow) -> JsonObject:
    tags: list[JsonObject] = [
        {"group_name": group.group_name, "tag_name": tag.name, "tag_id": tag.id, "type": 1}
        for group in corp.tag_groups.values()
        for tag in group.tags
        if tag.id in follow.tag_ids
    ]
    tags += [{"group_name": "", "tag_name": name, "type": 2} for name in follow.own_tags]
    return {**_follow_fields(follow), "tags": tags}
