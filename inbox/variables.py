"""Names in an answer that stand for something of this conversation: ``{{customer.name}}``.

They are filled where the answer is sent, on the server. A value that is missing stops the send: a customer must never read a hole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import Field

from scrm.company import FACTS
from scrm.db import Row, Tx
from scrm.errors import Unprocessable
from scrm.permissions import Principal
from scrm.variables import MOMENTS, filled, names_in, of_moment
from scrm.views import View

NAMES: tuple[str, ...] = (
    "customer.name",
    "customer.remark",
    "customer.city",
    "agent.name",
    "account.name",
    "company.name",
    *MOMENTS,
)
"""All there are; the page words each."""

VALUES = """
select v.id, a.name as account_name, k.name as contact_name, v.group_name, u.name as customer_name, u.remark, u.city
from conversation v join account a on a.id = v.account_id left join contact k on k.id = v.contact_id
left join customer u on u.id = k.customer_id where v.id = any($1::bigint[])
"""


class FilledView(View):
    """A text with its values in place; ``missing`` are the names that have none and stay as they were."""

    text: str
    missing: list[str] = Field(description="Names without a value: nothing can be sent before they are replaced.")


def unknown_in(text: str) -> list[str]:
    return [name for name in names_in(text) if name not in NAMES]


async def values_of(tx: Tx, principal: Principal, conversation_id: int, now: datetime) -> dict[str, str]:
    """What each name stands for; empty: there is no value."""
    found = await values_of_many(tx, principal.name, [conversation_id], now)
    return found[conversation_id]


async def values_of_many(
    tx: Tx, agent_name: str, conversation_ids: Sequence[int], now: datetime
) -> dict[int, dict[str, str]]:
    """The same for several conversations."""
    rows = {row["id"]: row for row in await tx.fetch(VALUES, list(conversation_ids))}
    facts = await FACTS.load(tx)
    moments = of_moment(now.astimezone(facts.clock))
    return {
        one: {
            **(_of_customer(rows[one]) if one in rows else {}),
            "agent.name": agent_name,
            "account.name": rows[one]["account_name"] if one in rows else "",
            "company.name": facts.name,
            **moments,
        }
        for one in conversation_ids
    }


def fill(text: str, values: Mapping[str, str]) -> FilledView:
    """Puts the values in. Braces with a name that does not exist are left alone: they are no variable of ours."""
    missing = [name for name in names_in(text) if name in NAMES and not values.get(name, "").strip()]
    return FilledView(text=filled(text, values), missing=missing)


def filled_or_refused(text: str, values: Mapping[str, str]) -> str:
    """Raises :class:`Unprocessable` (``value_missing``) and says which."""
    view = fill(text, values)
    if view.missing:
        raise Unprocessable(
            f"There is no value for {', '.join(view.missing)}: write it in before sending.",
            fields={"text": ", ".join(view.missing)},
            code="value_missing",
        )
    return view.text


def _of_customer(row: Row) -> dict[str, str]:
    return {
        "customer.name": row["customer_name"] or row["contact_name"] or row["group_name"] or "",
        "customer.remark": row["remark"] or "",
        "customer.city": row["city"] or "",
    }
