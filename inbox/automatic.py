"""What the service answers while nobody can: outside working hours, and in the queue. Never counted as an answer of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from inbox import bot
from inbox.events import Happened, record_events
from inbox.facts import Facts
from inbox.rows import Conversation
from inbox.rulebook import Answer, Rule, Rulebook
from scrm.services import Work

CLAIM = """
insert into auto_reply (kind, contact_id, occasion, conversation_id, at) values ($1, $2, $3, $4, $5)
on conflict do nothing returning true
"""
FORGET = "delete from auto_reply where kind = $1 and contact_id = $2 and occasion = $3"


async def answer(
    work: Work,
    book: Rulebook,
    conversations: Sequence[Conversation],
    known: Mapping[int, Facts],
    able_of: bot.CapabilitiesOf,
) -> None:
    """For (locked) conversations whose customer began to wait; the caller saves."""
    if not book.answer:
        return
    for one in conversations:
        if one.waiting_since is None or one.status == "closed" or one.contact_id is None:
            continue
        facts = known[one.id]
        calendar = book.calendar_of(one.account_id)
        if not calendar.is_open(work.now):
            opens = calendar.next_open(work.now)
            rule = book.answer_of("off_hours", facts, work.now)
            if rule is not None:
                await _say(work, one, rule, opens.isoformat() if opens else "never", able_of)
        elif one.route_state == "queued":
            rule = book.answer_of("queued", facts, work.now)
            if rule is not None:
                await _say(work, one, rule, f"{one.id}:{one.waiting_since.isoformat()}", able_of)


async def _say(
    work: Work, conversation: Conversation, rule: Rule[Answer], occasion: str, able_of: bot.CapabilitiesOf
) -> None:
    """Once per occasion: the row decides, also between processes. What the platform does not allow now is not used up."""
    kind, contact_id = rule.data.occasion, conversation.contact_id
    if not await work.tx.fetchval(CLAIM, kind, contact_id, occasion, conversation.id, work.now):
        return
    token = f"{kind}:{occasion}"[:200]
    said = await bot.say(work, conversation, able_of, token, rule.data.text, spend_last=rule.data.spend_last)
    if said is None:
        await work.tx.execute(FORGET, kind, contact_id, occasion)
        return
    data = {"reply_id": rule.id, "kind": kind, "message_id": said}
    await record_events(work, [Happened(conversation, "auto_replied", None, data)])
