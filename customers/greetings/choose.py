"""Which greeting a new contact gets: that of the code they came by, else of the member whom they added, else of one of the member's
teams, else everybody's. At equal rank the older one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from customers.greetings.content import Content
from scrm.db import Row, Tx

ENABLED = """
select id, contact_code_id, accounts, teams, everybody, content, hours, off from welcome
where enabled and (contact_code_id is null or contact_code_id = any($1::bigint[])) order by id
"""


class Hours(BaseModel):
    """Working hours by the company's clock: ISO weekdays (1 is Monday), and a span of minutes of the day that may pass midnight."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    days: Annotated[tuple[Annotated[int, Field(ge=1, le=7)], ...], Field(min_length=1, max_length=7)]
    start: time
    end: time

    @model_validator(mode="after")
    def _some_time(self) -> Hours:
        if self.start == self.end:
            raise ValueError("Begin and end are the same moment.")
        if self.start.tzinfo or self.end.tzinfo:
            raise ValueError("Times are by the company's clock: write them without a zone.")
        return self

    def cover(self, here: datetime) -> bool:
        now, day = here.time(), here.isoweekday()
        if self.start < self.end:
            return day in self.days and self.start <= now < self.end
        # Past midnight: the small hours belong to the day before.
        yesterday = 7 if day == 1 else day - 1
        return (day in self.days and now >= self.start) or (yesterday in self.days and now < self.end)


@dataclass(frozen=True, slots=True)
class Choice:
    welcome_id: int
    content: Content


@dataclass(frozen=True, slots=True)
class Whose:
    """Who was added, and by what code."""

    code_id: int | None
    account_id: int | None
    team_ids: Sequence[int]


async def enabled(tx: Tx, code_ids: Sequence[int]) -> list[Row]:
    """Those that could be chosen for somebody who came by one of these codes or none."""
    return await tx.fetch(ENABLED, list(code_ids))


def choose(welcomes: Sequence[Row], whose: Whose, here: datetime) -> Choice | None:
    """``here``: by the company's clock."""
    found = min(welcomes, key=lambda row: _rank(row, whose), default=None)
    if found is None or _rank(found, whose) == _NOT:
        return None
    return Choice(found["id"], _by_hours(found, here))


_NOT = 9


def _rank(row: Row, whose: Whose) -> int:
    if row["contact_code_id"] is not None:
        return 0 if row["contact_code_id"] == whose.code_id else _NOT
    if whose.account_id is not None and whose.account_id in row["accounts"]:
        return 1
    if set(row["teams"]) & set(whose.team_ids):
        return 2
    return 3 if row["everybody"] else _NOT


def _by_hours(row: Row, here: datetime) -> Content:
    said: dict[str, Any] = row["content"]
    if row["off"] is not None and row["hours"] is not None and not Hours.model_validate(row["hours"]).cover(here):
        said = row["off"]
    return Content.model_validate(said)
