"""Exports: any filter or choice of customers, with chosen columns, written by a job that streams; fetched for a limited time by who
asked. Phone numbers are masked as they are for who asked; what a spreadsheet could take for a formula is written as text.
"""

from __future__ import annotations

import csv
import re
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import xlsxwriter
from pydantic import Field

from customers import filtering
from customers.bulk.target import Target
from customers.field_values import written
from customers.filtering import Asking, Group
from customers.let_in import colleagues
from customers.listing.pages import seen_of
from scrm.db import Row, Tx
from scrm.errors import NotFound, Unprocessable
from scrm.jobs import Job, put
from scrm.masking import masked
from scrm.permissions import CUSTOMERS_EXPORT, Principal
from scrm.services import Services, Work
from scrm.trail import record
from scrm.views import Input, View

# ruff: noqa: S608, ASYNC230 - made of constants, values are parameters; files in the temporary folder, in small pieces

RUN = "customers.export"
CHUNK = 1000
KEPT = timedelta(days=7)
MOST = 500_000
FORMULA = ("=", "+", "-", "@", "\t", "\r")
NUMBER = re.compile(r"^[+-]?[0-9][0-9 .-]*$")
PIECE = 256 << 10

TITLES: dict[str, tuple[str, str]] = {
    "name": ("姓名", "Name"), "phone": ("手机号", "Phone"), "company": ("公司", "Company"), "position": ("职位", "Position"),
    "city": ("城市", "City"), "gender": ("性别", "Gender"), "email": ("邮箱", "E-mail"), "address": ("地址", "Address"),
    "source": ("来源", "Source"), "stage": ("阶段", "Stage"), "tags": ("标签", "Tags"), "owner": ("归属人", "Owner"),
    "value": ("预计金额", "Value"), "remark": ("备注", "Remark"), "created_at": ("创建时间", "Created"),
    "last_message_at": ("最近消息", "Last message"), "last_inbound_at": ("最近来信", "Last wrote"),
    "followed_at": ("最近跟进", "Last follow-up"), "next_due_at": ("下次跟进", "Next follow-up"),
    "reclaim_at": ("将回公海", "Falls into pool"), "updated_at": ("更新时间", "Changed"),
}  # fmt: skip
GENDERS = {"male": ("男", "Male"), "female": ("女", "Female")}


class NewExport(Input):
    """``columns``: names of fields, in order; empty: all standard ones."""

    target: Target
    columns: Annotated[list[Annotated[str, Field(max_length=40)]], Field(default_factory=list, max_length=150)]
    format: Literal["xlsx", "csv"] = "xlsx"


class ExportView(View):
    id: int
    name: str
    format: str
    state: str
    done: int
    total: int | None
    size: int | None
    created_at: datetime
    expires_at: datetime | None


class ExportList(View):
    exports: list[ExportView]


async def ask(work: Work, principal: Principal, new: NewExport, *, address: str) -> int:
    """Raises :class:`Unprocessable` for a filter or column that cannot be used."""
    asking = await filtering.asking(work.tx, principal, work.now)
    if new.target.filter is not None:
        filtering.compile(new.target.filter, asking)
    columns = new.columns or list(TITLES)
    allowed = {*TITLES, *(f"fields.{key}" for key in asking.fields)}
    known = [one for one in dict.fromkeys(columns) if one in allowed]
    if not known:
        raise Unprocessable("None of these columns can be exported.", fields={"columns": "Choose some of the list."})
    target = new.target.model_dump()
    data = {"target": target, "columns": known}
    name = f"customers-{work.now.astimezone(asking.zone):%Y%m%d-%H%M}.{new.format}"
    made: int = await work.tx.fetchval(
        "insert into customer_export (agent_id, name, format, data, created_at) values ($1, $2, $3, $4, $5) returning id",
        principal.agent_id, name, new.format, data, work.now,
    )  # fmt: skip
    await put(work, RUN, [str(made)], [{"export_id": made}])
    await record(
        work, "customer.export_started", agent_id=principal.agent_id, object_kind="export", object_id=made, address=address,
        detail={"filter": target["filter"], "picked": len(new.target.ids or []), "columns": known},
    )  # fmt: skip
    return made


async def run(services: Services, job: Job) -> None:
    """Written whole or not at all: killed in the middle, it begins again."""
    export_id = job.payload["export_id"]
    row = await services.db.fetchrow("select * from customer_export where id = $1", export_id)
    if row is None or row["state"] in ("done", "failed"):
        return
    async with services.work() as work:
        principal = (await colleagues(work, [row["agent_id"]])).get(row["agent_id"])
        if principal is None or not principal.may(CUSTOMERS_EXPORT):
            await work.tx.execute("update customer_export set state = 'failed' where id = $1", export_id)
            return
        await work.tx.execute("update customer_export set state = 'running', done = 0 where id = $1", export_id)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "out")
        done = await _write(services, principal, row, path)

        async def pieces() -> AsyncIterator[bytes]:
            with path.open("rb") as file:
                while piece := file.read(PIECE):
                    yield piece

        sha256, size, _ = await services.blobs.put(pieces(), limit=1 << 31)
    async with services.work() as work:
        await work.tx.execute(
            "update customer_export set state = 'done', done = $2, total = $2, sha256 = $3, size = $4, finished_at = $5, expires_at = $6 where id = $1",
            export_id, done, sha256, size, work.now, work.now + KEPT,
        )  # fmt: skip
        await record(
            work,
            "customer.exported",
            agent_id=principal.agent_id,
            object_kind="export",
            object_id=export_id,
            detail={"count": done},
        )


