"""A customer's own fields, changed by a person."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from scrm.errors import NotFound, Unprocessable
from scrm.permissions import Principal
from scrm.services import Work
from scrm.trail import record
from scrm.views import Input, OptionalLine

CHANGE = """
update customer set name = coalesce($2, name), phone = coalesce($3, phone), city = coalesce($4, city),
  remark = coalesce($5, remark), updated_at = $6
where id = $1 returning id
"""


class CustomerInput(Input):
    """What is absent stays; an empty text empties."""

    name: OptionalLine | None = None
    phone: (
        Annotated[str, StringConstraints(strip_whitespace=True, max_length=40, pattern=r"^[0-9+()* \-]*$")] | None
    ) = None
    city: OptionalLine | None = None
    remark: Annotated[str, Field(max_length=2000)] | None = None


async def edit(work: Work, principal: Principal, customer_id: int, change: CustomerInput, *, address: str = "") -> None:
    """Raises :class:`NotFound`, :class:`Unprocessable` for a masked phone number: it would replace the real one."""
    if change.phone is not None and "*" in change.phone:
        raise Unprocessable("This is a masked number.", fields={"phone": "Write the whole number."})
    done = await work.tx.fetchval(CHANGE, customer_id, change.name, change.phone, change.city, change.remark, work.now)
    if done is None:
        raise NotFound("There is no such customer.")
    await record(
        work, "customer.changed", agent_id=principal.agent_id, object_kind="customer", object_id=customer_id,
        address=address, detail={"fields": sorted(change.model_fields_set)},
    )  # fmt: skip
