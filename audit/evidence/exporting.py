"""Evidence asked for, made by a job, fetched for a limited time by who asked."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from audit.evidence import place
from audit.evidence.bundle import Asker, Bundle, Wanted
from audit.evidence.chain import Sealer
from audit.evidence.keys import signer
from audit.evidence.packing import PIECE
from audit.evidence.shapes import EvidenceExportList, EvidenceExportView, NewEvidence
from audit.watermark import mark_of
from customers.let_in import colleagues
from inbox.queries import conversation_row, one_moment
from scrm.company import FACTS
from scrm.errors import NotFound
from scrm.jobs import Job, put
from scrm.permissions import AUDIT_EVIDENCE, Principal, Scope
from scrm.services import Services, Work
from scrm.trail import record

RUN = "evidence.export"
KEPT = timedelta(days=7)
INSERT = """
insert into evidence_export (agent_id, name, note, data, client_token, created_at, total)
values ($1, $2, $3, $4, $5, $6, $7) on conflict (agent_id, client_token) do nothing returning id
"""
COUNT = """
select count(*) from (select unnest($1::bigint[]) as c, unnest($2::bigint[]) as a, unnest($3::bigint[]) as b) w
join message m on m.conversation_id = w.c and m.seq between w.a and coalesce(w.b, 9223372036854775807) and m.direction <> 'note'
"""
MINE = "select * from evidence_export where agent_id = $1 order by id desc limit 50"
DONE = """
update evidence_export set state = 'done', sha256 = $2, size = $3, finished_at = $4, expires_at = $5, done = greatest(done, coalesce(total, 0))
where id = $1
"""


async def ask(work: Work, principal: Principal, new: NewEvidence, *, address: str) -> None:
    """Raises :class:`NotFound` when the asker may not see one of the conversations. The same token asks once."""
    scope = Scope.of(principal)
    for one in new.items:
        await conversation_row(work.tx, scope, one.conversation_id)
    columns = (
        [one.conversation_id for one in new.items],
        [one.from_seq for one in new.items],
        [one.to_seq for one in new.items],
    )
    total = await work.tx.fetchval(COUNT, *columns)
    name = f"evidence-{work.now:%Y%m%d-%H%M%S}.zip"
    data = {"items": [one.model_dump() for one in new.items]}
    made = await work.tx.fetchval(INSERT, principal.agent_id, name, new.note, data, new.client_token, work.now, total)
    if made is None:
        return
    await put(work, RUN, [str(made)], [{"export_id": made}])
    await record(
        work, "evidence.asked", agent_id=principal.agent_id, object_kind="evidence", object_id=made, address=address,
        detail={"conversations": sorted({one.conversation_id for one in new.items})[:100], "messages": total},
    )  # fmt: skip


async def run(services: Services, job: Job) -> None:
    """Made whole or not at all: killed in the middle, it begins again."""
    export_id = job.payload["export_id"]
    row = await services.db.fetchrow("select * from evidence_export where id = $1", export_id)
    if row is None or row["state"] in ("done", "failed"):
        return
    async with services.work() as work:
        principal = (await colleagues(work, [row["agent_id"]])).get(row["agent_id"])
        allowed = principal is not None and principal.may(AUDIT_EVIDENCE)
        await work.tx.execute(
            "update evidence_export set state = $2, done = 0 where id = $1",
            export_id,
            "running" if allowed else "failed",
        )
    if principal is None or not allowed:
        return

    async def progress(done: int) -> None:
        await services.db.execute("update evidence_export set done = $2 where id = $1", export_id, done)

    wanted = [Wanted(**one) for one in row["data"]["items"]]
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "evidence.zip")
            await make(services, principal, wanted, path, progress)
            digest, size = await asyncio.to_thread(_hash, path)
            await services.blobs.put_file(path, digest)
    except NotFound:
        # Out of reach since it was asked for, or gone.
        await services.db.execute("update evidence_export set state = 'failed' where id = $1", export_id)
        return
    async with services.work() as work:
        await work.tx.execute(DONE, export_id, digest, size, work.now, work.now + KEPT)
        await record(
            work, "evidence.exported", agent_id=principal.agent_id, object_kind="evidence", object_id=export_id,
            detail={"sha256": digest, "size": size},
        )  # fmt: skip
        work.ring("evidence")


async def make(services: Services, principal: Principal, wanted: Sequence[Wanted], path: Path, progress: Any) -> None:
    """Seals what is new first, so that it can be proven."""
    await Sealer(services).everything()
    async with services.work() as work:
        await place.wait(work)
        key = await signer(work, services.vault)
        company = await FACTS.load(work.tx)
        asker = Asker(Scope.of(principal), principal.language, company, mark_of(principal, company, work.now))
    with tempfile.TemporaryDirectory() as folder:
        async with one_moment(services.db) as tx:
            await Bundle(services, tx, asker, Path(folder), path).make(wanted, key, progress)


def _hash(path: Path) -> tuple[str, int]:
    digest, size = sha256(), 0
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
            size += len(piece)
    return digest.hexdigest(), size


async def exports(work: Work, principal: Principal) -> EvidenceExportList:
    rows = await work.tx.fetch(MINE, principal.agent_id)
    return EvidenceExportList(
        exports=[EvidenceExportView(**{name: row[name] for name in EvidenceExportView.model_fields}) for row in rows]
    )


async def file_of(work: Work, principal: Principal, export_id: int, *, address: str) -> dict[str, Any]:
    """Raises :class:`NotFound`."""
    row = await work.tx.fetchrow(
        "select * from evidence_export where id = $1 and agent_id = $2 and state = 'done' and expires_at > $3",
        export_id, principal.agent_id, work.now,
    )  # fmt: skip
    if row is None:
        raise NotFound("There is no such evidence of yours, or its time is over. Export again.")
    await record(
        work,
        "evidence.fetched",
        agent_id=principal.agent_id,
        object_kind="evidence",
        object_id=export_id,
        address=address,
    )
    return {"sha256": row["sha256"], "name": row["name"], "mime": "application/zip", "size": row["size"]}
