"""The library of company tags (wecom.md section 5; platform page 92117). An app may change only those that it made."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.wecom.client import WeComClient
from adapters.wecom.errors import unanswered
from adapters.wecom.lengths import check_characters
from adapters.wecom.values import integer, nested, objects, text
from scrm.channel import JsonObject
from scrm.channel_contacts import PlatformTag, PlatformTagGroup
from scrm.errors import Rejected

NAME_LIMIT = 30
_GONE = "wecom.40068"
_NAME_TAKEN = "wecom.40071"
_Wanted = dict[str, int | None]
"""Names with their order."""


class Tags:
    def __init__(self, client: WeComClient) -> None:
        self._client = client

    async def all(self) -> Sequence[PlatformTagGroup]:
        """``get_corp_tag_list`` with empty filters: all."""
        return await self._read({})

    async def add(
        self, *, group_id: str, group_name: str, names: Sequence[str], orders: Sequence[int] = ()
    ) -> PlatformTagGroup:
        """``add_corp_tag``. A name that the group has already is not sent: the platform would refuse the whole call. Somebody
        may add one in the moment between, so what it refuses for its name is looked at once more."""
        if not group_id:
            check_characters(group_name, NAME_LIMIT, name="group name", zh="标签组名称")
        for name in names:
            check_characters(name, NAME_LIMIT, name="tag name", zh="标签名称")
        wanted: _Wanted = dict(zip(names, orders, strict=True)) if orders else dict.fromkeys(names)
        group = await self._group(group_id, group_name)
        try:
            return _of_names(await self._add_missing(group, group_id, group_name, wanted), wanted)
        except Rejected as error:
            if error.code != _NAME_TAKEN:
                raise
        group = await self._group(group_id, group_name)
        return _of_names(await self._add_missing(group, group_id, group_name, wanted), wanted)

    async def change(self, external_id: str, *, name: str | None = None, order: int | None = None) -> None:
        """``edit_corp_tag``."""
        body: JsonObject = {"id": external_id}
        if name is not None:
            check_characters(name, NAME_LIMIT, name="tag name", zh="标签名称")
            body["name"] = name
        if order is not None:
            body["order"] = order
        await self._client.post("externalcontact/edit_corp_tag", body)

    async def delete(self, *, tag_ids: Sequence[str] = (), group_ids: Sequence[str] = ()) -> None:
        """``del_corp_tag``. One that is gone makes the platform refuse the call: then those that are left are deleted."""
        if not tag_ids and not group_ids:
            return
        try:
            await self._delete(list(tag_ids), list(group_ids))
            return
        except Rejected as error:
            if error.code != _GONE:
                raise
        there = await self.all()
        groups = {group.external_id for group in there}
        tags = {tag.external_id for group in there for tag in group.tags}
        left = [one for one in tag_ids if one in tags], [one for one in group_ids if one in groups]
        if any(left):
            await self._delete(*left)

    async def _delete(self, tag_ids: list[str], group_ids: list[str]) -> None:
        await self._client.post("externalcontact/del_corp_tag", {"tag_id": tag_ids, "group_id": group_ids})

    async def _add_missing(
        self, group: PlatformTagGroup | None, group_id: str, group_name: str, wanted: _Wanted
    ) -> PlatformTagGroup:
        there = {tag.name for tag in group.tags} if group is not None else set()
        missing = [name for name in wanted if name not in there]
        if group is not None and not missing:
            return group
        body: JsonObject = {"group_id": group.external_id if group is not None else group_id}
        if not body["group_id"]:
            body = {"group_name": group_name}
        body["tag"] = [
            {"name": name, **({} if (order := wanted[name]) is None else {"order": order})} for name in missing
        ]
        made = nested(await self._client.post("externalcontact/add_corp_tag", body), "tag_group")
        if not text(made, "group_id"):
            raise unanswered(effect=False)  # to be repeated: what exists then is found
        added = _group(made)
        before = [tag for tag in group.tags if tag.name not in {one.name for one in added.tags}] if group else []
        return PlatformTagGroup(added.external_id, added.name, [*before, *added.tags], added.order)

    async def _group(self, group_id: str, group_name: str) -> PlatformTagGroup | None:
        """As it is now; None when it is new. An id that is unknown is left for the platform to refuse."""
        if group_id:
            found = await self._read({"group_id": [group_id]})
            return found[0] if found else None
        return next((group for group in await self.all() if group.name == group_name), None)

    async def _read(self, wanted: JsonObject) -> Sequence[PlatformTagGroup]:
        try:
            answer = await self._client.post("externalcontact/get_corp_tag_list", wanted)
        except Rejected as error:
            if error.code == _GONE:
                return []
            raise
        groups = [entry for entry in objects(answer, "tag_group") if text(entry, "group_id")]
        return [_group(entry) for entry in groups if entry.get("deleted") is not True]


def _group(entry: JsonObject) -> PlatformTagGroup:
    tags = [
        PlatformTag(text(tag, "id"), text(tag, "name"), integer(tag, "order") or 0)
        for tag in objects(entry, "tag")
        if text(tag, "id") and tag.get("deleted") is not True
    ]
    return PlatformTagGroup(text(entry, "group_id"), text(entry, "group_name"), tags, integer(entry, "order") or 0)


def _of_names(group: PlatformTagGroup, wanted: _Wanted) -> PlatformTagGroup:
    """Only what was asked for."""
    return PlatformTagGroup(
        group.external_id, group.name, [tag for tag in group.tags if tag.name in wanted], group.order
    )
