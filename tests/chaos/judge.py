"""Compares what happened with what the database and the simulated customers have. Empty lists mean that nothing was lost and
nothing was done twice."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from scrm.db import LOST
from tests.chaos.reps import Replies
from tests.chaos.site import Site
from tests.chaos.traffic import Noted, acknowledged
from tests.flows.reads import broken_invariants

WAITING = """
select (select count(*) from inbound_event where state = 'new') as events,
  (select count(*) from pull_stream where rings > answered) as streams,
  (select count(*) from outbox) as sends,
  (select count(*) from message where state in ('queued', 'sending')) as messages
"""


@dataclass
class Verdict:
    """``problems`` is the verdict; the rest is counted for the table."""

    problems: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def expect(self, what: str, wrong: list[Any]) -> None:
        """``wrong`` must be empty."""
        if wrong:
            self.problems.append(f"{what}: {len(wrong)}, such as {wrong[:3]}")


async def quiet(site: Site, noted: Noted, *, seconds: float = 120.0) -> None:
    """Waits until nothing is under way any more. Raises ``AssertionError`` saying what still is."""
    deadline = time.monotonic() + seconds
    still = 0
    waiting: dict[str, Any] = {}
    while time.monotonic() < deadline:
        try:
            row = await site.services.db.fetchrow(WAITING)
            waiting = dict(row) if row is not None else {}
            waiting["KF messages to be pulled"] = len(await _missing_pulled(site, noted))
        except LOST as away:
            waiting = {"database": away}
        # Twice in a row: between two of our looks an event may be on its way from one table to the next.
        still = 0 if any(waiting.values()) else still + 1
        if still == 2:
            return
        await asyncio.sleep(0.3)
    raise AssertionError(f"still under way after {seconds:g} s: {waiting}")


async def _missing_pulled(site: Site, noted: Noted) -> list[str]:
    rows = await site.services.db.fetch(
        "select w.id from unnest($1::text[]) w (id) left join message m on m.platform_message_id = w.id where m.id is null",
        list(noted.pulled),
    )
    return [row["id"] for row in rows]


async def judge(site: Site, noted: Noted, replies: Replies) -> Verdict:
    verdict = Verdict()
    await _judge_events(site, verdict)
    await _judge_messages(site, noted, verdict)
    await _judge_replies(site, replies, verdict)
    verdict.expect("broken invariants", await broken_invariants(site.services.db))
    return verdict


async def _judge_events(site: Site, verdict: Verdict) -> None:
    """Each stored event was handled, and by exactly one transaction that committed."""
    db = site.services.db
    states = {
        row["state"]: row["n"] for row in await db.fetch("select state, count(*) n from inbound_event group by 1")
    }
    verdict.counts["events"] = sum(states.values())
    verdict.expect("events neither done nor ignored", [state for state in states if state not in ("done", "ignored")])
    verdict.expect(
        "events handled more or less than once",
        [row["id"] for row in await db.fetch("select id from inbound_event where attempts <> 1")],
    )


async def _judge_messages(site: Site, noted: Noted, verdict: Verdict) -> None:
    rows = await site.services.db.fetch(
        "select platform_message_id as id, count(*) as n from message where direction = 'in' group by 1"
    )
    found = {row["id"]: row["n"] for row in rows}
    promised = acknowledged(site, noted)
    known = {*noted.posted, *noted.pushed, *noted.pulled}
    verdict.counts |= {
        "customer messages by webhook": len(noted.posted) + len(noted.pushed),
        "of these acknowledged": len(promised),
        "customer messages pulled from KF": len(noted.pulled),
        "messages": sum(found.values()),
        "requests of the driver": noted.requests,
        "attempts of the platforms": len(site.douyin.deliveries.log) + len(site.wecom.deliveries.log),
    }
    verdict.expect("acknowledged and lost", [one for one in promised if one not in found])
    verdict.expect("KF messages lost", [one for one in noted.pulled if one not in found])
    verdict.expect("messages kept twice", [one for one, n in found.items() if n > 1])
    verdict.expect("messages that nobody wrote", [one for one in found if one not in known])


async def _judge_replies(site: Site, replies: Replies, verdict: Verdict) -> None:
    rows = await site.services.db.fetch(
        "select m.client_token, m.text, m.state, m.reason, a.channel from message m "
        "join conversation v on v.id = m.conversation_id join account a on a.id = v.account_id "
        "where m.direction = 'out' and m.sender_kind <> 'bot'"
    )
    by_token = {row["client_token"]: row for row in rows if row["client_token"]}
    arrived = _arrived(site)
    texts = {text for text, _ in replies.accepted.values()}
    verdict.counts |= {
        "replies accepted": len(replies.accepted),
        "replies refused": len(replies.refused),
        "requests repeated": replies.repeated,
        "replies arrived": sum(arrived[text] for text in texts),
    }
    verdict.expect("replies made twice (201 again)", replies.twice)
    verdict.expect("accepted and without a row", [one for one in replies.accepted if one not in by_token])
    verdict.expect("refused and yet there", [one for one in replies.refused if one in by_token])
    verdict.expect("rows of ours without a token", [row["text"] for row in rows if not row["client_token"]])
    verdict.expect("replies that arrived more than once", [text for text in texts if arrived[text] > 1])
    verdict.expect("arrived and never accepted", [text for text in arrived if text not in texts])
    states: Counter[str] = Counter()
    for token, row in by_token.items():
        state, times = row["state"], arrived[row["text"]]
        states[f"{row['channel']} {state}"] += 1
        if state == "failed":
            states[f"failed: {row['reason']['code']}"] += 1
        # What is known must be true; what is not known must say so, and only where the platform cannot be asked twice.
        honest = {"sent": times == 1, "failed": times == 0, "uncertain": row["channel"] == "douyin"}.get(state, False)
        if not honest:
            verdict.problems.append(
                f"reply {token} ({row['channel']}) says {state} ({row['reason']}) and arrived {times} times"
            )
    verdict.counts |= dict(sorted(states.items()))


def _arrived(site: Site) -> Counter[str]:
    """How often each text of ours reached a simulated customer."""
    texts: Counter[str] = Counter()
    for corp in site.wecom.world.corps.values():
        for account in corp.kf.values():
            for session in account.sessions.values():
                texts.update(str(one.body.get("content")) for one in session.received if one.via == "api")
    said = [message for message in site.douyin.world.messages.values() if message.from_id == site.shop]
    texts.update(str(message.fields.get("text")) for message in said)
    return texts
