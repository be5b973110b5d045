"""Customer groups (chapters 9 and 11.2): reading them, and what people do in them."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from simulator.wecom.api import Answer, Call, Endpoint, Endpoints
from simulator.wecom.contacts import Contacts
from simulator.wecom.errors import Refused
from simulator.wecom.paging import cursor_after, start_of
from simulator.wecom.settings import Settings
from simulator.wecom.state import Corp, GroupChat, GroupMember, JsonObject

INVITED, BY_LINK, BY_CODE = 1, 2, 3
_JOIN_SCENES = {INVITED: 0, BY_LINK: 0, BY_CODE: 3}
"""``join_scene`` of the group -> ``JoinScene`` of the event: the numbers differ (chapter 23)."""
LEFT, REMOVED = 0, 1


class GroupApi:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @property
    def endpoints(self) -> Endpoints:
        prefix = "externalcontact/groupchat/"
        return {
            prefix + "list": Endpoint("POST", self.groups, "contacts"),
            prefix + "get": Endpoint("POST", self.group, "contacts"),
        }

    def groups(self, call: Call) -> Answer:
        corp = call.corp
        limit = call.number("limit", low=1, high=1000)
        status = call.number("status_filter", default=0, high=3)
        owners = _owner_filter(call)
        if not owners and len(corp.members) > self._settings.groups_untold_above:
            raise Refused(81017)
        start = start_of(call)
        chosen = [
            group
            for group in corp.groups.values()
            if not group.dissolved
            and (not owners or group.owner.lower() in owners)
            and (not status or status_of(corp, group) == status)
            and is_visible(corp, group)
        ]
        view = [{"chat_id": g.chat_id, "status": status_of(corp, g)} for g in chosen[start : start + limit]]
        return {"group_chat_list": view, "next_cursor": cursor_after(start + limit, len(chosen))}

    def group(self, call: Call) -> Answer:
        group = call.corp.groups.get(call.string("chat_id"))
        if group is None:
            raise Refused(40050)
        if group.dissolved:
            raise Refused(49008)
        if not is_visible(call.corp, group):
            raise Refused(84074)
        with_names = call.number("need_name", default=0, high=1) == 1
        lags = group.before is not None and call.exact < group.changed_at + self._settings.group_lag
        view = group.before if lags and group.before is not None else group_view(group)
        if not with_names:
            members = [{k: v for k, v in one.items() if k != "name"} for one in view["member_list"]]
            view = {**view, "member_list": members}
        return {"group_chat": view}


def _owner_filter(call: Call) -> set[str]:
    owner_filter = call.body.get("owner_filter") or {}
    owners = owner_filter.get("userid_list") or [] if isinstance(owner_filter, dict) else []
    if not isinstance(owners, list) or len(owners) > 100 or not all(isinstance(one, str) for one in owners):
        raise Refused(40058, "owner_filter.userid_list")
    return {one.lower() for one in owners}


def status_of(corp: Corp, group: GroupChat) -> int:
    """1 from the moment that its owner leaves, until somebody takes it over (3)."""
    return 1 if group.owner.lower() in corp.former else group.status


def is_visible(corp: Corp, group: GroupChat) -> bool:
    """Groups of members with customer contact, also of those who left."""
    owner = corp.members.get(group.owner.lower())
    return group.owner.lower() in corp.former or (owner is not None and owner.serves)


class GroupLife:
    """What people do in groups; every act is told to the apps."""

    def __init__(self, contacts: Contacts) -> None:
        self._contacts = contacts

    def tell(self, corp: Corp, group: GroupChat, change: str, now: float, **more: Any) -> None:
        fields = {"ChatId": group.chat_id, "ChangeType": change, **more}
        self._contacts.tell(corp, "change_external_chat", fields, int(now))

    def join(
        self,
        corp: Corp,
        group: GroupChat,
        who: Sequence[str],
        now: float,
        *,
        scene: int = INVITED,
        invited_by: str = "",
        state: str = "",
    ) -> None:
        there = {one.userid for one in group.members}
        fresh = [one for one in dict.fromkeys(who) if one not in there]
        if not fresh:
            return
        with changing(group, now) as version:
            for one in fresh:
                group.members.append(entry(corp, one, int(now), scene, invited_by or group.owner, state))
        self._members(corp, group, now, "add_member", fresh, version, JoinScene=_JOIN_SCENES[scene], QuitScene=0)

    def leave(self, corp: Corp, group: GroupChat, who: Sequence[str], now: float, *, removed: bool = False) -> None:
        gone = [one.userid for one in group.members if one.userid in set(who)]
        if not gone:
            return
        with changing(group, now) as version:
            group.members = [one for one in group.members if one.userid not in gone]
            group.admins = [one for one in group.admins if one not in gone]
        quit_scene = REMOVED if removed else LEFT
        self._members(corp, group, now, "del_member", gone, version, JoinScene=0, QuitScene=quit_scene)

    def change(self, corp: Corp, group: GroupChat, now: float, detail: str, **what: Any) -> None:
        """``detail``: ``change_owner``, ``change_name``, ``change_notice``."""
        with changing(group, now, members=False):
            for name, value in what.items():
                setattr(group, name, value)
        self.tell(corp, group, "update", now, UpdateDetail=detail)

    def dissolve(self, corp: Corp, group: GroupChat, now: float) -> None:
        group.dissolved = True
        self.tell(corp, group, "dismiss", now)

    def _members(
        self, corp: Corp, group: GroupChat, now: float, detail: str, who: Sequence[str], before: str, **scenes: int
    ) -> None:
        self.tell(
            corp,
            group,
            "update",
            now,
            UpdateDetail=detail,
            **scenes,
            MemChangeCnt=len(who),
            MemChangeList={"Item": list(who)},
            LastMemVer=before,
            CurMemVer=group.member_version,
        )


class changing:  # noqa: N801 - reads as a sentence
    """``with changing(group, now) as version_before:`` keeps how it was told, and gives the members a new version."""

    def __init__(self, group: GroupChat, now: float, *, members: bool = True) -> None:
        self._group = group
        self._now = now
        self._members = members

    def __enter__(self) -> str:
        self._group.before = group_view(self._group)
        return self._group.member_version

    def __exit__(self, *exc: object) -> None:
        self._group.changed_at = self._now
        if self._members:
            self._group.member_version = secrets.token_hex(16)


def entry(corp: Corp, who: str, now: int, scene: int = INVITED, invited_by: str = "", state: str = "") -> GroupMember:
    """A customer or a member; a WeChat user whom nobody has added has an id all the same."""
    customer, colleague = corp.customers.get(who), corp.members.get(who.lower())
    name = customer.nickname if customer else colleague.name if colleague else who
    return GroupMember(
        colleague.userid if colleague and not customer else who,
        1 if colleague and not customer else 2,
        now,
        scene,
        name,
        unionid=customer.unionid if customer else "",
        invitor="" if scene == BY_CODE else invited_by,
        state=state,
    )


def group_view(group: GroupChat) -> JsonObject:
    return {
        "chat_id": group.chat_id,
        "name": group.name,
        "owner": group.owner,
        "create_time": group.create_time,
        "notice": group.notice,
        "member_list": [_member_view(member) for member in group.members],
        "admin_list": [{"userid": userid} for userid in group.admins],
        "member_version": group.member_version,
    }


def _member_view(member: GroupMember) -> JsonObject:
    view: JsonObject = {
        "userid": member.userid,
        "type": member.type,
        "join_time": member.join_time,
        "join_scene": member.join_scene,
        "group_nickname": member.group_nickname,
        "name": member.name,
    }
    view |= {"unionid": member.unionid} if member.unionid else {}
    view |= {"invitor": {"userid": member.invitor}} if member.invitor else {}
    return view | ({"state": member.state} if member.state else {})
