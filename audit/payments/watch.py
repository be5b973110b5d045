"""Messages read for money, behind their way into the inbox: red packets with their amounts, and what people say of paying.

What was read and how far the reader is are one unit of work. A new version of what is understood has a place of its own and begins with the
first message: what was understood before is put in its place, what was seen before stays as it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

from audit.alerts.raising import NewAlert, raise_alerts
from audit.following import Stretch, next_stretch
from audit.payments.claims import VERSION, claims_in
from audit.payments.judging import OLD
from audit.payments.thresholds import THRESHOLDS, MoneyThresholds
from audit.payments.writing import NewPayment, write_payments
from scrm.db import RETRYABLE, Row
from scrm.gentle import for_each
from scrm.services import Services, Work

NAME = f"audit_money_{VERSION}"
AT_ONCE = 2000
SETTLED_AT_ONCE = 2000
LATE = timedelta(hours=1)
"""What is still on its way when the time for it is over: bills are read every few minutes."""
LARGEST_FEN = 2**63 - 1

PACKETS = """
select m.id, m.conversation_id, m.direction, m.sender_id, m.sent_at, m.platform_message_id, m.content, c.group_key, a.connection_id, a.channel,
  a.external_id as member_id, k.external_id as contact_ref
from message m join conversation c on c.id = m.conversation_id join account a on a.id = c.account_id left join contact k on k.id = c.contact_id
where m.id > $1 and m.id <= $2 and m.kind = 'other' and m.direction in ('in', 'out') and m.content ? 'packet_type'
order by m.id
"""
# Only sentences that can speak of paying leave the database; who decides is `claims_in`.
SENTENCES = """
select m.id, m.conversation_id, m.direction, m.text, m.sent_at from message m
where m.id > $1 and m.id <= $2 and m.kind = 'text' and m.direction in ('in', 'out') and m.sender_kind in ('customer', 'agent')
  and m.text ~ '转|红包|打|汇|付|退|还|补|垫|收' order by m.id
"""
FORGET = "delete from payment_claim where message_id > $1 and message_id <= $2 and version <> $3"
SAY = """
insert into payment_claim (message_id, position, conversation_id, way, amount_fen, direction, state, said_at, version)
select w.message_id, w.position, w.conversation_id, w.way, w.amount_fen, w.direction, 'open', w.said_at, $8
from unnest($1::bigint[], $2::int[], $3::bigint[], $4::text[], $5::bigint[], $6::text[], $7::timestamptz[])
  w (message_id, position, conversation_id, way, amount_fen, direction, said_at)
on conflict do nothing
"""
# In the chat itself, or in the bills of its customer; the nearest in time.
SETTLE = """
with open as (
  select t.message_id, t.position, t.conversation_id, t.way, t.amount_fen, t.said_at from payment_claim t
  where t.state = 'open' order by t.said_at limit $2 for update skip locked
), near as (
  select t.message_id, t.position, f.id from open t
  join conversation c on c.id = t.conversation_id join account a on a.id = c.account_id left join contact k on k.id = c.contact_id
  cross join lateral (
    select p.id from (
      select p.id, p.kind, p.amount_fen, p.at from payment p
      where p.conversation_id = t.conversation_id and p.at between t.said_at - $1::interval and t.said_at + $1::interval
      union all
      select p.id, p.kind, p.amount_fen, p.at from payment p
      where p.source = 'bill' and p.connection_id = a.connection_id and p.contact_ref = k.external_id and p.contact_ref <> ''
        and p.at between t.said_at - $1::interval and t.said_at + $1::interval
    ) p
    where (t.amount_fen is null or p.amount_fen = t.amount_fen)
      and case when t.way = 'red_packet' then p.kind in ('red_packet_customer', 'red_packet_internal')
        else t.amount_fen is not null or p.kind in ('transfer', 'collected', 'refund') end
    order by abs(extract(epoch from p.at - t.said_at)), p.id limit 1
  ) f
)
update payment_claim t set state = 'matched', payment_id = n.id from near n where t.message_id = n.message_id and t.position = n.position
"""
OVER = """
with due as (
  select t.message_id, t.position from payment_claim t where t.state = 'open' and t.said_at < $1
  order by t.said_at limit $2 for update skip locked
)
update payment_claim t set state = 'unseen' from due d, message m, conversation c, account a
left join agent_identity i on i.connection_id = a.connection_id and i.external_id = a.external_id
where t.message_id = d.message_id and t.position = d.position and m.id = t.message_id and c.id = t.conversation_id and a.id = c.account_id
returning t.message_id, t.position, t.conversation_id, t.way, t.amount_fen, t.direction, t.said_at, coalesce(m.sender_agent_id, i.agent_id) as agent_id
"""


class MoneyWatcher:
    """:meth:`round` reads the next messages; when all are read, it holds what was said against what was seen."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def round(self) -> bool:
        """True: there are more."""
        try:
            async with self._services.work() as work:
                stretch = await next_stretch(work, NAME, "message", at_once=AT_ONCE)
                if stretch is not None:
                    await read_packets(work, stretch)
                    await read_sentences(work, stretch)
            if stretch is not None and stretch.full:
                return True
            async with self._services.work() as work:
                return await settle(work)
        except RETRYABLE:
            return True


