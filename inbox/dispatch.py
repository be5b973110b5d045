"""Messages out: takes due rows from the outbox, calls the adapters, writes the outcomes.

A row is claimed and its message marked ``sending`` in one transaction before the call leaves, so a crash can be told from "not yet
sent": rows whose lease ran out were in somebody's hands (:meth:`Dispatcher.sweep`). Where the platform deduplicates by our key the
call is simply repeated; elsewhere the message becomes ``uncertain``.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TypeVar

from inbox import rows, sent
from inbox.outgoing import Outgoing, load
from scrm import outbox
from scrm.channel import Recalls, Receipt, Sentence
from scrm.db import LOST, RETRYABLE, Row
from scrm.errors import NotFound, Rejected, RetryLater, SendError, Uncertain
from scrm.metrics import SEND_SECONDS, SENDS
from scrm.services import Services, Work
from scrm.tasks import end

log = logging.getLogger(__name__)
T = TypeVar("T")

BROKEN = Sentence(
    "发送时程序出错，不确定客户是否收到。", "The program failed while sending; whether it arrived is unknown."
)
UNUSABLE = Sentence(
    "该连接暂时不可用，稍后会自动重试。", "The connection cannot be used at the moment; it will be tried again."
)
GONE = Sentence("该消息的账号或客户已不存在。", "The account or the contact of this message is gone.")


class Dispatcher:
    """One lane. ``slots`` calls may be under way, at most ``per_connection`` of them to one connection, so that a platform
    that does not answer cannot hold up the others."""

    def __init__(self, services: Services, *, lane: int, slots: int, done: Callable[[], None]) -> None:
        self._services = services
        self._lane = lane
        self._slots = slots
        self._per_connection = max(slots // 2, 1)
        self._active: dict[asyncio.Task[None], int] = {}
        self._done = done

    async def round(self) -> bool:
        """Starts what is due and fits; True when there may be more."""
        free = self._slots - len(self._active)
        if free <= 0:
            return False
        claimed, token, outgoing = await self._again_on_conflict(lambda: self._claim(free))
        if not claimed:
            return False
        for row in claimed:
            task = asyncio.create_task(self._one(row, token, outgoing.get(row["message_id"])))
            self._active[task] = row["connection_id"]
            task.add_done_callback(self._finished)
        return len(claimed) == free

    async def stop(self, grace: float = 10.0) -> None:
        """Lets calls that are under way end; what does not end is found by the sweep of another process."""
        if self._active:
            _, late = await asyncio.wait(self._active, timeout=grace)
            await end(late)

    async def sweep(self) -> bool:
        """Rows whose sender died."""
        return await self._again_on_conflict(self._sweep)

    # ------------------------------------------------------------------ inside

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._active.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("an outcome could not be written; the sweep will find the row", exc_info=error)
        self._done()

    async def _claim(self, limit: int) -> tuple[list[Row], uuid.UUID, dict[int, Outgoing]]:
        """All that the calls need is read here: a database that is lost after the commit must not leave rows that look as
        if they were being sent."""
        token = uuid.uuid4()
        busy = [one for one, count in Counter(self._active.values()).items() if count >= self._per_connection]
        async with self._services.work() as work:
            lease_until = work.now + timedelta(seconds=self._services.settings.worker.lease_seconds)
            claimed = await outbox.claim(
                work.tx, lane=self._lane, now=work.now, busy=busy, limit=limit, lease_until=lease_until, token=token
            )
            await self._mark_sending(work, [row for row in claimed if row["act"] == "send"])
            outgoing = await load(work.tx, [row["message_id"] for row in claimed])
        return claimed, token, outgoing

    async def _mark_sending(self, work: Work, claimed: Sequence[Row]) -> None:
        if not claimed:
            return
        conversations = await rows.lock(work, [row["conversation_id"] for row in claimed])
        await work.tx.execute(
            "update message m set state = 'sending', reason = null, version = w.version "
            "from unnest($1::bigint[], $2::bigint[]) w (id, version) where m.id = w.id and m.state <> 'sent'",
            [row["message_id"] for row in claimed],
            [conversations[row["conversation_id"]].next_version() for row in claimed],
        )
        await rows.save(work, conversations.values())

    async def _one(self, row: Row, token: uuid.UUID, outgoing: Outgoing | None) -> None:
        try:
            record = await self._outcome(row, outgoing)
        except SendError as error:
            record = await self._outcome_of_error(row, outgoing, error)
        await self._write(row, token, record)

    async def _outcome(self, row: Row, outgoing: Outgoing | None) -> Callable[[Work, sent.Held], Awaitable[None]]:
        """Makes the call. Raises :class:`SendError`."""
        if outgoing is None:
            raise Rejected("message.gone", GONE)
        if row["act"] == "send" and outgoing.state == "sent":
            # Its echo told so while it waited for another try.
            return sent.record_known
        if row["give_up_at"] is not None and self._services.clock.now() >= row["give_up_at"]:
            raise Rejected("message.too_late", sent.TOO_LATE)
        try:
            adapter = (await self._services.connections.get(row["connection_id"])).adapter
        except (NotFound, *LOST) as error:
            # Nothing has left, whatever the reason.
            raise RetryLater("connection.unusable", UNUSABLE, after=5) from error
        started = time.perf_counter()
        try:
            if row["act"] == "recall":
                if not isinstance(adapter, Recalls):
                    raise Rejected("recall.unsupported", GONE)
                await adapter.recall(*outgoing.recall_arguments(row["payload"]))
                SENDS.labels("recalled").inc()
                return sent.record_recalled
            receipt: Receipt = await adapter.send(outgoing.message(row, self._services.blobs))
        except (SendError, asyncio.CancelledError):
            raise
        except Exception as error:
            log.exception("the adapter of connection %s broke while sending", row["connection_id"])
            raise Uncertain("adapter.broken", BROKEN) from error
        finally:
            SEND_SECONDS.observe(time.perf_counter() - started)
        SENDS.labels("sent").inc()
        return lambda work, held: sent.record_sent(work, held, receipt)

    async def _outcome_of_error(
        self, row: Row, outgoing: Outgoing | None, error: SendError
    ) -> Callable[[Work, sent.Held], Awaitable[None]]:
        await self._note_error(row, error)
        if isinstance(error, RetryLater):
            SENDS.labels("retried").inc()
            return lambda work, held: sent.record_retry(work, held, error, after=error.after)
        if isinstance(error, Rejected):
            SENDS.labels("rejected").inc()
            return lambda work, held: sent.record_failed(work, held, error)
        repeats = row["act"] == "send" and outgoing is not None and self._deduplicates(outgoing.channel)
        if repeats:
            SENDS.labels("repeated").inc()
            return lambda work, held: sent.record_retry(work, held, error, after=1)
        SENDS.labels("uncertain").inc()
        return lambda work, held: sent.record_uncertain(work, held, error)

    async def _note_error(self, row: Row, error: SendError) -> None:
        try:
            await self._services.connections.note_error(
                row["connection_id"], error, attention=getattr(error, "needs_admin", False)
            )
        except LOST as away:
            log.warning("an error could not be noted, the database is away: %s", away)

    async def _write(self, row: Row, token: uuid.UUID, record: Callable[[Work, sent.Held], Awaitable[None]]) -> None:
        """The outcome is known and must not be forgotten because the database is away, however long: this goes on until it is
        written, or the row turns out to be somebody else's by now, or the process ends."""
        pause = 0.1
        while True:
            try:
                async with self._services.work() as work:
                    held = await sent.hold(work, row, token)
                    if held is not None:
                        await record(work, held)
                return
            except (*LOST, *RETRYABLE) as away:
                log.debug("the outcome of outbox row %s waits: %s", row["id"], away)
                await asyncio.sleep(pause)
                pause = min(pause * 2, 1.0)

    async def _sweep(self) -> bool:
        async with self._services.work() as work:
            abandoned = await outbox.abandoned(work.tx, work.now)
            if not abandoned:
                return False
            outgoing = await load(work.tx, [row["message_id"] for row in abandoned])
            for row in abandoned:
                conversation = await rows.lock_one(work, row["conversation_id"])
                if conversation is None:
                    continue
                held = sent.Held(row, conversation)
                found = outgoing.get(row["message_id"])
                error = Uncertain("send.interrupted", sent.CRASHED)
                # A recall may be repeated: it is done or it is not.
                if row["act"] == "recall" or (found is not None and self._deduplicates(found.channel)):
                    await sent.record_retry(work, held, error, after=0)
                elif found is not None and found.state == "sent":
                    await outbox.remove(work.tx, row["id"])
                else:
                    await sent.record_uncertain(work, held, error)
        return True

    def _deduplicates(self, channel: str) -> bool:
        able = self._services.connections.capabilities(channel)
        return able is not None and able.deduplicates_sends

    async def _again_on_conflict(self, attempt: Callable[[], Awaitable[T]]) -> T:
        for _ in range(4):
            try:
                return await attempt()
            except RETRYABLE:
                await asyncio.sleep(0.01)
        return await attempt()
