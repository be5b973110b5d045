"""Who gets what: the same answer for a preview and for the handover itself.

Customers go round the takers; whatever belongs to a customer goes with them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle

from customers.handover.elsewhere import There, find_there, identities
from customers.handover.parts import Mover, Source
from scrm.connections import Connections
from scrm.db import Tx


@dataclass(frozen=True, slots=True)
class Planned:
    """An item as it will be written. ``refused``: known already not to work, and why."""

    kind: str
    object_id: int
    customer_id: int | None
    from_id: int | None
    to_id: int
    there: There | None = None
    to_external: str = ""
    refused: str = ""


class Spread:
    """In turn, and once for each customer."""

    def __init__(self, takers: Sequence[int]) -> None:
        self.by_customer: dict[int, int] = {}
        self._turn = cycle(takers)

    def taker_of(self, customer_id: int | None, keep: int | None = None) -> int:
        if customer_id is None:
            return keep if keep is not None else next(self._turn)
        known = self.by_customer.get(customer_id)
        if known is None:
            known = self.by_customer[customer_id] = keep if keep is not None else next(self._turn)
        return known


async def plan(
    tx: Tx, connections: Connections, movers: Sequence[Mover], source: Source, takers: Sequence[int]
) -> list[Planned]:
    spread = Spread(takers)
    planned: list[Planned] = []
    for mover in movers:
        for one in await mover.find(tx, source):
            to_id = spread.taker_of(one.customer_id, one.keep)
            planned.append(Planned(mover.kind, one.object_id, one.customer_id, one.from_id, to_id))
    there = await find_there(tx, connections, source)
    if there:
        kept = set(spread.by_customer.values())
        known = await identities(tx, connections, sorted({*takers, *kept}))
        planned += [_elsewhere(one, spread.taker_of(one.customer_id), known, source.agent_id) for one in there]
    return planned


def _elsewhere(one: There, to_id: int, known: Mapping[tuple[int, int], str], from_id: int | None) -> Planned:
    to_external = known.get((to_id, one.connection_id), "")
    refused = "no_identity" if not to_external else "same_member" if to_external == one.from_external else ""
    return Planned(one.kind, one.object_id, one.customer_id, from_id, to_id, one, to_external, refused)
