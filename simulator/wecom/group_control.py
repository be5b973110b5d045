"""What people do in customer groups; mixed into the control interface."""

from __future__ import annotations

from abc import abstractmethod

from scrm.clock import ShiftedClock
from simulator.control import operation
from simulator.wecom.group_chats import INVITED, GroupLife, entry
from simulator.wecom.settings import DAY
from simulator.wecom.state import Corp, GroupChat, new_id


class GroupControl:
    """``create_group`` tells nobody; the others are told (``change_external_chat``)."""

    _group_life: GroupLife
    clock: ShiftedClock

    @abstractmethod
    def _corp(self, corp_id: str) -> Corp: ...

    @abstractmethod
    def _now(self) -> int: ...

    @operation
    def create_group(
        self,
        corp_id: str,
        name: str,
        owner: str,
        members: list[str],
        chat_id: str = "",
        notice: str = "",
        days_ago: float = 0,
    ) -> str:
        """A customer group, founded now or ``days_ago``; ``members`` are userids and external_userids. Returns the chat_id."""
        corp, now = self._corp(corp_id), self._now() - int(days_ago * DAY)
        known = corp.members.get(owner.lower())
        owner = known.userid if known is not None else owner
        group = GroupChat(chat_id or new_id("wr"), name, owner, now, notice)
        group.members = [entry(corp, who, now, INVITED, owner) for who in dict.fromkeys([owner, *members])]
        corp.groups[group.chat_id] = group
        return group.chat_id

    @operation
    def found_group(self, corp_id: str, name: str, owner: str, members: list[str]) -> str:
        """A member founds a customer group (``create``). Returns the chat_id."""
        chat_id = self.create_group(corp_id, name, owner, members)
        self._group_life.tell(self._corp(corp_id), self._group(corp_id, chat_id), "create", self._now())
        return chat_id

    @operation
    def group_join(
        self,
        corp_id: str,
        chat_id: str,
        who: list[str],
        scene: int = INVITED,
        invited_by: str = "",
        state: str = "",
    ) -> None:
        """Members or customers come in; ``scene`` 1 invited, 2 by a link, 3 by a code (with its ``state``)."""
        corp, group = self._corp(corp_id), self._group(corp_id, chat_id)
        self._group_life.join(corp, group, who, self._exact(), scene=scene, invited_by=invited_by, state=state)

    @operation
    def group_leave(self, corp_id: str, chat_id: str, who: list[str], removed: bool = False) -> None:
        """They leave, or (``removed``) are shown out."""
        corp, group = self._corp(corp_id), self._group(corp_id, chat_id)
        self._group_life.leave(corp, group, who, self._exact(), removed=removed)

    @operation
    def rename_group(self, corp_id: str, chat_id: str, name: str) -> None:
        """Another name (``change_name``)."""
        corp, group = self._corp(corp_id), self._group(corp_id, chat_id)
        self._group_life.change(corp, group, self._exact(), "change_name", name=name)

    @operation
    def change_group_notice(self, corp_id: str, chat_id: str, notice: str) -> None:
        """Another notice (``change_notice``)."""
        corp, group = self._corp(corp_id), self._group(corp_id, chat_id)
        self._group_life.change(corp, group, self._exact(), "change_notice", notice=notice)

    @operation
    def change_group_owner(self, corp_id: str, chat_id: str, owner: str) -> None:
        """A member hands the group to another in the client (``change_owner``)."""
        corp, group = self._corp(corp_id), self._group(corp_id, chat_id)
        known = corp.members.get(owner.lower())
        if known is None:
            raise LookupError(f"no member {owner}")
        self._group_life.change(corp, group, self._exact(), "change_owner", owner=known.userid)

    @operation
    def set_group_admins(self, corp_id: str, chat_id: str, admins: list[str]) -> None:
        """Who helps the owner. No event tells of it."""
        self._group(corp_id, chat_id).admins = list(admins)

    @operation
    def dissolve_group(self, corp_id: str, chat_id: str) -> None:
        """The group is over (``dismiss``)."""
        self._group_life.dissolve(self._corp(corp_id), self._group(corp_id, chat_id), self._now())

    def _group(self, corp_id: str, chat_id: str) -> GroupChat:
        try:
            return self._corp(corp_id).groups[chat_id]
        except KeyError:
            raise LookupError(f"no group {chat_id}") from None

    def _exact(self) -> float:
        return self.clock.now().timestamp()
