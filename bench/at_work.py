"""A company that has been at work for years: whatever reads each message once has read those that are there already.

Without this the service would begin with millions of unread messages (those that the benchmark has just written), and what is measured
would be catching up. The map of searches is really made, since searches read it; of what else is counted, sealed or claimed from
messages only the place up to which they were read is set, and what customers and their names were to be told of them is forgotten.
"""

from __future__ import annotations

from audit.evidence.chain import PREFIX
from audit.payments import watch as money
from audit.quality import talks
from audit.search import places, spelling
from audit.words.counting import WordCounter
from scrm.app import open_services
from scrm.config import Settings

READERS = (f"{PREFIX}message", money.NAME, talks.NAME)
READ = """
with newest as (select coalesce(max(id), 0) as id from message),
words as (update word_book set last_id = newest.id, until_id = newest.id from newest)
insert into reading_place (name, last_id) select name, newest.id from newest, unnest($1::text[]) name
on conflict (name) do update set last_id = excluded.last_id
"""


async def catch_up(settings: Settings, url: str) -> None:
    async with open_services(settings, url) as services:
        await WordCounter(services).round()
        await services.db.execute(READ, list(READERS))
        await services.db.execute("truncate customer_touch, customer_stir")
        async with services.work() as work:
            await spelling.SEEN.save(work, spelling.Seen(at=work.now), by=None)
        await places.keep(services)
        while await places.keep(services):
            pass
        await services.db.execute("vacuum analyze")
