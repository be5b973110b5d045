"""The board: a column for each stage with how many customers are in it, what they are worth, and the newest of them.

What a column says is added up from ``customer_tally``, and its cards come by an index in their order: both cost the same however
many customers there are. It shows customers by their owner: those of the asker, as far as they reach those of their teams' people,
or all with those that are nobody's.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from customers.scope import CustomerScope
from scrm.db import Row, Tx
from scrm.errors import NotFound, Unprocessable
from scrm.permissions import Principal
from scrm.views import Id, Input, View

PAGE = 20
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MEMBERS = "select distinct agent_id from team_member where team_id = any($1::bigint[])"
COUNTS = """
select coalesce(stage_id, 0) as stage_id, sum(n)::bigint as n, sum(value_fen)::bigint as value_fen from customer_tally
where tag_id is not distinct from $1::bigint and ($2::bigint[] is null or owner_id = any($2)) group by 1
"""
_SINCE = "coalesce(u.stage_at, u.created_at)"
_FOUND = f"""
select u.id, {_SINCE} as since from customer u
where {{stage}} and {{owner}} u.merged_into is null and u.deleted_at is null
  and ($2::bigint is null or u.tags @> array[$2::bigint])
  and ($3::timestamptz is null or ({_SINCE}, u.id) < ($3, $4))
order by {{order}}{_SINCE} desc, u.id desc limit $5
"""  # noqa: S608 - made of constants
_CARDS = """
select u.id, u.name, u.avatar, u.company, u.owner_id, u.value_fen, u.tags, f.since, t.text as next_text, t.due_at as next_due_at, t.all_day
from ({found}) f join customer u on u.id = f.id
left join lateral (
  select text, due_at, all_day from task where customer_id = u.id and state = 'open' order by due_at, id limit 1) t on true
order by f.since desc, f.id desc limit $5
"""


class BoardQuery(Input):
    """``whose``: of everybody within reach (``all``) or one's own only; ``owner_id`` and ``team_id`` name others within reach.
    ``nobody``: those without an owner, for those who reach all."""

    whose: Literal["mine", "all", "nobody"] = "all"
    owner_id: Id | None = None
    team_id: Id | None = None
    tag_id: Id | None = None


class ColumnQuery(BoardQuery):
    """``stage_id`` 0: customers without a stage. ``cursor``: what the page before said."""

    stage_id: Annotated[int, Field(ge=0)]
    cursor: Annotated[str, Field(pattern=r"^(\d{1,18}\.\d{1,18})?$")] = ""


class CardView(View):
    id: int
    name: str
    avatar: str
    company: str
    owner_id: int | None
    value_fen: int | None
    tags: list[int]
    since: datetime
    next_text: str | None
    next_due_at: datetime | None
    next_all_day: bool


class CardPage(View):
    cards: list[CardView]
    next_cursor: str


class ColumnView(View):
    """``stage_id`` 0: without a stage."""

    stage_id: int
    n: int
    value_fen: int
    cards: list[CardView]
    next_cursor: str


class BoardView(View):
    """``owner_ids``: whose customers the asker may choose from; null: everybody's, and nobody's."""

    columns: list[ColumnView]
    owner_ids: list[int] | None


class Owners:
    """Whose customers: a list of agents, nobody, or (both absent) everybody's."""

    def __init__(self, ids: Sequence[int] | None, *, nobody: bool = False) -> None:
        self.ids = None if ids is None else list(ids)
        self.nobody = nobody


async def within_reach(tx: Tx, principal: Principal) -> set[int] | None:
    """The owners whose customers are counted for the asker: themselves and, as far as they reach, their teams; None: all, and
    nobody's."""
    scope = CustomerScope.of(principal)
    if scope.everything:
        return None
    rows = await tx.fetch(MEMBERS, list(scope.teams or ()))
    return {principal.agent_id, *(row["agent_id"] for row in rows)}


async def owners(tx: Tx, principal: Principal, query: BoardQuery) -> Owners:
    """Raises :class:`NotFound` for people and teams outside of the asker's reach."""
    allowed = await within_reach(tx, principal)
    if query.whose == "nobody":
        if allowed is not None:
            raise Unprocessable(
                "Customers without an owner are in the public pool.", fields={"whose": "Choose mine or all."}
            )
        return Owners(None, nobody=True)
    if query.owner_id is not None:
        wanted = {query.owner_id}
    elif query.team_id is not None:
        wanted = {row["agent_id"] for row in await tx.fetch(MEMBERS, [query.team_id])}
    elif query.whose == "mine":
        wanted = {principal.agent_id}
    else:
        return Owners(None if allowed is None else sorted(allowed))
    if allowed is not None and not wanted <= allowed:
        raise NotFound("There is nobody of this kind within your reach.")
    return Owners(sorted(wanted))


