"""Correcting and deleting what was written: its author within a day, a manager any time. What it said before is kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from customers.changeable import hold_many
from customers.follow_ups.count import recount
from customers.follow_ups.kinds import check_kind
from customers.follow_ups.note import mention
from customers.follow_ups.queries import CORRECTABLE, FIND, arguments
from customers.follow_ups.views import FollowUpEdit
from customers.timeline import Line, tell
from scrm.db import Row
from scrm.errors import Conflict, Forbidden, NotFound, Unprocessable
from scrm.permissions import CUSTOMERS_ASSIGN, CUSTOMERS_WRITE, Principal
from scrm.services import Work
from scrm.trail import record
from scrm.undo import Kind, Step, Undone, remember

MOST_EDITS = 50

WHOSE = "select customer_id from follow_up where id = $1"
SAVE = """
update follow_up set kind = $2, text = $3, outcome = $4, mentions = $5, edits = $6, edited_at = $7 where id = $1
"""
DELETE = "update follow_up set deleted_at = $2 where id = $1"
RESTORE = "update follow_up set deleted_at = null where id = $1 and deleted_at = $2 returning customer_id"


async def correct(work: Work, principal: Principal, follow_up_id: int, edit: FollowUpEdit, *, address: str) -> None:
    """Raises :class:`NotFound`, :class:`Forbidden`, :class:`Conflict` (``too_late``), :class:`Unprocessable`."""
    row = await _changeable(work, principal, follow_up_id)
    kind = row["kind"] if edit.kind is None else edit.kind
    text = row["text"] if edit.text is None else edit.text
    outcome = row["outcome"] if edit.outcome is None else edit.outcome
    mentions = list(row["mentions"]) if edit.mention_ids is None else list(dict.fromkeys(edit.mention_ids))
    before = (row["kind"], row["text"], row["outcome"], list(row["mentions"]))
    if (kind, text, outcome, mentions) == before:
        return
    if not text and not outcome and not row["files"]:
        raise Unprocessable("Write something first.", fields={"text": "It is empty."})
    if kind != row["kind"]:
        await check_kind(work.tx, kind)
    earlier = {
        "at": work.now.isoformat(), "agent_id": principal.agent_id, "kind": row["kind"], "text": row["text"],
        "outcome": row["outcome"],
    }  # fmt: skip
    edits = [*row["edits"], earlier][-MOST_EDITS:]
    await work.tx.execute(SAVE, follow_up_id, kind, text, outcome, mentions, edits, work.now)
    await mention(
        work, principal, row["customer_id"], follow_up_id, [one for one in mentions if one not in row["mentions"]]
    )
    changed = [
        name
        for name, new, old in zip(("kind", "text", "outcome"), (kind, text, outcome), before, strict=False)
        if new != old
    ]
    await record(
        work, "follow_up.corrected", agent_id=principal.agent_id, object_kind="follow_up", object_id=follow_up_id,
        address=address, detail={"customer_id": row["customer_id"], "fields": changed, "edit": len(edits)},
    )  # fmt: skip
    work.ring("customer", row["customer_id"])


async def delete(work: Work, principal: Principal, follow_up_id: int, *, address: str) -> Step | None:
    """It goes out of sight and can be brought back; the row stays. Raises as :func:`correct`."""
    row = await _changeable(work, principal, follow_up_id)
    await work.tx.execute(DELETE, follow_up_id, work.now)
    await recount(work, [row["customer_id"]])
    await _tell(work, principal, row["customer_id"], follow_up_id, "follow_up.deleted")
    await record(
        work, "follow_up.deleted", agent_id=principal.agent_id, object_kind="follow_up", object_id=follow_up_id,
        address=address, detail={"customer_id": row["customer_id"]},
    )  # fmt: skip
    return await remember(
        work, principal, "follow_up.deleted", {"id": follow_up_id, "deleted_at": work.now.isoformat()}
    )


async def _restore(work: Work, principal: Principal, data: dict[str, Any]) -> Undone:
    customer_id = await work.tx.fetchval(WHOSE, data["id"])
    await hold_many(work, [customer_id])
    customer_id = await work.tx.fetchval(RESTORE, data["id"], datetime.fromisoformat(data["deleted_at"]))
    if customer_id is None:
        raise Conflict("This follow-up is there already, or gone.", code="changed_meanwhile")
    await recount(work, [customer_id])
    await _tell(work, principal, customer_id, data["id"], "follow_up.restored")
    await record(
        work, "follow_up.restored", agent_id=principal.agent_id, object_kind="follow_up", object_id=data["id"],
        detail={"customer_id": customer_id},
    )  # fmt: skip
    return Undone()


async def _changeable(work: Work, principal: Principal, follow_up_id: int) -> Row:
    """The customer first, as everybody who writes to them does."""
    await hold_many(work, [await work.tx.fetchval(WHOSE, follow_up_id)])
    row = await work.tx.fetchrow(FIND, *arguments(principal), follow_up_id)
    if row is None:
        raise NotFound("There is no such follow-up.")
    if principal.may(CUSTOMERS_ASSIGN) and (row["within_reach"] or row["agent_id"] == principal.agent_id):
        return row
    if row["agent_id"] != principal.agent_id:
        raise Forbidden("Only who wrote it, or a manager, may change it.")
    if work.now - row["created_at"] > CORRECTABLE:
        raise Conflict("What is older than a day is changed by managers only.", code="too_old_to_change")
    return row


async def _tell(work: Work, principal: Principal, customer_id: int, follow_up_id: int, kind: str) -> None:
    line = Line(customer_id, kind, agent_id=principal.agent_id, object_kind="follow_up", object_id=follow_up_id)
    await tell(work, [line])


def undo_kinds() -> dict[str, Kind]:
    return {"follow_up.deleted": Kind(CUSTOMERS_WRITE, _restore)}
