"""The adapter contract: everything an adapter author needs to know, in one file.

A *provider* is one platform (WeCom, Douyin, ...). A company configures *connections* to it: the credentials of one app.
An adapter object serves exactly one connection. Behind a connection there are *accounts* (identities that customers talk
to), each on one *channel* (``wecom_kf``, ``douyin``, ...), and *contacts* (people as that connection knows them).

What the service does with an adapter
-------------------------------------
1. A webhook arrives. :meth:`Adapter.verify` says whether it is genuine. It is pure, runs inside the platform's deadline
   and must not do any I/O. The bytes it returns are stored durably, then the platform gets its answer.
2. Later, in a worker, :meth:`Adapter.parse` turns the stored bytes into :data:`Event` values. It is pure and total: what it
   does not know becomes :class:`Unrecognised`. It may be run again years later on the same bytes.
3. A rep answers. The message is a row first; then a worker calls :meth:`Adapter.send`. That is the only place where the
   adapter may wait. It returns a :class:`Receipt` or raises one of three errors that say what is certain:
   :class:`~scrm.errors.RetryLater` (certainly not sent, may work later), :class:`~scrm.errors.Rejected` (certainly not
   sent, will not work), :class:`~scrm.errors.Uncertain` (nobody knows). **Never guess**: a customer who gets a message
   twice is our bug, and so is a rep who believes that a message arrived.

Everything else is an optional protocol below (:class:`Pulls`, :class:`FetchesMedia`, ...), found with ``isinstance``. Do not
implement a method to say "not supported".

Adapters import ``scrm.channel``, ``scrm.errors`` and ``scrm.clock`` and nothing else of the service. They never see the
database. Identifiers are the platform's own strings; the service stores and compares them, and never looks inside.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal, Protocol, runtime_checkable

import aiohttp

from scrm.clock import Clock

JsonObject = dict[str, Any]


# --------------------------------------------------------------------------------------------------------------------
# What a channel can do (data, not code)
# --------------------------------------------------------------------------------------------------------------------


class Kind(StrEnum):
    """What a message is. Platform types map onto these; what fits none is ``OTHER`` with its text in ``text``."""

    TEXT = "text"
    IMAGE = "image"
    VOICE = "voice"
    VIDEO = "video"
    FILE = "file"
    STICKER = "sticker"
    LINK = "link"
    LOCATION = "location"
    MINIPROGRAM = "miniprogram"
    CONTACT_CARD = "contact_card"
    MENU = "menu"
    PRODUCT = "product"
    ORDER = "order"
    CHANNEL_POST = "channel_post"
    LEAD_CARD = "lead_card"
    MERGED = "merged"
    COMMENT = "comment"
    SYSTEM = "system"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Sentence:
    """One statement for people, in both languages of the page."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class MediaLimit:
    """What the platform accepts for one kind of media. ``mime_types`` empty means any."""

    max_bytes: int
    mime_types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WindowPolicy:
    """The rule that says when a business may write to a customer; shown to reps as ``rule``.

    ``duration`` counts from the inbound message that opens the window, ``quota`` is the number of messages allowed in it.
    """

    duration: timedelta
    quota: int
    rule: Sentence


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What one channel can do. The core and the page ask this, never the channel's name."""

    channel: str
    title: Sentence
    mark: str
    """One Chinese character that marks the channel on an avatar."""
    color: str
    """CSS colour of that mark."""
    sends: frozenset[Kind] = frozenset()
    """Kinds that :meth:`Adapter.send` accepts. Empty: nobody can answer from here, and ``read_only_reason`` says where."""
    read_only_reason: Sentence | None = None
    text_limit: int = 2000
    text_limit_unit: Literal["bytes", "characters"] = "characters"
    links_allowed: bool = True
    media: Mapping[Kind, MediaLimit] = field(default_factory=dict)
    window: WindowPolicy | None = None
    """None: one may always write."""
    deduplicates_sends: bool = False
    """The platform refuses or ignores a second send with the same ``OutgoingMessage.idempotency_key``, so that a send
    whose outcome is unknown may simply be repeated."""
    recall_within: timedelta | None = None
    """How long after sending :meth:`Recalls.recall` works. None: never."""
    welcomes: bool = False
    """A greeting may be sent with the code of a :class:`ContactEntered` event."""


