"""Plays the last two days of the sample company in a few seconds: the clock of the platforms and of the service starts in the past
and comes forward from visit to visit, so everything has its true time and takes the real way through the service.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Protocol

from scrm.clock import ShiftedClock
from simulator.company.script import Chat, Line, Round, read_chats
from simulator.company.stage import BY_KEY, Person, Stage

VISITS = (
    timedelta(hours=52),  # 0: every reply window is closed by now
    timedelta(hours=45),  # 1: the 48 hours of customer service are nearly over
    timedelta(hours=30),
    timedelta(hours=26),
    timedelta(hours=22, minutes=30),  # 4: the 24 hours of Douyin are nearly over
    timedelta(hours=6),
    timedelta(hours=3),
    timedelta(hours=1, minutes=20),
    timedelta(minutes=35),
    timedelta(minutes=7),  # 9: just now
)
FILES = ("presale", "aftersale", "store", "flagship", "lighting", "live_room", "official")
BEIJING = timezone(timedelta(hours=8))


class Office(Protocol):
    """The company's own side: its people, working in the service."""

    async def quiet(self) -> None:
        """Waits until everything that happened has been understood, answered and fetched."""
        ...

    async def act(self, person: Person, rep: str, line: Line) -> None:
        """A colleague answers, recalls or closes."""
        ...


def chats() -> list[Chat]:
    """All conversations of the sample company's past."""
    return [chat for file in FILES for chat in read_chats(file)]


async def play_history(stage: Stage, office: Office, clock: ShiftedClock, cast: Sequence[Chat]) -> None:
    """Ends with the clock at the real time."""
    start = datetime.now(UTC)
    try:
        for visit, ago in enumerate(VISITS):
            moment = _in_daytime(start - ago)
            if visit == 0 or moment > clock.now():
                clock.offset = moment - datetime.now(UTC)
            await _play_visit(stage, office, clock, list(_rounds_of(cast, visit)))
    finally:
        clock.offset = timedelta(0)


def _in_daytime(moment: datetime) -> datetime:
    """Nobody buys a sofa at four in the morning: such a visit was the evening before, unless it is only just over."""
    here = moment.astimezone(BEIJING)
    if here.hour >= 8 or datetime.now(UTC) - moment < timedelta(hours=4):
        return moment
    return (here.replace(hour=22, minute=0) - timedelta(days=1)).astimezone(UTC)


def _rounds_of(cast: Sequence[Chat], visit: int) -> Iterator[tuple[Person, str, list[Round]]]:
    for chat in cast:
        rounds = [one for one in chat.rounds if one.visit == visit]
        if rounds:
            yield Person(BY_KEY[chat.account], chat.name), chat.rep, rounds


async def _play_visit(
    stage: Stage, office: Office, clock: ShiftedClock, playing: list[tuple[Person, str, list[Round]]]
) -> None:
    """Everybody's first round, then everybody's second one, ..."""
    while playing:
        turns = [(person, rep, rounds.pop(0)) for person, rep, rounds in playing]
        await _customers(stage, office, clock, [(person, turn) for person, _, turn in turns])
        # A lost answer hits whatever is sent next: that colleague works alone.
        alone = [any(line.act == "lost" for line in turn.agent) for _, _, turn in turns]
        await asyncio.gather(
            *(_colleague(stage, office, clock, *turn) for turn, apart in zip(turns, alone, strict=True) if not apart)
        )
        for turn, apart in zip(turns, alone, strict=True):
            if apart:
                await _colleague(stage, office, clock, *turn)
        await office.quiet()
        _pass(clock, 40)
        playing = [(person, rep, rounds) for person, rep, rounds in playing if rounds]


async def _customers(stage: Stage, office: Office, clock: ShiftedClock, turns: list[tuple[Person, Round]]) -> None:
    """Those who only now open the chat come first: their greeting has to leave within seconds of the platform's time."""
    entering = [(person, line) for person, turn in turns for line in turn.customer if line.act == "enter"]
    for person, line in entering:
        stage.play(person, line)
    if entering:
        await office.quiet()
    for person, turn in turns:
        for line in turn.customer:
            if line.act == "recall":
                await office.quiet()
            if line.act != "enter":
                _pass(clock, 5)
                stage.play(person, line)
    await office.quiet()


async def _colleague(stage: Stage, office: Office, clock: ShiftedClock, person: Person, rep: str, turn: Round) -> None:
    for line in turn.agent:
        match line.act:
            case "fails":
                stage.spoil_next_send(person, int(line.text))
            case "lost":
                await office.quiet()
                stage.lose_next_send()
            case "recall":
                await office.quiet()
                await office.act(person, rep, line)
            case _:
                _pass(clock, 3)
                await office.act(person, rep, line)


def _pass(clock: ShiftedClock, seconds: float) -> None:
    """Time goes by, but never beyond the real time."""
    clock.offset = min(clock.offset + timedelta(seconds=seconds), timedelta(0))
