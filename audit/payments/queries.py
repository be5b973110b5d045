"""Payments as they are shown: a page of them, sums by day, kind, employee and customer, and what was said of money."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from audit.payments.asking import CLAIMS, FROM, Period, claim_where, payment_where, period_of, seen
from audit.payments.shapes import (
    BillSource,
    ClaimCounts,
    ClaimQuery,
    PaymentClaimPage,
    PaymentClaimView,
    PaymentCustomer,
    PaymentCustomerSum,
    PaymentDay,
    PaymentFilter,
    PaymentKindSum,
    PaymentMember,
    PaymentMemberSum,
    PaymentPage,
    PaymentPlace,
    PaymentQuery,
    PaymentSummary,
    PaymentTotals,
    PaymentView,
)
from audit.payments.thresholds import THRESHOLDS
from inbox.list_sql import Arguments
from scrm.db import Row, Tx
from scrm.errors import Unprocessable
from scrm.permissions import Scope
from scrm.views import MAX_ID, sentence_view

# ruff: noqa: S608 - made of constants

MOST_SUMS = 50
TEXT = 200
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _sum(which: str) -> str:
    return f"least(coalesce(sum(p.amount_fen) filter (where {which}), 0), {MAX_ID})::bigint"


TOTALS = f"""
count(*) as n, {_sum("p.kind in ('collected', 'transfer')")} as in_fen, {_sum("p.kind = 'refund'")} as refunded_fen,
{_sum("p.kind = 'red_packet_customer' and p.direction = 'out'")} as packets_out_fen,
{_sum("p.kind = 'red_packet_customer' and p.direction = 'in'")} as packets_in_fen, {_sum("p.direction = 'inside'")} as inside_fen
"""
MEMBER = "e.id as account_id, i.agent_id, coalesce(nullif(g.name, ''), nullif(e.name, ''), nullif(d.name, ''), p.member_id) as member_name"
CUSTOMER = "k.id as contact_id, u.id as customer_id, coalesce(nullif(u.name, ''), nullif(k.name, ''), p.contact_ref) as customer_name"
COLUMNS = f"""
p.id, p.source, p.kind, p.direction, p.amount_fen, p.refunded_fen, p.pieces, p.way, p.note, p.at, p.trade_id, p.member_id, p.contact_ref,
{MEMBER}, {CUSTOMER}, c.id as conversation_id, c.group_name,
case when c.id is not null then coalesce((select m.seq from message m where m.id = p.message_id),
  (select m.seq from message m where m.conversation_id = c.id and m.sent_at <= p.at order by m.seq desc limit 1), 0) end as seq,
