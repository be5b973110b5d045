"""The company's own people: departments and members (wecom.md section 18.1; platform pages 90208, 90200, 90196)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from adapters.wecom.client import WeComClient
from adapters.wecom.ids import member
from adapters.wecom.relations import serving
from adapters.wecom.values import integer, objects, text
from scrm.channel import JsonObject
from scrm.channel_contacts import Department, Member
from scrm.errors import Rejected

_NOT_VISIBLE = frozenset({"wecom.60011", "wecom.60111", "wecom.50002", "wecom.60021", "wecom.60030", "wecom.40003"})
_NO_CUSTOMER_CONTACT = frozenset({"wecom.48001", "wecom.48002", "wecom.84074"})
_STATUS: Mapping[int, Literal["active", "disabled", "inactive", "left"]] = {
    1: "active",
    2: "disabled",
    4: "inactive",
    5: "left",
}


class Directory:
    def __init__(self, client: WeComClient) -> None:
        self._client = client

    async def departments(self) -> Sequence[Department]:
        """``department/list``, platform page 90208: those that the app may see."""
        answer = await self._client.get("department/list", {})
        return [_department(entry) for entry in objects(answer, "department") if text(entry, "id")]

    async def members(self) -> Sequence[Member]:
        """Department by department, as ``user/list`` reads (platform page 90200); ``user/list_id`` is closed to apps. Somebody
        who serves customers and whom the app sees without their department is read alone."""
        serves = await self._serving()
        found: dict[str, Member] = {}
        for department in await self.departments():
            answer = await self._client.get("user/list", {"department_id": department.external_id})
            for entry in objects(answer, "userlist"):
                if text(entry, "userid"):
                    one = _member(entry, serves)
                    found.setdefault(one.external_id, one)
        for userid in sorted(serves - set(found)):
            alone = await self._one(userid, serves)
            if alone is not None:
                found[userid] = alone
        return list(found.values())

    async def _one(self, userid: str, serves: frozenset[str]) -> Member | None:
        """``user/get``, platform page 90196. None for somebody whom the app may not see."""
        try:
            return _member(await self._client.get("user/get", {"userid": userid}), serves)
        except Rejected as error:
            if error.code in _NOT_VISIBLE:
                return None
            raise

    async def _serving(self) -> frozenset[str]:
        """A company may use the directory alone: without customer contact nobody serves."""
        try:
            return frozenset(await serving(self._client))
        except Rejected as error:
            if error.code in _NO_CUSTOMER_CONTACT:
                return frozenset()
            raise


def _department(entry: JsonObject) -> Department:
    parent = text(entry, "parentid")
    return Department(
        text(entry, "id"), text(entry, "name"), "" if parent == "0" else parent, integer(entry, "order") or 0
    )


def _member(entry: JsonObject, serves: frozenset[str]) -> Member:
    """Apps made since June 2022 are not told avatars; they stay empty then."""
    userid = member(text(entry, "userid"))
    departments = entry.get("department")
    return Member(
        userid,
        name=text(entry, "name"),
        avatar=text(entry, "avatar"),
        position=text(entry, "position"),
        department_ids=tuple(str(one) for one in departments if isinstance(one, int | str))
        if isinstance(departments, list)
        else (),
        status=_STATUS.get(integer(entry, "status") or 1, "active"),
        serves=userid in serves,
    )
