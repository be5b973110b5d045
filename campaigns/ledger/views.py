"""The ledger as it is read: the progress of a run at constant cost, its recipients, and campaigns side by side."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from campaigns.shapes import DeliveryState
from customers.scope import SEEN, CustomerScope
from scrm.db import Database, Row, Tx
from scrm.errors import NotFound
from scrm.permissions import Principal
from scrm.views import Id, Input, SentenceView, View, sentence_view

PAGE = 50
HOPELESS = ("not_a_friend", "opted_out", "platform_limit", "too_few", "one_kind", "partly_sent")
"""Failed for a reason that another attempt does not change. ``partly_sent``: they have a part of it, which they would get twice."""
RUN = """
select r.*, c.name, c.state as campaign_state, c.kind from campaign_run r join campaign c on c.id = r.campaign_id
where r.id = $1 and c.deleted_at is null
"""
RUNS = "select id, due_at, state, late, reason, frozen_at, finished_at from campaign_run where campaign_id = $1 order by due_at desc, id desc limit 200"
TALLY = """
select account_id, way, state, reason, sum(n)::bigint as n, sum(read)::bigint as read, sum(replied)::bigint as replied,
  sum(followed)::bigint as followed
from delivery_tally where run_id = $1 group by 1, 2, 3, 4 having sum(n) <> 0
"""
ACCOUNTS = "select id, name, channel from account where id = any($1::bigint[])"
TASKS = """
select t.account_id, count(*)::int as tasks, count(t.confirmed_at)::int as confirmed,
  count(*) filter (where t.state = 'asked' and t.confirmed_at is null)::int as waiting, max(t.reminded_at) as reminded_at
from broadcast_ticket t where t.run_id = $1 and t.way = 'task' group by 1
"""
# The tally knows which states and reasons there are: of each, the first entries of one index, however many others lie between. A reply is
# opened where it was written, also when the post went as a task.
PAGE_OF = f"""
with kinds as (
  select state, reason from delivery_tally where run_id = $4 and ($6::text is null or state = $6) and ($7::text is null or reason = $7)
    and ($8::bigint is null or account_id = $8) group by 1, 2 having sum(n) > 0
),
here as (
  select o.id from kinds k cross join lateral (
    select d.id from delivery d where d.run_id = $4 and d.state = k.state and d.reason = k.reason and d.id > $5
      and ($8::bigint is null or d.account_id = $8)
      and ($1 or d.customer_id is null or exists (select from customer u where u.id = d.customer_id and {SEEN})) order by d.id limit $9) o
  order by o.id limit $9
)
select d.id, d.customer_id, d.group_chat_id, d.account_id, coalesce(d.conversation_id, r.id) as conversation_id, r.seq as reply_seq, d.way,
  d.state, d.reason, d.detail, d.due_at, d.sent_at, d.read_at,
  d.replied_at, d.followed_at, d.attempt, d.message_id, t.platform_id, coalesce(u.name, g.name, '') as name, coalesce(u.avatar, '') as avatar,
  coalesce(a.name, '') as account
from here h join delivery d on d.id = h.id left join customer u on u.id = d.customer_id left join group_chat g on g.id = d.group_chat_id
left join account a on a.id = d.account_id left join broadcast_ticket t on t.id = d.ticket_id
left join lateral (
  select v.id, (select min(m.seq) from message m where m.conversation_id = v.id and m.direction = 'in'
    and m.sent_at >= d.replied_at - interval '1 second') as seq
  from conversation v where v.contact_id = d.contact_id and v.group_key = '' and v.last_message_at >= d.replied_at - interval '1 second'
  order by v.id = d.conversation_id desc nulls last, v.last_message_at desc limit 1) r on d.replied_at is not null
