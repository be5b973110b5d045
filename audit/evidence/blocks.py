"""A block's header: plain text, so that ``sha256sum`` and ``openssl`` are enough to check it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from scrm.db import Row

NOTHING = bytes(32)
"""What comes before the first block."""


@dataclass(frozen=True, slots=True)
class Header:
    number: int
    previous: bytes
    root: bytes
    count: int
    sealed_at: datetime
    key: str
    """The fingerprint of the key that signs it."""

    @property
    def text(self) -> str:
        moment = self.sealed_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return (
            f"scrm evidence block 1\nnumber {self.number}\nprevious {self.previous.hex()}\nroot {self.root.hex()}\n"
            f"leaves {self.count}\nsealed {moment}\nkey {self.key}\n"
        )

    @property
    def hash(self) -> bytes:
        return sha256(self.text.encode()).digest()


def header_of(row: Row) -> Header:
    return Header(row["number"], row["previous"], row["root"], row["leaves"], row["sealed_at"], row["fingerprint"])
