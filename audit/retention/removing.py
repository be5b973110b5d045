"""Removing what rules say, in small batches: each is one unit of work with the place in the pass, so killed on any line the next one goes on
where the last committed one ended, and nothing is removed twice or forgotten."""

from __future__ import annotations

from datetime import timedelta

from audit.retention.burying import bury
from audit.retention.holds import HELD, removing
from audit.retention.rules import DUE, FROM, RECORD_DUE, RECORD_FROM, RECORD_HELD, cutoff
from scrm.db import Row
from scrm.metrics import RETENTION_REMOVED
from scrm.services import Services, Work

# ruff: noqa: S608 - made of constants

AT_ONCE = 500
"""Ids of one batch."""
AGAIN_AFTER = timedelta(days=1)

NEXT = """
select id, kind, channel, days, at_id from retention_rule where enabled and due_at <= $1 order by due_at, id limit 1 for update skip locked
"""
MOVE = "update retention_rule set at_id = $2, removed = removed + $3, kept = $4 + case when at_id = 0 then 0 else kept end where id = $1"
PASSED = "update retention_rule set at_id = 0, passed_at = $2, due_at = $3 where id = $1"
UNTIL = "select max(id) from (select id from {table} where id > $1 order by id limit $2) x"
FIND = {
    kind: f"select m.id, ({HELD}) as held from {FROM} where {due} and m.id > $3 and m.id <= $4 order by m.id"
    for kind, due in DUE.items()
}
FIND_RECORDS = f"select r.id, {RECORD_HELD} as held from {RECORD_FROM} where {RECORD_DUE} and r.id > $3 and r.id <= $4 order by r.id"


async def round_of(services: Services) -> bool:
    """One batch of one rule. False: nothing is due."""
    async with services.work() as work:
        rule = await work.tx.fetchrow(NEXT, work.now)
        return rule is not None and await _batch(work, rule)


async def _batch(work: Work, rule: Row) -> bool:
    await removing(work.tx)
    records = rule["kind"] == "records"
    table = "archive_record" if records else "message"
    until = await work.tx.fetchval(UNTIL.format(table=table), rule["at_id"], AT_ONCE)
    if until is None:
        await work.tx.execute(PASSED, rule["id"], work.now, work.now + AGAIN_AFTER)
        return True
    find = FIND_RECORDS if records else FIND[rule["kind"]]
    rows = await work.tx.fetch(find, rule["channel"], cutoff(work.now, rule["days"]), rule["at_id"], until)
    goes = [row["id"] for row in rows if not row["held"]]
    kind = {"messages": "message", "media": "media", "records": "record"}[rule["kind"]]
    gone = await bury(work, kind, goes, "retention", None) if goes else 0  # type: ignore[arg-type]
    await work.tx.execute(MOVE, rule["id"], until, gone, len(rows) - len(goes))
    RETENTION_REMOVED.labels(rule["kind"]).inc(gone)
    return True
