"""Each working day, from nine by the company's clock, everybody who has numbers to add is told once; it reaches them as a card in
their own app. The notice's key decides, however many processes look."""

from __future__ import annotations

from datetime import time

from customers.workdays import is_workday
from scrm.company import FACTS
from scrm.notices import notify
from scrm.services import Services

NINE = time(9)
KIND = "invites_today"
# No more than what today's page shows: of each list its daily number at most.
WHO = """
select agent_id, sum(least(n, per_day))::int as n from (
  select i.agent_id, i.batch_id, b.per_day, count(*) as n from invite i join invite_batch b on b.id = i.batch_id
  where i.state = 'open' and i.day <= $1 group by i.agent_id, i.batch_id, b.per_day) w
where not exists (select from notification x where x.agent_id = w.agent_id and x.dedupe_key = $2) group by agent_id order by agent_id
"""


async def tell(services: Services) -> bool:
    async with services.work() as work:
        here = work.now.astimezone((await FACTS.load(work.tx)).clock)
        if here.time() < NINE or not is_workday(here.date()):
            return False
        key = f"invites:{here.date()}"
        for row in await work.tx.fetch(WHO, here.date(), key):
            await notify(work, [row["agent_id"]], KIND, key, data={"n": row["n"]})
    return False
