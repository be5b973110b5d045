"""Who asks, and what their filter may speak of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from customers.field_values import Field
from customers.fields import definitions
from customers.scope import CustomerScope
from scrm.company import FACTS
from scrm.db import Tx
from scrm.permissions import Principal

SEGMENTS = "select id, filter from segment where deleted_at is null"


@dataclass(frozen=True, slots=True)
class Asking:
    """``colleagues``: the people of the asker's teams; ``accounts``: those whose conversations they see whole; ``segments``: the
    filters of the company's segments, as they are stored."""

    scope: CustomerScope
    now: datetime
    zone: ZoneInfo
    fields: Mapping[str, Field]
    colleagues: Sequence[int] = ()
    accounts: Sequence[int] = ()
    segments: Mapping[int, Any] | None = None

    @property
    def agent_id(self) -> int:
        return self.scope.agent_id


async def asking(tx: Tx, principal: Principal, now: datetime) -> Asking:
    scope = CustomerScope.of(principal)
    company = await FACTS.load(tx)
    colleagues: list[int] = []
    accounts: list[int] = []
    if not scope.everything and scope.teams is not None:
        teams = list(scope.teams)
        rows = await tx.fetch("select distinct agent_id from team_member where team_id = any($1::bigint[])", teams)
        colleagues = [row["agent_id"] for row in rows]
        rows = await tx.fetch("select id from account where team_id is null or team_id = any($1::bigint[])", teams)
        accounts = [row["id"] for row in rows]
    fields = {field.key: field for field in await definitions(tx) if not field.archived}
    segments = {row["id"]: row["filter"] for row in await tx.fetch(SEGMENTS)}
    return Asking(scope, now, company.clock, fields, colleagues, accounts, segments)
