"""How far each stream of a customer's story has been read, as a text that a browser hands back."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from scrm.errors import Unprocessable
from scrm.views import MAX_ID

LARGEST = 20_000
"""Bytes of an unpacked cursor."""
END = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Reached:
    """``line``: the last one of the timeline that was told; ``said``: by conversation, the seq before which reading goes on; ``events``:
    the same by contact, with the event's id. One that is missing came later: it stands on an earlier page."""

    line: tuple[datetime, int] | None
    said: dict[int, int]
    events: dict[int, int]

    @classmethod
    def start(cls, conversations: Mapping[int, int], contacts: Sequence[int]) -> Reached:
        return cls((END, MAX_ID), dict(conversations), dict.fromkeys(contacts, MAX_ID))

    def take(self, stream: tuple[str, int], then: Any) -> None:
        name, place = stream
        if name == "line":
            self.line = then
        else:
            (self.said if name == "said" else self.events)[place] = then

    def encode(self) -> str:
        at, line_id = self.line or (END, 0)
        said = {str(one): seq for one, seq in self.said.items() if seq > 1}
        events = {str(one): before for one, before in self.events.items() if before > 1}
        packed = zlib.compress(orjson.dumps([at.isoformat(), line_id, said, events]), 9)
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str) -> Reached:
        """Raises :class:`Unprocessable` for what was not made here."""
        try:
            packed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            at, line_id, said, events = orjson.loads(zlib.decompressobj().decompress(packed, LARGEST))
            moment = datetime.fromisoformat(at)
            if moment.tzinfo is None:
                raise ValueError("no zone")
            return cls((moment, _number(line_id)), _numbers(said), _numbers(events))
        except (ValueError, TypeError, AttributeError, OverflowError, binascii.Error, zlib.error) as error:
            raise Unprocessable("This cursor is not valid.", fields={"cursor": "Begin without one."}) from error


def _numbers(value: Any) -> dict[int, int]:
    return {_number(int(one)): _number(other) for one, other in list(value.items())[:200]}


def _number(value: Any) -> int:
    if not isinstance(value, int) or not 0 <= value <= MAX_ID:
        raise ValueError("no id")
    return value
