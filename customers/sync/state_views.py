"""How keeping in step is doing, for each connection that has something to be kept in step."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from customers.sync.left import left_people
from customers.sync.readings import keeps_step
from scrm.connections import Connections
from scrm.db import Row, Tx
from scrm.views import SentenceView, View, sentence_view

RUNS = """
select distinct on (r.connection_id) r.connection_id, r.cause, r.state, r.step, r.counts, r.error, r.started_at, r.finished_at
from sync_run r where r.connection_id = any($1::bigint[]) order by r.connection_id, r.id desc
"""
DONE = """
select connection_id, max(finished_at) as at from sync_run where state = 'done' and connection_id = any($1::bigint[]) group by 1
"""
WAITING = "select connection_id, count(*) as n from sync_due where connection_id = any($1::bigint[]) group by 1"
WISHES = """
select a.connection_id, count(*) filter (where l.wish is not null) as waiting, count(*) filter (where l.wish is null) as refused
from contact_link l join account a on a.id = l.account_id where l.wish is not null or l.wish_error is not null group by 1
"""
TAGS = """
select l.connection_id, jsonb_agg(jsonb_build_object('name', coalesce(t.name, g.name), 'there', l.name_there) order by l.id) as names
from tag_link l join tag_group g on g.id = l.tag_group_id left join tag t on t.id = l.tag_id
where l.name_there <> coalesce(t.name, g.name) and not l.made_here and coalesce(t.archived_at, g.archived_at) is null
group by 1
"""


class LeftView(View):
    """Somebody who left the company; ``customers`` and ``groups`` wait for somebody else."""

    external_id: str
    name: str
    left_at: datetime
    account_id: int | None
    agent_id: int | None
    customers: int
    groups: int


class TagName(View):
    name: str
    there: str


class RunView(View):
    cause: Literal["first", "night", "hand"]
    state: Literal["running", "done", "failed"]
    step: str
    counts: dict[str, int]
    error: SentenceView | None
    started_at: datetime
    finished_at: datetime | None


class SyncView(View):
    """``run``: the newest comparison; ``done_at``: when one last came to its end. ``looks`` wait to be asked, ``writes`` to be
    written, ``refused`` were not taken. ``left``: who left while customers or groups wait. ``tag_names``: tags that have another name
    there, which only who made them may change."""

    connection_id: int
    connection_name: str
    paused: bool
    run: RunView | None
    done_at: datetime | None
    looks: int
    writes: int
    refused: int
    left: list[LeftView]
    tag_names: list[TagName]


class SyncList(View):
    connections: list[SyncView]


async def sync_views(tx: Tx, connections: Connections, connection_id: int | None = None) -> list[SyncView]:
    known = [one for one in connections.all() if keeps_step(one) and connection_id in (None, one.id)]
    ids = [one.id for one in known]
    runs = {row["connection_id"]: row for row in await tx.fetch(RUNS, ids)}
    done = {row["connection_id"]: row["at"] for row in await tx.fetch(DONE, ids)}
    looks = {row["connection_id"]: row["n"] for row in await tx.fetch(WAITING, ids)}
    wishes = {row["connection_id"]: row for row in await tx.fetch(WISHES)}
    tags = {row["connection_id"]: row["names"] for row in await tx.fetch(TAGS)}
    left = [one for one in await left_people(tx) if one.waits]
    return [
        SyncView(
            connection_id=one.id,
            connection_name=one.name,
            paused=one.paused,
            run=_run(runs[one.id]) if one.id in runs else None,
            done_at=done.get(one.id),
            looks=looks.get(one.id, 0),
            writes=wishes[one.id]["waiting"] if one.id in wishes else 0,
            refused=wishes[one.id]["refused"] if one.id in wishes else 0,
            left=[
                LeftView(**{name: getattr(person, name) for name in LeftView.model_fields})
                for person in left
                if person.connection_id == one.id
            ],
            tag_names=[TagName(**tag) for tag in tags.get(one.id, [])][:100],
        )
        for one in sorted(known, key=lambda one: one.id)
    ]


def _run(row: Row) -> RunView:
    return RunView(
        cause=row["cause"],
        state=row["state"],
        step=row["step"],
        counts=row["counts"],
        error=sentence_view(row["error"]),
        started_at=row["started_at"],
        finished_at=row["finished_at"],
    )
