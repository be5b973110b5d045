"""Legal holds: what nobody and no rule may remove. Placing one waits for a removal under way; the next removal sees it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from scrm.db import Row, Tx
from scrm.errors import Conflict, NotFound, Unprocessable
from scrm.permissions import Principal
from scrm.services import Work
from scrm.trail import record

HoldKind = Literal["customer", "conversation", "employee", "period"]

ACTIVE = "h.lifted_at is null and (h.ends_at is null or h.ends_at > now())"
# Of `message m` in `conversation c` of `account a` with `contact k` (left join).
_OF_CUSTOMER = """
(k.customer_id = h.customer_id or exists (select from group_chat g join group_member p on p.group_chat_id = g.id
  join contact x on x.id = p.contact_id where c.group_key <> '' and g.connection_id = a.connection_id and g.external_id = c.group_key
    and x.customer_id = h.customer_id))
"""
_OF_EMPLOYEE = """
(m.sender_agent_id = h.agent_id or c.assignee_id = h.agent_id or h.agent_id = any(c.collaborators)
  or exists (select from agent_identity i where i.agent_id = h.agent_id and i.connection_id = a.connection_id
    and i.external_id in (a.external_id, m.sender_id))
  or exists (select from conversation_event e where e.conversation_id = c.id and (e.assignee_id = h.agent_id or e.agent_id = h.agent_id)))
"""
HELD = f"""
exists (select from legal_hold h where {ACTIVE}
  and (h.since is null or m.sent_at >= h.since) and (h.until is null or m.sent_at < h.until)
  and case h.kind when 'period' then true when 'conversation' then h.conversation_id = c.id
    when 'customer' then {_OF_CUSTOMER} else {_OF_EMPLOYEE} end)
"""
"""Whether a message is held, for a statement with m, c, a and k."""
ANY_HELD = f"select exists (select from legal_hold h where {ACTIVE})"  # noqa: S608 - made of constants

LOCK_KEY = 0x7265_7461_696E
READ_LOCK = f"select pg_advisory_xact_lock_shared({LOCK_KEY})"
WRITE_LOCK = f"select pg_advisory_xact_lock({LOCK_KEY})"

PLACE = """
insert into legal_hold (kind, customer_id, conversation_id, agent_id, since, until, reason, placed_by, placed_at, ends_at, client_token)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict (client_token) do nothing returning id
"""
LIFT = """
update legal_hold set lifted_at = $2, lifted_by = $3, lift_reason = $4 where id = $1 and lifted_at is null returning id
"""
ROOT = """
with recursive chain as (
  select id, merged_into from customer where id = $1
  union all select c.id, c.merged_into from customer c join chain on c.id = chain.merged_into)
select id from chain where merged_into is null
"""


async def removing(tx: Tx) -> None:
    """Before anything is removed: from here on nobody places a hold until the transaction ends."""
    await tx.execute(READ_LOCK)


async def place(
    work: Work, principal: Principal, kind: HoldKind, object_id: int | None, *, since: datetime | None, until: datetime | None,
    ends_at: datetime | None, reason: str, token: str, address: str,
) -> int:  # fmt: skip
    """Raises :class:`Unprocessable` for what is not there, or a period without an edge."""
    if kind == "period":
        if since is None and until is None:
            raise Unprocessable("Say from when or until when.", fields={"since": "One of the two is needed."})
        object_id = None
    elif object_id is None:
        raise Unprocessable("Say what is held.", fields={"object_id": "This is needed."})
    if since is not None and until is not None and since >= until:
        raise Unprocessable("The period ends before it begins.", fields={"until": "Later than the beginning."})
    if ends_at is not None and ends_at <= work.now:
        raise Unprocessable("A hold ends in the future.", fields={"ends_at": "Choose a later day."})
    await work.tx.execute(WRITE_LOCK)
    places: dict[str, int | None] = {"customer": None, "conversation": None, "employee": None}
    if kind != "period":
        find = {
            "customer": ROOT,
            "conversation": "select id from conversation where id = $1",
            "employee": "select id from agent where id = $1",
        }[kind]
        found = await work.tx.fetchval(find, object_id)
        if found is None:
            raise Unprocessable("There is no such thing to hold.", fields={"object_id": "Not found."})
        places[kind] = found
    made = await work.tx.fetchval(
        PLACE, kind, places["customer"], places["conversation"], places["employee"], since, until, reason,
        principal.agent_id, work.now, ends_at, token,
    )  # fmt: skip
    if made is None:
        return int(await work.tx.fetchval("select id from legal_hold where client_token = $1", token))
    await record(
        work, "hold.placed", agent_id=principal.agent_id, object_kind="hold", object_id=made, address=address,
        detail={"kind": kind, "of": object_id, "why": reason},
    )  # fmt: skip
    return int(made)


async def lift(work: Work, principal: Principal, hold_id: int, reason: str, *, address: str) -> None:
    """Raises :class:`NotFound`, or :class:`Conflict` when it was lifted already."""
    if await work.tx.fetchval(LIFT, hold_id, work.now, principal.agent_id, reason) is None:
        if await work.tx.fetchval("select true from legal_hold where id = $1", hold_id) is None:
            raise NotFound("There is no such hold.")
        raise Conflict("It was lifted already.", code="changed_meanwhile")
    await record(
        work, "hold.lifted", agent_id=principal.agent_id, object_kind="hold", object_id=hold_id, address=address,
        detail={"why": reason},
    )  # fmt: skip


LIST = f"""
select h.id, h.kind, coalesce(h.customer_id, h.conversation_id, h.agent_id) as object_id,
  coalesce(nullif(u.name, ''), nullif(k.name, ''), nullif(c.group_name, ''), g.name, '') as name,
  h.since, h.until, h.reason, h.placed_by, h.placed_at, h.ends_at, h.lifted_by, h.lifted_at, h.lift_reason, ({ACTIVE}) as active
from legal_hold h left join customer u on u.id = h.customer_id left join conversation c on c.id = h.conversation_id
left join contact k on k.id = c.contact_id left join agent g on g.id = h.agent_id
where $1::bigint is null or h.id < $1 order by h.id desc limit $2
"""  # noqa: S608 - made of constants


async def listed(tx: Tx, before: int | None, limit: int) -> list[Row]:
    return list(await tx.fetch(LIST, before, limit))
