"""Evidence from the command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from audit.evidence.bundle import Wanted
from audit.evidence.chain import Sealer
from audit.evidence.checking import Report
from audit.evidence.exporting import make
from audit.evidence.watching import check_and_tell
from customers.let_in import colleagues
from scrm.errors import Forbidden, NotFound
from scrm.permissions import AUDIT_EVIDENCE
from scrm.services import Services
from scrm.trail import record


async def verify_evidence(services: Services, *, files: bool) -> Report:
    """Seals what is new and checks everything."""
    await Sealer(services).everything()
    return await check_and_tell(services, files=files)


async def export_evidence(services: Services, login: str, conversations: Sequence[int], to: Path) -> None:
    """Raises :class:`NotFound` and :class:`Forbidden` as the page does."""
    async with services.work() as work:
        agent_id = await work.tx.fetchval("select id from agent where login = $1 and disabled_at is null", login)
        principal = (await colleagues(work, [agent_id])).get(agent_id) if agent_id is not None else None
        if principal is None:
            raise NotFound(f"There is nobody with the login {login}.")
        if not principal.may(AUDIT_EVIDENCE):
            raise Forbidden(f"{login} may not export evidence.")
        await record(
            work, "evidence.asked", agent_id=agent_id, object_kind="evidence", detail={"conversations": list(conversations)[:100], "by": "command"}
        )  # fmt: skip

    async def progress(done: int) -> None:
        return None

    await make(services, principal, [Wanted(one) for one in conversations], to, progress)
