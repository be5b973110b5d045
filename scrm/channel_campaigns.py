"""Third page of the contract: one thing said to many. Posts that members confirm, posts a platform spreads itself, Moments.

As on the other pages a platform implements what it has and the core asks with ``isinstance``. All calls raise the errors of
``send`` (``RetryLater``, ``Rejected``, ``Uncertain``). Who may be reached how often is data (:class:`ReceiveLimit`): the core keeps
the counts, shows them before anything is scheduled, and refuses before the platform does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal, Protocol, runtime_checkable

from scrm.channel import Kind, OutgoingMedia, Sentence
from scrm.channel_contacts import AttachmentKind, GreetingPart

__all__ = [
    "AskedMember",
    "AskedResult",
    "AsksMembers",
    "BroadcastResult",
    "Broadcasts",
    "MomentJob",
    "MomentMember",
    "MomentPost",
    "MomentReactions",
    "Moments",
    "Post",
    "ReceiveLimit",
    "ResultState",
    "SpreadPost",
    "TaskRef",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class ReceiveLimit:
    """How many posts one person gets at most in one calendar period by the platform's clock (``zone``).

    ``times`` 0 with ``period`` month: as many as the month has days. ``everything``: posts of all accounts of the connection count
    together; otherwise each account counts for itself.
    """

    times: int
    period: Literal["day", "week", "month"]
    rule: Sentence
    everything: bool = True
    zone: str = "Asia/Shanghai"


@dataclass(frozen=True, slots=True)
class Post:
    """Words and attachments. ``parts`` as in greetings."""

    text: str
    parts: Sequence[GreetingPart] = ()


# --------------------------------------------------------------------------------------------------------------------
# Posts that the company's members confirm in their own client
# --------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TaskRef:
    """A task as the platform lists it: for finding one whose making had an unknown outcome."""

    task_id: str
    text: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class AskedMember:
    """``sent_at`` None: did not confirm yet."""

    account_id: str
    sent_at: datetime | None


class ResultState(StrEnum):
    WAITING = "waiting"
    SENT = "sent"
    NOT_A_FRIEND = "not_a_friend"
    LIMIT_REACHED = "limit_reached"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class AskedResult:
    """Of one customer or group."""

    external_id: str
    state: ResultState
    sent_at: datetime | None = None


@runtime_checkable
class AsksMembers(Protocol):
    """Nothing is sent by the call: a member confirms each task in the client, or does not."""

    task_channel: str
    """The channel whose accounts are asked."""
    task_batch: int
    """How many customers one task takes, ``group_task_batch`` how many groups."""
    group_task_batch: int
    task_parts: int
    task_text_bytes: int
    task_kinds: frozenset[AttachmentKind]
    task_limits: Sequence[ReceiveLimit]
    tasks_per_minute: int
    """How many tasks one connection makes in a minute, all processes together."""
    reminders_per_task: int

    async def ask(
        self, account_id: str, post: Post, *, contact_ids: Sequence[str] = (), group_ids: Sequence[str] = ()
    ) -> tuple[str, Sequence[str]]:
        """Puts one task before one member: for customers or for groups, never both. Returns the task's id and those whom it cannot
        reach. A repetition is a second task: after ``Uncertain`` look with :meth:`tasks` first."""
        ...

    async def tasks(
        self, *, groups: bool, since: datetime, until: datetime, cursor: str
    ) -> tuple[Sequence[TaskRef], str]:
        """A page of the tasks that the company made in this time, and the next cursor (empty: no more)."""
        ...

    async def asked_members(self, task_id: str, cursor: str) -> tuple[Sequence[AskedMember], str]:
        """``RetryLater`` while the platform still hands the task out."""
        ...

    async def asked_results(self, task_id: str, account_id: str, cursor: str) -> tuple[Sequence[AskedResult], str]:
        """A page of results of one member. For groups only those that were sent may be told."""
        ...

    async def remind(self, task_id: str) -> None:
        """Raises ``Rejected`` with code ``reminded_enough`` when the platform takes no more reminders."""
        ...

    async def withdraw(self, task_id: str) -> None:
        """Takes the task from members who did not confirm. Harmless to repeat."""
        ...


# --------------------------------------------------------------------------------------------------------------------
# Posts that a platform spreads by itself
# --------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SpreadPost:
    """One message of one kind. ``idempotency_key``: 32 characters of 0-9a-z, the same on every attempt."""

    kind: Kind
    text: str
    idempotency_key: str
    content: dict[str, object] = field(default_factory=dict)
    media: OutgoingMedia | None = None


@dataclass(frozen=True, slots=True)
class BroadcastResult:
    """What the platform tells of a whole post: only totals, never names. ``state`` waiting: not done yet. ``filtered``: how many were
    to get it after the platform's own rules."""

    broadcast_id: str
    state: Literal["waiting", "done", "failed"]
    total: int = 0
    filtered: int = 0
    sent: int = 0
    failed: int = 0
    code: str = ""
    reason: Sentence | None = None


