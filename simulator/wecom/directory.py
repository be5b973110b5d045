"""The directory (chapter 18.1), as far as a self-built app reads it: no mobile, no mail, no avatar."""

from __future__ import annotations

from simulator.wecom.api import Answer, Call, Endpoint, Endpoints
from simulator.wecom.errors import Refused
from simulator.wecom.state import Corp, Department, JsonObject, Member


class DirectoryApi:
    @property
    def endpoints(self) -> Endpoints:
        return {
            "department/get": Endpoint("GET", self.department),
            "department/list": Endpoint("GET", self.departments),
            "department/simplelist": Endpoint("GET", self.department_ids),
            "user/simplelist": Endpoint("GET", self.members_of),
            "user/list": Endpoint("GET", self.member_details_of),
            "user/list_id": Endpoint("POST", self.member_ids),
            "user/get": Endpoint("GET", self.member),
        }

    def department(self, call: Call) -> Answer:
        return {"department": _department_view(call.corp.departments[_department_id(call)])}

    def departments(self, call: Call) -> Answer:
        chosen = (
            _below(call.corp, _department_id(call)) if call.query.get("id") else list(call.corp.departments.values())
        )
        return {"department": [_department_view(entry) for entry in chosen]}

    def department_ids(self, call: Call) -> Answer:
        chosen = (
            _below(call.corp, _department_id(call)) if call.query.get("id") else list(call.corp.departments.values())
        )
        return {"department_id": [{"id": d.id, "parentid": d.parentid, "order": d.order} for d in chosen]}

    def members_of(self, call: Call) -> Answer:
        members = _members(call, _department_id(call, "department_id"))
        return {"userlist": [{"userid": m.userid, "name": m.name, "department": m.department} for m in members]}

    def member_details_of(self, call: Call) -> Answer:
        return {"userlist": [_member_view(m) for m in _members(call, _department_id(call, "department_id"))]}

    def member_ids(self, call: Call) -> Answer:
        """One row per member and department."""
        limit = call.number("limit", default=10_000, low=1, high=10_000)
        cursor = call.optional("cursor")
        if cursor and not cursor.isdecimal():
            raise Refused(50100)
        start = int(cursor or 0)
        rows = [{"userid": m.userid, "department": d} for m in call.corp.members.values() for d in m.department]
        following = str(start + limit) if start + limit < len(rows) else ""
        return {"dept_user": rows[start : start + limit], "next_cursor": following}

    def member(self, call: Call) -> Answer:
        member = call.corp.members.get(call.parameter("userid").lower())
        if member is None:
            raise Refused(60111)
        return _member_view(member)


def _department_id(call: Call, name: str = "id") -> int:
    text = call.parameter(name)
    if not text.isascii() or not text.isdecimal() or int(text) not in call.corp.departments:
        raise Refused(60011, "department not found")
    return int(text)


def _below(corp: Corp, root: int) -> list[Department]:
    """The department and all under it."""
    chosen, inside = [corp.departments[root]], {root}
    while more := [d for d in corp.departments.values() if d.parentid in inside and d.id not in inside]:
        chosen += more
        inside |= {d.id for d in more}
    return chosen


def _members(call: Call, department_id: int) -> list[Member]:
    inside = {department_id}
    if call.query.get("fetch_child") == "1":
        inside = {d.id for d in _below(call.corp, department_id)}
    return [member for member in call.corp.members.values() if inside & set(member.department)]


def _department_view(department: Department) -> JsonObject:
    return {
        "id": department.id,
        "name": department.name,
        "name_en": department.name_en,
        "parentid": department.parentid,
        "order": department.order,
    }


def _member_view(member: Member) -> JsonObject:
    return {
        "userid": member.userid,
        "name": member.name,
        "department": member.department,
        "order": [0] * len(member.department),
        "position": member.position,
        "is_leader_in_dept": [0] * len(member.department),
        "alias": member.alias,
        "main_department": member.department[0] if member.department else 1,
        "status": member.status,
        "external_position": member.external_position,
    }
