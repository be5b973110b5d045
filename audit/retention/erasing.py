"""Erasing what there is of one person, at their request. Planned first: what would go, what stays and why. Confirmed by a second act; then a
loop does it in small batches, and the report says what became of everything.

What a legal hold keeps stays, and with it the profile. Nothing held: the profile goes the way of the recycle bin (customers/bulk/bin.py).
"""

from __future__ import annotations

from typing import Any

from audit.retention.burying import bury
from audit.retention.holds import removing
from audit.retention.person import OPEN, PROFILE, counted, whole_person
from customers.bulk.bin import erase
from customers.queries import customer_row
from scrm.db import Row, Tx
from scrm.errors import Conflict, NotFound, Unprocessable
from scrm.permissions import Principal
from scrm.services import Services, Work
from scrm.trail import record

AT_ONCE = 200

THEIR_PAYMENTS = """
from payment p where exists (select from contact k where k.connection_id = p.connection_id and k.external_id = p.contact_ref
  and k.customer_id = any($1::bigint[])) and p.contact_ref <> ''
"""
PAYMENTS = f"select count(*) {THEIR_PAYMENTS}"
PAYMENT_WORDS = f"update payment set note = '' where note <> '' and id in (select p.id {THEIR_PAYMENTS})"  # noqa: S608
"""Amounts, times and the platform's numbers are books that the law wants kept; what was written beside them is the person's."""

PLAN = """
insert into erasure (customer_id, reason, asked_by, asked_at, report, client_token) values ($1, $2, $3, $4, $5, $6)
on conflict (client_token) do nothing returning id
"""
COLUMNS = "id, customer_id, state, reason, asked_by, asked_at, confirmed_by, confirmed_at, finished_at, report"
ONE = f"select {COLUMNS} from erasure where id = $1"  # noqa: S608
LIST = f"select {COLUMNS} from erasure where $1::bigint is null or id < $1 order by id desc limit $2"  # noqa: S608
BEGIN = """
update erasure set state = 'running', confirmed_by = $2, confirmed_at = $3 where id = $1 and state = 'planned' returning customer_id
"""
CANCEL = (
    "update erasure set state = 'cancelled', finished_at = $2 where id = $1 and state = 'planned' returning customer_id"
)
NEXT = """
select id, customer_id, confirmed_by, report from erasure where state = 'running' order by id limit 1 for update skip locked
"""
SAVE = "update erasure set report = $2 where id = $1"
FINISH = "update erasure set state = 'done', finished_at = $2, report = $3 where id = $1"


async def plan(work: Work, principal: Principal, customer_id: int, reason: str, token: str, *, address: str) -> Row:
    """Counts, and changes nothing. Raises :class:`NotFound` for a customer out of reach."""
    before = await work.tx.fetchval("select id from erasure where client_token = $1", token)
    if before is None:
        row = await customer_row(work.tx, principal, customer_id)
        whole = await whole_person(work.tx, row["id"])
        report = {"found": await counted(work.tx, whole), "removed": {}, "stays": []}
        before = await work.tx.fetchval(PLAN, row["id"], reason, principal.agent_id, work.now, report, token)
        if before is not None:
            await _note(work, principal.agent_id, "erasure.planned", before, row["id"], address, why=reason)
        else:
            before = await work.tx.fetchval("select id from erasure where client_token = $1", token)
    return await find(work.tx, int(before))


async def find(tx: Tx, erasure_id: int) -> Row:
    row = await tx.fetchrow(ONE, erasure_id)
    if row is None:
        raise NotFound("There is no such erasure.")
    return row


async def confirm(work: Work, principal: Principal, erasure_id: int, typed: str, *, address: str) -> Row:
    """Raises :class:`Unprocessable` when the number of the customer was not typed, :class:`Conflict` when it was begun or cancelled."""
    row = await find(work.tx, erasure_id)
    await customer_row(work.tx, principal, row["customer_id"])
    if typed.strip() != str(row["customer_id"]):
        raise Unprocessable(
            "Type the number of the customer.", fields={"confirm": f"Type {row['customer_id']} to erase them for good."}
        )
    customer_id = await work.tx.fetchval(BEGIN, erasure_id, principal.agent_id, work.now)
    if customer_id is None:
        raise Conflict("It was begun or cancelled already.", code="changed_meanwhile")
    await _note(work, principal.agent_id, "erasure.confirmed", erasure_id, customer_id, address)
    work.ring("retention")
    return await find(work.tx, erasure_id)


