"""Raising alerts. The same twice is one alert: its fingerprint decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from scrm.permissions import AUDIT_REVIEW, OF_ROLE
from scrm.services import Work

Severity = Literal["low", "medium", "high"]

INSERT = """
insert into alert (rule_id, kind, severity, title, conversation_id, message_id, account_id, agent_id, assignee_id, detail, fingerprint,
  happened_at, raised_at)
select w.rule_id, w.kind, w.severity, w.title, w.conversation_id, w.message_id, coalesce(w.account_id, c.account_id), w.agent_id,
  w.assignee_id, w.detail, w.fingerprint, w.happened_at, $13
from unnest($1::bigint[], $2::text[], $3::text[], $4::jsonb[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[],
  $10::jsonb[], $11::text[], $12::timestamptz[]) with ordinality w (rule_id, kind, severity, title, conversation_id, message_id, account_id,
  agent_id, assignee_id, detail, fingerprint, happened_at, place)
left join conversation c on c.id = w.conversation_id
order by w.fingerprint
on conflict (fingerprint) do nothing returning id, fingerprint
"""
# Those who review and see the conversation (or its account); for an alert without a place, those who see everything. Built-in roles that
# review see everything.
REVIEWERS = """
select n.n, array_agg(distinct g.id) as agent_ids
from unnest($1::bigint[], $2::bigint[]) with ordinality n (conversation_id, account_id, n)
left join conversation c on c.id = n.conversation_id
left join account a on a.id = coalesce(n.account_id, c.account_id)
join agent g on g.disabled_at is null
join role r on r.key = g.role and (r.key = any($3::text[]) or $4 = any(r.permissions))
where coalesce(r.reach, 'all') = 'all' or c.assignee_id = g.id or g.id = any(c.collaborators)
  or (r.reach = 'team' and a.id is not null
    and (a.team_id is null or exists (select from team_member t where t.agent_id = g.id and t.team_id = a.team_id)))
group by n.n
"""
NOTICES = """
insert into notification (agent_id, kind, conversation_id, dedupe_key, data, created_at)
select w.agent_id, 'alert', w.conversation_id, w.dedupe_key, w.data, $5
from unnest($1::bigint[], $2::bigint[], $3::text[], $4::jsonb[]) w (agent_id, conversation_id, dedupe_key, data)
join agent g on g.id = w.agent_id and g.disabled_at is null
order by w.agent_id, w.dedupe_key
on conflict (agent_id, dedupe_key) do nothing returning agent_id
"""
REVIEWING_ROLES = [role for role, may in OF_ROLE.items() if AUDIT_REVIEW in may]


@dataclass(frozen=True, slots=True)
class NewAlert:
    """``kind`` is a plain word of whoever raises it, ``title`` what to read first, in both languages; neither it nor ``detail`` holds what
    somebody wrote: words are read where they stand, by those who may. ``detail`` is shown to everybody who sees the alert.

    Seen by those who see the conversation; without one, by those who see the whole account; with neither, by those who see everything.
    ``agent_id``: whom it is about. ``assignee_id``: whose it is from the start. ``quiet``: nobody is notified (a look into the past).
    """

    kind: str
    severity: Severity
    title: Mapping[str, str]
    fingerprint: str
    happened_at: datetime
    rule_id: int | None = None
    conversation_id: int | None = None
    message_id: int | None = None
    account_id: int | None = None
    agent_id: int | None = None
    assignee_id: int | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    quiet: bool = False


async def raise_alerts(work: Work, alerts: Sequence[NewAlert]) -> int:
    """Returns how many are new. A few statements for any number; those who may review are told, once an hour of each rule (or kind)."""
    wanted = {one.fingerprint: one for one in reversed(alerts)}
    if not wanted:
        return 0
    new = list(wanted.values())
    rows = await work.tx.fetch(
        INSERT,
        [one.rule_id for one in new],
        [one.kind for one in new],
        [one.severity for one in new],
        [dict(one.title) for one in new],
        [one.conversation_id for one in new],
        [one.message_id for one in new],
        [one.account_id for one in new],
        [one.agent_id for one in new],
        [one.assignee_id for one in new],
        [dict(one.detail) for one in new],
        [one.fingerprint for one in new],
        [one.happened_at for one in new],
        work.now,
    )
    if rows:
        work.ring("alert", *(row["id"] for row in rows))
        raised = {row["fingerprint"]: row["id"] for row in rows}
        await _tell(work, [one for one in new if one.fingerprint in raised and not one.quiet], raised)
    return len(rows)


async def _tell(work: Work, alerts: Sequence[NewAlert], raised: Mapping[str, int]) -> None:
    """One notice per reviewer, rule and hour, of the first: hundreds of finds are not hundreds of bells."""
    others = [one for one in alerts if one.assignee_id is None]
    told: list[tuple[int, NewAlert]] = [(one.assignee_id, one) for one in alerts if one.assignee_id is not None]
    if others:
        places = [one.conversation_id for one in others], [one.account_id for one in others]
        for row in await work.tx.fetch(REVIEWERS, *places, REVIEWING_ROLES, AUDIT_REVIEW):
            told += [(agent_id, others[row["n"] - 1]) for agent_id in row["agent_ids"]]
    hour = work.now.strftime("%Y%m%d%H")
    first: dict[tuple[int, str], NewAlert] = {}
    for agent_id, one in told:
        first.setdefault((agent_id, f"alert:{one.rule_id or one.kind}:{one.severity}:{hour}"), one)
    if not first:
        return
    rung = await work.tx.fetch(
        NOTICES,
        [agent_id for agent_id, _ in first],
        [one.conversation_id for one in first.values()],
        [key for _, key in first],
        [
            {
                "alert_id": raised[one.fingerprint],
                "severity": one.severity,
                "title": dict(one.title),
                "alert_kind": one.kind,
            }
            for one in first.values()
        ],
        work.now,
    )
    if rung:
        work.ring("notification", *{row["agent_id"] for row in rung})
