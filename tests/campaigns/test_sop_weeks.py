"""Weeks of a plan under the test clock: tags come and go, customers write, the service is down for hours, and its workers die in the middle of what
they do. What was done is exactly what a plain model says, at exactly those hours, and nothing is done twice.

``SOP_WEEKS=3x40x12`` runs 3 companies of 40 customers over 12 weeks.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from campaigns.sop import days, listen, settle, steps
from scrm.clock import ManualClock, monotonic
from scrm.services import Services, Work
from tests.campaigns.sop_tools import NOW, READ, customer, give_tag, made, plan, tag, talk
from tests.http.site import Site

SEEDS, CUSTOMERS, WEEKS = (int(part) for part in os.environ.get("SOP_WEEKS", "1x6x3").split("x"))
TICK = timedelta(hours=3)
ZONE = ZoneInfo("Asia/Shanghai")
LATE = timedelta(hours=6)
# Minutes after the beginning, or a day and an hour.
STEPS: tuple[int | tuple[int, int], ...] = (0, 180, (1, 9), (1, 15), (4, 12))


class Died(BaseException):
    """The process is gone: nobody catches this."""


class Mortal:
    """A transaction whose process dies before or after one of its statements."""

    def __init__(self, tx: Any, dice: random.Random) -> None:
        self._tx, self._dice = tx, dice

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._tx, name)
        if name not in ("fetch", "fetchrow", "fetchval", "execute"):
            return found

        async def call(*args: Any) -> Any:
            if self._dice.random() < 0.02:
                raise Died
            answer = await found(*args)
            if self._dice.random() < 0.02:
                raise Died
            return answer

        return call


@dataclass(slots=True)
class MortalServices(Services):
    dice: random.Random = field(default_factory=random.Random)

    @asynccontextmanager
    async def work(self) -> AsyncIterator[Work]:
        async with self.db.transaction() as tx:
            yield Work(Mortal(tx, self.dice), self.clock.now())  # type: ignore[arg-type]
        if self.dice.random() < 0.05:
            raise Died


@dataclass
class Model:
    """One customer, as the documentation says."""

    tagged: bool = False
    lines: list[datetime] = field(default_factory=list)
    wrote: list[datetime] = field(default_factory=list)
    began: datetime | None = None
    step: int = 0
    due: datetime = NOW
    done: list[tuple[int, datetime, str]] = field(default_factory=list)

    def work(self, now: datetime) -> None:
        """What happened since, then what is due."""
        if self.lines and self.tagged and self.began is None:
            self.began, self.step = self.lines[-1], 0
            self.due = self._when(self.began)
        if self.began is not None and (not self.tagged or any(at > self.began for at in self.wrote)):
            self.began = None
        self.lines, self.wrote = [], []
        while self.began is not None and self.due <= now:
            late = now - self.due > LATE
            if not late and awake(now) > now:
                self.due = awake(now)
                return
            self.done.append((self.step, now, "late" if late else ""))
            self.step += 1
            if self.step == len(STEPS):
                self.began = None
            else:
                self.due = self._when(self.due)

    def _when(self, before: datetime) -> datetime:
        assert self.began is not None
        wanted = STEPS[self.step]
        if isinstance(wanted, int):
            at = self.began + timedelta(minutes=wanted)
        else:
            day = self.began.astimezone(ZONE).date() + timedelta(days=wanted[0])
            at = datetime.combine(day, time(wanted[1]), ZONE)
        return awake(max(at, before))


def awake(at: datetime) -> datetime:
    """Nine to nine."""
    here = at.astimezone(ZONE)
    if 9 <= here.hour < 21:
        return at
    day = here.date() + timedelta(days=here.hour >= 21)
    return datetime.combine(day, time(9), ZONE)


async def rest(services: Services, mortal: list[Services]) -> int:
    """Workers side by side until nothing is left to do. How many died."""
    died, deadline = 0, monotonic() + 120
    rounds: tuple[Callable[[Services], Awaitable[bool]], ...] = (listen.listen, days.look, steps.act, settle.settle)
    while monotonic() < deadline:
        for one in rounds:
            answers = await asyncio.gather(*(one(each) for each in mortal), return_exceptions=True)
            for answer in answers:
                if isinstance(answer, BaseException) and not isinstance(answer, Died):
                    raise answer
            died += sum(isinstance(answer, Died) for answer in answers)
        more = [await one(services) for one in rounds]
        if not any(more) and await services.db.fetchval(READ):
            return died
        await asyncio.sleep(0.005)
    raise AssertionError("the plan never came to rest")


def step(wanted: int | tuple[int, int], number: int) -> dict[str, Any]:
    when = {"minutes": wanted} if isinstance(wanted, int) else {"days": wanted[0], "at": f"{wanted[1]:02d}:00"}
    return {"kind": "task", "title": str(number), **when}


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_weeks_with_dying_workers_are_what_the_model_says(site: Site, services: Services, seed: int) -> None:
    dice = random.Random(seed)
    clock = services.clock = ManualClock(NOW - timedelta(hours=1))
    boss, rep = await site.signed_in("manager"), await site.signed_in("rep")
    wanted = await tag(services)
    sop = await made(
        boss, plan({"on": "tag", "tag_ids": [wanted]}, *[step(one, n) for n, one in enumerate(STEPS)], late_hours=6)
    )
    ids = [await customer(site, rep, name=f"客户{n}") for n in range(CUSTOMERS)]
    talks = {one: await talk(site, one) for one in ids}
    models = {one: Model() for one in ids}
    parts = {name: getattr(services, name) for name in Services.__slots__}
    mortal: list[Services] = [MortalServices(**parts, dice=random.Random(seed * 7 + n)) for n in range(2)]
    down, died = 0, 0
    for _ in range(WEEKS * 7 * 24 // 3):
        clock.advance(TICK)
        for one in ids:
            await happen(site, one, models[one], talks[one], wanted, dice)
        if down:
            down -= 1
            continue
        died += await rest(services, mortal)
        for model in models.values():
            model.work(clock.now())
        if dice.random() < 0.03:
            down = dice.randrange(1, 7)
    rows = await services.db.fetch(
        "select customer_id, n, at, state, reason from sop_step where sop_id = $1 order by id", sop
    )
    for one, model in models.items():
        assert [(row["n"], row["at"], row["reason"]) for row in rows if row["customer_id"] == one] == model.done
    given = await services.db.fetch("select customer_id, text, created_at from task order by id")
    said = [(row["customer_id"], str(row["n"]), row["at"]) for row in rows if row["state"] == "task"]
    assert [tuple(row) for row in given] == said
    assert len(said) > CUSTOMERS
    assert any(row["reason"] == "late" for row in rows)
    assert died > 5


async def happen(site: Site, one: int, model: Model, talk: int, wanted: int, dice: random.Random) -> None:
    """Something, or nothing, with this customer at this hour."""
    now, chance = site.services.clock.now(), dice.random()
    if chance < 0.05:
        await give_tag(site.services, [one], wanted, take=model.tagged)
        model.tagged = not model.tagged
        if model.tagged:
            model.lines.append(now)
    elif chance < 0.06:
        await site.says(talk, "在吗")
        model.wrote.append(now)
