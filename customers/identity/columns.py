"""The columns of a customer when several become one, and when that is taken back. Pure, but for writing them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scrm.services import Work

Columns = dict[str, Any]

CHOSEN = (
    "name", "avatar", "phone", "city", "remark", "company", "position", "email", "address", "gender", "source", "value_fen", "stage_id",
    "owner_id",
)  # fmt: skip
"""What a person may choose of which customer it stays; otherwise the survivor's, and where that is empty the first other's."""
ALONG = {"stage_id": ("stage_at",), "owner_id": ("owned_at",)}
EARLIEST = ("created_at", "next_due_at")
LATEST = ("followed_at", "last_message_at", "last_inbound_at")
ITS_OWN = ("id", "version", "updated_at", "merged_into")
"""Never carried over, never put back."""
EXCLUSIVE = """
select t.id, t.tag_group_id from tag t join tag_group g on g.id = t.tag_group_id where g.exclusive and t.id = any($1::bigint[])
"""


def combined(
    survivor: Columns, others: Sequence[Columns], choices: Mapping[str, int], exclusive: Mapping[int, int]
) -> Columns:
    """What changes about the survivor. ``choices``: by field, the customer whose value stays (``fields.<key>`` for the company's own).
    ``exclusive``: by tag, the group of which a customer has one tag at most."""
    rows = {row["id"]: row for row in (survivor, *others)}
    changed: Columns = {}
    for name in CHOSEN:
        source = rows.get(choices.get(name, 0)) or next(
            (row for row in rows.values() if row[name] not in ("", None)), survivor
        )
        for column in (name, *ALONG.get(name, ())):
            changed[column] = source[column]
    changed["fields"] = _fields(rows, choices)
    changed["tags"] = _tags([row["tags"] for row in rows.values()], exclusive)
    for name in EARLIEST:
        changed[name] = min((row[name] for row in rows.values() if row[name]), default=None)
    for name in LATEST:
        changed[name] = max((row[name] for row in rows.values() if row[name]), default=None)
    changed["created_by"] = min(rows.values(), key=lambda row: (row["created_at"], row["id"]))["created_by"]
    changed |= _people(rows, changed["owner_id"])
    if changed["owner_id"] is not None:
        changed |= {"pooled_at": None, "pool_reason": ""}
    return {name: value for name, value in changed.items() if value != survivor[name]}


def _fields(rows: Mapping[int, Columns], choices: Mapping[str, int]) -> Columns:
    found: Columns = {}
    for row in rows.values():
        for key, value in row["fields"].items():
            found.setdefault(key, value)
    for name, customer_id in choices.items():
        key = name.removeprefix("fields.")
        if name != key and customer_id in rows:
            value = rows[customer_id]["fields"].get(key)
            if value is not None:
                found[key] = value
    return found


def _tags(lists: Sequence[Sequence[int]], exclusive: Mapping[int, int]) -> list[int]:
    found: list[int] = []
    groups: set[int] = set()
    for tags in lists:
        taken = set(groups)
        for tag in tags:
            group = exclusive.get(tag)
            if tag in found or (group is not None and group in taken):
                continue
            found.append(tag)
            if group is not None:
                groups.add(group)
    return found


def _people(rows: Mapping[int, Columns], owner_id: int | None) -> Columns:
    """Nobody loses sight of a customer that was theirs: other owners may go on changing it."""
    owners = [row["owner_id"] for row in rows.values() if row["owner_id"] not in (None, owner_id)]
    writers = list(dict.fromkeys([one for row in rows.values() for one in row["writers"] if one != owner_id] + owners))
    readers = list(
        dict.fromkeys(one for row in rows.values() for one in row["readers"] if one != owner_id and one not in writers)
    )
    return {"writers": writers, "readers": readers}


def restored(before: Columns, after: Columns, now: Columns) -> Columns:
    """What goes back to how it was: columns that nobody changed since."""
    return {
        name: value
        for name, value in before.items()
        if name not in ITS_OWN and name in after and after[name] != value and now.get(name) == after[name]
    }


def changed_back(was: Columns, now: Columns) -> Columns:
    """What has to be written so that everything but :data:`ITS_OWN` is as it was."""
    return {name: value for name, value in was.items() if name not in ITS_OWN and now.get(name) != value}


async def exclusive_groups(work: Work, tags: Sequence[int]) -> dict[int, int]:
    return {row["id"]: row["tag_group_id"] for row in await work.tx.fetch(EXCLUSIVE, list(tags))}


async def write(work: Work, customer_id: int, values: Columns) -> None:
    """Sets columns to values as :func:`to_jsonb` gives them. Their names come from the database itself."""
    names = ", ".join(f'"{name}"' for name in values)
    given = ", ".join(f'r."{name}"' for name in values)
    columns = (
        f"({names}) = (select {given} from jsonb_populate_record(null::customer, $2::jsonb) r), " if values else ""  # noqa: S608
    )
    await work.tx.execute(
        f"update customer set {columns}version = version + 1, updated_at = $3 where id = $1 and $2::jsonb is not null",  # noqa: S608
        customer_id,
        values,
        work.now,
    )


async def read(work: Work, customer_id: int) -> Columns:
    found: Columns = await work.tx.fetchval("select to_jsonb(c) from customer c where c.id = $1", customer_id)
    return found
