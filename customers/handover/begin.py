"""A handover begins: checked, planned, written down with every item, and then done by the workers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from customers.handover.elsewhere import able
from customers.handover.parts import Mover, Source
from customers.handover.plan import Planned, plan
from customers.handover.shapes import (
    HandoverPlan,
    HandoverPreview,
    HandoverProblem,
    HandoverSample,
    NewHandover,
    TakerCounts,
)
from customers.owning import must_be_usable
from scrm.connections import Connections
from scrm.db import Tx
from scrm.errors import Forbidden, NotFound
from scrm.grants import check_over
from scrm.permissions import AGENTS_MANAGE, Principal, Scope
from scrm.services import Work
from scrm.trail import record

SAMPLE = 50
FIELD = {
    "customer": "customers", "conversation": "conversations", "task": "tasks", "scheduled": "scheduled",
    "relation": "relations", "group": "groups",
}  # fmt: skip
CHOSEN = """
select id from customer where owner_id = $1 and deleted_at is null and merged_into is null
  and ($2::bigint[] is null or id = any($2)) and (cardinality($3::bigint[]) = 0 or stage_id = any($3))
  and (cardinality($4::bigint[]) = 0 or tags && $4) order by id
"""
COLLEAGUES = """
select count(distinct agent_id) from team_member where agent_id = any($1::bigint[]) and team_id = any($2::bigint[])
"""
NAMES = "select id, name from customer where id = any($1::bigint[])"
INSERT = """
insert into handover (kind, from_agent_id, account_id, to_account_id, takers, data, client_token, created_by, created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9) on conflict (created_by, client_token) do nothing returning id
"""
KNOWN = "select id from handover where created_by = $1 and client_token = $2"
ITEMS = """
insert into handover_item (handover_id, kind, object_id, customer_id, from_agent_id, to_agent_id, connection_id, from_external,
  to_external, external_id, state, code, next_at, updated_at)
select $1, w.kind, w.object_id, w.customer_id, w.from_id, w.to_id, w.connection_id, w.from_external, w.to_external, w.external_id,
  case when w.code = '' then 'queued' else 'failed' end, w.code,
  case when w.code = '' and w.connection_id is not null then $2::timestamptz end, $2
from unnest($3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::text[], $10::text[], $11::text[],
  $12::text[]) w (kind, object_id, customer_id, from_id, to_id, connection_id, from_external, to_external, external_id, code)
