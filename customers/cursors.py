"""Places in lists that are ordered by a moment and an id: a page goes on where the last one ended, whatever was added meanwhile."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from scrm.errors import Unprocessable
from scrm.views import MAX_ID

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
SHAPE = re.compile(r"^(\d{1,17})\.(\d{1,19})$")


def cursor(at: datetime, last_id: int) -> str:
    return f"{(at - EPOCH) // MICROSECOND}.{last_id}"


def after(text: str | None) -> tuple[datetime | None, int | None]:
    """Raises :class:`Unprocessable` for a cursor that was not made here."""
    if text is None:
        return None, None
    found = SHAPE.match(text)
    try:
        if found is None or int(found[2]) > MAX_ID:
            raise ValueError("another cursor")
        return EPOCH + int(found[1]) * MICROSECOND, int(found[2])
    except (ValueError, OverflowError) as error:
        raise Unprocessable("This cursor is not valid.", fields={"cursor": "Begin without one."}) from error
