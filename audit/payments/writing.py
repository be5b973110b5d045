"""Writing payments down: once each, whoever tells of them and however often. What is new is held against the thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from audit.payments.judging import judge
from audit.payments.thresholds import THRESHOLDS
from scrm.metrics import PAYMENTS
from scrm.services import Work

Source = Literal["archive", "bill"]
Kind = Literal["red_packet_customer", "red_packet_internal", "transfer", "collected", "refund"]
Direction = Literal["in", "out", "inside"]

# A receipt that is told again: who paid and what stays; how much went back only grows. A refund's own bill tells when it was done, the
# receipt's list of refunds how much it was: in whatever order they come, the row ends the same.
WRITE = """
insert into payment as p (connection_id, source, reference, kind, direction, amount_fen, refunded_fen, pieces, channel, member_id,
  contact_ref, trade_id, way, note, conversation_id, message_id, at, seen_at)
select $1, w.source, w.reference, w.kind, w.direction, w.amount_fen, w.refunded_fen, w.pieces, w.channel, w.member_id, w.contact_ref,
  w.trade_id, w.way, w.note, w.conversation_id, w.message_id, w.at, $18
from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::int[], $9::text[], $10::text[], $11::text[],
  $12::text[], $13::text[], $14::text[], $15::bigint[], $16::bigint[], $17::timestamptz[])
  w (source, reference, kind, direction, amount_fen, refunded_fen, pieces, channel, member_id, contact_ref, trade_id, way, note,
  conversation_id, message_id, at)
order by w.reference
on conflict (connection_id, source, reference) do update set
  refunded_fen = greatest(p.refunded_fen, excluded.refunded_fen), note = case when excluded.note <> '' then excluded.note else p.note end,
  member_id = case when p.member_id = '' then excluded.member_id else p.member_id end,
  contact_ref = case when p.contact_ref = '' then excluded.contact_ref else p.contact_ref end
where p.source = 'bill' and (p.refunded_fen < excluded.refunded_fen or (excluded.note <> '' and p.note <> excluded.note)
  or (p.member_id = '' and excluded.member_id <> '') or (p.contact_ref = '' and excluded.contact_ref <> ''))
returning id, xmax = 0 as new
"""
EXACT = """
update payment p set amount_fen = w.amount_fen from unnest($2::text[], $3::bigint[]) w (reference, amount_fen)
where p.connection_id = $1 and p.source = 'bill' and p.kind = 'refund' and p.reference = w.reference and p.amount_fen is distinct from w.amount_fen
"""
DATED = """
update payment p set at = w.at from unnest($2::text[], $3::timestamptz[]) w (reference, at)
where p.connection_id = $1 and p.source = 'bill' and p.kind = 'refund' and p.reference = w.reference and p.at <> w.at
"""
GONE_BACK = """
update payment p set refunded_fen = s.fen from (
  select r.trade_id, least(sum(r.amount_fen), 9223372036854775807)::bigint as fen from payment r
  where r.connection_id = $1 and r.kind = 'refund' and r.trade_id = any($2::text[]) group by 1
) s where p.connection_id = $1 and p.source = 'bill' and p.kind <> 'refund' and p.trade_id = s.trade_id and p.refunded_fen < s.fen
"""
# What was said and not seen, near what is seen now: to be looked at again.
REOPEN = """
update payment_claim t set state = 'open' from payment p
where p.id = any($1::bigint[]) and t.state = 'unseen' and t.said_at between p.at - $2::interval and p.at + $2::interval
  and (t.conversation_id = p.conversation_id or (p.source = 'bill' and t.conversation_id in (
    select c.id from contact k join conversation c on c.contact_id = k.id
    where k.connection_id = p.connection_id and k.external_id = p.contact_ref)))
"""


@dataclass(frozen=True, slots=True)
class NewPayment:
    """As in the table ``payment``. ``exact``: a refund's amount is told by its receipt; ``dated``: its time by its own bill."""

    source: Source
    reference: str
    kind: Kind
    direction: Direction
    amount_fen: int | None
    channel: str
    at: datetime
    member_id: str = ""
    contact_ref: str = ""
    refunded_fen: int = 0
    pieces: int = 1
    trade_id: str = ""
    way: str = ""
    note: str = ""
    conversation_id: int | None = None
    message_id: int | None = None
    exact: bool = False
    dated: bool = False


async def write_payments(work: Work, connection_id: int, payments: Sequence[NewPayment]) -> int:
    """Returns how many are new."""
    found = list({(one.source, one.reference): one for one in reversed(payments)}.values())
    if not found:
        return 0
    rows = await work.tx.fetch(
        WRITE,
        connection_id,
        [one.source for one in found],
        [one.reference for one in found],
        [one.kind for one in found],
        [one.direction for one in found],
        [one.amount_fen for one in found],
        [one.refunded_fen for one in found],
        [one.pieces for one in found],
        [one.channel for one in found],
        [one.member_id for one in found],
        [one.contact_ref for one in found],
        [one.trade_id for one in found],
        [one.way for one in found],
        [one.note for one in found],
        [one.conversation_id for one in found],
        [one.message_id for one in found],
        [one.at for one in found],
        work.now,
    )
    await _refunds(work, connection_id, payments)
    new = [row["id"] for row in rows if row["new"]]
    if new:
        thresholds = await THRESHOLDS.load(work.tx)
        await work.tx.execute(REOPEN, new, thresholds.window)
        await judge(work, thresholds, new)
        work.ring("payment", connection_id)
        PAYMENTS.labels(found[0].source).inc(len(new))
    return len(new)


async def _refunds(work: Work, connection_id: int, payments: Sequence[NewPayment]) -> None:
    refunds = [one for one in payments if one.kind == "refund"]
    exact = {one.reference: one for one in refunds if one.exact}
    dated = {one.reference: one for one in refunds if one.dated}
    if exact:
        amounts = [one.amount_fen for one in exact.values()]
        await work.tx.execute(EXACT, connection_id, list(exact), amounts)
    if dated:
        await work.tx.execute(DATED, connection_id, list(dated), [one.at for one in dated.values()])
    trades = sorted({one.trade_id for one in payments if one.trade_id})
    if trades:
        await work.tx.execute(GONE_BACK, connection_id, trades)
