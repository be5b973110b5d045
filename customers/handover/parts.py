"""What can be handed over. Each part of the service that has such things offers a :class:`Mover`; ``scrm.app`` puts them together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from scrm.db import Tx
from scrm.services import Work

HandoverKind = Literal["part", "leaving", "account"]
OwnKind = Literal["customer", "conversation", "task", "scheduled"]


@dataclass(frozen=True, slots=True)
class Source:
    """Whose things. ``part``: some customers of ``agent_id`` and what belongs to them. ``leaving``: everything ``agent_id`` has.
    ``account``: customers and conversations of ``account_id``. ``customer_ids``: these only (a part)."""

    kind: HandoverKind
    agent_id: int | None
    account_id: int | None
    customer_ids: Sequence[int] | None = None
    keep_owners: bool = False
    """Of an account: customers who have an owner that works here keep them."""


@dataclass(frozen=True, slots=True)
class Found:
    """A thing to hand over. ``keep``: who has to get it, whoever else takes."""

    object_id: int
    customer_id: int | None
    from_id: int | None
    keep: int | None = None


@dataclass(frozen=True, slots=True)
class Moving:
    """A thing on its way, from one to the other; ``from_id`` None: it was nobody's."""

    item_id: int
    object_id: int
    customer_id: int | None
    from_id: int | None
    to_id: int | None


@dataclass(frozen=True, slots=True)
class Move:
    """The handover that things are moved by. ``back``: they return. The accounts: of a banned one and its successor."""

    handover_id: int
    by_id: int | None
    reason: str
    back: bool = False
    account_id: int | None = None
    to_account_id: int | None = None


class Mover(Protocol):
    kind: OwnKind
    permission: str
    """What one must be allowed to hand such things over."""

    async def find(self, tx: Tx, source: Source) -> Sequence[Found]:
        """What there is to hand over now, in the order of its ids."""
        ...

    async def move(self, work: Work, things: Sequence[Moving], how: Move) -> set[int]:
        """Moves those that are still where they were found; returns their items. Others were changed by somebody meanwhile."""
        ...
