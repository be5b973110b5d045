"""Codes as they are read: the list with its numbers, one with its days, and who came."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field

from customers.greetings.welcomes import COLUMNS as WELCOME_COLUMNS
from customers.greetings.welcomes import WelcomeView, welcome_view
from customers.scope import SEEN, CustomerScope
from scrm.company import FACTS
from scrm.db import Row, Tx
from scrm.errors import NotFound
from scrm.permissions import CUSTOMERS_READ, Principal
from scrm.views import Id, Input, SentenceView, View, sentence_view

CodeState = Literal["making", "made", "changing", "failed"]
DAYS_SHOWN = 90

# `still`: those who came and are on the member's list yet. Counted for a page of codes only.
NUMBERS = """
left join lateral (
  select count(*) as still from code_arrival a join contact_link l on l.id = a.contact_link_id
  where a.contact_code_id = c.id and l.state in ('half', 'active')
) s on true
left join lateral (
  select count(*) filter (where g.state = 'sent') as greeted, count(*) filter (where g.state not in ('queued', 'sending', 'none')) as tried
  from greeting g where g.contact_code_id = c.id and g.at > $1
) g on true
"""
LIST = f"""
select c.*, s.still, g.greeted, g.tried, cardinality(c.accounts) as members
from (
  select * from contact_code where ($2::bigint is null or id < $2) and (archived_at is not null) = $3
    and ($4 = '' or strpos(lower(name), lower($4)) > 0 or strpos(lower(campaign), lower($4)) > 0)
    and ($5::text is null or campaign = $5) order by id desc limit $6
) c {NUMBERS} order by c.id desc
"""  # noqa: S608
ONE = f"select c.*, s.still, g.greeted, g.tried from contact_code c {NUMBERS} where c.id = $2"  # noqa: S608
CAMPAIGNS = (
    "select distinct campaign from contact_code where campaign <> '' and archived_at is null order by 1 limit 200"
)
DAYS = """
select (a.at at time zone $2)::date as day, count(*) as came, count(*) filter (where l.state in ('half', 'active')) as still,
  count(*) filter (where l.state = 'deleted_by_contact') as left_us, count(*) filter (where l.state = 'deleted_by_agent') as removed
from code_arrival a join contact_link l on l.id = a.contact_link_id
where a.contact_code_id = $1 and a.at >= $3 group by 1
"""
WHO_CAME = f"""
select a.id, a.at, l.state, u.id as customer_id, u.name, u.avatar, acc.name as account_name
from code_arrival a join contact_link l on l.id = a.contact_link_id join contact k on k.id = l.contact_id
join account acc on acc.id = l.account_id
left join customer u on u.id = k.customer_id and u.deleted_at is null and $6 and {SEEN}
where a.contact_code_id = $4 and ($5::bigint is null or a.id < $5) order by a.id desc limit $7
"""  # noqa: S608


class CodeQuery(Input):
    before: Id | None = None
    archived: bool = False
    q: Annotated[str, Field(max_length=60)] = ""
    campaign: Annotated[str, Field(max_length=100)] | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 50


class CodeView(View):
    """``came``: everybody ever; ``still``: those of them who are there yet. ``greeted`` of ``tried``: greetings of the last 30 days.
    ``state``: whether the platform has it as it is here; ``reason`` why not."""

    id: int
    connection_id: int
    name: str
    campaign: str
    source: str
    account_ids: list[int]
    skip_verify: bool
    remark: str
    tag_ids: list[int]
    stage_id: int | None
    state: CodeState
    doubtful: bool
    reason: SentenceView | None
    picture: bool
    came: int
    still: int
    greeted: int
    tried: int
    archived: bool
    version: int
    created_by: int | None
    created_at: datetime
    updated_at: datetime


class CodePage(View):
    """Newest first. ``campaigns``: those in use."""

    codes: list[CodeView]
    campaigns: list[str]
    more: bool


class CodeDayView(View):
    """Those who came on this day: ``still`` are there, ``left_us`` deleted the member, ``removed`` were deleted by the member."""

    day: date
    came: int
    still: int
    left_us: int
    removed: int


class CodeDetail(View):
    """``days``: the last ones, each, by the company's clock."""

    code: CodeView
    greeting: WelcomeView | None
    days: list[CodeDayView]


