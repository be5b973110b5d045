"""What a page shows of its customers, a statement for each kind of thing and all rows at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from customers.field_values import shown
from customers.filtering import Asking
from customers.scope import CHANGED, may_write
from scrm.db import Row, Tx
from scrm.masking import masked
from scrm.permissions import INBOX_READ, Principal, Scope
from scrm.views import View

# ruff: noqa: S608 - made of constants

CUSTOMERS = f"""
select u.id, u.name, u.avatar, u.phone, u.company, u.position, u.city, u.gender, u.email, u.address, u.remark, u.source,
  u.stage_id, u.stage_at, u.owner_id, u.owned_at, u.value_fen, u.tags, u.fields, u.accounts, u.created_at, u.updated_at,
  u.last_message_at, u.last_inbound_at, u.followed_at, u.next_due_at, u.reclaim_at, u.pooled_at, u.deleted_at, u.deleted_by,
  u.version, $2 = any(u.readers || u.writers) as shared, {CHANGED} as may_change
from customer u where u.id = any($4::bigint[])
"""
# Whose conversation it is decides who reads its last sentence, not whose customer.
WORDS = """
select distinct on (k.customer_id) k.customer_id, c.id, c.preview, c.preview_kind, c.preview_direction, c.last_message_at
from contact k join conversation c on c.contact_id = k.id join account a on a.id = c.account_id
where k.customer_id = any($1::bigint[]) and c.last_seq > 0
  and ($2 or c.assignee_id = $3 or $3 = any(c.collaborators)
    or ($4::bigint[] is not null and (a.team_id is null or a.team_id = any($4))))
order by k.customer_id, c.last_message_at desc, c.id desc
"""
STEPS = """
select distinct on (customer_id) customer_id, id, text, kind, due_at, all_day, agent_id from task
where customer_id = any($1::bigint[]) and state = 'open' order by customer_id, due_at, id
"""
CHANNELS = "select id, channel from account where id = any($1::bigint[])"


class LastWords(View):
    """``direction`` in or out; ``kind`` of the message, for those that say nothing by themselves."""

    conversation_id: int
    text: str
    kind: str
    direction: str
    at: datetime


class NextStep(View):
    task_id: int
    text: str
    kind: str
    due_at: datetime
    all_day: bool
    agent_id: int | None


class CustomerRow(View):
    """One line of the list. ``fields``: the company's own, by key. ``may_change``: whether the asker may change this customer."""

    id: int
    name: str
    avatar: str
    phone: str
    company: str
    position: str
    city: str
    gender: str
    email: str
    address: str
    remark: str
    source: str
    stage_id: int | None
    stage_at: datetime | None
    owner_id: int | None
    owned_at: datetime | None
    value_fen: int | None
    tags: list[int]
    fields: dict[str, Any]
    channels: list[str]
    shared: bool
    created_at: datetime
    updated_at: datetime
    last_message_at: datetime | None
    last_inbound_at: datetime | None
    followed_at: datetime | None
    next_due_at: datetime | None
    reclaim_at: datetime | None
    pooled_at: datetime | None
    deleted_at: datetime | None
    deleted_by: int | None
    last_words: LastWords | None
    next_step: NextStep | None
    version: int
    may_change: bool


async def rows_of(tx: Tx, principal: Principal, asking: Asking, ids: Sequence[int]) -> list[CustomerRow]:
    """In the order of ``ids``."""
    if not ids:
        return []
    customers = {row["id"]: row for row in await tx.fetch(CUSTOMERS, *asking.scope.arguments, list(ids))}
    words = await _last_words(tx, principal, ids)
    steps = {row["customer_id"]: row for row in await tx.fetch(STEPS, list(ids))}
    channels = await _channels(tx, list(customers.values()))
    return [
        _row(customers[one], asking, words.get(one), steps.get(one), channels[one], writes=may_write(principal))
        for one in ids
        if one in customers
    ]


async def _last_words(tx: Tx, principal: Principal, ids: Sequence[int]) -> Mapping[int, Row]:
    if not principal.may(INBOX_READ):
        return {}
    scope = Scope.of(principal)
    rows = await tx.fetch(WORDS, list(ids), scope.everything, scope.agent_id, scope.teams)
    return {row["customer_id"]: row for row in rows}


async def _channels(tx: Tx, customers: Sequence[Row]) -> Mapping[int, list[str]]:
    wanted = sorted({account for row in customers for account in row["accounts"]})
    of = {row["id"]: row["channel"] for row in await tx.fetch(CHANNELS, wanted)} if wanted else {}
    found: dict[int, list[str]] = defaultdict(list)
    for row in customers:
        found[row["id"]] = list(dict.fromkeys(of[one] for one in row["accounts"] if one in of))
    return found


def _row(
    row: Row, asking: Asking, words: Row | None, step: Row | None, channels: list[str], *, writes: bool
) -> CustomerRow:
    phones = asking.scope.phones
    plain = {
        name: row[name]
        for name in CustomerRow.model_fields
        if name in row.keys() and name not in ("phone", "fields", "may_change")  # noqa: SIM118
    }
    return CustomerRow(
        **plain,
        phone=row["phone"] if phones else masked(row["phone"]),
        fields=shown(list(asking.fields.values()), row["fields"], phones=phones),
        channels=channels,
        may_change=row["may_change"] and writes,
        last_words=None
        if words is None
        else LastWords(
            conversation_id=words["id"],
            text=words["preview"],
            kind=words["preview_kind"],
            direction=words["preview_direction"],
            at=words["last_message_at"],
        ),
        next_step=None
        if step is None
        else NextStep(
            task_id=step["id"],
            text=step["text"],
            kind=step["kind"],
            due_at=step["due_at"],
            all_day=step["all_day"],
            agent_id=step["agent_id"],
        ),
    )
