"""The second page of the adapter contract: optional abilities around the company's relations with its customers.

``scrm.channel`` is the page that every adapter author reads; this one is for platforms on which the company's own people are
*members* (each an account that customers add), with profiles, tags, customer groups and a directory. As there: an ability is a
protocol, found with ``isinstance``; nobody implements a method to say "not supported". All methods raise the errors of
``Adapter.send`` (``RetryLater``, ``Rejected``; ``Uncertain`` only where something may have been done), and nothing else.

Platforms state these facts when asked and ring when they change, but rings are lost and changes made through the API ring
nobody. So every ability that reads can read *everything*, page by page, and the service compares that with what it holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal, Protocol, runtime_checkable

from scrm.channel import AccountRef, ContactRef, JsonObject, Occurrence, OutgoingMedia, Sentence

# --------------------------------------------------------------------------------------------------------------------
# The directory: the company's own people
# --------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Department:
    external_id: str
    name: str
    parent_id: str = ""
    order: int = 0


@dataclass(frozen=True, slots=True)
class Member:
    """One of the company's people. ``external_id`` as :meth:`~scrm.channel.SignsPeopleIn.person_id` writes it, which is also the
    ``external_id`` of the member's account. ``serves``: customers may add this person."""

    external_id: str
    name: str = ""
    avatar: str = ""
    position: str = ""
    department_ids: tuple[str, ...] = ()
    status: Literal["active", "disabled", "inactive", "left"] = "active"
    serves: bool = False


@runtime_checkable
class KnowsDirectory(Protocol):
    async def departments(self) -> Sequence[Department]: ...

    async def members(self) -> Sequence[Member]:
        """Everybody whom the app may see, each once."""
        ...


# --------------------------------------------------------------------------------------------------------------------
# Relations: a customer on the list of a member
# --------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Person:
    """What the platform says about a contact beside name and avatar. ``kind``: ``wechat`` or ``company`` (a person of another
    company on the same platform)."""

    contact: ContactRef
    kind: str = ""
    gender: Literal["", "male", "female"] = ""
    company: str = ""
    position: str = ""
    profile: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Relation:
    """A contact on the list of a member (the ``account``). What stands here belongs to the relation: two members may call one
    person by two remarks. ``tags`` are external ids of company tags. ``way`` says how they met, in the platform's own code with the
    words for people beside it; ``source`` is the ``state`` of the code that was scanned."""

    account: AccountRef
    contact: ContactRef
    added_at: datetime
    remark: str = ""
    description: str = ""
    company: str = ""
    phones: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    way: str = ""
    way_words: Sentence | None = None
    source: str = ""
    by_contact: bool = False
    """The customer added the member, not the other way round."""


@dataclass(frozen=True, slots=True)
class RelationPage:
    """Persons and relations of some members. ``cursor`` empty: this was the last page."""

    persons: Sequence[Person]
    relations: Sequence[Relation]
    cursor: str


@runtime_checkable
class KnowsRelations(Protocol):
    relation_accounts_batch: int
    """How many accounts one call of :meth:`relations` takes."""

    async def relation_accounts(self) -> Sequence[AccountRef]:
        """All members who may have customers."""
        ...

    async def relations(self, account_ids: Sequence[str], cursor: str) -> RelationPage:
        """A page of all relations of these members. ``Rejected`` for a batch may be the fault of one of them: ask for each alone."""
        ...

    async def relations_of(self, contact_id: str) -> RelationPage:
        """One contact with all relations, complete. An empty page when nobody has this contact (any more)."""
        ...


@dataclass(frozen=True, slots=True)
class RelationChange:
    """What to write into a relation; None stays as it is. ``phones`` replaces all."""

    remark: str | None = None
    description: str | None = None
    company: str | None = None
    phones: tuple[str, ...] | None = None


@runtime_checkable
class WritesRelations(Protocol):
    """Writing what is so already is harmless, so a write whose outcome is unknown is simply repeated."""

    relation_limits: Mapping[str, int]
    """The most characters of ``remark``, ``description``, ``company``, and the most ``phones``."""

    async def describe(self, account_id: str, contact_id: str, change: RelationChange) -> None: ...

    async def mark(self, account_id: str, contact_id: str, add: Sequence[str], remove: Sequence[str]) -> None:
        """Adds and removes company tags, by external id."""
        ...


