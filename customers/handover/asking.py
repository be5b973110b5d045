"""The platforms' side of handovers.

A batch is marked ``asking`` before the call. Whatever happens then, a crash included, its outcome is found out: from the answer, or
from the platform's own list of results (``uncertain`` until then). Only what certainly was not done is asked for again by itself;
what a person or the platform refused stays so until somebody decides.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from scrm.channel_contacts import TransferAnswer, TransfersRelations, TransferState
from scrm.connections import Loaded
from scrm.db import Row
from scrm.errors import NotFound, Rejected, RetryLater, SendError, Uncertain
from scrm.services import Services, Work

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=3)
LOOK_AGAIN = timedelta(hours=1)
MOST_TRIES = 50
CLAIM = """
with first as (
  select handover_id, kind, connection_id, from_external, to_external, state from handover_item
  where next_at <= $1 and connection_id is not null order by next_at, id limit 1 for update skip locked
)
select i.id, i.handover_id, i.kind, i.state, i.connection_id, i.from_external, i.to_external, i.external_id, i.tries
from handover_item i join first f using (handover_id, kind, connection_id, from_external, to_external, state)
where i.next_at <= $1 order by i.id limit $2 for update of i skip locked
"""
LEFT = """
select coalesce((h.data->>'left')::boolean, false) or exists (select from directory_member m
  where m.connection_id = $2 and m.external_id = $3 and (m.status = 'left' or m.left_at is not null)) as gone, h.data->>'text' as text
from handover h where h.id = $1
"""
ASKING = (
    "update handover_item set state = $2, next_at = $3, tries = tries + 1, updated_at = $4 where id = any($1::bigint[])"
)
SETTLE = """
update handover_item i set state = w.state, code = w.code, reason = w.reason, next_at = w.next_at,
  effective_at = coalesce(w.effective_at, i.effective_at), updated_at = $6
from unnest($1::bigint[], $2::text[], $3::text[], $4::jsonb[], $5::timestamptz[], $7::timestamptz[])
  w (id, state, code, reason, next_at, effective_at)
where i.id = w.id and i.state in ('asking', 'uncertain', 'waiting')
"""
# Nobody tells of the relations of somebody who left: where they went is known from here alone.
ENDED = """
update contact_link l set state = 'transferred', ended_at = $2, updated_at = $2 from handover_item i
where i.id = any($1::bigint[]) and i.kind = 'relation' and i.state = 'done' and l.id = i.object_id and l.state = 'active'
"""
READ_AGAIN = """
update group_chat g set due_at = $2 from handover_item i
where i.id = any($1::bigint[]) and i.kind = 'group' and i.state = 'done' and g.id = i.object_id
"""
FINISHED = """
update handover h set state = 'done', finished_at = $2, updated_at = $2 where h.id = $1 and h.state = 'waiting'
  and not exists (select from handover_item i where i.handover_id = h.id and i.state in ('queued', 'asking', 'uncertain', 'waiting'))
