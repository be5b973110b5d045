"""The story of a customer: any part of the service adds its lines here, in its own unit of work. Messages are not copied into it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from scrm.services import Work

INSERT = """
insert into timeline (customer_id, at, kind, agent_id, account_id, contact_id, object_kind, object_id, data)
select * from unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[],
  $8::bigint[], $9::jsonb[])
"""


@dataclass(frozen=True, slots=True)
class Line:
    """``kind`` is dotted and past tense (``follow_up.noted``, ``stage.changed``, ``owner.changed``, ``tag.added``); the page has
    words for each. ``data`` says what the words need, without phone numbers and without what was said in messages."""

    customer_id: int
    kind: str
    at: datetime | None = None
    """None: the moment of the unit of work."""
    agent_id: int | None = None
    account_id: int | None = None
    contact_id: int | None = None
    object_kind: str = ""
    object_id: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


async def tell(work: Work, lines: Sequence[Line]) -> None:
    """Adds lines in one statement, and rings for their customers."""
    if not lines:
        return
    await work.tx.execute(
        INSERT,
        [line.customer_id for line in lines],
        [line.at or work.now for line in lines],
        [line.kind for line in lines],
        [line.agent_id for line in lines],
        [line.account_id for line in lines],
        [line.contact_id for line in lines],
        [line.object_kind for line in lines],
        [line.object_id for line in lines],
        [dict(line.data) for line in lines],
    )
    work.ring("customer", *{line.customer_id for line in lines})
