"""How many customers fit: exact when that is cheap, and honest otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import asyncpg
import orjson

from customers import filtering
from customers.filtering import Asking, Compiled, Group
from scrm.db import Database
from scrm.views import View

# ruff: noqa: S608 - made of constants; values are parameters

ENOUGH = 10_000
PATIENCE = 400
"""Milliseconds."""


class FoundCount(View):
    """``exact`` false: ``count`` or more when ``more``, else about so many."""

    count: int
    exact: bool
    more: bool


@dataclass(frozen=True, slots=True)
class Counted:
    count: int
    exact: bool = True
    more: bool = False

    def view(self) -> FoundCount:
        return FoundCount(count=self.count, exact=self.exact, more=self.more)


async def count(
    db: Database,
    tree: Group,
    asking: Asking,
    *,
    deleted: bool = False,
    enough: int | None = ENOUGH,
    patience: int = PATIENCE,
) -> Counted:
    """Counts up to ``enough`` (None: all of them) for so many milliseconds, and asks the planner when that was not enough."""
    compiled = filtering.compile(tree, asking, deleted=deleted)
    among = f"select 1 from customer u where {compiled.where}"
    if enough is not None:
        among = f"{among} limit {int(enough) + 1}"
    try:
        async with db.transaction() as tx:
            await tx.execute(f"set local statement_timeout = {int(patience)}")
            found = await tx.fetchval(f"select count(*) from ({among}) c", *compiled.arguments)
    except asyncpg.QueryCanceledError:
        return await _guessed(db, compiled)
    if enough is not None and found > enough:
        return Counted(enough, exact=False, more=True)
    return Counted(found)


async def _guessed(db: Database, compiled: Compiled) -> Counted:
    text = await db.fetchval(
        f"explain (format json) select 1 from customer u where {compiled.where}", *compiled.arguments
    )
    plan: Any = orjson.loads(text)
    rows = int(plan[0]["Plan"]["Plan Rows"])
    if rows > ENOUGH:
        return Counted(ENOUGH, exact=False, more=True)
    return Counted(rows, exact=False)
