"""The chain is looked at every night, and its head is written to a second place where one is configured."""

from __future__ import annotations

import logging

from audit.alerts.raising import NewAlert, raise_alerts
from audit.evidence import place
from audit.evidence.checking import Report, check
from scrm.blobs import SecondPlace
from scrm.jobs import Job, put
from scrm.metrics import EVIDENCE_FAILED
from scrm.services import Services, Work

log = logging.getLogger(__name__)

CHECK = "evidence.check"
CHECK_SECONDS = 86_400
ANCHOR = "evidence.anchor"
ANCHOR_SECONDS = 3600
SAVE = "update evidence_state set checked_at = $1, report = $2"
HEAD = """
select b.number, b.hash, b.signature, b.sealed_at, k.fingerprint from evidence_block b join evidence_key k on k.id = b.key_id
order by b.number desc limit 1
"""
ANCHORED = "update evidence_state set anchored_block = $1, anchored_hash = $2, anchored_at = $3, anchor_trouble = ''"
TROUBLE = "update evidence_state set anchor_trouble = $1"
WHAT = {
    "changed": ("被改动", "changed"), "removed": ("被删除", "removed"), "inserted": ("是后来插入的", "inserted later"),
    "reordered": ("顺序被调换", "put in another order"), "unsigned": ("签名无效", "without a valid signature"),
    "broken": ("与前一区块不相连", "not connected to the block before"), "lost": ("缺少公钥", "lacks its public key"),
}  # fmt: skip


async def check_and_tell(services: Services, *, files: bool = False) -> Report:
    """Checks, keeps the report, and raises an alert when something does not fit."""
    report = await check(services, files=files)
    async with services.work() as work:
        await place.wait(work)
        await work.tx.execute(SAVE, work.now, report.as_json())
        if not report.ok:
            await _tell(work, report)
        work.ring("evidence")
    EVIDENCE_FAILED.set(report.total)
    return report


async def _tell(work: Work, report: Report) -> None:
    first = report.findings[0]
    zh, en = WHAT[first.what]
    await raise_alerts(
        work,
        [
            NewAlert(
                kind="evidence.broken",
                severity="high",
                title={
                    "zh-CN": f"证据链核验不通过：{report.total} 处，首处 {first.kind} {first.ref_id} {zh}",
                    "en": f"The chain of evidence does not hold in {report.total} places; the first: {first.kind} {first.ref_id}, {en}",
                },
                fingerprint=f"evidence:{first.what}:{first.kind}:{first.ref_id}:{work.now:%Y%m%d}",
                happened_at=work.now,
                detail={"total": report.total},
            )
        ],
    )


async def nightly(services: Services, job: Job) -> None:
    await check_and_tell(services)


async def ask(work: Work) -> None:
    """Now, once in a minute at most."""
    await put(work, CHECK, [f"asked:{work.now:%Y%m%d%H%M}"], [{}])


async def anchor(services: Services, job: Job) -> None:
    """The head, signed, as a file of its own in the second place: whoever takes blocks back does not reach it there."""
    settings = services.settings.evidence
    if not settings.anchor:
        return
    head = await services.db.fetchrow(HEAD)
    if head is None:
        return
    text = (
        f"scrm evidence head 1\nblock {head['number']}\nhash {head['hash'].hex()}\nsealed {head['sealed_at'].isoformat()}\n"
        f"key {head['fingerprint']}\nsignature {head['signature'].hex()}\n"
    )
    try:
        await SecondPlace.open(settings.anchor, settings.anchor_options).put(
            f"head-{head['number']:012d}.txt", text.encode()
        )
    except Exception as error:
        log.warning("the head of the chain cannot be anchored: %s", type(error).__name__)
        await services.db.execute(TROUBLE, f"{type(error).__name__}: {error}"[:300])
        return
    await services.db.execute(ANCHORED, head["number"], head["hash"], services.clock.now())
