"""What the company decides for all campaigns: from which size a second person is needed, how often one customer hears from us, the
quiet hours that a new campaign starts with."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from campaigns.shapes import Quiet
from scrm.company import Setting
from scrm.permissions import Principal
from scrm.services import Work
from scrm.trail import record

LONGEST_WORD = 20
OPT_OUT_WORDS = ("退订", "TD", "拒收", "不再接收", "unsubscribe", "stop")
Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_WORD)]
RoleKey = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class CampaignRules(BaseModel):
    """``approve_above``: campaigns for more recipients need a second person; null: none does for its size. ``approve_roles``: whatever
    people of these roles submit needs one. ``cap_times`` posts per ``cap_days`` for one customer over all campaigns (null: no
    cap); a campaign's own cap holds too. ``quiet``: of a new campaign. ``opt_out_words``: a customer who answers
    a post with exactly one of them gets no more."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    approve_above: Annotated[int, Field(ge=0, le=100_000_000)] | None = 500
    approve_roles: Annotated[tuple[RoleKey, ...], Field(max_length=50)] = ()
    cap_times: Annotated[int, Field(ge=1, le=100)] | None = None
    cap_days: Annotated[int, Field(ge=1, le=365)] = 7
    quiet: Quiet | None = Quiet()
    opt_out_words: Annotated[tuple[Word, ...], Field(max_length=50)] = OPT_OUT_WORDS


RULES = Setting("campaigns", CampaignRules())


async def change_rules(work: Work, principal: Principal, rules: CampaignRules, *, address: str) -> None:
    await RULES.save(work, rules, by=principal.agent_id)
    await record(
        work, "campaign_rules.changed", agent_id=principal.agent_id, address=address, detail=rules.model_dump(mode="json")
    )  # fmt: skip
