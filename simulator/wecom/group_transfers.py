"""Handing customer groups over (chapter 8): at once, group by group. An API's change, so nobody is told."""

from __future__ import annotations

from simulator.wecom.api import Answer, Call, Endpoint, Endpoints
from simulator.wecom.contacts import member_of
from simulator.wecom.errors import TEXTS
from simulator.wecom.group_chats import INVITED, changing, entry
from simulator.wecom.settings import DAY, Settings
from simulator.wecom.state import Corp, GroupChat, GroupTransfer, JsonObject, Member
from simulator.wecom.transfers import able_taker

_PERIOD = 90 * DAY
_INHERITED = 3
_MOST_MEMBERS = 500


class GroupTransferApi:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @property
    def endpoints(self) -> Endpoints:
        prefix = "externalcontact/groupchat/"
        return {
            prefix + "onjob_transfer": Endpoint("POST", self.between_colleagues, "contacts"),
            prefix + "transfer": Endpoint("POST", self.from_the_resigned, "contacts"),
        }

    def between_colleagues(self, call: Call) -> Answer:
        return self._transfer(call, resigned=False)

    def from_the_resigned(self, call: Call) -> Answer:
        return self._transfer(call, resigned=True)

    def _transfer(self, call: Call, *, resigned: bool) -> Answer:
        chats = call.strings("chat_id_list", limit=100)
        taker = able_taker(member_of(call.corp, call.string("new_owner", missing=40003)))
        failed: list[JsonObject] = []
        for chat_id in dict.fromkeys(chats):
            group = call.corp.groups.get(chat_id)
            errcode = self._problem(call, group, taker, resigned)
            if errcode or group is None:
                failed.append({"chat_id": chat_id, "errcode": errcode, "errmsg": TEXTS.get(errcode, "refused")})
                continue
            self._hand_over(call, group, taker, resigned)
        return {"failed_chat_list": failed}

    def _problem(self, call: Call, group: GroupChat | None, taker: Member, resigned: bool) -> int:
        if group is None or group.dissolved:
            return 90501
        corp, owner = call.corp, group.owner.lower()
        if resigned and owner in corp.members:
            return 90508 if group.status == _INHERITED else 90500
        if not resigned and owner in corp.former:
            return 90502
        if owner == taker.userid.lower():
            return 90504
        if len(group.members) >= _MOST_MEMBERS and taker.userid not in {one.userid for one in group.members}:
            return 90503
        if not resigned and self._moved(corp, call.now, chat_id=group.chat_id) >= self._settings.transfers_per_90_days:
            return 40128
        if self._moved(corp, call.now, owner=group.owner) >= self._settings.groups_moved_per_day:
            return 45009
        return 0

    def _moved(self, corp: Corp, now: int, *, chat_id: str = "", owner: str = "") -> int:
        """How often this group within 90 days, or how many of this owner today."""
        if chat_id:
            return sum(t.chat_id == chat_id and t.at > now - _PERIOD for t in corp.group_transfers)
        return sum(t.from_userid == owner and t.at // DAY == now // DAY for t in corp.group_transfers)

    def _hand_over(self, call: Call, group: GroupChat, taker: Member, resigned: bool) -> None:
        call.corp.group_transfers.append(GroupTransfer(group.chat_id, group.owner, taker.userid, call.now))
        with changing(group, call.exact):
            if taker.userid not in {one.userid for one in group.members}:
                group.members.append(entry(call.corp, taker.userid, call.now, INVITED, group.owner))
            if resigned:
                group.members = [one for one in group.members if one.userid != group.owner]
                group.status = _INHERITED
            group.owner = taker.userid