@runtime_checkable
class Broadcasts(Protocol):
    """One call for many people. Its end comes as an :class:`~scrm.channel.Occurrence` ``broadcast.finished`` with the fields of
    :class:`BroadcastResult` in its data, and by :meth:`broadcast_result` when that got lost."""

    broadcast_channel: str
    broadcast_least: int
    broadcast_batch: int
    """How few and how many people one call takes."""
    broadcast_kinds: frozenset[Kind]
    broadcast_text_bytes: int
    broadcast_limits: Sequence[ReceiveLimit]
    broadcasts_per_minute: int
    broadcasts_per_day: int

    async def broadcast(self, account_id: str, contact_ids: Sequence[str], post: SpreadPost) -> str:
        """Returns the platform's id. The platform drops a repetition with the same key, so an unknown outcome may be repeated; leave
        a minute between, and expect ``Uncertain`` again while it has the post and does not tell the id yet."""
        ...

    async def broadcast_preview(self, account_id: str, contact_id: str, post: SpreadPost) -> None:
        """The post for one person's eyes, outside of the limits above (the platform has others)."""
        ...

    async def broadcast_result(self, broadcast_id: str) -> BroadcastResult: ...

    async def broadcast_delete(self, broadcast_id: str) -> None:
        """Takes a post back where the platform can: those who have it may keep it."""
        ...


# --------------------------------------------------------------------------------------------------------------------
# Moments
# --------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MomentPost:
    """Text with up to ``moment_pictures`` pictures, or one video, or one link with its cover. ``account_ids``: whose moment it will be;
    nobody is refused. ``tag_ids``: the platform's ids of tags whose customers see it (of one tag or another); empty: all."""

    text: str
    parts: Sequence[GreetingPart] = ()
    account_ids: Sequence[str] = ()
    tag_ids: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class MomentJob:
    """``moment_id`` when done; ``refused``: members who cannot post it; ``refused_tags``: tags that the platform does not know."""

    state: Literal["waiting", "done", "failed"]
    moment_id: str = ""
    refused: Sequence[str] = ()
    code: str = ""
    reason: Sentence | None = None
    refused_tags: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class MomentMember:
    account_id: str
    published: bool


@dataclass(frozen=True, slots=True)
class MomentReactions:
    """Who commented and who liked, with the moment of it: ids of contacts, without the company's own people. The words of comments are not
    told."""

    comments: Sequence[tuple[str, datetime]] = ()
    likes: Sequence[tuple[str, datetime]] = ()


@runtime_checkable
class Moments(Protocol):
    """Posts in members' Moments; each member publishes their own in the client. Making one takes a while: a job."""

    moment_channel: str
    moment_text_limit: int
    moment_text_bytes: int
    moment_pictures: int
    moments_per_minute: int
    moments_per_month: int

    async def post_moment(self, post: MomentPost) -> str:
        """Returns the id of the job. A repetition is a second post: after ``Uncertain`` look with :meth:`moments` first."""
        ...

    async def moment_job(self, job_id: str) -> MomentJob:
        """Jobs are known for a day; ``Rejected`` for one that the platform does not know."""
        ...

    async def moments(self, *, since: datetime, until: datetime, cursor: str) -> tuple[Sequence[TaskRef], str]:
        """A page of the moments that the company made in this time (thirty days at most), and the next cursor (empty: no more). One shows
        here when its job is done, not before."""
        ...

    async def moment_members(self, moment_id: str, cursor: str) -> tuple[Sequence[MomentMember], str]:
        """``RetryLater`` while the platform still hands it out."""
        ...

    async def moment_audience(self, moment_id: str, account_id: str, cursor: str) -> tuple[Sequence[str], str]:
        """A page of contacts for whom this member's moment was meant; nobody before the member publishes it."""
        ...

    async def moment_receivers(self, moment_id: str, account_id: str, cursor: str) -> tuple[Sequence[str], str]:
        """A page of contacts to whom this member's moment was shown, after the platform's own rules; nobody before the member publishes
        it."""
        ...

    async def moment_reactions(self, moment_id: str, account_id: str) -> MomentReactions:
        """Nothing before the member publishes it."""
        ...

    async def withdraw_moment(self, moment_id: str) -> None:
        """For members who did not publish it yet. Harmless to repeat."""
        ...
