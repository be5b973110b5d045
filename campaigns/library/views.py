"""Saved posts as they are read."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from campaigns.life.content import PostsView, posts_view
from campaigns.shapes import Posts
from customers.cursors import after, cursor
from scrm.company import FACTS
from scrm.db import Database, Row, Tx
from scrm.errors import NotFound
from scrm.permissions import CAMPAIGNS_APPROVE, CAMPAIGNS_WRITE, Principal
from scrm.spelling import patterns
from scrm.views import Input, View

State = Literal["draft", "approved", "expired"]
EXCERPT = 120

SHOWN = """
select s.id, s.name, s.latest, s.approved, s.expires_on, s.created_by, s.created_at, s.updated_at, v.content, v.by_id, a.name as by_name
from campaign_content s join campaign_content_version v on v.content_id = s.id and v.version = s.latest
left join agent a on a.id = v.by_id where s.deleted_at is null
"""
ONE = f"{SHOWN} and s.id = $1"
LIST = f"""
{SHOWN} and not exists (select from unnest($1::text[]) w where lower(s.name) not like '%' || w || '%')
  and (not $2 or (s.approved is not null and (s.expires_on is null or s.expires_on >= $3)))
  and ($4::timestamptz is null or (s.updated_at, s.id) < ($4, $5::bigint))
order by s.updated_at desc, s.id desc limit $6
"""
VERSIONS = """
select v.version, v.content, v.by_id, w.name as by_name, v.at, v.approved_by, j.name as approved_name, v.approved_at
from campaign_content_version v left join agent w on w.id = v.by_id left join agent j on j.id = v.approved_by
where v.content_id = $1 order by v.version desc limit 50
"""
USES = "select count(*) from campaign where saved_id = $1 and deleted_at is null"


class SavedRow(View):
    """``latest``: the newest version; ``approved``: the newest that somebody approved, which is the one that campaigns get.
    ``expires_on``: the last day (by the company's clock) on which it may be sent."""

    id: int
    name: str
    state: State
    latest: int
    approved: int | None
    expires_on: date | None
    excerpt: str
    attachments: int
    updated_at: datetime


class SavedPage(View):
    """The latest changed first."""

    contents: list[SavedRow]
    cursor: str | None


class SavedVersion(View):
    version: int
    posts: PostsView
    by_id: int | None
    by_name: str | None
    at: datetime
    approved_by: int | None
    approved_name: str | None
    approved_at: datetime | None


class SavedContent(SavedRow):
    """``versions``: the newest fifty, newest first. ``uses``: campaigns that say it as it was taken. ``may``: what the asker may do."""

    versions: list[SavedVersion]
    uses: int
    may: list[Literal["change", "approve", "delete", "use"]]


class SavedQuery(Input):
    """``usable``: approved and not expired."""

    text: Annotated[str, Field(max_length=100)] = ""
    usable: bool = False
    cursor: Annotated[str, Field(max_length=60)] | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 30


async def page(tx: Tx | Database, query: SavedQuery, now: datetime) -> SavedPage:
    today = now.astimezone((await FACTS.load(tx)).clock).date()
    rows = await tx.fetch(
        LIST, patterns(query.text), query.usable, today, *after(query.cursor), query.limit + 1
    )  # fmt: skip
    shown = rows[: query.limit]
    more = cursor(shown[-1]["updated_at"], shown[-1]["id"]) if len(rows) > query.limit else None
    return SavedPage(contents=[SavedRow(**_line(row, today)) for row in shown], cursor=more)


async def one(tx: Tx | Database, principal: Principal, content_id: int, now: datetime) -> SavedContent:
    """Raises :class:`NotFound`."""
    row = await tx.fetchrow(ONE, content_id)
    if row is None:
        raise NotFound("There is no such saved post.")
    line = _line(row, now.astimezone((await FACTS.load(tx)).clock).date())
    may: list[Literal["change", "approve", "delete", "use"]] = []
    if principal.may(CAMPAIGNS_WRITE):
        may += ["change", "delete", *(["use"] if line["state"] == "approved" else [])]  # type: ignore[list-item]
    if principal.may(CAMPAIGNS_APPROVE) and row["by_id"] != principal.agent_id and row["approved"] != row["latest"]:
        may.append("approve")
    versions = [
        SavedVersion(
            posts=posts_view(
                Posts.model_validate(each["content"]),
                f"/api/campaign-contents/{content_id}/versions/{each['version']}/files",
            ),
            **{name: each[name] for name in SavedVersion.model_fields if name != "posts"},
        )
        for each in await tx.fetch(VERSIONS, content_id)
    ]
    return SavedContent(**line, versions=versions, uses=await tx.fetchval(USES, content_id), may=may)


def end_of(expires_on: date | None, zone: ZoneInfo) -> datetime | None:
    """The first moment at which it may no longer be sent."""
    return None if expires_on is None else datetime.combine(expires_on + timedelta(days=1), time(), zone)


def _line(row: Row, today: date) -> dict[str, Any]:
    posts = Posts.model_validate(row["content"])
    expired = row["expires_on"] is not None and row["expires_on"] < today
    return {
        **{name: row[name] for name in ("id", "name", "latest", "approved", "expires_on", "updated_at")},
        "state": "expired" if expired else "approved" if row["approved"] is not None else "draft",
        "excerpt": " ".join(posts.post.text.split())[:EXCERPT],
        "attachments": len(posts.post.parts),
    }
