"""Labels: words of the company that sort conversations. One that is put away stays where it was used and can come back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from inbox.events import record_event
from inbox.rows import Conversation, lock_one, save
from scrm.db import Row, Tx
from scrm.errors import Conflict, NotFound, Unprocessable
from scrm.permissions import Principal
from scrm.services import Work
from scrm.trail import record
from scrm.views import Id, Input, Line, View

Color = Literal["grey", "red", "orange", "yellow", "green", "teal", "blue", "purple", "pink"]
MOST = 200
MOST_ON_ONE = 20


class LabelView(View):
    id: int
    name: str
    color: Color
    position: int
    archived: bool


class LabelList(View):
    labels: list[LabelView]


class NewLabel(Input):
    name: Line
    color: Color = "grey"


class LabelInput(Input):
    """What is given is changed. ``position`` 0 is the first."""

    name: Line | None = None
    color: Color | None = None
    position: Annotated[int, Field(ge=0, le=MOST)] | None = None
    archived: bool | None = None


class Relabel(Input):
    add: Annotated[list[Id], Field(default_factory=list, max_length=MOST_ON_ONE)]
    remove: Annotated[list[Id], Field(default_factory=list, max_length=MOST_ON_ONE)]


LIST = "select id, name, color, position, archived_at is not null as archived from label order by position, id"
PLACE = """
update label l set position = w.position from unnest($1::bigint[], $2::int[]) w (id, position)
where l.id = w.id and l.position <> w.position
"""


async def list_labels(tx: Tx) -> LabelList:
    return LabelList(labels=[LabelView(**row) for row in await tx.fetch(LIST)])


async def add_label(work: Work, principal: Principal, new: NewLabel, *, address: str) -> int:
    """Raises :class:`Conflict` (``name_taken``), :class:`Unprocessable` when there are too many."""
    await _alone(work)
    if await work.tx.fetchval("select count(*) from label where archived_at is null") >= MOST:
        raise Unprocessable(f"There are {MOST} labels already; put some away first.")
    label_id = await work.tx.fetchval(
        "insert into label (name, color, position, created_at) "
        "values ($1, $2, (select coalesce(max(position), -1) + 1 from label), $3) on conflict do nothing returning id",
        new.name,
        new.color,
        work.now,
    )
    if label_id is None:
        raise _taken()
    await _note(work, principal, "label.added", label_id, address)
    return int(label_id)


async def change_label(work: Work, principal: Principal, label_id: int, change: LabelInput, *, address: str) -> None:
    """Raises :class:`NotFound`, :class:`Conflict` (``name_taken``)."""
    await _alone(work)
    rows: list[Row] = await work.tx.fetch("select id, name, archived_at from label order by position, id")
    held = next((row for row in rows if row["id"] == label_id), None)
    if held is None:
        raise NotFound("There is no such label.")
    if change.name is not None and any(
        row["id"] != label_id and row["name"].lower() == change.name.lower() for row in rows
    ):
        raise _taken()
    put_away = held["archived_at"] if change.archived is None else (work.now if change.archived else None)
    await work.tx.execute(
        "update label set name = coalesce($2, name), color = coalesce($3, color), archived_at = $4 where id = $1",
        label_id,
        change.name,
        change.color,
        put_away,
    )
    if change.position is not None:
        order = [row["id"] for row in rows if row["id"] != label_id]
        order.insert(change.position, label_id)
        await work.tx.execute(PLACE, order, list(range(len(order))))
    await _note(work, principal, "label.changed", label_id, address)


async def relabel(work: Work, principal: Principal, conversation_id: int, change: Relabel) -> None:
    """Raises :class:`NotFound`, :class:`Unprocessable`."""
    conversation = await lock_one(work, conversation_id)
    if conversation is None:
        raise NotFound("There is no such conversation.")
    await relabel_one(work, conversation, change.add, change.remove, by=principal.agent_id)
    await save(work, [conversation])


async def relabel_one(
    work: Work, conversation: Conversation, add: Sequence[int], remove: Sequence[int], *, by: int | None
) -> bool:
    """Of a locked conversation, which the caller saves. False: nothing changed."""
    gone = set(remove)
    added = [one for one in dict.fromkeys(add) if one not in conversation.labels and one not in gone]
    removed = [one for one in conversation.labels if one in gone]
    if not added and not removed:
        return False
    await check_labels(work, added)
    conversation.labels = [*(one for one in conversation.labels if one not in gone), *added]
    if len(conversation.labels) > MOST_ON_ONE:
        raise Unprocessable(f"A conversation has at most {MOST_ON_ONE} labels.", fields={"add": "These are too many."})
    await record_event(work, conversation, "labelled", by, added=added, removed=removed)
    return True


async def check_labels(work: Work, label_ids: Sequence[int]) -> None:
    """Raises :class:`Unprocessable` when one of them does not exist or was put away."""
    if label_ids:
        found = await work.tx.fetchval(
            "select count(*) from label where id = any($1::bigint[]) and archived_at is null", list(label_ids)
        )
        if found != len(set(label_ids)):
            raise Unprocessable("One of these labels does not exist.", fields={"add": "Choose labels from the list."})


async def _alone(work: Work) -> None:
    """Changes of the list are rare: one after the other, so that names stay apart and positions without gaps."""
    await work.tx.execute("lock table label in share row exclusive mode")


async def _note(work: Work, principal: Principal, action: str, label_id: int, address: str) -> None:
    work.ring("label", label_id)
    await record(
        work, action, agent_id=principal.agent_id, object_kind="label", object_id=label_id, address=address
    )  # fmt: skip


def _taken() -> Conflict:
    return Conflict("There is a label of this name.", code="name_taken", fields={"name": "Choose another name."})
