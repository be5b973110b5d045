"""Imports: a file, what its columns mean, a dry run, the real one. Each chunk is one transaction with its position, under the lock of
its import: a run that was killed goes on where it was, and two workers that run it at once do each chunk once.
"""

from __future__ import annotations

# ruff: noqa: ASYNC230 - files in the temporary folder, in small pieces
import asyncio
import json
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from customers.fields import definitions
from customers.let_in import colleagues
from customers.sheets.apply import apply
from customers.sheets.columns import STANDARD, folded, guess
from customers.sheets.plan import Wanted, names_of, plan, understood
from scrm.db import Row, Tx
from scrm.errors import ApiError, Conflict, NotFound, Unavailable, Unprocessable
from scrm.jobs import Job, put
from scrm.permissions import CUSTOMERS_ASSIGN, CUSTOMERS_IMPORT, Principal
from scrm.services import Services, Work
from scrm.trail import record
from scrm.views import Id, Input, View

RUN = "customers.import"
CHUNK = 500
PIECE = 256 << 10
PATIENCE = 120
OWN = "select * from customer_import where id = $1 and agent_id = $2"
OWN_LOCKED = f"{OWN} for update"
NOTE = """
insert into customer_import_row (import_id, attempt, row, outcome, problems, cells)
select $1, $2, (w ->> 'row')::bigint, w ->> 'outcome', w -> 'problems', w -> 'cells' from jsonb_array_elements($3::jsonb) w
"""
WHY = {
    "encoding": "The text is neither UTF-8, UTF-16 nor GBK. Save it again as UTF-8.",
    "old_format": "This is the old .xls format. Save it as .xlsx.",
    "not_a_sheet": "This is no sheet. Choose an .xlsx or .csv file.",
    "too_many_columns": "The sheet has more than 200 columns.",
    "too_many_rows": "The sheet has more than 200,000 rows. Divide it.",
    "bomb": "Unpacked, this file is larger than 400 MB.",
    "too_large": "This file takes more memory than an import may have. Divide it.",
    "empty": "There are no rows below the heading.",
}


class NewImport(Input):
    """``attachment_id``: a file that was uploaded before."""

    attachment_id: Id


class ImportInput(Input):
    """``mapping``: a field for each column of the sheet, empty for none. ``existing``: what happens to customers who have the phone
    number already. ``owner_id``, ``tags``, ``source``: for rows that say nothing about it."""

    mapping: Annotated[list[Annotated[str, Field(max_length=40)]], Field(max_length=200)]
    existing: Literal["skip", "update", "create"] = "skip"
    owner_id: Id | None = None
    tags: Annotated[list[Id], Field(default_factory=list, max_length=20)]
    source: Annotated[str, Field(max_length=100)] = ""


class ImportView(View):
    """``done`` of ``rows`` rows; ``notes``: what was peculiar about the file."""

    id: int
    name: str
    state: str
    phase: str
    head: list[str]
    sample: list[list[str]]
    rows: int
    notes: list[str]
    encoding: str
    mapping: list[str]
    done: int
    created: int
    updated: int
    skipped: int
    failed: int
    created_at: datetime
    finished_at: datetime | None


class ImportList(View):
    imports: list[ImportView]


async def take(services: Services, principal: Principal, new: NewImport) -> int:
    """Raises :class:`NotFound`, :class:`Unprocessable` with a code that says what is wrong with the file."""
    row = await services.db.fetchrow(
        "select name, sha256, size from attachment where id = $1 and uploaded_by = $2 and message_id is null and state = 'stored'",
        new.attachment_id,
        principal.agent_id,
    )
    if row is None:
        raise NotFound("There is no such upload.")
    found, sha256 = await _unpacked(services, row["sha256"], row["size"])
    async with services.work() as work:
        fields = await definitions(work.tx)
        known = {
            one["title"]: one["field"]
            for one in await work.tx.fetch(
                "select title, field from customer_import_mapping where agent_id = $1", principal.agent_id
            )
        }
        mapping = guess(found["head"], fields, known)
        made: int = await work.tx.fetchval(
            "insert into customer_import (agent_id, name, sha256, size, sheet, mapping, created_at) values ($1, $2, $3, $4, $5, $6, $7) returning id",
            principal.agent_id, row["name"], sha256, row["size"], found, mapping, work.now,
        )  # fmt: skip
    return made


async def _unpacked(services: Services, sha256: str, size: int) -> tuple[dict[str, Any], str]:
    """The lines of the sheet in the blob store, and what is known about it."""
    async with sheet(services, sha256, size) as (found, out):

        async def pieces() -> AsyncIterator[bytes]:
            with out.open("rb") as file:
                while piece := file.read(PIECE):
                    yield piece

        found["bytes"] = out.stat().st_size
        kept, _, _ = await services.blobs.put(pieces(), limit=1 << 30)
    return found, kept


