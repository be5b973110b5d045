"""Files that people keep with a customer: contracts, pictures, sheets. Handed out as all files of strangers are."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from customers.queries import customer_row, row_to_change
from customers.timeline import Line, tell
from inbox.uploads import DownloadQuery, receive_file
from scrm.db import Row, Tx
from scrm.errors import Conflict, NotFound
from scrm.handing_out import hand_out
from scrm.http import Raw, Reply, Request, Route
from scrm.permissions import CUSTOMERS_READ, CUSTOMERS_WRITE, Principal
from scrm.services import Work
from scrm.undo import Kind, Undone, remember, undoable
from scrm.views import View

DELETED = "customer_file.delete"
MOST = 500
"""Files of one customer."""

COLUMNS = "t.id, t.name, t.mime, t.size, t.width, t.height, t.added_by, t.created_at"
LIST = f"""
select {COLUMNS} from customer_file t where t.customer_id = $1 and t.deleted_at is null order by t.id desc limit {MOST}
"""  # noqa: S608
INSERT = """
insert into customer_file (customer_id, sha256, name, mime, size, width, height, added_by, created_at)
select $1, $2, $3, $4, $5, $6, $7, $8, $9 where (select count(*) from customer_file where customer_id = $1 and deleted_at is null) < $10
returning id
"""
FIND = "select t.* from customer_file t where t.id = $1"
IN_A_FIELD = """
select exists (select from customer u cross join lateral jsonb_each(u.fields) f
  where u.id = $1 and jsonb_typeof(f.value) = 'array' and f.value @> $2::jsonb)
"""
DELETE = "update customer_file set deleted_at = $2 where id = $1 and deleted_at is null returning id"
RESTORE = "update customer_file set deleted_at = null where id = $1 and deleted_at is not null returning id"


class CustomerFileView(View):
    id: int
    name: str
    mime: str
    size: int
    width: int
    height: int
    added_by: int | None
    created_at: datetime


class CustomerFiles(View):
    """Newest first."""

    files: list[CustomerFileView]


async def files(request: Request, customer_id: int) -> CustomerFiles:
    async with request.services.db.pool.acquire() as tx:
        row = await customer_row(tx, request.principal, customer_id)
        return CustomerFiles(files=[CustomerFileView(**one) for one in await tx.fetch(LIST, row["id"])])


async def add(request: Request, customer_id: int) -> Reply[CustomerFileView]:
    async with request.services.db.pool.acquire() as tx:
        # Before the bytes come: who may not is told at once.
        await row_to_change(tx, request.principal, customer_id)
    file = await receive_file(request)
    async with request.services.work() as work:
        row = await row_to_change(work.tx, request.principal, customer_id)
        made = await work.tx.fetchval(
            INSERT, row["id"], file.sha256, file.name, file.mime, file.size, file.width, file.height,
            request.principal.agent_id, work.now, MOST,
        )  # fmt: skip
        if made is None:
            raise Conflict(f"A customer has {MOST} files at most. Delete some first.", code="too_many_files")
        await _tell(work, request.principal, row["id"], made, file.name, "file.added")
        found = await work.tx.fetchrow(f"select {COLUMNS} from customer_file t where t.id = $1", made)  # noqa: S608
    assert found is not None
    return Reply(CustomerFileView(**found), status=201)


async def content(request: Request, file_id: int, query: DownloadQuery) -> Raw:
    async with request.services.db.pool.acquire() as tx:
        row = await _find(tx, file_id)
        await customer_row(tx, request.principal, row["customer_id"])
    return await hand_out(request, row, download=query.download)


async def delete(request: Request, file_id: int) -> Reply[None]:
    async with request.services.work() as work:
        row = await _find(work.tx, file_id)
        await row_to_change(work.tx, request.principal, row["customer_id"])
        if await work.tx.fetchval(IN_A_FIELD, row["customer_id"], [{"id": file_id}]):
            raise Conflict("A field of this customer holds this file. Take it out there first.", code="file_in_field")
        if await work.tx.fetchval(DELETE, file_id, work.now) is None:
            raise NotFound("There is no such file.")
        await _tell(work, request.principal, row["customer_id"], file_id, row["name"], "file.deleted")
        step = await remember(work, request.principal, DELETED, {"file_id": file_id})
    return undoable(None, step, status=204)


async def _find(tx: Tx, file_id: int) -> Row:
    row = await tx.fetchrow(FIND, file_id)
    if row is None or row["deleted_at"] is not None:
        raise NotFound("There is no such file.")
    return row


async def _restore(work: Work, principal: Principal, data: dict[str, Any]) -> Undone:
    row = await work.tx.fetchrow(FIND, data["file_id"])
    if row is None:
        raise Conflict("The file is gone.", code="changed_meanwhile")
    await row_to_change(work.tx, principal, row["customer_id"])
    if await work.tx.fetchval(RESTORE, row["id"]) is None:
        raise Conflict("The file is back already.", code="changed_meanwhile")
    await _tell(work, principal, row["customer_id"], row["id"], row["name"], "file.restored")
    return Undone()


async def _tell(work: Work, principal: Principal, customer_id: int, file_id: int, name: str, kind: str) -> None:
    line = Line(
        customer_id, kind, agent_id=principal.agent_id, object_kind="customer_file", object_id=file_id, data={"name": name}
    )  # fmt: skip
    await tell(work, [line])


def undo_kinds() -> dict[str, Kind]:
    return {DELETED: Kind(CUSTOMERS_WRITE, _restore)}


def api_routes() -> list[Route]:
    of_one, one = "/api/customers/{customer_id}/files", "/api/customer-files/{file_id}"
    return [
        Route("GET", of_one, files, CUSTOMERS_READ, "The files of a customer"),
        Route(
            "POST", of_one, add, CUSTOMERS_WRITE, "Keep a file with a customer", status=201, errors=(400, 409, 413, 415, 422),
            upload=True,
        ),
        Route(
            "GET", f"{one}/content", content, CUSTOMERS_READ, "The bytes of a customer's file, or a range of them",
            also=(206, 304), errors=(416,), binary="*/*",
        ),
        Route("DELETE", one, delete, CUSTOMERS_WRITE, "Delete a customer's file", status=204, errors=(409,)),
    ]  # fmt: skip
