"""What the company asks of those who look at what is not theirs: a reason, written to the trail, and a mark on the screen.

Whoever has said why may go on for some time without being asked again. A page says it by ``POST /api/reasons``, a program by the header
``X-Reason`` of the request itself (percent-encoded).
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Annotated, Literal, get_args
from urllib.parse import unquote

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from scrm.company import Setting
from scrm.errors import Forbidden, Unprocessable
from scrm.permissions import Principal
from scrm.services import Services, Work
from scrm.trail import record

Act = Literal["chats", "reveal", "export", "evidence"]
"""Reading a chat of somebody else, seeing a masked number, taking something out of the house as a sheet, as evidence."""
ACTS: tuple[Act, ...] = get_args(Act)
Place = Literal["audit", "chats"]
HEADER = "X-Reason"
REMEMBER_SECONDS = 5.0

GIVEN = "select exists (select from reason_given where agent_id = $1 and act = $2 and object_id = $3 and until > $4)"
GIVE = """
insert into reason_given (agent_id, act, object_id, reason, given_at, until) values ($1, $2, $3, $4, $5, $6)
on conflict (agent_id, act, object_id) do update set reason = excluded.reason, given_at = excluded.given_at, until = excluded.until
"""


def _each_once(acts: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(acts)) != len(acts):
        raise ValueError("Name each once.")
    return acts


class Privacy(BaseModel):
    """Off until a company wants it: no reasons, no mark. ``minutes``: how long a reason holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reasons: Annotated[tuple[Act, ...], AfterValidator(_each_once)] = ()
    minutes: Annotated[int, Field(ge=1, le=1440)] = 60
    watermark: Annotated[tuple[Place, ...], AfterValidator(_each_once)] = ()


PRIVACY = Setting("privacy", Privacy())
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=200)]


class ReasonNeeded(Forbidden):
    """The policy wants to know why. ``fields`` say of what: the act, and the number of its object (0: it has none)."""

    code = "reason_needed"

    def __init__(self, act: Act, object_id: int) -> None:
        super().__init__(
            "Say why first: POST /api/reasons, or the header X-Reason.",
            fields={"act": act, "object_id": str(object_id)},
        )


class Reasons:
    """The policy as a process knows it, and whether somebody has said why."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._known: tuple[float, Privacy] | None = None
        services.bus.listen("setting", self._forget)

    def _forget(self, _: object) -> None:
        self._known = None

    async def policy(self) -> Privacy:
        """Remembered for some seconds: chats ask for it at every page."""
        if self._known is None or self._known[0] < time.monotonic():
            self._known = (time.monotonic() + REMEMBER_SECONDS, await PRIVACY.load(self._services.db))
        return self._known[1]

    async def missing(self, principal: Principal, act: Act, object_id: int = 0) -> bool:
        if act not in (await self.policy()).reasons:
            return False
        now = self._services.clock.now()
        return not await self._services.db.fetchval(GIVEN, principal.agent_id, act, object_id, now)

    async def need(self, principal: Principal, act: Act, object_id: int, header: str | None, address: str) -> None:
        """Raises :class:`ReasonNeeded`. What the header says is taken as said, when it was needed."""
        if not await self.missing(principal, act, object_id):
            return
        said = unquote(header or "").strip()
        if not said:
            raise ReasonNeeded(act, object_id)
        if not 2 <= len(said) <= 200 or any(ord(letter) < 32 for letter in said):
            raise Unprocessable("Write the reason in 2 to 200 characters.", fields={HEADER: "2 to 200 characters."})
        async with self._services.work() as work:
            await give(work, principal, act, object_id, said, await self.policy(), address)


async def give(
    work: Work, principal: Principal, act: Act, object_id: int, reason: str, policy: Privacy, address: str
) -> datetime:
    """Until when it holds."""
    until = work.now + timedelta(minutes=policy.minutes)
    await work.tx.execute(GIVE, principal.agent_id, act, object_id, reason, work.now, until)
    kind = {"chats": "conversation", "reveal": "object"}.get(act, "")
    await record(
        work, "reason.given", agent_id=principal.agent_id, object_kind=kind, object_id=object_id or None, address=address,
        detail={"act": act, "why": reason},
    )  # fmt: skip
    return until
