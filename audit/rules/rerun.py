"""Looking back: rules over what was written before, from the newest to the oldest. A stretch at a time, each with how far it came in one unit
of work, so that a process may end anywhere and another goes on; what was found before is not found twice."""

from __future__ import annotations

from datetime import datetime

from audit.following import safe_ceiling
from audit.rules.book import Book, only
from audit.rules.kinds import OF_MESSAGES
from audit.rules.said import MESSAGES, find_hits
from audit.rules.writing import FORGET, write_hits
from scrm.db import RETRYABLE
from scrm.errors import Conflict, NotFound, Unprocessable
from scrm.permissions import Principal
from scrm.services import Services, Work
from scrm.trail import record

AT_ONCE = 5000
ASK = """
insert into audit_rerun (rule_id, since, alerts, from_id, at_id, to_id, asked_by, asked_at)
values ($1, $2, $3, $4, $4, $5, $6, $7) on conflict do nothing returning id
"""
NEXT = "select id, rule_id, since, alerts, at_id, to_id from audit_rerun where state = 'running' order by id limit 1 for update skip locked"
MOVE = """
update audit_rerun set at_id = $2, looked = looked + $3, found = found + $4, raised = raised + $5,
  state = case when $2 <= to_id then 'done' else state end, finished_at = case when $2 <= to_id then $6::timestamptz end
where id = $1
"""
STOP = (
    "update audit_rerun set state = 'stopped', finished_at = $2 where rule_id = $1 and state = 'running' returning id"
)


async def look_back(work: Work, principal: Principal, rule_id: int, since: datetime | None, alerts: bool) -> int:
    """Raises :class:`NotFound`, :class:`Unprocessable` for what cannot look back, :class:`Conflict` while it does already."""
    book = await only(work.tx, rule_id)
    if not book.rules:
        raise NotFound("There is no such rule.")
    if book.rules[0].kind not in OF_MESSAGES:
        raise Unprocessable(
            "This rule looks at what happens, not at messages: it finds what comes from now on.", code="looks_ahead"
        )
    top = await safe_ceiling(work.tx, "message")
    bottom = await _bottom(work, since) if since is not None else 0
    made = await work.tx.fetchval(ASK, rule_id, since, alerts, top, bottom, principal.agent_id, work.now)
    if made is None:
        raise Conflict("This rule is looking back already. Wait for it, or stop it.", code="looks_back")
    await record(
        work, "audit_rule.looked_back", agent_id=principal.agent_id, object_kind="audit_rule", object_id=rule_id,
        detail={"since": since.isoformat() if since else None, "alerts": alerts},
    )  # fmt: skip
    work.ring("audit_rerun")
    return int(made)


async def stop(work: Work, principal: Principal, rule_id: int) -> None:
    """Raises :class:`NotFound` when it is not looking back."""
    if await work.tx.fetchval(STOP, rule_id, work.now) is None:
        raise NotFound("This rule is not looking back.")
    await record(work, "audit_rule.stopped", agent_id=principal.agent_id, object_kind="audit_rule", object_id=rule_id)


async def _bottom(work: Work, since: datetime) -> int:
    """Below which id nothing was written since then, by halving: rows of one moment lie together."""
    low, high = 0, int(await work.tx.fetchval("select coalesce(max(id), 0) from message")) + 1
    while low < high:
        middle = (low + high) // 2
        row = await work.tx.fetchrow("select id, created_at from message where id > $1 order by id limit 1", middle)
        if row is None or row["created_at"] >= since:
            high = middle
        else:
            low = int(row["id"])
    return low


class Backlooker:
    """:meth:`round` takes the next stretch of one that is running. True: there is more."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._compiled: tuple[int, int, Book] | None = None

    async def round(self) -> bool:
        try:
            async with self._services.work() as work:
                row = await work.tx.fetchrow(NEXT)
                if row is None:
                    self._compiled = None
                    return False
                after = max(row["at_id"] - AT_ONCE, row["to_id"])
                book = await self._book(work, row["rule_id"])
                messages = await work.tx.fetch(MESSAGES, after, row["at_id"]) if book.rules else []
                if row["since"] is not None:
                    messages = [one for one in messages if one["sent_at"] >= row["since"]]
                hits = await find_hits(work.tx, book, messages)
                if book.rules and row["since"] is None:
                    await work.tx.execute(
                        FORGET, row["rule_id"], after, row["at_id"], [one.message["id"] for one in hits]
                    )
                written = await write_hits(work, hits, alerts=row["alerts"], quiet=True)
                until = after if book.rules else row["to_id"]
                await work.tx.execute(MOVE, row["id"], until, len(messages), written.hits, written.alerts, work.now)
                work.ring("alert")
        except RETRYABLE:
            return True
        return True

    async def _book(self, work: Work, rule_id: int) -> Book:
        version = await work.tx.fetchval("select version from audit_rule where id = $1", rule_id)
        if self._compiled is None or self._compiled[:2] != (rule_id, version):
            self._compiled = (rule_id, version, await only(work.tx, rule_id))
        return self._compiled[2]
