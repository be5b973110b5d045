"""Customer groups and who is in them (wecom.md section 9; platform pages 92120, 92122)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from adapters.wecom.client import WeComClient
from adapters.wecom.ids import member, wechat_union
from adapters.wecom.relations import serving
from adapters.wecom.values import integer, moment, nested, objects, text
from scrm.channel import JsonObject
from scrm.channel_contacts import CustomerGroup, GroupIdPage, GroupMember
from scrm.clock import Clock
from scrm.errors import Rejected

_PAGE = 1000
_OWNERS = 100
_TOO_WIDE = "wecom.81017"
_BY_OWNERS = "owners:"
_NOT_A_GROUP = frozenset({"wecom.49008", "wecom.90501", "wecom.90509", "wecom.40050"})
_STATES: Mapping[int, str] = {0: "normal", 1: "owner_left", 2: "moving", 3: "moved"}
_SCENES: Mapping[int, str] = {1: "invited", 2: "link", 3: "code"}


class Groups:
    def __init__(self, client: WeComClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock

    async def ids(self, cursor: str, *, owner_ids: Sequence[str] = ()) -> GroupIdPage:
        """``groupchat/list``. A company with over a thousand members is only told by owners (81017); the cursor then says
        where among the members we are."""
        if cursor.startswith(_BY_OWNERS):
            return await self._walk(cursor)
        try:
            return await self._page(cursor, owner_ids)
        except Rejected as error:
            if error.code != _TOO_WIDE or owner_ids:
                raise
        return await self._walk("")

    async def _walk(self, cursor: str) -> GroupIdPage:
        position, _, inner = cursor.removeprefix(_BY_OWNERS).partition(":")
        start = int(position) if position.isascii() and position.isdecimal() else 0
        owners = sorted(await serving(self._client))
        page = await self._page(inner, owners[start : start + _OWNERS]) if owners[start:] else GroupIdPage([], "")
        if page.cursor:
            return GroupIdPage(page.ids, f"{_BY_OWNERS}{start}:{page.cursor}")
        following = start + _OWNERS
        return GroupIdPage(page.ids, f"{_BY_OWNERS}{following}:" if following < len(owners) else "")

    async def _page(self, cursor: str, owner_ids: Sequence[str]) -> GroupIdPage:
        body: JsonObject = {"status_filter": 0, "cursor": cursor, "limit": _PAGE}
        body |= {"owner_filter": {"userid_list": list(owner_ids)}} if owner_ids else {}
        answer = await self._client.post("externalcontact/groupchat/list", body)
        ids = [
            (text(entry, "chat_id"), _STATES.get(integer(entry, "status") or 0, "normal"))
            for entry in objects(answer, "group_chat_list")
            if text(entry, "chat_id")
        ]
        return GroupIdPage(ids, text(answer, "next_cursor"))

    async def read(self, external_id: str) -> CustomerGroup | None:
        """``groupchat/get``. For about two seconds after an event it may still tell the old state."""
        try:
            answer = await self._client.post("externalcontact/groupchat/get", {"chat_id": external_id, "need_name": 1})
        except Rejected as error:
            if error.code in _NOT_A_GROUP:
                return None
            raise
        return self._group(nested(answer, "group_chat"))

    def _group(self, entry: JsonObject) -> CustomerGroup | None:
        if not text(entry, "chat_id"):
            return None
        now = self._clock.now()
        return CustomerGroup(
            text(entry, "chat_id"),
            text(entry, "name"),
            member(text(entry, "owner")),
            [self._member(one) for one in objects(entry, "member_list") if text(one, "userid")],
            admin_ids=tuple(member(text(one, "userid")) for one in objects(entry, "admin_list") if text(one, "userid")),
            created_at=moment(entry, "create_time", now),
            notice=text(entry, "notice"),
            version=text(entry, "member_version"),
        )

    def _member(self, entry: JsonObject) -> GroupMember:
        kind: Literal["member", "contact"] = "member" if integer(entry, "type") == 1 else "contact"
        userid = text(entry, "userid")
        return GroupMember(
            member(userid) if kind == "member" else userid,
            kind,
            # What they are called in this group comes before their own name.
            name=text(entry, "group_nickname") or text(entry, "name"),
            union_id=wechat_union(text(entry, "unionid")),
            joined_at=moment(entry, "join_time", self._clock.now()),
            scene=_SCENES.get(integer(entry, "join_scene") or 0, ""),
            invited_by=member(text(nested(entry, "invitor"), "userid")),
            source=text(entry, "state"),
        )
