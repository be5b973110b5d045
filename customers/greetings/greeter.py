"""Greetings out: takes due rows, calls the adapters, writes the outcomes. A lane of its own, since each has seconds only.

A row is claimed with a lease of a few seconds, so the greeting of a process that dies in the middle is taken over while there is
still time. That may repeat a call that arrived: the platform takes one greeting per code and refuses the second, and then we know
that the first one arrived (or that somebody else's did: the row keeps that there was a doubt).
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from customers.greetings.begin import as_json
from customers.greetings.content import Content, outgoing
from scrm.channel import Sentence
from scrm.channel_contacts import GreetsNewContacts, KnowsRelations
from scrm.company import FACTS
from scrm.db import LOST, RETRYABLE, Row
from scrm.errors import NotFound, Rejected, RetryLater, SendError, Uncertain
from scrm.metrics import GREETING_SECONDS, GREETINGS
from scrm.services import Services
from scrm.tasks import end
from scrm.variables import VARIABLE, names_in, of_moment

log = logging.getLogger(__name__)

SLOTS = 16
CALL_SECONDS = 5.0
"""Longer than any healthy call takes; after it there is still time for another."""
LEASE = timedelta(seconds=CALL_SECONDS + 1)
NAME_SECONDS = 2.0
"""How long the greeting waits to learn the newcomer's name."""
MARGIN = 0.3
AGAIN = timedelta(seconds=0.5)

CLAIM = """
with ready as (
  select id from greeting where until > $1 and ((state = 'queued' and due_at <= $1) or (state = 'sending' and lease_until < $1))
  order by until, id limit $2 for update skip locked
)
update greeting g set doubt = g.doubt or g.state = 'sending', state = 'sending', attempts = g.attempts + 1, lease_until = $3,
  lease_token = $4 from ready where g.id = ready.id
returning g.id, g.connection_id, g.account_channel, g.account_key, g.contact_key, g.welcome_code, g.content, g.at, g.until, g.doubt
"""
# What ran out of time while it waited or while nobody knew. A lease that still runs is somebody's call on its way.
EXPIRE = """
update greeting set state = case when doubt or state = 'sending' then 'uncertain' else 'late' end, finished_at = $1,
  reason = case when doubt or state = 'sending' then $2::jsonb else coalesce(reason, $3::jsonb) end, lease_until = null,
  lease_token = null
where id in (select id from greeting where until <= $1 and (state = 'queued' or (state = 'sending' and lease_until < $1))
  for update skip locked) returning state
"""
FINISH = """
update greeting set state = $3, reason = $4, text = $5, finished_at = $6, lease_until = null,
  lease_token = null where id = $1 and lease_token = $2
"""
AGAIN_LATER = """
update greeting set state = 'queued', due_at = $3, reason = $4, doubt = doubt or $5, lease_until = null, lease_token = null
where id = $1 and lease_token = $2
"""
KNOWN_NAME = "select name from contact where connection_id = $1 and external_id = $2"
WHOSE_NAME = """
select coalesce((select nullif(name, '') from directory_member where connection_id = $1 and external_id = $3),
  (select nullif(a.name, a.external_id) from account a where a.connection_id = $1 and a.channel = $2 and a.external_id = $3), '')
"""

LATE = as_json(
    "too_late", Sentence("平台允许的时间已过，没有发送。", "The time that the platform allows was over; not sent.")
)
UNKNOWN = as_json(
    "unknown", Sentence("发送的结果未知，时间已过。", "Whether it arrived is unknown, and the time is over.")
)
CONFIRMED = as_json(
    "confirmed",
    Sentence(
        "第一次发送没有得到回应，平台随后表示该客户已收到欢迎语。",
        "The first attempt was not answered; the platform said later that this contact had been greeted.",
    ),
)
BROKEN = Sentence("发送时程序出错。", "The program failed while sending.")
UNUSABLE = Sentence("该连接暂时不可用。", "The connection cannot be used at the moment.")


