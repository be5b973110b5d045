"""When somebody wants cards: by kind of notice, and not in their quiet hours."""

from __future__ import annotations

from datetime import datetime, time
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

CardWish = Literal["away", "always", "off"]
"""``away``: when they are not looking at the page."""
Clock = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class QuietHours(BaseModel):
    """Every day, by the company's clock. An end before the start is on the next day. Cards wait until the end."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    start: Clock = "21:00"
    end: Clock = "08:30"

    @model_validator(mode="after")
    def _some_time(self) -> QuietHours:
        if self.start == self.end:
            raise ValueError("Begin and end are the same moment.")
        return self

    def cover(self, here: datetime) -> bool:
        start, end, now = time.fromisoformat(self.start), time.fromisoformat(self.end), here.time()
        return start <= now < end if start < end else now >= start or now < end
