"""Saved searches at work: each is looked for in what came since, with its owner's reach as of now, and raises an alert for each new find.

A search has its own place, which moves in the transaction that raises its alerts, and never past a message that is still being written.
Killed anywhere, the stretch is looked at again, and the same find is the same alert.
"""

from __future__ import annotations

import logging

from pydantic import ValidationError

from audit.alerts.raising import NewAlert, raise_alerts
from audit.following import safe_ceiling
from audit.search.filters import wanted_of
from audit.search.grammar import terms_of
from audit.search.shapes import Filter
from inbox.search_engine import Search
from scrm.auth import principal_of
from scrm.db import Row
from scrm.permissions import AUDIT_READ, Scope
from scrm.services import Services, Work
from scrm.sessions import WHO

# ruff: noqa: S608 - made of constants

log = logging.getLogger(__name__)

AT_ONCE = 5000
"""Ids of messages that a search looks at in one round."""
COLUMNS = ("m.id as message_id", "m.conversation_id", "m.sent_at", "c.account_id", "m.sender_agent_id")
DUE = """
select s.id, s.agent_id, s.name, s.filter, s.severity, s.last_id from audit_search s
where s.alerts and s.deleted_at is null and s.last_id < $1 order by s.last_id, s.id limit 1 for update of s skip locked
"""
OWNER = f"select {WHO} from agent a join role r on r.key = a.role where a.id = $1 and a.disabled_at is null"
MOVE = """
update audit_search set last_id = $2, found = found + $3, found_at = case when $3 > 0 then $4 else found_at end where id = $1
"""


async def look(services: Services) -> bool:
    """One search. True: there are more."""
    async with services.work() as work:
        ceiling = await safe_ceiling(work.tx, "message")
        search = await work.tx.fetchrow(DUE, ceiling)
        if search is None:
            return False
        until = min(ceiling, search["last_id"] + AT_ONCE)
        finds = await _finds(work, search, until)
        new = await raise_alerts(work, [_alert(search, row) for row in finds])
        await work.tx.execute(MOVE, search["id"], until, new, work.now)
        return True


async def _finds(work: Work, search: Row, until: int) -> list[Row]:
    """What its owner would find. Nothing for who may not search (any more)."""
    row = await work.tx.fetchrow(OWNER, search["agent_id"])
    owner = principal_of(row) if row is not None else None
    if owner is None or not owner.may(AUDIT_READ):
        return []
    try:
        query = Filter.model_validate(search["filter"])
    except ValidationError:
        # Kept by another version of the program. It must not hold up the others.
        log.warning("saved search %s is not understood any more: it does not alert", search["id"])
        await work.tx.execute("update audit_search set alerts = false where id = $1", search["id"])
        return []
    wanted = await wanted_of(work.tx, Scope.of(owner), query, await terms_of(work.tx, query.q))
    rows, _ = await Search(
        work.tx, wanted, limit=AT_ONCE + 1, below=until + 1, above=search["last_id"], columns=COLUMNS, seconds=600
    ).run()
    return rows


def _alert(search: Row, row: Row) -> NewAlert:
    name = search["name"]
    return NewAlert(
        kind="search",
        severity=search["severity"],
        title={"zh-CN": f"保存的搜索「{name}」有新的命中", "en": f"New find of the saved search “{name}”"},
        fingerprint=f"search:{search['id']}:{row['message_id']}",
        happened_at=row["sent_at"],
        conversation_id=row["conversation_id"],
        message_id=row["message_id"],
        account_id=row["account_id"],
        agent_id=row["sender_agent_id"],
        assignee_id=search["agent_id"],
        detail={"search_id": search["id"]},
    )
