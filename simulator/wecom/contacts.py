"""Relations between members and customers (chapters 4 and 11.1): what people do, and what the apps are told of it.

Callbacks tell what people did. What an app did through the API is told to nobody (chapter 5, chapter 22).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from simulator.wecom.callbacks import Callbacks
from simulator.wecom.errors import Refused
from simulator.wecom.settings import Settings
from simulator.wecom.state import Corp, EndedFollow, Follow, Half, Member, WelcomeCode, new_id

SCANNED, ASSIGNED = 1, 202
"""Ways to meet (``add_way``)."""


def member_of(corp: Corp, userid: str, *, unknown: int = 60111) -> Member:
    """A member who is still there, however their id is written."""
    member = corp.members.get(userid.lower())
    if member is None:
        raise Refused(unknown, f"userid {userid}")
    return member


def serving_member(corp: Corp, userid: str) -> Member:
    """One who has customer contact."""
    member = member_of(corp, userid)
    if not member.serves:
        raise Refused(84074, f"userid {member.userid}")
    return member


def relation(corp: Corp, userid: str, external_userid: str) -> Follow:
    """Refused with 40096 for a stranger, with 84061 without a relation."""
    member = serving_member(corp, userid)
    if external_userid not in corp.customers:
        raise Refused(40096)
    follow = corp.follows.get(external_userid, {}).get(member.userid)
    if follow is None:
        raise Refused(84061)
    return follow


def follows_of(corp: Corp, userid: str) -> list[Follow]:
    """The list of a member, as it was made."""
    return [follows[userid] for follows in corp.follows.values() if userid in follows]


class Contacts:
    def __init__(self, settings: Settings, callbacks: Callbacks) -> None:
        self._settings = settings
        self._callbacks = callbacks

    def tell(self, corp: Corp, event: str, fields: Mapping[str, Any], now: int) -> None:
        """To every app that may hear of customer contact."""
        head = {
            "ToUserName": corp.corp_id,
            "FromUserName": "sys",
            "CreateTime": now,
            "MsgType": "event",
            "Event": event,
        }
        self._callbacks.send(corp, {**head, **fields}, heard_by=lambda app: app.contacts_allowed)

    def changed(self, corp: Corp, kind: str, userid: str, external_userid: str, now: int, **more: object) -> None:
        """``change_external_contact``. A field of an empty text is left out, as the platform does."""
        fields = {"ChangeType": kind, "UserID": userid, "ExternalUserID": external_userid}
        self.tell(
            corp, "change_external_contact", {**fields, **{k: v for k, v in more.items() if v not in ("", None)}}, now
        )

    def set_up(self, corp: Corp, member: Member, external_userid: str, now: int, **what: Any) -> Follow:
        """A relation as if it had always been there: nobody is told."""
        known = {"oper_userid": external_userid, "add_way": SCANNED, **what}
        follow = Follow(member.userid, external_userid, now, **known)
        corp.follows.setdefault(external_userid, {})[member.userid] = follow
        return follow

    def add(
        self,
        corp: Corp,
        member: Member,
        external_userid: str,
        now: int,
        *,
        way: int = SCANNED,
        state: str = "",
        by: str = "",
        needs_consent: bool = False,
    ) -> str:
        """They become contacts. ``by``: who asked for it, else the customer. Returns the welcome code, empty when there is none:
        friends already, a welcome of the console, a half-add that was greeted, a person of another company (chapter 6.3)."""
        before = corp.follows.get(external_userid, {}).get(member.userid)
        if before is not None and not before.one_sided:
            return ""
        chatting = before is not None and before.chatting
        half = self._take_half(corp, member.userid, external_userid)
        kept = {} if before is None else _written(before)
        self.set_up(
            corp,
            member,
            external_userid,
            now,
            add_way=way,
            state=state or (half.state if half else ""),
            oper_userid=by or external_userid,
            chatting=chatting,
            **kept,
        )
        code = ""
        if not chatting and not (half is not None and half.greeted):
            code = self.welcome_code(corp, member, external_userid, now, needs_consent=needs_consent)
        self.changed(
            corp,
            "add_external_contact",
            member.userid,
            external_userid,
            now,
            State=state or (half.state if half else ""),
            WelcomeCode=code,
        )
        return code

    def half_add(self, corp: Corp, member: Member, external_userid: str, now: int, *, state: str = "") -> str:
        """A customer adds somebody who needs no verification and has not added back."""
        self._take_half(corp, member.userid, external_userid)
        corp.halves.append(Half(member.userid, external_userid, now, state))
        code = self.welcome_code(corp, member, external_userid, now, half=True)
        self.changed(
            corp, "add_half_external_contact", member.userid, external_userid, now, State=state, WelcomeCode=code
        )
        return code

    def welcome_code(self, corp: Corp, member: Member, external_userid: str, now: int, **what: Any) -> str:
        if member.greets_by_console or corp.customers[external_userid].type == 2:
            return ""
        code = new_id("", 32)
        for old in [c for c in corp.welcome_codes.values() if c.at < now - 86_400]:
            del corp.welcome_codes[old.code]
        corp.welcome_codes[code] = WelcomeCode(code, member.userid, external_userid, now, **what)
        return code

    def edit(self, corp: Corp, follow: Follow, now: int, **what: Any) -> None:
        """The member writes in the client."""
        for name, value in what.items():
            setattr(follow, name, value)
        self.changed(corp, "edit_external_contact", follow.userid, follow.external_userid, now)

    def delete_by_member(self, corp: Corp, follow: Follow, now: int) -> None:
        self.end(corp, follow, now, "deleted")
        self.changed(corp, "del_external_contact", follow.userid, follow.external_userid, now)

    def delete_by_customer(self, corp: Corp, follow: Follow, now: int) -> None:
        """A one-sided relation remains (chapter 3.5, 84061)."""
        follow.one_sided = True
        self.changed(corp, "del_follow_user", follow.userid, follow.external_userid, now)

    def end(self, corp: Corp, follow: Follow, now: int, how: str, to_userid: str = "") -> None:
        follows = corp.follows.get(follow.external_userid, {})
        follows.pop(follow.userid, None)
        if not follows:
            corp.follows.pop(follow.external_userid, None)
        corp.ended.append(EndedFollow(follow.userid, follow.external_userid, now, how, to_userid))

    def _take_half(self, corp: Corp, userid: str, external_userid: str) -> Half | None:
        found = [h for h in corp.halves if (h.userid, h.external_userid) == (userid, external_userid)]
        corp.halves = [h for h in corp.halves if h not in found]
        return found[-1] if found else None


def _written(follow: Follow) -> dict[str, Any]:
    """What the member wrote stays on their side when the customer left and came back."""
    names: Sequence[str] = (
        "remark",
        "description",
        "tag_ids",
        "remark_mobiles",
        "remark_corp_name",
        "own_tags",
        "remark_pic_mediaid",
    )
    return {name: getattr(follow, name) for name in names}
