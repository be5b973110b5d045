"""Customers who write while somebody watches, and who answer what they are sent.

Every ``pace`` seconds somebody writes: first the people of ``scripts/live.txt``, then customers of the past with a new question.
Conversations that belong to a colleague in the script are answered by that colleague; all others wait for whoever sits at the page,
and their customers react to what they get. It stays quiet: after a quarter of an hour three times as slowly, and never more than
:data:`MOST_PER_HOUR` messages.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter, deque
from collections.abc import Coroutine
from typing import Any

from scrm.clock import monotonic
from simulator.company import people
from simulator.company.contact_life import ContactLife
from simulator.company.history import Office, chats
from simulator.company.people import ACCOUNTS
from simulator.company.reactions import question, reaction
from simulator.company.script import Chat, Line, Round, read_chats
from simulator.company.stage import BY_KEY, Person, Stage

log = logging.getLogger(__name__)

MOST_PER_HOUR = 300
LIVELY_SECONDS = 900
LOOK_SECONDS = 0.5
MOST_REACTIONS = 8
"""In a row, without a question of the customer's own: two automatons must not talk for ever."""


class Director:
    """``pace`` 0: nobody writes by themselves, but customers still react to what they are sent."""

    def __init__(
        self,
        stage: Stage,
        office: Office,
        *,
        pace: float,
        most_per_hour: int = MOST_PER_HOUR,
        chance: random.Random | None = None,
    ) -> None:
        self._stage = stage
        self._most_per_hour = most_per_hour
        self._office = office
        self._pace = pace
        self._chance = chance or random.Random()
        self._life = ContactLife(stage.wecom.control, lambda: stage.wecom.world.corps[people.CORP_ID], self._chance)
        self._written: deque[float] = deque()
        self._reacted: Counter[Person] = Counter()
        self._scripted: set[Person] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._greetings = {account.welcome for account in ACCOUNTS}
        past = dict.fromkeys(_person(chat) for chat in [*chats(), *read_chats("live")])
        self._cast = [person for person in past if stage.knows(person)]
        self._to_come = [chat for chat in read_chats("live") if not stage.knows(_person(chat))]

    @property
    def lines_this_hour(self) -> int:
        """How many acts of customers there were."""
        while self._written and self._written[0] < monotonic() - 3600:
            self._written.popleft()
        return len(self._written)

    async def run(self) -> None:
        """Until cancelled."""
        self._stage.new_messages(self._cast)  # what they got before is not news
        try:
            await asyncio.gather(self._write(), self._listen(), self._life.run(self._pace))
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    # ------------------------------------------------------------------ writing

    async def _write(self) -> None:
        if self._pace <= 0:
            return
        began = monotonic()
        while True:
            slow = 1.0 if monotonic() - began < LIVELY_SECONDS else 3.0
            await asyncio.sleep(self._pace * slow * self._chance.uniform(0.6, 1.4))
            if self._to_come and self._chance.random() < 0.6:
                self._begin(self._play(self._to_come.pop(0)))
            elif self._cast:
                self._ask()

    def _ask(self) -> None:
        person = self._chance.choice(self._cast)
        if person not in self._scripted:
            self._reacted[person] = 0
            self._says(person, Line("customer", "text", (question(person.account.key, self._chance),)))

    async def _play(self, chat: Chat) -> None:
        """One conversation of the script; without a colleague only its beginning."""
        person = _person(chat)
        self._scripted.add(person)
        self._cast.append(person)
        for one in chat.rounds if chat.rep else chat.rounds[:1]:
            await self._play_round(person, chat.rep, one)
        # What the colleague has said is not to be reacted to: it has been looked at by then.
        await asyncio.sleep(2 * LOOK_SECONDS)
        self._scripted.discard(person)

    async def _play_round(self, person: Person, rep: str, one: Round) -> None:
        for line in one.customer:
            self._says(person, line)
            await self._pause(3)
        for line in one.agent:
            await self._pause(8)
            await self._office.act(person, rep, line)
        if one.agent:
            await self._pause(6)

    async def _pause(self, seconds: float) -> None:
        """People take their time; a quick pace makes them quicker."""
        await asyncio.sleep(min(seconds, self._pace * seconds / 4) * self._chance.uniform(0.7, 1.3))

    # ------------------------------------------------------------------ reacting

    async def _listen(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for person, kind, text in self._stage.new_messages(self._cast):
                if person in self._scripted or text in self._greetings or self._reacted[person] >= MOST_REACTIONS:
                    continue
                answer = reaction(kind, text, self._chance)
                if answer is not None:
                    self._reacted[person] += 1
                    self._begin(self._react(person, answer))

    async def _react(self, person: Person, answer: str) -> None:
        await asyncio.sleep(self._chance.uniform(2, 6) if self._pace else 0.2)
        self._says(person, Line("customer", "text", (answer,)))

    # ------------------------------------------------------------------ inside

    def _says(self, person: Person, line: Line) -> None:
        """Unless enough has been said for this hour."""
        if self.lines_this_hour >= self._most_per_hour:
            return
        self._written.append(monotonic())
        self._stage.play(person, line)

    def _begin(self, story: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(story)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("a customer of the sample company broke off", exc_info=error)


def _person(chat: Chat) -> Person:
    return Person(BY_KEY[chat.account], chat.name)
