"""Reading rules, with what they found within the asker's reach."""

# ruff: noqa: S608 - made of constants
from __future__ import annotations

from typing import Any

from audit.alerts.queries import FROM_ALERT, REACHED
from audit.rules.intercepts import intercepts_of
from audit.rules.kinds import OF_MESSAGES, parsed
from audit.rules.views import (
    AuditRuleList,
    AuditRuleView,
    InterceptView,
    LookBackView,
    MuteList,
    MuteView,
    RuleVersionList,
    RuleVersionView,
)
from inbox.queries import SEEN
from scrm.db import Row, Tx
from scrm.errors import NotFound
from scrm.permissions import Scope

LIST = """
select r.id, r.kind, r.name, r.severity, r.enabled, r.version, r.data, r.created_by, r.updated_by, r.updated_at,
  coalesce(jsonb_array_length(r.data -> 'words'), 0) as words, coalesce(jsonb_array_length(r.data -> 'exceptions'), 0) as exceptions,
  (select count(*) from audit_rule_mute m where m.rule_id = r.id) as mutes
from audit_rule r where r.deleted_at is null and ($1::bigint is null or r.id = $1) order by r.id
"""
HITS_OF_ALL = "select rule_id, count(*) as n from audit_hit where ($1::bigint is null or rule_id = $1) group by rule_id"
HITS = f"""
select h.rule_id, count(*) as n from audit_hit h join message m on m.id = h.message_id join conversation c on c.id = m.conversation_id
join account a on a.id = c.account_id where ($1::bigint is null or h.rule_id = $1) and {SEEN} group by h.rule_id
"""
ALERTS = f"""
select al.rule_id, count(*) filter (where al.state in ('new', 'taken')) as open, count(*) filter (where al.state = 'done') as done,
  count(*) filter (where al.state = 'dismissed') as dismissed
from {FROM_ALERT} where al.rule_id is not null and ($1::bigint is null or al.rule_id = $1) and {REACHED} group by al.rule_id
"""
RERUNS = """
select distinct on (rule_id) rule_id, state, since, alerts, from_id - at_id as done, from_id - to_id as "all", looked, found, raised, asked_by,
  asked_at, finished_at from audit_rerun where $1::bigint is null or rule_id = $1 order by rule_id, id desc
"""
VERSIONS = """
select version, severity, changed_by, changed_at, coalesce(jsonb_array_length(data -> 'words'), 0) as words,
  coalesce(jsonb_array_length(data -> 'exceptions'), 0) as exceptions
from audit_rule_version where rule_id = $1 order by version desc limit 200
"""
MUTES = f"""
select u.id, u.conversation_id, u.account_id, u.muted_by, u.muted_at,
  coalesce(nullif(k.name, ''), nullif(c.group_name, ''), a.name, '') as name
from audit_rule_mute u left join conversation c on c.id = u.conversation_id left join contact k on k.id = c.contact_id
left join account a on a.id = coalesce(c.account_id, u.account_id)
where u.rule_id = $1 and {REACHED} order by u.id desc limit 500
"""


async def rule_list(tx: Tx, scope: Scope) -> AuditRuleList:
    return AuditRuleList(rules=await _views(tx, scope, None))


async def one_rule(tx: Tx, scope: Scope, rule_id: int) -> AuditRuleView:
    """With its words. Raises :class:`NotFound`."""
    found = await _views(tx, scope, rule_id)
    if not found:
        raise NotFound("There is no such rule.")
    return found[0]


async def _views(tx: Tx, scope: Scope, rule_id: int | None) -> list[AuditRuleView]:
    reach = (scope.everything, scope.agent_id, scope.teams)
    rows = await tx.fetch(LIST, rule_id)
    found = await (tx.fetch(HITS_OF_ALL, rule_id) if scope.everything else tx.fetch(HITS, rule_id, *reach))
    hits = {row["rule_id"]: row["n"] for row in found}
    alerts = {row["rule_id"]: row for row in await tx.fetch(ALERTS, rule_id, *reach)}
    reruns = {row["rule_id"]: row for row in await tx.fetch(RERUNS, rule_id)}
    intercepts = await intercepts_of(tx, rule_id)
    return [
        _view(row, hits.get(row["id"], 0), alerts.get(row["id"]), reruns.get(row["id"]), intercepts.get(row["id"], []),
              whole=rule_id is not None)
        for row in rows
    ]  # fmt: skip


def _view(
    row: Row, hits: int, alerts: Row | None, rerun: Row | None, intercepts: list[InterceptView], *, whole: bool
) -> AuditRuleView:
    done, dismissed = (alerts["done"], alerts["dismissed"]) if alerts is not None else (0, 0)
    data: dict[str, Any] = row["data"]
    return AuditRuleView(
        id=row["id"],
        kind=row["kind"],
        name=row["name"],
        severity=row["severity"],
        enabled=row["enabled"],
        version=row["version"],
        words=row["words"],
        exceptions=row["exceptions"],
        data=parsed(row["kind"], data) if whole or row["kind"] != "words" else None,  # type: ignore[arg-type]
        hits=hits,
        open=alerts["open"] if alerts is not None else 0,
        done=done,
        dismissed=dismissed,
        precision=done / (done + dismissed) if done + dismissed else None,
        mutes=row["mutes"],
        looks_back=row["kind"] in OF_MESSAGES,
        rerun=LookBackView(**{name: value for name, value in rerun.items() if name != "rule_id"})
        if rerun is not None
        else None,
        intercepts=intercepts,
        created_by=row["created_by"],
        updated_by=row["updated_by"],
        updated_at=row["updated_at"],
    )


async def versions(tx: Tx, rule_id: int) -> RuleVersionList:
    return RuleVersionList(versions=[RuleVersionView(**row) for row in await tx.fetch(VERSIONS, rule_id)])


async def mutes(tx: Tx, scope: Scope, rule_id: int) -> MuteList:
    rows = await tx.fetch(MUTES, rule_id, scope.everything, scope.agent_id, scope.teams)
    return MuteList(mutes=[MuteView(**row) for row in rows])
