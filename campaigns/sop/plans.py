"""Plans as rows, and what each of their versions says."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from pydantic import ValidationError

from campaigns.sop.shapes import SopPlan
from scrm.db import Database, Row, Tx
from scrm.services import Work

log = logging.getLogger(__name__)

ENABLED = """
select s.*, v.data from sop s join sop_version v on v.sop_id = s.id and v.version = s.version
where s.enabled and s.deleted_at is null and ($1::bigint is null or s.id = $1) order by s.id
"""
VERSIONS = """
select s.*, v.version as of_version, v.data from unnest($1::bigint[], $2::bigint[]) w (sop_id, version)
join sop_version v on v.sop_id = w.sop_id and v.version = w.version join sop s on s.id = v.sop_id
"""
SWITCH_OFF = "update sop set enabled = false, problem = $2, enrol_at = null, updated_at = $3 where id = $1 and enabled"

Key = tuple[int, int]
"""A plan and its version."""


@dataclass(frozen=True, slots=True)
class Planned:
    id: int
    name: str
    version: int
    plan: SopPlan
    created_by: int | None
    enabled_at: datetime
    looked_on: date | None
    enrol_at: datetime | None
    enrol_position: int

    @property
    def named(self) -> Mapping[str, Any]:
        return {"id": self.id, "name": self.name}


async def enabled(tx: Tx | Database, sop_id: int | None = None) -> list[Planned]:
    rows = await tx.fetch(ENABLED, sop_id)
    return [one for row in rows if (one := _planned(row, row["version"])) is not None]


async def of_versions(tx: Tx | Database, keys: Iterable[Key]) -> dict[Key, Planned]:
    """Those that the program still understands."""
    wanted = sorted(set(keys))
    rows = await tx.fetch(VERSIONS, [key[0] for key in wanted], [key[1] for key in wanted])
    found = [one for row in rows if (one := _planned(row, row["of_version"])) is not None]
    return {(one.id, one.version): one for one in found}


async def switch_off(work: Work, sop_id: int, problem: str) -> None:
    """What cannot be carried out holds nobody up: it is switched off and says why."""
    log.warning("plan %s is switched off: %s", sop_id, problem)
    await work.tx.execute(SWITCH_OFF, sop_id, problem, work.now)


def _planned(row: Row, version: int) -> Planned | None:
    try:
        plan = SopPlan.model_validate(row["data"])
    except ValidationError:
        return None
    return Planned(
        row["id"], row["name"], version, plan, row["created_by"], row["enabled_at"] or row["created_at"],
        row["looked_on"], row["enrol_at"], row["enrol_position"],
    )  # fmt: skip
