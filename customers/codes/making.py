"""The platform is told what a code shall be. One job per version of the row: what is wanted by then is what is told.

Whether a code was made may be unknown after a broken call. Making it again would leave one on the platform that nobody knows, so the
row keeps the doubt, and before another try the platform's own list is searched for the code's ``source``.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from scrm import jobs
from scrm.channel import Sentence
from scrm.channel_contacts import CodeSpec, MakesContactCodes
from scrm.db import Row
from scrm.errors import NotFound, Rejected, RetryLater, SendError
from scrm.jobs import Job
from scrm.services import Services, Work

MAKE = "make_contact_code"
AGAIN = 15.0
"""Seconds before a platform is asked whether a code is there: its own list may lag."""

WANTED = """
select c.*, (select array_agg(a.external_id order by a.id) from account a where a.id = any(c.accounts)) as members
from contact_code c where c.id = $1
"""
MADE = """
update contact_code set external_id = $2, picture = coalesce(nullif($3, ''), picture), made_version = $4, doubt = false,
  reason = null, state = case when version = $4 then 'made' else state end, updated_at = $5 where id = $1
"""
FAILED = """
update contact_code set state = 'failed', reason = $2, updated_at = $3, doubt = false where id = $1 and version = $4
"""

UNABLE = Sentence("该连接不能创建联系我二维码。", "No codes can be made on this connection.")
NOBODY = Sentence("二维码的成员都已不存在。", "None of the code's members is there any more.")


async def tell_platform_soon(work: Work, code_id: int, version: int) -> None:
    await jobs.put(work, MAKE, [f"{code_id}:{version}"], [{"code_id": code_id, "version": version}])


async def tell_platform(services: Services, job: Job) -> None:
    """The handler of the job. A later version has a job of its own."""
    row = await services.db.fetchrow(WANTED, job.payload["code_id"])
    if row is None or row["version"] != job.payload["version"]:
        return
    try:
        await _tell(services, row)
    except Rejected as error:
        await _failed(services, row, error)
    except SendError as error:
        if job.attempts >= jobs.MOST_ATTEMPTS:
            await _failed(services, row, error)
        raise


async def _tell(services: Services, row: Row) -> None:
    adapter = await _maker(services, row["connection_id"])
    external_id, picture = row["external_id"], ""
    if not external_id and row["doubt"]:
        external_id = next((found for found, source in await _known(adapter, row) if source == row["source"]), "")
    if row["archived_at"] is not None:
        if external_id:
            await adapter.delete_code(external_id)
    elif not row["members"]:
        raise Rejected("code.nobody", NOBODY)
    elif external_id and row["picture"]:
        await adapter.change_code(external_id, _spec(row))
    else:
        if external_id:
            # It was made, but its picture was lost with the answer: a new one takes its place.
            await adapter.delete_code(external_id)
        external_id, picture = await _make(services, adapter, row)
    await services.db.execute(MADE, row["id"], external_id, picture, row["version"], services.clock.now())


async def _make(services: Services, adapter: MakesContactCodes, row: Row) -> tuple[str, str]:
    """The doubt is written before the call: a process that dies in it leaves the doubt behind."""
    await services.db.execute("update contact_code set doubt = true where id = $1", row["id"])
    try:
        return await adapter.make_code(_spec(row))
    except RetryLater:
        await services.db.execute("update contact_code set doubt = false where id = $1", row["id"])
        raise
    except Rejected:
        raise
    except SendError as error:
        raise RetryLater(error.code, error.reason, after=AGAIN) from error


async def _known(adapter: MakesContactCodes, row: Row) -> Any:
    return await adapter.codes(since=row["created_at"] - timedelta(hours=1))


def _spec(row: Row) -> CodeSpec:
    return CodeSpec(tuple(row["members"]), row["source"], row["remark"], row["skip_verify"])


async def _maker(services: Services, connection_id: int) -> MakesContactCodes:
    try:
        loaded = await services.connections.get(connection_id)
    except NotFound as error:
        raise Rejected("code.unable", UNABLE) from error
    if not isinstance(loaded.adapter, MakesContactCodes):
        raise Rejected("code.unable", UNABLE)
    return loaded.adapter


async def _failed(services: Services, row: Row, error: SendError) -> None:
    reason = {"code": error.code, "zh": error.reason.zh, "en": error.reason.en}
    await services.db.execute(FAILED, row["id"], reason, services.clock.now(), row["version"])
    await services.connections.note_error(row["connection_id"], error, attention=getattr(error, "needs_admin", False))