# --------------------------------------------------------------------------------------------------------------------
# Tags
# --------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PlatformTag:
    external_id: str
    name: str
    order: int = 0


@dataclass(frozen=True, slots=True)
class PlatformTagGroup:
    external_id: str
    name: str
    tags: Sequence[PlatformTag]
    order: int = 0


@runtime_checkable
class KeepsTags(Protocol):
    tag_name_limit: int

    async def tags(self) -> Sequence[PlatformTagGroup]:
        """All groups with all tags."""
        ...

    async def add_tags(
        self, *, group_id: str, group_name: str, names: Sequence[str], orders: Sequence[int] = ()
    ) -> PlatformTagGroup:
        """Into the group with this id, or (id empty) the group with this name, made when it is new. Names that exist are
        returned as they are, so repeating is harmless. ``orders``: for each name, larger first; empty: as they come."""
        ...

    async def change_tag(self, external_id: str, *, name: str | None = None, order: int | None = None) -> None:
        """A tag or a group. ``Rejected`` for those that another app made."""
        ...

    async def delete_tags(self, *, tag_ids: Sequence[str] = (), group_ids: Sequence[str] = ()) -> None:
        """Those that are gone already count as deleted."""
        ...


# --------------------------------------------------------------------------------------------------------------------
# Customer groups
# --------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GroupMember:
    """``external_id`` is a member's or a contact's, by ``kind``."""

    external_id: str
    kind: Literal["member", "contact"]
    name: str = ""
    union_id: str = ""
    joined_at: datetime | None = None
    scene: str = ""
    """How they came: ``invited``, ``link`` or ``code``."""
    invited_by: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class CustomerGroup:
    external_id: str
    name: str
    owner_id: str
    members: Sequence[GroupMember]
    admin_ids: tuple[str, ...] = ()
    created_at: datetime | None = None
    notice: str = ""
    version: str = ""
    """The platform's own number of the list of members."""


@dataclass(frozen=True, slots=True)
class GroupIdPage:
    """``ids`` with the state of their owner: ``normal``, ``owner_left``, ``moving``, ``moved``."""

    ids: Sequence[tuple[str, str]]
    cursor: str


@runtime_checkable
class KnowsGroups(Protocol):
    async def group_ids(self, cursor: str, *, owner_ids: Sequence[str] = ()) -> GroupIdPage:
        """A page of all groups, or of those of some owners. ``cursor`` empty in the answer: the last one."""
        ...

    async def group(self, external_id: str) -> CustomerGroup | None:
        """None: it was dissolved, or is none of ours."""
        ...

    def group_of(self, occurrence: Occurrence) -> str:
        """The external id of the group that a ``group.*`` occurrence is about; empty when it does not say. Pure."""
        ...


# --------------------------------------------------------------------------------------------------------------------
# Codes that customers scan, and the greeting of a new contact
# --------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CodeSpec:
    """A code that adds one of ``account_ids``. ``source`` comes back in :attr:`Relation.source` and in the event."""

    account_ids: Sequence[str]
    source: str
    remark: str = ""
    skip_verify: bool = True


@runtime_checkable
class MakesContactCodes(Protocol):
    code_limits: Mapping[str, int]
    """The most characters of ``source`` and ``remark``, and the most ``accounts`` of a code."""

    async def make_code(self, spec: CodeSpec) -> tuple[str, str]:
        """Returns its external id and the address of its picture. ``Uncertain`` when it may have been made."""
        ...

    async def change_code(self, external_id: str, spec: CodeSpec) -> None: ...

    async def delete_code(self, external_id: str) -> None:
        """One that is gone already counts as deleted."""
        ...

    async def codes(self, *, since: datetime | None = None) -> Sequence[tuple[str, str]]:
        """External id and ``source`` of all, or of those made after ``since``: to find one whose making was uncertain. May cost
        a call for each, so say ``since`` where it is known."""
        ...


