"""Campaigns as they are read: one, and the pages of the list."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from typing import Annotated, Any, Literal

from pydantic import Field

from campaigns.life.content import PostsView, posts_view
from campaigns.life.dates import dates
from campaigns.life.may import Act, acts_of
from campaigns.shapes import Audience, CampaignState, DeliveryState, Options, Posts, Schedule
from customers.cursors import after, cursor
from scrm.db import Database, Row, Tx
from scrm.errors import NotFound
from scrm.permissions import Principal
from scrm.spelling import patterns
from scrm.views import Input, SentenceView, View, sentence_view

Kind = Literal["message", "moment", "invite"]
RunState = Literal["freezing", "running", "done", "cancelled", "missed"]
EXCERPT = 120
SOON = 3

PEOPLE = """
  maker.name as created_name, sender.name as submitted_name, judge.name as decided_name
  from campaign c left join agent maker on maker.id = c.created_by left join agent sender on sender.id = c.submitted_by
  left join agent judge on judge.id = c.decided_by
"""
ONE = f"select c.*, {PEOPLE} where c.id = $1 and c.deleted_at is null"
LIST = f"""
select c.*, {PEOPLE}
where c.deleted_at is null and ($1::text[] is null or c.state = any($1)) and ($2::text is null or c.kind = $2)
  and ($3::bigint is null or c.created_by = $3 or c.submitted_by = $3)
  and not exists (select from unnest($4::text[]) w where lower(c.name) not like '%' || w || '%')
  and ($5::timestamptz is null or (c.updated_at, c.id) < ($5, $6::bigint))
order by c.updated_at desc, c.id desc limit $7
"""  # noqa: S608 - made of constants
LAST_RUNS = """
select distinct on (r.campaign_id) r.id, r.campaign_id, r.due_at, r.state, r.late, r.reason, r.frozen_at, r.finished_at
from campaign_run r where r.campaign_id = any($1::bigint[]) order by r.campaign_id, r.due_at desc, r.id desc
"""
COUNTS = """
select run_id, state, sum(n)::bigint as n from delivery_tally where run_id = any($1::bigint[]) group by run_id, state having sum(n) > 0
union all
select run_id, case state when 'published' then 'sent' when 'refused' then 'failed' when 'withdrawn' then 'cancelled' else state end,
  count(*) from moment_post where run_id = any($1::bigint[]) group by 1, 2
