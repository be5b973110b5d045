"""What people do with a handover afterwards: ask the platform again, or hand everything back."""

from __future__ import annotations

from customers.handover.elsewhere import identities
from customers.handover.report import handover_row
from customers.handover.shapes import HandoverRetry
from customers.owning import must_be_usable
from scrm.connections import Connections
from scrm.errors import Conflict, Unprocessable
from scrm.people import set_disabled
from scrm.permissions import AGENTS_MANAGE, Principal
from scrm.services import Work
from scrm.trail import record

RETRY = """
update handover_item i set state = 'queued', code = '', reason = null, next_at = $3, tries = 0, updated_at = $3,
  to_agent_id = coalesce($4, i.to_agent_id), to_external = w.external_id
from unnest($5::bigint[], $6::bigint[], $7::text[]) w (agent_id, connection_id, external_id)
where i.handover_id = $1 and ($2::bigint[] is null or i.id = any($2)) and i.connection_id is not null
  and i.state in ('failed', 'refused', 'taker_full') and w.agent_id = coalesce($4, i.to_agent_id)
  and w.connection_id = i.connection_id and w.external_id <> i.from_external
"""


async def retry(
    work: Work, principal: Principal, connections: Connections, handover_id: int, body: HandoverRetry, *, address: str
) -> int:
    """Asks the platform again. Returns for how many: whose taker is still not known there is left as it is.

    Raises :class:`NotFound`, :class:`Conflict`, :class:`Unprocessable`.
    """
    row = await handover_row(work.tx, principal, handover_id, lock=True)
    if row["state"] in ("returning", "returned"):
        raise Conflict("This was handed back.", code="handed_back")
    takers = [body.to_agent_id] if body.to_agent_id is not None else list(row["takers"])
    await must_be_usable(work.tx, takers)
    known = await identities(work.tx, connections, takers)
    if not known:
        raise Unprocessable(
            "Nobody of them is known on the platform. Bind their identity there first.",
            fields={"to_agent_id": "Not known."},
        )
    done = await work.tx.execute(
        RETRY, handover_id, body.item_ids, work.now, body.to_agent_id, [one for one, _ in known],
        [one for _, one in known], list(known.values()),
    )  # fmt: skip
    asked = int(done.split()[-1])
    if asked:
        await work.tx.execute(
            "update handover set state = 'waiting', finished_at = null, updated_at = $2 where id = $1 and state = 'done'",
            handover_id, work.now,
        )  # fmt: skip
        work.ring("handover", handover_id)
        await record(
            work, "handover.retried", agent_id=principal.agent_id, object_kind="handover", object_id=handover_id,
            address=address, detail={"count": asked},
        )  # fmt: skip
    return asked


async def hand_back(work: Work, principal: Principal, handover_id: int, *, address: str) -> None:
    """Our side returns to whom it came from, as far as it is still with whom it went to. What the platform moved stays there: it
    allows few moves of a customer. Raises :class:`NotFound`, :class:`Conflict`."""
    row = await handover_row(work.tx, principal, handover_id, lock=True)
    if row["state"] in ("returning", "returned"):
        return
    if row["state"] == "moving":
        raise Conflict("It is still being handed over. Wait until that is done.", code="still_moving")
    if row["disabled_at"] is not None:
        if not principal.may(AGENTS_MANAGE):
            raise Conflict(
                "They are locked out. Somebody who manages agents has to let them in first.", code="locked_out"
            )
        await set_disabled(work, row["from_agent_id"], False, by=principal.agent_id, address=address)
    elif row["from_agent_id"] is not None:
        await must_be_usable(work.tx, [row["from_agent_id"]])
    await work.tx.execute(
        "update handover set state = 'returning', disabled_at = null, finished_at = null, updated_at = $2 where id = $1",
        handover_id, work.now,
    )  # fmt: skip
    await work.tx.execute(
        "update handover_item set state = 'failed', code = 'handed_back', next_at = null, updated_at = $2 "
        "where handover_id = $1 and state = 'queued'",
        handover_id, work.now,
    )  # fmt: skip
    work.ring("handover", handover_id)
    await record(
        work, "handover.handed_back", agent_id=principal.agent_id, object_kind="handover", object_id=handover_id,
        address=address,
    )  # fmt: skip
