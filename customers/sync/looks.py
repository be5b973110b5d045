"""Looks at what is due (:mod:`customers.sync.due`): asks the platform, and takes its answer as the truth.

Questions of one batch leave side by side; their answers are written in one unit of work. A platform that throttles or is away delays
the batch, a question that it refuses waits longer each time, and neither stops the others.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from customers.sync import due
from customers.sync.directory import take_accounts, take_directory
from customers.sync.due import Due, DueKind
from customers.sync.groups import take_group
from customers.sync.library import take_library
from customers.sync.library_push import push_library
from customers.sync.readings import next_number
from customers.sync.take import Renamed, take_reading
from scrm.channel_contacts import (
    CustomerGroup,
    KeepsTags,
    KnowsDirectory,
    KnowsGroups,
    KnowsRelations,
    RelationPage,
)
from scrm.connections import Loaded
from scrm.db import LOST, RETRYABLE
from scrm.errors import Rejected, RetryLater, SendError
from scrm.metrics import SYNC_LOOKS
from scrm.services import Services, Work

log = logging.getLogger(__name__)

AT_ONCE = 60
SIDE_BY_SIDE = 8
MOST_TRIES = 8
WRITES = 5
T = TypeVar("T")


class Looks:
    """:meth:`round` looks at a batch of every kind on every connection."""

    def __init__(self, services: Services, renamed: Renamed) -> None:
        self._services = services
        self._renamed = renamed

    async def round(self) -> bool:
        """True: there may be more at once."""
        more = False
        for loaded in self._services.connections.all():
            if loaded.paused:
                continue
            for look in (self._directory, self._tags, self._contacts, self._groups):
                more = await look(loaded) or more
        return more

    async def _contacts(self, loaded: Loaded) -> bool:
        adapter = loaded.adapter
        if not isinstance(adapter, KnowsRelations):
            return False
        taken = await self._claim(loaded, "contact")
        if not taken:
            return False
        number = await next_number(self._services.db)
        answers = await self._ask(loaded, "contact", taken, lambda one: adapter.relations_of(one.external_id))

        async def write(work: Work, answered: Sequence[tuple[Due, RelationPage]]) -> None:
            pages = [page for _, page in answered]
            await take_reading(
                work, loaded.id, number, [one for page in pages for one in page.persons],
                [one for page in pages for one in page.relations],
                complete=[one.external_id for one, _ in answered], renamed=self._renamed,
            )  # fmt: skip

        await self._write(loaded, "contact", answers, write)
        return len(answers) == AT_ONCE

    async def _groups(self, loaded: Loaded) -> bool:
        adapter = loaded.adapter
        if not isinstance(adapter, KnowsGroups):
            return False
        taken = await self._claim(loaded, "group")
        if not taken:
            return False
        number = await next_number(self._services.db)
        answers = await self._ask(loaded, "group", taken, lambda one: adapter.group(one.external_id))

        async def write(work: Work, answered: Sequence[tuple[Due, CustomerGroup | None]]) -> None:
            for one, group in sorted(answered, key=lambda answer: answer[0].external_id):
                await take_group(work, loaded.id, number, one.external_id, group)

        await self._write(loaded, "group", answers, write)
        return len(answers) == AT_ONCE

    async def _tags(self, loaded: Loaded) -> bool:
        """What is there, then what we changed."""
        adapter = loaded.adapter
        if not isinstance(adapter, KeepsTags):
            return False
        taken = await self._claim(loaded, "tags")
        if not taken:
            return False
        number = await next_number(self._services.db)
        answers = await self._ask(loaded, "tags", taken, lambda _: adapter.tags())
        for one, groups in answers:
            async with self._services.work() as work:
                await take_library(work, loaded.id, number, groups)
            if await self._ask(loaded, "tags", [one], lambda _: push_library(self._services, loaded, adapter)):
                await due.done(self._services.db, loaded.id, "tags", [one], self._services.clock.now())
        return False

    async def _directory(self, loaded: Loaded) -> bool:
        if not isinstance(loaded.adapter, KnowsDirectory):
            return False
        taken = await self._claim(loaded, "directory")
        if not taken:
            return False
        answers = await self._ask(loaded, "directory", taken, lambda _: read_directory(self._services, loaded))
        await due.done(
            self._services.db, loaded.id, "directory", [one for one, _ in answers], self._services.clock.now()
        )
        return False

    async def _claim(self, loaded: Loaded, kind: DueKind) -> list[Due]:
        return await due.claim(self._services.db, loaded.id, kind, self._services.clock.now(), AT_ONCE)

    async def _ask(
        self, loaded: Loaded, kind: DueKind, taken: Sequence[Due], question: Callable[[Due], Awaitable[T]]
    ) -> list[tuple[Due, T]]:
        """The answers; what was not answered is put off, the rest of a throttled batch unasked."""
        gate = asyncio.Semaphore(SIDE_BY_SIDE)
        slow: list[RetryLater] = []

        async def ask(one: Due) -> tuple[Due, T] | tuple[Due, SendError]:
            async with gate:
                if slow:
                    return one, slow[0]
                try:
                    return one, await question(one)
                except RetryLater as error:
                    slow.append(error)
                    return one, error
                except SendError as error:
                    return one, error

        results = await asyncio.gather(*[ask(one) for one in taken])
        failed = [(one, error) for one, error in results if isinstance(error, SendError)]
        if failed:
            await self._put_off(loaded, kind, failed)
        answered = [(one, answer) for one, answer in results if not isinstance(answer, SendError)]
        SYNC_LOOKS.labels(kind, "ok").inc(len(answered))
        return answered

    async def _put_off(self, loaded: Loaded, kind: DueKind, failed: Sequence[tuple[Due, SendError]]) -> None:
        services, now = self._services, self._services.clock.now()
        SYNC_LOOKS.labels(kind, "failed").inc(len(failed))
        hopeless = [one for one, error in failed if isinstance(error, Rejected) and one.tries >= MOST_TRIES]
        await due.done(services.db, loaded.id, kind, hopeless, now)
        waiting = [one for one, _ in failed if one not in hopeless]
        wait = max((error.after for _, error in failed if isinstance(error, RetryLater)), default=0.0)
        await due.later(services.db, loaded.id, kind, waiting, now, wait=wait)
        error = failed[0][1]
        await services.connections.note_error(loaded.id, error, attention=getattr(error, "needs_admin", False))

    async def _write(
        self,
        loaded: Loaded,
        kind: DueKind,
        answers: Sequence[tuple[Due, T]],
        write: Callable[[Work, Sequence[tuple[Due, T]]], Awaitable[None]],
    ) -> None:
        """All in one unit of work; when something in it cannot be written, each alone, so that the others are."""
        if not answers:
            return
        try:
            await self._in_one(loaded, kind, answers, write)
        except (*RETRYABLE, *LOST):
            raise
        except Exception:
            if len(answers) == 1:
                log.exception("what the platform told of a %s cannot be written (connection %s)", kind, loaded.id)
                await due.later(
                    self._services.db, loaded.id, kind, [answers[0][0]], self._services.clock.now(), wait=60.0
                )
                return
            for answer in answers:
                await self._write(loaded, kind, [answer], write)

    async def _in_one(
        self,
        loaded: Loaded,
        kind: DueKind,
        answers: Sequence[tuple[Due, T]],
        write: Callable[[Work, Sequence[tuple[Due, T]]], Awaitable[None]],
    ) -> None:
        for attempt in range(1, WRITES + 1):
            try:
                async with self._services.work() as work:
                    await write(work, answers)
                    await due.done(work.tx, loaded.id, kind, [one for one, _ in answers], work.now)
                return
            except RETRYABLE:
                if attempt == WRITES:
                    raise
                await asyncio.sleep(0.02 * attempt)


async def read_directory(services: Services, loaded: Loaded) -> int:
    """Asks for the whole directory and takes it; for connections that know it. Returns how many people are there."""
    adapter = loaded.adapter
    if not isinstance(adapter, KnowsDirectory):
        return 0
    departments, members = await adapter.departments(), await adapter.members()
    refs = await adapter.relation_accounts() if isinstance(adapter, KnowsRelations) else []
    async with services.work() as work:
        count = await take_directory(work, loaded.id, departments, members)
        await take_accounts(work, loaded.id, refs, {one.external_id: one for one in members})
    return count
