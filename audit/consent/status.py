"""Who is archived and who is not, and how many customers agreed, for those who look after the connections."""

from __future__ import annotations

from datetime import datetime

from scrm.db import Tx
from scrm.views import SentenceView, View

MOST = 500
STATE = "select read_at, trouble, trouble_since, channel from archive_people where connection_id = $1"
# Employees as the directory knows them; where it was never read, those who have an account.
EMPLOYEES = """
select a.external_id, coalesce(nullif(d.name, ''), a.name) as name, p.since, p.external_id is not null and p.until is null as permitted
from account a left join directory_member d on d.connection_id = a.connection_id and d.external_id = a.external_id
left join archive_permit p on p.connection_id = a.connection_id and p.external_id = a.external_id
where a.connection_id = $1 and a.channel = $2 and a.disabled_at is null and d.left_at is null
order by 4, a.name, a.id limit $3
"""
UNKNOWN = """
select p.external_id, coalesce(d.name, '') as name, p.since, true as permitted from archive_permit p
left join directory_member d on d.connection_id = p.connection_id and d.external_id = p.external_id
where p.connection_id = $1 and p.until is null
  and not exists (select from account a where a.connection_id = $1 and a.channel = $2 and a.external_id = p.external_id)
order by p.external_id limit $3
"""
CONSENT = "select state, count(*) as n from archive_consent where connection_id = $1 group by 1"


class ArchivedEmployee(View):
    external_id: str
    name: str
    permitted: bool
    since: datetime | None


class ConsentCounts(View):
    """Chats of two with customers; ``unknown``: not asked yet, or not told."""

    agreed: int
    by_default: int
    refused: int
    unknown: int


class ArchivePeople(View):
    """``read_at`` null: the list was not read yet. Who is not archived comes first."""

    read_at: datetime | None
    trouble: SentenceView | None
    trouble_since: datetime | None
    employees: list[ArchivedEmployee]
    consent: ConsentCounts


async def people(tx: Tx, connection_id: int) -> ArchivePeople:
    state = await tx.fetchrow(STATE, connection_id)
    counts = {row["state"]: row["n"] for row in await tx.fetch(CONSENT, connection_id)}
    listed = state is not None and state["read_at"] is not None
    employees = []
    if state is not None and listed:
        for statement in (EMPLOYEES, UNKNOWN):
            employees += await tx.fetch(statement, connection_id, state["channel"], MOST)
    trouble = state["trouble"] if state is not None else None
    return ArchivePeople(
        read_at=state["read_at"] if state is not None else None,
        trouble=SentenceView(code=trouble["code"], zh=trouble["zh"], en=trouble["en"]) if trouble else None,
        trouble_since=state["trouble_since"] if state is not None else None,
        employees=[
            ArchivedEmployee(
                external_id=row["external_id"],
                name=row["name"] or row["external_id"],
                permitted=row["permitted"],
                since=row["since"] if row["permitted"] else None,
            )
            for row in employees
        ],
        consent=ConsentCounts(
            agreed=counts.get("agreed", 0),
            by_default=counts.get("by_default", 0),
            refused=counts.get("refused", 0),
            unknown=counts.get("", 0),
        ),
    )
