"""Whose turn it is. The named moments of a conversation and what follows from them: who waits since when, what was promised, what
is counted. Others change conversations and call these; nothing else touches ``waiting_since``, ``answered_at`` and ``sla_*``.

On the way of incoming messages (:class:`Turns`) nothing is read and only openings and answers are written; a conversation whose
turn began is marked in ``route_state`` and looked at a moment later by ``inbox.routing``:

- ``turn``: a clock may have to start · ``due``: somebody has to be found too · ``queued``: nobody was free
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from inbox import facts, rulebook, sla, surveys
from inbox.events import Happened, record_events
from inbox.language import language_of
from inbox.rows import Conversation
from inbox.scores import score_of
from scrm.services import Work

LULL = timedelta(minutes=20)


@dataclass(frozen=True, slots=True)
class Answer:
    """A customer's waiting that came to its end."""

    conversation: Conversation
    agent_id: int | None
    since: datetime
    at: datetime
    first: bool
    pending: bool
    """The clock had not been started yet."""
    after: int


class Turns:
    """What a batch of messages means, collected in their order, written by :meth:`record`."""

    def __init__(self) -> None:
        self._happened: list[Happened] = []
        self._answers: list[Answer] = []
        self._scores: list[surveys.Score] = []
        self._due = False

    def customer_wrote(self, conversation: Conversation, seq: int, text: str, at: datetime, lull: timedelta) -> None:
        """A message came in at ``at``, ``lull`` after the last one, and has the number ``seq``."""
        if self._only_a_score(conversation, seq, text, at):
            return
        if conversation.read_seq == 0 and conversation.unread == 0:
            self._happened.append(Happened(conversation, "opened", None, {"by": "customer"}, seq - 1))
        conversation.unread += 1
        if conversation.status == "closed":
            conversation.status = "open"
            conversation.closed_at = None
            conversation.answered_at = None
            conversation.route_state = "due"
            self._happened.append(Happened(conversation, "reopened", None, {"by": "customer"}, seq - 1))
        elif conversation.status == "snoozed":
            conversation.status = "open"
            conversation.snoozed_until = None
            self._happened.append(Happened(conversation, "woke", None, {"by": "customer"}, seq - 1))
        if conversation.waiting_since is None:
            conversation.waiting_since = at
            conversation.language = language_of(text) or conversation.language
            if conversation.route_state == "":
                conversation.route_state = "due" if conversation.assignee_id is None else "turn"
            self._due = True
        elif lull > LULL and conversation.route_state == "":
            # Waiting all the while, perhaps into the evening: there may be something to say about that.
            conversation.route_state = "turn"
            self._due = True

    def answered_elsewhere(self, conversation: Conversation, seq: int, at: datetime) -> None:
        """Somebody answered in the platform's own client."""
        if conversation.waiting_since is not None:
            pending = conversation.route_state in ("turn", "due")
            first = conversation.answered_at is None
            self._answers.append(Answer(conversation, None, conversation.waiting_since, at, first, pending, seq))
        conversation.waiting_since = None
        conversation.answered_at = at
        conversation.route_state = ""

    async def record(self, work: Work) -> None:
        """Nothing, for most batches."""
        if self._happened:
            await record_events(work, self._happened)
        if self._answers:
            await _record_answers(work, self._answers)
        if self._scores:
            await surveys.record_scores(work, self._scores)
        if self._due:
            work.ring("turn")

    def _only_a_score(self, conversation: Conversation, seq: int, text: str, at: datetime) -> bool:
        """A bare number answers the survey and opens nothing. With words it is both: a score, and something to read."""
        until, conversation.survey_until = conversation.survey_until, None
        found = score_of(text) if until is not None and at < until else None
        if found is None:
            return False
        self._scores.append(surveys.Score(conversation, seq, at, *found))
        if found[1] or conversation.status != "closed":
            return False
        conversation.read_seq = seq
        return True


async def agent_answered(
    work: Work, conversation: Conversation, agent_id: int | None, at: datetime | None = None
) -> None:
    """Somebody of ours answered; the caller has written the message, and saves. ``waiting_since`` is still as it was."""
    at = at or work.now
    if conversation.waiting_since is not None:
        pending = conversation.route_state in ("turn", "due")
        first = conversation.answered_at is None
        since, conversation.waiting_since = conversation.waiting_since, None
        answer = Answer(conversation, agent_id, since, at, first, pending, conversation.last_seq)
        await _record_answers(work, [answer])
    conversation.answered_at = at
    conversation.route_state = ""
    conversation.survey_until = None
    conversation.changed = True


def assigned(work: Work, conversation: Conversation) -> None:
    """A person decided whose it is, or that it is nobody's: the rules keep out of it, the clock goes on."""
    conversation.route_state = "turn" if conversation.route_state in ("turn", "due") else ""
    conversation.changed = True
    work.ring("turn")


async def closed(work: Work, conversations: Sequence[Conversation]) -> None:
    """After they were closed (and the event written): nothing is promised any more, their agents have room again, and the
    customers are asked how it was. The caller saves."""
    late = [sla.breach(one, work.now) for one in conversations if sla.is_late(one, work.now)]
    await record_events(work, late)
    for conversation in conversations:
        sla.clear(conversation)
        conversation.waiting_since = None
        conversation.route_state = ""
        conversation.changed = True
    await surveys.plan(work, [one for one in conversations if one.answered_at is not None])
    work.ring("turn")


def reopened(conversation: Conversation) -> None:
    """An agent opened a closed one: the next answer is a first one again."""
    conversation.answered_at = None
    conversation.survey_until = None
    conversation.changed = True


async def _record_answers(work: Work, answers: Sequence[Answer]) -> None:
    book = await rulebook.load(work.tx)
    pending = [one.conversation for one in answers if one.pending] if book.sla else []
    known = await facts.of(work.tx, pending) if pending else {}
    happened: list[Happened] = []
    for answer in answers:
        conversation = answer.conversation
        about = known.get(conversation.id)
        if about is not None and not conversation.sla_kind:
            begun = sla.begin(book, conversation, about, answer.since, first=answer.first)
            if begun is not None:
                happened.append(begun)
        seconds = max((answer.at - answer.since).total_seconds(), 0.0)
        working = book.calendar_of(conversation.account_id).working_seconds(answer.since, answer.at)
        data = {"seconds": round(seconds), "working_seconds": round(working), "first": answer.first}
        happened.append(Happened(conversation, "answered", answer.agent_id, data, answer.after))
        if conversation.sla_kind:
            happened += sla.end(conversation, answer.at, answer.agent_id)
    await record_events(work, happened)
