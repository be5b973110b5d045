"""Working on alerts: taking, giving, settling, putting away, one or many at once. Each act that changes something leaves a line of the alert's
history; the same again changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from audit.alerts.queries import FROM_ALERT, REACHED
from audit.rules import tuning
from scrm.db import Row
from scrm.errors import Conflict, Forbidden, NotFound, Unprocessable
from scrm.grants import OF_AGENT, held_by
from scrm.permissions import AUDIT_READ, AUDIT_REVIEW, AUDIT_RULES, Principal, Scope
from scrm.services import Work
from scrm.trail import record
from scrm.undo import Kind, Step, Undone, remember
from scrm.views import Id, Input, View

Act = Literal["take", "give", "done", "dismiss", "reopen", "note"]
Outcome = Literal["", "talked", "trained", "warned", "reported", "customer_helped", "nothing"]
HELD = f"""
select al.id, al.state, al.assignee_id, al.rule_id, al.conversation_id, al.message_id, al.note, al.outcome, a.id as account_id
from {FROM_ALERT} where al.id = any($1::bigint[]) and {REACHED} order by al.id for update of al
"""  # noqa: S608 - made of constants
LIKE_IT = f"""
select al.id, al.state, al.assignee_id, al.rule_id, al.conversation_id, al.message_id, al.note, al.outcome, a.id as account_id
from {FROM_ALERT} where al.rule_id = $1 and al.state in ('new', 'taken') and {REACHED}
  and ($5::bigint is null or al.conversation_id = $5) and ($6::bigint is null or a.id = $6)
order by al.id desc limit 2000 for update of al
"""  # noqa: S608 - made of constants
CHANGE = """
update alert al set state = w.state, assignee_id = w.assignee_id, outcome = w.outcome, note = w.note, version = al.version + 1,
  settled_at = case when w.state in ('done', 'dismissed') then $6::timestamptz end,
  settled_by = case when w.state in ('done', 'dismissed') then $7::bigint end
from unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::text[]) w (id, state, assignee_id, outcome, note) where al.id = w.id
"""
EVENTS = """
insert into alert_event (alert_id, at, agent_id, what, detail)
select w.id, $4, $5, $3, w.detail from unnest($1::bigint[], $2::jsonb[]) w (id, detail)
"""
PAST: dict[Act, str] = {
    "take": "taken", "give": "given", "done": "done", "dismiss": "dismissed", "reopen": "reopened", "note": "noted",
}  # fmt: skip


class Tune(Input):
    """What the rule learns: ``phrase``: a find inside it is none; or where it does not look any more."""

    phrase: Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=100)] | None = None
    mute: Literal["conversation", "account"] | None = None

    @model_validator(mode="after")
    def _one(self) -> Tune:
        if (self.phrase is None) == (self.mute is None):
            raise ValueError("Give a phrase or a place.")
        return self


class AlertAct(Input):
    """``note``: added to the alert (with ``act`` note: only that). ``tune``: of alerts that are dismissed, all of one rule."""

    ids: Annotated[list[Id], Field(min_length=1, max_length=200)]
    act: Act
    assignee_id: Id | None = None
    outcome: Outcome = ""
    note: Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000)] = ""
    tune: Tune | None = None

    @model_validator(mode="after")
    def _fits(self) -> AlertAct:
        if (self.act == "give") != (self.assignee_id is not None):
            raise ValueError("Say to whom the alerts are given.")
        if self.act == "note" and not self.note:
            raise ValueError("Write the note.")
        if self.tune is not None and self.act != "dismiss":
            raise ValueError("Only what was nothing teaches the rule.")
        return self


SETTLED = "alert.settle"
TAKE_BACK = """
update alert set state = case when assignee_id is null then 'new' else 'taken' end, outcome = '', version = version + 1, settled_at = null,
  settled_by = null
