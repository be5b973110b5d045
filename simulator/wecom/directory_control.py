"""Setting up members, follow relations, tags and groups; mixed into the control interface."""

from __future__ import annotations

from abc import abstractmethod

from simulator.control import operation
from simulator.wecom.state import (
    Corp,
    Department,
    Follow,
    GroupChat,
    GroupMember,
    Member,
    Tag,
    TagGroup,
    new_id,
)


class DirectoryControl:
    """No operation here pushes a callback; ``raise_event`` and ``add_contact`` do."""

    @abstractmethod
    def _corp(self, corp_id: str) -> Corp: ...

    @abstractmethod
    def _now(self) -> int: ...

    @abstractmethod
    def raise_event(
        self, corp_id: str, event: str, fields: dict[str, object] | None = None, sender: str = "sys", suite_id: str = ""
    ) -> int: ...

    @operation
    def create_department(self, corp_id: str, id: int, name: str, parentid: int = 1, order: int = 0) -> int:
        """A department; number 1 is the corp itself."""
        self._corp(corp_id).departments[id] = Department(id, name, parentid, order)
        return id

    @operation
    def create_member(
        self,
        corp_id: str,
        userid: str,
        name: str,
        department: list[int] | None = None,
        position: str = "",
        status: int = 1,
    ) -> str:
        """A member of the corp (again with the same id: changes them)."""
        if not 1 <= len(userid.encode()) <= 64:
            raise ValueError("a userid has 1 to 64 bytes")
        self._corp(corp_id).members[userid.lower()] = Member(userid, name, department or [1], position, status)
        return userid

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
    ) -> None:
        """A member follows a customer."""
        corp = self._corp(corp_id)
        if userid.lower() not in corp.members or external_userid not in corp.customers:
            raise LookupError("both the member and the customer must exist")
        corp.follows.setdefault(external_userid, {})[userid] = Follow(
            userid,
            external_userid,
            self._now(),
            remark,
            description,
            list(tag_ids or []),
            list(remark_mobiles or []),
            add_way=add_way,
            state=state,
            oper_userid=external_userid,
        )

    @operation
    def add_contact(self, corp_id: str, userid: str, external_userid: str, state: str = "", half: bool = False) -> str:
        """A customer adds a member: the relation, and ``add_external_contact`` with a welcome code, which is returned."""
        code = new_id("", 32)
        if not half:
            self.create_follow(corp_id, userid, external_userid, state=state)
        kind = "add_half_external_contact" if half else "add_external_contact"
        fields: dict[str, object] = {"ChangeType": kind, "UserID": userid, "ExternalUserID": external_userid}
        fields |= {"State": state} if state else {}
        self.raise_event(corp_id, "change_external_contact", {**fields, "WelcomeCode": code})
        return code

    @operation
    def delete_contact(self, corp_id: str, userid: str, external_userid: str, by_customer: bool = False) -> None:
        """Ends a relation with its event. When the customer ends it, a one-sided relation remains (chapter 3.5, 84061)."""
        if not by_customer:
            self._corp(corp_id).follows.get(external_userid, {}).pop(userid, None)
        kind = "del_follow_user" if by_customer else "del_external_contact"
        fields: dict[str, object] = {"ChangeType": kind, "UserID": userid, "ExternalUserID": external_userid}
        self.raise_event(corp_id, "change_external_contact", fields)

    @operation
    def create_tag_group(self, corp_id: str, name: str, tags: list[str], group_id: str = "") -> dict[str, str]:
        """A group of corp tags. Returns the tag ids by name."""
        group = TagGroup(group_id or new_id("et"), name, self._now())
        group.tags = [Tag(new_id("et"), tag, self._now(), order) for order, tag in enumerate(tags)]
        self._corp(corp_id).tag_groups[group.group_id] = group
        return {tag.name: tag.id for tag in group.tags}

    @operation
    def create_group(
        self, corp_id: str, name: str, owner: str, members: list[str], chat_id: str = "", notice: str = ""
    ) -> str:
        """A customer group; ``members`` are userids and external_userids. Returns the chat_id."""
        corp = self._corp(corp_id)
        group = GroupChat(chat_id or new_id("wr"), name, owner, self._now(), notice)
        for member in dict.fromkeys([owner, *members]):
            customer, colleague = corp.customers.get(member), corp.members.get(member.lower())
            shown = customer.nickname if customer else colleague.name if colleague else member
            unionid = customer.unionid if customer else ""
            group.members.append(GroupMember(member, 2 if customer else 1, self._now(), name=shown, unionid=unionid))
        corp.groups[group.chat_id] = group
        return group.chat_id