@asynccontextmanager
async def sheet(services: Services, sha256: str, size: int) -> AsyncIterator[tuple[dict[str, Any], Path]]:
    """What is known about a sheet, and a passing file with its lines. Raises :class:`Unprocessable`."""
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder, "in"), Path(folder, "out")
        with source.open("wb") as file:
            for start in range(0, size, PIECE):
                file.write(await services.blobs.read_range(sha256, start, min(PIECE, size - start)))
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "customers.sheets.unpack", str(source), str(out),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            said, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
        except TimeoutError:
            process.kill()
            await process.wait()
            said = b""
        # A process that died of its limits says nothing.
        found = json.loads(said) if said and process.returncode == 0 else {"error": "too_large"}
        if "error" in found:
            code = str(found["error"])
            raise Unprocessable(WHY.get(code, WHY["not_a_sheet"]), code=f"sheet_{code}", fields={"attachment_id": code})
        yield found, out


async def start(
    work: Work, principal: Principal, import_id: int, body: ImportInput | None, *, real: bool, address: str
) -> None:
    """A dry run with these choices, or (``real``) the run that was tried out. Raises :class:`Conflict`, :class:`Unprocessable`."""
    row = await _own(work.tx, principal, import_id, lock=True)
    if row["state"] not in (("checked",) if real else ("uploaded", "checked", "cancelled")):
        raise Conflict("This import is not in a state in which that can be done.")
    if body is not None:
        await _choose(work, principal, row, body)
    attempt = row["attempt"] + 1
    await work.tx.execute(
        "update customer_import set state = $2, phase = $3, attempt = $4, position = 0, result = '{}', started_at = $5, finished_at = null where id = $1",
        import_id, "running" if real else "checking", "real" if real else "dry", attempt, work.now,
    )  # fmt: skip
    await work.tx.execute("delete from customer_import_key where import_id = $1", import_id)
    await work.tx.execute("delete from customer_import_row where import_id = $1", import_id)
    await put(work, RUN, [f"{import_id}.{attempt}"], [{"import_id": import_id, "attempt": attempt}])
    if real:
        await record(
            work, "customer.import_started", agent_id=principal.agent_id, object_kind="import", object_id=import_id,
            address=address, detail={"name": row["name"], "rows": row["sheet"]["rows"]},
        )  # fmt: skip


async def _choose(work: Work, principal: Principal, row: Row, body: ImportInput) -> None:
    allowed = {
        "",
        *STANDARD,
        *(f"fields.{f.key}" for f in await definitions(work.tx) if not f.archived and f.kind != "file"),
    }
    chosen = [one for one in body.mapping if one]
    if any(one not in allowed for one in chosen) or len(set(chosen)) != len(chosen):
        raise Unprocessable(
            "The columns are not mapped well.", fields={"mapping": "Give each column a field of its own."}
        )
    if not {"name", "phone"} & set(chosen):
        raise Unprocessable("The columns are not mapped well.", fields={"mapping": "Map a name or a phone number."})
    if ("owner" in chosen or body.owner_id not in (None, principal.agent_id)) and not principal.may(CUSTOMERS_ASSIGN):
        raise Unprocessable("You may not give customers to others.", fields={"owner_id": "Leave it out."})
    if body.owner_id is not None and not await work.tx.fetchval(
        "select true from agent where id = $1 and disabled_at is null", body.owner_id
    ):
        raise Unprocessable("There is no such person.", fields={"owner_id": "Choose somebody else."})
    tags = await work.tx.fetchval(
        "select count(*) from tag where id = any($1::bigint[]) and archived_at is null", body.tags
    )
    if tags != len(set(body.tags)):
        raise Unprocessable("One of these tags does not exist.", fields={"tags": "Choose tags from the list."})
    await work.tx.execute(
        "update customer_import set mapping = $2, options = $3 where id = $1",
        row["id"], body.mapping, body.model_dump(exclude={"mapping"}),
    )  # fmt: skip
    pairs = {folded(title): field for title, field in zip(row["sheet"]["head"], body.mapping, strict=False) if field}
    await work.tx.execute(
        "insert into customer_import_mapping (agent_id, title, field, updated_at) select $1, t, f, $4 from unnest($2::text[], $3::text[]) w (t, f) "
        "on conflict (agent_id, title) do update set field = excluded.field, updated_at = excluded.updated_at",
        principal.agent_id, list(pairs), list(pairs.values()), work.now,
    )  # fmt: skip


async def cancel(work: Work, principal: Principal, import_id: int) -> None:
    """Stops after the chunk that is being done. What was taken in stays."""
    await _own(work.tx, principal, import_id, lock=True)
    await work.tx.execute(
        "update customer_import set state = 'cancelled', finished_at = $2 where id = $1 and state in ('checking', 'running')",
        import_id,
        work.now,
    )


