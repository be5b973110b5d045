"""Reads of the trail: filtered, newest first, by pages whose cost does not grow with its length."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import AwareDatetime, Field, StringConstraints

from scrm.db import Row, Tx
from scrm.errors import Unprocessable
from scrm.views import MAX_ID, Id, Input, View

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
CURSOR = re.compile(rb"^(\d{1,17})\.(\d{1,19})$")

FIELDS = "e.id, e.at, e.agent_id, e.action, e.object_kind, e.object_id, e.address, e.detail"


class TrailQuery(Input):
    """``action`` may be the beginning of one: ``session`` finds ``session.opened``. ``address`` begins so. ``q``: words of the details, reasons
    and searches among them."""

    agent_id: Id | None = None
    action: Annotated[str, Field(pattern=r"^[a-z_]+(\.[a-z_]+)?$", max_length=80)] | None = None
    object_kind: Annotated[str, Field(pattern=r"^[a-z_]+$", max_length=40)] | None = None
    object_id: Id | None = None
    address: Annotated[str, Field(pattern=r"^[0-9A-Fa-f.:]{1,45}$")] | None = None
    q: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)] | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    cursor: Annotated[str, Field(max_length=80)] | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class TrailLine(View):
    id: int
    at: datetime
    agent_id: int | None
    action: str
    object_kind: str
    object_id: int | None
    address: str
    detail: dict[str, Any]


class TrailPage(View):
    lines: list[TrailLine]
    next_cursor: str | None


async def trail_page(tx: Tx, query: TrailQuery) -> TrailPage:
    """Raises :class:`Unprocessable` for a cursor that was not made here."""
    rows = await trail_rows(tx, query)
    kept = rows[: query.limit]
    return TrailPage(
        lines=[TrailLine(**row) for row in kept], next_cursor=cursor_of(kept[-1]) if len(rows) > len(kept) else None
    )


async def trail_rows(tx: Tx, query: TrailQuery) -> list[Row]:
    """One more than the page has, when there is more."""
    where: list[str] = []
    values: list[Any] = []

    def add(condition: str, *given: Any) -> None:
        places = [f"${len(values) + n + 1}" for n in range(len(given))]
        values.extend(given)
        where.append(condition.format(*places))

    if query.agent_id is not None:
        add("e.agent_id = {}", query.agent_id)
    if query.action is not None and "." in query.action:
        add("e.action = {}", query.action)
    elif query.action is not None:
        # A range, so that an index on the whole name serves.
        add("e.action >= {} and e.action < {}", f"{query.action}.", f"{query.action}/")
    if query.object_kind is not None:
        add("e.object_kind = {}", query.object_kind)
    if query.object_id is not None:
        add("e.object_id = {}", query.object_id)
    if query.address is not None:
        add("starts_with(e.address, {})", query.address)
    if query.q is not None:
        add("strpos(lower(e.detail::text), lower({})) > 0", query.q)
    if query.since is not None:
        add("e.at >= {}", query.since)
    if query.until is not None:
        add("e.at < {}", query.until)
    if query.cursor is not None:
        add("(e.at, e.id) < ({}, {})", *_decode(query.cursor))
    condition = " and ".join(where) or "true"
    add("limit {}", query.limit + 1)
    sql = f"select {FIELDS} from audit_event e where {condition} order by e.at desc, e.id desc {where[-1]}"  # noqa: S608
    rows: list[Row] = await tx.fetch(sql, *values)
    return rows


def cursor_of(row: Row) -> str:
    plain = f"{(row['at'] - EPOCH) // MICROSECOND}.{row['id']}"
    return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def _decode(text: str) -> tuple[datetime, int]:
    try:
        plain = base64.b64decode(text.encode() + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
        found = CURSOR.match(plain)
        if found is None or int(found[2]) > MAX_ID:
            raise ValueError("another cursor")
        return EPOCH + int(found[1]) * MICROSECOND, int(found[2])
    except (ValueError, OverflowError, binascii.Error) as error:
        raise Unprocessable("This cursor is not valid.", fields={"cursor": "Begin without one."}) from error
