"""How rules stand on platforms that stop messages themselves."""

from __future__ import annotations

from audit.rules.views import InterceptView
from scrm.db import Tx

OF_RULES = """
select i.rule_id, i.connection_id, c.name as connection, count(*) filter (where i.wanted) as asked,
  count(*) filter (where i.wanted and i.made is not null and i.trouble is null) as made,
  coalesce(max(i.trouble ->> 'zh'), '') as zh, coalesce(max(i.trouble ->> 'en'), '') as trouble
from audit_intercept i join connection c on c.id = i.connection_id
where ($1::bigint is null or i.rule_id = $1) group by i.rule_id, i.connection_id, c.name order by i.connection_id
"""


async def intercepts_of(tx: Tx, rule_id: int | None) -> dict[int, list[InterceptView]]:
    found: dict[int, list[InterceptView]] = {}
    for row in await tx.fetch(OF_RULES, rule_id):
        found.setdefault(row["rule_id"], []).append(
            InterceptView(
                connection_id=row["connection_id"], connection=row["connection"], asked=row["asked"], made=row["made"],
                trouble=row["trouble"], left_out=0,
            )
        )  # fmt: skip
    return found
