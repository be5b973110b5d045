"""The customer beside the thread: who they are, and every conversation with them that the reader may see."""

from __future__ import annotations

from customers.edit import CustomerInput, edit
from customers.queries import contact_rows, customer_facts, customer_row, row_to_change
from customers.views import CustomerFacts
from inbox.queries import conversations_of_contacts, one_moment
from inbox.views import ConversationView
from scrm.db import Tx
from scrm.http import Request, Route
from scrm.permissions import CUSTOMERS_READ, CUSTOMERS_WRITE, INBOX_READ, Scope


class CustomerView(CustomerFacts):
    conversations: list[ConversationView]


async def card(request: Request, customer_id: int) -> CustomerView:
    async with one_moment(request.services.db) as tx:
        return await _card(tx, request, customer_id)


async def change(request: Request, customer_id: int, body: CustomerInput) -> CustomerView:
    async with request.services.work() as work:
        row = await row_to_change(work.tx, request.principal, customer_id)
        await edit(work, request.principal, row["id"], body, address=request.address)
        return await _card(work.tx, request, row["id"])


async def _card(tx: Tx, request: Request, customer_id: int) -> CustomerView:
    principal = request.principal
    row = await customer_row(tx, principal, customer_id)
    contacts = await contact_rows(tx, row["id"])
    facts = await customer_facts(tx, principal, row, contacts, request.services.connections)
    conversations: list[ConversationView] = []
    if principal.may(INBOX_READ):
        ids = [contact["id"] for contact in contacts]
        conversations = await conversations_of_contacts(tx, Scope.of(principal), ids)
    return CustomerView(
        **{name: getattr(facts, name) for name in type(facts).model_fields}, conversations=conversations
    )


def api_routes() -> list[Route]:
    one = "/api/customers/{customer_id}"
    return [
        Route("GET", one, card, CUSTOMERS_READ, "A customer, with contacts, conversations and what happened"),
        Route("PATCH", one, change, CUSTOMERS_WRITE, "Change a customer", errors=(409,)),
    ]
