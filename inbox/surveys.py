"""How was it? Asked by the bot after a conversation was closed, answered by the customer's next message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from inbox import bot, rulebook
from inbox.events import Happened, record_events
from inbox.rows import Conversation, lock_one, save
from inbox.rulebook import Rule, Survey
from scrm import jobs
from scrm.channel import Capabilities, Kind
from scrm.jobs import Job
from scrm.services import Services, Work

ASK_SURVEY, THANK_FOR_SURVEY = "ask_survey", "thank_for_survey"
POINTS = ((5, "5 非常满意"), (4, "4 满意"), (3, "3 一般"), (2, "2 不满意"), (1, "1 非常不满意"))
HOW_TO_ANSWER = "（回复数字 1–5，5 为非常满意）"
ASKED_LATELY = "select exists (select from survey where contact_id = $1 and asked_at > $2)"
WHO = """
select agent_id from conversation_event where conversation_id = $1 and kind = 'answered' and agent_id is not null
order by at desc, id desc limit 1
"""
INSERT = """
insert into survey (conversation_id, account_id, contact_id, agent_id, rule_id, message_id, occasion, asked_at, expires_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (conversation_id, occasion) do nothing returning id
"""
ANSWER = """
update survey s set score = w.score, comment = w.comment, answered_at = $5, answer_seq = w.seq
from unnest($1::bigint[], $2::int[], $3::text[], $4::bigint[]) w (conversation_id, score, comment, seq)
where s.id = (select id from survey o where o.conversation_id = w.conversation_id order by o.asked_at desc, o.id desc limit 1)
  and s.answered_at is null
returning s.id, s.conversation_id, s.agent_id, s.score
"""


@dataclass(frozen=True, slots=True)
class Score:
    conversation: Conversation
    seq: int
    at: datetime
    score: int
    comment: str


async def plan(work: Work, conversations: Sequence[Conversation]) -> None:
    """For conversations that were just closed: a job each, where their account asks."""
    if not conversations:
        return
    book = await rulebook.load(work.tx)
    for conversation in conversations:
        rule = book.survey_of(conversation.account_id)
        if rule is None or conversation.contact_id is None:
            continue
        payload = {"conversation_id": conversation.id, "closed_at": work.now.isoformat()}
        run_at = work.now + timedelta(seconds=rule.data.delay_seconds)
        await jobs.put(work, ASK_SURVEY, [f"{conversation.id}:{conversation.version}"], [payload], run_at=run_at)


async def ask_survey(services: Services, job: Job) -> None:
    """Job ``ask_survey``. Nothing when the conversation was opened again, or the customer was asked lately."""
    async with services.work() as work:
        conversation = await lock_one(work, job.payload["conversation_id"])
        if conversation is None or conversation.status != "closed" or conversation.contact_id is None:
            return
        book = await rulebook.load(work.tx)
        rule = book.survey_of(conversation.account_id)
        if rule is None:
            return
        since = work.now - timedelta(days=rule.data.quiet_days)
        if await work.tx.fetchval(ASKED_LATELY, conversation.contact_id, since):
            return
        able = services.connections.capabilities
        await _ask(work, conversation, rule, able, job.dedupe_key)
        await save(work, [conversation])


async def _ask(
    work: Work, conversation: Conversation, rule: Rule[Survey], able_of: bot.CapabilitiesOf, occasion: str
) -> None:
    channel = await work.tx.fetchval("select channel from account where id = $1", conversation.account_id)
    kind, text, content = _question(rule.data, able_of(channel))
    message_id = await bot.say(
        work, conversation, able_of, f"survey:{occasion}", text,
        kind=kind, content=content, spend_last=rule.data.spend_last,
    )  # fmt: skip
    if message_id is None:
        return
    agent_id = await work.tx.fetchval(WHO, conversation.id) or conversation.assignee_id
    expires_at = work.now + timedelta(hours=rule.data.expires_hours)
    survey_id = await work.tx.fetchval(
        INSERT, conversation.id, conversation.account_id, conversation.contact_id, agent_id, rule.id, message_id,
        occasion, work.now, expires_at,
    )  # fmt: skip
    conversation.survey_until = expires_at
    await record_events(
        work, [Happened(conversation, "survey_sent", None, {"survey_id": survey_id, "agent_id": agent_id})]
    )


def _question(survey: Survey, able: Capabilities | None) -> tuple[Kind, str, dict[str, object]]:
    """As a menu where the channel has one (a tap sends the item as the customer's text), else with a word on how to answer."""
    if bot.sends_menus(able):
        items = [{"type": "click", "id": str(points), "text": words} for points, words in POINTS]
        return Kind.MENU, survey.question, {"head": survey.question, "items": items}
    return Kind.TEXT, f"{survey.question}\n{HOW_TO_ANSWER}", {}


async def record_scores(work: Work, scores: Sequence[Score]) -> None:
    """Answers that came with a batch of messages: one statement, each survey answered once."""
    by_conversation = {one.conversation.id: one for one in scores}
    wanted = list(by_conversation.values())
    rows = await work.tx.fetch(
        ANSWER,
        [one.conversation.id for one in wanted],
        [one.score for one in wanted],
        [one.comment for one in wanted],
        [one.seq for one in wanted],
        work.now,
    )
    happened = []
    for row in rows:
        one = by_conversation[row["conversation_id"]]
        data = {"survey_id": row["id"], "score": row["score"], "agent_id": row["agent_id"]}
        happened.append(Happened(one.conversation, "survey_answered", None, data, one.seq))
    await record_events(work, happened)
    await jobs.put(work, THANK_FOR_SURVEY, [str(row["id"]) for row in rows], [{"survey_id": row["id"]} for row in rows])


async def thank(services: Services, job: Job) -> None:
    """Job ``thank_for_survey``: a word of thanks, where the survey has one."""
    async with services.work() as work:
        row = await work.tx.fetchrow(
            "select s.conversation_id, r.data from survey s join inbox_rule r on r.id = s.rule_id where s.id = $1",
            job.payload["survey_id"],
        )
        thanks = str(row["data"].get("thanks", "")) if row is not None else ""
        conversation = await lock_one(work, row["conversation_id"]) if row is not None and thanks else None
        if conversation is None or conversation.status != "closed":
            return
        token = f"thanks:{job.payload['survey_id']}"
        await bot.say(work, conversation, services.connections.capabilities, token, thanks)
        await save(work, [conversation])
