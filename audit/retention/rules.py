"""Rules of retention, and what one would remove: counted with the same words that the removal uses."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from audit.retention.holds import ANY_HELD, HELD
from scrm.db import Row, Tx
from scrm.errors import NotFound, Unprocessable
from scrm.permissions import Principal
from scrm.services import Work
from scrm.trail import record

# ruff: noqa: S608 - made of constants

RuleKind = Literal["messages", "media", "records"]
SHORTEST_DAYS = 30
"""Of a rule: the page of this week must not be empty by a slip of the hand."""

FROM = """
message m join conversation c on c.id = m.conversation_id join account a on a.id = c.account_id left join contact k on k.id = c.contact_id
"""
# $1 channel, $2 before. A channel with a rule of its own is not meant by that of all.
_OF_CHANNEL = """
case when $1 = '' then not exists (select from retention_rule o where o.kind = '{kind}' and o.channel = a.channel and o.enabled)
  else a.channel = $1 end
"""
_FILES = "exists (select from attachment t where t.message_id = m.id and t.state in ('stored', 'pending'))"
DUE: dict[RuleKind, str] = {
    "messages": f"m.removed_at is null and m.sent_at < $2 and m.state not in ('queued', 'sending', 'uncertain') and {_OF_CHANNEL.format(kind='messages')}",
    "media": f"m.removed_at is null and m.sent_at < $2 and m.state not in ('queued', 'sending', 'uncertain') and {_FILES} and {_OF_CHANNEL.format(kind='media')}",
}
# Records that became a message are held as it is; of those that did not nobody knows whose they are: any hold keeps them.
RECORD_FROM = """
archive_record r left join message m on m.conversation_id = r.conversation_id and m.platform_message_id = r.message_id
left join conversation c on c.id = m.conversation_id left join account a on a.id = c.account_id left join contact k on k.id = c.contact_id
"""
RECORD_DUE = "$1 = '' and coalesce(r.said_at, r.pulled_at) < $2 and r.state <> 'sealed' and (r.sealed_message <> '' or r.record is not null)"
RECORD_HELD = f"(({HELD}) or (m.id is null and {ANY_HELD.removeprefix('select ')}))"

SIZE = "coalesce((select sum(t.size) from attachment t where t.message_id = m.id and t.state = 'stored'), 0)"
COUNT: dict[RuleKind, str] = {
    kind: f"select count(*) filter (where not held) as goes, count(*) filter (where held) as stays, min(at) as oldest, max(at) as newest, "
    f"coalesce(sum(bytes) filter (where not held), 0)::bigint as bytes, coalesce(sum(files) filter (where not held), 0)::bigint as files from ("
    f"select ({HELD}) as held, m.sent_at as at, {SIZE} as bytes, "
    f"(select count(*) from attachment t where t.message_id = m.id and t.state = 'stored') as files from {FROM} where {due}) x"
    for kind, due in DUE.items()
}
COUNT["records"] = (
    "select count(*) filter (where not held) as goes, count(*) filter (where held) as stays, min(at) as oldest, max(at) as newest, "
    "coalesce(sum(bytes) filter (where not held), 0)::bigint as bytes, 0::bigint as files from ("
    f"select {RECORD_HELD} as held, coalesce(r.said_at, r.pulled_at) as at, length(r.sealed_message) + coalesce(length(r.record), 0) as bytes "
    f"from {RECORD_FROM} where {RECORD_DUE}) x"
)
LONGEST = "set local statement_timeout = '30s'"

SET = """
insert into retention_rule (kind, channel, days, enabled, due_at, updated_by, updated_at) values ($1, $2, $3, $4, $5, $6, $5)
on conflict (kind, channel) do update set days = excluded.days, enabled = excluded.enabled, due_at = excluded.due_at, at_id = 0,
  updated_by = excluded.updated_by, updated_at = excluded.updated_at
returning id
"""
LIST = """
select id, kind, channel, days, enabled, passed_at, removed, kept, at_id > 0 as passing, updated_by, updated_at
from retention_rule order by kind, channel
"""


def cutoff(now: datetime, days: int) -> datetime:
    return now - timedelta(days=days)


async def would_remove(tx: Tx, kind: RuleKind, channel: str, days: int, now: datetime) -> Row:
    """What a rule would remove now. Run it in a transaction of its own: a count of everything may take its time, and is given up after 30 s."""
    await tx.execute(LONGEST)
    row = await tx.fetchrow(COUNT[kind], channel, cutoff(now, days))
    assert row is not None
    return row


async def set_rule(
    work: Work,
    principal: Principal,
    kind: RuleKind,
    channel: str,
    days: int,
    *,
    enabled: bool,
    confirm: str,
    address: str,
) -> int:
    """Raises :class:`Unprocessable` when a rule that removes is not confirmed by typing its days."""
    if enabled and confirm.strip() != str(days):
        raise Unprocessable("Type the number of days to begin removing.", fields={"confirm": f"Type {days}."})
    if kind == "records" and channel:
        raise Unprocessable("Records of the archive have no channel.", fields={"channel": "Leave it empty."})
    made = int(await work.tx.fetchval(SET, kind, channel, days, enabled, work.now, principal.agent_id))
    await record(
        work, "retention.rule_set", agent_id=principal.agent_id, object_kind="retention_rule", object_id=made, address=address,
        detail={"kind": kind, "channel": channel, "days": days, "enabled": enabled},
    )  # fmt: skip
    work.ring("retention")
    return made


async def drop_rule(work: Work, principal: Principal, rule_id: int, *, address: str) -> None:
    row = await work.tx.fetchrow("delete from retention_rule where id = $1 returning kind, channel, days", rule_id)
    if row is None:
        raise NotFound("There is no such rule.")
    await record(
        work, "retention.rule_deleted", agent_id=principal.agent_id, object_kind="retention_rule", object_id=rule_id, address=address,
        detail=dict(row),
    )  # fmt: skip
