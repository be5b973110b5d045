"""What a sentence would be found by, before somebody writes it."""

from __future__ import annotations

import asyncio
from typing import Any

from audit.alerts.excerpts import excerpt_of
from audit.rules.book import Book, Held, Shelf
from audit.rules.kinds import Words
from audit.rules.matching import Matcher
from audit.rules.said import text_hits
from audit.rules.views import RuleFindsView, Trial, TrialFind
from scrm.services import Services


async def try_text(services: Services, trial: Trial) -> RuleFindsView:
    """As if it were one plain text; where it stands and when is left out. ``data``: as a rule of its own, with id 0."""
    if trial.data is None:
        book = await Shelf().book(services.db)
    else:
        held: Held[Any] = Held(0, trial.data.kind, "", "medium", 1, trial.data)
        words = {0: trial.data.lexicon()} if isinstance(trial.data, Words) else {}
        book = Book([held], await asyncio.to_thread(Matcher, words))
    message = {
        "id": 0, "conversation_id": 0, "seq": 0, "direction": "out" if trial.out else "in", "kind": "text", "text": trial.text,
        "content": None, "sender_kind": "agent" if trial.out else "customer", "sent_at": services.clock.now(), "account_id": None,
        "channel": None, "team_id": None, "agent_id": None, "in_group": False,
    }  # fmt: skip
    hits = await text_hits(book, [message], anywhere=True)
    return RuleFindsView(
        finds=[
            TrialFind(
                rule_id=hit.rule.id, name=hit.rule.name, kind=hit.rule.kind, severity=hit.rule.severity,
                words=list(dict.fromkeys(hit.words)),
                parts=excerpt_of(trial.text, [at for span in hit.spans for at in span], phones=True),
            )
            for hit in hits
        ]
    )  # fmt: skip
