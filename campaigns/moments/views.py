"""A moment as it is read: how far a run is, each member's part, and who liked and commented."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from campaigns.moments.fitting import VARIABLES
from campaigns.moments.places import month_of, places
from campaigns.shapes import MomentPostState, Options
from customers.scope import SEEN, CustomerScope
from scrm.connections import Connections
from scrm.db import Database, Row, Tx
from scrm.errors import NotFound
from scrm.permissions import CUSTOMERS_READ, Principal
from scrm.views import Id, Input, SentenceView, View, sentence_view

# ruff: noqa: S608 - made of constants; values are parameters

PAGE = 50
OFTEN = timedelta(hours=1)
"""A member is reminded once in this time."""
TaskState = Literal["queued", "calling", "doubt", "making", "open", "done", "failed", "uncertain", "cancelled"]

RUN = """
select r.*, c.name, c.state as campaign_state from campaign_run r join campaign c on c.id = r.campaign_id
where r.id = $1 and c.kind = 'moment' and c.deleted_at is null
"""
TASKS = """
select t.id, n.name as connection, t.state, t.n, t.moment_id, t.called_at, t.made_at, t.withdrawn_at, t.finished_at, t.reason
from moment_task t join connection n on n.id = t.connection_id where t.run_id = $1 order by t.id
"""
COUNTS = "select state, count(*)::int as n from moment_post where run_id = $1 group by 1"
SUMS = """
select coalesce(sum(may_see), 0)::int as may_see, coalesce(sum(shown), 0)::int as shown, coalesce(sum(likes), 0)::int as likes,
  coalesce(sum(comments), 0)::int as comments, count(*) filter (where state = 'asked' and (reminded_at is null or reminded_at < $2))::int as remindable
from moment_post where run_id = $1
"""
PEOPLE = "select count(distinct coalesce(customer_id::text, external_id))::int from moment_reaction where run_id = $1"
POSTS = """
select p.id, p.account_id, a.name, a.avatar, p.state, p.may_see, p.published_at, p.shown, p.likes, p.comments, p.reminders, p.reminded_at,
  t.moment_id, i.agent_id is not null as linked
from moment_post p join account a on a.id = p.account_id join moment_task t on t.id = p.task_id
left join agent_identity i on i.connection_id = a.connection_id and i.external_id = a.external_id
where p.run_id = $1 and p.id > $2 and ($3::text is null or p.state = $3) order by p.id limit $4
"""
REACTIONS = f"""
select r.id, r.kind, r.at, p.account_id, a.name as account, u.id as customer_id, u.name, u.avatar,
  r.customer_id is not null and u.id is null as hidden
from moment_reaction r join moment_post p on p.id = r.post_id join account a on a.id = p.account_id
left join customer u on u.id = r.customer_id and u.deleted_at is null and $8 and {SEEN}
where r.run_id = $4 and ($5::bigint is null or r.id < $5) and ($6::text is null or r.kind = $6) and ($7::bigint is null or p.account_id = $7)
order by r.id desc limit {PAGE + 1}
"""
ACCOUNTS = """
select a.id, a.connection_id, a.channel, a.name from unnest($1::bigint[], $2::text[]) p (connection_id, channel)
join account a on a.connection_id = p.connection_id and a.channel = p.channel where a.disabled_at is null order by a.name, a.id
"""
TAGS = """
select g.id, g.name, f.name as tag_group from tag g join tag_group f on f.id = g.tag_group_id
where g.archived_at is null and exists (select from tag_link l where l.tag_id = g.id and l.connection_id = any($1::bigint[]))
order by f.position, f.id, g.position, g.id
"""
USED = """
select connection_id, count(*)::int as n from moment_task where connection_id = any($1::bigint[]) and called_at >= $2
  and state in ('calling', 'doubt', 'making', 'open', 'done', 'uncertain') group by 1
