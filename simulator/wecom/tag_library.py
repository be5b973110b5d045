"""Corp tags (chapter 5): the library, and marking customers with it. Changes through the API are told to nobody."""

from __future__ import annotations

from simulator.wecom.api import Answer, Call, Endpoint, Endpoints
from simulator.wecom.contacts import relation
from simulator.wecom.errors import Refused
from simulator.wecom.settings import Settings
from simulator.wecom.state import Corp, JsonObject, Tag, TagGroup, new_id

NAME = 30
_LARGEST_ORDER = 2**32 - 1


class TagApi:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @property
    def endpoints(self) -> Endpoints:
        prefix = "externalcontact/"
        return {
            prefix + "get_corp_tag_list": Endpoint("POST", self.tags, "contacts"),
            prefix + "add_corp_tag": Endpoint("POST", self.add, "contacts"),
            prefix + "edit_corp_tag": Endpoint("POST", self.edit, "contacts"),
            prefix + "del_corp_tag": Endpoint("POST", self.delete, "contacts"),
            prefix + "mark_tag": Endpoint("POST", self.mark, "contacts"),
        }

    def tags(self, call: Call) -> Answer:
        """All groups, or those named, or those of the named tags; with group ids the tag ids are ignored when both come."""
        tag_ids = set(call.strings("tag_id", limit=10_000, required=False))
        group_ids = set(call.strings("group_id", limit=10_000, required=False))
        groups = list(call.corp.tag_groups.values())
        if group_ids:
            return {"tag_group": [_group_view(group) for group in groups if group.group_id in group_ids]}
        if tag_ids:
            hit = [group for group in groups if any(tag.id in tag_ids for tag in group.tags)]
            return {"tag_group": [_group_view(group, tag_ids) for group in hit]}
        return {"tag_group": [_group_view(group) for group in groups]}

    def add(self, call: Call) -> Answer:
        """Into the group of this id, or of this name, made when it is new. Equal names in one call make one tag; a name that
        the group has already is refused."""
        wanted = _wanted(call)
        group = self._group(call)
        taken = {tag.name for tag in group.tags}
        if taken & set(wanted):
            raise Refused(40071, "tag name exists in the group")
        if sum(len(g.tags) for g in call.corp.tag_groups.values()) + len(wanted) > self._settings.corp_tags:
            raise Refused(40126)
        made = [Tag(new_id("et"), name, call.now, order, call.app.agent_id) for name, order in wanted.items()]
        group.tags += made
        call.corp.tag_groups[group.group_id] = group
        return {"tag_group": _group_view(group, {tag.id for tag in made})}

    def edit(self, call: Call) -> Answer:
        """A tag or a group that this app made (else 60011)."""
        corp, wanted = call.corp, call.string("id")
        group, tag = find(corp, wanted)
        if (tag or group).agent_id != call.app.agent_id:
            raise Refused(60011, "the tag was not made by this app")
        name = call.optional("name")
        if name:
            _check_name(name)
            others = (
                [t for t in group.tags if t is not tag]
                if tag
                else [g for g in corp.tag_groups.values() if g is not group]
            )
            if name in {one.name if isinstance(one, Tag) else one.group_name for one in others}:
                raise Refused(40071)
        order = call.number("order", default=-1, low=-1, high=_LARGEST_ORDER)
        if tag is not None:
            tag.name, tag.order = name or tag.name, order if order >= 0 else tag.order
        else:
            group.group_name, group.order = name or group.group_name, order if order >= 0 else group.order
        return {}

    def delete(self, call: Call) -> Answer:
        """Refused as a whole when one is unknown (40068) or of others (60011)."""
        tag_ids = call.strings("tag_id", limit=10_000, required=False)
        group_ids = call.strings("group_id", limit=10_000, required=False)
        if not tag_ids and not group_ids:
            raise Refused(40063, "tag_id and group_id are empty")
        found = [find(call.corp, one) for one in (*tag_ids, *group_ids)]
        if any((tag or group).agent_id != call.app.agent_id for group, tag in found):
            raise Refused(60011, "a tag was not made by this app")
        for group, tag in found:
            remove(call.corp, group, tag)
        return {}

    def mark(self, call: Call) -> Answer:
        """Belongs to the relation, not to the customer. What is so already is fine."""
        follow = relation(call.corp, call.string("userid"), call.string("external_userid", missing=41035))
        add = call.strings("add_tag", limit=10_000, required=False)
        remove_ids = call.strings("remove_tag", limit=10_000, required=False)
        if not add and not remove_ids:
            raise Refused(40063, "add_tag and remove_tag are empty")
        known = {tag.id for group in call.corp.tag_groups.values() for tag in group.tags}
        if not {*add, *remove_ids} <= known:
            raise Refused(40068)
        after = [tag for tag in dict.fromkeys([*follow.tag_ids, *add]) if tag not in remove_ids]
        if len(after) > self._settings.tags_per_customer:
            raise Refused(40144)
        follow.tag_ids = after
        return {}

    def _group(self, call: Call) -> TagGroup:
        """Not yet in the library when it is new: a group without tags does not exist."""
        group_id = call.optional("group_id")
        if group_id:
            if group_id not in call.corp.tag_groups:
                raise Refused(40068)
            return call.corp.tag_groups[group_id]
        name = call.string("group_name")
        _check_name(name)
        for group in call.corp.tag_groups.values():
            if group.group_name == name:
                return group
        order = call.number("order", default=0, high=_LARGEST_ORDER)
        return TagGroup(new_id("et"), name, call.now, order, agent_id=call.app.agent_id)


def find(corp: Corp, wanted: str) -> tuple[TagGroup, Tag | None]:
    """A tag with its group, or a group. Refused with 40068."""
    for group in corp.tag_groups.values():
        if group.group_id == wanted:
            return group, None
        for tag in group.tags:
            if tag.id == wanted:
                return group, tag
    raise Refused(40068)


def remove(corp: Corp, group: TagGroup, tag: Tag | None) -> None:
    """From the library and from every customer; a group goes with its last tag."""
    gone = {tag.id} if tag is not None else {one.id for one in group.tags}
    group.tags = [one for one in group.tags if one.id not in gone]
    if not group.tags:
        corp.tag_groups.pop(group.group_id, None)
    for follows in corp.follows.values():
        for follow in follows.values():
            if gone & set(follow.tag_ids):
                follow.tag_ids = [one for one in follow.tag_ids if one not in gone]


def _wanted(call: Call) -> dict[str, int]:
    entries = call.body.get("tag")
    if not isinstance(entries, list) or not entries:
        raise Refused(40063, "tag is empty")
    wanted: dict[str, int] = {}
    for entry in entries:
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str) or not entry["name"]:
            raise Refused(40058, "tag.name")
        _check_name(entry["name"])
        order = entry.get("order", 0)
        if not isinstance(order, int) or isinstance(order, bool) or not 0 <= order <= _LARGEST_ORDER:
            raise Refused(40058, "tag.order")
        wanted.setdefault(entry["name"], order)
    return wanted


def _check_name(name: str) -> None:
    if len(name) > NAME:
        raise Refused(40058, f"a name is longer than {NAME} characters")


def _group_view(group: TagGroup, only: set[str] | None = None) -> JsonObject:
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
