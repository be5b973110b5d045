"""Steps as messages, where the platform allows it at that moment: through the same outbox as a rep's answers. What is not allowed becomes a task
with the words ready, or is left out, as the step says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from campaigns.audience.places import Place, places
from campaigns.life.settings import RULES
from campaigns.shapes import Audience, Options
from inbox.parts import StoredPart
from inbox.posts import Post, Sender, post
from inbox.variables import fill
from scrm.channel import Kind
from scrm.company import FACTS
from scrm.db import Row
from scrm.services import Services, Work

if TYPE_CHECKING:
    from campaigns.sop.steps import Doing

# The conversation with the entry's own account first, then the owner's, then the newest; of those that are closed the nearest tells why.
CHOOSE = """
with place as (
  select * from unnest($4::text[], $5::bigint[], $6::bool[], $7::bool[]) p (channel, connection_id, windowed, paused)
)
select distinct on (w.entry_id) w.entry_id, v.id as conversation_id, a.channel, o.why
from unnest($1::bigint[], $2::bigint[], $3::bigint[]) w (entry_id, customer_id, account_id)
join customer u on u.id = w.customer_id join contact k on k.customer_id = u.id
join conversation v on v.contact_id = k.id and v.group_key = '' join account a on a.id = v.account_id
join place p on p.connection_id = a.connection_id and p.channel = a.channel
cross join lateral (select case when p.paused or a.disabled_at is not null or not v.can_send then 'account_paused'
  when p.windowed and (v.window_expires_at is null or v.window_expires_at <= $8) then 'window_closed'
  when p.windowed and v.window_used >= v.window_quota then 'window_used_up' else '' end as why) o
order by w.entry_id, array_position(array['', 'account_paused', 'window_used_up', 'window_closed'], o.why), v.account_id = w.account_id desc nulls last,
  v.assignee_id = u.owner_id desc nulls last, v.last_message_at desc, v.id
"""
# What campaigns and plans said to each in the days of the company's cap.
REACHED = """
select w.id, (select count(*) from delivery d where d.customer_id = w.id and d.counted_at >= $2)
  + (select count(*) from sop_step s where s.customer_id = w.id and s.at >= $2 and s.state in ('sending', 'sent', 'uncertain')) as n
from unnest($1::bigint[]) w (id)
"""


async def say(services: Services, work: Work, doing: Sequence[Doing]) -> None:
    """The caller holds the customers."""
    if not doing:
        return
    ways = await _ways(services, work, doing)
    cap = (await RULES.load(work.tx)).cap_times
    reached = await _reached(work, doing) if cap is not None else {}
    wanted: list[tuple[Doing, Row]] = []
    for one in doing:
        way, customer = ways.get(one.entry["id"]), one.entry["customer_id"]
        if way is None or way["why"]:
            _otherwise(one, way["why"] if way is not None else "no_account")
        elif cap is not None and reached[customer] >= cap:
            _otherwise(one, "frequency_cap")
        elif one.whom is not None and fill(one.step.words, one.whom.values).missing:
            _otherwise(one, "value_missing")
        else:
            reached[customer] = reached.get(customer, 0) + 1
            wanted.append((one, way))
    await _post(services, work, wanted)


def _otherwise(one: Doing, reason: str) -> None:
    one.state, one.reason = ("task" if one.step.otherwise == "task" else "skipped"), reason


async def _post(services: Services, work: Work, wanted: Sequence[tuple[Doing, Row]]) -> None:
    """By a bot, in the company's name."""
    able = {
        channel: can
        for channel in {way["channel"] for _, way in wanted}
        if (can := services.connections.capabilities(channel)) is not None
    }
    posts = [
        Post(way["conversation_id"], one.token, [StoredPart(Kind.TEXT, one.words, {}, None)]) for one, way in wanted
    ]
    outcome = await post(work, posts, able, Sender(None, (await FACTS.load(work.tx)).name))
    for one, way in wanted:
        error = outcome[one.token]
        if error is None:
            one.state, one.conversation_id = "sending", way["conversation_id"]
        else:
            _otherwise(one, error.code)


async def _ways(services: Services, work: Work, doing: Sequence[Doing]) -> dict[int, Row]:
    where: list[Place] = [one for one in places(services.connections, Audience(), Options()) if one.way == "reply"]
    rows = await work.tx.fetch(
        CHOOSE, [one.entry["id"] for one in doing], [one.entry["customer_id"] for one in doing],
        [one.entry["account_id"] for one in doing], [p.channel for p in where], [p.connection_id for p in where],
        [p.windowed for p in where], [p.paused for p in where], work.now,
    )  # fmt: skip
    return {row["entry_id"]: row for row in rows}


async def _reached(work: Work, doing: Sequence[Doing]) -> dict[int, int]:
    since: datetime = work.now - timedelta(days=(await RULES.load(work.tx)).cap_days)
    rows = await work.tx.fetch(REACHED, sorted({one.entry["customer_id"] for one in doing}), since)
    return {row["id"]: row["n"] for row in rows}
