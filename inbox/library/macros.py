"""Macros: several acts under one name, kept in the library. Running them is ``inbox.macro_runs``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from inbox.library.places import VISIBLE, LibraryReach, Place, check_place, check_row, eyes, manages
from scrm.db import Row, Tx
from scrm.errors import Conflict, NotFound
from scrm.permissions import LIBRARY_READ, Principal
from scrm.services import Work
from scrm.trail import record
from scrm.undo import Kind, Step, Undone, remember
from scrm.views import Id, Input, Line, View

DELETED = "library.macro"
MOST_ACTIONS = 10

COLUMNS = "x.id, x.reach, x.owner_id, x.team_id, x.name, x.actions, x.uses"
LIST = f"""
select {COLUMNS} from macro x where x.deleted_at is null and {VISIBLE} order by x.uses desc, x.name, x.id limit 500
"""  # noqa: S608
ONE = f"select {COLUMNS} from macro x where x.id = $4 and x.deleted_at is null and {VISIBLE}"  # noqa: S608

ActionKind = Literal["reply", "label", "unlabel", "assign_me", "assign", "unassign", "close", "snooze", "note"]


class MacroAction(Input):
    """One act. ``reply``: with ``quick_reply_id``; ``label`` and ``unlabel``: ``label_ids``; ``assign``: ``agent_id``;
    ``snooze``: for ``hours`` (0: until the customer writes); ``note``: ``text``."""

    kind: ActionKind
    quick_reply_id: Id | None = None
    label_ids: Annotated[list[Id], Field(default_factory=list, max_length=20)]
    agent_id: Id | None = None
    hours: Annotated[int, Field(ge=0, le=24 * 90)] | None = None
    text: Annotated[str, Field(max_length=4000)] = ""

    @model_validator(mode="after")
    def _complete(self) -> MacroAction:
        needed: dict[str, object] = {
            "reply": self.quick_reply_id,
            "label": self.label_ids,
            "unlabel": self.label_ids,
            "assign": self.agent_id,
            "snooze": self.hours is not None,
            "note": self.text.strip(),
        }
        if not needed.get(self.kind, True):
            raise ValueError(f"The act {self.kind} is not complete.")
        return self


class MacroInput(Input):
    place: Place
    name: Line
    actions: Annotated[list[MacroAction], Field(min_length=1, max_length=MOST_ACTIONS)]


class MacroView(View):
    id: int
    reach: LibraryReach
    team_id: int | None
    name: str
    actions: list[MacroAction]
    uses: int
    may_change: bool


class MacroList(View):
    macros: list[MacroView]


async def list_macros(tx: Tx, principal: Principal) -> MacroList:
    return MacroList(macros=[macro_view(row, principal) for row in await tx.fetch(LIST, *eyes(principal))])


async def find_macro(tx: Tx, principal: Principal, macro_id: int) -> Row:
    """Raises :class:`NotFound`, also for what the asker may not see."""
    row = await tx.fetchrow(ONE, *eyes(principal), macro_id)
    if row is None:
        raise NotFound("There is no such macro.")
    return row


async def add_macro(work: Work, principal: Principal, new: MacroInput) -> int:
    """Raises :class:`Forbidden`, :class:`Unprocessable`."""
    await check_place(work.tx, principal, new.place)
    made: int = await work.tx.fetchval(
        "insert into macro (reach, owner_id, team_id, name, actions, created_by, created_at, updated_at) "
        "values ($1, $2, $3, $4, $5, $6, $7, $7) returning id",
        *new.place.columns(principal), new.name, _kept(new), principal.agent_id, work.now,
    )  # fmt: skip
    await record(work, "macro.added", agent_id=principal.agent_id, object_kind="macro", object_id=made)
    return made


async def change_macro(work: Work, principal: Principal, macro_id: int, change: MacroInput) -> None:
    """Raises :class:`NotFound`, :class:`Forbidden`, :class:`Unprocessable`."""
    check_row(principal, await work.tx.fetchrow(ONE, *eyes(principal), macro_id), "macro")
    await check_place(work.tx, principal, change.place)
    await work.tx.execute(
        "update macro set reach = $2, owner_id = $3, team_id = $4, name = $5, actions = $6, updated_at = $7 where id = $1",
        macro_id, *change.place.columns(principal), change.name, _kept(change), work.now,
    )  # fmt: skip
    await record(work, "macro.changed", agent_id=principal.agent_id, object_kind="macro", object_id=macro_id)


async def delete_macro(work: Work, principal: Principal, macro_id: int) -> Step:
    """It stays for the one who undoes. Raises :class:`NotFound`, :class:`Forbidden`."""
    check_row(principal, await work.tx.fetchrow(ONE, *eyes(principal), macro_id), "macro")
    await work.tx.execute("update macro set deleted_at = $2 where id = $1", macro_id, work.now)
    await record(work, "macro.deleted", agent_id=principal.agent_id, object_kind="macro", object_id=macro_id)
    return await remember(work, principal, DELETED, {"id": macro_id})


async def restore_macro(work: Work, principal: Principal, data: dict[str, Any]) -> Undone:
    done = await work.tx.execute(
        "update macro set deleted_at = null where id = $1 and deleted_at is not null", data["id"]
    )
    if done == "UPDATE 0":
        raise Conflict("It is there already.", code="changed_meanwhile")
    return Undone()


def undo_kinds() -> dict[str, Kind]:
    return {DELETED: Kind(LIBRARY_READ, restore_macro)}


def macro_view(row: Row, principal: Principal) -> MacroView:
    return MacroView(
        id=row["id"],
        reach=row["reach"],
        team_id=row["team_id"],
        name=row["name"],
        actions=[MacroAction.model_validate(one) for one in row["actions"]],
        uses=row["uses"],
        may_change=manages(principal, row["reach"], row["team_id"], row["owner_id"]),
    )


def _kept(macro: MacroInput) -> list[dict[str, Any]]:
    return [one.model_dump(mode="json", exclude_defaults=True) | {"kind": one.kind} for one in macro.actions]
