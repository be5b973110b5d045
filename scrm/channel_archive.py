"""Fourth page of the contract: the archive of what employees wrote in their own clients.

A platform hands out *sealed* records in the order of a sequence, for some days only. The core stores what it got before anybody tries to read
it, with the cursor, in one transaction; opening, understanding and media come after and may be repeated as often as needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, Protocol, runtime_checkable

from scrm.channel import JsonObject, Kind, RemoteMedia, Sentence

__all__ = [
    "Agreement",
    "ArchiveUnready",
    "ArchivedMessage",
    "Archives",
    "Envelope",
    "KnowsConsent",
    "MediaPart",
    "Opened",
]


class ArchiveUnready(Exception):
    """The archive cannot be read until somebody does something: ``reason`` says what."""

    def __init__(self, code: str, reason: Sentence) -> None:
        super().__init__(f"{code}: {reason.en}")
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Envelope:
    """One record as the platform gave it. ``key_version``: which of the company's public keys it was sealed with."""

    seq: int
    message_id: str
    key_version: int
    sealed_key: str
    sealed_message: str


@dataclass(frozen=True, slots=True)
class Opened:
    """``record``: the platform's own words, byte for byte; None when it could not be opened, for the reason ``code``:

    ``no_key`` the private key of this version is not known · ``wrong_key`` the key fits not · ``broken`` the envelope is damaged ·
    ``crash`` the platform's library died over it · ``later`` to be tried again.
    """

    record: bytes | None
    code: Literal["", "no_key", "wrong_key", "broken", "crash", "later"] = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class MediaPart:
    """``index`` goes into the next call. ``last``: the file is complete."""

    data: bytes
    index: str
    last: bool


@dataclass(frozen=True, slots=True)
class ArchivedMessage:
    """What a record says, in the contract's words. ``kind`` etc. as in :class:`~scrm.channel.MessageReceived`.

    ``action``: ``send`` a message · ``recall`` of ``recalls`` · ``other`` something that is no message.
    ``at`` None: not told. ``sender`` and ``receivers`` are the platform's ids; the ones of the company are in ``members``. ``room`` is empty in a chat of two.
    """

    message_id: str
    action: Literal["send", "recall", "other"]
    at: datetime | None
    sender: str
    receivers: Sequence[str]
    members: frozenset[str]
    room: str
    kind: Kind
    text: str
    platform_kind: str
    content: JsonObject = field(default_factory=dict)
    media: Sequence[RemoteMedia] = ()
    recalls: str = ""
    known: bool = True
    """False: a type that nobody knew when this was written; the record is kept as it is."""


@runtime_checkable
class Archives(Protocol):
    """Calls raise ``RetryLater`` when the platform or the way to it fails, ``Rejected`` when it refuses, and :class:`ArchiveUnready`."""

    archive_channel: str
    """The channel whose accounts are the employees."""
    archive_keeps: timedelta
    """How long the platform hands out a record and its media."""
    archive_page: int
    """How many records one call may bring."""

    async def archived_after(self, seq: int, limit: int) -> Sequence[Envelope]:
        """The next records after ``seq``, in order. Empty: there are no more at the moment."""
        ...

    async def open_envelopes(self, envelopes: Sequence[Envelope], keys: Mapping[int, bytes]) -> Sequence[Opened]:
        """One answer per envelope. ``keys``: the private keys in PEM, by version."""
        ...

    def understand(self, record: bytes) -> ArchivedMessage:
        """Pure and total: the unknown becomes ``known=False``. Raises :class:`ValueError` only for what is no JSON object."""
        ...

    async def archived_media(self, handle: JsonObject, index: str) -> MediaPart:
        """The next part of a file; ``index`` empty: the first. ``Rejected`` with code ``expired``: too late for ever."""
        ...


@dataclass(frozen=True, slots=True)
class Agreement:
    """Whether somebody outside lets a chat be archived. ``member``: of a chat of two, whose; in a group it is empty.

    ``by_default``: they were told and said nothing. ``at``: since when, where that is told.
    """

    contact: str
    state: Literal["agreed", "by_default", "refused"]
    at: datetime | None
    member: str = ""


@runtime_checkable
class KnowsConsent(Protocol):
    """Optional beside :class:`Archives`: whose chats are archived, and who outside agreed to it. Raises what that does."""

    consent_batch: int
    """The most chats of two that one call asks about."""

    async def archived_members(self) -> Sequence[str]:
        """All employees whose chats are archived at the moment, by the platform's ids."""
        ...

    async def agreements(self, pairs: Sequence[tuple[str, str]]) -> Sequence[Agreement]:
        """Of pairs of a member and a contact. Pairs that the platform does not tell about are left out."""
        ...

    async def room_agreements(self, room: str) -> Sequence[Agreement]:
        """Of everybody outside who is in a group. Empty: the platform does not tell about it."""
        ...
