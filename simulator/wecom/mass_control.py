"""What members do with mass messages; mixed into the control interface."""

from __future__ import annotations

import calendar
from abc import abstractmethod
from datetime import UTC, datetime, timedelta

from simulator.control import operation
from simulator.wecom.mass import confirm
from simulator.wecom.settings import Settings
from simulator.wecom.state import Corp, MassTask


class MassControl:
    _settings: Settings

    @abstractmethod
    def _corp(self, corp_id: str) -> Corp: ...

    @abstractmethod
    def _now(self) -> int: ...

    @operation
    def mass_tasks(self, corp_id: str, userid: str = "") -> list[MassTask]:
        """Of the company, or of one member."""
        return [t for t in self._corp(corp_id).mass_tasks.values() if not userid or t.sender.lower() == userid.lower()]

    @operation
    def confirm_mass(self, corp_id: str, msgid: str) -> MassTask:
        """The member sends it from the client."""
        corp, now = self._corp(corp_id), self._now()
        here = datetime.fromtimestamp(now, UTC) + timedelta(hours=8)
        task = corp.mass_tasks[msgid]
        confirm(corp, task, now, self._settings.mass_per_month or calendar.monthrange(here.year, here.month)[1])
        return task

    @operation
    def mass_received(self, corp_id: str, who: str) -> int:
        """How many mass messages a customer or group got."""
        return len(self._corp(corp_id).mass_received.get(who, []))
