"""New payments against the thresholds. An alert's fingerprint makes it one per payment, employee and day, customer and week."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from audit.alerts.raising import NewAlert, raise_alerts
from audit.payments.thresholds import MoneyThresholds
from scrm.company import FACTS
from scrm.db import Row
from scrm.services import Work

OLD = timedelta(days=3)
"""What happened longer ago is told without a bell: it is history that was just read."""
KNOWN = """
payment p
left join account e on e.connection_id = p.connection_id and e.channel = p.channel and e.external_id = p.member_id
left join agent_identity i on i.connection_id = p.connection_id and i.external_id = p.member_id
left join contact k on k.connection_id = p.connection_id and k.external_id = p.contact_ref and p.contact_ref <> ''
"""
SINGLE = f"""
select p.id, p.amount_fen, p.kind, p.at, p.conversation_id, p.message_id, e.id as account_id, i.agent_id from {KNOWN}
where p.id = any($1::bigint[]) and p.kind <> 'refund' and p.amount_fen >= $2 order by p.id
"""  # noqa: S608 - made of constants
# Everything of the employee's day, not only what is new of it.
BY_DAY = f"""
with days as (
  select distinct connection_id, channel, member_id, (at at time zone $3)::date as day from payment
  where id = any($1::bigint[]) and kind <> 'refund' and member_id <> ''
)
select d.connection_id, d.member_id, d.day, least(sum(p.amount_fen), 9223372036854775807)::bigint as fen, count(*) as n, max(p.at) as at,
  min(e.id) as account_id, min(i.agent_id) as agent_id
from days d join {KNOWN} on p.connection_id = d.connection_id and p.channel = d.channel and p.member_id = d.member_id and p.kind <> 'refund'
  and p.at >= d.day::timestamp at time zone $3 and p.at < (d.day + 1)::timestamp at time zone $3
group by 1, 2, 3 having sum(p.amount_fen) >= $2 order by 1, 2, 3
"""  # noqa: S608
BY_WEEK = f"""
with weeks as (
  select distinct connection_id, contact_ref, date_trunc('week', at at time zone $3)::date as week from payment
  where id = any($1::bigint[]) and kind = 'red_packet_customer' and direction = 'out' and contact_ref <> ''
)
select d.connection_id, d.contact_ref, d.week, least(sum(p.amount_fen), 9223372036854775807)::bigint as fen, count(*) as n, max(p.at) as at,
  (array_agg(p.conversation_id order by p.at desc) filter (where p.conversation_id is not null))[1] as conversation_id,
  (array_agg(p.message_id order by p.at desc) filter (where p.message_id is not null))[1] as message_id,
  (array_agg(e.id order by p.at desc))[1] as account_id, (array_agg(i.agent_id order by p.at desc))[1] as agent_id
from weeks d join {KNOWN} on p.connection_id = d.connection_id and p.contact_ref = d.contact_ref and p.kind = 'red_packet_customer'
  and p.direction = 'out' and p.at >= d.week::timestamp at time zone $3 and p.at < (d.week + 7)::timestamp at time zone $3
group by 1, 2, 3 having sum(p.amount_fen) >= $2 order by 1, 2, 3
"""  # noqa: S608


async def judge(work: Work, thresholds: MoneyThresholds, ids: Sequence[int]) -> int:
    """Returns how many alerts are new."""
    zone = (await FACTS.load(work.tx)).zone
    alerts: list[NewAlert] = []
    if thresholds.single_fen is not None:
        rows = await work.tx.fetch(SINGLE, list(ids), thresholds.single_fen)
        alerts += [_single(work, row) for row in rows]
    if thresholds.member_day_fen is not None:
        rows = await work.tx.fetch(BY_DAY, list(ids), thresholds.member_day_fen, zone)
        alerts += [_day(work, row) for row in rows]
    if thresholds.packets_week_fen is not None:
        rows = await work.tx.fetch(BY_WEEK, list(ids), thresholds.packets_week_fen, zone)
        alerts += [_week(work, row) for row in rows]
    return await raise_alerts(work, alerts)


def yuan(fen: int) -> str:
    return f"{fen // 100:,}.{fen % 100:02d}"


def _single(work: Work, row: Row) -> NewAlert:
    said = yuan(row["amount_fen"])
    return _alert(
        work, row, "money.single", "medium", {"zh-CN": f"单笔金额 ¥{said}", "en": f"One payment of ¥{said}"},
        f"money:single:{row['id']}", {"payment_id": row["id"], "amount_fen": row["amount_fen"]},
    )  # fmt: skip


def _day(work: Work, row: Row) -> NewAlert:
    said, day = yuan(row["fen"]), row["day"]
    return _alert(
        work, row, "money.day", "medium",
        {"zh-CN": f"员工单日收支 ¥{said}（{day}，{row['n']} 笔）", "en": f"¥{said} of one employee on {day}, {row['n']} payments"},
        f"money:day:{row['connection_id']}:{row['member_id']}:{day}", {"day": str(day), "amount_fen": row["fen"], "n": row["n"]},
    )  # fmt: skip


def _week(work: Work, row: Row) -> NewAlert:
    said, week = yuan(row["fen"]), row["week"]
    return _alert(
        work, row, "money.week", "high",
        {"zh-CN": f"一周内给同一客户的红包 ¥{said}（{row['n']} 个）", "en": f"¥{said} of red packets to one customer in a week, {row['n']} of them"},
        f"money:week:{row['connection_id']}:{row['contact_ref']}:{week}", {"week": str(week), "amount_fen": row["fen"], "n": row["n"]},
    )  # fmt: skip


def _alert(
    work: Work,
    row: Row,
    kind: str,
    severity: Any,
    title: Mapping[str, str],
    fingerprint: str,
    detail: Mapping[str, Any],
) -> NewAlert:
    return NewAlert(
        kind=kind, severity=severity, title=title, fingerprint=fingerprint, happened_at=row["at"],
        conversation_id=row.get("conversation_id"), message_id=row.get("message_id"), account_id=row["account_id"],
        agent_id=row["agent_id"], detail=detail, quiet=row["at"] < work.now - OLD,
    )  # fmt: skip