where id = any($1::bigint[]) and state = $2 and settled_by = $3 returning id
"""


class AlertsChanged(View):
    """``skipped``: they were that way already, or somebody else is at them. ``also``: alike ones that went with them."""

    changed: list[int]
    skipped: list[int]
    also: int


async def act_on(
    work: Work, principal: Principal, body: AlertAct, *, address: str
) -> tuple[AlertsChanged, Step | None]:
    """With how to take it back, if it settled some. Raises :class:`NotFound` when one of them is not there (for the asker)."""
    scope = Scope.of(principal)
    reach = (scope.everything, scope.agent_id, scope.teams)
    wanted = list(dict.fromkeys(body.ids))
    rows = await work.tx.fetch(HELD, wanted, *reach)
    if len(rows) != len(wanted):
        raise NotFound("There is no such alert.")
    if body.assignee_id is not None:
        await _may_work(work, body.assignee_id)
    tuned = await _tune(work, principal, rows, body.tune, address) if body.tune is not None else None
    changed = await _change(work, principal, rows, body)
    also: list[int] = []
    if body.tune is not None and tuned is not None:
        rule_id, conversation_id, account_id = tuned
        alike = [
            row
            for row in await work.tx.fetch(LIKE_IT, rule_id, *reach, conversation_id, account_id)
            if row["id"] not in wanted
        ]
        if body.tune.phrase is not None:
            gone = set(
                await tuning.no_longer_found(work, rule_id, [row["message_id"] for row in alike if row["message_id"]])
            )
            alike = [row for row in alike if row["message_id"] in gone]
        also = await _change(work, principal, alike, body.model_copy(update={"note": ""}))
    if changed or also:
        work.ring("alert", *changed, *also)
        await record(
            work, f"alert.{PAST[body.act]}", agent_id=principal.agent_id, object_kind="alert",
            object_id=changed[0] if len(changed) == 1 else None, address=address,
            detail={"count": len(changed) + len(also), "outcome": body.outcome, "assignee_id": body.assignee_id},
        )  # fmt: skip
    step = None
    if body.act in ("done", "dismiss") and changed:
        settled = [*changed, *also]
        data = {"ids": settled, "state": "done" if body.act == "done" else "dismissed"}
        step = await remember(work, principal, SETTLED, data, count=len(settled))
    skipped = [one for one in wanted if one not in set(changed)]
    return AlertsChanged(changed=changed, skipped=skipped, also=len(also)), step


async def take_back(work: Work, principal: Principal, data: dict[str, Any]) -> Undone:
    """They wait again; what their rule learned stays learned."""
    rows = await work.tx.fetch(TAKE_BACK, data["ids"], data["state"], principal.agent_id)
    if not rows:
        raise Conflict("Somebody changed these alerts meanwhile.", code="changed_meanwhile")
    ids = [row["id"] for row in rows]
    await work.tx.execute(EVENTS, ids, [{}] * len(ids), "reopened", work.now, principal.agent_id)
    await record(
        work, "alert.reopened", agent_id=principal.agent_id, object_kind="alert",
        object_id=ids[0] if len(ids) == 1 else None, detail={"count": len(ids)},
    )  # fmt: skip
    work.ring("alert", *ids)
    return Undone(len(ids), len(data["ids"]) - len(ids))


def undo_kinds() -> dict[str, Kind]:
    return {SETTLED: Kind(AUDIT_REVIEW, take_back)}


async def _may_work(work: Work, agent_id: int) -> None:
    row = await work.tx.fetchrow(OF_AGENT, agent_id)
    if row is None or AUDIT_READ not in held_by(row)[0]:
        raise Unprocessable(
            "This person does not see alerts. Choose somebody who does.", fields={"assignee_id": "Does not see alerts."}
        )


async def _tune(
    work: Work, principal: Principal, rows: Sequence[Row], tune: Tune, address: str
) -> tuple[int, int | None, int | None]:
    """The rule, and the conversation or account that it does not look at any more."""
    if not principal.may(AUDIT_RULES):
        raise Forbidden("Rules are changed by those who keep them. Dismiss the alert and tell them.")
    rules, first = {row["rule_id"] for row in rows}, rows[0]
    if len(rules) != 1 or first["rule_id"] is None:
        raise Unprocessable("Choose alerts of one rule to change it.", fields={"tune": "Not of one rule."})
    rule_id: int = first["rule_id"]
    if tune.phrase is not None:
        await tuning.except_phrase(work, principal, rule_id, tune.phrase, address=address)
        return rule_id, None, None
    place = "conversation_id" if tune.mute == "conversation" else "account_id"
    if len({row[place] for row in rows}) != 1 or first[place] is None:
        raise Unprocessable("Choose alerts of one place.", fields={"tune": "Not of one place."})
    where = (first[place], None) if tune.mute == "conversation" else (None, first[place])
    await tuning.mute(work, principal, rule_id, *where, address=address)
    return rule_id, *where


async def _change(work: Work, principal: Principal, rows: Sequence[Row], body: AlertAct) -> list[int]:
    changed: list[tuple[Row, str, int | None, str, str]] = []
    for row in rows:
        new = _after(row, principal, body)
        if new is not None:
            changed.append((row, *new))
    if not changed:
        return []
    await work.tx.execute(
        CHANGE, [row["id"] for row, *_ in changed], [one[1] for one in changed], [one[2] for one in changed],
        [one[3] for one in changed], [one[4] for one in changed], work.now, principal.agent_id,
    )  # fmt: skip
    detail: dict[str, Any] = {
        name: value for name, value in (("outcome", body.outcome), ("note", body.note), ("assignee_id", body.assignee_id)) if value
    }  # fmt: skip
    ids = [row["id"] for row, *_ in changed]
    await work.tx.execute(EVENTS, ids, [detail] * len(ids), PAST[body.act], work.now, principal.agent_id)
    return ids


def _after(row: Row, principal: Principal, body: AlertAct) -> tuple[str, int | None, str, str] | None:
    """State, assignee, outcome and note; None: nothing changes."""
    state, assignee = row["state"], row["assignee_id"]
    note, outcome = body.note or row["note"], row["outcome"]
    settled = state in ("done", "dismissed")
    if body.act == "note":
        return state, assignee, outcome, note
    if body.act == "take":
        return None if settled or (state == "taken") else ("taken", principal.agent_id, outcome, note)
    if body.act == "give":
        if settled or (state == "taken" and assignee == body.assignee_id):
            return None
        return "taken", body.assignee_id, outcome, note
    if body.act == "reopen":
        return ("taken" if assignee else "new", assignee, "", note) if settled else None
    target = "done" if body.act == "done" else "dismissed"
    return None if settled else (target, assignee or principal.agent_id, body.outcome, note)
