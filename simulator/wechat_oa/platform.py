"""What the endpoints and the control interface share."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone

from scrm.clock import ShiftedClock
from simulator.wechat_oa.errors import Refused
from simulator.wechat_oa.pushes import Pushes
from simulator.wechat_oa.settings import DAY, MINUTE, Settings
from simulator.wechat_oa.state import Account, Person, World

BEIJING = timezone(timedelta(hours=8))
"""The calendar by which the platform counts days and months."""


@dataclass
class Platform:
    world: World
    clock: ShiftedClock
    settings: Settings
    pushes: Pushes
    base_url: str = ""
    _calls: dict[tuple[str, str], deque[float]] = field(default_factory=dict)

    @property
    def now(self) -> float:
        return self.clock.now().timestamp()

    @property
    def month(self) -> str:
        return self._here.strftime("%Y-%m")

    @property
    def day(self) -> str:
        return self._here.strftime("%Y-%m-%d")

    @property
    def _here(self) -> datetime:
        return datetime.fromtimestamp(self.now, UTC).astimezone(BEIJING)

    def account(self, app_id: str) -> Account:
        try:
            return self.world.accounts[app_id]
        except KeyError:
            raise LookupError(f"no account with the appid {app_id}") from None

    def person(self, app_id: str, openid: str) -> Person:
        try:
            return self.account(app_id).people[openid]
        except KeyError:
            raise LookupError(f"nobody has the openid {openid} at {app_id}") from None

    def count(self, account: Account, name: str, *, per_day: int, per_minute: int = 0) -> None:
        """Counts a call of ``name``. Refused with 45011 when there are too many in a minute, with 45009 in 24 hours."""
        calls = self._calls.setdefault((account.app_id, name), deque())
        now = self.now
        while calls and calls[0] <= now - DAY:
            calls.popleft()
        if per_minute and len(calls) >= per_minute and calls[-per_minute] > now - MINUTE:
            raise Refused(45011)
        if len(calls) >= per_day:
            raise Refused(45009)
        calls.append(now)

    def forget_calls(self, account: Account) -> None:
        """``clear_quota``."""
        for key in [key for key in self._calls if key[0] == account.app_id]:
            del self._calls[key]
