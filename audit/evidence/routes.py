"""Evidence over HTTP: what was collected, packages, and the state of the chain."""

from __future__ import annotations

from audit.evidence import exporting, place
from audit.evidence.keys import change_key, pem
from audit.evidence.shapes import (
    ChainCheckView,
    ChainFindingView,
    ChainKeyView,
    ChainView,
    EvidenceExportList,
    EvidencePart,
    EvidencePickList,
    EvidencePickView,
    NewEvidence,
)
from audit.evidence.watching import CHECK, ask
from inbox.queries import SEEN, conversation_row
from inbox.shapes import CONVERSATION, FROM_CONVERSATION, conversation_view
from scrm.handing_out import hand_out
from scrm.http import Raw, Reply, Request, Route
from scrm.permissions import AUDIT_EVIDENCE, COMPANY_MANAGE, Scope
from scrm.services import Work

PICKS = f"""
select p.id as pick_id, p.from_seq, p.to_seq, p.added_at, {CONVERSATION} from evidence_pick p
join {FROM_CONVERSATION} on c.id = p.conversation_id where p.agent_id = $1 and {SEEN} order by p.id desc limit 500
"""  # noqa: S608 - made of constants
PICK = """
insert into evidence_pick (agent_id, conversation_id, from_seq, to_seq, added_at) values ($1, $2, $3, $4, $5) on conflict do nothing
"""
STATE = """
select s.*, b.number, b.hash, b.sealed_at, exists (select from job j where j.kind = $1 and j.state in ('queued', 'running')) as checking
from evidence_state s left join lateral (select number, hash, sealed_at from evidence_block order by number desc limit 1) b on true
"""


async def chain(request: Request) -> ChainView:
    async with request.services.work() as work:
        return await _chain(work, request)


async def check(request: Request) -> ChainView:
    async with request.services.work() as work:
        await ask(work)
        return await _chain(work, request)


async def new_key(request: Request) -> ChainView:
    async with request.services.work() as work:
        await place.wait(work)
        await change_key(work, request.services.vault, request.principal.agent_id, request.address)
        return await _chain(work, request)


async def _chain(work: Work, request: Request) -> ChainView:
    row = await work.tx.fetchrow(STATE, CHECK)
    keys = await work.tx.fetch("select public_key, fingerprint, made_at, retired_at from evidence_key order by id desc")
    found = None
    if row is not None and row["report"] is not None:
        report = row["report"]
        found = ChainCheckView(
            ok=report["ok"], at=row["checked_at"], blocks=report["blocks"], leaves=report["leaves"],
            removed=sum(report["removed"].values()), total=report["total"],
            findings=[ChainFindingView(**one) for one in report["findings"]],
        )  # fmt: skip
    return ChainView(
        head=row["number"] or 0 if row else 0,
        hash=row["hash"].hex() if row and row["hash"] else "",
        sealed_at=row["sealed_at"] if row else None,
        check=found,
        checking=bool(row and row["checking"]),
        keys=[
            ChainKeyView(
                fingerprint=one["fingerprint"], public_key=pem(one["public_key"]), made_at=one["made_at"], retired_at=one["retired_at"]
            )
            for one in keys
        ],
        anchored_block=row["anchored_block"] if row else None,
        anchored_at=row["anchored_at"] if row else None,
        anchor_trouble=row["anchor_trouble"] if row else "",
        anchored=bool(request.services.settings.evidence.anchor),
    )  # fmt: skip


async def picks(request: Request) -> EvidencePickList:
    async with request.services.work() as work:
        return await _picks(work, request)


async def pick(request: Request, body: EvidencePart) -> EvidencePickList:
    async with request.services.work() as work:
        await conversation_row(work.tx, Scope.of(request.principal), body.conversation_id)
        await work.tx.execute(
            PICK, request.principal.agent_id, body.conversation_id, max(body.from_seq, 1), body.to_seq, work.now
        )
        return await _picks(work, request)


async def unpick(request: Request, pick_id: int) -> EvidencePickList:
    async with request.services.work() as work:
        await work.tx.execute(
            "delete from evidence_pick where id = $1 and agent_id = $2", pick_id, request.principal.agent_id
        )
        return await _picks(work, request)


async def _picks(work: Work, request: Request) -> EvidencePickList:
    scope = Scope.of(request.principal)
    rows = await work.tx.fetch(PICKS, request.principal.agent_id, scope.everything, scope.agent_id, scope.teams)
    return EvidencePickList(
        picks=[
            EvidencePickView(
                id=row["pick_id"], conversation=conversation_view(row), from_seq=row["from_seq"], to_seq=row["to_seq"],
                added_at=row["added_at"],
            )
            for row in rows
        ]
    )  # fmt: skip


async def exports(request: Request) -> EvidenceExportList:
    async with request.services.work() as work:
        return await exporting.exports(work, request.principal)


async def export(request: Request, body: NewEvidence) -> Reply[EvidenceExportList]:
    async with request.services.work() as work:
        await exporting.ask(work, request.principal, body, address=request.address)
        return Reply(await exporting.exports(work, request.principal), status=201)


async def fetch(request: Request, export_id: int) -> Raw:
    async with request.services.work() as work:
        found = await exporting.file_of(work, request.principal, export_id, address=request.address)
    return await hand_out(request, found, download=True)


def api_routes() -> list[Route]:
    base = "/api/audit/evidence"
    return [
        Route("GET", f"{base}/chain", chain, AUDIT_EVIDENCE, "The chain of evidence: its head, its keys, the last check"),
        Route("POST", f"{base}/check", check, AUDIT_EVIDENCE, "Check the whole chain now"),
        Route("POST", f"{base}/key", new_key, COMPANY_MANAGE, "A new key for the chain; the old public key stays"),
        Route("GET", f"{base}/picks", picks, AUDIT_EVIDENCE, "What one has collected"),
        Route("POST", f"{base}/picks", pick, AUDIT_EVIDENCE, "Collect a conversation, or a part of it", errors=(404,)),
        Route("DELETE", f"{base}/picks/{{pick_id}}", unpick, AUDIT_EVIDENCE, "Put it back"),
        Route("GET", base, exports, AUDIT_EVIDENCE, "One's own packages, the newest first"),
        Route(
            "POST", base, export, AUDIT_EVIDENCE, "Pack evidence that verifies without this service", status=201, errors=(404,),
            reason="evidence",
        ),
        Route(
            "GET", f"{base}/{{export_id}}/file", fetch, AUDIT_EVIDENCE, "A package as a zip", binary="application/octet-stream",
            also=(206, 304), errors=(416,),
        ),
    ]  # fmt: skip
