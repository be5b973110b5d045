"""What the company decides once and an administrator changes on a page: typed values under a key, with a default each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from scrm.db import Database, Tx
from scrm.services import Work
from scrm.views import OptionalLine

M = TypeVar("M", bound=BaseModel)

SAVE = """
insert into company_setting (key, value, updated_by, updated_at) values ($1, $2, $3, $4)
on conflict (key) do update set value = excluded.value, updated_by = excluded.updated_by, updated_at = excluded.updated_at
"""


@dataclass(frozen=True, slots=True)
class Setting(Generic[M]):
    """``default`` holds until somebody decides otherwise, and when what is stored no longer fits the model."""

    key: str
    default: M

    async def load(self, tx: Tx | Database) -> M:
        value = await tx.fetchval("select value from company_setting where key = $1", self.key)
        if value is None:
            return self.default
        try:
            return type(self.default).model_validate(value)
        except ValidationError:
            return self.default

    async def save(self, work: Work, value: M, *, by: int | None) -> None:
        """Rings ``setting``; the caller writes the trail."""
        await work.tx.execute(SAVE, self.key, value.model_dump(mode="json"), by, work.now)
        work.ring("setting")


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("Write a time zone of the IANA list, such as Asia/Shanghai.")
    return name


class CompanyFacts(BaseModel):
    """What the company is called, and where its day begins."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: OptionalLine = ""
    time_zone: Annotated[str, AfterValidator(_zone)] = "Asia/Shanghai"

    @property
    def zone(self) -> str:
        return self.time_zone

    @property
    def clock(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


FACTS = Setting("general", CompanyFacts())
"""Times that people of the company read and write are in its zone, wherever their browser is."""
