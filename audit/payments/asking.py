"""Which payments are asked for, as SQL. The asker's reach stands in every statement: of a payment, its chat or else its account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from audit.payments.shapes import ClaimQuery, PaymentFilter
from inbox.list_sql import Arguments
from scrm.company import FACTS
from scrm.db import Tx
from scrm.errors import Unprocessable
from scrm.permissions import Scope

LONGEST = 1100
DEFAULT = 30
FROM = """
payment p
left join account e on e.connection_id = p.connection_id and e.channel = p.channel and e.external_id = p.member_id and p.member_id <> ''
left join contact k on k.connection_id = p.connection_id and k.external_id = p.contact_ref and p.contact_ref <> ''
left join customer u on u.id = k.customer_id
left join conversation o on p.conversation_id is null and o.account_id = e.id and o.contact_id = k.id and o.group_key = ''
left join conversation c on c.id = coalesce(p.conversation_id, o.id)
left join account a on a.id = coalesce(c.account_id, e.id)
left join agent_identity i on i.connection_id = p.connection_id and i.external_id = p.member_id
left join agent g on g.id = i.agent_id
left join directory_member d on d.connection_id = p.connection_id and d.external_id = p.member_id
"""
"""``a``: whose account decides who sees it."""
CLAIMS = """
payment_claim t join message m on m.id = t.message_id join conversation c on c.id = t.conversation_id join account a on a.id = c.account_id
left join contact k on k.id = c.contact_id left join customer u on u.id = k.customer_id
"""
ACCOUNTS_OF = """
select a.id from agent_identity i join account a on a.connection_id = i.connection_id and a.external_id = i.external_id where i.agent_id = %s
"""


@dataclass(frozen=True, slots=True)
class Period:
    first: date
    last: date
    zone: ZoneInfo

    @property
    def begin(self) -> datetime:
        return _midnight(self.first, self.zone)

    @property
    def end(self) -> datetime:
        return _midnight(self.last + timedelta(days=1), self.zone)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


async def period_of(tx: Tx, first: date | None, last: date | None, now: datetime) -> Period:
    """Raises :class:`Unprocessable` for a period that is none or too long."""
    zone = (await FACTS.load(tx)).clock
    until = last or now.astimezone(zone).date()
    if until.year > 9000 or until.year < 1990 or (first is not None and first.year < 1990):
        raise Unprocessable("There was no such day here.", fields={"last": "Choose days after 1990."})
    since = first or until - timedelta(days=DEFAULT - 1)
    if since > until:
        raise Unprocessable("The period ends before it begins.", fields={"first": "Choose an earlier day."})
    if (until - since).days >= LONGEST:
        raise Unprocessable(f"At most {LONGEST} days at a time.", fields={"first": "Choose a later day."})
    return Period(since, until, zone)


def seen(arguments: Arguments, scope: Scope) -> str:
    """``inbox.queries.SEEN`` for what may have no chat: then the account decides; what has neither is seen by those who see everything."""
    if scope.everything:
        return "true"
    me, teams = arguments.add(scope.agent_id, "bigint"), arguments.add(scope.teams, "bigint[]")
    return (
        f"(c.assignee_id = {me} or {me} = any(c.collaborators) or ({teams} is not null and a.id is not null "
        f"and (a.team_id is null or a.team_id = any({teams}))))"
    )


def payment_where(arguments: Arguments, scope: Scope, query: PaymentFilter, period: Period) -> str:
    wanted = [
        seen(arguments, scope),
        f"p.at >= {arguments.add(period.begin, 'timestamptz')}",
        f"p.at < {arguments.add(period.end, 'timestamptz')}",
    ]
    if query.agent_id is not None:
        wanted.append(f"i.agent_id = {arguments.add(query.agent_id, 'bigint')}")
    if query.account_id is not None:
        wanted.append(f"e.id = {arguments.add(query.account_id, 'bigint')}")
    if query.customer_id is not None:
        wanted.append(f"u.id = {arguments.add(query.customer_id, 'bigint')}")
    if query.kind is not None:
        wanted.append(f"p.kind = {arguments.add(query.kind, 'text')}")
    if query.source is not None:
        wanted.append(f"p.source = {arguments.add(query.source, 'text')}")
    if query.min_fen is not None:
        wanted.append(f"p.amount_fen >= {arguments.add(query.min_fen, 'bigint')}")
    if query.max_fen is not None:
        wanted.append(f"p.amount_fen <= {arguments.add(query.max_fen, 'bigint')}")
    if query.unsaid:
        wanted.append("c.id is not null and p.kind <> 'refund'")
        wanted.append("not exists (select from payment_claim t where t.payment_id = p.id)")
    return " and ".join(wanted)


def claim_where(arguments: Arguments, scope: Scope, query: ClaimQuery, period: Period) -> str:
    """What was withdrawn is not told to those who may not read it."""
    wanted = [
        seen(arguments, scope),
        f"t.said_at >= {arguments.add(period.begin, 'timestamptz')}",
        f"t.said_at < {arguments.add(period.end, 'timestamptz')}",
    ]
    if not scope.recalled:
        wanted.append("m.recalled_at is null")
    if query.agent_id is not None:
        wanted.append(f"a.id in ({ACCOUNTS_OF % arguments.add(query.agent_id, 'bigint')})")
    if query.account_id is not None:
        wanted.append(f"a.id = {arguments.add(query.account_id, 'bigint')}")
    if query.customer_id is not None:
        wanted.append(f"u.id = {arguments.add(query.customer_id, 'bigint')}")
    return " and ".join(wanted)
