"""Reading bills: nobody tells of a payment, so they are asked for, window by window, again and again.

A page, the place behind it and what it changed are one transaction. Windows overlap, and once a day the last months are read again: a bill
that was refunded days later is found then. What is told twice is one row.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from audit.payments.writing import NewPayment, write_payments
from scrm.channel_payments import Bill, ListsBills
from scrm.connections import Loaded
from scrm.db import Row
from scrm.errors import NotFound, RetryLater, SendError
from scrm.services import Services, Work

log = logging.getLogger(__name__)

LOOK = timedelta(minutes=5)
OVERLAP = timedelta(hours=2)
HISTORY = timedelta(days=365)
AGAIN_EVERY = timedelta(days=1)
AGAIN_BACK = timedelta(days=90)
"""How far back changes of bills are looked for, once a day."""
LONGEST_PAUSE = 1800.0
NOT_ALLOWED = timedelta(minutes=30)

KNOW = "insert into payment_bills (connection_id, due_at) select $1, $2 on conflict do nothing"
CLAIM = """
with due as (
  select b.connection_id from payment_bills b join connection c on c.id = b.connection_id
  where c.paused_at is null and b.due_at <= $1 and (b.lease_until is null or b.lease_until < $1)
  order by b.due_at limit 1 for update of b skip locked
)
update payment_bills b set lease_until = $2, lease_token = $3 from due where b.connection_id = due.connection_id returning b.*
"""
OPEN = """
update payment_bills set window_begin = $3, window_end = $4, cursor = '', lease_until = $5,
  read_until = $6, again_at = $7 where connection_id = $1 and lease_token = $2
"""
MOVE = """
update payment_bills set cursor = $4, lease_until = $5, looked_at = $6, trouble = null, trouble_since = null, failures = 0
where connection_id = $1 and lease_token = $2 and cursor = $3
"""
CLOSE = """
update payment_bills set cursor = '', window_begin = null, window_end = null, read_until = greatest(read_until, window_end), lease_until = $4,
  looked_at = $5, trouble = null, trouble_since = null, failures = 0 where connection_id = $1 and lease_token = $2 and cursor = $3
"""
FINISH = "update payment_bills set due_at = $3, lease_until = null, lease_token = null where connection_id = $1 and lease_token = $2"
BACK_OFF = """
update payment_bills set failures = failures + 1, due_at = $3, lease_until = null, lease_token = null, trouble = $4,
  trouble_since = coalesce(trouble_since, $5), cursor = case when $6 then '' else cursor end
