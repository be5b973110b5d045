"""What a rule does with the customers it found: the same live and over history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
from pydantic import ValidationError

from customers.rules.causes import MODELS, StageRule, TagRule
from customers.stages import move
from customers.tags import MOST_ON_ONE, change_tags
from scrm.db import Database, Row, Tx
from scrm.services import Work

ENABLED = """
select id, kind, name, data from customer_rule where kind in ('tag', 'stage') and enabled and deleted_at is null
order by kind desc, position, id
"""
# A rule acts once for a cause: again only when the cause is newer than that of its last act.
CLAIM = """
insert into rule_hit (rule_id, customer_id, at)
select $1, w.id, w.at from unnest($2::bigint[], $3::timestamptz[]) w (id, at) join customer u on u.id = w.id
where u.merged_into is null and u.deleted_at is null order by w.id
on conflict (rule_id, customer_id) do update set at = excluded.at, n = rule_hit.n + 1 where rule_hit.at < excluded.at
returning customer_id
"""
OFFERED_TAGS = """
select t.id from tag t join tag_group g on g.id = t.tag_group_id
where t.id = any($1::bigint[]) and t.archived_at is null and g.archived_at is null
"""
ROOM = "select id from customer where id = any($1::bigint[]) and cardinality(tags) + $2 <= $3"
BEFORE = """
select u.id from customer u left join stage s on s.id = u.stage_id join stage w on w.id = $2 and w.archived_at is null
where u.id = any($1::bigint[]) and (s.id is null or (s.kind = 'open' and s.position < w.position))
"""
GUARD_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Rule:
    id: int
    name: str
    data: TagRule | StageRule

    @property
    def named(self) -> Mapping[str, Any]:
        return {"id": self.id, "name": self.name}


def rule_of(row: Row) -> Rule | None:
    """None for one that no longer fits the program: nothing is done by what cannot be understood."""
    try:
        return Rule(row["id"], row["name"], MODELS[row["kind"]].model_validate(row["data"]))
    except ValidationError:
        return None


async def enabled(tx: Tx | Database) -> list[Rule]:
    """Rules for tags first: what they give may be what a rule for stages waits for."""
    return [rule for row in await tx.fetch(ENABLED) if (rule := rule_of(row)) is not None]


async def found(tx: Tx, rule: Rule, first: Any, second: Any) -> list[Row]:
    """The customers for whom the cause holds between the bounds (see :class:`~customers.rules.causes.Cause`). Raises
    :class:`TooSlow` after :data:`GUARD_SECONDS`, :class:`BadExpression`."""
    sql, more = rule.data.cause.sql()
    try:
        async with tx.transaction():
            if rule.data.cause.on == "said":
                await tx.execute(f"set local statement_timeout = '{GUARD_SECONDS}s'")
            rows: list[Row] = await tx.fetch(sql, first, second, *more)
            await tx.execute("set local statement_timeout = 0")
            return rows
    except asyncpg.QueryCanceledError as error:
        raise TooSlow from error
    except asyncpg.InvalidRegularExpressionError as error:
        raise BadExpression from error


class TooSlow(Exception):
    """An expression took longer than it may."""


class BadExpression(Exception):
    """The database does not understand it."""


async def act(work: Work, rule: Rule, causes: Sequence[tuple[int, datetime]]) -> int:
    """Does to these customers what the rule says, once for each cause. Returns how many changed."""
    if not causes:
        return 0
    rows = await work.tx.fetch(CLAIM, rule.id, [one for one, _ in causes], [at for _, at in causes])
    ids = [row["customer_id"] for row in rows]
    if not ids:
        return 0
    if isinstance(rule.data, TagRule):
        tags = [row["id"] for row in await work.tx.fetch(OFFERED_TAGS, rule.data.tag_ids)]
        free = await work.tx.fetch(ROOM, ids, len(tags), MOST_ON_ONE)
        return len(await change_tags(work, None, [row["id"] for row in free], tags, [], rule=rule.named))
    before = [row["id"] for row in await work.tx.fetch(BEFORE, ids, rule.data.stage_id)]
    return len(await move(work, None, before, rule.data.stage_id, rule=rule.named)) if before else 0


async def stop(work: Work, rule: Rule, why: str) -> None:
    """Switches a rule off that cannot be carried out, and says so where managers see it."""
    await work.tx.execute(
        "update customer_rule set enabled = false, data = data || jsonb_build_object('stopped', $2::text), updated_at = $3 "
        "where id = $1",
        rule.id,
        why,
        work.now,
    )
    work.ring("setting")