"""


class MomentMemberChoice(View):
    id: int
    connection_id: int
    name: str


class MomentTag(View):
    id: int
    name: str
    group: str


class MomentChannel(View):
    """``pictures``: of one post; or one video, or one link. ``month_used``: of this month, of ``month_limit``."""

    connection_id: int
    channel: str
    title: SentenceView
    text_limit: int
    text_bytes: int
    pictures: int
    per_minute: int
    month_used: int
    month_limit: int


class MomentChannels(View):
    """``tags``: those that a platform knows."""

    channels: list[MomentChannel]
    accounts: list[MomentMemberChoice]
    tags: list[MomentTag]
    variables: list[str]


class MomentTaskView(View):
    id: int
    connection: str
    state: TaskState
    n: int
    moment_id: str | None
    called_at: datetime | None
    made_at: datetime | None
    withdrawn_at: datetime | None
    finished_at: datetime | None
    reason: SentenceView | None


class MomentRun(View):
    """``counts``: members by state. ``shown``: as far as the platform names them. ``people``: who liked or commented, each once.
    ``remindable``: who may be reminded now. ``publish_until``: then the rest is taken back."""

    id: int
    campaign_id: int
    name: str
    campaign_state: str
    state: str
    due_at: datetime
    late: bool
    reason: SentenceView | None
    frozen_at: datetime | None
    finished_at: datetime | None
    publish_until: datetime | None
    counts: dict[MomentPostState, int]
    members: int
    may_see: int
    shown: int
    likes: int
    comments: int
    people: int
    remindable: int
    tasks: list[MomentTaskView]


class MomentPostView(View):
    """``may_see``: customers to whom it could be shown when it began. ``linked``: has a login here, so that a reminder finds them."""

    id: int
    account_id: int
    name: str
    avatar: str
    state: MomentPostState
    may_see: int
    published_at: datetime | None
    shown: int
    likes: int
    comments: int
    reminders: int
    reminded_at: datetime | None
    linked: bool


class MomentPosts(View):
    posts: list[MomentPostView]
    cursor: int | None


class MomentPostQuery(Input):
    """``cursor``: after this one."""

    state: MomentPostState | None = None
    cursor: Id | None = None


class MomentReactionView(View):
    """``customer_id`` null: nobody that we know, or (``hidden``) a customer whom the asker does not see."""

    id: int
    kind: Literal["like", "comment"]
    at: datetime
    account_id: int
    account: str
    customer_id: int | None
    name: str
    avatar: str
    hidden: bool


class MomentReactionPage(View):
    """The last that we heard of first."""

    reactions: list[MomentReactionView]
    cursor: int | None


class MomentReactionQuery(Input):
    """``cursor``: before this one."""

    kind: Literal["like", "comment"] | None = None
    account_id: Id | None = None
    cursor: Id | None = None


async def found_run(tx: Tx | Database, run_id: int) -> Row:
    """Raises :class:`NotFound`."""
    row = await tx.fetchrow(RUN, run_id)
    if row is None:
        raise NotFound("There is no such run of a moment.")
    return row


async def channels(tx: Tx | Database, connections: Connections, now: datetime) -> MomentChannels:
    where = [one for one in places(connections) if not one.paused]
    ids = [one.connection_id for one in where]
    first, _ = await month_of(tx, now)
    used = {row["connection_id"]: row["n"] for row in await tx.fetch(USED, ids, first)}
    seen = []
    for one in where:
        can = connections.capabilities(one.channel)
        title = can.title if can is not None else None
        seen.append(
            MomentChannel(
                connection_id=one.connection_id,
                channel=one.channel,
                title=SentenceView(
                    code=one.channel, zh=title.zh if title else one.channel, en=title.en if title else one.channel
                ),
                text_limit=one.adapter.moment_text_limit,
                text_bytes=one.adapter.moment_text_bytes,
                pictures=one.adapter.moment_pictures,
                per_minute=one.adapter.moments_per_minute,
                month_used=used.get(one.connection_id, 0),
                month_limit=one.adapter.moments_per_month,
            )
        )
    accounts = await tx.fetch(ACCOUNTS, ids, [one.channel for one in where])
    tags = await tx.fetch(TAGS, ids)
    return MomentChannels(
        channels=seen,
        accounts=[MomentMemberChoice(id=row["id"], connection_id=row["connection_id"], name=row["name"]) for row in accounts],
        tags=[MomentTag(id=row["id"], name=row["name"], group=row["tag_group"]) for row in tags],
        variables=list(VARIABLES),
    )  # fmt: skip


async def progress(tx: Tx | Database, run_id: int, now: datetime) -> MomentRun:
    """Raises :class:`NotFound`."""
    run = await found_run(tx, run_id)
    counts = {row["state"]: row["n"] for row in await tx.fetch(COUNTS, run_id)}
    sums = await tx.fetchrow(SUMS, run_id, now - OFTEN)
    tasks = await tx.fetch(TASKS, run_id)
    assert sums is not None
    days = timedelta(days=Options.model_validate(run["options"]).confirm_days)
    made = [row["made_at"] for row in tasks if row["state"] == "open" and row["made_at"] is not None]
    plain = {name: run[name] for name in ("id", "campaign_id", "name", "campaign_state", "state", "due_at", "late")}
    return MomentRun(
        **plain,
        **dict(sums),
        reason=sentence_view(run["reason"]),
        frozen_at=run["frozen_at"],
        finished_at=run["finished_at"],
        publish_until=max(made) + days if made else None,
        counts=counts,
        members=sum(counts.values()),
        people=await tx.fetchval(PEOPLE, run_id),
        tasks=[MomentTaskView(**{**dict(row), "reason": sentence_view(row["reason"])}) for row in tasks],
    )


async def posts(tx: Tx | Database, run_id: int, query: MomentPostQuery) -> MomentPosts:
    await found_run(tx, run_id)
    rows = await tx.fetch(POSTS, run_id, query.cursor or 0, query.state, PAGE + 1)
    shown = [MomentPostView(**{name: row[name] for name in MomentPostView.model_fields}) for row in rows[:PAGE]]
    return MomentPosts(posts=shown, cursor=shown[-1].id if len(rows) > PAGE else None)


async def reactions(
    tx: Tx | Database, principal: Principal, run_id: int, query: MomentReactionQuery
) -> MomentReactionPage:
    """Names of customers only for who sees them."""
    await found_run(tx, run_id)
    scope = CustomerScope.of(principal)
    reads = principal.may(CUSTOMERS_READ)
    rows = await tx.fetch(
        REACTIONS, *scope.arguments, run_id, query.cursor, query.kind, query.account_id, reads
    )  # fmt: skip
    shown = [
        MomentReactionView(
            **{name: row[name] for name in ("id", "kind", "at", "account_id", "account", "customer_id", "hidden")},
            name=row["name"] or "",
            avatar=row["avatar"] or "",
        )
        for row in rows[:PAGE]
    ]
    return MomentReactionPage(reactions=shown, cursor=shown[-1].id if len(rows) > PAGE else None)
