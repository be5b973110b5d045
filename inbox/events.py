"""What happened to a conversation besides its messages. Figures are sums over these rows, and "why did it go to whom" is read from
them: so each is written in the unit of work that made it true, and never changed.

Kinds and their ``data`` (times of working hours in seconds; sentences as ``{zh, en}``):

- ``opened`` {by: customer | agent} · ``closed`` {by: agent | macro | bulk} · ``reopened`` {by: customer | agent | undo}
- ``assigned`` {to, from, why: sentence, rule_id?} · ``unassigned`` {from, why} · ``queued`` {why}
- ``transfer_asked`` {to, note} · ``transfer_accepted`` {from, to} · ``transfer_declined`` {from, to, note} ·
  ``transfer_cancelled`` {from, to}; an accepted one is followed by ``assigned``
- ``answered`` {seconds, working_seconds, first: bool}: an answer of an agent that ended the customer's waiting
- ``snoozed`` {until | null} · ``woke`` {by: time | customer | agent}
- ``labelled`` {added: [id], removed: [id]} · ``helpers`` {added: [id], removed: [id], because?: mention}
- ``sla_started`` {kind, policy_id, due_at} · ``sla_met`` {kind, seconds} · ``sla_breached`` {kind, policy_id}
- ``auto_replied`` {reply_id, kind} · ``survey_sent`` {survey_id} · ``survey_answered`` {survey_id, score}
- ``scheduled`` {scheduled_id, due_at} · ``schedule_changed`` {scheduled_id, due_at} · ``schedule_cancelled`` {scheduled_id} ·
  ``schedule_sent`` {scheduled_id} · ``schedule_failed`` {scheduled_id, why: sentence}: answers that leave later
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from inbox.rows import Conversation
from scrm.services import Work

EventKind = Literal[
    "opened", "closed", "reopened", "assigned", "unassigned", "queued", "transfer_asked", "transfer_accepted",
    "transfer_declined", "transfer_cancelled", "answered", "snoozed", "woke", "labelled", "helpers", "sla_started",
    "sla_met", "sla_breached", "auto_replied", "survey_sent", "survey_answered", "scheduled", "schedule_changed", "schedule_cancelled",
    "schedule_sent", "schedule_failed",
]  # fmt: skip

INSERT = """
insert into conversation_event (conversation_id, account_id, seq, version, at, kind, agent_id, assignee_id, data)
select w.conversation_id, w.account_id, w.seq, w.version, $9, w.kind, w.agent_id, w.assignee_id, w.data
from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::bigint[], $7::bigint[], $8::jsonb[])
  w (conversation_id, account_id, seq, version, kind, agent_id, assignee_id, data)
"""


@dataclass(frozen=True, slots=True)
class Happened:
    """One event of a locked conversation. ``agent_id``: who did it; None: the service or the customer."""

    conversation: Conversation
    kind: EventKind
    agent_id: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    after: int | None = None
    """The message after which it happened; None: the last one."""


async def record_events(work: Work, happened: Sequence[Happened]) -> None:
    """Writes them in one statement. Each takes a version of its conversation, so browsers hear of it; the caller saves the
    conversations (``inbox.rows.save``) afterwards."""
    if not happened:
        return
    await work.tx.execute(
        INSERT,
        [one.conversation.id for one in happened],
        [one.conversation.account_id for one in happened],
        [one.conversation.last_seq if one.after is None else one.after for one in happened],
        [one.conversation.next_version() for one in happened],
        [one.kind for one in happened],
        [one.agent_id for one in happened],
        [one.conversation.assignee_id for one in happened],
        [dict(one.data) for one in happened],
        work.now,
    )


async def record_event(
    work: Work, conversation: Conversation, kind: EventKind, agent_id: int | None = None, **data: Any
) -> None:
    await record_events(work, [Happened(conversation, kind, agent_id, data)])
