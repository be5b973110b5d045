"""Who may change an owner, and the acts behind the routes: each takes many customers and says of each whether it was done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from customers.owner_undo import remember_given
from customers.owning import give
from customers.pool.claim import Allowance, Refusal, claim
from customers.scope import CHANGED, SEEN, CustomerScope
from customers.sharing import Access, share
from scrm.db import Row
from scrm.errors import Forbidden, NotFound
from scrm.permissions import CUSTOMERS_ASSIGN, Principal
from scrm.services import Work
from scrm.trail import record
from scrm.undo import Step
from scrm.views import Id, Input, View

MOST = 500
Ids = Annotated[list[Id], Field(min_length=1, max_length=MOST)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]

WHICH = """
select u.id, u.owner_id, u.pooled_at from customer u
where u.id = any($4::bigint[]) and u.deleted_at is null and u.merged_into is null and {scope} order by u.id
"""
MINE_TO_CHANGE, MINE_TO_SEE = WHICH.format(scope=CHANGED), WHICH.format(scope=SEEN)

WHY: dict[str, str] = {
    "not_found": "There is no such customer.",
    "not_yours": "Only a manager may do this with somebody else's customer.",
    "taken": "Somebody else has this customer by now.",
    "cooling": "You had this customer and lost it not long ago. Let a colleague try first.",
    "day_limit": "You have claimed as many customers as one may in a day.",
    "hold_limit": "You have as many customers as one may have. Drop some first.",
}


class OwnerInput(Input):
    """``to_id`` null: into the public pool, then say why."""

    ids: Ids
    to_id: Id | None
    reason: Reason = ""


class ClaimInput(Input):
    ids: Ids


class ShareInput(Input):
    """``none``: no longer."""

    ids: Ids
    agent_ids: Annotated[list[Id], Field(min_length=1, max_length=50)]
    access: Access


class OwnerResult(View):
    """``error`` and ``detail`` as in an error's answer, empty when it was done."""

    id: int
    done: bool
    error: str
    detail: str


class OwnerDone(View):
    results: list[OwnerResult]


class AllowanceView(View):
    """How many more one may claim today, and have altogether; null: any number."""

    today: int | None
    room: int | None
    cool_days: int


class ClaimDone(View):
    results: list[OwnerResult]
    allowance: AllowanceView


async def set_owner(
    work: Work, principal: Principal, body: OwnerInput, *, address: str
) -> tuple[OwnerDone, Step | None]:
    """Dropping one's own needs no more than the right to write."""
    rows = {row["id"]: row for row in await _rows(work, principal, MINE_TO_CHANGE, body.ids)}
    may = principal.may(CUSTOMERS_ASSIGN)
    refused: dict[int, str] = {}
    for one in body.ids:
        if one not in rows:
            refused[one] = "not_found"
        elif not may and (body.to_id is not None or rows[one]["owner_id"] != principal.agent_id):
            refused[one] = "not_yours"
    _all_refused(body.ids, refused)
    allowed = [one for one in rows if one not in refused]
    kind: Literal["given", "dropped"] = "given" if body.to_id is not None else "dropped"
    given = await give(work, allowed, body.to_id, kind, principal.agent_id, body.reason)
    if given:
        await record(
            work, f"customer.{kind}", agent_id=principal.agent_id, object_kind="customer", address=address,
            object_id=given[0].customer_id if len(given) == 1 else None,
            detail={"to_id": body.to_id, "count": len(given), "reason": body.reason},
        )  # fmt: skip
    return OwnerDone(results=_results(body.ids, refused)), await remember_given(work, principal, given)


async def claim_some(work: Work, principal: Principal, ids: Sequence[int]) -> tuple[ClaimDone, Step | None]:
    seen = [row["id"] for row in await _rows(work, principal, MINE_TO_SEE, ids)]
    given, why, allowed = await claim(work, principal.agent_id, [one for one in ids if one in set(seen)])
    refused: dict[int, str] = {**dict.fromkeys(set(ids) - set(seen), "not_found"), **why}
    done = ClaimDone(results=_results(ids, refused), allowance=allowance_view(allowed))
    return done, await remember_given(work, principal, given)


async def share_some(
    work: Work, principal: Principal, body: ShareInput, *, address: str
) -> tuple[OwnerDone, Step | None]:
    """One's own; those of others take the right to assign."""
    rows = {row["id"]: row for row in await _rows(work, principal, MINE_TO_CHANGE, body.ids)}
    may = principal.may(CUSTOMERS_ASSIGN)
    refused: dict[int, str] = {}
    for one in body.ids:
        if one not in rows:
            refused[one] = "not_found"
        elif not may and rows[one]["owner_id"] != principal.agent_id:
            refused[one] = "not_yours"
    _all_refused(body.ids, refused)
    allowed = [one for one in rows if one not in refused]
    step = await share(work, principal, allowed, body.agent_ids, body.access)
    if step is not None:
        await record(
            work, "customer.shared", agent_id=principal.agent_id, object_kind="customer", address=address,
            object_id=allowed[0] if len(allowed) == 1 else None,
            detail={"agent_ids": body.agent_ids, "access": body.access, "count": step.count},
        )  # fmt: skip
    return OwnerDone(results=_results(body.ids, refused)), step


def allowance_view(allowed: Allowance) -> AllowanceView:
    return AllowanceView(today=allowed.today, room=allowed.room, cool_days=allowed.limits.cool_days)


async def _rows(work: Work, principal: Principal, statement: str, ids: Sequence[int]) -> list[Row]:
    return await work.tx.fetch(statement, *CustomerScope.of(principal).arguments, list(ids))


def _all_refused(ids: Sequence[int], refused: dict[int, str]) -> None:
    """Where nothing at all can be done, one plain refusal says more than a list."""
    if not set(ids) <= set(refused):
        return
    if "not_yours" in refused.values():
        raise Forbidden(WHY["not_yours"])
    raise NotFound(WHY["not_found"])


def _results(ids: Sequence[int], refused: dict[int, str] | dict[int, Refusal]) -> list[OwnerResult]:
    return [
        OwnerResult(
            id=one, done=one not in refused, error=refused.get(one, ""), detail=WHY.get(refused.get(one, ""), "")
        )
        for one in dict.fromkeys(ids)
    ]
