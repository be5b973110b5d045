"""Who entered a customer first owns them: a customer without an owner goes to the agent who is the member with the oldest relation.

Not from the public pool, unless somebody added them anew after they fell into it: a nightly comparison gives nobody back.
"""

from __future__ import annotations

from collections.abc import Sequence

from customers.owning import give_each
from scrm.services import Work

FIRST = """
select distinct on (k.customer_id) k.customer_id, i.agent_id
from customer u join contact k on k.customer_id = u.id join contact_link l on l.contact_id = k.id join account a on a.id = l.account_id
  join agent_identity i on i.connection_id = a.connection_id and i.external_id = a.external_id
  join agent g on g.id = i.agent_id and g.disabled_at is null
where u.id = any($1::bigint[]) and u.owner_id is null and u.merged_into is null and u.deleted_at is null and l.state = 'active'
  and (u.pooled_at is null or l.added_at > u.pooled_at)
order by k.customer_id, l.added_at, l.id
"""


async def own_first(work: Work, customer_ids: Sequence[int]) -> None:
    rows = await work.tx.fetch(FIRST, list(customer_ids))
    wanted: dict[int, int | None] = {row["customer_id"]: row["agent_id"] for row in rows}
    await give_each(work, wanted, "created", None, tell_owner=False)
