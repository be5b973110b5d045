"""Every act at every moment of a campaign's life, against a model of what should come of it: no wrong state."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from campaigns.life import acts, approval, write
from campaigns.life.approval import Decision, Submission
from campaigns.life.content import PostsInput
from campaigns.life.ending import run_ended, run_reopened
from campaigns.life.settings import RULES, CampaignRules
from campaigns.life.starting import start_due
from campaigns.life.write import CampaignChange, NewCampaign
from campaigns.shapes import Calendar, Schedule
from customers.greetings.content import GreetingContentInput
from scrm.app import providers
from scrm.blobs import Blobs
from scrm.bus import MemoryBus
from scrm.clock import ManualClock
from scrm.config import load_settings
from scrm.connections import Connections
from scrm.db import Database
from scrm.errors import ApiError
from scrm.people import create_agent
from scrm.permissions import OF_ROLE, Principal
from scrm.postgres import EmbeddedPostgres
from scrm.services import Services, Work
from scrm.vault import Vault

BEGIN = datetime(2026, 6, 1, 2, 0, tzinfo=UTC)
LATE = timedelta(hours=2)
DAILY = Schedule(mode="recurring", calendar=Calendar(every="day", time="12:00"), late_hours=2)
OPEN = ("freezing", "running")


class World:
    """The database and two people who write and approve, on a loop of their own."""

    def __init__(self, url: str, folder: Path) -> None:
        self.runner = asyncio.Runner()
        self.clock = ManualClock(BEGIN)
        self.services, self.people = self.run(self._open(url, folder))

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)

    async def _open(self, url: str, folder: Path) -> tuple[Services, list[Principal]]:
        config = load_settings(None, data_dir=folder, database={"url": url}, secrets={"key": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="})  # fmt: skip
        db, bus, vault = await Database.open(url, size=4), MemoryBus(), Vault.open(config)
        held = Connections(providers(), db=db, vault=vault, bus=bus, clock=self.clock)
        services = Services(config, db, bus, Blobs.in_folder(folder), self.clock, vault, held)
        people = []
        async with services.work() as work:
            for name in ("anna", "bert"):
                made = await create_agent(work, login=name, name=name, role="manager", password="a long password 1")
                people.append(Principal(made, name, name, "manager", OF_ROLE["manager"], "all", "en", (), None, None))
        return services, people

    def close(self) -> None:
        self.run(self.services.db.close())
        self.runner.close()


class Life(RuleBasedStateMachine):
    """``state`` and its companions are what should be; the database is what is."""

    world: World

    @initialize(mode=st.sampled_from(["now", "at", "recurring"]), second=st.booleans(), seed=st.integers(0, 2**32))
    def begin(self, mode: str, second: bool, seed: int) -> None:
        self.random = Random(seed)
        self.clock, self.people = self.world.clock, self.world.people
        self.second, self.state, self.text, self.promised = second, "draft", "1", ""
        self.schedule = self._schedule(mode)
        self.next_at: datetime | None = None
        self.submitter = -1
        self.runs: dict[datetime, str] = {}
        self.texts: dict[datetime, str] = {}
        self.world.run(self._begin())

    async def _begin(self) -> None:
        services = self.world.services
        await services.db.execute("delete from campaign")
        async with services.work() as work:
            await RULES.save(
                work, CampaignRules(approve_above=None, approve_roles=("manager",) if self.second else ()), by=None
            )
            new = NewCampaign(client_token=secrets.token_hex(8), name="n", posts=_posts("1"), schedule=self.schedule)
            self.id = await write.create(services, work, self.people[0], new, address="")

    def _schedule(self, mode: str) -> Schedule:
        if mode == "at":
            return Schedule(mode="at", at=self.clock.now() + timedelta(hours=3), late_hours=2)
        return DAILY if mode == "recurring" else Schedule()

    # ------------------------------------------------------------------------------------------------ what people do

    def _fits(self, name: str, who: int = 0, approve: bool = True) -> bool:
        """The rules of the house, as docs/campaigns.md tells them."""
        resting = self.state == "paused" and not self._going()
        return {
            "submit": self.state == "draft" and self._first(timedelta(minutes=5)) is not None,
            "decide": self.state == "waiting"
            and who != self.submitter
            and (not approve or self._first(LATE) is not None),
            "withdraw": self.state in ("waiting", "scheduled"),
            "pause": self.state in ("scheduled", "running"),
            "resume": self.state == "paused",
            "cancel": self.state in ("waiting", "scheduled", "running", "paused"),
            "edit": self.state in ("draft", "waiting", "scheduled") or resting,
            "delete": self.state in ("draft", "done", "cancelled"),
        }[name]

    def _call(
        self, name: str, who: int = 0, /, *, approve: bool = True, **part: Any
    ) -> Callable[[Work], Awaitable[Any]]:
        services, person, said = self.world.services, self.people[who], Decision(approve=approve)
        calls: dict[str, Callable[[Work], Awaitable[Any]]] = {
            "submit": lambda work: approval.submit(
                services, work, person, self.id, Submission(), recipients=0, address=""
            ),
            "decide": lambda work: approval.decide(work, person, self.id, said, address=""),
            "withdraw": lambda work: approval.withdraw(work, person, self.id, address=""),
            "pause": lambda work: acts.pause(work, person, self.id, address=""),
            "resume": lambda work: acts.resume(work, person, self.id, address=""),
            "cancel": lambda work: acts.cancel(work, person, self.id, address=""),
            "edit": lambda work: self._change(work, **(part or {"posts": _posts("z")})),
            "delete": lambda work: write.delete(work, person, self.id, address=""),
        }
        return calls[name]

    @rule()
    def something_happens(self) -> None:
        """Of all that can be done now, by one of them; what cannot be done is tried too. (Not a rule each: most would not fit, and
        whole walks would never leave the draft.)"""
        who, n = self.random.randrange(2), self.random.randrange(6)
        mode, minutes = ("now", "at", "recurring")[n % 3], (1, 7, 60, 125, 24 * 60, 80 * 60)[n]
        steps: list[tuple[bool, Callable[[], None]]] = [
            (n == 0, self.what_does_not_fit_is_refused_and_a_name_is_only_a_name),
            (self._fits("submit"), lambda: self.submit(who)),
            (self._fits("decide", 1 - self.submitter, approve=False), lambda: self.decide(n > 1)),
            (self._fits("withdraw") and n == 1, self.withdraw),
            (self._fits("pause"), self.pause),
            (self._fits("resume"), self.resume),
            (self._fits("cancel") and n == 1 and len(self.runs) > 1, self.cancel),
            (self._fits("edit") and self.state != "draft" and n > 3, lambda: self.edit("abcdef"[n])),
            (self._fits("edit") and (n == 2 or not self._fits("submit")), lambda: self.reschedule(mode)),
            (self._fits("delete") and n == 0, self.delete_and_bring_back),
            (self.state not in ("draft", "cancelled") or n == 0, lambda: self.time_passes(minutes, looks=False)),
            (self.state not in ("draft", "cancelled"), lambda: self.time_passes(minutes, looks=True)),
            (self.state not in ("draft", "cancelled"), self.look),
            (self._going(), self.runs_end),
            ("done" in self.runs.values(), self.failed_ones_are_tried_again),
        ]
        fitting = [step for fits, step in steps if fits]
        self.random.choice(fitting or [self.look])()

    def what_does_not_fit_is_refused_and_a_name_is_only_a_name(self) -> None:
        for name in ("submit", "decide", "withdraw", "pause", "resume", "cancel", "edit", "delete"):
            for who in (0, 1):
                if not self._fits(name, who):
                    assert self._refused(self._call(name, who))
        assert not self._refused(self._call("edit", name="another"))

    def submit(self, who: int) -> None:
        assert not self._refused(self._call("submit", who))
        self.submitter, self.promised = who, self.text
        self.state = "waiting" if self.second else "scheduled"
        self.next_at = None if self.second else self._first(timedelta(minutes=5))

    def decide(self, approve: bool) -> None:
        who = 1 - self.submitter
        fits = self._fits("decide", who, approve)
        assert bool(self._refused(self._call("decide", who, approve=approve))) is not fits
        if fits:
            self.state = "scheduled" if approve else "draft"
            self.next_at = self._first(LATE) if approve else None

    def withdraw(self) -> None:
        assert not self._refused(self._call("withdraw"))
        self.state, self.next_at = "draft", None

    def pause(self) -> None:
        assert not self._refused(self._call("pause"))
        self.state = "paused"

    def resume(self) -> None:
        assert not self._refused(self._call("resume"))
        self.state = "running" if self._going() else "scheduled"
        self._come()

    def cancel(self) -> None:
        assert not self._refused(self._call("cancel"))
        self.state, self.next_at = "cancelled", None
        self.runs = {at: "cancelled" if state in OPEN else state for at, state in self.runs.items()}

    def edit(self, text: str) -> None:
        assert not self._refused(self._call("edit", posts=_posts(text)))
        self.text, self.state, self.next_at = text, "draft", None

    def reschedule(self, mode: str) -> None:
        schedule = self._schedule(mode)
        assert not self._refused(self._call("edit", schedule=schedule))
        self.schedule, self.state, self.next_at = schedule, "draft", None

    def delete_and_bring_back(self) -> None:
        assert not self._refused(self._call("delete"))
        restore = write.undo_kinds()[write.DELETED].restore
        assert not self._refused(lambda work: restore(work, self.people[0], {"id": self.id}))

    # ----------------------------------------------------------------------------------------------- what else happens

    def time_passes(self, minutes: int, looks: bool) -> None:
        """With or without a service that looks."""
        self.clock.advance(timedelta(minutes=minutes))
        if looks:
            self.look()

    def look(self) -> None:
        self.world.run(self._look())
        if self.state in ("scheduled", "running"):
            self._come()

    async def _look(self) -> None:
        while await start_due(self.world.services):
            pass

    def runs_end(self) -> None:
        assert not self._refused(self._end)
        self.runs = {at: "done" if state in OPEN else state for at, state in self.runs.items()}
        if self.next_at is None:
            self.state = "done"
        elif self.state == "running":
            self.state = "scheduled"

    async def _end(self, work: Work) -> None:
        await work.tx.execute(
            "update campaign_run set state = 'done' where campaign_id = $1 and state = any($2)", self.id, list(OPEN)
        )
        await run_ended(work, self.id)
        await run_ended(work, self.id)

    def failed_ones_are_tried_again(self) -> None:
        at = next(at for at, state in self.runs.items() if state == "done")
        fits = self.state in ("done", "scheduled", "running", "paused")
        assert bool(self._refused(lambda work: self._reopen(work, at))) is not fits
        if fits:
            self.runs[at] = "running"
            self.state = "paused" if self.state == "paused" else "running"

    async def _reopen(self, work: Work, at: datetime) -> None:
        await run_reopened(work, self.id)
        await work.tx.execute(
            "update campaign_run set state = 'running' where campaign_id = $1 and due_at = $2", self.id, at
        )

    # -------------------------------------------------------------------------------------------------------- the model

    def _going(self) -> bool:
        return any(state in OPEN for state in self.runs.values())

    def _first(self, late: timedelta) -> datetime | None:
        now = self.clock.now()
        if self.schedule.mode == "now":
            return now
        if self.schedule.mode == "at":
            return self.schedule.at if self.schedule.at is not None and self.schedule.at >= now - late else None
        noon = now.replace(hour=4, minute=0, second=0, microsecond=0)
        return noon if noon > now else noon + timedelta(days=1)

    def _come(self) -> None:
        """What is due starts, is late, or is missed; and the next date."""
        now, passed = self.clock.now(), []
        while self.next_at is not None and self.next_at <= now:
            passed.append(self.next_at)
            self.next_at = self.next_at + timedelta(days=1) if self.schedule.mode == "recurring" else None
        fresh = [at for at in passed if at not in self.runs]
        for at in fresh:
            starts = at == passed[-1] and now - at <= self._late()
            self.runs[at] = "freezing" if starts else "missed"
            self.texts[at] = self.promised if starts else ""
        if any(self.runs[at] == "freezing" for at in fresh):
            self.state = "running"
        elif passed and self.next_at is None and self.state == "scheduled":
            self.state = "done"

    def _late(self) -> timedelta:
        return timedelta(hours=self.schedule.late_hours)

    def _refused(self, act: Callable[[Work], Awaitable[Any]]) -> str:
        """Does it; the code with which it was refused, or empty."""

        async def once() -> str:
            try:
                async with self.world.services.work() as work:
                    await act(work)
            except ApiError as error:
                return error.code
            return ""

        refused: str = self.world.run(once())
        return refused

    async def _change(self, work: Work, **parts: Any) -> None:
        version = await work.tx.fetchval("select version from campaign where id = $1", self.id)
        change = CampaignChange(version=version, **parts)
        await write.change(self.world.services, work, self.people[0], self.id, change, address="")

    @invariant()
    def all_is_as_it_should_be(self) -> None:
        row, runs = self.world.run(self._read())
        assert row["state"] == self.state
        assert row["next_at"] == self.next_at
        assert {run["due_at"]: run["state"] for run in runs} == self.runs
        assert {run["due_at"]: run["content"].get("post", {}).get("text", "") for run in runs} == self.texts
        going = any(run["state"] in OPEN for run in runs)
        assert going if row["state"] == "running" else not going or row["state"] == "paused"
        if row["state"] not in ("scheduled", "running", "paused"):
            assert row["next_at"] is None
        assert row["decided_by"] is None or row["decided_by"] != row["submitted_by"]

    async def _read(self) -> tuple[Any, list[Any]]:
        db = self.world.services.db
        row = await db.fetchrow("select * from campaign where id = $1", self.id)
        return row, await db.fetch("select * from campaign_run where campaign_id = $1 order by due_at", self.id)


def _posts(text: str) -> PostsInput:
    return PostsInput(post=GreetingContentInput(text=text))


@pytest.fixture
def world(postgres_server: EmbeddedPostgres, template_database: str, tmp_path: Path) -> Iterator[World]:
    name = f"t_{secrets.token_hex(6)}"

    async def admin(sql: str) -> None:
        connection = await asyncpg.connect(postgres_server.url_of("postgres"))
        await connection.execute(sql)
        await connection.close()

    asyncio.run(admin(f"create database {name} template {template_database} strategy file_copy"))
    made = World(postgres_server.url_of(name), tmp_path)
    yield made
    made.close()
    asyncio.run(admin(f"drop database {name} with (force)"))


def test_no_act_at_any_moment_leads_to_a_wrong_state(world: World) -> None:
    machine = type("LifeOf", (Life,), {"world": world})
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        machine,
        settings=settings(max_examples=int(os.environ.get("LIVES", "25")), stateful_step_count=40, deadline=None, database=None, suppress_health_check=list(HealthCheck)),
    )  # fmt: skip
