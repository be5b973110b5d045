"""Fields that the company adds to its customers. :func:`checked` is the one way to a value that may be stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from customers.field_values import Choice, Field, Wrong, stored
from scrm.db import Database, Row, Tx
from scrm.errors import Unprocessable

DEFINITIONS = "select * from custom_field order by position, id"
FILES = """
select t.id, t.name, t.mime, t.size from customer_file t
where t.id = any($1::bigint[]) and t.customer_id = $2 and t.deleted_at is null
"""


async def definitions(tx: Tx | Database) -> list[Field]:
    """All of them in their order, those put away included."""
    return [field_of(row) for row in await tx.fetch(DEFINITIONS)]


def field_of(row: Row) -> Field:
    choices = tuple(
        Choice(one["key"], one["name"], one.get("color", ""), one.get("archived", False))
        for one in row["data"].get("choices", [])
    )
    return Field(
        row["id"],
        row["key"],
        row["name"],
        row["kind"],
        row["required"],
        choices,
        row["archived_at"] is not None,
    )


async def checked(
    tx: Tx,
    values: Mapping[str, Any],
    *,
    before: Mapping[str, Any] | None = None,
    whole: bool = False,
    customer_id: int | None = None,
) -> dict[str, Any]:
    """What ``customer.fields`` becomes when these values are written over ``before``: None, an empty text or list empties a field.
    ``whole``: everything required must be there (a new customer); otherwise only what is required must not be emptied.

    Files are given as ``[{"id": file}]``: of the files kept with this customer. Raises :class:`Unprocessable` with ``fields.<key>`` for what is wrong.
    """
    fields = await definitions(tx)
    result = merged(fields, values, before=before, whole=whole)
    await _with_files(tx, fields, values, result, customer_id)
    return result


def merged(
    fields: Sequence[Field], values: Mapping[str, Any], *, before: Mapping[str, Any] | None = None, whole: bool = False
) -> dict[str, Any]:
    """:func:`checked` for many customers: with definitions that were read once, and without files."""
    known = {field.key: field for field in fields if not field.archived}
    result = dict(before or {})
    wrong: dict[str, str] = {}
    for key, value in values.items():
        field = known.get(key)
        if field is None:
            wrong[f"fields.{key}"] = "There is no such field."
            continue
        try:
            kept = stored(field, value)
        except Wrong as error:
            wrong[f"fields.{key}"] = error.en
            continue
        if kept is None:
            result.pop(key, None)
        else:
            result[key] = kept
    for field in known.values():
        if field.required and field.key not in result and (whole or field.key in values):
            wrong.setdefault(f"fields.{field.key}", f"{field.name} is needed.")
    if wrong:
        raise Unprocessable("Some fields have values that they cannot have.", fields=wrong)
    return result


async def _with_files(
    tx: Tx, fields: Sequence[Field], values: Mapping[str, Any], result: dict[str, Any], customer_id: int | None
) -> None:
    """Names and sizes as they are known; a customer who is not there yet has no files."""
    given = [field.key for field in fields if field.kind == "file" and field.key in values and field.key in result]
    if not given:
        return
    wanted = [one["id"] for key in given for one in result[key]]
    known = {row["id"]: dict(row) for row in await tx.fetch(FILES, wanted, customer_id)}
    for key in given:
        if any(one["id"] not in known for one in result[key]):
            raise Unprocessable("A file is gone.", fields={f"fields.{key}": "Add the file to the customer again."})
        result[key] = [known[one["id"]] for one in result[key]]
