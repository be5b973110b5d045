"""The kinds of follow-ups and their outcomes: those that every company has, named by the page, and the company's own."""

from __future__ import annotations

import itertools
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from scrm.company import Setting
from scrm.db import Database, Tx
from scrm.errors import Unprocessable
from scrm.views import Line

BUILT_IN = ("call", "visit", "chat", "meeting", "mail", "other")
OUTCOMES = ("reached", "no_answer", "interested", "agreed", "not_now", "refused")

Key = Annotated[str, StringConstraints(pattern=r"^k[0-9a-z]{1,12}$")]


class OwnKind(BaseModel):
    """``key`` stays when the name changes: what was written stays of its kind. An archived one is offered no more."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: Key
    name: Line
    archived: bool = False


class FollowUpSettings(BaseModel):
    """``hidden``: built-in kinds that are not offered. ``outcomes``: the company's own words, offered after the built-in ones."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kinds: Annotated[tuple[OwnKind, ...], Field(max_length=40)] = ()
    hidden: Annotated[tuple[str, ...], Field(max_length=len(BUILT_IN) - 1)] = ()
    outcomes: Annotated[tuple[Line, ...], Field(max_length=40)] = ()

    @model_validator(mode="after")
    def _apart(self) -> FollowUpSettings:
        if any(one not in BUILT_IN for one in self.hidden):
            raise ValueError("Only built-in kinds can be hidden.")
        if len(set(self.hidden)) == len(BUILT_IN):
            raise ValueError("One kind has to stay.")
        if len({one.key for one in self.kinds}) < len(self.kinds):
            raise ValueError("Two kinds have the same key.")
        names = sorted(one.name.casefold() for one in self.kinds if not one.archived)
        if any(left == right for left, right in itertools.pairwise(names)):
            raise ValueError("Two kinds have the same name.")
        return self


SETTINGS = Setting("follow_ups", FollowUpSettings())


async def check_kind(tx: Tx | Database, kind: str) -> None:
    """Raises :class:`Unprocessable` for a kind that is not offered."""
    if kind in BUILT_IN:
        return
    own = (await SETTINGS.load(tx)).kinds
    if not any(one.key == kind and not one.archived for one in own):
        raise Unprocessable("There is no such kind of follow-up.", fields={"kind": "Choose one of the list."})