exists (select from payment_claim t where t.payment_id = p.id) as said
"""
BILLS = """
select b.connection_id, n.name, b.read_until, b.looked_at, b.trouble from payment_bills b join connection n on n.id = b.connection_id
order by b.connection_id
"""


async def payment_page(tx: Tx, scope: Scope, query: PaymentQuery, now: datetime) -> PaymentPage:
    """Newest first."""
    period = await period_of(tx, query.first, query.last, now)
    rows = await payment_rows(tx, scope, query, period, query.limit + 1, query.cursor)
    totals = await _totals(tx, scope, query, period) if query.cursor is None else None
    page = rows[: query.limit]
    cursor = cursor_of(page[-1]["at"], page[-1]["id"]) if len(rows) > query.limit else None
    return PaymentPage(payments=[payment_view(row) for row in page], next_cursor=cursor, totals=totals)


async def payment_rows(
    tx: Tx, scope: Scope, query: PaymentFilter, period: Period, limit: int, cursor: str | None = None
) -> list[Row]:
    arguments = Arguments()
    where = payment_where(arguments, scope, query, period)
    if cursor is not None:
        at, row_id = place_of(cursor)
        where += f" and (p.at, p.id) < ({arguments.add(at, 'timestamptz')}, {arguments.add(row_id, 'bigint')})"
    sql = (
        f"select {COLUMNS} from {FROM} where {where} order by p.at desc, p.id desc limit {arguments.add(limit, 'int')}"
    )
    return list(await tx.fetch(sql, *arguments.values))


async def _totals(tx: Tx, scope: Scope, query: PaymentFilter, period: Period) -> PaymentTotals:
    arguments = Arguments()
    where = payment_where(arguments, scope, query, period)
    row = await tx.fetchrow(f"select {TOTALS} from {FROM} where {where}", *arguments.values)
    assert row is not None
    return _totals_view(row)


async def summary(tx: Tx, scope: Scope, query: PaymentFilter, now: datetime) -> PaymentSummary:
    """Five statements for any number of payments."""
    period = await period_of(tx, query.first, query.last, now)
    arguments = Arguments()
    where = payment_where(arguments, scope, query, period)
    values = list(arguments.values)
    zone = arguments.add(period.zone.key, "text")
    amount = f"least(coalesce(sum(p.amount_fen), 0), {MAX_ID})::bigint as fen"
    days = await tx.fetch(
        f"select (p.at at time zone {zone})::date as day, p.kind, p.direction, count(*) as n, {amount} from {FROM} where {where} "
        "group by 1, 2, 3 order by 1, 2, 3",
        *arguments.values,
    )
    kinds = await tx.fetch(
        f"select p.kind, p.direction, count(*) as n, {amount} from {FROM} where {where} group by 1, 2 order by 1, 2",
        *values,
    )
    most = f"order by least(coalesce(sum(p.amount_fen), 0), {MAX_ID}) desc, 1, 2 limit {MOST_SUMS}"
    members = await tx.fetch(
        f"select p.connection_id, p.member_id, {MEMBER}, {TOTALS} from {FROM} where {where} and p.member_id <> '' "
        f"group by 1, 2, e.id, i.agent_id, g.name, e.name, d.name {most}",
        *values,
    )
    customers = await tx.fetch(
        f"select coalesce(u.id, 0) as customer_id, coalesce(nullif(u.name, ''), nullif(min(k.name), ''), min(p.contact_ref)) as customer_name, "
        f"min(k.id) as contact_id, {TOTALS} from {FROM} where {where} and p.contact_ref <> '' "
        f"group by u.id, u.name, case when u.id is null then p.contact_ref end {most}",
        *values,
    )
    return PaymentSummary(
        first=period.first,
        last=period.last,
        totals=await _totals(tx, scope, query, period),
        kinds=[PaymentKindSum(**row) for row in kinds],
        days=[PaymentDay(**row) for row in days],
        members=[PaymentMemberSum(member=_member(row), totals=_totals_view(row)) for row in members],
        customers=[
            PaymentCustomerSum(
                customer=PaymentCustomer(
                    contact_id=row["contact_id"],
                    customer_id=row["customer_id"] or None,
                    name=row["customer_name"] or "",
                ),
                totals=_totals_view(row),
            )
            for row in customers
        ],
        bills=[_bills(row) for row in await tx.fetch(BILLS)] if scope.everything else [],
    )


async def claim_page(tx: Tx, scope: Scope, query: ClaimQuery, now: datetime) -> PaymentClaimPage:
    """Newest first. A payment is told only to those who see it."""
    period = await period_of(tx, query.first, query.last, now)
    arguments = Arguments()
    where = claim_where(arguments, scope, query, period)
    if query.state is not None:
        where += f" and t.state = {arguments.add(query.state, 'text')}"
    if query.cursor is not None:
        at, message_id = place_of(query.cursor)
        where += f" and (t.said_at, t.message_id) < ({arguments.add(at, 'timestamptz')}, {arguments.add(message_id, 'bigint')})"
    # Several in one sentence stay on one page.
    rows = await tx.fetch(
        "select t.message_id, t.position, t.way, t.amount_fen, t.direction, t.state, t.payment_id, t.said_at, left(m.text, 2000) as text, m.seq, "
        "c.id as conversation_id, c.group_name, a.id as account_id, a.name as account_name, k.id as contact_id, u.id as customer_id, "
        f"coalesce(nullif(u.name, ''), k.name) as customer_name from {CLAIMS} where {where} "
        f"order by t.said_at desc, t.message_id desc fetch first ({arguments.add(query.limit + 1, 'int')}) rows with ties",
        *arguments.values,
    )
    page, more = _whole(rows, query.limit)
    payments = await _payments(tx, scope, [row["payment_id"] for row in page if row["payment_id"] is not None])
    return PaymentClaimPage(
        claims=[_claim(row, payments) for row in page],
        next_cursor=cursor_of(page[-1]["said_at"], page[-1]["message_id"]) if more else None,
        counts=await _counts(tx, scope, query, period) if query.cursor is None else None,
        hours=(await THRESHOLDS.load(tx)).claim_hours,
    )


def _whole(rows: Sequence[Row], limit: int) -> tuple[list[Row], bool]:
    """Up to ``limit`` rows; the claims of one message are not parted, so a page may hold a few more."""
    if len(rows) <= limit:
        return list(rows), False
    last = rows[limit - 1]["message_id"]
    page = [row for n, row in enumerate(rows) if n < limit or row["message_id"] == last]
    return sorted(page, key=lambda row: (-row["said_at"].timestamp(), -row["message_id"], row["position"])), len(
        rows
    ) > len(page)


async def _counts(tx: Tx, scope: Scope, query: ClaimQuery, period: Period) -> ClaimCounts:
    arguments = Arguments()
    where = claim_where(arguments, scope, query, period)
    states = {
        row["state"]: row["n"]
        for row in await tx.fetch(
            f"select t.state, count(*) as n from {CLAIMS} where {where} group by 1", *arguments.values
        )
    }
    unsaid = await _totals(
        tx, scope,
        PaymentFilter(agent_id=query.agent_id, account_id=query.account_id, customer_id=query.customer_id, unsaid=True), period,
    )  # fmt: skip
    return ClaimCounts(
        matched=states.get("matched", 0), unseen=states.get("unseen", 0), open=states.get("open", 0), unsaid=unsaid.n
    )


async def _payments(tx: Tx, scope: Scope, ids: Sequence[int]) -> dict[int, PaymentView]:
    if not ids:
        return {}
    arguments = Arguments()
    wanted = arguments.add(list(ids), "bigint[]")
    sql = f"select {COLUMNS} from {FROM} where p.id = any({wanted}) and {seen(arguments, scope)}"
    return {row["id"]: payment_view(row) for row in await tx.fetch(sql, *arguments.values)}


def payment_view(row: Row) -> PaymentView:
    place = (
        PaymentPlace(conversation_id=row["conversation_id"], seq=row["seq"], group_name=row["group_name"] or "")
        if row["conversation_id"] is not None
        else None
    )
    customer = (
        PaymentCustomer(contact_id=row["contact_id"], customer_id=row["customer_id"], name=row["customer_name"] or "")
        if row["contact_ref"]
        else None
    )
    return PaymentView(
        id=row["id"], source=row["source"], kind=row["kind"], direction=row["direction"], amount_fen=row["amount_fen"],
        refunded_fen=row["refunded_fen"], pieces=row["pieces"], way=row["way"], note=row["note"], at=row["at"], member=_member(row),
        customer=customer, place=place, trade_id=row["trade_id"], said=row["said"],
    )  # fmt: skip


def _claim(row: Row, payments: dict[int, PaymentView]) -> PaymentClaimView:
    text = " ".join(row["text"].split())
    contact = row["contact_id"]
    return PaymentClaimView(
        message_id=row["message_id"], position=row["position"], way=row["way"], amount_fen=row["amount_fen"], direction=row["direction"],
        state=row["state"], text=text if len(text) <= TEXT else f"{text[:TEXT]}…", said_at=row["said_at"],
        place=PaymentPlace(conversation_id=row["conversation_id"], seq=row["seq"], group_name=row["group_name"] or ""),
        account_id=row["account_id"], account_name=row["account_name"],
        customer=None if contact is None else PaymentCustomer(contact_id=contact, customer_id=row["customer_id"], name=row["customer_name"] or ""),
        payment=payments.get(row["payment_id"]) if row["payment_id"] is not None else None,
    )  # fmt: skip


def _member(row: Row) -> PaymentMember:
    return PaymentMember(
        id=row["member_id"], account_id=row["account_id"], agent_id=row["agent_id"], name=row["member_name"] or ""
    )


def _totals_view(row: Row) -> PaymentTotals:
    return PaymentTotals(
        n=row["n"], in_fen=row["in_fen"], refunded_fen=row["refunded_fen"], packets_out_fen=row["packets_out_fen"],
        packets_in_fen=row["packets_in_fen"], inside_fen=row["inside_fen"],
    )  # fmt: skip


def _bills(row: Row) -> BillSource:
    return BillSource(
        connection_id=row["connection_id"], name=row["name"], read_until=row["read_until"], looked_at=row["looked_at"],
        trouble=sentence_view(row["trouble"]),
    )  # fmt: skip


def cursor_of(at: datetime, row_id: int) -> str:
    """In microseconds, exactly."""
    return f"{(at - EPOCH) // timedelta(microseconds=1)}.{row_id}"


def place_of(cursor: str) -> tuple[datetime, int]:
    at, row_id = cursor.split(".")
    try:
        found = EPOCH + timedelta(microseconds=int(at))
    except OverflowError:
        found = None
    if found is None or int(row_id) > MAX_ID:
        raise Unprocessable("This cursor cannot be used.", fields={"cursor": "Use the next_cursor of an earlier page."})
    return found, int(row_id)
