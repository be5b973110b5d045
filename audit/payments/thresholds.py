"""What the company wants to be told of: decided once, changed on the page by those who keep the rules."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from scrm.company import Setting

Fen = Annotated[int, Field(ge=1, le=10**15)]


class MoneyThresholds(BaseModel):
    """Amounts in fen; None: not watched. ``single_fen``: one payment of at least so much. ``member_day_fen``: all that one employee gave and
    got on one day of the company. ``packets_week_fen``: red packets to one customer in one week. ``claims``: tell of what was said and not
    seen within ``claim_hours`` before or after."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    single_fen: Fen | None = 500_000
    member_day_fen: Fen | None = 2_000_000
    packets_week_fen: Fen | None = 20_000
    claims: bool = True
    claim_hours: Annotated[int, Field(ge=1, le=168)] = 24

    @property
    def window(self) -> timedelta:
        return timedelta(hours=self.claim_hours)


THRESHOLDS = Setting("money", MoneyThresholds())