# --------------------------------------------------------------------------------------------------------------------
# Webhooks
# --------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """An HTTP request as received; header names are lower-case."""

    method: Literal["GET", "POST"]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Verified:
    """The request is genuine: store ``raw`` under ``dedupe_key`` and answer with ``answer``.

    ``dedupe_key`` must be equal for the platform's own repetitions of one event and different for different events.
    """

    raw: bytes
    dedupe_key: str
    answer: bytes = b""
    content_type: str = "text/plain"
    urgent: bool = False
    """It allows something for seconds only (a greeting of a new contact): it is looked at before all others."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """An address check: answer at once, store nothing."""

    answer: bytes
    content_type: str = "text/plain"


@dataclass(frozen=True, slots=True)
class Raw:
    """A stored inbound item, as ``parse`` gets it. ``source`` is ``webhook`` or the ``stream`` of the pull it came from."""

    source: str
    body: bytes
    received_at: datetime


# --------------------------------------------------------------------------------------------------------------------
# Events: what parse() makes of raw items
# --------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AccountRef:
    """The account a thing happened on. An account not yet known is created from it, when ``channel`` is a channel that
    this adapter has capabilities for."""

    channel: str
    external_id: str
    name: str = ""
    avatar: str = ""


@dataclass(frozen=True, slots=True)
class ContactRef:
    """The person on the other side. Empty fields mean "not said", never "now empty"."""

    external_id: str
    name: str = ""
    avatar: str = ""
    union_id: str = ""
    """With a prefix that names its space, e.g. ``wechat:o6_bm...``: two contacts with one union id are one customer."""


@dataclass(frozen=True, slots=True)
class GroupRef:
    """A group chat; the conversation is with the group and the contact is who spoke."""

    external_id: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class WindowGrant:
    """Permission to write, opened by a customer's act.

    ``kind``: ``reply`` (the customer wrote) or ``enter`` (the customer opened the chat; shorter, and never displaces an
    open reply window). ``key`` is handed back in :attr:`OutgoingMessage.window_key`.
    """

    kind: Literal["reply", "enter"]
    expires_at: datetime
    quota: int
    key: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RemoteMedia:
    """A file that still lies with the platform. ``handle`` is what :meth:`FetchesMedia.fetch` needs; ``expires_at`` is when
    the platform will have deleted it."""

    kind: Kind
    handle: JsonObject
    name: str = ""
    mime: str = ""
    size: int = 0
    width: int = 0
    height: int = 0
    duration_ms: int = 0
    expires_at: datetime | None = None


class SenderKind(StrEnum):
    CUSTOMER = "customer"
    AGENT = "agent"
    """A colleague, writing in the platform's own client."""
    BOT = "bot"
    """Automatic: keyword answers and welcomes configured on the platform."""
    APP = "app"
    """Sent over the platform's API: by this service (an echo) or, with ``foreign_app``, by another one."""
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class MessageReceived:
    """One message of a conversation, in either direction.

    ``content`` holds what the page needs to render the kind (see ``docs/writing-an-adapter.md``); ``text`` is what search
    and the conversation list show. ``echo`` marks our own API's sends coming back: the service matches them to its rows.
    """

    account: AccountRef
    contact: ContactRef
    message_id: str
    direction: Literal["in", "out"]
    kind: Kind
    text: str
    sent_at: datetime
    content: JsonObject = field(default_factory=dict)
    media: tuple[RemoteMedia, ...] = ()
    sender: SenderKind = SenderKind.CUSTOMER
    sender_id: str = ""
    sender_name: str = ""
    group: GroupRef | None = None
    window: WindowGrant | None = None
    echo: bool = False


@dataclass(frozen=True, slots=True)
class MessageRecalled:
    """``message_id`` was withdrawn. It may come before the message itself."""

    account: AccountRef
    contact: ContactRef
    message_id: str
    by: Literal["customer", "agent"]
    at: datetime


@dataclass(frozen=True, slots=True)
class SendFailed:
    """The platform accepted a message of ours and reports later that it was not delivered."""

    account: AccountRef
    contact: ContactRef
    message_id: str
    code: str
    reason: Sentence
    at: datetime


@dataclass(frozen=True, slots=True)
class ContactEntered:
    """A customer opened the chat. ``welcome_code`` (when given) allows one greeting until ``welcome_until``; what uses no code
    of its own on the platform still needs one here, equal for repetitions. ``window`` alone is for whoever answers."""

    account: AccountRef
    contact: ContactRef
    at: datetime
    scene: str = ""
    welcome_code: str = ""
    welcome_until: datetime | None = None
    window: WindowGrant | None = None
    data: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SessionChanged:
    """Who may answer on the platform side changed. ``service_state`` is shown; ``can_send`` False closes the composer with
    ``reason``."""

    account: AccountRef
    contact: ContactRef
    at: datetime
    service_state: str
    can_send: bool
    reason: Sentence | None = None
    servicer_id: str = ""
    data: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """Something that happened on the platform and is kept for other parts of the service: contacts added or deleted, groups,
    tags, the directory, comments, follows, authorisations.

    ``name`` is dotted and past tense, ``contact.added``; ``data`` has the platform's fields under their own names.
    The names in use: see ``docs/writing-an-adapter.md``.
    """

    name: str
    at: datetime
    account: AccountRef | None = None
    contact: ContactRef | None = None
    data: JsonObject = field(default_factory=dict)
    needs_attention: Sentence | None = None
    """Set when an administrator must act (an authorisation was withdrawn, a quota is used up)."""


