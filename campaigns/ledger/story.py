"""A post in the story of everybody who got it, whichever way it went."""

from __future__ import annotations

from collections.abc import Sequence

from customers.timeline import Line, tell
from scrm.db import Row
from scrm.services import Work


async def tell_sent(work: Work, campaign_id: int, ended: Sequence[Row]) -> None:
    """``ended``: deliveries as they are now, with ``customer_id``, ``state`` and ``sent_at``; those that were sent are told."""
    got = [row for row in ended if row["state"] == "sent" and row["customer_id"] is not None]
    if not got:
        return
    name = await work.tx.fetchval("select name from campaign where id = $1", campaign_id)
    await tell(
        work,
        [
            Line(row["customer_id"], "campaign.sent", row["sent_at"], object_kind="campaign", object_id=campaign_id, data={"name": name})
            for row in got
        ],
    )  # fmt: skip
