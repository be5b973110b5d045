"""How many people a campaign is for, before anybody looked at each of them: for deciding whether a second person is needed."""

from __future__ import annotations

from dataclasses import replace

from campaigns.shapes import Audience
from customers import filtering
from customers.filtering import Condition, Group
from scrm.permissions import Principal
from scrm.services import Work

# ruff: noqa: S608 - made of constants; values are parameters

GROUPS = """
select count(*) from group_chat where dissolved_at is null and (cardinality($1::bigint[]) = 0 or id = any($1))
"""
OF_LIST = " and exists (select from campaign_list_member m where m.list_id = $%d and m.customer_id = u.id)"


async def size(work: Work, principal: Principal, audience: Audience) -> int:
    """Of the whole company, whoever asks; nobody is left out yet. Raises :class:`Unprocessable` for a filter that says nothing."""
    if audience.of == "groups":
        return int(await work.tx.fetchval(GROUPS, list(audience.group_ids)))
    parts: list[Group | Condition] = [audience.filter]
    if audience.segment_id is not None:
        parts.append(Condition(field="segment", op="in", value=[audience.segment_id]))
    asking = await filtering.asking(work.tx, principal, work.now)
    asking = replace(asking, scope=replace(asking.scope, everything=True))
    compiled = filtering.compile(Group(parts=parts), asking)
    where, arguments = compiled.where, list(compiled.arguments)
    if audience.list_id is not None:
        arguments.append(audience.list_id)
        where += OF_LIST % len(arguments)
    return int(await work.tx.fetchval(f"select count(*) from customer u where {where}", *arguments))
