"""Reads of one customer's ownership, for the menu that changes it."""

from __future__ import annotations

from datetime import datetime

from customers.owner_acts import AllowanceView, allowance_view
from customers.pool.claim import allowance, cooling
from customers.queries import customer_row
from customers.scope import CHANGED, CustomerScope
from scrm.db import Tx
from scrm.permissions import CUSTOMERS_ASSIGN, CUSTOMERS_WRITE, Principal
from scrm.views import View

FACTS = f"""
select u.owner_id, u.owned_at, u.pooled_at, u.pool_reason, u.reclaim_at, u.warned_at, u.readers, u.writers,
  u.deleted_at is null and {CHANGED} as changes from customer u where u.id = $4
"""  # noqa: S608 - made of constants
HISTORY = """
select id, from_id, to_id, at, kind, by_id, reason from owner_history where customer_id = $1 order by id desc limit 100
"""


class OwnerChangeView(View):
    id: int
    from_id: int | None
    to_id: int | None
    at: datetime
    kind: str
    by_id: int | None
    reason: str


class OwnershipView(View):
    """``may_…``: what the asker can do now. ``cooling_until``: the asker lost this customer and may claim it again then."""

    owner_id: int | None
    owned_at: datetime | None
    pooled_at: datetime | None
    pool_reason: str
    reclaim_at: datetime | None
    warned_at: datetime | None
    readers: list[int]
    writers: list[int]
    may_give: bool
    may_drop: bool
    may_claim: bool
    may_share: bool
    cooling_until: datetime | None
    allowance: AllowanceView
    history: list[OwnerChangeView]


async def ownership(tx: Tx, principal: Principal, customer_id: int, now: datetime) -> OwnershipView:
    """Raises :class:`NotFound`, also for what the asker may not see."""
    customer = await customer_row(tx, principal, customer_id)
    row = await tx.fetchrow(FACTS, *CustomerScope.of(principal).arguments, customer["id"])
    assert row is not None
    allowed = await allowance(tx, principal.agent_id, now)
    cold = await cooling(tx, principal.agent_id, [customer["id"]], allowed.limits.cool_days, now)
    writes = principal.may(CUSTOMERS_WRITE) and row["changes"]
    assigns, own = principal.may(CUSTOMERS_ASSIGN), row["owner_id"] == principal.agent_id
    return OwnershipView(
        **{name: row[name] for name in ("owner_id", "owned_at", "pooled_at", "pool_reason", "reclaim_at", "warned_at")},
        readers=list(row["readers"]),
        writers=list(row["writers"]),
        may_give=writes and assigns,
        may_drop=writes and row["owner_id"] is not None and (own or assigns),
        may_claim=principal.may(CUSTOMERS_WRITE) and row["owner_id"] is None,
        may_share=writes and (own or assigns),
        cooling_until=cold.get(customer["id"]),
        allowance=allowance_view(allowed),
        history=[OwnerChangeView(**one) for one in await tx.fetch(HISTORY, customer["id"])],
    )
