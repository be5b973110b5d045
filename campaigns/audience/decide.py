"""The decision about each recipient, in SQL: who goes where, and who does not and why. The dry run counts it, freezing writes it.

Reasons come in a fixed order, the first that holds is told: those of the person (opted out, an open complaint, left out by a filter or a list, reached
lately, reached by a campaign that is named, the company's own cap), then, when no way is open, that of the way which came nearest:
the platform's limit, a paused account, a used-up or closed window, a relation that ended; and at last that there is no account at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from campaigns.audience.places import Place, period_of
from campaigns.shapes import Audience, Options, Schedule
from customers import filtering
from customers.filtering import Arguments, Condition, Group
from scrm.db import Tx
from scrm.permissions import Principal

# ruff: noqa: S608 - made of constants; values are parameters

REASONS: tuple[str, ...] = (
    "opted_out", "complaint", "excluded_filter", "excluded_list", "contacted_recently", "other_campaign", "frequency_cap",
    "platform_limit", "account_paused", "window_used_up", "window_closed", "not_a_friend", "no_account",
)  # fmt: skip
"""Why somebody is left out, in the order in which it is looked at."""

STILL_OPEN = timedelta(days=45)
"""Longer than anything waits to be sent or confirmed."""

# A candidate's own obstacle; '' is none. The way that came nearest is told.
_NEAR = "array_position(array['', 'platform_limit', 'account_paused', 'window_used_up', 'window_closed', 'not_a_friend'], {})"

RELATED = """
  select k.customer_id, l.contact_id, l.account_id, p.connection_id, p.way, p.rank, null::bigint as conversation_id,
    case when l.state <> 'active' then 'not_a_friend' when p.paused or a.disabled_at is not null then 'account_paused' else '' end as why,
    l.state = 'active' and exists (select from agent_identity i where i.connection_id = p.connection_id
      and i.external_id = a.external_id and i.agent_id = c.owner_id) as own, l.added_at as since
  from chosen c join contact k on k.customer_id = c.id join contact_link l on l.contact_id = k.id
  join account a on a.id = l.account_id join places p on p.connection_id = a.connection_id and p.channel = a.channel and p.way <> 'reply'
"""
TALKING = """
  select k.customer_id, v.contact_id, v.account_id, p.connection_id, p.way, p.rank, v.id,
    case when p.paused or a.disabled_at is not null or not v.can_send then 'account_paused'
      when p.windowed and (v.window_expires_at is null or v.window_expires_at <= {at}) then 'window_closed'
      when p.windowed and v.window_used >= v.window_quota then 'window_used_up' else '' end,
    v.assignee_id = c.owner_id, v.last_message_at
  from chosen c join contact k on k.customer_id = c.id join conversation v on v.contact_id = k.id and v.group_key = ''
  join account a on a.id = v.account_id join places p on p.connection_id = a.connection_id and p.channel = a.channel and p.way = 'reply'
"""


@dataclass(frozen=True, slots=True)
class Moment:
    """``now``: when it is decided; ``at``: when it is to go, which windows and limits are looked at for."""

    now: datetime
    at: datetime


@dataclass(slots=True)
class Decision:
    """``sql`` yields ``customer_id, contact_id, account_id, connection_id, conversation_id, way, reason`` for customers after $after, at
    most ``limit`` of them, with the values in ``arguments``. ``after`` is the place of the last customer that was looked at."""

    sql: str
    arguments: list[object]
    after: int


async def decide(
    tx: Tx, principal: Principal, audience: Audience, options: Options, where: Sequence[Place], moment: Moment, *,
    campaign_id: int, limit: int | None,
) -> Decision:  # fmt: skip
    """Of the whole company, whoever asks. Raises :class:`Unprocessable` for a filter that says nothing."""
    asking = await filtering.asking(tx, principal, moment.now)
    asking = replace(asking, scope=replace(asking.scope, everything=True))
    parts: list[Group | Condition] = [audience.filter]
    if audience.segment_id is not None:
        parts.append(Condition(field="segment", op="in", value=[audience.segment_id]))
    compiled = filtering.compile(Group(parts=parts), asking)
    arguments = Arguments(compiled.arguments)
    chosen = [compiled.where, *_among(audience, moment, arguments)]
    after = len(arguments.values)
    chosen.append(f"u.id > {arguments.add(0, 'bigint')}")
    person = _person(
        audience,
        options,
        moment,
        campaign_id,
        arguments,
        filtering.where(audience.exclude.filter, asking, arguments) if audience.exclude.filter else "",
    )
    at = arguments.add(moment.at, "timestamptz")
    sql = f"""
with places (channel, way, connection_id, rank, windowed, paused) as (
  select * from unnest({arguments.add([p.channel for p in where], "text[]")}, {arguments.add([p.way for p in where], "text[]")},
    {arguments.add([p.connection_id for p in where], "bigint[]")}, {arguments.add([p.rank for p in where], "int[]")},
    {arguments.add([p.windowed for p in where], "bool[]")}, {arguments.add([p.paused for p in where], "bool[]")})
),
chosen as materialized (
  select u.id, u.owner_id, {person} as why from customer u where {" and ".join(chosen)} order by u.id {f"limit {int(limit)}" if limit else ""}
),
ways as ({RELATED} union all {TALKING.format(at=at)}),
open_ways as (
  select w.*, case when w.why <> '' then w.why else {_limited(where, moment, arguments)} end as obstacle from ways w
  where {_accounts(audience, arguments)}
),
best as (
  select distinct on (customer_id) * from open_ways
  order by customer_id, {_NEAR.format("obstacle")}, rank, own desc nulls last, since desc nulls last, contact_id, account_id
)
select c.id as customer_id, b.contact_id, b.account_id, b.connection_id, b.conversation_id, coalesce(b.way, '') as way,
  case when c.why <> '' then c.why when b.customer_id is null then 'no_account' else b.obstacle end as reason
