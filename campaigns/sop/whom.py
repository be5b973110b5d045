"""Who does a step for each customer, and what its words become for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from customers.let_in import colleagues
from scrm.company import CompanyFacts
from scrm.db import Row
from scrm.permissions import CUSTOMERS_WRITE
from scrm.services import Work
from scrm.variables import filled, of_moment

if TYPE_CHECKING:
    from campaigns.sop.steps import Doing

UNNAMED = "您"

WHOM = """
select e.id, u.name, u.remark, u.city, u.owner_id, i.agent_id as relation_id
from sop_entry e join customer u on u.id = e.customer_id left join account a on a.id = e.account_id
left join agent_identity i on i.connection_id = a.connection_id and i.external_id = a.external_id
where e.id = any($1::bigint[])
"""


@dataclass(frozen=True, slots=True)
class Rep:
    agent_id: int
    name: str


@dataclass(frozen=True, slots=True)
class Whom:
    """``owned``: by the rep who does it."""

    owner_id: int | None
    values: Mapping[str, str]


async def whom(work: Work, doing: Sequence[Doing], facts: CompanyFacts) -> None:
    """The owner, else the one whose contact they became, else the plan's deputy: who works here and with customers."""
    if not doing:
        return
    rows = {row["id"]: row for row in await work.tx.fetch(WHOM, [one.entry["id"] for one in doing])}
    candidates = {
        one.entry["id"]: [
            agent_id
            for agent_id in (
                rows[one.entry["id"]]["owner_id"],
                rows[one.entry["id"]]["relation_id"],
                one.planned.plan.deputy_id,
            )
            if agent_id is not None
        ]
        for one in doing
    }
    people = await colleagues(work, {agent_id for ids in candidates.values() for agent_id in ids})
    able = {agent_id: one for agent_id, one in people.items() if one.may(CUSTOMERS_WRITE)}
    moments = of_moment(work.now.astimezone(facts.clock))
    for one in doing:
        row = rows[one.entry["id"]]
        found = next((able[agent_id] for agent_id in candidates[one.entry["id"]] if agent_id in able), None)
        one.rep = None if found is None else Rep(found.agent_id, found.name)
        one.whom = Whom(row["owner_id"], _values(row, one.rep, facts, moments))
        one.words = filled(one.step.words, one.whom.values)


def _values(row: Row, rep: Rep | None, facts: CompanyFacts, moments: Mapping[str, str]) -> dict[str, str]:
    return {
        "customer.name": row["name"] or UNNAMED,
        "customer.remark": row["remark"],
        "customer.city": row["city"],
        "agent.name": rep.name if rep is not None else "",
        "company.name": facts.name,
        **moments,
    }
