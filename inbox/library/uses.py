"""How often something of the library was used, counted in the unit of work that sends it: a repeated request counts once, a
refused one not at all."""

from __future__ import annotations

from collections.abc import Sequence

from inbox.library.places import VISIBLE, eyes
from inbox.parts import StoredPart
from scrm.permissions import Principal
from scrm.services import Work

COUNT = f"""
with used as (
  update quick_reply x set uses = uses + 1, last_used_at = $5
  where x.id = $4 and x.deleted_at is null and {VISIBLE} returning x.id
)
insert into quick_reply_use (agent_id, quick_reply_id, uses, last_used_at) select $1, id, 1, $5 from used
on conflict (agent_id, quick_reply_id) do update set uses = quick_reply_use.uses + 1, last_used_at = excluded.last_used_at
"""  # noqa: S608


async def count_uses(
    work: Work, principal: Principal, *, quick_reply_id: int | None, parts: Sequence[StoredPart]
) -> None:
    if quick_reply_id is not None:
        await work.tx.execute(COUNT, *eyes(principal), quick_reply_id, work.now)
    materials = [part.material_id for part in parts if part.material_id is not None]
    if materials:
        await work.tx.execute(
            "update material set uses = uses + 1, last_used_at = $2 where id = any($1::bigint[])", materials, work.now
        )
