"""The recycle bin: deleting keeps everything and shows it nowhere; restoring brings it back as it was; only from here, and only by an
administrator, a customer is erased for good.

A deleted customer who writes again comes back by themselves (customers/folding.py): nobody may miss what a customer says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from customers.timeline import Line, tell
from scrm.errors import Conflict, Unprocessable
from scrm.permissions import CUSTOMERS_DELETE, Principal
from scrm.services import Work
from scrm.trail import record
from scrm.undo import Kind, Step, Undone, remember

UNDO = "customer.delete"
MOST_PURGED = 200

DELETE = """
update customer set deleted_at = $2, deleted_by = $3, version = version + 1, updated_at = $2
where id = any(select id from customer where id = any($1::bigint[]) and deleted_at is null order by id for update) returning id
"""
RESTORE = """
update customer set deleted_at = null, deleted_by = null, version = version + 1, updated_at = $2
where id = any(select id from customer where id = any($1::bigint[]) and deleted_at is not null order by id for update) returning id
"""
# With everybody who was merged into them: those rows hold the same person's data.
WHOLE = """
with recursive whole as (
  select id from customer where id = any($1::bigint[]) and deleted_at is not null
  union select c.id from customer c join whole w on c.merged_into = w.id
) select id from whole
"""
ERASE = (
    "select set_config('scrm.removing', 'purge', true) from unnest($1::bigint[]) limit 1",
    "update group_member set name = '', external_id = 'erased-' || id where contact_id in "
    "(select id from contact where customer_id = any($1::bigint[]))",
    "delete from platform_event where contact_id in (select id from contact where customer_id = any($1::bigint[]))",
    "delete from customer_union where customer_id = any($1::bigint[])",
    "delete from contact where customer_id = any($1::bigint[])",
    "delete from customer where id = any($1::bigint[])",
)


async def delete(work: Work, principal: Principal, ids: Sequence[int], *, address: str) -> tuple[int, Step | None]:
    rows = await work.tx.fetch(DELETE, list(ids), work.now, principal.agent_id)
    gone = sorted(row["id"] for row in rows)
    await tell(work, [Line(one, "customer.deleted", agent_id=principal.agent_id) for one in gone])
    if not gone:
        return 0, None
    await _note(work, principal, "customer.deleted", gone, address)
    return len(gone), await remember(work, principal, UNDO, {"ids": gone}, count=len(gone))


async def restore(work: Work, principal: Principal, ids: Sequence[int], *, address: str) -> int:
    rows = await work.tx.fetch(RESTORE, list(ids), work.now)
    back = sorted(row["id"] for row in rows)
    await tell(work, [Line(one, "customer.restored", agent_id=principal.agent_id) for one in back])
    if back:
        await _note(work, principal, "customer.restored", back, address)
    return len(back)


async def purge(work: Work, principal: Principal, ids: Sequence[int], confirm: str, *, address: str) -> int:
    """Erases customers of the bin with their contacts, conversations, messages, files, follow-ups and story. What stays: the trail
    (who deleted and erased how many, and their numbers, without names), and the counts of figures, which name nobody.

    Raises :class:`Unprocessable` when the number of customers was not typed, or there are too many.
    """
    if len(ids) > MOST_PURGED:
        raise Unprocessable(f"At most {MOST_PURGED} at once.", fields={"ids": f"Choose at most {MOST_PURGED}."})
    whole = [row["id"] for row in await work.tx.fetch(WHOLE, list(ids))]
    asked = {
        row["id"]
        for row in await work.tx.fetch(
            "select id from customer where id = any($1::bigint[]) and deleted_at is not null for update", list(ids)
        )
    }
    if not asked:
        raise Conflict("None of them is in the recycle bin any more.", code="changed_meanwhile")
    if confirm.strip() != str(len(asked)):
        raise Unprocessable(
            "Type how many customers are erased.", fields={"confirm": f"Type {len(asked)} to erase them for good."}
        )
    await erase(work, whole)
    await _note(work, principal, "customer.purged", sorted(asked), address)
    work.ring("customer", *asked)
    return len(asked)


async def erase(work: Work, whole: Sequence[int]) -> None:
    """Of these customers, with those merged into them, everything. A legal hold refuses it (the triggers ``*_held``)."""
    # So the chain of evidence says of what it had sealed that it was removed on purpose.
    await work.tx.execute("select set_config('scrm.removing', 'erasure', true)")
    for statement in ERASE:
        await work.tx.execute(statement, list(whole))


async def _note(work: Work, principal: Principal, action: str, ids: Sequence[int], address: str) -> None:
    await record(
        work, action, agent_id=principal.agent_id, object_kind="customer", address=address,
        object_id=ids[0] if len(ids) == 1 else None, detail={"count": len(ids), "ids": list(ids)[:1000]},
    )  # fmt: skip


async def _undo(work: Work, principal: Principal, data: dict[str, Any]) -> Undone:
    rows = await work.tx.fetch(RESTORE, data["ids"], work.now)
    back = sorted(row["id"] for row in rows)
    if not back:
        raise Conflict("They are no longer in the recycle bin.", code="changed_meanwhile")
    await tell(work, [Line(one, "customer.restored", agent_id=principal.agent_id) for one in back])
    await _note(work, principal, "customer.restored", back, "")
    return Undone(restored=len(back), skipped=len(data["ids"]) - len(back))


def undo_kinds() -> dict[str, Kind]:
    return {UNDO: Kind(CUSTOMERS_DELETE, _undo)}
