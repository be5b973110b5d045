"""What a false alarm teaches its rule: a phrase that is meant otherwise, or a place where it need not look. Alerts that the rule would not raise
any more are put away with it."""

from __future__ import annotations

from collections.abc import Sequence

from audit.rules import edit
from audit.rules.book import only
from audit.rules.kinds import parsed
from audit.rules.said import MESSAGES_BY_ID, text_hits
from scrm.errors import NotFound, Unprocessable
from scrm.permissions import Principal
from scrm.services import Work
from scrm.trail import record

MOST_LOOKED_AT = 2000
MUTE = """
insert into audit_rule_mute (rule_id, conversation_id, account_id, muted_by, muted_at) values ($1, $2, $3, $4, $5)
on conflict do nothing returning id
"""
UNMUTE = "delete from audit_rule_mute where id = $1 and rule_id = $2 returning conversation_id, account_id"


async def except_phrase(work: Work, principal: Principal, rule_id: int, phrase: str, *, address: str) -> None:
    """Raises :class:`NotFound`, and :class:`Unprocessable` for a rule without phrases."""
    row = await edit.hold(work.tx, rule_id)
    data = row["data"]
    if "exceptions" not in data:
        raise Unprocessable(
            "This rule knows no exceptions. Let it not look at this conversation instead.", code="no_exceptions"
        )
    changed = {**data, "exceptions": list(dict.fromkeys([*data["exceptions"], phrase]))}
    if parsed(row["kind"], changed) is None:
        raise Unprocessable("The rule cannot take one more exception.", fields={"phrase": "Too many, or too long."})
    await edit.save(work, principal, row, changed, address=address)


async def mute(
    work: Work, principal: Principal, rule_id: int, conversation_id: int | None, account_id: int | None, *, address: str
) -> None:
    made = await work.tx.fetchval(MUTE, rule_id, conversation_id, account_id, principal.agent_id, work.now)
    if made is not None:
        await _noted(work, principal, "audit_rule.muted", rule_id, conversation_id, account_id, address)


async def unmute(work: Work, principal: Principal, rule_id: int, mute_id: int, *, address: str) -> None:
    """Raises :class:`NotFound`."""
    row = await work.tx.fetchrow(UNMUTE, mute_id, rule_id)
    if row is None:
        raise NotFound("The rule looks there already.")
    await _noted(work, principal, "audit_rule.unmuted", rule_id, row["conversation_id"], row["account_id"], address)


async def no_longer_found(work: Work, rule_id: int, message_ids: Sequence[int]) -> list[int]:
    """Of these messages those that the rule, as it is now, does not find."""
    book = await only(work.tx, rule_id)
    messages = await work.tx.fetch(MESSAGES_BY_ID, list(message_ids)[:MOST_LOOKED_AT])
    found = {hit.message["id"] for hit in await text_hits(book, messages)}
    return [row["id"] for row in messages if row["id"] not in found]


async def _noted(
    work: Work, principal: Principal, act: str, rule_id: int, conversation_id: int | None, account_id: int | None,
    address: str,
) -> None:  # fmt: skip
    work.ring("audit_rule", rule_id)
    await record(
        work, act, agent_id=principal.agent_id, object_kind="audit_rule", object_id=rule_id, address=address,
        detail={"conversation_id": conversation_id, "account_id": account_id},
    )  # fmt: skip
