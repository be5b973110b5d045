"""A customer entered by hand. Who entered first owns it: one that is there already is named instead, with whose it is, to everybody; opened
only by who may see it, and asked for by others.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from customers.edit import CustomerInput, refuse_masked
from customers.fields import checked
from customers.identity.keys import keys_of
from customers.owning import HISTORY
from customers.phones import Number, normalised, note_phones
from customers.pool.due import recompute
from customers.scope import SEEN, CustomerScope
from customers.timeline import Line, tell
from scrm.db import Row, Tx
from scrm.errors import Conflict, NotFound, Unprocessable
from scrm.http import Reply, Request, Route
from scrm.notices import notify
from scrm.permissions import CUSTOMERS_READ, CUSTOMERS_WRITE, Principal
from scrm.services import Work
from scrm.trail import record
from scrm.views import Id, Input, View

Why = Literal["phone", "name_company", "name_city"]
TOKEN = Annotated[str, Field(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]

BY_PHONE = """
select p.customer_id as id, 'phone' as why from phone_number p where p.phone = $1
union select u.id, 'phone' from customer u where u.phone = any($2::text[])
"""
BY_KEY = """
select k.customer_id as id, k.kind as why from customer_key k join unnest($1::text[], $2::text[]) w (kind, key) on k.kind = w.kind and k.key = w.key
limit 20
"""
MATCHES = f"""
with recursive chain as (
  select w.id as started, u.id, u.merged_into from unnest($4::bigint[]) w (id) join customer u on u.id = w.id
  union all select c.started, u.id, u.merged_into from customer u join chain c on u.id = c.merged_into
)
select c.started, u.id, u.name, u.company, u.owner_id, u.created_at, {SEEN} as seen
from chain c join customer u on u.id = c.id where c.merged_into is null and u.deleted_at is null order by u.created_at, u.id limit 20
"""  # noqa: S608 - made of constants
INSERT = """
insert into customer (name, phone, city, remark, company, position, email, address, gender, source, value_fen, fields, owner_id, owned_at,
  created_by, created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $13, $14, $14) returning id
"""
TAKE = "insert into customer_entry (agent_id, client_token, at) values ($1, $2, $3) on conflict do nothing returning agent_id"
MADE = "select customer_id from customer_entry where agent_id = $1 and client_token = $2"
ASKED = """
select u.owner_id, array(select distinct c.assignee_id from contact k join conversation c on c.contact_id = k.id
  where k.customer_id = u.id and c.assignee_id is not null) as assignees