order by d.id
"""  # noqa: S608 - made of constants
ASIDE = "select step, tries, since, until, error from campaign_aside where run_id = $1 order by since, step"
SUMS = """
select r.campaign_id, t.state, sum(t.n)::bigint as n, sum(t.replied)::bigint as replied, sum(t.followed)::bigint as followed
from delivery_tally t join campaign_run r on r.id = t.run_id where r.campaign_id = any($1::bigint[]) group by 1, 2
"""


class RunLine(View):
    id: int
    due_at: datetime
    state: str
    late: bool
    reason: SentenceView | None
    frozen_at: datetime | None
    finished_at: datetime | None


class RunList(View):
    runs: list[RunLine]


class StateCount(View):
    state: DeliveryState
    reason: str
    n: int


class AccountProgress(View):
    """``tasks``, ``confirmed`` and ``waiting`` (for a confirmation that may still come): of members who are asked."""

    account_id: int | None
    name: str
    channel: str
    way: str
    total: int
    sent: int
    failed: int
    open: int
    tasks: int
    confirmed: int
    waiting: int
    reminded_at: datetime | None


class Funnel(View):
    """``read`` is null where no platform told it of anybody: that is not zero. What was delivered is not told either; only what was
    not, which counts as failed."""

    planned: int
    sent: int
    read: int | None
    replied: int
    followed: int


class StepAside(View):
    """A step that failed inside the service: the rest goes on, and it is tried again after ``until``. ``error``: its kind, for whoever
    looks into the log."""

    step: str
    tries: int
    since: datetime
    until: datetime
    error: str


class RunProgress(View):
    """``total``: everybody that was looked at; ``to_do``: those who are not left out; ``ended`` of these. ``retryable``: failed, and may
    be tried again. ``rate``: sent a minute
    since it began. ``seconds_left``: at that rate; null when it cannot be said (members have to confirm, nothing moves, it is not all found yet)."""

    id: int
    campaign_id: int
    name: str
    kind: str
    campaign_state: str
    state: str
    due_at: datetime
    late: bool
    reason: SentenceView | None
    frozen_at: datetime | None
    finished_at: datetime | None
    total: int
    to_do: int
    ended: int
    retryable: int
    rate: float
    seconds_left: int | None
    counts: list[StateCount]
    accounts: list[AccountProgress]
    funnel: Funnel
    aside: list[StepAside]


class DeliveryQuery(Input):
    """``cursor``: after this one."""

    state: DeliveryState | None = None
    reason: Annotated[str, Field(max_length=80)] | None = None
    account_id: Id | None = None
    cursor: Id | None = None


class DeliveryView(View):
    """``reply_seq``: of who answered, the place of that message in the conversation."""

    id: int
    customer_id: int | None
    group_chat_id: int | None
    name: str
    avatar: str
    account_id: int | None
    account: str
    conversation_id: int | None
    reply_seq: int | None
    way: str
    state: DeliveryState
    reason: str
    words: SentenceView | None
    due_at: datetime
    sent_at: datetime | None
    read_at: datetime | None
    replied_at: datetime | None
    followed_at: datetime | None
    attempt: int
    platform_id: str | None


class DeliveryPage(View):
    deliveries: list[DeliveryView]
    next_cursor: int | None


class CompareQuery(Input):
    """``ids``: of campaigns, with commas between; ten at most."""

    ids: Annotated[str, Field(pattern=r"^[0-9]{1,18}(,[0-9]{1,18}){0,9}$")]


class Compared(View):
    id: int
    name: str
    total: int
    left_out: int
    sent: int
    failed: int
    uncertain: int
    replied: int
    followed: int


class ComparedList(View):
    campaigns: list[Compared]


async def runs(tx: Tx | Database, campaign_id: int) -> RunList:
    if not await tx.fetchval("select exists (select from campaign where id = $1 and deleted_at is null)", campaign_id):
        raise NotFound("There is no such campaign.")
    return RunList(
        runs=[
            RunLine(**{**dict(row), "reason": sentence_view(row["reason"])})
            for row in await tx.fetch(RUNS, campaign_id)
        ]
    )


async def find_run(tx: Tx | Database, run_id: int) -> Row:
    row = await tx.fetchrow(RUN, run_id)
    if row is None:
        raise NotFound("There is no such run of a campaign.")
    return row


async def progress(tx: Tx, run_id: int, now: datetime) -> RunProgress:
    """From the tally: it costs the same for a hundred recipients and for a million."""
    run = await find_run(tx, run_id)
    rows = await tx.fetch(TALLY, run_id)
    tasks = {row["account_id"]: row for row in await tx.fetch(TASKS, run_id)}
    names = {row["id"]: row for row in await tx.fetch(ACCOUNTS, [row["account_id"] for row in rows])}
    total, left_out = sum(row["n"] for row in rows), _sum(rows, "skipped")
    open_ = _sum(rows, "planned", "sending", "asked")
    asked = any(row["state"] in ("planned", "asked", "sending") and row["way"] != "reply" for row in rows)
    minutes = max(((run["finished_at"] or now) - run["created_at"]) / timedelta(minutes=1), 0.1)
    rate = _sum(rows, "sent") / minutes
    sayable = (
        open_ > 0 and run["frozen_at"] is not None and rate > 0 and not asked and run["campaign_state"] == "running"
    )
    counts: dict[tuple[str, str], int] = {}
    for row in rows:
        counts[row["state"], row["reason"]] = counts.get((row["state"], row["reason"]), 0) + row["n"]
    return RunProgress(
        id=run["id"], campaign_id=run["campaign_id"], name=run["name"], kind=run["kind"], campaign_state=run["campaign_state"],
        state=run["state"], due_at=run["due_at"], late=run["late"], reason=sentence_view(run["reason"]), frozen_at=run["frozen_at"],
        finished_at=run["finished_at"], total=total, to_do=total - left_out, ended=total - left_out - open_, rate=rate,
        retryable=sum(row["n"] for row in rows if row["state"] == "failed" and row["reason"] not in HOPELESS),
        seconds_left=int(open_ / rate * 60) if sayable else None,
        counts=[StateCount(state=state, reason=reason, n=n) for (state, reason), n in sorted(counts.items(), key=lambda one: -one[1])],  # type: ignore[arg-type]
        accounts=_accounts(rows, names, tasks),
        aside=[StepAside(**dict(row)) for row in await tx.fetch(ASIDE, run_id)],
        funnel=Funnel(
            planned=total - left_out, sent=_sum(rows, "sent"), read=sum(row["read"] for row in rows) or None,
            replied=sum(row["replied"] for row in rows), followed=sum(row["followed"] for row in rows),
        ),
    )  # fmt: skip


def _sum(rows: Sequence[Row], *states: str) -> int:
    return sum(row["n"] for row in rows if row["state"] in states)


def _accounts(rows: Sequence[Row], names: dict[int, Row], tasks: dict[int, Row]) -> list[AccountProgress]:
    found = []
    for key in dict.fromkeys((row["account_id"], row["way"]) for row in rows if row["state"] != "skipped"):
        account_id, way = key
        mine = [row for row in rows if (row["account_id"], row["way"]) == key and row["state"] != "skipped"]
        named, task = names.get(account_id), tasks.get(account_id) if way == "task" else None
        found.append(
            AccountProgress(
                account_id=account_id, name=named["name"] if named else "", channel=named["channel"] if named else "", way=way,
                total=sum(row["n"] for row in mine), sent=_sum(mine, "sent"), failed=_sum(mine, "failed", "uncertain"),
                open=_sum(mine, "planned", "sending", "asked"), tasks=task["tasks"] if task else 0,
                confirmed=task["confirmed"] if task else 0, waiting=task["waiting"] if task else 0,
                reminded_at=task["reminded_at"] if task else None,
            )
        )  # fmt: skip
    return sorted(found, key=lambda one: -one.total)


async def deliveries(tx: Tx, principal: Principal, run_id: int, query: DeliveryQuery) -> DeliveryPage:
    """Those whom the asker sees. Raises :class:`NotFound`."""
    await find_run(tx, run_id)
    rows = await tx.fetch(
        PAGE_OF,
        *CustomerScope.of(principal).arguments,
        run_id,
        query.cursor or 0,
        query.state,
        query.reason,
        query.account_id,
        PAGE + 1,
    )
    shown = [delivery_view(row) for row in rows[:PAGE]]
    return DeliveryPage(deliveries=shown, next_cursor=shown[-1].id if len(rows) > PAGE else None)


def delivery_view(row: Row) -> DeliveryView:
    values = {name: row[name] for name in DeliveryView.model_fields if name != "words"}
    detail = row["detail"] or {}
    words = sentence_view(detail) if {"code", "zh", "en"} <= detail.keys() else None
    return DeliveryView(**values, words=words)


async def compare(tx: Tx, query: CompareQuery) -> ComparedList:
    ids = [int(one) for one in query.ids.split(",")]
    names = {
        row["id"]: row["name"]
        for row in await tx.fetch(
            "select id, name from campaign where id = any($1::bigint[]) and deleted_at is null", ids
        )
    }
    rows = await tx.fetch(SUMS, ids)
    found = []
    for one in dict.fromkeys(one for one in ids if one in names):
        mine = [row for row in rows if row["campaign_id"] == one]
        found.append(
            Compared(
                id=one, name=names[one], total=sum(row["n"] for row in mine), left_out=_sum(mine, "skipped"), sent=_sum(mine, "sent"),
                failed=_sum(mine, "failed"), uncertain=_sum(mine, "uncertain"), replied=sum(row["replied"] for row in mine),
                followed=sum(row["followed"] for row in mine),
            )
        )  # fmt: skip
    return ComparedList(campaigns=found)
