"""People change the tag library in the admin console or the client; mixed into the control interface."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from simulator.control import operation
from simulator.wecom.contacts import Contacts
from simulator.wecom.errors import Refused
from simulator.wecom.state import Corp, Tag, TagGroup, new_id
from simulator.wecom.tag_library import find, remove


class TagControl:
    """``create_tag_group`` tells nobody; the others are told (``change_external_tag``)."""

    _contacts: Contacts

    @abstractmethod
    def _corp(self, corp_id: str) -> Corp: ...

    @abstractmethod
    def _now(self) -> int: ...

    @operation
    def create_tag_group(self, corp_id: str, name: str, tags: list[str], group_id: str = "") -> dict[str, str]:
        """A group of corp tags that people made. Returns the tag ids by name."""
        group = TagGroup(group_id or new_id("et"), name, self._now())
        group.tags = [Tag(new_id("et"), tag, self._now(), len(tags) - place) for place, tag in enumerate(tags)]
        self._corp(corp_id).tag_groups[group.group_id] = group
        return {tag.name: tag.id for tag in group.tags}

    @operation
    def people_add_tag(self, corp_id: str, group_name: str, name: str, order: int = 0) -> str:
        """A tag, in a new group when there is none of that name. Returns the tag's id."""
        corp, now = self._corp(corp_id), self._now()
        group = next((g for g in corp.tag_groups.values() if g.group_name == group_name), None)
        if group is None:
            group = TagGroup(new_id("et"), group_name, now)
            corp.tag_groups[group.group_id] = group
            self._tell(corp_id, group.group_id, "tag_group", "create")
        if any(tag.name == name for tag in group.tags):
            raise ValueError("the group has a tag of this name")
        tag = Tag(new_id("et"), name, now, order)
        group.tags.append(tag)
        self._tell(corp_id, tag.id, "tag", "create")
        return tag.id

    @operation
    def people_change_tag(self, corp_id: str, id: str, name: str | None = None, order: int | None = None) -> None:
        """A tag or a group gets another name or place."""
        group, tag = self._find(corp_id, id)
        if tag is not None:
            tag.name, tag.order = tag.name if name is None else name, tag.order if order is None else order
        else:
            group.group_name = group.group_name if name is None else name
            group.order = group.order if order is None else order
        self._tell(corp_id, id, "tag" if tag is not None else "tag_group", "update")

    @operation
    def people_delete_tag(self, corp_id: str, id: str) -> None:
        """A tag or a group. Of a group's tags nobody is told."""
        group, tag = self._find(corp_id, id)
        remove(self._corp(corp_id), group, tag)
        self._tell(corp_id, id, "tag" if tag is not None else "tag_group", "delete")

    @operation
    def people_shuffle_tags(self, corp_id: str, group_id: str = "", orders: Mapping[str, int] | None = None) -> None:
        """Another order: of the tags of a group, or (empty) of the groups. ``orders`` by id, larger first."""
        corp = self._corp(corp_id)
        within: list[Any] = list(corp.tag_groups[group_id].tags if group_id else corp.tag_groups.values())
        for one in within:
            one.order = (orders or {}).get(one.id if isinstance(one, Tag) else one.group_id, one.order)
        self._contacts.tell(corp, "change_external_tag", {"Id": group_id, "ChangeType": "shuffle"}, self._now())

    def _find(self, corp_id: str, id: str) -> tuple[TagGroup, Tag | None]:
        try:
            return find(self._corp(corp_id), id)
        except Refused:
            raise LookupError(f"no tag or group {id}") from None

    def _tell(self, corp_id: str, id: str, kind: str, change: str) -> None:
        fields = {"Id": id, "TagType": kind, "ChangeType": change}
        self._contacts.tell(self._corp(corp_id), "change_external_tag", fields, self._now())
