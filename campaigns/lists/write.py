"""A list is read, its people are found, and both are stored in one transaction; deleted and brought back.

Whom the uploader does not see is not found: a list tells nobody about other people's customers.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field, StringConstraints, model_validator

from campaigns.lists.lines import Named, lines_of
from customers.scope import SEEN, CustomerScope
from scrm.errors import Conflict, NotFound, Unprocessable
from scrm.permissions import CAMPAIGNS_WRITE, Principal
from scrm.services import Services, Work
from scrm.trail import record
from scrm.undo import Kind, Step, Undone, remember
from scrm.views import Id, Input, Line

# ruff: noqa: S608 - made of constants; values are parameters

DELETED = "campaign_list.delete"
STORE = """
insert into campaign_list (name, created_by, created_at, client_token) values ($1, $2, $3, $4)
on conflict (created_by, client_token) do nothing returning id
"""
MADE = "select id from campaign_list where created_by = $1 and client_token = $2 and deleted_at is null"
# One customer for each line: of several with a number, whose it is for certain, then who was here first. A merged one is who they are now.
FIND = f"""
with recursive line as (
  select * from unnest($4::int[], $5::text[], $6::bigint[]) l (number, phone, customer_id)
), other as (
  select * from unnest($7::int[], $8::text[]) o (number, external_id)
), named as (
  select l.number, p.customer_id, 0 as rank, not p.verified as doubt from line l join phone_number p on p.phone = l.phone
  union all
  select l.number, l.customer_id, 2, false from line l where l.customer_id is not null
  union all
  select o.number, k.customer_id, 1, false from other o cross join connection n
  join contact k on k.connection_id = n.id and k.external_id = o.external_id
), now as (
  select number, customer_id, rank, doubt, 0 as steps from named
  union all
  select now.number, u.merged_into, now.rank, now.doubt, now.steps + 1
  from now join customer u on u.id = now.customer_id where u.merged_into is not null and now.steps < 50
)
select distinct on (now.number) now.number, u.id from now join customer u on u.id = now.customer_id
where u.merged_into is null and u.deleted_at is null and {SEEN}
order by now.number, now.rank, now.doubt, u.id
"""
TAKE = "insert into campaign_list_member (list_id, customer_id) select $1, unnest($2::bigint[])"
MISSING = """
insert into campaign_list_missing (list_id, number, text) select $1, w.number, w.text from unnest($2::int[], $3::text[]) w (number, text)
"""
# What names nobody may be strangers' numbers: it is kept as long as somebody may still mend the list.
FORGET = """
delete from campaign_list_missing where list_id in (select id from campaign_list where created_at < $1 and unknown > 0)
"""
KEPT = timedelta(days=30)
COUNT = "update campaign_list set n = $2, unknown = $3, twice = $4 where id = $1"
OF_CONVERSATIONS = """
select v.id, k.customer_id from conversation v join contact k on k.id = v.contact_id where v.id = any($1::bigint[]) order by v.id
"""


class NewList(Input):
    """One of: ``text``, pasted lines; ``attachment_id``, an uploaded sheet (.xlsx, .csv); ``conversation_ids``, whose customers are
    taken. A line is found by its phone number, by the customer's number here, or by what a platform calls them."""

    client_token: Annotated[str, StringConstraints(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9_.:-]+$")]
    name: Line
    text: Annotated[str, Field(max_length=4_000_000)] = ""
    attachment_id: Id | None = None
    conversation_ids: Annotated[list[Id], Field(default_factory=list, max_length=1000)]

    @model_validator(mode="after")
    def _one_source(self) -> NewList:
        if sum((bool(self.text.strip()), self.attachment_id is not None, bool(self.conversation_ids))) != 1:
            raise ValueError("Give one of text, attachment_id and conversation_ids.")
        return self


async def read(services: Services, principal: Principal, new: NewList) -> list[Named]:
    """Before the unit of work begins: a sheet may take a while. Raises :class:`NotFound`, :class:`Unprocessable`."""
    if new.conversation_ids:
        rows = await services.db.fetch(OF_CONVERSATIONS, new.conversation_ids)
        return [Named(n, f"#{row['id']}", None, row["customer_id"]) for n, row in enumerate(rows, start=1)]
    return await lines_of(services, principal, new.text, new.attachment_id)


async def store(
    work: Work, principal: Principal, new: NewList, lines: Sequence[Named], *, address: str
) -> tuple[int, bool]:
    """The list and whether it is new. Raises :class:`Unprocessable` (``nobody_found``) when nobody of it is known."""
    made = await work.tx.fetchval(STORE, new.name, principal.agent_id, work.now, new.client_token)
    if made is None:
        known = await work.tx.fetchval(MADE, principal.agent_id, new.client_token)
        if known is None:
            raise Conflict("This list was deleted. Upload it again.", code="changed_meanwhile")
        return int(known), False
    await work.tx.execute(FORGET, work.now - KEPT)
    whose = await _found(work, principal, lines)
    people = sorted(set(whose.values()))
    if not people:
        raise Unprocessable("Nobody of this list is a customer whom you see.", code="nobody_found")
    missing = [one for one in lines if one.number not in whose]
    await work.tx.execute(TAKE, made, people)
    await work.tx.execute(MISSING, made, [one.number for one in missing], [one.text for one in missing])
    await work.tx.execute(COUNT, made, len(people), len(missing), len(whose) - len(people))
    await record(
        work, "campaign_list.added", agent_id=principal.agent_id, object_kind="campaign_list", object_id=made, address=address,
        detail={"n": len(people), "unknown": len(missing), "twice": len(whose) - len(people)},
    )  # fmt: skip
    return int(made), True


async def _found(work: Work, principal: Principal, lines: Sequence[Named]) -> dict[int, int]:
    """Customers by the number of their line."""
    others = [(one.number, external) for one in lines for external in one.externals]
    scope = CustomerScope.of(principal)
    rows = await work.tx.fetch(
        FIND, *scope.arguments, [one.number for one in lines], [one.phone for one in lines], [one.customer_id for one in lines],
        [number for number, _ in others], [external for _, external in others],
    )  # fmt: skip
    return {row["number"]: row["id"] for row in rows}


async def delete(work: Work, principal: Principal, list_id: int, *, address: str) -> Step:
    """Campaigns that were written for it keep its people. Raises :class:`NotFound`."""
    done = await work.tx.execute(
        "update campaign_list set deleted_at = $2 where id = $1 and deleted_at is null", list_id, work.now
    )
    if done == "UPDATE 0":
        raise NotFound("There is no such list.")
    await record(
        work, "campaign_list.deleted", agent_id=principal.agent_id, object_kind="campaign_list", object_id=list_id, address=address
    )  # fmt: skip
    return await remember(work, principal, DELETED, {"id": list_id})


async def _restore(work: Work, principal: Principal, data: dict[str, Any]) -> Undone:
    done = await work.tx.execute(
        "update campaign_list set deleted_at = null where id = $1 and deleted_at is not null", data["id"]
    )
    if done == "UPDATE 0":
        raise Conflict("It is there already.", code="changed_meanwhile")
    return Undone()


def undo_kinds() -> dict[str, Kind]:
    return {DELETED: Kind(CAMPAIGNS_WRITE, _restore)}
