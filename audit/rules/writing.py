"""Writing down what was found: a hit for each message and rule, and the alerts. The same again changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from audit.alerts.raising import NewAlert, raise_alerts
from audit.rules.said import Hit
from scrm.metrics import AUDIT_HITS
from scrm.services import Work

INSERT = """
insert into audit_hit (message_id, rule_id, rule_version, spans, words, found_at)
select w.message_id, w.rule_id, w.rule_version, array(select e::int from jsonb_array_elements_text(w.found -> 'spans') e),
  array(select jsonb_array_elements_text(w.found -> 'words')), $5
from unnest($1::bigint[], $2::bigint[], $3::int[], $4::jsonb[]) w (message_id, rule_id, rule_version, found)
join message m on m.id = w.message_id
order by w.message_id, w.rule_id
on conflict (message_id, rule_id) do update set rule_version = excluded.rule_version, spans = excluded.spans, words = excluded.words
  where audit_hit.rule_version < excluded.rule_version
returning xmax = 0 as new
"""
# What the rule found once, and does not find any more since it was changed.
FORGET = "delete from audit_hit where rule_id = $1 and message_id > $2 and message_id <= $3 and message_id <> all($4::bigint[])"


@dataclass(frozen=True, slots=True)
class Written:
    hits: int = 0
    alerts: int = 0


async def write_hits(work: Work, hits: Sequence[Hit], *, alerts: bool = True, quiet: bool = False) -> Written:
    """``quiet``: a look into the past rings no bell."""
    if not hits:
        return Written()
    rows = await work.tx.fetch(
        INSERT,
        [one.message["id"] for one in hits],
        [one.rule.id for one in hits],
        [one.rule.version for one in hits],
        [{"spans": [at for span in one.spans for at in span], "words": list(dict.fromkeys(one.words))} for one in hits],
        work.now,
    )
    new = sum(row["new"] for row in rows)
    AUDIT_HITS.inc(new)
    # Alerts are made of all hits, new or not: a rule that looked back without alerts may look back again with them.
    raised = await raise_alerts(work, [alert_of(one, quiet=quiet) for one in hits]) if alerts else 0
    return Written(new, raised)


def alert_of(hit: Hit, *, quiet: bool) -> NewAlert:
    rule, message = hit.rule, hit.message
    return NewAlert(
        kind=rule.kind,
        severity=rule.severity,
        title={"zh-CN": rule.name, "en": rule.name},
        fingerprint=f"rule:{rule.id}:{hit.fold or message['id']}",
        happened_at=hit.at or message["sent_at"],
        rule_id=rule.id,
        conversation_id=message["conversation_id"],
        message_id=message["id"],
        account_id=message["account_id"],
        agent_id=message["agent_id"],
        detail=hit.about or {},
        quiet=quiet,
    )
