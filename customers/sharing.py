"""Letting colleagues see or change somebody's customers without giving them away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from customers.owner_undo import SHARED, write_shares
from customers.owning import LOCK, must_be_usable
from scrm.errors import Unprocessable
from scrm.notices import notify
from scrm.permissions import Principal
from scrm.services import Work
from scrm.undo import Step, remember

Access = Literal["read", "write", "none"]
MOST_ON_ONE = 50


async def share(
    work: Work, principal: Principal, customer_ids: Sequence[int], agent_ids: Sequence[int], access: Access
) -> Step | None:
    """``none`` ends it. The caller has checked that the asker may share these. Who is the owner needs no share and gets none.
    Raises :class:`Unprocessable`. None: nothing changed."""
    who = sorted(set(agent_ids))
    if access != "none":
        await must_be_usable(work.tx, who)
    changed = {}
    for row in await work.tx.fetch(LOCK, sorted(set(customer_ids))):
        before = (list(row["readers"]), list(row["writers"]))
        people = [one for one in who if one != row["owner_id"]]
        readers = [one for one in before[0] if one not in who] + (people if access == "read" else [])
        writers = [one for one in before[1] if one not in who] + (people if access == "write" else [])
        if len(readers) + len(writers) > MOST_ON_ONE:
            raise Unprocessable(f"A customer is shared with at most {MOST_ON_ONE} people.", code="too_many")
        if (set(readers), set(writers)) != (set(before[0]), set(before[1])):
            changed[row["id"]] = (before, (readers, writers))
    if not changed:
        return None
    await write_shares(work, principal.agent_id, {one: after for one, (_, after) in changed.items()})
    if access != "none":
        ids = sorted(changed)
        await notify(
            work, [one for one in who if one != principal.agent_id], "customer_shared",
            f"customer_shared:{ids[0]}:{work.now.isoformat()}", customer_id=ids[0] if len(ids) == 1 else None,
            by=principal.agent_id, data={"count": len(ids), "access": access},
        )  # fmt: skip
    data = {"shared": [{"id": one, "before": before, "after": after} for one, (before, after) in changed.items()]}
    return await remember(work, principal, SHARED, data, count=len(changed))