from customer u where u.id = $1 and u.merged_into is null and u.deleted_at is null
"""


class EntryCheck(Input):
    name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)] = ""
    phone: Annotated[str, StringConstraints(strip_whitespace=True, max_length=40)] = ""
    company: Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)] = ""
    city: Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)] = ""


class EntryMatch(View):
    """One that is there already. ``may_open`` false: the asker may not see it, and its name is shortened."""

    id: int
    name: str
    company: str
    owner_id: int | None
    created_at: datetime
    why: list[Why]
    may_open: bool


class EntryMatches(View):
    matches: list[EntryMatch]


class NewCustomer(CustomerInput):
    """``despite``: make it although there is one with this number."""

    client_token: TOKEN
    despite: bool = False


class CustomerMade(View):
    id: int


class CustomerRequest(Input):
    customer_id: Id
    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)] = ""


async def check(request: Request, body: EntryCheck) -> EntryMatches:
    async with request.services.db.pool.acquire() as tx:
        return EntryMatches(matches=await matches(tx, request.principal, body))


async def matches(tx: Tx, principal: Principal, entry: EntryCheck) -> list[EntryMatch]:
    """Those who may be meant, the one entered first before the others."""
    why: dict[int, set[Why]] = {}
    if (phone := normalised(entry.phone)) is not None:
        written = [phone, phone.removeprefix("+86"), entry.phone]
        for row in await tx.fetch(BY_PHONE, phone, written):
            why.setdefault(row["id"], set()).add("phone")
    keys = keys_of(entry.name, entry.company, entry.city)
    for row in await tx.fetch(BY_KEY, list(keys), list(keys.values())):
        why.setdefault(row["id"], set()).add(row["why"])
    found: dict[int, Row] = {}
    reasons: dict[int, set[Why]] = {}
    for row in await tx.fetch(MATCHES, *CustomerScope.of(principal).arguments, sorted(why)):
        found[row["id"]] = row
        reasons.setdefault(row["id"], set()).update(why[row["started"]])
    return [_match(row, sorted(reasons[row["id"]])) for row in found.values()]


def _match(row: Row, why: list[Why]) -> EntryMatch:
    seen: bool = row["seen"]
    return EntryMatch(
        id=row["id"], name=row["name"] if seen else f"{row['name'][:1]}**", company=row["company"] if seen else "",
        owner_id=row["owner_id"], created_at=row["created_at"], why=why, may_open=seen,
    )  # fmt: skip


async def create(request: Request, body: NewCustomer) -> Reply[CustomerMade]:
    async with request.services.work() as work:
        made = await enter(work, request.principal, body, address=request.address)
    return Reply(CustomerMade(id=made), status=201)


async def enter(work: Work, principal: Principal, new: NewCustomer, *, address: str = "") -> int:
    """Raises :class:`Conflict` (``duplicate``) when a customer has this number already, :class:`Unprocessable`."""
    if not new.name and not new.company and not new.phone:
        raise Unprocessable("Write a name, a company or a number.", fields={"name": "This is needed."})
    refuse_masked(new.phone)
    if await work.tx.fetchval(TAKE, principal.agent_id, new.client_token, work.now) is None:
        return int(await work.tx.fetchval(MADE, principal.agent_id, new.client_token))
    phone = normalised(new.phone or "")
    if phone is not None:
        # Two who enter one number at once: the second sees the first one's customer.
        await work.tx.execute("select pg_advisory_xact_lock(hashtext('phone'), hashtext($1))", phone)
        if not new.despite and await matches(work.tx, principal, EntryCheck(phone=new.phone or "")):
            raise Conflict("There is a customer with this number. Open it, or ask its owner.", code="duplicate")
    made = await _insert(work, principal, new)
    await work.tx.execute(
        "update customer_entry set customer_id = $3 where agent_id = $1 and client_token = $2",
        principal.agent_id, new.client_token, made,
    )  # fmt: skip
    await work.tx.execute(HISTORY, [made], [None], [principal.agent_id], work.now, "created", principal.agent_id, "")
    await note_phones(work, [Number(made, new.phone or "", "hand")])
    await tell(work, [Line(made, "customer.created", agent_id=principal.agent_id)])
    await recompute(work, [made])
    await record(
        work, "customer.created", agent_id=principal.agent_id, object_kind="customer", object_id=made, address=address
    )
    return made


async def _insert(work: Work, principal: Principal, new: NewCustomer) -> int:
    fields: dict[str, Any] = await checked(work.tx, new.fields or {}, whole=True)
    texts = ("name", "phone", "city", "remark", "company", "position", "email", "address", "gender", "source")
    made: int = await work.tx.fetchval(
        INSERT, *(getattr(new, name) or "" for name in texts), new.value_fen, fields, principal.agent_id, work.now
    )
    return made


async def ask(request: Request, body: CustomerRequest) -> None:
    """Asks who has a customer (or answers them) to share it or hand it over. Once a day for each customer."""
    async with request.services.work() as work:
        row = await work.tx.fetchrow(ASKED, body.customer_id)
        asked = [] if row is None else [row["owner_id"]] if row["owner_id"] is not None else row["assignees"]
        if not asked:
            raise NotFound("There is nobody to ask.")
        me = request.principal.agent_id
        await notify(
            work, [one for one in asked if one != me], "customer_asked", f"asked:{body.customer_id}:{me}:{work.now:%Y-%m-%d}",
            customer_id=body.customer_id, by=me, data={"reason": body.reason},
        )  # fmt: skip


def api_routes() -> list[Route]:
    return [
        Route("POST", "/api/customers/check", check, CUSTOMERS_READ, "Customers who are there already, before one is entered"),
        Route("POST", "/api/customers", create, CUSTOMERS_WRITE, "Enter a customer", status=201, errors=(409,)),
        Route("POST", "/api/customer-requests", ask, CUSTOMERS_READ, "Ask for a customer of somebody else", status=204, errors=(404,)),
    ]  # fmt: skip
