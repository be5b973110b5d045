"""Which customers an act is about: those picked by hand, or all that a filter finds."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from customers import filtering
from customers.filtering import Group
from customers.scope import CHANGED, CustomerScope
from scrm.errors import Unprocessable
from scrm.permissions import Principal
from scrm.services import Work
from scrm.views import Id, Input

# ruff: noqa: S608 - made of constants; values are parameters

MOST = 5000
"""At once: so many are changed within a second or two, and can be put back as exactly."""
CHANGEABLE = f"""
select u.id from customer u where u.id = any($4::bigint[]) and u.merged_into is null
  and (u.deleted_at is not null) = $5 and {CHANGED} order by u.id
"""


class Target(Input):
    """``ids``, or all that ``filter`` finds but ``except_ids``."""

    ids: Annotated[list[Id], Field(max_length=MOST)] | None = None
    filter: Group | None = None
    except_ids: Annotated[list[Id], Field(default_factory=list, max_length=MOST)]

    @model_validator(mode="after")
    def _one_way(self) -> Target:
        if (self.ids is None) == (self.filter is None):
            raise ValueError("Give ids or a filter.")
        return self


async def targets(work: Work, principal: Principal, target: Target, *, deleted: bool = False) -> tuple[list[int], int]:
    """Those that the asker may change, and how many they may not. Raises :class:`Unprocessable` when they are too many."""
    asked = list(dict.fromkeys(target.ids or []))
    if target.filter is not None:
        asking = await filtering.asking(work.tx, principal, work.now)
        compiled = filtering.compile(target.filter, asking, deleted=deleted)
        left_out = len(compiled.arguments) + 1
        rows = await work.tx.fetch(
            f"select u.id from customer u where {compiled.where} and u.id <> all(${left_out}::bigint[]) limit {MOST + 1}",
            *compiled.arguments,
            target.except_ids,
        )
        if len(rows) > MOST:
            raise Unprocessable(
                f"These are more than {MOST} customers.",
                code="too_many",
                fields={"target": f"Narrow the filter: at most {MOST} are changed at once, so that it can be undone."},
            )
        asked = [row["id"] for row in rows]
    rows = await work.tx.fetch(CHANGEABLE, *CustomerScope.of(principal).arguments, asked, deleted)
    return [row["id"] for row in rows], len(asked) - len(rows)
