"""Sends that have to leave: put in the transaction that makes the message, claimed with a lease, removed with the outcome.

Messages of one conversation leave in their order, one at a time. Lane 0 is the fast lane (greetings that must leave within
seconds): it has its own takers and does not wait for the conversation's order. What a claimed row means for the message is told
by ``inbox.dispatch``; this module only keeps the queue.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scrm.db import Row, Tx
from scrm.services import Work

FAST_LANE = 0
NORMAL_LANE = 1


def new_idempotency_key() -> str:
    """32 characters of 0-9a-f: what every platform takes as our own id of a message."""
    return secrets.token_hex(16)


async def put(
    work: Work,
    *,
    message_id: int,
    conversation_id: int,
    connection_id: int,
    act: str = "send",
    lane: int = NORMAL_LANE,
    payload: dict[str, Any] | None = None,
    give_up_at: datetime | None = None,
) -> None:
    await work.tx.execute(
        "insert into outbox (message_id, conversation_id, connection_id, act, lane, idempotency_key, payload, give_up_at, "
        "due_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (message_id, act) do nothing",
        message_id,
        conversation_id,
        connection_id,
        act,
        lane,
        new_idempotency_key(),
        payload or {},
        give_up_at,
        work.now,
    )
    work.ring("outbox", connection_id)


@dataclass(frozen=True, slots=True)
class Send:
    message_id: int
    conversation_id: int
    connection_id: int
    payload: dict[str, Any]
    give_up_at: datetime | None


async def put_many(work: Work, sends: Sequence[Send]) -> None:
    """Several sends of the normal lane, in one statement."""
    await work.tx.execute(
        "insert into outbox (message_id, conversation_id, connection_id, act, lane, idempotency_key, payload, give_up_at, due_at) "
        "select w.message_id, w.conversation_id, w.connection_id, 'send', $6, w.key, w.payload, w.give_up_at, $7 "
        "from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::jsonb[], $8::timestamptz[]) "
        "w (message_id, conversation_id, connection_id, key, payload, give_up_at) on conflict (message_id, act) do nothing",
        [one.message_id for one in sends],
        [one.conversation_id for one in sends],
        [one.connection_id for one in sends],
        [new_idempotency_key() for _ in sends],
        [one.payload for one in sends],
        NORMAL_LANE,
        work.now,
        [one.give_up_at for one in sends],
    )
    for connection_id in {one.connection_id for one in sends}:
        work.ring("outbox", connection_id)


CLAIM = """
with ready as (
  select o.id from outbox o join connection c on c.id = o.connection_id
  where o.state = 'queued' and o.lane = $1 and o.due_at <= $2 and c.paused_at is null
    and o.connection_id <> all($3::bigint[])
    and (o.lane = 0 or not exists (
      select 1 from outbox e where e.conversation_id = o.conversation_id and e.id < o.id and e.lane = o.lane))
  order by o.due_at, o.id limit $4
  for update of o skip locked
)
update outbox o set state = 'sending', attempts = attempts + 1, lease_until = $5, lease_token = $6
from ready where o.id = ready.id
returning o.*
"""


async def claim(
    tx: Tx, *, lane: int, now: datetime, busy: Sequence[int], limit: int, lease_until: datetime, token: uuid.UUID
) -> list[Row]:
    """Takes due rows, but none of the connections in ``busy``."""
    return await tx.fetch(CLAIM, lane, now, list(busy), limit, lease_until, token)


async def abandoned(tx: Tx, now: datetime, limit: int = 200) -> list[Row]:
    """Locks rows whose sender died in the middle; nobody knows what became of them."""
    return await tx.fetch(
        "select * from outbox where state = 'sending' and lease_until < $1 order by id limit $2 for update skip locked",
        now,
        limit,
    )


async def holds(tx: Tx, row_id: int, token: uuid.UUID) -> bool:
    """Locks the row; False when the lease was lost to somebody else."""
    return bool(
        await tx.fetchval("select true from outbox where id = $1 and lease_token = $2 for update", row_id, token)
    )


async def put_back(tx: Tx, row_id: int, due_at: datetime, *, doubt: bool) -> None:
    """To be tried again. ``doubt``: the attempt that just ended may have arrived."""
    await tx.execute(
        "update outbox set state = 'queued', due_at = $2, doubt = doubt or $3, lease_until = null, lease_token = null "
        "where id = $1",
        row_id,
        due_at,
        doubt,
    )


async def remove(tx: Tx, row_id: int) -> None:
    await tx.execute("delete from outbox where id = $1", row_id)
