"""Customer contact (客户联系), read-only: customers, corp tags, customer groups (chapters 4, 5, 9)."""

from __future__ import annotations

from simulator.wecom.api import Answer, Call, Endpoint, Endpoints
from simulator.wecom.errors import Refused
from simulator.wecom.media import PublicAddress
from simulator.wecom.state import Corp, Follow, GroupChat, GroupMember, JsonObject, TagGroup


class ExternalApi:
    def __init__(self, public: PublicAddress) -> None:
        self._public = public

    @property
    def endpoints(self) -> Endpoints:
        prefix = "externalcontact/"
        return {
            prefix + "get_follow_user_list": Endpoint("GET", self.followers, "contacts"),
            prefix + "list": Endpoint("GET", self.customers_of, "contacts"),
            prefix + "get": Endpoint("GET", self.customer, "contacts"),
            prefix + "batch/get_by_user": Endpoint("POST", self.customers_by_member, "contacts"),
            prefix + "get_corp_tag_list": Endpoint("POST", self.tags, "contacts"),
            prefix + "groupchat/list": Endpoint("POST", self.groups, "contacts"),
            prefix + "groupchat/get": Endpoint("POST", self.group, "contacts"),
        }

    def followers(self, call: Call) -> Answer:
        userids = {userid for relations in call.corp.follows.values() for userid in relations}
        return {"follow_user": sorted(userids)}

    def customers_of(self, call: Call) -> Answer:
        member = call.corp.members.get(call.parameter("userid", missing=40003).lower())
        if member is None:
            raise Refused(60111)
        mine = [external for external, relations in call.corp.follows.items() if member.userid in relations]
        if not mine:
            raise Refused(84061)
        return {"external_userid": mine}

    def customer(self, call: Call) -> Answer:
        external_userid = call.parameter("external_userid", missing=41035)
        if external_userid not in call.corp.customers:
            raise Refused(40096)
        relations = call.corp.follows.get(external_userid)
        if not relations:
            raise Refused(84061)
        follows = [_follow_view(call.corp, follow) for follow in relations.values()]
        return {"external_contact": self._contact_view(call.corp, external_userid), "follow_user": follows}

    def customers_by_member(self, call: Call) -> Answer:
        """``follow_info`` has ``tag_id`` in place of ``tags``; a limit over 100 is capped."""
        wanted = {userid.lower() for userid in call.strings("userid_list", limit=100)}
        limit = min(call.number("limit", default=50), 100) or 50
        start = _start(call)
        relations = [
            follow
            for by_user in call.corp.follows.values()
            for follow in by_user.values()
            if follow.userid.lower() in wanted
        ]
        entries = [
            {
                "external_contact": self._contact_view(call.corp, follow.external_userid),
                "follow_info": {**_follow_fields(follow), "tag_id": follow.tag_ids},
            }
            for follow in relations[start : start + limit]
        ]
        return {"external_contact_list": entries, "next_cursor": _next(start + limit, len(relations))}

    def tags(self, call: Call) -> Answer:
        """All groups, or those named, or those of the named tags; with group ids the tag ids are ignored when both come."""
        tag_ids = set(call.strings("tag_id", limit=10_000, required=False))
        group_ids = set(call.strings("group_id", limit=10_000, required=False))
        groups = list(call.corp.tag_groups.values())
        if group_ids:
            return {"tag_group": [_tag_group_view(group) for group in groups if group.group_id in group_ids]}
        if tag_ids:
            hit = [group for group in groups if any(tag.id in tag_ids for tag in group.tags)]
            return {"tag_group": [_tag_group_view(group, tag_ids) for group in hit]}
        return {"tag_group": [_tag_group_view(group) for group in groups]}

    def groups(self, call: Call) -> Answer:
        limit = call.number("limit", low=1, high=1000)
        status = call.number("status_filter", default=0, high=3)
        owner_filter = call.body.get("owner_filter") or {}
        owners = owner_filter.get("userid_list") or [] if isinstance(owner_filter, dict) else []
        if not isinstance(owners, list) or len(owners) > 100:
            raise Refused(40058, "owner_filter.userid_list")
        start = _start(call)
        chosen = [
            group
            for group in call.corp.groups.values()
            if (not owners or group.owner in owners) and (not status or group.status == status)
        ]
        view = [{"chat_id": group.chat_id, "status": group.status} for group in chosen[start : start + limit]]
        return {"group_chat_list": view, "next_cursor": _next(start + limit, len(chosen))}

    def group(self, call: Call) -> Answer:
        group = call.corp.groups.get(call.string("chat_id"))
        if group is None:
            raise Refused(40050)
        return {"group_chat": _group_view(group, with_names=call.number("need_name", default=0, high=1) == 1)}

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
        if customer.type == 2 and customer.corp_name:
            view |= {"corp_name": customer.corp_name, "corp_full_name": customer.corp_name}
        return view


def _start(call: Call) -> int:
    cursor = call.optional("cursor")
    if not cursor:
        return 0
    if not cursor.startswith("CUR") or not cursor[3:].isdecimal():
        raise Refused(50100)
    return int(cursor[3:])


def _next(position: int, total: int) -> str:
    return f"CUR{position}" if position < total else ""


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
    tags = [
        {"group_name": group.group_name, "tag_name": tag.name, "tag_id": tag.id, "type": 1}
        for group in corp.tag_groups.values()
        for tag in group.tags
        if tag.id in follow.tag_ids
    ]
    return {**_follow_fields(follow), "tags": tags}


def _tag_group_view(group: TagGroup, only: set[str] | None = None) -> JsonObject:
    tags = [
        {"id": tag.id, "name": tag.name, "create_time": tag.create_time, "order": tag.order}
        for tag in group.tags
        if only is None or tag.id in only
    ]
    return {
        "group_id": group.group_id,
        "group_name": group.group_name,
        "create_time": group.create_time,
        "order": group.order,
        "tag": tags,
    }


def _group_view(group: GroupChat, *, with_names: bool) -> JsonObject:
    return {
        "chat_id": group.chat_id,
        "name": group.name,
        "owner": group.owner,
        "create_time": group.create_time,
        "notice": group.notice,
        "member_list": [_group_member_view(member, with_names) for member in group.members],
        "admin_list": [{"userid": userid} for userid in group.admins],
        "member_version": group.member_version,
    }


def _group_member_view(member: GroupMember, with_names: bool) -> JsonObject:
    view: JsonObject = {
        "userid": member.userid,
        "type": member.type,
        "join_time": member.join_time,
        "join_scene": member.join_scene,
        "group_nickname": member.group_nickname,
    }
    view |= {"unionid": member.unionid} if member.unionid else {}
    view |= {"invitor": {"userid": member.invitor}} if member.invitor else {}
    view |= {"state": member.state} if member.state else {}
    view |= {"name": member.name} if with_names else {}
    return view
