"""Who did what: one line per act, in the same unit of work as the act itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scrm.services import Work

RECORD = """
insert into audit_event (at, agent_id, action, object_kind, object_id, address, detail)
values ($1, $2, $3, $4, $5, $6, $7)
"""


async def record(
    work: Work,
    action: str,
    *,
    agent_id: int | None,
    object_kind: str = "",
    object_id: int | None = None,
    address: str = "",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """``action`` is dotted and past tense, ``session.opened``. ``detail`` must hold no secret and no message text."""
    await work.tx.execute(RECORD, work.now, agent_id, action, object_kind, object_id, address, dict(detail or {}))
