"""One phone number in full, on request: who saw it is written down in the same unit of work."""

from __future__ import annotations

from customers.queries import customer_row
from scrm.errors import NotFound
from scrm.http import Request, Route
from scrm.permissions import CUSTOMERS_READ, CUSTOMERS_REVEAL
from scrm.trail import record
from scrm.trail_queries import TrailPage, TrailQuery, trail_page
from scrm.views import View


class PhoneView(View):
    phone: str


async def reveal(request: Request, customer_id: int) -> PhoneView:
    """Raises :class:`NotFound` also when there is no number: nothing was seen, and nothing is written."""
    async with request.services.work() as work:
        row = await customer_row(work.tx, request.principal, customer_id)
        if not row["phone"]:
            raise NotFound("This customer has no phone number here.")
        await record(
            work, "customer.phone_revealed", agent_id=request.principal.agent_id, object_kind="customer",
            object_id=row["id"], address=request.address,
        )  # fmt: skip
    return PhoneView(phone=row["phone"])


async def trail(request: Request, customer_id: int) -> TrailPage:
    """Who changed and who looked, for everybody who sees the customer; from where is for administrators."""
    async with request.services.db.pool.acquire() as tx:
        row = await customer_row(tx, request.principal, customer_id)
        page = await trail_page(tx, TrailQuery(object_kind="customer", object_id=row["id"], limit=50))
    lines = [line.model_copy(update={"address": ""}) for line in page.lines]
    return TrailPage(lines=lines, next_cursor=None)


def api_routes() -> list[Route]:
    one = "/api/customers/{customer_id}"
    return [
        Route(
            "POST",
            f"{one}/reveal",
            reveal,
            CUSTOMERS_REVEAL,
            "The phone number in full, written to the trail",
            reason="reveal",
        ),
        Route("GET", f"{one}/trail", trail, CUSTOMERS_READ, "Who changed this customer, and who looked"),
    ]