async def cancel(work: Work, principal: Principal, erasure_id: int, *, address: str) -> Row:
    row = await find(work.tx, erasure_id)
    customer_id = await work.tx.fetchval(CANCEL, erasure_id, work.now)
    if customer_id is None:
        raise Conflict("It was begun or cancelled already.", code="changed_meanwhile")
    await _note(work, principal.agent_id, "erasure.cancelled", erasure_id, row["customer_id"], address)
    return await find(work.tx, erasure_id)


async def round_of(services: Services) -> bool:
    """One batch of one erasure. What was removed and the report move together: killed on any line, the next one goes on."""
    async with services.work() as work:
        row = await work.tx.fetchrow(NEXT)
        if row is None:
            return False
        await removing(work.tx)
        whole = await whole_person(work.tx, row["customer_id"])
        ids = [one["id"] for one in await work.tx.fetch(OPEN, whole, AT_ONCE)]
        if ids:
            before = await counted_files(work.tx, ids)
            gone = await bury(work, "message", ids, "erasure", row["confirmed_by"])
            report = dict(row["report"])
            _add(report, messages=gone, files=before["files"], records=before["records"])
            await work.tx.execute(SAVE, row["id"], report)
            return True
        await _finish(work, row, whole)
        return True


FILES = """
select (select count(*) from attachment where message_id = any($1::bigint[]) and sha256 is not null) as files,
  (select count(*) from archive_record r join message m on m.conversation_id = r.conversation_id and m.platform_message_id = r.message_id
   where m.id = any($1::bigint[]) and (r.record is not null or r.sealed_message <> '')) as records
"""


async def counted_files(tx: Tx, ids: list[int]) -> Row:
    row = await tx.fetchrow(FILES, ids)
    assert row is not None
    return row


async def _finish(work: Work, row: Row, whole: list[int]) -> None:
    report = dict(row["report"])
    left = await counted(work.tx, whole)
    held = left["held"] > 0 or left["profile_held"] > 0
    stays: list[dict[str, Any]] = []
    if payments := int(await work.tx.fetchval(PAYMENTS, whole)):
        stays.append({"what": "payments", "n": payments, "why": "law"})
    if held:
        for name, n in (("messages", left["held"]), ("files", left["held_files"]), ("records", left["held_records"])):
            if n:
                stays.append({"what": name, "n": n, "why": "hold"})
        stays += [{"what": name, "n": left[name], "why": "hold"} for name in PROFILE if left[name]]
    else:
        _add(report, **{name: left[name] for name in PROFILE}, profile=len(whole))
        await work.tx.execute(PAYMENT_WORDS, whole)
        await erase(work, whole)
    digests = sum(report["removed"].get(name, 0) for name in ("messages", "files", "records"))
    if digests:
        stays.append({"what": "digests", "n": digests, "why": "chain"})
    if left["trail"]:
        stays.append({"what": "trail", "n": left["trail"], "why": "trail"})
    report["stays"] = stays
    await work.tx.execute(FINISH, row["id"], work.now, report)
    await _note(work, row["confirmed_by"], "erasure.done", row["id"], row["customer_id"], "", kept=held)
    work.ring("customer", *whole)


def _add(report: dict[str, Any], **numbers: int) -> None:
    removed = dict(report["removed"])
    for name, n in numbers.items():
        removed[name] = removed.get(name, 0) + n
    report["removed"] = removed


async def _note(
    work: Work, agent_id: int | None, action: str, erasure_id: int, customer_id: int, address: str, **detail: Any
) -> None:
    await record(
        work, action, agent_id=agent_id, object_kind="customer", object_id=customer_id, address=address,
        detail={"erasure": erasure_id, **detail},
    )  # fmt: skip
