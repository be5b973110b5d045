"""What one employee adds today: the numbers in full, for them alone; each copy is written to the trail. Adding is done by the person."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from scrm.company import FACTS
from scrm.db import Row, Tx
from scrm.errors import NotFound
from scrm.permissions import Principal
from scrm.services import Work
from scrm.trail import record
from scrm.views import Input, View

Outcome = Literal["open", "sent", "not_found", "refused", "wrong_number"]

# The oldest first, of each list no more than its daily number, less what was done of it today: what is left of a day comes on the next.
TODAY = """
select * from (
  select i.id, i.batch_id, b.name as batch, b.greeting, i.phone, i.name, i.day, i.state, i.copies,
    row_number() over (partition by i.batch_id order by i.state = 'open', i.day, i.id) <= b.per_day as fits
  from invite i join invite_batch b on b.id = i.batch_id
  where i.agent_id = $1
    and ((i.state = 'open' and i.day <= $2) or (i.done_day = $2 and i.state not in ('open', 'cancelled')))
) w where fits or state <> 'open' order by state <> 'open', day, id
"""
WAITING = "select count(*) from invite where agent_id = $1 and state = 'open'"
MINE = "select id, phone, name, batch_id from invite where id = $1 and agent_id = $2 and state <> 'cancelled' and (day <= $3 or done_day = $3)"
COPY = "update invite set copies = copies + 1 where id = $1"
SAY = """
update invite set state = $3, done_at = case when $3 = 'open' then null else $4::timestamptz end,
  done_day = case when $3 = 'open' then null else $5::date end
where id = $1 and agent_id = $2 and state in ('open', 'sent', 'not_found', 'refused', 'wrong_number') and (day <= $5 or done_day = $5)
returning id
"""


class InviteView(View):
    """``greeting`` with its variables filled in."""

    id: int
    batch_id: int
    batch: str
    greeting: str
    phone: str
    name: str
    day: date
    carried: bool
    state: str
    copies: int


class ShareOfToday(View):
    """``waiting``: all that is still to be done, today and later."""

    day: date
    invites: list[InviteView]
    done: int
    waiting: int


class OutcomeInput(Input):
    """``open`` takes it back."""

    state: Outcome


async def today(tx: Tx, principal: Principal, now: datetime) -> ShareOfToday:
    facts = await FACTS.load(tx)
    day = now.astimezone(facts.clock).date()
    rows = await tx.fetch(TODAY, principal.agent_id, day)
    return ShareOfToday(
        day=day,
        invites=[_view(row, principal, facts.name, day) for row in rows],
        done=sum(row["state"] != "open" for row in rows),
        waiting=await tx.fetchval(WAITING, principal.agent_id),
    )


async def copied(work: Work, principal: Principal, invite_id: int, *, address: str) -> None:
    """Raises :class:`NotFound` for what is not in the asker's share of today."""
    row = await work.tx.fetchrow(MINE, invite_id, principal.agent_id, await _day(work))
    if row is None:
        raise NotFound("This number is not in your share of today.")
    await work.tx.execute(COPY, invite_id)
    await record(
        work, "invite.copied", agent_id=principal.agent_id, object_kind="invite", object_id=invite_id, address=address,
        detail={"batch_id": row["batch_id"]},
    )  # fmt: skip


async def say(work: Work, principal: Principal, invite_id: int, body: OutcomeInput) -> None:
    """Saying the same twice changes nothing that counts. What the platform told (accepted) is not overwritten."""
    day = await _day(work)
    if await work.tx.fetchval(SAY, invite_id, principal.agent_id, body.state, work.now, day) is None:
        raise NotFound("This number is not in your share of today.")


async def _day(work: Work) -> date:
    return work.now.astimezone((await FACTS.load(work.tx)).clock).date()


def _view(row: Row, principal: Principal, company: str, today_: date) -> InviteView:
    said = {"{{agent.name}}": principal.name, "{{company.name}}": company, "{{customer.name}}": row["name"]}
    greeting = row["greeting"]
    for mark, word in said.items():
        greeting = greeting.replace(mark, word)
    return InviteView(
        id=row["id"], batch_id=row["batch_id"], batch=row["batch"], greeting=greeting, phone=row["phone"], name=row["name"],
        day=row["day"], carried=row["state"] == "open" and row["day"] < today_, state=row["state"], copies=row["copies"],
    )  # fmt: skip
