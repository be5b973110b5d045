"""A month of campaigns against the platforms' daily and monthly limits: whoever is over a limit is left out beforehand and told so, and
no platform refuses anybody whom the forecast had not announced. Members confirm late, also after the end of a month."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.wecom import mass
from adapters.wecom.adapter import WeComAdapter
from campaigns.audience.dry_run import DryRun, dry_run
from campaigns.audience.freeze import freeze
from campaigns.ledger import calls, doubt, ends, tickets, watch
from campaigns.life.starting import start_due
from scrm.channel_campaigns import ReceiveLimit
from scrm.clock import ShiftedClock
from scrm.services import Services
from simulator.wechat_oa import OfficialAccountSimulator
from simulator.wecom.server import WecomSimulator
from tests.campaigns.crowd import PEOPLE
from tests.company import AES_KEY, CORP, SECRET, TOKEN

BEGIN = datetime(2026, 6, 24, 1, 0, tzinfo=UTC)
DAYS = int(os.environ.get("QUOTA_DAYS", "14"))
STEP = timedelta(hours=6)
MONTHLY = 5
AWAY = (BEGIN, BEGIN + timedelta(days=9))
"""Members confirm nothing, over the end of the month."""
ACCOUNT = "insert into account (connection_id, channel, external_id, name) values ($1, $2, $3, $3) returning id"
CAMPAIGN = """
insert into campaign (kind, name, state, content, audience, schedule, options, next_at, created_at, updated_at)
values ('message', $1, 'scheduled', $2, $3, '{"mode": "now", "quiet": null}', '{"confirm_days": 10}', $4, $4, $4) returning id
"""
LEFT_OUT = "select count(*) from delivery where campaign_id = $1 and reason = 'platform_limit'"
GRUMBLES = "select reason ->> 'code' from broadcast_ticket where reason ->> 'code' ~ '450[0-9][0-9]$'"


class HeldClock(ShiftedClock):
    """Stands still until it is moved."""

    def now(self) -> datetime:
        return BEGIN + self.offset


@dataclass
class Month:
    services: Services
    clock: HeldClock
    wecom: WecomSimulator
    official: OfficialAccountSimulator
    chance: random.Random
    forecasts: Counter[str] = field(default_factory=Counter)

    async def begins(self, number: int, channel: str) -> None:
        """A campaign to everybody over one channel: what its forecast says is what is frozen."""
        db, now = self.services.db, self.clock.now()
        said = f"第 {number} 次"
        made = await db.fetchval(CAMPAIGN, said, {"post": {"text": said}}, {"channels": [channel]}, now)
        told: DryRun = await dry_run(self.services, made)
        limited = sum(one.n for one in told.reasons if one.code == "platform_limit")
        while await start_due(self.services):
            pass
        while await freeze(self.services):
            pass
        assert await db.fetchval(LEFT_OUT, made) == limited
        self.forecasts["left out"] += limited
        self.forecasts["quota short"] += sum(one.quota is not None and one.quota < one.n for one in told.accounts)

    async def goes_on(self) -> None:
        """Everything that is due is done; some members confirm, others take days."""
        for act in (tickets.make, calls.call, doubt.resolve, watch.look):
            while await act(self.services):
                pass
        await ends.settle(self.services)
        away = AWAY[0] <= self.clock.now() < AWAY[1]
        for task in self.wecom.control.mass_tasks(CORP) if not away else []:
            if not task.confirmed and not task.cancelled and self.chance.random() < 0.2:
                self.wecom.control.confirm_mass(CORP, task.msgid)

    def refused(self) -> list[str]:
        """Whom the platforms did not give what they had taken."""
        found = []
        for task in self.wecom.control.mass_tasks(CORP):
            found += [f"{task.text}: {who}" for who, result in task.results.items() if result == 3]
        for app, account in self.official.platform.world.accounts.items():
            for post in self.official.control.masses(app):
                for who in post.openids:
                    if all(one.msg_id != post.msg_id for one in account.people[who].received):
                        found.append(f"{post.body['content']}: {app} {who}")
        return found


@pytest.fixture
async def month(services: Services) -> AsyncIterator[Month]:
    clock = services.clock = HeldClock()
    services.connections._clock = clock
    async with WecomSimulator(clock=clock) as wecom, OfficialAccountSimulator(clock=clock) as official:
        wecom.settings.mass_handing_out = 0
        wecom.control.create_app(CORP, SECRET)
        await _connect(
            services, "wecom", {"corp_id": CORP, "base_url": wecom.base_url},
            {"secret": SECRET, "token": TOKEN, "encoding_aes_key": AES_KEY},
        )  # fmt: skip
        made = Month(services, clock, wecom, official, random.Random(7))
        await _friends(made)
        for kind in ("service", "subscription"):
            await _followers(made, kind)
        yield made


async def _connect(services: Services, provider: str, plain: dict[str, Any], secret: dict[str, Any]) -> int:
    async with services.work() as work:
        made = await services.connections.create(work, provider, provider, plain, secret)
    await services.connections.refresh()
    return made


async def _friends(month: Month) -> None:
    connection = await month.services.db.fetchval("select id from connection")
    for member in ("anna", "bert"):
        month.wecom.control.create_member(CORP, member, member)
        account = await month.services.db.fetchval(ACCOUNT, connection, "wecom_member", member)
        keys = [f"wm{member}{n}" for n in range(3)]
        for key in keys:
            month.wecom.control.create_customer(CORP, key, external_userid=key)
            month.wecom.control.create_follow(CORP, member, key)
        await month.services.db.execute(PEOPLE, connection, keys, account, BEGIN)


async def _followers(month: Month, kind: Any) -> None:
    app = f"wx{kind}"
    month.official.control.add_account(app, "secret", f"gh_{kind}", kind=kind)
    connection = await _connect(
        month.services, "wechat_oa",
        {"app_id": app, "original_id": f"gh_{kind}", "base_url": month.official.base_url, "account_type": kind},
        {"app_secret": "secret", "token": "tokenofmonth", "encoding_aes_key": AES_KEY},
    )  # fmt: skip
    await month.services.connections.test(connection)
    account = await month.services.db.fetchval("select id from account where connection_id = $1", connection)
    keys = [f"o{kind}{n}" for n in range(4)]
    for key in keys:
        month.official.control.add_person(app, key, followed_days_ago=9)
    await month.services.db.execute(PEOPLE, connection, keys, account, BEGIN)


async def test_a_series_is_told_when_it_will_have_used_up_what_a_platform_allows(month: Month) -> None:
    """Four posts a month to each follower: a weekly series that begins on 24 June has two in June and is over after four in July."""
    db = month.services.db
    made = await db.fetchval(CAMPAIGN, "每周", {"post": {"text": "每周"}}, {"channels": ["wechat_oa"]}, BEGIN)
    weekly = {"mode": "recurring", "cron": "0 9 * * 3", "quiet": None}
    await db.execute("update campaign set schedule = $2 where id = $1", made, weekly)
    told = await dry_run(month.services, made)
    assert told.used_up is not None
    assert (told.used_up.at, told.used_up.people) == (datetime(2026, 7, 29, 1, 0, tzinfo=UTC), 4)
    await db.execute("update campaign set schedule = $2 where id = $1", made, weekly | {"times": 6})
    assert (await dry_run(month.services, made)).used_up is not None
    await db.execute("update campaign set schedule = $2 where id = $1", made, weekly | {"times": 5})
    assert (await dry_run(month.services, made)).used_up is None


@pytest.mark.timeout(300 if DAYS < 40 else 3600)
async def test_no_platform_refuses_what_was_not_announced(month: Month, monkeypatch: pytest.MonkeyPatch) -> None:
    # A month allows a few posts only, so that a few days show what a whole month would.
    rule = mass.LIMITS[0].rule
    monkeypatch.setattr(WeComAdapter, "task_limits", (ReceiveLimit(MONTHLY, "month", rule),))
    month.wecom.settings.mass_per_month = MONTHLY
    number = 0
    for step in range(DAYS * 4):
        for channel, likely in (("wecom_member", 0.35), ("wechat_oa", 0.2)):
            for _ in range(2):
                if month.chance.random() < likely:
                    number += 1
                    await month.begins(number, channel)
        await month.goes_on()
        month.clock.advance(STEP + timedelta(seconds=step % 60))
    assert month.refused() == []
    assert await month.services.db.fetch(GRUMBLES) == []
    # The limits did matter.
    assert month.forecasts["left out"] > 20
    assert month.forecasts["quota short"] > 0
    assert number > DAYS
