"""Conversations whose turn began: starts their clocks, finds who answers, says what has to be said when nobody does.

One process at a time decides (an advisory lock that ends with the transaction), so that turns go round and no one is given more
than they can take; any process may be the one. What is to be done is in ``conversation.route_state``: killing the process undoes
its batch, and the next one takes it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from inbox import assign, automatic, crew, facts, rulebook, sla
from inbox.crew import Crew
from inbox.decide import Decision, decide
from inbox.events import Happened, record_events
from inbox.facts import Facts
from inbox.rows import COLUMNS, Conversation, conversation_from, lock, save
from inbox.rulebook import Rulebook
from scrm.db import RETRYABLE
from scrm.notices import notify
from scrm.services import Services, Work

LOCK_KEY = 7_226_003
AT_ONCE = 200
MOST_PAGES = 5
TRY_LOCK = "select pg_try_advisory_xact_lock($1)"
DUE = f"""
select {COLUMNS} from conversation where route_state in ('turn', 'due')
order by id limit {AT_ONCE} for update skip locked
"""  # noqa: S608 - made of constants
QUEUED = f"""
select {COLUMNS} from conversation where route_state = 'queued'
  and ($1::timestamptz is null or (waiting_since, id) > ($1, $2::bigint))
order by waiting_since, id limit {AT_ONCE}
"""  # noqa: S608 - made of constants
POINTER = """
update inbox_rule r set last_agent_id = w.agent_id from unnest($1::bigint[], $2::bigint[]) w (id, agent_id) where r.id = w.id
"""


class Router:
    """:meth:`round` is one pass of the loop."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._after: tuple[datetime, int] | tuple[None, None] = (None, None)
        """How far the queue has been looked through; a long one takes several rounds."""

    async def round(self) -> bool:
        """True when there may be more at once."""
        try:
            more = await self._take_due()
            await self._drain()
        except RETRYABLE:
            # Met somebody who locks in another order; nothing was done.
            return True
        return more

    async def _take_due(self) -> bool:
        async with self._services.work() as work:
            if not await work.tx.fetchval(TRY_LOCK, LOCK_KEY):
                return False
            due = [conversation_from(row) for row in await work.tx.fetch(DUE)]
            if due:
                await self._decide(work, due, [one for one in due if one.route_state == "due"])
        return len(due) == AT_ONCE

    async def _drain(self) -> None:
        """Whoever waits in the queue, longest first, while somebody has room."""
        async with self._services.work() as work:
            if not await work.tx.fetchval(TRY_LOCK, LOCK_KEY):
                return
            page = [conversation_from(row) for row in await work.tx.fetch(QUEUED, *self._after)]
            self._after = (None, None)
            if not page:
                return
            book = await rulebook.load(work.tx)
            people = await crew.load(work.tx, book.flow)
            pointers: dict[int, int] = {}
            found: dict[int, Decision] = {}
            pages = 0
            while page and people.has_room:
                pages += 1
                known = await facts.of(work.tx, page)
                for one in page:
                    decision = decide(book, known[one.id], people, work.now, pointers)
                    if decision.kind != "queue":
                        found[one.id] = decision
                        if decision.agent_id is not None:
                            people.took(decision.agent_id)
                if len(page) < AT_ONCE:
                    break
                last = page[-1].waiting_since or work.now, page[-1].id
                if pages == MOST_PAGES:
                    self._after = last
                    break
                page = [conversation_from(row) for row in await work.tx.fetch(QUEUED, *last)]
            held = await lock(work, found)
            still = [one for one in held.values() if one.route_state == "queued" and one.assignee_id is None]
            await _carry_out(work, still, found)
            await _remember(work, pointers)
            await save(work, held.values())

    async def _decide(self, work: Work, due: Sequence[Conversation], homeless: Sequence[Conversation]) -> None:
        book = await rulebook.load(work.tx)
        known = await facts.of(work.tx, due)
        await _start_clocks(work, book, due, known)
        people = await crew.load(work.tx, book.flow) if homeless and book.assignment else Crew()
        pointers: dict[int, int] = {}
        decisions: dict[int, Decision] = {}
        for one in homeless:
            if one.status == "closed" or not book.assignment:
                continue
            people.left(one.assignee_id)
            decision = decide(book, known[one.id], people, work.now, pointers)
            decisions[one.id] = decision
            stays = one.assignee_id if decision.kind == "keep" else decision.agent_id
            if stays is not None and stays in people.colleagues:
                people.took(stays)
        for one in due:
            one.route_state = ""
            one.changed = True
        await _carry_out(work, homeless, decisions)
        await _remember(work, pointers)
        await automatic.answer(work, book, due, known, self._services.connections.capabilities)
        await save(work, due)


async def _start_clocks(work: Work, book: Rulebook, due: Sequence[Conversation], known: dict[int, Facts]) -> None:
    started = []
    for one in due:
        if one.waiting_since is not None and not one.sla_kind and one.status != "closed":
            begun = sla.begin(book, one, known[one.id], one.waiting_since, first=one.answered_at is None)
            if begun is not None:
                started.append(begun)
    await record_events(work, started)


async def _carry_out(work: Work, conversations: Sequence[Conversation], decisions: dict[int, Decision]) -> None:
    """Writes what was decided. A conversation that comes back to whom it belonged is explained, but is no news to them."""
    happened: list[Happened] = []
    given: list[tuple[Conversation, Decision]] = []
    for one in conversations:
        decision = decisions.get(one.id)
        if decision is None or decision.kind == "keep":
            continue
        before = one.assignee_id
        if one.transfer_to is not None and before != decision.agent_id:
            await assign.end_transfer(work, one, "cancelled", None)
        one.assignee_id = decision.agent_id
        one.assigned_at = work.now if decision.agent_id is not None else None
        one.route_state = "queued" if decision.kind == "queue" else ""
        one.changed = True
        data = decision.as_data()
        if decision.agent_id is not None:
            happened.append(Happened(one, "assigned", None, {"to": decision.agent_id, "from": before, **data}))
            if before != decision.agent_id:
                one.collaborators = [helper for helper in one.collaborators if helper != decision.agent_id]
                given.append((one, decision))
        elif decision.kind == "queue":
            happened.append(Happened(one, "queued", None, data))
        elif before is not None:
            happened.append(Happened(one, "unassigned", None, {"from": before, **data}))
    await record_events(work, happened)
    for one, decision in given:
        key = f"assigned:{one.id}:{one.version}"
        why = {"why": decision.why}
        await notify(work, [decision.agent_id or 0], "assigned", key, conversation_id=one.id, data=why)


async def _remember(work: Work, pointers: dict[int, int]) -> None:
    if pointers:
        await work.tx.execute(POINTER, list(pointers), list(pointers.values()))
