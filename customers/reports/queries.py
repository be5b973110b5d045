"""The reports: small statements over sums by day and over the tally; only places and fields of customers are counted one by one."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from customers.reports.asking import Asked, ReportQuery, bucket
from scrm.db import Row, Tx
from scrm.errors import Unprocessable
from scrm.views import View

MOST_VALUES = 30
_WHOSE = "($3::bigint[] is null or owner_id = any($3))"
GROWTH = f"""
select day, sum(made)::bigint as made, sum(gone)::bigint as gone, 0::bigint as won, 0::bigint as lost from customer_day
where day between $1 and $2 and {_WHOSE} group by 1
union all
select day, 0, 0, coalesce(sum(n) filter (where s.kind = 'won'), 0)::bigint, coalesce(sum(n) filter (where s.kind = 'lost'), 0)::bigint
from stage_day d join stage s on s.id = d.to_id where day between $1 and $2 and {_WHOSE} group by 1
"""  # noqa: S608 - made of constants
SOURCES = f"""
select source as value, sum(made)::bigint as n, sum(gone)::bigint as gone from customer_day
where day between $1 and $2 and {_WHOSE} group by 1 having sum(made) > 0 order by 2 desc, 1
"""  # noqa: S608 - made of constants
STAGES = "select id, name, kind, color, position, archived_at is not null as archived from stage order by position, id"
FURTHEST = f"""
select stage_id, sum(n)::bigint as n, sum(lost)::bigint as lost from stage_cohort where day between $1 and $2 and {_WHOSE} group by 1
"""  # noqa: S608 - made of constants
TIMES = f"""
select from_id, sum(n)::bigint as n, sum(seconds)::bigint as seconds from stage_day where day between $1 and $2 and {_WHOSE} group by 1
"""  # noqa: S608 - made of constants
ENTERED = f"""
select to_id, sum(n)::bigint as n from stage_day where day between $1 and $2 and {_WHOSE} group by 1
"""  # noqa: S608 - made of constants
NOW_IN = """
select coalesce(stage_id, 0) as stage_id, sum(n)::bigint as n, sum(value_fen)::bigint as value_fen from customer_tally
where tag_id is null and ($1::bigint[] is null or owner_id = any($1)) group by 1
"""
BY_OWNER = """
select coalesce(owner_id, 0)::text as value, sum(n)::bigint as n from customer_tally
where tag_id is null and ($1::bigint[] is null or owner_id = any($1)) group by 1 having sum(n) > 0 order by 2 desc, 1
"""
BY_STAGE = BY_OWNER.replace("coalesce(owner_id, 0)", "coalesce(stage_id, 0)")
BY_TAG = BY_OWNER.replace("coalesce(owner_id, 0)", "tag_id").replace("tag_id is null", "tag_id is not null")
_EACH = """
select {value} as value, count(*)::bigint as n from customer u {join}
where u.merged_into is null and u.deleted_at is null and ($1::bigint[] is null or u.owner_id = any($1)) group by 1 order by 2 desc, 1
"""
BY_COLUMN = {name: _EACH.format(value=f"u.{name}", join="") for name in ("city", "source", "gender")}
BY_CHOICE = _EACH.format(value="coalesce(u.fields ->> $2::text, '')", join="")
# Of several choices a customer counts in each; one without any counts as such.
BY_CHOICES = _EACH.format(
    value="coalesce(c.value, '')",
    join="left join lateral jsonb_array_elements_text(case when jsonb_typeof(u.fields -> $2::text) = 'array' "
    "then u.fields -> $2::text else '[]' end) c (value) on true",
)
FIELD = "select kind, data from custom_field where key = $1 and archived_at is null"


class GrowthRow(View):
    """``day``: the first of the bucket. ``gone``: people who deleted one of us; ``won`` and ``lost``: by stage."""

    day: date
    made: int
    gone: int
    won: int
    lost: int


class GrowthReport(View):
    first: date
    last: date
    unit: Literal["day", "week", "month"]
    rows: list[GrowthRow]
    total: GrowthRow


class SourceRow(View):
    """``source`` empty: not known."""

    source: str
    made: int


class SourceReport(View):
    first: date
    last: date
    rows: list[SourceRow]


class FunnelRow(View):
    """Of the customers made in the period: ``reached`` this stage or a later one, with the share of the stage before. Of the moves
    in the period: ``entered`` it, ``left`` it, and how long those stayed. ``now``: who is there at this moment, and their worth."""

    stage_id: int
    name: str
    kind: Literal["open", "won", "lost"]
    color: str
    reached: int
    conversion: float | None
    entered: int
    left: int
    average_seconds: int | None
    now: int
    value_fen: int


class FunnelReport(View):
    """``made``: customers of the period; ``lost`` of them; ``unstaged``: never in a stage."""

    first: date
    last: date
    made: int
    lost: int
    unstaged: int
    rows: list[FunnelRow]


class SpreadQuery(ReportQuery):
    """``by``: a property, or ``fields.<key>`` of a field with choices. Days play no part: it is how things are now."""

    by: Annotated[str, Field(pattern=r"^(owner|stage|tag|city|source|gender|fields\.f[0-9a-z]{1,20})$")]


class SpreadRow(View):
    """``value``: an id, a text or a choice's key, as a filter of the list takes it; empty (ids: 0): none. ``label`` for choices."""

    value: str
    label: str
    n: int


