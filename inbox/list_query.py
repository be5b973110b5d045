"""What one may ask of the conversation list, and where a page of it begins."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from scrm.errors import Unprocessable
from scrm.views import MAX_ID, Id, Input

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
CURSOR = re.compile(rb"^([nwxs])(-?\d{1,17})\.(\d{1,19})$")
MARKS = {"newest": "n", "waiting": "w", "window": "x", "sla": "s"}

ListView = Literal["mine", "unassigned", "team", "all", "helping", "mentions", "snoozed", "closed"]
Sort = Literal["newest", "waiting", "window", "sla"]
Ids = Annotated[str, StringConstraints(pattern=r"^[1-9]\d{0,17}(,[1-9]\d{0,17}){0,99}$")]
"""Several ids, with commas between them."""


class ListFilter(Input):
    """Which conversations. ``closing_hours``: those whose reply window ends within so many hours; ``breached``: those whose
    promised answer is late; ``labels``: any of them."""

    view: ListView = "all"
    account_id: Id | None = None
    accounts: Ids | None = None
    channel: Annotated[str, Field(max_length=40)] | None = None
    labels: Ids | None = None
    assignee: Id | None = None
    unread: bool = False
    waiting: bool = False
    closing_hours: Annotated[int, Field(ge=1, le=240)] | None = None
    breached: bool = False
    sort: Sort | None = None

    @property
    def account_ids(self) -> list[int] | None:
        if self.account_id is not None:
            return [self.account_id]
        return _numbers(self.accounts)

    @property
    def label_ids(self) -> list[int] | None:
        return _numbers(self.labels)

    @property
    def order(self) -> Sort:
        """Who waits longest comes first when only the waiting are asked for."""
        return self.sort or ("waiting" if self.waiting else "newest")

    @property
    def status(self) -> str:
        return {"snoozed": "snoozed", "closed": "closed"}.get(self.view, "open")


class ListQuery(ListFilter):
    """``cursor``: after the row it names; with ``back``: before it, and without a cursor: the last rows of all."""

    cursor: Annotated[str, Field(max_length=80)] | None = None
    back: bool = False
    limit: Annotated[int, Field(ge=1, le=100)] = 50

    @model_validator(mode="after")
    def _one_way_to_name_accounts(self) -> ListQuery:
        if self.account_id is not None and self.accounts is not None:
            raise ValueError("Give account_id or accounts.")
        return self


def _numbers(text: str | None) -> list[int] | None:
    return None if text is None else [int(one) for one in text.split(",")]


@dataclass(frozen=True, slots=True)
class Position:
    """At the row with this time and id, in the order of the list."""

    at: datetime
    id: int

    def encode(self, order: Sort) -> str:
        plain = f"{MARKS[order]}{(self.at - EPOCH) // MICROSECOND}.{self.id}"
        return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str, order: Sort) -> Position:
        """Raises :class:`Unprocessable` for anything that was not made here for this order."""
        try:
            plain = base64.b64decode(text.encode() + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
            found = CURSOR.match(plain)
            if found is None or found[1].decode() != MARKS[order] or int(found[3]) > MAX_ID:
                raise ValueError("another cursor")
            return cls(EPOCH + int(found[2]) * MICROSECOND, int(found[3]))
        except (ValueError, OverflowError, binascii.Error) as error:
            sentence = "Use a cursor of an earlier page of the same list."
            raise Unprocessable("This cursor cannot be used.", fields={"cursor": sentence}) from error
