"""Why a conversation is with whom it is, from its events; and where one would go now."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import Field

from inbox import crew, facts, rulebook
from inbox.decide import Decision, decide
from inbox.queries import conversation_row
from inbox.rows import COLUMNS, conversation_from
from inbox.rulebook import Facts
from scrm.db import Tx
from scrm.errors import NotFound, Unprocessable
from scrm.permissions import Scope
from scrm.views import Id, Input, View

FARTHEST = timedelta(days=3650)
READ = """
select id, at, kind, agent_id, data from conversation_event
where conversation_id = $1 and kind in ('assigned', 'unassigned', 'queued', 'transfer_accepted')
order by version desc limit 20
"""


class WordsView(View):
    zh: str
    en: str


class PassedView(View):
    """Somebody who could not take it."""

    agent_id: int
    why: WordsView


class ConsideredView(View):
    rule_id: int
    name: str
    outcome: Literal["skipped", "nobody", "used"]
    why: WordsView
    passed: list[PassedView]


class ExplanationView(View):
    """``by``: who did it; null: the rules. ``to``: whose it became."""

    id: int
    at: datetime
    kind: str
    by: int | None
    to: int | None
    why: WordsView
    rule_id: int | None
    considered: list[ConsideredView]


class RoutingView(View):
    """Newest first."""

    explanations: list[ExplanationView]


class TryInput(Input):
    """An existing conversation, or an account and what is known about an imagined one."""

    conversation_id: Id | None = None
    account_id: Id | None = None
    label_ids: list[Id] = Field(default_factory=list, max_length=100)
    language: str = Field(default="", max_length=20)
    last_agent_id: Id | None = None
    at: datetime | None = None


class TrialView(View):
    kind: Literal["assign", "queue", "unassign", "keep"]
    agent_id: int | None
    rule_id: int | None
    why: WordsView
    considered: list[ConsideredView]
    open: bool = Field(description="Whether the account's working hours are running then.")


async def explanations(tx: Tx, scope: Scope, conversation_id: int) -> RoutingView:
    """Raises :class:`~scrm.errors.NotFound` for what one may not see."""
    await conversation_row(tx, scope, conversation_id)
    rows = await tx.fetch(READ, conversation_id)
    return RoutingView(explanations=[_explanation(dict(row)) for row in rows])


def _explanation(row: dict[str, Any]) -> ExplanationView:
    data = row["data"]
    to = row["agent_id"] if row["kind"] == "transfer_accepted" else data.get("to")
    why = data.get("why") or {"zh": "", "en": ""}
    considered = [_considered(one) for one in data.get("considered", [])]
    return ExplanationView(
        id=row["id"], at=row["at"], kind=row["kind"], by=row["agent_id"], to=to, why=WordsView(**why),
        rule_id=data.get("rule_id"), considered=considered,
    )  # fmt: skip


def _considered(one: dict[str, Any]) -> ConsideredView:
    passed = [PassedView(agent_id=who["agent_id"], why=WordsView(**who["why"])) for who in one["passed"]]
    return ConsideredView(
        rule_id=one["rule_id"], name=one["name"], outcome=one["outcome"], why=WordsView(**one["why"]), passed=passed
    )


async def attempt(tx: Tx, scope: Scope, wanted: TryInput, now: datetime) -> TrialView:
    """Decides without doing anything. Raises :class:`NotFound`, :class:`Unprocessable`."""
    at = wanted.at or now
    if at.tzinfo is None:
        raise Unprocessable("Say in which time zone this is.", fields={"at": "Add an offset, such as +08:00."})
    if abs(at - now) > FARTHEST:
        raise Unprocessable("Choose a moment near the present.", fields={"at": "Within ten years."})
    book = await rulebook.load(tx)
    people = await crew.load(tx, book.flow)
    about = await _facts(tx, scope, wanted)
    decision: Decision = decide(book, about, people, at, {})
    return TrialView(
        kind=decision.kind,
        agent_id=decision.agent_id,
        rule_id=decision.rule_id,
        why=WordsView(**decision.why),
        considered=[_considered(one.as_data()) for one in decision.considered],
        open=book.calendar_of(about.account_id).is_open(at),
    )


async def _facts(tx: Tx, scope: Scope, wanted: TryInput) -> Facts:
    if wanted.conversation_id is not None:
        await conversation_row(tx, scope, wanted.conversation_id)
        row = await tx.fetchrow(f"select {COLUMNS} from conversation where id = $1", wanted.conversation_id)  # noqa: S608
        if row is None:
            raise NotFound("There is no such conversation.")
        one = conversation_from(row)
        return (await facts.of(tx, [one]))[one.id]
    if wanted.account_id is None:
        raise Unprocessable("Choose a conversation or an account.", fields={"account_id": "Choose one."})
    account = await tx.fetchrow("select id, channel, team_id from account where id = $1", wanted.account_id)
    if account is None or not scope.covers_account(account["team_id"]):
        raise NotFound("There is no such account.")
    return Facts(
        account_id=account["id"],
        channel=account["channel"],
        team_id=account["team_id"],
        label_ids=wanted.label_ids,
        language=wanted.language,
        returning=wanted.last_agent_id is not None,
        last_agent_id=wanted.last_agent_id,
    )