class AttachmentKind(StrEnum):
    IMAGE = "image"
    LINK = "link"
    MINIPROGRAM = "miniprogram"
    VIDEO = "video"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class GreetingPart:
    """One attachment. ``content`` as in messages of this kind (``docs/writing-an-adapter.md``); ``media`` is the file, or the
    cover of a link or mini-program."""

    kind: AttachmentKind
    content: JsonObject = field(default_factory=dict)
    media: OutgoingMedia | None = None


@runtime_checkable
class GreetsNewContacts(Protocol):
    """A ``contact.added`` (or ``contact.half_added``, ``contact.archive_approved``) occurrence may carry a ``WelcomeCode`` in
    its data: it allows one greeting, within :attr:`greeting_seconds` of the event. What has to be uploaded first counts too:
    prepare it with :meth:`prepare_greeting` long before."""

    greeting_seconds: float
    greeting_text_bytes: int
    greeting_parts: int

    async def prepare_greeting(self, parts: Sequence[GreetingPart]) -> None:
        """Uploads the files of a greeting, so that :meth:`greet` does not have to. Harmless to repeat."""
        ...

    async def greet(self, welcome_code: str, text: str, parts: Sequence[GreetingPart]) -> None:
        """Raises ``Rejected`` with code ``already_greeted`` when it, or another app, was faster, ``too_late`` after the time.
        A repetition of one that arrived is refused by the platform, so an unknown outcome may be repeated."""
        ...


# --------------------------------------------------------------------------------------------------------------------
# Handing over
# --------------------------------------------------------------------------------------------------------------------


class TransferState(StrEnum):
    """Of one customer on the way to another member."""

    WAITING = "waiting"
    """Accepted; takes effect by itself after a day unless the customer refuses."""
    DONE = "done"
    REFUSED = "refused"
    TAKER_FULL = "taker_full"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class TransferAnswer:
    """What the platform says of one customer or group. ``reason`` for ``failed``; ``at`` when it takes or took effect."""

    external_id: str
    state: TransferState
    code: str = ""
    reason: Sentence | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Unassigned:
    """A customer of somebody who left."""

    account_id: str
    contact_id: str
    left_at: datetime | None = None


@runtime_checkable
class TransfersRelations(Protocol):
    transfer_batch: int
    """How many customers one call takes."""
    transfer_text_limit: int
    group_transfer_batch: int

    async def transfer(
        self, from_id: str, to_id: str, contact_ids: Sequence[str], *, left: bool, text: str = ""
    ) -> Sequence[TransferAnswer]:
        """``left``: the giver is no longer in the company (then ``text`` is not used). ``Uncertain`` when it may have been done:
        :meth:`transfer_results` tells."""
        ...

    async def transfer_results(
        self, from_id: str, to_id: str, *, left: bool, cursor: str
    ) -> tuple[Sequence[TransferAnswer], str]:
        """A page of all customers that were ever handed from one to the other, and the next cursor."""
        ...

    async def unassigned(self, cursor: str) -> tuple[Sequence[Unassigned], str]:
        """A page of customers whose member left and who wait for another, and the next cursor."""
        ...

    async def transfer_groups(self, group_ids: Sequence[str], to_id: str, *, left: bool) -> Sequence[TransferAnswer]:
        """Groups get their new owner at once: ``done`` or ``failed`` for each."""
        ...


# --------------------------------------------------------------------------------------------------------------------
# Notices to the company's own people
# --------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NoticeCard:
    title: str
    text: str
    url: str
    button: str = ""


@runtime_checkable
class NotifiesPeople(Protocol):
    @property
    def notifies(self) -> bool:
        """False while this connection lacks a setting for it."""
        ...

    notice_batch: int

    async def notify(self, person_ids: Sequence[str], card: NoticeCard) -> Sequence[str]:
        """A card for each of these people. Returns those whom it did not reach. What is too long is cut. The platform drops a
        repetition of the same card to the same people within half an hour, so an unknown outcome may be repeated."""
        ...