async def _write(services: Services, principal: Principal, row: Row, path: Path) -> int:
    async with services.db.pool.acquire() as tx:
        asking = await filtering.asking(tx, principal, services.clock.now())
        names = await _names(tx)
    place = 1 if principal.language == "en" else 0
    columns: Sequence[str] = [
        one for one in row["data"]["columns"] if not one.startswith("fields.") or one[7:] in asking.fields
    ]
    head = [TITLES[one][place] if one in TITLES else asking.fields[one[7:]].name for one in columns]
    sheet = _Csv(path) if row["format"] == "csv" else _Xlsx(path)
    sheet.add(head)
    done, last = 0, 0
    while True:
        rows = await _chunk(services, asking, Target.model_validate(row["data"]["target"]), last)
        if not rows or done >= MOST:
            break
        last = rows[-1]["id"]
        async with services.db.pool.acquire() as tx:
            seen = await seen_of(tx, asking, [one["id"] for one in rows])
        for one in rows:
            if one["id"] in seen:
                sheet.add([_cell(one, column, asking, names, place) for column in columns])
                done += 1
        await services.db.execute("update customer_export set done = $2 where id = $1", row["id"], done)
    sheet.close()
    return done


async def _chunk(services: Services, asking: Asking, target: Target, last: int) -> list[Row]:
    compiled = filtering.compile(target.filter or Group(parts=[]), asking)
    arguments = filtering.Arguments(compiled.arguments)
    wanted = [compiled.where, f"u.id > {arguments.add(last, 'bigint')}"]
    if target.ids is not None:
        wanted.append(f"u.id = any({arguments.add(target.ids, 'bigint[]')})")
    if target.except_ids:
        wanted.append(f"u.id <> all({arguments.add(target.except_ids, 'bigint[]')})")
    rows: list[Row] = await services.db.fetch(
        f"select u.* from customer u where {' and '.join(wanted)} order by u.id limit {CHUNK}", *arguments.values
    )
    return rows


async def _names(tx: Tx) -> dict[str, Mapping[int, str]]:
    found: dict[str, Mapping[int, str]] = {}
    for table in ("stage", "agent", "tag"):
        found[table] = {row["id"]: row["name"] for row in await tx.fetch(f"select id, name from {table}")}
    return found


def _cell(row: Row, column: str, asking: Asking, names: Mapping[str, Mapping[int, str]], place: int) -> str:
    if column.startswith("fields."):
        key = column[7:]
        return written(asking.fields[key], row["fields"].get(key), phones=asking.scope.phones)
    if column == "phone":
        return str(row["phone"]) if asking.scope.phones else masked(row["phone"])
    if column == "stage":
        return names["stage"].get(row["stage_id"], "")
    if column == "owner":
        return names["agent"].get(row["owner_id"], "")
    if column == "tags":
        return "、".join(names["tag"].get(one, "") for one in row["tags"])
    if column == "value":
        return "" if row["value_fen"] is None else f"{row['value_fen'] / 100:.2f}"
    if column == "gender":
        return GENDERS[row["gender"]][place] if row["gender"] else ""
    value = row[column]
    if isinstance(value, datetime):
        return value.astimezone(asking.zone).strftime("%Y-%m-%d %H:%M")
    return "" if value is None else str(value)


class _Csv:
    """With the mark that spreadsheets need to see UTF-8."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8-sig", newline="")
        self._out = csv.writer(self._file)

    def add(self, cells: Sequence[str]) -> None:
        self._out.writerow([harmless(one) for one in cells])

    def close(self) -> None:
        self._file.close()


class _Xlsx:
    """Text by the type of its cells, written row by row."""

    def __init__(self, path: Path) -> None:
        self._book = xlsxwriter.Workbook(
            str(path), {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        )
        self._sheet = self._book.add_worksheet()
        self._row = 0

    def add(self, cells: Sequence[str]) -> None:
        for place, one in enumerate(cells):
            if one:
                self._sheet.write_string(self._row, place, one[:32_000])
        self._row += 1

    def close(self) -> None:
        self._book.close()


def harmless(text: str) -> str:
    """What begins like a formula gets an apostrophe, so that no spreadsheet runs it; numbers and phone numbers stay as they are."""
    return f"'{text}" if text.startswith(FORMULA) and not NUMBER.match(text) else text


async def exports(tx: Tx, principal: Principal) -> ExportList:
    rows = await tx.fetch(
        "select * from customer_export where agent_id = $1 order by id desc limit 50", principal.agent_id
    )
    return ExportList(exports=[ExportView(**{name: row[name] for name in ExportView.model_fields}) for row in rows])


async def file_of(work: Work, principal: Principal, export_id: int, *, address: str) -> dict[str, Any]:
    """For who asked, as long as they may export. Raises :class:`NotFound`."""
    row = await work.tx.fetchrow(
        "select * from customer_export where id = $1 and agent_id = $2 and state = 'done' and expires_at > $3",
        export_id,
        principal.agent_id,
        work.now,
    )
    if row is None:
        raise NotFound("There is no such file of yours, or its time is over. Export again.")
    await record(
        work,
        "customer.export_fetched",
        agent_id=principal.agent_id,
        object_kind="export",
        object_id=export_id,
        address=address,
    )
    return {"sha256": row["sha256"], "name": row["name"], "mime": "application/octet-stream", "size": row["size"]}
