"""One scenario: everything started, traffic and mayhem together, then quiet, then the verdict."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from tests.chaos.judge import Verdict, judge, quiet
from tests.chaos.mayhem import DatabaseRestarts, Killing, Mayhem, Pace, RedisAway
from tests.chaos.reps import Rep, Replies
from tests.chaos.site import Plan, Site, site
from tests.chaos.traffic import Traffic

ONE = Plan()
TWO_OF_EACH = Plan(web=2, worker=2)


@dataclass(frozen=True)
class Size:
    """``harm`` times something bad happens while ``webhooks`` are accepted, of which at most ``per_second`` are sent."""

    webhooks: int
    harm: int
    per_second: float = 150.0
    people: int = 200
    reps: int = 6
    calm: float = 120.0
    """Seconds within which all must be quiet once nothing bad happens any more."""


@dataclass(frozen=True)
class Scenario:
    name: str
    title: str
    plan: Plan
    mayhem: Callable[[Site, Pace], list[Mayhem]]
    harm: int
    """How often in a long run, at least."""


@dataclass
class Report:
    scenario: str
    title: str
    seed: int
    seconds: float = 0.0
    seconds_to_quiet: float = 0.0
    harm: dict[str, int] = field(default_factory=dict)
    starts: int = 0
    answers: dict[str, int] = field(default_factory=dict)
    verdict: Verdict = field(default_factory=Verdict)


def _kill_one(site: Site, pace: Pace) -> list[Mayhem]:
    return [Killing(site.servers, pace)]


def _restart_database(site: Site, pace: Pace) -> list[Mayhem]:
    return [DatabaseRestarts(site, pace)]


def _stop_redis(site: Site, pace: Pace) -> list[Mayhem]:
    return [RedisAway(site, pace)]


def _kill_of_each(site: Site, pace: Pace) -> list[Mayhem]:
    half = replace(pace, times=-(-pace.times // 2), every=pace.every * 2)
    return [
        Killing(site.of_role("web"), half),
        Killing(site.of_role("worker"), replace(half, seed=pace.seed + 1)),
    ]


SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario("killed", "one process, killed", ONE, _kill_one, 30),
        Scenario("postgres", "one process, PostgreSQL restarted", ONE, _restart_database, 12),
        Scenario("redis", "2 web + 2 worker, Redis stopped and started", TWO_OF_EACH, _stop_redis, 12),
        Scenario("two-of-each", "2 web + 2 worker, one of each killed", TWO_OF_EACH, _kill_of_each, 30),
    )
}


async def run(scenario: Scenario, size: Size, seed: int) -> Report:
    report = Report(scenario.name, scenario.title, seed)
    async with site(scenario.plan) as place:
        traffic = Traffic(place, total=size.webhooks, per_second=size.per_second, people=size.people, seed=seed)
        mayhem = scenario.mayhem(place, Pace(size.harm, size.webhooks / (size.harm + 1), traffic.accepted, seed))
        replies = Replies()
        reps = [Rep(place, place.tokens[n % 2], replies, seed=seed + n) for n in range(size.reps)]
        began = time.monotonic()
        await _while_it_lasts(traffic, mayhem, reps)
        report.seconds = time.monotonic() - began
        await place.wait_up()
        await _platforms_end(place, size.calm)
        await quiet(place, traffic.noted, seconds=size.calm)
        report.seconds_to_quiet = time.monotonic() - began - report.seconds
        report.verdict = await judge(place, traffic.noted, replies)
        report.verdict.counts["webhooks accepted, of every kind"] = traffic.accepted()
        report.harm = {f"{one.what} ({whom})": n for one in mayhem for whom, n in one.done.items()}
        report.starts = sum(server.starts for server in place.servers)
        report.answers = dict(sorted(traffic.noted.answers.items()))
        _judge_logs(place, report.verdict)
    return report


async def _while_it_lasts(traffic: Traffic, mayhem: Sequence[Mayhem], reps: Sequence[Rep]) -> None:
    """Traffic and mayhem go on until both have done what was asked for; reps answer all the time."""
    async with asyncio.TaskGroup() as group:
        group.create_task(traffic.run())
        for one in mayhem:
            group.create_task(one.run())
        for rep in reps:
            group.create_task(rep.run())
        while not (traffic.done and all(one.did_its_part for one in mayhem)):
            await asyncio.sleep(0.05)
        for one in mayhem:
            one.enough.set()
        for rep in reps:
            rep.enough.set()
        traffic.enough.set()


async def _platforms_end(place: Site, seconds: float) -> None:
    """Whatever the platforms still repeat has been accepted or given up."""
    await place.douyin.deliveries.settled(seconds)
    await place.wecom.deliveries.settled(seconds)


def _judge_logs(place: Site, verdict: Verdict) -> None:
    """No bug shows itself only in the log."""
    wrong = [f"{line[:200]} … {line[-400:]}" for line in place.logs().splitlines() if '"level": "error"' in line]
    verdict.expect("errors in the log", wrong)