async def board(tx: Tx, principal: Principal, query: BoardQuery) -> BoardView:
    """A column for each stage that is offered or has somebody, in order; those without a stage first."""
    whose = await owners(tx, principal, query)
    counts = {row["stage_id"]: row for row in await _counts(tx, query, whose)}
    rows = await tx.fetch("select id, archived_at from stage order by position, id")
    ids = [0, *(row["id"] for row in rows if row["archived_at"] is None or _n(counts, row["id"]) > 0)]
    columns = []
    for stage_id in ids:
        n = _n(counts, stage_id)
        page = await _page(tx, stage_id, query, whose, "") if n else CardPage(cards=[], next_cursor="")
        value = counts[stage_id]["value_fen"] if stage_id in counts else 0
        columns.append(
            ColumnView(stage_id=stage_id, n=n, value_fen=value, cards=page.cards, next_cursor=page.next_cursor)
        )
    allowed = await within_reach(tx, principal)
    return BoardView(columns=columns, owner_ids=None if allowed is None else sorted(allowed))


async def column(tx: Tx, principal: Principal, query: ColumnQuery) -> CardPage:
    return await _page(tx, query.stage_id, query, await owners(tx, principal, query), query.cursor)


async def _counts(tx: Tx, query: BoardQuery, whose: Owners) -> list[Row]:
    if whose.nobody:
        sql = COUNTS.replace("($2::bigint[] is null or owner_id = any($2))", "owner_id is null")
        rows: list[Row] = await tx.fetch(sql, query.tag_id)
        return rows
    everybodys: list[Row] = await tx.fetch(COUNTS, query.tag_id, whose.ids)
    return everybodys


def _n(counts: dict[int, Row], stage_id: int) -> int:
    return int(counts[stage_id]["n"]) if stage_id in counts else 0


async def _page(tx: Tx, stage_id: int, query: BoardQuery, whose: Owners, cursor: str) -> CardPage:
    at, last = _moment(cursor)
    # "Is null" narrows an index but does not keep its order unless one orders by that column, too.
    stage = "(u.stage_id = $1 and $1 > 0)" if stage_id else "(u.stage_id is null and $1::bigint = 0)"
    order = "u.owner_id, u.stage_id, " if whose.nobody else "" if stage_id else "u.stage_id, "
    if whose.nobody:
        found = _FOUND.format(stage=stage, owner="u.owner_id is null and", order=order)
    elif whose.ids is None:
        found = _FOUND.format(stage=stage, owner="", order=order)
    else:
        # The newest of each owner by the index, then the newest of these.
        one = _FOUND.format(stage=stage, owner="u.owner_id = o.id and", order=order)
        found = f"select f.* from unnest($6::bigint[]) o (id) cross join lateral ({one}) f"  # noqa: S608 - made of constants
    arguments: list[Any] = [stage_id, query.tag_id, at, last, PAGE + 1]
    if whose.ids is not None:
        arguments.append(whose.ids)
    rows = await tx.fetch(_CARDS.format(found=found), *arguments)
    cards = [_card(row) for row in rows[:PAGE]]
    return CardPage(cards=cards, next_cursor=_cursor(cards[-1]) if len(rows) > PAGE else "")


def _card(row: Row) -> CardView:
    return CardView(
        id=row["id"], name=row["name"], avatar=row["avatar"], company=row["company"], owner_id=row["owner_id"],
        value_fen=row["value_fen"], tags=row["tags"], since=row["since"], next_text=row["next_text"],
        next_due_at=row["next_due_at"], next_all_day=bool(row["all_day"]),
    )  # fmt: skip


def _cursor(card: CardView) -> str:
    return f"{(card.since - EPOCH) // timedelta(microseconds=1)}.{card.id}"


def _moment(cursor: str) -> tuple[datetime | None, int]:
    if not cursor:
        return None, 0
    micros, last = cursor.split(".")
    try:
        return EPOCH + timedelta(microseconds=int(micros)), int(last)
    except OverflowError as error:
        raise Unprocessable(
            "This cursor is none of ours.", fields={"cursor": "Use the one of the page before."}
        ) from error
