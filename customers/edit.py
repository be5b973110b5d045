"""A customer's own fields, changed by a person."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from customers.fields import checked
from customers.phones import note_main_phone
from customers.timeline import Line, tell
from scrm.errors import Conflict, NotFound, Unprocessable
from scrm.permissions import Principal
from scrm.services import Work
from scrm.trail import record
from scrm.views import Id, Input, OptionalLine

MOST_MONEY = 10**15
PhoneText = Annotated[str, StringConstraints(strip_whitespace=True, max_length=40, pattern=r"^[0-9+()* \-]*$")]
Email = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=200, pattern=r"^([^@\s]+@[^@\s]+\.[^@\s]+)?$")
]
Gender = Literal["", "male", "female"]
Fen = Annotated[int, Field(ge=0, le=MOST_MONEY)]

BEFORE = "select phone, fields, version from customer where id = $1 for no key update"


class CustomerInput(Input):
    """What is absent stays; an empty text empties, and so does null for ``value_fen``. With ``version`` the change is made only when
    nobody else has changed the customer since."""

    name: OptionalLine | None = None
    phone: PhoneText | None = None
    city: OptionalLine | None = None
    remark: Annotated[str, Field(max_length=2000)] | None = None
    company: OptionalLine | None = None
    position: OptionalLine | None = None
    email: Email | None = None
    address: Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)] | None = None
    gender: Gender | None = None
    source: OptionalLine | None = None
    value_fen: Fen | None = None
    fields: dict[str, Any] | None = None
    """The company's own fields by key, as :func:`customers.fields.checked` takes them; those that are not named stay."""
    version: Id | None = None


async def edit(work: Work, principal: Principal, customer_id: int, change: CustomerInput, *, address: str = "") -> None:
    """Raises :class:`NotFound`, :class:`Conflict` when ``version`` is an old one, :class:`Unprocessable` for a masked phone number:
    it would replace the real one."""
    refuse_masked(change.phone)
    before = await work.tx.fetchrow(BEFORE, customer_id)
    if before is None:
        raise NotFound("There is no such customer.")
    if change.version not in (None, before["version"]):
        raise Conflict("Somebody else changed this customer meanwhile. Look at it again.", code="changed_meanwhile")
    values = {
        name: getattr(change, name)
        for name in sorted(change.model_fields_set - {"version"})
        if getattr(change, name) is not None or name == "value_fen"
    }
    if change.fields is not None:
        values["fields"] = await checked(work.tx, change.fields, before=before["fields"], customer_id=customer_id)
    if not values:
        return
    places = ", ".join(f"{name} = ${n}" for n, name in enumerate(values, start=3))
    await work.tx.execute(
        f"update customer set {places}, version = version + 1, updated_at = $2 where id = $1",  # noqa: S608 - names of fields
        customer_id,
        work.now,
        *values.values(),
    )
    if "phone" in values and values["phone"] != before["phone"]:
        await note_main_phone(work, customer_id, before["phone"], values["phone"])
    await tell(work, [Line(customer_id, "profile.changed", agent_id=principal.agent_id, data={"fields": list(values)})])
    await record(
        work, "customer.changed", agent_id=principal.agent_id, object_kind="customer", object_id=customer_id,
        address=address, detail={"fields": list(values)},
    )  # fmt: skip


def refuse_masked(phone: str | None) -> None:
    if phone is not None and "*" in phone:
        raise Unprocessable("This is a masked number.", fields={"phone": "Write the whole number."})