where connection_id = $1 and lease_token = $2
"""


@dataclass(slots=True)
class Place:
    """Where the reading of one connection stands."""

    begin: datetime
    end: datetime
    cursor: str


def bills_of(loaded: Loaded) -> ListsBills | None:
    return loaded.adapter if isinstance(loaded.adapter, ListsBills) else None


class BillReader:
    """:meth:`round` reads the bills of one connection up to now. Any number of processes; one at a time has a connection, by its lease."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lease = timedelta(seconds=max(services.settings.worker.lease_seconds, 60.0))

    async def round(self) -> bool:
        now, token = self._services.clock.now(), uuid.uuid4()
        await self._know(now)
        row = await self._services.db.fetchrow(CLAIM, now, now + self._lease, token)
        if row is None:
            return False
        connection_id: int = row["connection_id"]
        try:
            platform = bills_of(await self._services.connections.get(connection_id))
        except NotFound:
            platform = None
        if platform is None:
            await self._services.db.execute(FINISH, connection_id, token, now + NOT_ALLOWED)
            return True
        try:
            if await self._up_to_now(row, platform, token):
                await self._services.db.execute(FINISH, connection_id, token, self._services.clock.now() + LOOK)
        except SendError as error:
            await self._pause(row, token, error)
        return True

    async def _know(self, now: datetime) -> None:
        wanted = [one.id for one in self._services.connections.all() if bills_of(one) is not None]
        known = {
            row["connection_id"] for row in await self._services.db.fetch("select connection_id from payment_bills")
        }
        for connection_id in wanted:
            if connection_id not in known:
                await self._services.db.execute(KNOW, connection_id, now)

    async def _up_to_now(self, row: Row, platform: ListsBills, token: uuid.UUID) -> bool:
        """False: another process has it."""
        read_until, again_at = row["read_until"], row["again_at"]
        # A window whose end is not reached goes on where it stopped, also in another process.
        place = None if row["window_begin"] is None else Place(row["window_begin"], row["window_end"], row["cursor"])
        stop = self._services.clock.now()
        while True:
            if place is None:
                if read_until is not None and read_until >= stop:
                    return True
                now = self._services.clock.now()
                if read_until is None:
                    begin, again_at = now - HISTORY, now
                elif again_at is None or now - again_at >= AGAIN_EVERY:
                    # Back to where changes are looked for: the windows lead up to now again.
                    begin, again_at, read_until = min(read_until, now - AGAIN_BACK), now, None
                else:
                    begin = read_until - OVERLAP
                place = Place(begin, min(begin + platform.bill_window, now), "")
                opened = await self._services.db.execute(
                    OPEN, row["connection_id"], token, place.begin, place.end, now + self._lease, read_until, again_at
                )
                if opened != "UPDATE 1":
                    return False
            bills, cursor = await platform.bills(since=place.begin, until=place.end, cursor=place.cursor)
            async with self._services.work() as work:
                if not await self._store(
                    work, row["connection_id"], platform.bill_channel, token, place.cursor, cursor, bills
                ):
                    log.warning("the bills of connection %s went to another process", row["connection_id"])
                    return False
            if cursor:
                place.cursor = cursor
            else:
                read_until, place = max(read_until or place.end, place.end), None

    async def _store(
        self,
        work: Work,
        connection_id: int,
        channel: str,
        token: uuid.UUID,
        before: str,
        after: str,
        bills: Sequence[Bill],
    ) -> bool:
        lease = work.now + self._lease
        if after:
            moved = await work.tx.execute(MOVE, connection_id, token, before, after, lease, work.now)
        else:
            moved = await work.tx.execute(CLOSE, connection_id, token, before, lease, work.now)
        if moved != "UPDATE 1":
            return False
        await write_payments(work, connection_id, [one for bill in bills for one in payments_of(bill, channel)])
        return True

    async def _pause(self, row: Row, token: uuid.UUID, error: SendError) -> None:
        now = self._services.clock.now()
        wait = min(2.0 ** min(row["failures"] + 1, 12), LONGEST_PAUSE)
        if isinstance(error, RetryLater):
            wait = max(wait, error.after)
        elif row["failures"] > 0:
            wait = max(wait, NOT_ALLOWED.total_seconds())
        trouble: Mapping[str, Any] = {"code": error.code, "zh": error.reason.zh, "en": error.reason.en}
        # A refused page may be one whose cursor is forgotten: its window begins again.
        again = not isinstance(error, RetryLater)
        await self._services.db.execute(
            BACK_OFF, row["connection_id"], token, now + timedelta(seconds=wait), trouble, now, again
        )


def payments_of(bill: Bill, channel: str) -> list[NewPayment]:
    """A receipt with the refunds it tells of, or a refund's own bill. A refund is one row, whichever tells of it."""
    if bill.kind == "refund":
        return [
            NewPayment(
                "bill", f"refund:{bill.refund_id}", "refund", "out", bill.amount_fen, channel, bill.at, bill.payee_id, bill.payer_id,
                trade_id=bill.trade_id, way=bill.way, note=bill.note, dated=True,
            )
        ]  # fmt: skip
    receipt = NewPayment(
        "bill", f"bill:{bill.bill_id}", bill.kind, "in", bill.amount_fen, channel, bill.at, bill.payee_id, bill.payer_id,
        refunded_fen=bill.refunded_fen, trade_id=bill.trade_id, way=bill.way, note=bill.note,
    )  # fmt: skip
    refunds = [
        NewPayment(
            "bill", f"refund:{one.refund_id}", "refund", "out", one.amount_fen, channel, one.at, one.by or bill.payee_id, bill.payer_id,
            trade_id=bill.trade_id, way=bill.way, note=one.note, exact=True,
        )
        for one in bill.refunds
        if one.state == "done"
    ]  # fmt: skip
    return [receipt, *refunds]
