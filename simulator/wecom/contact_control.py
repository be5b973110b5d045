"""Customers and the members they add; mixed into the control interface."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from simulator.control import operation
from simulator.wecom.contacts import Contacts
from simulator.wecom.settings import DAY
from simulator.wecom.state import ArchiveConsent, ContactWay, Corp, Follow, Greeting, Member


class ContactControl:
    """What customers do in WeChat and members in WeCom; each act is told to the apps, as on the platform."""

    _contacts: Contacts

    @abstractmethod
    def _corp(self, corp_id: str) -> Corp: ...

    @abstractmethod
    def _now(self) -> int: ...

    @abstractmethod
    def _member(self, corp_id: str, userid: str) -> Member: ...

    @operation
    def create_follow(
        self,
        corp_id: str,
        userid: str,
        external_userid: str,
        remark: str = "",
        tag_ids: list[str] | None = None,
        state: str = "",
        add_way: int = 1,
        remark_mobiles: list[str] | None = None,
        description: str = "",
        days_ago: float = 0,
    ) -> None:
        """A member follows a customer, as if it had always been so (or for ``days_ago``): no event."""
        member = self._known(corp_id, userid, external_userid)
        follow = self._contacts.set_up(
            self._corp(corp_id),
            member,
            external_userid,
            self._now(),
            remark=remark,
            description=description,
            tag_ids=list(tag_ids or []),
            remark_mobiles=list(remark_mobiles or []),
            add_way=add_way,
            state=state,
        )
        follow.createtime -= int(days_ago * DAY)

    @operation
    def add_contact(
        self,
        corp_id: str,
        userid: str,
        external_userid: str,
        state: str = "",
        half: bool = False,
        way: int = 1,
        by_member: bool = False,
        needs_consent: bool = False,
    ) -> str:
        """They become contacts; ``half``: the customer added somebody who has not added back. ``way`` is ``add_way``,
        ``needs_consent``: the customer must first agree to the archive. Returns the welcome code, empty when there is none."""
        member = self._known(corp_id, userid, external_userid)
        corp, now = self._corp(corp_id), self._now()
        if half:
            return self._contacts.half_add(corp, member, external_userid, now, state=state)
        by = member.userid if by_member else ""
        return self._contacts.add(
            corp, member, external_userid, now, way=way, state=state, by=by, needs_consent=needs_consent
        )

    @operation
    def customer_scans(self, corp_id: str, config_id: str, external_userid: str) -> str:
        """A customer scans a code of ours and adds the member whose turn it is, who is returned. Raises ``ValueError`` for a
        code that leads nowhere: deleted, expired, or without anybody who serves."""
        corp, now = self._corp(corp_id), self._now()
        way = corp.contact_ways.get(config_id)
        if way is None or (way.is_temp and now >= way.create_time + way.expires_in):
            raise ValueError("the code leads nowhere: it was deleted or has expired")
        member = _next_member(corp, way)
        if member is None:
            raise ValueError("the code leads nowhere: nobody of it has customer contact")
        self._known(corp_id, member.userid, external_userid)
        if way.skip_verify:
            self._contacts.add(corp, member, external_userid, now, state=way.state)
        else:
            self._contacts.half_add(corp, member, external_userid, now, state=way.state)
        return member.userid

    @operation
    def delete_contact(self, corp_id: str, userid: str, external_userid: str, by_customer: bool = False) -> None:
        """Ends a relation with its event. When the customer ends it, a one-sided relation remains (chapter 3.5, 84061)."""
        follow = self._follow(corp_id, userid, external_userid)
        if by_customer:
            self._contacts.delete_by_customer(self._corp(corp_id), follow, self._now())
        else:
            self._contacts.delete_by_member(self._corp(corp_id), follow, self._now())

    @operation
    def member_edits(
        self,
        corp_id: str,
        userid: str,
        external_userid: str,
        remark: str | None = None,
        description: str | None = None,
        company: str | None = None,
        phones: list[str] | None = None,
        add_tags: list[str] | None = None,
        remove_tags: list[str] | None = None,
        own_tags: list[str] | None = None,
    ) -> None:
        """A member changes what they wrote about a customer (``edit_external_contact``). ``own_tags``: personal ones."""
        follow = self._follow(corp_id, userid, external_userid)
        changes: dict[str, Any] = {
            "remark": remark,
            "description": description,
            "remark_corp_name": company,
            "remark_mobiles": None if phones is None else list(phones),
            "own_tags": own_tags,
        }
        if add_tags or remove_tags:
            wanted = dict.fromkeys([*follow.tag_ids, *(add_tags or [])])
            changes["tag_ids"] = [tag for tag in wanted if tag not in (remove_tags or [])]
        given = {name: value for name, value in changes.items() if value is not None}
        self._contacts.edit(self._corp(corp_id), follow, self._now(), **given)

    @operation
    def chat_begins(self, corp_id: str, userid: str, external_userid: str) -> None:
        """They talk: a welcome that has not been sent is refused with 41051. No event tells of it."""
        self._follow(corp_id, userid, external_userid).chatting = True

    @operation
    def rival_greets(self, corp_id: str, welcome_code: str, seconds: int = 3) -> None:
        """Another app takes the welcome code: ours is told 41096 while it sends, and 41051 afterwards."""
        self._corp(corp_id).welcome_codes[welcome_code].rival_until = self._now() + seconds

    @operation
    def approve_archive(self, corp_id: str, userid: str, external_userid: str) -> str:
        """The customer agrees to the archive (``msg_audit_approved``), which brings a welcome code of its own."""
        follow = self._follow(corp_id, userid, external_userid)
        corp, now = self._corp(corp_id), self._now()
        corp.archive_consents[f"{follow.userid.lower()}/{external_userid}"] = ArchiveConsent("Agree", now)
        for code in corp.welcome_codes.values():
            if (code.userid, code.external_userid) == (follow.userid, external_userid):
                code.used = True
        fresh = self._contacts.welcome_code(corp, self._member(corp_id, userid), external_userid, now)
        self._contacts.changed(corp, "msg_audit_approved", follow.userid, external_userid, now, WelcomeCode=fresh)
        return fresh

    @operation
    def greetings(self, corp_id: str, userid: str = "", external_userid: str = "") -> list[Greeting]:
        """The welcomes that customers have got, oldest first; of one member or one customer when named."""
        return [
            one
            for one in self._corp(corp_id).greetings
            if (not userid or one.userid.lower() == userid.lower())
            and (not external_userid or one.external_userid == external_userid)
        ]

    def _known(self, corp_id: str, userid: str, external_userid: str) -> Member:
        corp = self._corp(corp_id)
        if userid.lower() not in corp.members or external_userid not in corp.customers:
            raise LookupError("both the member and the customer must exist")
        return corp.members[userid.lower()]

    def _follow(self, corp_id: str, userid: str, external_userid: str) -> Follow:
        member = self._known(corp_id, userid, external_userid)
        try:
            return self._corp(corp_id).follows[external_userid][member.userid]
        except KeyError:
            raise LookupError(f"{userid} does not have {external_userid}") from None


def _next_member(corp: Corp, way: ContactWay) -> Member | None:
    """Members of a code take turns."""
    named = {userid.lower() for userid in way.user}
    able = [
        member
        for key, member in corp.members.items()
        if member.serves and member.status == 1 and (key in named or set(way.party) & set(member.department))
    ]
    if not able:
        return None
    way.turn += 1
    return able[(way.turn - 1) % len(able)]
