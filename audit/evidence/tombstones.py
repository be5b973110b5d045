"""What is removed on purpose: the content goes, the hash in the chain stays, and a line says who removed it, why and when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from audit.evidence import place
from scrm.services import Work

Kind = Literal["message", "record", "media"]
LEAVES: dict[Kind, list[str]] = {"message": ["message"], "record": ["envelope", "opened"], "media": ["media"]}
BURY = """
with gone as (
  insert into evidence_tombstone (kind, ref_id, sha256, reason, agent_id, removed_at)
  select l.kind, l.ref_id, l.sha256, $3, $4, $5 from evidence_leaf l where l.kind = any($1::text[]) and l.ref_id = any($2::bigint[])
  order by l.kind, l.ref_id on conflict (kind, ref_id) do nothing returning id
), waiting as (
  insert into evidence_waiting (kind, ref_id, look_at) select 'tombstone', id, $5 from gone
)
select count(*) from gone
"""


async def bury(work: Work, kind: Kind, ids: Sequence[int], reason: str, agent_id: int | None) -> int:
    """Call it before the content is emptied, in the same unit of work; afterwards the columns of an archived record may be emptied too,
    which the database refuses otherwise. Whatever is not sealed yet is sealed as it is then. Returns how many leaves lost their content."""
    await place.wait(work)
    await work.tx.execute("select set_config('scrm.removing', $1, true)", reason)
    buried: int = await work.tx.fetchval(BURY, LEAVES[kind], list(ids), reason, agent_id, work.now)
    return buried
