"""Who may write the chain at this moment: one unit of work at a time, as long as it lasts. Killed, it never happened."""

from __future__ import annotations

from scrm.services import Work

BEGIN = "insert into evidence_state (one) values (true) on conflict do nothing"
TAKE = "select true from evidence_state for update skip locked"
WAIT = "select true from evidence_state for update"


async def take(work: Work) -> bool:
    """False: another process has it."""
    if await work.tx.fetchval(TAKE):
        return True
    if await work.tx.fetchval("select true from evidence_state"):
        return False
    await work.tx.execute(BEGIN)
    return bool(await work.tx.fetchval(TAKE))


async def wait(work: Work) -> None:
    await work.tx.execute(BEGIN)
    await work.tx.fetchval(WAIT)
