"""Campaigns while workers are killed and platforms throttle, do things without answering, and cut connections: everybody gets
each post once, whoever may not have got it is told to be uncertain, and nobody has to lend a hand.

Small in the daily run; the size of the issue, 200,000 deliveries over 30 accounts and 50 kills, with
``CAMPAIGN_SIZE=200000x30x50`` (``make campaign``).
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from scrm.config import Settings
from simulator.faults import Fault, FaultKind, Faults
from tests.campaigns.crowd import FINAL, Crowd, crowd
from tests.campaigns.hands import Hands, Plan
from tests.company import eventually

WAVES = 4
DELIVERIES, ACCOUNTS, KILLS = (int(part) for part in os.environ.get("CAMPAIGN_SIZE", "2000x6x5").split("x"))
FULL = DELIVERIES > 10_000
SPEED = float(os.environ.get("CAMPAIGN_SPEED", "15"))
SEED = int(os.environ.get("CAMPAIGN_SEED", "1"))
WORKERS = 3 if FULL else 2
BATCH = 500 if FULL else 25
KINDS: tuple[FaultKind, ...] = ("drop", "drop_after", "hang_after", "refuse", "status", "broken", "delay")
CALLS = {
    "wecom": ("/cgi-bin/externalcontact/add_msg_template", 45009),
    "official": ("/cgi-bin/message/mass/send", 45011),
    "desk": ("/cgi-bin/kf/send_msg", 45009),
    "shop": ("*/send/msg/*", 28003018),
    "asking": ("/cgi-bin/externalcontact/get_groupmsg*", 45033),
}


@dataclass
class Trouble:
    """Faults of platforms and kills of workers, until there were as many kills as wanted."""

    made: Crowd
    hands: Hands
    chance: random.Random
    faults: list[Fault]

    def fault(self) -> Fault:
        where = self.chance.choice(list(CALLS))
        path, code = CALLS[where]
        kind = self.chance.choice(KINDS)
        fault = Fault(kind, path, code=code if kind == "refuse" else 502, seconds=self.chance.uniform(0.2, 20 / SPEED))
        self._of(where).add(fault)
        self.faults.append(fault)
        return fault

    def _of(self, where: str) -> Faults:
        shops = {"official": self.made.official, "shop": self.made.douyin}
        return shops.get(where, self.made.wecom).faults

    async def run(self, kills: int) -> None:
        """A third of the kills while lists are frozen and the first calls go out, the others spread over all of the ledger's life."""
        early = kills // 3
        while self.hands.kills < kills:
            for _ in range(3):
                self.fault()
            held = self.fault()
            await self._settled((self.hands.kills - early) / (kills - early) * 0.9)
            deadline = time.monotonic() + self.chance.uniform(0.3, 1.6)
            # Often in the middle of a call, which is what counts.
            while time.monotonic() < deadline and not held.hits:
                await asyncio.sleep(0.01)
            await self.hands.kill(self.chance.randrange(len(self.hands.pids)))

    async def _settled(self, share: float) -> None:
        """Until that share of the deliveries has its last state."""
        while share > 0 and await self.made.settled() < share * DELIVERIES:
            await asyncio.sleep(0.1)

    def clear(self) -> None:
        for platform in (self.made.wecom, self.made.official, self.made.douyin):
            platform.faults.clear()


@pytest.mark.slow
@pytest.mark.xdist_group("chaos")
@pytest.mark.timeout(7200 if FULL else 300)
async def test_everybody_gets_it_once(database_url: str, redis_url: str, settings: Settings, tmp_path: Path) -> None:
    key = settings.secrets.key
    assert key is not None
    plan = Plan(database_url, redis_url, str(tmp_path), key.get_secret_value(), time.time(), SPEED, BATCH)
    tasks, spreads, talks = _shares(ACCOUNTS)
    begun = time.monotonic()
    async with crowd(plan, talks) as (made, address), Hands(plan, tmp_path / "log") as hands:
        for _ in range(WORKERS):
            await hands.start()
        each = DELIVERIES // WAVES // ACCOUNTS
        talking = min(each, 400)
        quiet = (DELIVERIES // WAVES - talking * sum(talks)) // (tasks + spreads)
        await made.ask_friends_of(tasks, quiet)
        await made.spread_by(spreads, quiet, address)
        await made.talk(talking)
        ready = time.monotonic()
        await made.begin(WAVES)
        trouble = Trouble(made, hands, random.Random(SEED), [])
        confirming = asyncio.create_task(_confirm(made, trouble.chance))
        try:
            await trouble.run(KILLS)
            trouble.clear()
            over = "select bool_and(state = 'done') from campaign"
            await eventually(
                lambda: made.services.db.fetchval(over), seconds=3600 if FULL else 150, why=hands.said[-3000:]
            )
        finally:
            confirming.cancel()
        wrong = await made.wrong()
        report = await _report(made, trouble, ready - begun, time.monotonic() - ready)
    print(report)
    assert not wrong, f"{len(wrong)} wrong, e.g. {wrong[:5]}\n{report}"
    assert hands.kills == KILLS
    assert sum(fault.hits for fault in trouble.faults) >= KILLS


def _shares(accounts: int) -> tuple[int, int, tuple[int, int]]:
    """Of six accounts two are members, two spread, one is a service desk and one a shop."""
    third = accounts // 3
    return third, third, (accounts - 2 * third - third // 2, third // 2)


async def _confirm(made: Crowd, chance: random.Random) -> None:
    while True:
        made.confirm_some(chance.randint(1, 10))
        await asyncio.sleep(0.1)


async def _report(made: Crowd, trouble: Trouble, setting_up: float, running: float) -> str:
    db = made.services.db
    states = await db.fetch(
        "select way, state, count(*) as n from delivery where state = any($1) group by 1, 2 order by 1, 2", list(FINAL)
    )
    calls = await db.fetchrow(
        "select count(*) as n, count(doubted_at) as doubted, sum(attempts) as attempts from broadcast_ticket"
    )
    assert calls is not None
    hits = Counter[str]()
    for fault in trouble.faults:
        hits[fault.kind] += fault.hits
    lines = [
        f"{sum(row['n'] for row in states):,} deliveries, {ACCOUNTS} accounts, {WAVES} campaigns, {trouble.hands.kills} kills of {WORKERS} workers, seed {SEED}",
        f"set up {setting_up:.0f} s, run {running:.0f} s (clock × {SPEED:g})",
        *(f"| {row['way'] or 'left out'} | {row['state']} | {row['n']:,} |" for row in states),
        f"calls for many: {calls['n']}, in doubt once: {calls['doubted']}, attempts: {calls['attempts']}",
        "faults: " + ", ".join(f"{kind} {n}" for kind, n in sorted(hits.items())),
    ]  # fmt: skip
    return "\n".join(lines)