class ArrivalView(View):
    """``customer_id`` null: not for the asker."""

    id: int
    at: datetime
    state: Literal["half", "active", "deleted_by_agent", "deleted_by_contact", "transferred", "gone"]
    customer_id: int | None
    name: str | None
    avatar: str | None
    account_name: str


class ArrivalPage(View):
    arrivals: list[ArrivalView]
    more: bool


class ArrivalQuery(Input):
    before: Id | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 30


def code_view(row: Row) -> CodeView:
    same = (
        "id", "connection_id", "name", "campaign", "source", "skip_verify", "remark", "stage_id", "state", "came", "still",
        "greeted", "tried", "version", "created_by", "created_at", "updated_at",
    )  # fmt: skip
    return CodeView(
        **{name: row[name] for name in same},
        account_ids=row["accounts"],
        tag_ids=row["tags"],
        doubtful=row["doubt"],
        reason=sentence_view(row["reason"]),
        picture=bool(row["picture"]),
        archived=row["archived_at"] is not None,
    )


async def list_codes(tx: Tx, query: CodeQuery, now: datetime) -> CodePage:
    rows = await tx.fetch(
        LIST, _month(now), query.before, query.archived, query.q.strip(), query.campaign, query.limit + 1
    )
    campaigns = [row["campaign"] for row in await tx.fetch(CAMPAIGNS)]
    return CodePage(
        codes=[code_view(row) for row in rows[: query.limit]], campaigns=campaigns, more=len(rows) > query.limit
    )


async def one_code(tx: Tx, code_id: int, now: datetime) -> CodeDetail:
    """Raises :class:`NotFound`."""
    row = await tx.fetchrow(ONE, _month(now), code_id)
    if row is None:
        raise NotFound("There is no such code.")
    greeting = await tx.fetchrow(f"select {WELCOME_COLUMNS} from welcome where contact_code_id = $1", code_id)  # noqa: S608
    return CodeDetail(
        code=code_view(row),
        greeting=welcome_view(greeting) if greeting is not None else None,
        days=await _days(tx, code_id, now),
    )


async def _days(tx: Tx, code_id: int, now: datetime) -> list[CodeDayView]:
    """Every day of the last ones, also those on which nobody came."""
    facts = await FACTS.load(tx)
    today = now.astimezone(facts.clock).date()
    first = today - timedelta(days=DAYS_SHOWN - 1)
    since = datetime.combine(first, datetime.min.time(), facts.clock)
    found = {row["day"]: row for row in await tx.fetch(DAYS, code_id, facts.zone, since)}
    days = []
    for ago in range(DAYS_SHOWN):
        day = first + timedelta(days=ago)
        row = found.get(day)
        numbers = {name: row[name] if row else 0 for name in ("came", "still", "left_us", "removed")}
        days.append(CodeDayView(day=day, **numbers))
    return days


async def who_came(tx: Tx, principal: Principal, code_id: int, query: ArrivalQuery) -> ArrivalPage:
    scope = CustomerScope.of(principal)
    rows = await tx.fetch(
        WHO_CAME, *scope.arguments, code_id, query.before, principal.may(CUSTOMERS_READ), query.limit + 1
    )
    same = ("id", "at", "state", "customer_id", "name", "avatar", "account_name")
    arrivals = [ArrivalView(**{name: row[name] for name in same}) for row in rows[: query.limit]]
    return ArrivalPage(arrivals=arrivals, more=len(rows) > query.limit)


def _month(now: datetime) -> datetime:
    return now - timedelta(days=30)
