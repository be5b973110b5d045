"""The company's own people: setting them up, and their coming and going; mixed into the control interface."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from simulator.control import operation
from simulator.wecom.state import Corp, Department, Member


class DirectoryControl:
    """``create_...`` tells nobody, as if it had always been so; the others are acts of people, with their events."""

    @abstractmethod
    def _corp(self, corp_id: str) -> Corp: ...

    @abstractmethod
    def _now(self) -> int: ...

    @abstractmethod
    def raise_event(
        self, corp_id: str, event: str, fields: dict[str, Any] | None = None, sender: str = "sys", suite_id: str = ""
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
        serves: bool = True,
    ) -> str:
        """A member of the corp (again with the same id: changes them). ``serves``: customers may add them."""
        if not 1 <= len(userid.encode()) <= 64:
            raise ValueError("a userid has 1 to 64 bytes")
        corp = self._corp(corp_id)
        known = corp.members.get(userid.lower())
        if known is None:
            corp.members[userid.lower()] = Member(userid, name, department or [1], position, status, serves=serves)
        else:
            known.name, known.department, known.position = name, department or [1], position
            known.status, known.serves = status, serves
        return userid

    @operation
    def set_member(
        self,
        corp_id: str,
        userid: str,
        serves: bool | None = None,
        verified: bool | None = None,
        absent: bool | None = None,
        greets_by_console: bool | None = None,
        customer_limit: int | None = None,
    ) -> None:
        """Circumstances of a member that the directory does not show; see ``simulator.wecom.state.Member``."""
        member = self._member(corp_id, userid)
        given = {
            "serves": serves,
            "verified": verified,
            "absent": absent,
            "greets_by_console": greets_by_console,
            "customer_limit": customer_limit,
        }
        for name, value in given.items():
            if value is not None:
                setattr(member, name, value)

    @operation
    def member_joins(
        self, corp_id: str, userid: str, name: str, department: list[int] | None = None, position: str = ""
    ) -> str:
        """Somebody new works here (``create_user``)."""
        self.create_member(corp_id, userid, name, department, position)
        self._tell_member(corp_id, "create_user", self._member(corp_id, userid))
        return userid

    @operation
    def member_changes(
        self,
        corp_id: str,
        userid: str,
        name: str | None = None,
        department: list[int] | None = None,
        position: str | None = None,
        status: int | None = None,
    ) -> None:
        """Name, departments, position, or being disabled (status 2) and enabled again (``update_user``)."""
        member = self._member(corp_id, userid)
        member.name = member.name if name is None else name
        member.department = member.department if department is None else department
        member.position = member.position if position is None else position
        member.status = member.status if status is None else status
        self._tell_member(corp_id, "update_user", member)

    @operation
    def rename_userid(self, corp_id: str, userid: str, new_userid: str) -> str:
        """The administrator changes an id, which is possible once (``update_user`` with ``NewUserID``). Everything follows it."""
        corp, member = self._corp(corp_id), self._member(corp_id, userid)
        if new_userid.lower() != userid.lower() and new_userid.lower() in corp.members:
            raise ValueError(f"there is a {new_userid} already")
        old = member.userid
        del corp.members[old.lower()]
        member.userid = new_userid
        corp.members[new_userid.lower()] = member
        _follow_renaming(corp, old, new_userid)
        self._tell_member(corp_id, "update_user", member, old_userid=old)
        return new_userid

    @operation
    def member_leaves(self, corp_id: str, userid: str) -> list[str]:
        """Leaves the company (``delete_user``). Returns the customers who now wait for somebody else."""
        corp, member = self._corp(corp_id), self._member(corp_id, userid)
        del corp.members[member.userid.lower()]
        member.status, member.left_at = 5, self._now()
        corp.former[member.userid.lower()] = member
        fields = {"ChangeType": "delete_user", "UserID": member.userid}
        self.raise_event(corp_id, "change_contact", fields)
        return [external for external, follows in corp.follows.items() if member.userid in follows]

    @operation
    def department_changes(self, corp_id: str, id: int, name: str, parentid: int = 1, order: int = 0) -> int:
        """A new department (``create_party``), or another name or place of one (``update_party``)."""
        kind = "update_party" if id in self._corp(corp_id).departments else "create_party"
        self.create_department(corp_id, id, name, parentid, order)
        fields = {"ChangeType": kind, "Id": id, "Name": name, "ParentId": parentid, "Order": order}
        self.raise_event(corp_id, "change_contact", fields)
        return id

    @operation
    def department_goes(self, corp_id: str, id: int) -> None:
        """``delete_party``; only an empty one."""
        corp = self._corp(corp_id)
        inside = [m for m in corp.members.values() if id in m.department]
        if id not in corp.departments or inside or any(d.parentid == id for d in corp.departments.values()):
            raise ValueError("there is no such empty department")
        del corp.departments[id]
        self.raise_event(corp_id, "change_contact", {"ChangeType": "delete_party", "Id": id})

    def _member(self, corp_id: str, userid: str) -> Member:
        try:
            return self._corp(corp_id).members[userid.lower()]
        except KeyError:
            raise LookupError(f"no member {userid}") from None

    def _tell_member(self, corp_id: str, kind: str, member: Member, old_userid: str = "") -> None:
        fields: dict[str, Any] = {"ChangeType": kind, "UserID": old_userid or member.userid}
        fields |= {"NewUserID": member.userid} if old_userid else {}
        fields |= {
            "Name": member.name,
            "Department": ",".join(str(one) for one in member.department),
            "MainDepartment": member.department[0] if member.department else 1,
            "Position": member.position,
            "Status": member.status,
        }
        self.raise_event(corp_id, "change_contact", fields)


def _follow_renaming(corp: Corp, old: str, new: str) -> None:
    for follows in corp.follows.values():
        if old in follows:
            follow = follows.pop(old)
            follow.userid = new
            follow.oper_userid = new if follow.oper_userid == old else follow.oper_userid
            follows[new] = follow
    for group in corp.groups.values():
        group.owner = new if group.owner == old else group.owner
        group.admins = [new if one == old else one for one in group.admins]
        for one in group.members:
            one.userid = new if one.userid == old else one.userid
            one.invitor = new if one.invitor == old else one.invitor
    for way in corp.contact_ways.values():
        way.user = [new if one == old else one for one in way.user]
    for code in corp.welcome_codes.values():
        code.userid = new if code.userid == old else code.userid
    for transfer in corp.transfers:
        transfer.handover = new if transfer.handover == old else transfer.handover
        transfer.takeover = new if transfer.takeover == old else transfer.takeover