@dataclass(frozen=True, slots=True)
class PullRequested:
    """The platform rang: new items wait in ``stream``. ``token`` is passed to the next pull."""

    stream: str
    token: str = ""


@dataclass(frozen=True, slots=True)
class Ignored:
    """Understood, and of no interest; ``why`` says so."""

    why: str


@dataclass(frozen=True, slots=True)
class Unrecognised:
    """Genuine but not understood. It stays in the event log, is counted, and can be parsed again by a later version."""

    why: str


Event = (
    MessageReceived
    | MessageRecalled
    | SendFailed
    | ContactEntered
    | SessionChanged
    | Occurrence
    | PullRequested
    | Ignored
    | Unrecognised
)


# --------------------------------------------------------------------------------------------------------------------
# Sending
# --------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OutgoingMedia:
    """A file to send. ``read`` gives its bytes; ``sha256`` lets an adapter reuse an upload of the same file."""

    sha256: str
    name: str
    mime: str
    size: int
    read: Callable[[], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """What a rep (or the service itself) wants to say.

    ``idempotency_key``: 32 characters of ``0-9a-z``, the same on every attempt of one message.
    ``window_key``: the :attr:`WindowGrant.key` of the window this answer uses.
    ``welcome_code``: set when this is the greeting that a :class:`ContactEntered` allowed.
    """

    account_id: str
    contact_id: str
    kind: Kind
    text: str
    idempotency_key: str
    content: JsonObject = field(default_factory=dict)
    media: OutgoingMedia | None = None
    window_key: JsonObject = field(default_factory=dict)
    window_kind: str = ""
    welcome_code: str = ""
    group_id: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The platform accepted the message. ``platform_message_id`` may be empty where the platform gives none."""

    platform_message_id: str
    sent_at: datetime | None = None


# --------------------------------------------------------------------------------------------------------------------
# The required part
# --------------------------------------------------------------------------------------------------------------------


class Adapter(Protocol):
    """One connection to one platform. Built by :attr:`Provider.build`, closed with :meth:`close`."""

    @property
    def capabilities(self) -> Mapping[str, Capabilities]:
        """By channel name. Constant for the life of the adapter."""
        ...

    def verify(self, request: WebhookRequest) -> Verified | Challenge:
        """Raises :class:`~scrm.errors.BadSignature` (403), :class:`~scrm.errors.BadRequest` (400). No I/O."""
        ...

    def parse(self, raw: Raw) -> Sequence[Event]:
        """Pure and total: never raises for any bytes. One raw item may hold several events."""
        ...

    async def send(self, message: OutgoingMessage) -> Receipt:
        """Raises :class:`~scrm.errors.RetryLater`, :class:`~scrm.errors.Rejected`, :class:`~scrm.errors.Uncertain`."""
        ...

    async def close(self) -> None: ...


# --------------------------------------------------------------------------------------------------------------------
# Optional abilities
# --------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PulledItem:
    dedupe_key: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """``items`` may be empty while ``has_more`` is true. ``cursor`` is stored in the same transaction as the items."""

    items: Sequence[PulledItem]
    cursor: str
    has_more: bool


@runtime_checkable
class Pulls(Protocol):
    """Platforms where a callback only rings and the items are read by cursor."""

    async def streams(self) -> Sequence[str]:
        """All streams of this connection, for periodic reconciliation. Raises the errors of ``send``."""
        ...

    async def pull(self, stream: str, cursor: str, token: str) -> Page:
        """The page after ``cursor`` (empty: from the oldest the platform still has). Raises the errors of ``send``."""
        ...


@runtime_checkable
class FetchesMedia(Protocol):
    def fetch(self, handle: JsonObject) -> AsyncIterator[bytes]:
        """The bytes of a :class:`RemoteMedia`. Raises ``RetryLater``, or ``Rejected`` when the platform no longer has it."""
        ...


@runtime_checkable
class KnowsContacts(Protocol):
    profile_batch: int

    async def profiles(self, contact_ids: Sequence[str]) -> Sequence[ContactRef]:
        """Profiles of those that the platform will tell, at most ``profile_batch`` ids a call; the rest is left out."""
        ...


@runtime_checkable
class KnowsAccounts(Protocol):
    async def accounts(self) -> Sequence[AccountRef]:
        """All accounts behind this connection."""
        ...


@runtime_checkable
class Recalls(Protocol):
    async def recall(self, account_id: str, contact_id: str, message_id: str, window_key: JsonObject) -> None:
        """Withdraws a sent message. Raises the errors of ``send``."""
        ...


@runtime_checkable
class KeepsSessions(Protocol):
    """The platform itself has a session with states per conversation (WeCom KF)."""

    async def end_session(self, account_id: str, contact_id: str) -> None:
        """The conversation was closed here: close it there too. Raises the errors of ``send``."""
        ...

    async def session(self, account_id: str, contact_id: str) -> SessionChanged: ...


@dataclass(frozen=True, slots=True)
class TokenState:
    """How long an authorisation still lives. ``attention`` is set when a person must act before ``needs_person_by``."""

    valid_until: datetime | None
    needs_person_by: datetime | None = None
    attention: Sentence | None = None
    renewals_left: int | None = None


@runtime_checkable
class Authorises(Protocol):
    """A person grants access in a browser (OAuth), and tokens are renewed in the background."""

    def authorise_url(self, redirect_uri: str, state: str) -> str: ...

    async def authorised(self, code: str) -> AccountRef:
        """Exchanges the code, keeps the tokens by ``AdapterContext.save_state``, returns the account that was granted."""
        ...

    async def renew(self) -> Sequence[tuple[str, TokenState]]:
        """Called every few minutes: renews what is close to its end. Returns the state per account id."""
        ...


@runtime_checkable
class SignsPeopleIn(Protocol):
    """The company's own people sign in to the service with what they are on the platform: by its QR code, or in its client."""

    @property
    def signs_in(self) -> bool:
        """False while this connection lacks a setting for it."""
        ...

    def sign_in_address(self, redirect_uri: str, state: str) -> str:
        """Where the browser goes; the platform sends it to ``redirect_uri`` with ``code`` and the same ``state``
        (at most 128 letters and digits)."""
        ...

    async def identify(self, code: str) -> str:
        """Whose code it is, as :meth:`person_id` writes it. Raises the errors of ``send``: ``Rejected`` for a code that is
        wrong, used or too old, and for people who do not work here."""
        ...

    def person_id(self, external_id: str) -> str:
        """The one way in which an id is written: platforms that do not tell upper from lower case would let two agents be
        the same person."""
        ...


# --------------------------------------------------------------------------------------------------------------------
# Building adapters
# --------------------------------------------------------------------------------------------------------------------


class SharedCache(Protocol):
    """A small cache shared by all processes of the service, for access tokens and the like."""

    async def get_or_make(
        self, key: str, make: Callable[[], Awaitable[tuple[str, float]]], *, not_value: str | None = None
    ) -> str:
        """The cached value, or the one that ``make`` returns with its life in seconds. One caller makes, others wait.
        A cached value equal to ``not_value`` (it was just refused) counts as absent."""
        ...


@dataclass(frozen=True, slots=True)
class ArchiveAccess:
    """What the operator configured for reading chat archives: the vendor's native library, and the way out for it."""

    library: str = ""
    proxy: str = ""
    proxy_password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class AdapterContext:
    """What the service lends to an adapter."""

    http: aiohttp.ClientSession
    clock: Clock
    cache: SharedCache
    load_state: Callable[[], Awaitable[JsonObject]]
    """The connection's own durable state (encrypted at rest), shared by all processes."""
    save_state: Callable[[Callable[[JsonObject], JsonObject]], Awaitable[JsonObject]]
    """Changes that state under a lock: gets a pure function from the old to the new state, returns the new one."""
    archive: ArchiveAccess = ArchiveAccess()


@dataclass(frozen=True, slots=True)
class ConnectionConfig:
    """The configured connection: ``settings`` are public, ``secrets`` are decrypted just for this object."""

    id: int
    key: str
    settings: Mapping[str, str]
    secrets: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class SettingField:
    """One field of the form with which an administrator adds a connection. ``choices``: the only values there are, with their
    names; empty: any text."""

    name: str
    label: Sentence
    help: Sentence
    secret: bool = False
    required: bool = True
    default: str = ""
    choices: tuple[tuple[str, Sentence], ...] = ()


@dataclass(frozen=True, slots=True)
class Provider:
    """A platform, as registered in ``scrm.app`` or by a package with the entry point group ``scrm.adapters``.

    ``name`` is the ``{provider}`` of ``/webhooks/{provider}/{connection_key}``.
    """

    name: str
    title: Sentence
    fields: tuple[SettingField, ...]
    build: Callable[[ConnectionConfig, AdapterContext], Adapter]