"""
MOST = 1000


class Asking:
    def __init__(self, services: Services) -> None:
        self._services = services

    async def round(self) -> bool:
        """One call (or one reading of results) for one pair of members. False: nothing is due."""
        async with self._services.work() as work:
            rows = await work.tx.fetch(CLAIM, work.now, MOST)
            if not rows:
                return False
            adapter = await self._adapter(rows[0])
            if adapter is None:
                await _later(work, rows, rows[0]["state"], timedelta(minutes=1))
                return True
            facts = await work.tx.fetchrow(
                LEFT, rows[0]["handover_id"], rows[0]["connection_id"], rows[0]["from_external"]
            )
            assert facts is not None
            fresh = rows[0]["state"] == "queued"
            if fresh:
                most = adapter.transfer_batch if rows[0]["kind"] == "relation" else adapter.group_transfer_batch
                rows = rows[:most]
            # Who asked and died leaves `asking` behind: that is uncertain from now on.
            await work.tx.execute(
                ASKING,
                [row["id"] for row in rows],
                "asking" if fresh else _doubt(rows[0]["state"]),
                work.now + LEASE,
                work.now,
            )
        if fresh:
            await self._ask(adapter, rows, left=facts["gone"], text=facts["text"] or "")
        else:
            await self._look(adapter, rows, left=facts["gone"])
        return True

    async def _adapter(self, row: Row) -> TransfersRelations | None:
        try:
            loaded: Loaded = await self._services.connections.get(row["connection_id"])
        except NotFound:
            return None
        return loaded.adapter if isinstance(loaded.adapter, TransfersRelations) and not loaded.paused else None

    async def _ask(self, adapter: TransfersRelations, rows: Sequence[Row], *, left: bool, text: str) -> None:
        first, ids = rows[0], [row["external_id"] for row in rows]
        try:
            if first["kind"] == "group":
                answers = await adapter.transfer_groups(ids, first["to_external"], left=left)
            else:
                answers = await adapter.transfer(
                    first["from_external"],
                    first["to_external"],
                    ids,
                    left=left,
                    text=text[: adapter.transfer_text_limit],
                )
        except Uncertain as error:
            await self._settle(rows, "uncertain", error, timedelta(seconds=20))
        except RetryLater as error:
            given_up = first["tries"] >= MOST_TRIES
            await self._settle(rows, "failed" if given_up else "queued", error, timedelta(seconds=max(error.after, 1)))
        except Rejected as error:
            await self._settle(rows, "failed", error, None)
        else:
            await self._take(rows, answers)

    async def _look(self, adapter: TransfersRelations, rows: Sequence[Row], *, left: bool) -> None:
        """What became of those that wait, and of those of whom nobody knows."""
        if rows[0]["kind"] == "group":
            # A group has one owner: asking again for one that moved already is answered with that.
            await self._settle(rows, "queued", None, timedelta(0))
            return
        answers: list[TransferAnswer] = []
        cursor = ""
        try:
            while True:
                page, cursor = await adapter.transfer_results(
                    rows[0]["from_external"], rows[0]["to_external"], left=left, cursor=cursor
                )
                answers += page
                if not cursor:
                    break
        except SendError as error:
            log.info("results of a handover could not be read: %s", error.code)
            after = error.after if isinstance(error, RetryLater) else 60.0
            async with self._services.work() as work:
                await _later(work, rows, _doubt(rows[0]["state"]), timedelta(seconds=max(after, 1)))
            return
        await self._take(rows, answers, unknown="waiting" if rows[0]["state"] == "waiting" else "queued")

    async def _take(self, rows: Sequence[Row], answers: Sequence[TransferAnswer], unknown: str = "failed") -> None:
        """``unknown``: what those are of whom the platform said nothing."""
        said = {answer.external_id: answer for answer in answers}
        now = self._services.clock.now()
        settled = []
        for row in rows:
            answer = said.get(row["external_id"])
            state = answer.state.value if answer is not None else unknown
            settled.append((row["id"], state, answer, _next(state, answer, now)))
        await self._write(rows[0]["handover_id"], settled)

    async def _settle(self, rows: Sequence[Row], state: str, error: SendError | None, wait: timedelta | None) -> None:
        now = self._services.clock.now()
        at = now + wait if wait is not None and state != "failed" else None
        answer = TransferAnswer("", TransferState.FAILED, error.code, error.reason) if error is not None else None
        await self._write(rows[0]["handover_id"], [(row["id"], state, answer, at) for row in rows])

    async def _write(
        self, handover_id: int, settled: Sequence[tuple[int, str, TransferAnswer | None, datetime | None]]
    ) -> None:
        async with self._services.work() as work:
            reasons = [
                {"zh": answer.reason.zh, "en": answer.reason.en}
                if answer is not None and answer.reason is not None
                else None
                for _, _, answer, _ in settled
            ]
            await work.tx.execute(
                SETTLE, [one[0] for one in settled], [one[1] for one in settled],
                [one[2].code if one[2] is not None else "" for one in settled], reasons, [one[3] for one in settled],
                work.now, [one[2].at if one[2] is not None else None for one in settled],
            )  # fmt: skip
            done = [one[0] for one in settled if one[1] == "done"]
            if done:
                await work.tx.execute(ENDED, done, work.now)
                await work.tx.execute(READ_AGAIN, done, work.now)
            await work.tx.execute(FINISHED, handover_id, work.now)
            work.ring("handover", handover_id)


def _doubt(state: str) -> str:
    return "waiting" if state == "waiting" else "uncertain"


def _next(state: str, answer: TransferAnswer | None, now: datetime) -> datetime | None:
    """Those that wait are looked at when they should be through, and hourly: who refuses does so before."""
    if state == "queued":
        return now
    if state != "waiting":
        return None
    soon = now + LOOK_AGAIN
    return soon if answer is None or answer.at is None or answer.at <= now else min(soon, answer.at)


async def _later(work: Work, rows: Sequence[Row], state: str, wait: timedelta) -> None:
    await work.tx.execute(
        "update handover_item set state = $2, next_at = $3, updated_at = $4 where id = any($1::bigint[])",
        [row["id"] for row in rows], state, work.now + wait, work.now,
    )  # fmt: skip