class Greeter:
    """:meth:`round` starts what is due and fits."""

    def __init__(self, services: Services, *, done: Callable[[], None], slots: int = SLOTS) -> None:
        self._services = services
        self._slots = slots
        self._active: set[asyncio.Task[None]] = set()
        self._done = done

    async def round(self) -> bool:
        services = self._services
        for row in await services.db.fetch(EXPIRE, services.clock.now(), UNKNOWN, LATE):
            GREETINGS.labels(row["state"]).inc()
        free = self._slots - len(self._active)
        if free <= 0:
            return False
        now, token = services.clock.now(), uuid.uuid4()
        rows = await services.db.fetch(CLAIM, now, free, now + LEASE, token)
        for row in rows:
            task = asyncio.create_task(self._one(row, token))
            self._active.add(task)
            task.add_done_callback(self._finished)
        return len(rows) == free

    async def stop(self) -> None:
        """Lets calls that are under way end."""
        if self._active:
            _, late = await asyncio.wait(self._active, timeout=CALL_SECONDS)
            await end(late)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._active.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("the outcome of a greeting could not be written; its lease will run out", exc_info=error)
        self._done()

    async def _one(self, row: Row, token: uuid.UUID) -> None:
        text = ""
        try:
            text = await self._greet(row)
        except Rejected as error:
            await self._refused(row, token, error)
        except RetryLater as error:
            await self._later(row, token, error, timedelta(seconds=min(max(error.after, 0.2), 3.0)), doubt=False)
        except SendError as error:
            await self._later(row, token, error, AGAIN, doubt=True)
        else:
            await self._finish(row, token, "sent", None, text)

    async def _greet(self, row: Row) -> str:
        """Makes the call; returns what was said. Raises :class:`SendError`."""
        content = Content.model_validate(row["content"])
        try:
            adapter = (await self._services.connections.get(row["connection_id"])).adapter
            text = await self._text(row, content, adapter)
        except (NotFound, *LOST) as error:
            raise RetryLater("connection.unusable", UNUSABLE, after=1) from error
        if not isinstance(adapter, GreetsNewContacts):
            raise Rejected("connection.unable", UNUSABLE)
        left = (row["until"] - self._services.clock.now()).total_seconds() - MARGIN
        if left <= 0:
            raise Rejected("too_late", Sentence(LATE["zh"], LATE["en"]))
        try:
            async with asyncio.timeout(min(CALL_SECONDS, left)):
                await adapter.greet(row["welcome_code"], text, outgoing(content, self._services.blobs))
        except TimeoutError as error:
            raise Uncertain(
                "greeting.unanswered", Sentence("平台没有回应。", "The platform did not answer.")
            ) from error
        except (SendError, asyncio.CancelledError):
            raise
        except Exception as error:
            log.exception("the adapter of connection %s broke while greeting", row["connection_id"])
            raise Uncertain("adapter.broken", BROKEN) from error
        return text

    async def _text(self, row: Row, content: Content, adapter: object) -> str:
        names = names_in(content.text)
        if not names:
            return content.text
        db = self._services.db
        facts = await FACTS.load(db)
        values = {"company.name": facts.name, **of_moment(self._services.clock.now().astimezone(facts.clock))}
        if "agent.name" in names:
            values["agent.name"] = await db.fetchval(
                WHOSE_NAME, row["connection_id"], row["account_channel"], row["account_key"]
            )
        if "customer.name" in names:
            values["customer.name"] = await self._name(row, adapter) or content.unnamed
        return without_holes(content.text, values)

    async def _name(self, row: Row, adapter: object) -> str:
        """From the database, else from the platform if it answers soon."""
        known = await self._services.db.fetchval(KNOWN_NAME, row["connection_id"], row["contact_key"])
        if known or not isinstance(adapter, KnowsRelations):
            return str(known or "")
        try:
            async with asyncio.timeout(NAME_SECONDS):
                page = await adapter.relations_of(row["contact_key"])
        except (SendError, TimeoutError):
            return ""
        return next((one.contact.name for one in page.persons if one.contact.name), "")

    async def _refused(self, row: Row, token: uuid.UUID, error: Rejected) -> None:
        reason = as_json(error.code, error.reason)
        if error.code == "already_greeted":
            if row["doubt"]:
                await self._finish(row, token, "sent", CONFIRMED, "")
            else:
                await self._finish(row, token, "already", reason, "")
        elif error.code == "too_late":
            await self._finish(row, token, "uncertain" if row["doubt"] else "late", reason, "")
        else:
            await self._finish(row, token, "refused", reason, "")
            await self._note(row, error)

    async def _finish(self, row: Row, token: uuid.UUID, state: str, reason: dict[str, Any] | None, text: str) -> None:
        now = self._services.clock.now()
        written = await self._write(FINISH, row["id"], token, state, reason, text, now)
        if written:
            GREETINGS.labels(state).inc()
            if state == "sent":
                GREETING_SECONDS.observe(max((now - row["at"]).total_seconds(), 0.0))
            await self._services.bus.ring("greeted", [row["connection_id"]])

    async def _later(self, row: Row, token: uuid.UUID, error: SendError, wait: timedelta, *, doubt: bool) -> None:
        due = self._services.clock.now() + wait
        await self._write(AGAIN_LATER, row["id"], token, due, as_json(error.code, error.reason), doubt)
        await self._note(row, error)

    async def _note(self, row: Row, error: SendError) -> None:
        try:
            attention = getattr(error, "needs_admin", False)
            await self._services.connections.note_error(row["connection_id"], error, attention=attention)
        except LOST as away:
            log.warning("an error could not be noted, the database is away: %s", away)

    async def _write(self, sql: str, *values: Any) -> bool:
        """An outcome must not be forgotten because the database is away for a moment. False: the row is somebody else's by now."""
        for attempt in range(20):
            try:
                return (await self._services.db.execute(sql, *values)) == "UPDATE 1"
            except (*LOST, *RETRYABLE):
                if attempt == 19:
                    raise
                await asyncio.sleep(0.1 * (attempt + 1))
        return False


def without_holes(text: str, values: Mapping[str, str]) -> str:
    """Nobody must read a hole: a name without a value goes, with its braces."""
    return VARIABLE.sub(lambda found: values.get(found[1]) or "", text)


def seconds_taken(at: datetime, finished_at: datetime | None) -> float | None:
    return None if finished_at is None else round(max((finished_at - at).total_seconds(), 0.0), 1)
