"""What a moment says and for whom it is (chapter 13): the rules of ``add_moment_task``."""

from __future__ import annotations

from dataclasses import dataclass, field

from simulator.wecom.api import Call
from simulator.wecom.errors import Refused
from simulator.wecom.media import MediaApi
from simulator.wecom.state import Corp, JsonObject

_SIGNS, _BYTES, _PICTURES, _TITLE, _MEMBERS = 2_000, 4_000, 9, 64, 100_000
_NOBODY, _NO_TAG = 81013, 40068
"""[?] How a job ends whose members, or tags, are all unknown is not published."""


@dataclass(frozen=True)
class Asked:
    """``users`` and ``tags`` None: not named."""

    text: str
    attachments: list[JsonObject]
    users: list[str] | None
    departments: list[int]
    tags: list[str] | None


@dataclass
class Plan:
    members: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    lost_users: list[str] = field(default_factory=list)
    lost_departments: list[int] = field(default_factory=list)
    lost_tags: list[str] = field(default_factory=list)
    errcode: int = 0


def asked(call: Call, media: MediaApi) -> Asked:
    text = _object(call.body, "text").get("content", "")
    attachments = call.body.get("attachments") or []
    if not isinstance(text, str) or not isinstance(attachments, list):
        raise Refused(40058)
    if len(text) > _SIGNS or len(text.encode()) > _BYTES:
        raise Refused(40058, "invalid text size")
    if not text and not attachments:
        raise Refused(41089)
    _check_attachments(call, attachments, media)
    visible = _object(call.body, "visible_range")
    senders, customers = _object(visible, "sender_list"), _object(visible, "external_contact_list")
    departments = senders.get("department_list") or []
    if not isinstance(departments, list) or not all(isinstance(one, int) for one in departments):
        raise Refused(40058, "department_list")
    users = _strings(senders, "user_list") if senders else None
    if users is not None and len(users) > _MEMBERS:
        raise Refused(40058, "user_list")
    return Asked(text, attachments, users, departments, _strings(customers, "tag_list") if customers else None)


def _check_attachments(call: Call, attachments: list[JsonObject], media: MediaApi) -> None:
    kinds = [one.get("msgtype") if isinstance(one, dict) else None for one in attachments]
    if len(set(kinds)) > 1 or not set(kinds) <= {"image", "video", "link"}:
        raise Refused(41065)
    if len(kinds) > (_PICTURES if "image" in kinds else 1):
        raise Refused(41064)
    for kind, one in zip(kinds, attachments, strict=True):
        body = one.get(str(kind))
        if not isinstance(body, dict):
            raise Refused(41065)
        if kind == "link":
            _check_link(body)
        media_id = body.get("media_id")
        if not isinstance(media_id, str) or not media_id:
            raise Refused(41006)
        if not media.find(call.corp, media_id, call.now, "video" if kind == "video" else "image").for_moments:
            raise Refused(41072)


def _check_link(body: JsonObject) -> None:
    title, url = body.get("title"), body.get("url")
    if not isinstance(title, str) or not title or not isinstance(url, str) or not url:
        raise Refused(40063, "title and url")
    if len(title) > _TITLE:
        raise Refused(40058, "title is too long")


def making(corp: Corp, wanted: Asked) -> Plan:
    """Who is asked to publish it, and what of the request is not known. Unknown people and tags are passed over."""
    plan = Plan()
    known_tags = {tag.id for group in corp.tag_groups.values() for tag in group.tags}
    plan.tags = [one for one in wanted.tags or [] if one in known_tags]
    plan.lost_tags = [one for one in wanted.tags or [] if one not in known_tags]
    able = {key: member for key, member in corp.members.items() if member.serves and member.status == 1}
    if wanted.users is not None:
        plan.lost_users = [one for one in wanted.users if one.lower() not in able]
        plan.lost_departments = [one for one in wanted.departments if one not in corp.departments]
        named = {one.lower() for one in wanted.users}
        chosen = [key for key, one in able.items() if key in named or set(one.department) & set(wanted.departments)]
    elif plan.tags:
        chosen = [key for key in able if key in _followers(corp, set(plan.tags))]
    else:
        chosen = list(able)
    plan.members = [able[key].userid for key in chosen]
    plan.errcode = _NOBODY if not plan.members else _NO_TAG if plan.lost_tags and not plan.tags else 0
    return plan


def _followers(corp: Corp, tags: set[str]) -> set[str]:
    follows = [one for of_customer in corp.follows.values() for one in of_customer.values()]
    return {one.userid.lower() for one in follows if set(one.tag_ids) & tags}


def _object(body: JsonObject, name: str) -> JsonObject:
    value = body.get(name) or {}
    if not isinstance(value, dict):
        raise Refused(40058, f"{name} must be an object")
    return value


def _strings(body: JsonObject, name: str) -> list[str]:
    value = body.get(name) or []
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise Refused(40058, f"{name} must be a list of strings")
    return value
