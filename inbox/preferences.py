"""How each agent wants to be told of what."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from inbox.cards.wishes import CardWish, QuietHours
from scrm.db import Database, Tx
from scrm.views import Input, View

LOAD = "select preferences -> 'notices' from agent where id = $1"
SAVE = "update agent set preferences = preferences || jsonb_build_object('notices', $2::jsonb) where id = $1"

KindName = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")]


class Ways(BaseModel):
    """How one kind of notice makes itself known, besides standing in the list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    popup: bool = True
    browser: bool = True
    sound: bool = True
    card: CardWish = "away"


class PreferencesView(View):
    """``kinds``: what differs from all ways, by kind of notice (and ``message``: a customer of mine wrote)."""

    kinds: dict[str, Ways] = Field(default_factory=dict)
    quiet_until: AwareDatetime | None = Field(default=None, description="Until then nothing pops up or sounds.")
    quiet_hours: QuietHours | None = Field(default=None, description="Every day no cards are sent then; they wait.")
    volume: Annotated[int, Field(ge=0, le=100)] = 60

    def card_of(self, kind: str) -> CardWish:
        return self.kinds.get(kind, Ways()).card


class PreferencesInput(Input):
    """What is given is changed; of ``kinds``, those that are named."""

    kinds: Annotated[dict[KindName, Ways], Field(max_length=40)] | None = None
    quiet_until: AwareDatetime | None = None
    quiet_hours: QuietHours | None = None
    volume: Annotated[int, Field(ge=0, le=100)] | None = None


async def load_preferences(tx: Tx | Database, agent_id: int) -> PreferencesView:
    """What is stored and no longer fits counts as not stored."""
    try:
        return PreferencesView.model_validate(await tx.fetchval(LOAD, agent_id) or {})
    except ValidationError:
        return PreferencesView()
