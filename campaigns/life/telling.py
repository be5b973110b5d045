"""What people hear of campaigns through their notices."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from scrm.auth import principal_of
from scrm.db import Row
from scrm.notices import notify
from scrm.permissions import CAMPAIGNS_APPROVE
from scrm.services import Work
from scrm.sessions import WHO

EVERYBODY = f"select {WHO} from agent a join role r on r.key = a.role where a.disabled_at is null"  # noqa: S608 - made of constants


async def approvers(work: Work, *, but: int) -> list[int]:
    """Who could be the second person."""
    people = [principal_of(row) for row in await work.tx.fetch(EVERYBODY)]
    return [one.agent_id for one in people if one.may(CAMPAIGNS_APPROVE) and one.agent_id != but]


async def tell_approvers(work: Work, row: Row, agent_ids: Iterable[int], by: int) -> None:
    key = f"campaign:{row['id']}:asked:{row['version']}:{row['submitted_at'].isoformat()}"
    await notify(work, agent_ids, "campaign_asked", key, by=by, data=_of(row, recipients=row["recipients"]))


async def tell_decision(work: Work, row: Row, by: int, *, approved: bool, note: str) -> None:
    people = {row["created_by"], row["submitted_by"]} - {by, None}
    key = f"campaign:{row['id']}:decided:{row['decided_at'].isoformat()}"
    kind = "campaign_approved" if approved else "campaign_refused"
    await notify(work, people, kind, key, by=by, data=_of(row, note=note))


async def tell_missed(
    work: Work, row: Row, due_at: datetime, reason: dict[str, str], count: int, *, also: Iterable[int] = ()
) -> None:
    """``count``: so many dates, the latest of them ``due_at``. ``also``: who else hears of it."""
    key = f"campaign:{row['id']}:missed:{due_at.isoformat()}:{reason['code']}"
    await notify(
        work,
        {*_whose(row), *also},
        "campaign_missed",
        key,
        data=_of(row, due_at=due_at.isoformat(), why=reason, count=count),
    )


async def tell_finished(work: Work, row: Row) -> None:
    key = f"campaign:{row['id']}:finished:{work.now.isoformat()}"
    await notify(work, _whose(row), "campaign_finished", key, data=_of(row))


def _whose(row: Row) -> set[int]:
    return {row["created_by"], row["submitted_by"]} - {None}


def _of(row: Row, **more: Any) -> dict[str, Any]:
    return {"campaign_id": row["id"], "name": row["name"], **more}