class SpreadReport(View):
    """``others``: customers of values beyond the most frequent ones. ``total``: all customers."""

    by: str
    total: int
    others: int
    rows: list[SpreadRow]


async def growth(tx: Tx, asked: Asked) -> GrowthReport:
    found = {day: [0, 0, 0, 0] for day in asked.buckets()}
    for row in await tx.fetch(GROWTH, asked.first, asked.last, asked.owner_ids):
        sums = found[bucket(row["day"], asked.unit)]
        for place, name in enumerate(("made", "gone", "won", "lost")):
            sums[place] += row[name]
    rows = [_growth(day, sums) for day, sums in found.items()]
    total = [sum(sums[place] for sums in found.values()) for place in range(4)]
    return GrowthReport(
        first=asked.first, last=asked.last, unit=asked.unit, rows=rows, total=_growth(asked.first, total)
    )


def _growth(day: date, sums: list[int]) -> GrowthRow:
    return GrowthRow(day=day, made=sums[0], gone=sums[1], won=sums[2], lost=sums[3])


async def sources(tx: Tx, asked: Asked) -> SourceReport:
    rows = await tx.fetch(SOURCES, asked.first, asked.last, asked.owner_ids)
    return SourceReport(
        first=asked.first, last=asked.last, rows=[SourceRow(source=row["value"], made=row["n"]) for row in rows]
    )


async def funnel(tx: Tx, asked: Asked) -> FunnelReport:
    arguments = (asked.first, asked.last, asked.owner_ids)
    furthest = {row["stage_id"]: row for row in await tx.fetch(FURTHEST, *arguments)}
    times = {row["from_id"]: row for row in await tx.fetch(TIMES, *arguments)}
    entered = {row["to_id"]: row["n"] for row in await tx.fetch(ENTERED, *arguments)}
    present = {row["stage_id"]: row for row in await tx.fetch(NOW_IN, asked.owner_ids)}
    made = sum(row["n"] for row in furthest.values())
    stages = [row for row in await tx.fetch(STAGES) if not row["archived"] or row["id"] in present]
    rows, before = [], made
    for stage in stages:
        reached = _reached(stage, stages, furthest)
        # Who is lost went no further; they take no step of the funnel.
        lost = stage["kind"] == "lost"
        rows.append(_funnel_row(stage, reached, None if lost else before, times, entered, present))
        before = before if lost else reached
    lost = sum(row["lost"] for row in furthest.values())
    unstaged = furthest[0]["n"] if 0 in furthest else 0
    return FunnelReport(first=asked.first, last=asked.last, made=made, lost=lost, unstaged=unstaged, rows=rows)


def _reached(stage: Row, stages: list[Row], furthest: dict[int, Row]) -> int:
    if stage["kind"] == "lost":
        return 0
    later = [one["id"] for one in stages if (one["position"], one["id"]) >= (stage["position"], stage["id"])]
    return sum(furthest[one]["n"] for one in later if one in furthest)


def _funnel_row(
    stage: Row,
    reached: int,
    before: int | None,
    times: dict[int, Row],
    entered: dict[int, int],
    present: dict[int, Row],
) -> FunnelRow:
    time, now = times.get(stage["id"]), present.get(stage["id"])
    return FunnelRow(
        stage_id=stage["id"], name=stage["name"], kind=stage["kind"], color=stage["color"] or "grey", reached=reached,
        conversion=round(reached / before, 4) if before else None, entered=entered.get(stage["id"], 0),
        left=time["n"] if time else 0, average_seconds=int(time["seconds"] / time["n"]) if time and time["n"] else None,
        now=now["n"] if now else 0, value_fen=now["value_fen"] if now else 0,
    )  # fmt: skip


async def spread(tx: Tx, asked: Asked, by: str) -> SpreadReport:
    """Raises :class:`Unprocessable` for a field that is not there or has no choices."""
    labels: dict[str, str] = {}
    if by.startswith("fields."):
        field = await tx.fetchrow(FIELD, by.removeprefix("fields."))
        if field is None or field["kind"] not in ("choice", "multi"):
            raise Unprocessable("There is no such field with choices.", fields={"by": "Choose another one."})
        labels = {
            str(one.get("key", one.get("id", ""))): str(one.get("name", "")) for one in field["data"].get("choices", ())
        }
        sql = BY_CHOICE if field["kind"] == "choice" else BY_CHOICES
        rows = await tx.fetch(sql, asked.owner_ids, by.removeprefix("fields."))
    elif by in BY_COLUMN:
        rows = await tx.fetch(BY_COLUMN[by], asked.owner_ids)
    else:
        rows = await tx.fetch({"owner": BY_OWNER, "stage": BY_STAGE, "tag": BY_TAG}[by], asked.owner_ids)
    total = sum(row["n"] for row in await tx.fetch(NOW_IN, asked.owner_ids))
    kept = rows if by in ("owner", "stage", "tag") else rows[:MOST_VALUES]
    return SpreadReport(
        by=by, total=total, others=sum(row["n"] for row in rows[len(kept) :]),
        rows=[SpreadRow(value=row["value"], label=labels.get(row["value"], ""), n=row["n"]) for row in kept],
    )  # fmt: skip
