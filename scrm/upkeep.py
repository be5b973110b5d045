"""Small recurring work that keeps the database lean and the figures fresh."""

from __future__ import annotations

from datetime import timedelta

from scrm.channel import Authorises
from scrm.errors import SendError
from scrm.jobs import Job
from scrm.metrics import BACKLOG
from scrm.services import Services

KEEP_DONE_JOBS = timedelta(days=2)
KEEP_UNSENT_UPLOADS = timedelta(days=2)
KEEP_ERRORS = timedelta(days=30)

RENEW_TOKENS, FIND_STREAMS, FOLD_TALLIES, CLEAN, MEASURE = (
    "renew_tokens",
    "find_streams",
    "fold_tallies",
    "clean",
    "measure",
)

FOLD = """
with gone as (delete from conversation_tally returning account_id, assignee_id, status, unread, waiting, helper_id, n)
insert into conversation_tally (account_id, assignee_id, status, unread, waiting, helper_id, n)
select account_id, assignee_id, status, unread, waiting, helper_id, sum(n) from gone group by 1, 2, 3, 4, 5, 6
having sum(n) <> 0
"""

TIDY_WORDS = """
select gin_clean_pending_list(i) from unnest('{message_text_words,message_called,attachment_called,contact_words,customer_words}'::regclass[]) i
"""
"""New entries wait in a list that every look into the index reads: it is kept short, away from those who write messages."""


async def renew_tokens(services: Services, job: Job) -> None:
    """Renews authorisations that near their end and warns before a person must act."""
    for loaded in services.connections.all():
        if loaded.paused or not isinstance(loaded.adapter, Authorises):
            continue
        try:
            states = await loaded.adapter.renew()
        except SendError as error:
            await services.connections.note_error(loaded.id, error, attention=getattr(error, "needs_admin", False))
            continue
        await services.connections.note_tokens(loaded.id, list(states))


async def fold_tallies(services: Services, job: Job) -> None:
    """Adds up the differences of ``conversation_tally``. Readers see the same sums before and after: it is one statement,
    and rows written meanwhile are not touched."""
    await services.db.execute(FOLD)


async def tidy_words(services: Services) -> bool:
    """Sorts new messages and names into the indexes of searching: often, since what has gathered is sorted in one go."""
    await services.db.execute(TIDY_WORDS)
    return False


async def clean(services: Services, job: Job) -> None:
    """Removes what nobody needs any more, in steps that lock little."""
    now = services.clock.now()
    await _in_steps(
        services,
        "delete from inbound_event where id in (select id from inbound_event where state in ('done', 'ignored') "
        "and handled_at < $1 order by id limit 5000)",
        now - timedelta(days=services.settings.worker.keep_events_days),
    )
    await _in_steps(
        services,
        "delete from job where id in (select id from job where state = 'done' and finished_at < $1 limit 5000)",
        now - KEEP_DONE_JOBS,
    )
    await _in_steps(
        services,
        "delete from attachment where id in (select id from attachment where message_id is null and created_at < $1 limit 500)",
        now - KEEP_UNSENT_UPLOADS,
    )
    await services.db.execute("delete from sign_in_failure where since < $1", now - timedelta(days=2))
    await services.db.execute("delete from sign_in_trip where used_at < $1", now - timedelta(days=1))
    await services.db.execute("delete from connection_error where hour < $1", now - KEEP_ERRORS)
    await services.db.execute("delete from session where expires_at < $1 or ended_at < $1", now - timedelta(days=30))


async def _in_steps(services: Services, sql: str, before: object) -> None:
    while (await services.db.execute(sql, before)) not in ("DELETE 0",):
        continue


async def measure(services: Services, job: Job) -> None:
    """Sets the gauges of what waits. Each count is over a partial index of waiting rows only."""
    row = await services.db.fetchrow(
        "select (select count(*) from inbound_event where state = 'new') as inbound, "
        "(select count(*) from outbox) as outbox, "
        "(select count(*) from job where state = 'queued') as jobs, "
        "(select count(*) from inbound_event where state = 'failed') as failed_events"
    )
    if row is not None:
        for queue, waiting in row.items():
            BACKLOG.labels(queue).set(waiting)
