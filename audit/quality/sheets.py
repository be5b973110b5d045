"""Score sheets: written as a draft, published for good; a later change is another version."""

from __future__ import annotations

from audit.quality.views import SheetInput, SheetList, SheetVersionView, SheetView
from scrm.db import Tx
from scrm.errors import Conflict, NotFound
from scrm.permissions import Principal
from scrm.services import Work
from scrm.trail import record

ALL = """
select s.id, s.name, s.created_by, coalesce(jsonb_agg(jsonb_build_object('id', v.id, 'version', v.version, 'items', v.items,
  'pass_percent', v.pass_percent, 'updated_at', v.updated_at, 'published_at', v.published_at, 'published_by', v.published_by)
  order by v.version desc), '[]') as versions
from quality_sheet s join quality_sheet_version v on v.sheet_id = s.id
where $1::bigint is null or s.id = $1 group by s.id order by s.id
"""
ADD = """
insert into quality_sheet (name, created_by, created_at, client_token) values ($1, $2, $3, $4)
on conflict (created_by, client_token) do nothing returning id
"""
DRAFT = """
insert into quality_sheet_version (sheet_id, version, items, pass_percent, updated_at)
select $1, coalesce(max(version), 0) + 1, $2, $3, $4 from quality_sheet_version where sheet_id = $1
on conflict (sheet_id) where published_at is null
do update set items = excluded.items, pass_percent = excluded.pass_percent, updated_at = excluded.updated_at
"""
PUBLISH = """
update quality_sheet_version set published_at = $2, published_by = $3 where sheet_id = $1 and published_at is null returning version
"""


async def sheets(tx: Tx) -> SheetList:
    return SheetList(sheets=[_view(row) for row in await tx.fetch(ALL, None)])


async def one_sheet(tx: Tx, sheet_id: int) -> SheetView:
    """Raises :class:`NotFound`."""
    row = await tx.fetchrow(ALL, sheet_id)
    if row is None:
        raise NotFound("There is no such score sheet.")
    return _view(row)


def _view(row: object) -> SheetView:
    values = dict(row)  # type: ignore[call-overload]
    return SheetView(**{**values, "versions": [SheetVersionView.model_validate(one) for one in values["versions"]]})


async def add(work: Work, principal: Principal, body: SheetInput) -> int:
    made = await work.tx.fetchval(ADD, body.name, principal.agent_id, work.now, body.client_token)
    if made is None:
        known = "select id from quality_sheet where created_by = $1 and client_token = $2"
        return int(await work.tx.fetchval(known, principal.agent_id, body.client_token))
    await _draft(work, made, body)
    await record(work, "quality_sheet.added", agent_id=principal.agent_id, object_kind="quality_sheet", object_id=made)
    return int(made)


async def change(work: Work, principal: Principal, sheet_id: int, body: SheetInput) -> None:
    """Raises :class:`NotFound`. A published version stays as it is."""
    if await work.tx.execute("update quality_sheet set name = $2 where id = $1", sheet_id, body.name) == "UPDATE 0":
        raise NotFound("There is no such score sheet.")
    await _draft(work, sheet_id, body)
    await record(
        work, "quality_sheet.changed", agent_id=principal.agent_id, object_kind="quality_sheet", object_id=sheet_id
    )


async def _draft(work: Work, sheet_id: int, body: SheetInput) -> None:
    items = [one.model_dump() for one in body.items]
    await work.tx.execute(DRAFT, sheet_id, items, body.pass_percent, work.now)


async def publish(work: Work, principal: Principal, sheet_id: int) -> None:
    """Raises :class:`NotFound`, :class:`Conflict` when there is no draft."""
    await one_sheet(work.tx, sheet_id)
    version = await work.tx.fetchval(PUBLISH, sheet_id, work.now, principal.agent_id)
    if version is None:
        raise Conflict("Everything in this sheet is published. Change it first.", code="nothing_to_publish")
    await record(
        work, "quality_sheet.published", agent_id=principal.agent_id, object_kind="quality_sheet", object_id=sheet_id,
        detail={"version": version},
    )  # fmt: skip