async def run(services: Services, job: Job) -> None:
    """What a person must mend (a tag against the rules of its group, an owner who left meanwhile) ends the run and is kept; what was
    taken in before stays."""
    import_id, attempt = job.payload["import_id"], job.payload["attempt"]
    try:
        while await _one_chunk(services, import_id, attempt):
            continue
    except Unavailable:
        raise
    except ApiError as error:
        await services.db.execute(
            "update customer_import set state = 'failed', problem = $3, finished_at = $4 "
            "where id = $1 and attempt = $2 and state in ('checking', 'running')",
            import_id,
            attempt,
            {"code": error.code, "en": error.detail},
            services.clock.now(),
        )


async def _one_chunk(services: Services, import_id: int, attempt: int) -> bool:
    async with services.work() as work:
        row = await work.tx.fetchrow("select * from customer_import where id = $1 for update", import_id)
        if row is None or row["attempt"] != attempt or row["state"] not in ("checking", "running"):
            return False
        people = await colleagues(work, [row["agent_id"]])
        principal = people.get(row["agent_id"])
        if principal is None or not principal.may(CUSTOMERS_IMPORT):
            await work.tx.execute(
                "update customer_import set state = 'failed', finished_at = $2 where id = $1", import_id, work.now
            )
            return False
        lines, position = await _lines(services, row)
        names = await names_of(work, await definitions(work.tx))
        options = row["options"]
        wanted = [_with_defaults(understood(line[0], line[1:], row["mapping"], names), options) for line in lines]
        await plan(work, principal, import_id, attempt, wanted, options.get("existing", "skip"))
        if row["phase"] == "real":
            await apply(work, principal, import_id, wanted)
        await _note(work, import_id, attempt, wanted)
        ended = position >= row["sheet"]["bytes"]
        result = Counter(row["result"])
        result.update(one.outcome for one in wanted)
        state = row["state"] if not ended else ("done" if row["phase"] == "real" else "checked")
        await work.tx.execute(
            "update customer_import set position = $2, result = $3, state = $4, finished_at = $5 where id = $1",
            import_id, position, dict(result), state, work.now if ended else None,
        )  # fmt: skip
        if ended and row["phase"] == "real":
            await record(
                work,
                "customer.imported",
                agent_id=row["agent_id"],
                object_kind="import",
                object_id=import_id,
                detail=dict(result),
            )
    return not ended


async def _lines(services: Services, row: Row) -> tuple[list[list[Any]], int]:
    """The next lines from the position on, and the position behind them."""
    size, at = row["sheet"]["bytes"], row["position"]
    data = b""
    while data.count(b"\n") < CHUNK and at + len(data) < size:
        start = at + len(data)
        data += await services.blobs.read_range(row["sha256"], start, min(PIECE, size - start))
    whole = data.split(b"\n")[:-1][:CHUNK]
    return [json.loads(one) for one in whole], at + sum(len(one) + 1 for one in whole)


def _with_defaults(one: Wanted, options: dict[str, Any]) -> Wanted:
    one.owner_id = one.owner_id or options.get("owner_id")
    one.tags = [*one.tags, *options.get("tags", [])]
    if options.get("source"):
        one.values.setdefault("source", options["source"])
    return one


async def _note(work: Work, import_id: int, attempt: int, rows: list[Wanted]) -> None:
    told = [
        {
            "row": one.row,
            "outcome": one.outcome,
            "problems": [problem.plain() for problem in one.problems],
            "cells": one.cells,
        }
        for one in rows
        if one.problems
    ]
    await work.tx.execute(NOTE, import_id, attempt, told)


async def imports(tx: Tx, principal: Principal) -> ImportList:
    rows = await tx.fetch(
        "select * from customer_import where agent_id = $1 order by id desc limit 50", principal.agent_id
    )
    return ImportList(imports=[view_of(row) for row in rows])


async def _own(tx: Tx, principal: Principal, import_id: int, *, lock: bool = False) -> Row:
    row = await tx.fetchrow(OWN_LOCKED if lock else OWN, import_id, principal.agent_id)
    if row is None:
        raise NotFound("There is no such import of yours.")
    return row


async def one_import(tx: Tx, principal: Principal, import_id: int) -> ImportView:
    return view_of(await _own(tx, principal, import_id))


def view_of(row: Row) -> ImportView:
    sheet, result = row["sheet"], row["result"]
    numbers = {name: int(result.get(name, 0)) for name in ("created", "updated", "skipped", "failed")}
    plain = {name: row[name] for name in ("id", "name", "state", "phase", "mapping", "created_at", "finished_at")}
    return ImportView(
        **plain,
        created=numbers["created"],
        updated=numbers["updated"],
        skipped=numbers["skipped"],
        failed=numbers["failed"],
        head=sheet["head"],
        sample=sheet["sample"],
        rows=sheet["rows"],
        notes=sheet["notes"],
        encoding=sheet["encoding"],
        done=sum(numbers.values()),
    )
