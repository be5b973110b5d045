"""Who fits a plan, as SQL on ``customer u``."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from campaigns.audience.whose import COMPANY
from campaigns.sop.shapes import Added, Reached, SopPlan, Tagged
from customers import filtering
from customers.filtering import Arguments, Asking
from scrm.db import Tx

THERE = "u.merged_into is null and u.deleted_at is null"
FREE = "not exists (select from campaign_hold h where h.customer_id = u.id and h.ended_at is null)"
CAME_BY = """
exists (select from contact_code q join contact z on z.id = l.contact_id and z.connection_id = q.connection_id
  where q.id = any({codes}) and q.source = l.source)
"""
IS_CONTACT = """
exists (select from contact k join contact_link l on l.contact_id = k.id where k.customer_id = u.id and l.state = 'active' and {came})
"""


async def asking_now(tx: Tx, now: datetime) -> Asking:
    """In the company's name: a plan is for all of its customers."""
    asking = await filtering.asking(tx, COMPANY, now)
    return replace(asking, scope=replace(asking.scope, everything=True))


def stays(plan: SopPlan, asking: Asking, arguments: Arguments) -> str:
    """Who is still what the plan is for. Raises :class:`Unprocessable` when the filter speaks of what is gone."""
    parts = [filtering.where(plan.filter, asking, arguments)]
    if isinstance(plan.start, Tagged):
        parts.append(f"u.tags && {arguments.add(list(plan.start.tag_ids), 'bigint[]')}")
    if isinstance(plan.start, Reached):
        parts.append(f"u.stage_id = any({arguments.add(list(plan.start.stage_ids), 'bigint[]')})")
    return " and ".join(f"({part})" for part in parts)


def begins(plan: SopPlan, asking: Asking, arguments: Arguments) -> str:
    """For whom it may begin. Raises :class:`Unprocessable`."""
    return f"{THERE} and {FREE} and {stays(plan, asking, arguments)}"


def matches(plan: SopPlan, asking: Asking, arguments: Arguments) -> str:
    """Who is now what makes it begin. Raises :class:`Unprocessable`."""
    sql = begins(plan, asking, arguments)
    if isinstance(plan.start, Added):
        sql += f" and {IS_CONTACT.format(came=came_by(plan.start, arguments))}"
    return sql


def came_by(start: Added, arguments: Arguments) -> str:
    """That a relation ``l`` began by one of the codes."""
    return CAME_BY.format(codes=arguments.add(list(start.code_ids), "bigint[]")) if start.code_ids else "true"