async def read_packets(work: Work, stretch: Stretch) -> None:
    found: dict[int, list[NewPayment]] = defaultdict(list)
    for row in await work.tx.fetch(PACKETS, stretch.after, stretch.until):
        found[row["connection_id"]].append(packet_of(row))
    for connection_id in sorted(found):
        await write_payments(work, connection_id, found[connection_id])


def packet_of(row: Row) -> NewPayment:
    """A red packet goes from one to one in a chat of two; in a group nobody tells who took it."""
    content, ours, alone = row["content"], row["direction"] == "out", row["group_key"] == ""
    inside = content.get("scope") == "inside"
    count = content.get("count")
    member = row["sender_id"] or row["member_id"] if ours else (row["member_id"] if alone else "")
    contact = "" if inside else (row["contact_ref"] or "" if alone else ("" if ours else row["sender_id"]))
    return NewPayment(
        source="archive",
        reference=row["platform_message_id"] or f"message:{row['id']}",
        kind="red_packet_internal" if inside else "red_packet_customer",
        direction="inside" if inside else ("out" if ours else "in"),
        amount_fen=amount_of(content.get("total_fen")),
        channel=row["channel"],
        at=row["sent_at"],
        member_id=member,
        contact_ref=contact,
        pieces=count if isinstance(count, int) and 1 <= count <= 100_000 else 1,
        way="group" if not alone else "",
        conversation_id=row["conversation_id"],
        message_id=row["id"],
    )


def amount_of(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_FEN else None


async def read_sentences(work: Work, stretch: Stretch) -> None:
    await work.tx.execute(FORGET, stretch.after, stretch.until, VERSION)
    rows = await work.tx.fetch(SENTENCES, stretch.after, stretch.until)
    found = await for_each(rows, lambda row: claims_in(row["text"]))
    said = [(row, n, claim) for row, claims in zip(rows, found, strict=True) for n, claim in enumerate(claims)]
    if said:
        await work.tx.execute(
            SAY,
            [row["id"] for row, _, _ in said],
            [n for _, n, _ in said],
            [row["conversation_id"] for row, _, _ in said],
            [claim.way for _, _, claim in said],
            [claim.amount_fen for _, _, claim in said],
            [row["direction"] for row, _, _ in said],
            [row["sent_at"] for row, _, _ in said],
            VERSION,
        )


async def settle(work: Work) -> bool:
    """True: there are more whose time is over."""
    thresholds = await THRESHOLDS.load(work.tx)
    await work.tx.execute(SETTLE, thresholds.window, SETTLED_AT_ONCE)
    over = await work.tx.fetch(OVER, work.now - thresholds.window - LATE, SETTLED_AT_ONCE)
    if thresholds.claims and over:
        await raise_alerts(work, _alerts(work, over, thresholds))
    return len(over) == SETTLED_AT_ONCE


def _alerts(work: Work, rows: Sequence[Row], thresholds: MoneyThresholds) -> list[NewAlert]:
    hours = thresholds.claim_hours
    return [
        NewAlert(
            kind="money.claim",
            severity="medium" if row["direction"] == "out" else "low",
            title={
                "zh-CN": f"说到{'红包' if row['way'] == 'red_packet' else '转账'}，前后 {hours} 小时内平台上没有看到",
                "en": f"A {'red packet' if row['way'] == 'red_packet' else 'transfer'} was spoken of; none is seen within {hours} hours",
            },
            fingerprint=f"money:claim:{row['message_id']}:{row['position']}",
            happened_at=row["said_at"],
            conversation_id=row["conversation_id"],
            message_id=row["message_id"],
            agent_id=row["agent_id"],
            detail={"way": row["way"], **({"amount_fen": row["amount_fen"]} if row["amount_fen"] is not None else {})},
            quiet=row["said_at"] < work.now - OLD,
        )
        for row in rows
    ]