from chosen c left join best b on b.customer_id = c.id
"""
    return Decision(sql, arguments.values, after)


def _among(audience: Audience, moment: Moment, arguments: Arguments) -> list[str]:
    found = []
    if audience.list_id is not None:
        found.append(_listed(audience.list_id, arguments))
    if audience.of == "conversations":
        active = "true"
        if audience.active_days is not None:
            active = f"v.last_message_at >= {arguments.add(moment.now - timedelta(days=audience.active_days), 'timestamptz')}"
        whose = "true"
        if audience.account_ids:
            whose = f"v.account_id = any({arguments.add(list(audience.account_ids), 'bigint[]')})"
        found.append(
            f"exists (select from contact k join conversation v on v.contact_id = k.id where k.customer_id = u.id and {active} and {whose})"
        )
    return found


def _listed(list_id: int, arguments: Arguments) -> str:
    return f"exists (select from campaign_list_member m where m.list_id = {arguments.add(list_id, 'bigint')} and m.customer_id = u.id)"


def _person(
    audience: Audience, options: Options, moment: Moment, campaign_id: int, arguments: Arguments, excluded: str
) -> str:
    """What keeps somebody out whichever way there is."""
    reached = "select from delivery d where d.customer_id = u.id and d.counted_at is not null"
    arms = [_held("opted_out")]
    if audience.exclude.complaints:
        arms.append(_held("complaint"))
    if excluded:
        arms.append(f"when ({excluded}) then 'excluded_filter'")
    if audience.exclude.list_id is not None:
        arms.append(f"when {_listed(audience.exclude.list_id, arguments)} then 'excluded_list'")
    if audience.exclude.contacted_days is not None:
        since = arguments.add(moment.at - timedelta(days=audience.exclude.contacted_days), "timestamptz")
        mine = arguments.add(campaign_id, "bigint")
        arms.append(
            f"when exists ({reached} and d.counted_at >= {since} and d.campaign_id <> {mine}) then 'contacted_recently'"
        )
    if audience.exclude.campaign_ids:
        named = arguments.add(list(audience.exclude.campaign_ids), "bigint[]")
        arms.append(f"when exists ({reached} and d.campaign_id = any({named})) then 'other_campaign'")
    if options.cap_times is not None:
        since = arguments.add(moment.at - timedelta(days=options.cap_days), "timestamptz")
        times = arguments.add(options.cap_times, "int")
        counted = reached.replace("select from", "select count(*) from")
        arms.append(f"when ({counted} and d.counted_at >= {since}) >= {times} then 'frequency_cap'")
    return f"case {' '.join(arms)} else '' end"


def _held(kind: str) -> str:
    return (
        f"when exists (select from campaign_hold h where h.customer_id = u.id and h.open_kind = '{kind}') then '{kind}'"
    )


def _limited(where: Sequence[Place], moment: Moment, arguments: Arguments) -> str:
    """What the platform counts for a contact in the calendar period of ``moment.at``, by connection and way. A part of an earlier
    period that is still open counts too: it may arrive in this one."""
    arms = []
    for place in where:
        for limit in place.limits:
            begun, times = period_of(limit, moment.at)
            counted = (
                f"select count(*) from delivery d where d.contact_id = w.contact_id and d.counted_at >= {arguments.add(begun - STILL_OPEN, 'timestamptz')} "
                f"and (d.counted_at >= {arguments.add(begun, 'timestamptz')} or d.state in ('planned', 'sending', 'asked')) "
                f"and d.way = '{place.way}'" + ("" if limit.everything else " and d.account_id = w.account_id")
            )
            arms.append(
                f"when w.way = '{place.way}' and w.connection_id = {arguments.add(place.connection_id, 'bigint')} "
                f"and ({counted}) >= {arguments.add(times, 'int')} then 'platform_limit'"
            )
    return f"case {' '.join(arms)} else '' end" if arms else "''"


def _accounts(audience: Audience, arguments: Arguments) -> str:
    if not audience.account_ids:
        return "true"
    return f"w.account_id = any({arguments.add(list(audience.account_ids), 'bigint[]')})"


def spread_key(key: str) -> str:
    """What is spread: answers one by one, posts of an account together (one task for its member, not one for each moment)."""
    return f"(case when d.way = 'reply' then d.{key} else coalesce(d.account_id, d.{key}) end)"


def due(schedule: Schedule, begin: datetime, arguments: Arguments, key: str) -> str:
    """When a recipient's part is due, as SQL: spread evenly by a hash of ``key``, and not in the quiet hours of the schedule's clock."""
    at = arguments.add(begin, "timestamptz")
    if schedule.spread_minutes:
        spread = arguments.add(float(schedule.spread_minutes), "float8")
        at = f"({at} + interval '1 minute' * floor({spread} * 60 * (hashint8({key}) & 65535) / 65536.0) / 60)"
    quiet = schedule.quiet
    if quiet is None or quiet.begin == quiet.end:
        return at
    zone = arguments.add(schedule.zone, "text")
    first, last = arguments.add(quiet.begin, "text"), arguments.add(quiet.end, "text")
    local, day = f"({at} at time zone {zone})", f"date_trunc('day', {at} at time zone {zone})"
    morning = f"(({day} + {last}::interval) at time zone {zone})"
    tomorrow = f"(({day} + interval '1 day' + {last}::interval) at time zone {zone})"
    if quiet.begin < quiet.end:
        return f"case when {local}::time >= {first}::time and {local}::time < {last}::time then {morning} else {at} end"
    return f"case when {local}::time >= {first}::time then {tomorrow} when {local}::time < {last}::time then {morning} else {at} end"
