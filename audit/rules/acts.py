"""Acts that no single message tells: a customer who waits, many recalls at once, a customer who was deleted. Looked for now and then; each is
raised once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from audit.alerts.raising import NewAlert, raise_alerts
from audit.following import next_stretch
from audit.rules.book import Book, Held, Shelf
from audit.rules.kinds import CustomerDeleted, MassRecall, NoReply
from audit.rules.said import CLOSING, waited
from inbox import rulebook
from scrm.db import RETRYABLE
from scrm.services import Services, Work

NAME = "audit_timeline"
AT_ONCE = 5000
MOST = 2000
LONGEST_WAIT = timedelta(days=7)
"""Who waited longer than this before a rule came is not told of."""

# Conversations in which the customer spoke last; what needs no answer is none. `first`: since when they wait.
WAITING = """
select c.id as conversation_id, c.account_id, a.channel, a.team_id, coalesce(c.assignee_id, i.agent_id) as agent_id, f.id as message_id,
  f.sent_at as since
from account a join conversation c on c.account_id = a.id
left join agent_identity i on i.connection_id = a.connection_id and i.external_id = a.external_id
cross join lateral (
  select coalesce(max(seq), 0) as seq from message where conversation_id = c.id and direction = 'out'
) o
cross join lateral (
  select id, sent_at from message where conversation_id = c.id and seq > o.seq and direction = 'in' and sender_kind = 'customer'
    and recalled_at is null and not (kind = 'text' and search_fold(btrim(text, $4)) = any($5::text[])) order by seq limit 1
) f
where a.disabled_at is null and c.group_key = '' and c.preview_direction = 'in' and c.last_message_at > $2 and f.sent_at <= $1
  and f.sent_at > $2 and not exists (select from alert al where al.fingerprint = 'rule:' || $3::bigint || ':' || f.id)
order by f.sent_at limit 2000
"""
RECALLED = """
select a.id as account_id, a.channel, a.team_id, m.conversation_id, m.id, m.recalled_at, coalesce(m.sender_agent_id, i.agent_id) as agent_id
from message m join conversation c on c.id = m.conversation_id join account a on a.id = c.account_id
left join agent_identity i on i.connection_id = a.connection_id
  and i.external_id = case when m.sender_id <> '' then m.sender_id else a.external_id end
where m.recalled_at > $1 and m.recalled_at <= $2 and m.recalled_by = 'agent' and m.direction = 'out'
order by m.recalled_at, m.id limit 20000
"""
DELETED = """
select t.id, t.at, t.kind, t.account_id, a.channel, a.team_id, i.agent_id, c.id as conversation_id
from timeline t join account a on a.id = t.account_id
left join agent_identity i on i.connection_id = a.connection_id and i.external_id = a.external_id
left join conversation c on c.account_id = t.account_id and c.contact_id = t.contact_id and c.group_key = ''
where t.id > $1 and t.id <= $2 and t.kind = any($3::text[]) order by t.id
"""
BY_AGENT, BY_CONTACT = "contact.deleted_by_agent", "contact.deleted_by_contact"


class ActWatcher:
    """:meth:`round` looks for all of them. True: there is more to read."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._shelf = Shelf()

    async def round(self) -> bool:
        try:
            async with self._services.work() as work:
                book = await self._shelf.book(work.tx)
                for rule in book.of("no_reply"):
                    await _waiting(work, rule)
                for rule in book.of("mass_recall"):
                    await _recalls(work, rule)
            async with self._services.work() as work:
                return await self._deleted(work, book)
        except RETRYABLE:
            return True

    async def _deleted(self, work: Work, book: Book) -> bool:
        stretch = await next_stretch(work, NAME, "timeline", at_once=AT_ONCE, from_now=True)
        if stretch is None:
            return False
        rules = book.of("customer_deleted")
        if rules:
            rows = await work.tx.fetch(DELETED, stretch.after, stretch.until, [BY_AGENT, BY_CONTACT])
            await raise_alerts(work, [_deletion(rule, row) for row in rows for rule in rules if _meant(rule, row)])
        return stretch.full


def _meant(rule: Held[CustomerDeleted], row: Any) -> bool:
    by = "employees" if row["kind"] == BY_AGENT else "customers"
    return rule.data.who in ("both", by) and rule.looks_at(row)


def _deletion(rule: Held[CustomerDeleted], row: Any) -> NewAlert:
    by = "agent" if row["kind"] == BY_AGENT else "customer"
    return _alert(rule, row, f"timeline:{row['id']}", row["at"], {"by": by})


async def _waiting(work: Work, rule: Held[NoReply]) -> None:
    flow = await rulebook.load(work.tx)
    longest = timedelta(minutes=rule.data.minutes)
    rows = await work.tx.fetch(
        WAITING, work.now - longest, work.now - longest - LONGEST_WAIT, rule.id, CLOSING,
        [one.lower() for one in rule.data.enough_said],
    )  # fmt: skip
    alerts: list[NewAlert] = []
    for row in rows:
        if not rule.looks_at(row):
            continue
        seconds = waited(rule.data, flow, row["account_id"], row["since"], work.now)
        if seconds >= rule.data.minutes * 60:
            alerts.append(
                _alert(rule, row, str(row["message_id"]), row["since"], {"seconds": int(seconds)}, row["message_id"])
            )
    await raise_alerts(work, alerts)


async def _recalls(work: Work, rule: Held[MassRecall]) -> None:
    """The first so many within the time; what follows within it belongs to them."""
    within = timedelta(minutes=rule.data.minutes)
    rows = await work.tx.fetch(RECALLED, work.now - within * 2 - timedelta(minutes=10), work.now)
    by_account: dict[int, list[Any]] = {}
    for row in rows:
        if rule.looks_at(row):
            by_account.setdefault(row["account_id"], []).append(row)
    alerts: list[NewAlert] = []
    for recalled in by_account.values():
        run = _run(recalled, rule.data.times, within)
        if run:
            first = run[0]
            detail = {"times": len(run), "minutes": rule.data.minutes}
            # An account that goes on is told of once an hour.
            mark = f"recall:{first['account_id']}:{first['recalled_at']:%Y%m%d%H}"
            alerts.append(_alert(rule, first, mark, first["recalled_at"], detail, first["id"]))
    await raise_alerts(work, alerts)


def _run(recalled: Sequence[Any], times: int, within: timedelta) -> list[Any]:
    for at in range(len(recalled) - times + 1):
        begin = recalled[at]["recalled_at"]
        if recalled[at + times - 1]["recalled_at"] - begin <= within:
            return [one for one in recalled[at:] if one["recalled_at"] - begin <= within]
    return []


def _alert(
    rule: Held[Any], row: Any, mark: str, at: Any, detail: dict[str, Any], message_id: int | None = None
) -> NewAlert:
    return NewAlert(
        kind=rule.kind,
        severity=rule.severity,
        title={"zh-CN": rule.name, "en": rule.name},
        fingerprint=f"rule:{rule.id}:{mark}",
        happened_at=at,
        rule_id=rule.id,
        conversation_id=row["conversation_id"],
        message_id=message_id,
        account_id=row["account_id"],
        agent_id=row["agent_id"],
        detail=detail,
    )
