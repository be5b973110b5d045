"""Promised answers: the clock of a conversation starts when its customer begins to wait, and ends met or breached.

``sla_look_at`` is when somebody has to look at the clock next: to warn, then to say that it is over. The row's lock makes each of
the two happen once, however many processes look.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from inbox import rulebook
from inbox.events import Happened, record_events
from inbox.facts import Facts
from inbox.rows import COLUMNS, Conversation, conversation_from, save
from inbox.rulebook import Rulebook
from scrm.notices import notify
from scrm.services import Services, Work

AT_ONCE = 200
DUE = f"""
select {COLUMNS} from conversation where sla_look_at <= $1
order by sla_look_at limit {AT_ONCE} for update skip locked
"""  # noqa: S608 - made of constants
OVERSEERS = """
select g.id, a.id as account_id from account a join agent g on g.disabled_at is null
join role r on r.key = g.role
where a.id = any($1::bigint[]) and (r.key = 'manager' or 'inbox.team' = any(r.permissions))
  and (coalesce(r.reach, 'all') = 'all' or (r.reach = 'team'
    and (a.team_id is null or exists (select from team_member m where m.agent_id = g.id and m.team_id = a.team_id))))
"""
"""Who looks after an account's service: managers, and custom roles that see the team view."""


def begin(book: Rulebook, conversation: Conversation, facts: Facts, since: datetime, *, first: bool) -> Happened | None:
    """Starts the clock by the first policy that fits; None when nothing is promised."""
    rule = book.sla_of(facts, since)
    if rule is None:
        return None
    policy = rule.data
    seconds = policy.first_seconds if first else policy.next_seconds
    if seconds is None:
        return None
    due = _after(book, conversation, policy.working_hours, since, seconds)
    if due is None:
        return None
    warn = _after(book, conversation, policy.working_hours, since, max(seconds - policy.warn_seconds, 0))
    conversation.sla_policy_id = rule.id
    conversation.sla_kind = "first" if first else "next"
    conversation.sla_due_at = due
    conversation.sla_breached_at = None
    conversation.sla_look_at = warn if policy.warn_seconds and warn is not None and since < warn < due else due
    data = {"kind": conversation.sla_kind, "policy_id": rule.id, "due_at": due.isoformat(), "since": since.isoformat()}
    return Happened(conversation, "sla_started", None, data)


def _after(
    book: Rulebook, conversation: Conversation, working_hours: bool, since: datetime, seconds: int
) -> datetime | None:
    if not working_hours:
        return since + timedelta(seconds=seconds)
    return book.calendar_of(conversation.account_id).add_working_seconds(since, seconds)


def is_late(conversation: Conversation, at: datetime) -> bool:
    """Over, and nobody has said so yet."""
    return conversation.sla_due_at is not None and conversation.sla_breached_at is None and conversation.sla_due_at < at


def breach(conversation: Conversation, at: datetime) -> Happened:
    conversation.sla_breached_at = at
    conversation.sla_look_at = None
    return Happened(
        conversation,
        "sla_breached",
        None,
        {"kind": conversation.sla_kind, "policy_id": conversation.sla_policy_id},
    )


def end(conversation: Conversation, at: datetime, agent_id: int | None) -> list[Happened]:
    """An answer: met, or late without anybody having noticed yet. (A breach that was told stays the only word about it.)"""
    happened: list[Happened] = []
    if is_late(conversation, at):
        happened.append(breach(conversation, at))
    elif conversation.sla_breached_at is None:
        data = {"kind": conversation.sla_kind, "policy_id": conversation.sla_policy_id}
        happened.append(Happened(conversation, "sla_met", agent_id, data))
    clear(conversation)
    return happened


def clear(conversation: Conversation) -> None:
    conversation.sla_policy_id = None
    conversation.sla_kind = ""
    conversation.sla_due_at = None
    conversation.sla_breached_at = None
    conversation.sla_look_at = None


async def look(services: Services) -> bool:
    """A round: warns and tells of breaches that are due. True: there may be more."""
    async with services.work() as work:
        rows = await work.tx.fetch(DUE, work.now)
        due = [conversation_from(row) for row in rows]
        over = [one for one in due if one.sla_due_at is not None and one.sla_due_at <= work.now]
        near = [one for one in due if one.sla_due_at is not None and one.sla_due_at > work.now]
        await record_events(work, [breach(one, work.now) for one in over if one.sla_breached_at is None])
        for one in near:
            one.sla_look_at = one.sla_due_at
            one.changed = True
        await _tell(work, near, over)
        await save(work, due)
    return len(due) == AT_ONCE


async def _tell(work: Work, near: Sequence[Conversation], over: Sequence[Conversation]) -> None:
    """The assignee is warned; of a breach the managers hear too, and of a warning when there is no assignee."""
    if not near and not over:
        return
    managers: dict[int, set[int]] = {}
    for row in await work.tx.fetch(OVERSEERS, sorted({one.account_id for one in (*near, *over)})):
        managers.setdefault(row["account_id"], set()).add(row["id"])
    names = {rule.id: rule.name for rule in (await rulebook.load(work.tx)).sla}
    for kind, conversations in (("sla_warning", near), ("sla_breached", over)):
        for one in conversations:
            told = {one.assignee_id} if one.assignee_id is not None else set()
            if kind == "sla_breached" or not told:
                told |= managers.get(one.account_id, set())
            due = one.sla_due_at.isoformat() if one.sla_due_at else ""
            data = {"sla": one.sla_kind, "due_at": due, "policy": names.get(one.sla_policy_id or 0, "")}
            await notify(work, told, kind, f"{kind}:{one.id}:{due}", conversation_id=one.id, data=data)
