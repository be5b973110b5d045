"""Undo for what is done to conversations: the changed fields before and after, put back where they still are as they were left.

Around an act::

    before = await snapshots(work, [conversation_id])
    ...
    step = await remember_changes(work, principal, "conversation.close", before)
    return undoable(view, step)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from inbox.events import Happened, record_events
from inbox.rows import Conversation, lock, save
from scrm.errors import Conflict
from scrm.permissions import INBOX_REPLY, Principal
from scrm.services import Work
from scrm.undo import Kind, Step, Undone, remember

FIELDS = (
    "status", "closed_at", "waiting_since", "unread", "read_seq", "assignee_id", "assigned_at", "transfer_to", "collaborators",
    "labels", "snoozed_until", "route_state", "sla_policy_id", "sla_kind", "sla_due_at", "sla_breached_at",
    "answered_at", "sla_look_at", "survey_until",
)  # fmt: skip
TIMES = {
    "closed_at",
    "waiting_since",
    "assigned_at",
    "snoozed_until",
    "sla_due_at",
    "sla_breached_at",
    "answered_at",
    "sla_look_at",
    "survey_until",
}
DECIDED = ("status", "assignee_id", "transfer_to", "collaborators", "labels", "snoozed_until", "read_seq")
"""What people decide: when one of these has been changed again meanwhile, the later decision stands."""
KINDS = (
    "conversation.close", "conversation.reopen", "conversation.assign", "conversation.label", "conversation.snooze",
    "conversation.read", "conversation.helpers", "conversation.macro",
)  # fmt: skip
WHY = {"zh": "撤销了上一步", "en": "The last step was undone"}
UNREAD = """
select w.id, count(m.id) as unread from unnest($1::bigint[], $2::bigint[]) w (id, seq)
left join message m on m.conversation_id = w.id and m.seq > w.seq and m.direction = 'in' group by w.id
"""

Snapshot = Mapping[str, Any]


def snapshot(conversation: Conversation) -> Snapshot:
    """What an act may change, as JSON."""
    return {name: _plain(getattr(conversation, name)) for name in FIELDS}


async def snapshots(work: Work, ids: Iterable[int]) -> dict[int, Snapshot]:
    """Locks the conversations, so that what is remembered is what the act changed."""
    return {one.id: snapshot(one) for one in (await lock(work, ids)).values()}


async def remember_changes(work: Work, principal: Principal, kind: str, before: Mapping[int, Snapshot]) -> Step | None:
    """One step for all the conversations that are different now; None: nothing was changed. ``kind``: one of ``KINDS``."""
    changed = []
    for conversation_id, now in (await snapshots(work, before)).items():
        was = before[conversation_id]
        names = [name for name in FIELDS if was[name] != now[name]]
        if names:
            changed.append(
                {
                    "id": conversation_id,
                    "before": {name: was[name] for name in names},
                    "after": {name: now[name] for name in names},
                }
            )
    return await remember(work, principal, kind, {"changed": changed}, count=len(changed)) if changed else None


async def restore(work: Work, principal: Principal, data: dict[str, Any]) -> Undone:
    """Puts back each conversation whose decided fields are still as the act left them."""
    rows = {one["id"]: one for one in data["changed"]}
    locked = await lock(work, rows)
    kept = [one for one in locked.values() if _as_left(one, rows[one.id]["after"])]
    if not kept:
        raise Conflict("Somebody changed this in the meantime.", code="changed_meanwhile")
    happened: list[Happened] = []
    for conversation in kept:
        before = snapshot(conversation)
        for name, value in rows[conversation.id]["before"].items():
            setattr(conversation, name, _typed(name, value))
        happened += _told(conversation, before, principal)
        conversation.next_version()
    await _count_unread(work, [one for one in kept if "read_seq" in rows[one.id]["before"]])
    await record_events(work, happened)
    await save(work, kept)
    return Undone(restored=len(kept), skipped=len(rows) - len(kept))


def undo_kinds() -> dict[str, Kind]:
    return {kind: Kind(INBOX_REPLY, restore) for kind in KINDS}


def _as_left(conversation: Conversation, after: Mapping[str, Any]) -> bool:
    return all(_plain(getattr(conversation, name)) == after[name] for name in DECIDED if name in after)


async def _count_unread(work: Work, conversations: Sequence[Conversation]) -> None:
    """Messages may have come since: what is unread is counted, not remembered."""
    if not conversations:
        return
    rows = await work.tx.fetch(UNREAD, [one.id for one in conversations], [one.read_seq for one in conversations])
    unread = {row["id"]: row["unread"] for row in rows}
    for conversation in conversations:
        conversation.unread = unread[conversation.id] if conversation.status != "closed" else 0


def _told(conversation: Conversation, before: Snapshot, principal: Principal) -> list[Happened]:
    """The events that say what undoing did, so that figures and explanations stay true."""
    found: list[Happened] = []

    def tell(kind: Any, **data: Any) -> None:
        found.append(Happened(conversation, kind, principal.agent_id, data))

    if before["status"] != conversation.status:
        if conversation.status == "closed":
            tell("closed", by="agent")
        elif conversation.status == "snoozed":
            tell("snoozed", until=_plain(conversation.snoozed_until))
        elif before["status"] == "snoozed":
            tell("woke", by="agent")
        else:
            tell("reopened", by="undo")
    if before["assignee_id"] != conversation.assignee_id:
        if conversation.assignee_id is None:
            tell("unassigned", **{"from": before["assignee_id"], "why": WHY})
        else:
            tell("assigned", to=conversation.assignee_id, **{"from": before["assignee_id"], "why": WHY})
    for name, kind in (("labels", "labelled"), ("collaborators", "helpers")):
        was, now = set(before[name]), set(getattr(conversation, name))
        if was != now:
            tell(kind, added=sorted(now - was), removed=sorted(was - now))
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return list(value) if isinstance(value, list) else value


def _typed(name: str, value: Any) -> Any:
    return datetime.fromisoformat(value) if name in TIMES and value is not None else value
