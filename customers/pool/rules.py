"""What makes customers fall back into the public pool, and how much of it somebody may take."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from scrm.company import Setting
from scrm.views import Id

Ids = Annotated[list[Id], Field(max_length=200)]
Days = Annotated[int, Field(ge=1, le=3650)]


class PoolRule(BaseModel):
    """An owner who has not followed up a customer for ``days`` loses them. Of the rules in their order the first whose stages
    fit (none: all) decides about a customer; whoever its exceptions name stays with their owner.

    A follow-up, a new owner and a new stage start the days anew. ``warn_days`` before, the owner (and ``warn_agent_ids``) is
    told; nobody is taken away sooner after the warning. ``to_agent_id``: who gets them in place of the pool.
    ``keep_waiting``: not while the customer waits for an answer in an open conversation."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    days: Days = 30
    stage_ids: Ids = Field(default_factory=list)
    except_tag_ids: Ids = Field(default_factory=list)
    except_value_fen: Annotated[int, Field(ge=0, le=10**15)] | None = None
    except_shared: bool = False
    warn_days: Annotated[int, Field(ge=0, le=365)] = 3
    warn_agent_ids: Ids = Field(default_factory=list)
    to_agent_id: Id | None = None
    keep_waiting: bool = True

    @model_validator(mode="after")
    def _warned_in_time(self) -> PoolRule:
        if self.warn_days >= self.days:
            raise ValueError("Warn fewer days before than the days that the rule waits.")
        return self


class ClaimLimits(BaseModel):
    """Null: without a limit. ``hold_most``: so many customers somebody may have altogether and still claim. ``cool_days``: so long
    somebody cannot claim a customer back that they lost or dropped."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    per_day: Annotated[int, Field(ge=0, le=100_000)] | None = 20
    hold_most: Annotated[int, Field(ge=1, le=1_000_000)] | None = 500
    cool_days: Annotated[int, Field(ge=0, le=3650)] = 7


LIMITS = Setting("pool", ClaimLimits())
