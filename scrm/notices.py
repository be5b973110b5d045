"""Notices to agents: a row each, pushed to their browsers, kept until read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from scrm.services import Work

INSERT = """
insert into notification (agent_id, kind, conversation_id, message_id, by_agent_id, dedupe_key, data, created_at, customer_id,
  task_id)
select a.id, $2, $3, $4, $5, $6, $7, $8, $9, $10 from agent a where a.id = any($1::bigint[]) and a.disabled_at is null
on conflict (agent_id, dedupe_key) do nothing returning agent_id
"""


async def notify(
    work: Work,
    agent_ids: Iterable[int],
    kind: str,
    dedupe_key: str,
    *,
    conversation_id: int | None = None,
    message_id: int | None = None,
    customer_id: int | None = None,
    task_id: int | None = None,
    by: int | None = None,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Tells each of the agents once per ``dedupe_key``. ``kind``: ``mention``, ``assigned``, ``transfer_asked``,
    ``transfer_declined``, ``sla_warning``, ``sla_breached``, ``send_failed``, ``woke``, ``task_due``, ``task_given`` …: what the page words and people
    switch on and off. ``data`` holds no phone number and no secret."""
    wanted = sorted(set(agent_ids))
    if not wanted:
        return
    arguments = (kind, conversation_id, message_id, by, dedupe_key, dict(data or {}), work.now, customer_id, task_id)
    told = await work.tx.fetch(INSERT, wanted, *arguments)
    if told:
        work.ring("notification", *(row["agent_id"] for row in told))