"""
OPEN_RUN = "select exists (select from campaign_run where campaign_id = $1 and state in ('freezing', 'running'))"


class CampaignPerson(View):
    id: int
    name: str


class RunBrief(View):
    """One time that it was due. ``counts``: recipients by state; of a moment, members (published is ``sent``). ``reason``: why it was missed."""

    id: int
    due_at: datetime
    state: RunState
    late: bool
    reason: SentenceView | None
    counts: dict[DeliveryState, int]
    total: int
    frozen_at: datetime | None
    finished_at: datetime | None


class CampaignRow(View):
    """A line of the list. ``recipients``: how many there were when it was submitted. ``approval``: why a second person is
    needed (``size``, ``role``), or empty."""

    id: int
    kind: Kind
    name: str
    state: CampaignState
    excerpt: str
    attachments: int
    audience_of: Literal["customers", "groups", "conversations"]
    mode: Literal["now", "at", "recurring"]
    next_at: datetime | None
    recipients: int | None
    created_by: CampaignPerson | None
    submitted_by: CampaignPerson | None
    last_run: RunBrief | None
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None


class CampaignPage(View):
    """The latest changed first."""

    campaigns: list[CampaignRow]
    cursor: str | None


class SavedRef(View):
    id: int
    version: int


class CampaignView(CampaignRow):
    """``may``: what the asker may do with it now. ``soon``: its next dates. ``saved``: the post of the library that it says as it is."""

    posts: PostsView
    audience: Audience
    schedule: Schedule
    options: Options
    version: int
    approval: Literal["", "size", "role"]
    submitted_at: datetime | None
    decided_by: CampaignPerson | None
    decided_at: datetime | None
    decision_note: str
    paused_at: datetime | None
    soon: list[datetime]
    saved: SavedRef | None
    may: list[Act]


class CampaignQuery(Input):
    """``state``: one or several, separated by commas. ``text``: words of the name. ``mine``: written or submitted by the asker."""

    state: Annotated[str, Field(pattern=r"^[a-z]{1,12}(,[a-z]{1,12}){0,6}$")] | None = None
    kind: Kind | None = None
    text: Annotated[str, Field(max_length=100)] = ""
    mine: bool = False
    cursor: Annotated[str, Field(max_length=60)] | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 30


async def page(tx: Tx | Database, principal: Principal, query: CampaignQuery) -> CampaignPage:
    rows = await tx.fetch(
        LIST,
        query.state.split(",") if query.state else None,
        query.kind,
        principal.agent_id if query.mine else None,
        patterns(query.text),
        *after(query.cursor),
        query.limit + 1,
    )
    shown = rows[: query.limit]
    runs = await last_runs(tx, [row["id"] for row in shown])
    more = cursor(shown[-1]["updated_at"], shown[-1]["id"]) if len(rows) > query.limit else None
    return CampaignPage(campaigns=[CampaignRow(**_line(row, runs.get(row["id"]))) for row in shown], cursor=more)


async def one(tx: Tx | Database, principal: Principal, campaign_id: int, now: datetime) -> CampaignView:
    """Raises :class:`NotFound`."""
    row = await found(tx, campaign_id)
    schedule = Schedule.model_validate(row["schedule"])
    runs = await last_runs(tx, [campaign_id])
    return CampaignView(
        **_line(row, runs.get(campaign_id)),
        posts=posts_view(posts_of(row), f"/api/campaigns/{campaign_id}/files"),
        audience=Audience.model_validate(row["audience"]),
        schedule=schedule,
        options=Options.model_validate(row["options"]),
        version=row["version"],
        approval=row["approval"],
        submitted_at=row["submitted_at"],
        decided_by=_person(row, "decided"),
        decided_at=row["decided_at"],
        decision_note=row["decision_note"],
        paused_at=row["paused_at"],
        soon=soon(row, schedule, now),
        saved=SavedRef(id=row["saved_id"], version=row["saved_version"]) if row["saved_id"] is not None else None,
        may=acts_of(principal, row, open_run=await tx.fetchval(OPEN_RUN, campaign_id)),
    )


async def found(tx: Tx | Database, campaign_id: int) -> Row:
    """Raises :class:`NotFound`."""
    row = await tx.fetchrow(ONE, campaign_id)
    if row is None:
        raise NotFound("There is no such campaign.")
    return row


async def last_runs(tx: Tx | Database, campaign_ids: Sequence[int]) -> dict[int, RunBrief]:
    rows = await tx.fetch(LAST_RUNS, list(campaign_ids))
    counts: dict[int, dict[DeliveryState, int]] = {row["id"]: {} for row in rows}
    for row in await tx.fetch(COUNTS, list(counts)):
        of_run = counts[row["run_id"]]
        of_run[row["state"]] = of_run.get(row["state"], 0) + row["n"]
    return {row["campaign_id"]: _run(row, counts[row["id"]]) for row in rows}


def soon(row: Row, schedule: Schedule, now: datetime) -> list[datetime]:
    """The next dates: of one that is scheduled, those to come; of a draft, those that it would have."""
    if row["state"] in ("done", "cancelled"):
        return []
    if row["next_at"] is not None:
        return [row["next_at"], *(due.at for due in islice(dates(schedule, row["next_at"]), SOON - 1))]
    if row["state"] in ("draft", "waiting"):
        return [due.at for due in islice(dates(schedule, now), SOON)]
    return []


def _line(row: Row, run: RunBrief | None) -> dict[str, Any]:
    posts, audience = posts_of(row), Audience.model_validate(row["audience"])
    return {
        **{name: row[name] for name in ("id", "kind", "name", "state", "next_at", "recipients")},
        **{name: row[name] for name in ("created_at", "updated_at", "finished_at")},
        "excerpt": " ".join(posts.post.text.split())[:EXCERPT],
        "attachments": len(posts.post.parts),
        "audience_of": audience.of,
        "mode": Schedule.model_validate(row["schedule"]).mode,
        "created_by": _person(row, "created"),
        "submitted_by": _person(row, "submitted"),
        "last_run": run,
    }


def posts_of(row: Row) -> Posts:
    return Posts.model_validate(row["content"]) if row["kind"] != "invite" else Posts()


def _person(row: Row, act: str) -> CampaignPerson | None:
    if row[f"{act}_by"] is None:
        return None
    return CampaignPerson(id=row[f"{act}_by"], name=row[f"{act}_name"])


def _run(row: Row, counts: dict[DeliveryState, int]) -> RunBrief:
    plain = {name: row[name] for name in ("id", "due_at", "state", "late", "frozen_at", "finished_at")}
    return RunBrief(**plain, reason=sentence_view(row["reason"]), counts=counts, total=sum(counts.values()))