on conflict (handover_id, kind, object_id) do nothing
"""


async def preview(
    tx: Tx, principal: Principal, connections: Connections, movers: Sequence[Mover], body: HandoverPlan
) -> HandoverPreview:
    planned, problems = await _planned(tx, principal, connections, movers, body)
    total = Counter(one.kind for one in planned)
    by_taker = {agent: Counter[str]() for agent in body.taker_ids}
    for one in planned:
        by_taker.setdefault(one.to_id, Counter())[one.kind] += 1
    shown = [one for one in planned if one.kind == "customer"][:SAMPLE]
    names = {row["id"]: row["name"] for row in await tx.fetch(NAMES, [one.object_id for one in shown])}
    return HandoverPreview(
        total=_counts(0, total),
        takers=[_counts(agent, counts) for agent, counts in by_taker.items()],
        problems=problems,
        sample=[
            HandoverSample(customer_id=one.object_id, name=names.get(one.object_id, ""), to_agent_id=one.to_id)
            for one in shown
        ],
    )


async def begin(
    work: Work,
    principal: Principal,
    connections: Connections,
    movers: Sequence[Mover],
    body: NewHandover,
    *,
    address: str,
) -> int:
    """Returns its id; the same token is the same handover."""
    known = await work.tx.fetchval(KNOWN, principal.agent_id, body.client_token)
    if known is not None:
        return int(known)
    if body.disable and body.from_agent_id is not None:
        if not principal.may(AGENTS_MANAGE):
            raise Forbidden("Only who manages agents may lock somebody out.")
        await check_over(work.tx, principal, body.from_agent_id)
    planned, _ = await _planned(work.tx, principal, connections, movers, body)
    data = body.model_dump(mode="json", exclude={"client_token"})
    data["kinds"] = [mover.kind for mover in movers if principal.may(mover.permission)]
    handover_id = await work.tx.fetchval(
        INSERT, body.kind, body.from_agent_id, body.account_id, body.to_account_id, list(dict.fromkeys(body.taker_ids)),
        data, body.client_token, principal.agent_id, work.now,
    )  # fmt: skip
    if handover_id is None:
        return int(await work.tx.fetchval(KNOWN, principal.agent_id, body.client_token))
    await write_items(work, handover_id, planned)
    await record(
        work, "handover.begun", agent_id=principal.agent_id, object_kind="handover", object_id=handover_id, address=address,
        detail={
            "kind": body.kind, "from_agent_id": body.from_agent_id, "account_id": body.account_id,
            "taker_ids": body.taker_ids, "count": len(planned),
        },
    )  # fmt: skip
    work.ring("handover", handover_id)
    return int(handover_id)


async def write_items(work: Work, handover_id: int, planned: Sequence[Planned]) -> int:
    """Those that are not written yet. Returns how many there were."""
    if not planned:
        return 0
    there = [one.there for one in planned]
    done = await work.tx.execute(
        ITEMS, handover_id, work.now, [one.kind for one in planned], [one.object_id for one in planned],
        [one.customer_id for one in planned], [one.from_id for one in planned], [one.to_id for one in planned],
        [one.connection_id if one else None for one in there], [one.from_external if one else "" for one in there],
        [one.to_external for one in planned], [one.external_id if one else "" for one in there],
        [one.refused for one in planned],
    )  # fmt: skip
    return int(done.split()[-1])


async def source_of(tx: Tx, body: HandoverPlan) -> Source:
    ids = None
    if body.kind == "part":
        asked = body.filter
        conditions = (asked.customer_ids, asked.stage_ids, asked.tag_ids) if asked is not None else (None, [], [])
        rows = await tx.fetch(CHOSEN, body.from_agent_id, *conditions)
        ids = [row["id"] for row in rows]
    return Source(body.kind, body.from_agent_id, body.account_id, ids, body.keep_owners)


async def _planned(
    tx: Tx, principal: Principal, connections: Connections, movers: Sequence[Mover], body: HandoverPlan
) -> tuple[list[Planned], list[HandoverProblem]]:
    await _within_reach(tx, principal, body)
    await must_be_usable(tx, body.taker_ids)
    allowed = [mover for mover in movers if principal.may(mover.permission)]
    planned = await plan(tx, connections, allowed, await source_of(tx, body), list(dict.fromkeys(body.taker_ids)))
    if not body.on_platform:
        planned = [one for one in planned if one.there is None]
    problems = [
        HandoverProblem(code=code, agent_id=agent, count=count)  # type: ignore[arg-type]
        for (code, agent), count in sorted(Counter((one.refused, one.to_id) for one in planned if one.refused).items())
    ]
    if len(allowed) < len(movers):
        problems.append(HandoverProblem(code="not_allowed", agent_id=None, count=0))
    if not able(connections):
        problems.append(HandoverProblem(code="no_platform", agent_id=None, count=0))
    if body.kind == "account":
        chats = sum(one.kind == "conversation" for one in planned)
        problems.append(HandoverProblem(code="chat_stays", agent_id=None, count=chats))
    return planned, problems


async def _within_reach(tx: Tx, principal: Principal, body: HandoverPlan) -> None:
    """Whose things, and to whom: as far as the asker reaches. Raises :class:`NotFound`."""
    people = sorted({*body.taker_ids, *([body.from_agent_id] if body.from_agent_id is not None else [])})
    if await tx.fetchval("select count(*) from agent where id = any($1::bigint[])", people) < len(people):
        raise NotFound("There is no such agent.")
    for account_id in (body.account_id, body.to_account_id):
        if account_id is not None:
            row = await tx.fetchrow("select team_id from account where id = $1", account_id)
            if row is None or not Scope.of(principal).covers_account(row["team_id"]):
                raise NotFound("There is no such account.")
    if principal.reach == "all":
        return
    others = [one for one in people if one != principal.agent_id]
    reached = principal.team_ids if principal.reach == "team" else ()
    if await tx.fetchval(COLLEAGUES, others, list(reached)) < len(others):
        raise NotFound("There is no such agent in your teams.")


def _counts(agent_id: int, counts: Counter[str]) -> TakerCounts:
    return TakerCounts(agent_id=agent_id, **{field: counts[kind] for kind, field in FIELD.items()})
