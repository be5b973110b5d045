"""One card out, by a durable job. The platform drops a repetition of the same card within half an hour, so an unknown outcome is
repeated, but only until then."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from inbox.cards.words import button
from scrm import jobs
from scrm.channel import Sentence
from scrm.channel_contacts import NoticeCard, NotifiesPeople
from scrm.db import Row
from scrm.errors import NotFound, Rejected, RetryLater, SendError, Uncertain
from scrm.jobs import Job
from scrm.metrics import NOTICE_CARDS
from scrm.services import Services

SEND_CARD = "send_notice_card"
SAME_WITHIN = timedelta(minutes=25)

TAKE = """
update notice_card c set tried_at = coalesce(c.tried_at, $2) from agent a
where c.id = $1 and c.state = 'queued' and a.id = c.agent_id
returning c.id, c.agent_id, c.connection_id, c.external_id, c.title, c.text, c.url, c.tried_at, a.language
"""
END = """
with card as (update notice_card set state = $2, reason = $3, sent_at = case when $2 = 'sent' then $4::timestamptz end
  where id = $1 and state = 'queued' returning agent_id, connection_id, external_id)
update agent_identity i set card_error = case when $2 = 'sent' then null else $3::jsonb end,
  card_error_at = case when $2 = 'sent' then null else $4 end
from card where i.connection_id = card.connection_id and i.external_id = card.external_id and i.agent_id = card.agent_id
"""

UNREACHED = Sentence(
    "平台没有送达：该成员不在应用的可见范围内、未激活或已离职。",
    "The platform could not deliver it: this person is outside the app's range, not active, or has left.",
)
UNABLE = Sentence("该连接不能发送提醒卡片。", "This connection cannot send cards.")
TOO_LONG = Sentence("长时间没有得到平台的回应。", "The platform did not answer for a long time.")


async def send_card(services: Services, job: Job) -> None:
    row = await services.db.fetchrow(TAKE, job.payload["card_id"], services.clock.now())
    if row is None:
        return
    if services.clock.now() - row["tried_at"] > SAME_WITHIN:
        await _end(services, row, "uncertain", "card.unanswered", TOO_LONG)
        return
    try:
        missed = await _send(services, row)
    except Rejected as error:
        await _end(services, row, "failed", error.code, error.reason)
        await services.connections.note_error(row["connection_id"], error, attention=error.needs_admin)
    except SendError as error:
        if job.attempts >= jobs.MOST_ATTEMPTS:
            await _end(
                services, row, "uncertain" if isinstance(error, Uncertain) else "failed", error.code, error.reason
            )
            return
        after = error.after if isinstance(error, RetryLater) else 2.0**job.attempts
        raise RetryLater(error.code, error.reason, after=max(after, 2.0**job.attempts)) from error
    else:
        if missed:
            await _end(services, row, "unreached", "card.unreached", UNREACHED)
        else:
            await _end(services, row, "sent", "", None)


async def _send(services: Services, row: Row) -> bool:
    """True: the person was not reached. Raises :class:`SendError`."""
    try:
        adapter = (await services.connections.get(row["connection_id"])).adapter
    except NotFound as error:
        raise Rejected("card.unable", UNABLE) from error
    if not isinstance(adapter, NotifiesPeople) or not adapter.notifies:
        raise Rejected("card.unable", UNABLE)
    card = NoticeCard(row["title"], row["text"], row["url"], button(row["language"]))
    return bool(await adapter.notify([row["external_id"]], card))


async def _end(services: Services, row: Row, state: str, code: str, why: Sentence | None) -> None:
    reason: dict[str, Any] | None = None if why is None else {"code": code, "zh": why.zh, "en": why.en}
    await services.db.execute(END, row["id"], state, reason, services.clock.now())
    NOTICE_CARDS.labels(state).inc()
