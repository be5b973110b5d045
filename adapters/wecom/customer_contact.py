"""The second page of the contract (:mod:`scrm.channel_contacts`) on one WeCom connection: who does what, nothing more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from adapters.wecom import bills, codes, describe, greeting, mass, moments, notices, relations, tags, transfers
from adapters.wecom.client import WeComClient
from adapters.wecom.directory import Directory
from adapters.wecom.greeting_files import GreetingFiles
from adapters.wecom.groups import Groups
from adapters.wecom.ids import MEMBER
from adapters.wecom.moment_files import PICTURES, MomentFiles
from scrm.channel import AccountRef, AdapterContext, Occurrence
from scrm.channel_campaigns import (
    AskedMember,
    AskedResult,
    MomentJob,
    MomentMember,
    MomentPost,
    MomentReactions,
    Post,
    ReceiveLimit,
    TaskRef,
)
from scrm.channel_contacts import (
    CodeSpec,
    CustomerGroup,
    Department,
    GreetingPart,
    GroupIdPage,
    Member,
    NoticeCard,
    PlatformTagGroup,
    RelationChange,
    RelationPage,
    TransferAnswer,
    Unassigned,
)
from scrm.channel_payments import Bill


class CustomerContact:
    """Mixed into the adapter."""

    relation_accounts_batch = relations.BATCH
    relation_limits: Mapping[str, int] = describe.LIMITS
    tag_name_limit = tags.NAME_LIMIT
    code_limits: Mapping[str, int] = codes.LIMITS
    greeting_seconds = greeting.SECONDS
    greeting_text_bytes = greeting.TEXT_BYTES
    greeting_parts = greeting.PARTS
    transfer_batch = transfers.BATCH
    transfer_text_limit = transfers.TEXT_LIMIT
    group_transfer_batch = transfers.GROUP_BATCH
    notice_batch = notices.BATCH
    task_channel = MEMBER
    task_batch = mass.BATCH
    group_task_batch = mass.GROUP_BATCH
    task_parts = mass.PARTS
    task_text_bytes = mass.TEXT_BYTES
    task_kinds = mass.KINDS
    task_limits: Sequence[ReceiveLimit] = mass.LIMITS
    tasks_per_minute = mass.PER_MINUTE
    reminders_per_task = mass.REMINDERS
    moment_channel = MEMBER
    moment_text_limit = moments.TEXT_LIMIT
    moment_text_bytes = moments.TEXT_BYTES
    moment_pictures = PICTURES
    moments_per_minute = moments.PER_MINUTE
    moments_per_month = moments.PER_MONTH
    bill_channel = MEMBER
    bill_window = bills.WINDOW

    def __init__(self, client: WeComClient, context: AdapterContext, *, corp_id: str, agent_id: str) -> None:
        self._directory = Directory(client)
        self._relations = relations.Relations(client, context.clock)
        self._descriptions = describe.Descriptions(client)
        self._tags = tags.Tags(client)
        self._groups = Groups(client, context.clock)
        self._codes = codes.Codes(client, context.clock)
        self._greetings = greeting.Greetings(client, GreetingFiles(client, context.cache, corp_id))
        self._mass = mass.MassTasks(client, self._greetings, context.clock)
        self._moments = moments.Moments(client, MomentFiles(client, context.cache, corp_id), context.clock)
        self._transfers = transfers.Transfers(client)
        self._notices = notices.Notices(client, agent_id)
        self._bills = bills.Bills(client)

    # Directory

    async def departments(self) -> Sequence[Department]:
        return await self._directory.departments()

    async def members(self) -> Sequence[Member]:
        return await self._directory.members()

    # Relations

    async def relation_accounts(self) -> Sequence[AccountRef]:
        return await self._relations.accounts()

    async def relations(self, account_ids: Sequence[str], cursor: str) -> RelationPage:
        return await self._relations.page(account_ids, cursor)

    async def relations_of(self, contact_id: str) -> RelationPage:
        return await self._relations.of(contact_id)

    async def describe(self, account_id: str, contact_id: str, change: RelationChange) -> None:
        await self._descriptions.describe(account_id, contact_id, change)

    async def mark(self, account_id: str, contact_id: str, add: Sequence[str], remove: Sequence[str]) -> None:
        await self._descriptions.mark(account_id, contact_id, add, remove)

    # Tags

    async def tags(self) -> Sequence[PlatformTagGroup]:
        return await self._tags.all()

    async def add_tags(
        self, *, group_id: str, group_name: str, names: Sequence[str], orders: Sequence[int] = ()
    ) -> PlatformTagGroup:
        return await self._tags.add(group_id=group_id, group_name=group_name, names=names, orders=orders)

    async def change_tag(self, external_id: str, *, name: str | None = None, order: int | None = None) -> None:
        await self._tags.change(external_id, name=name, order=order)

    async def delete_tags(self, *, tag_ids: Sequence[str] = (), group_ids: Sequence[str] = ()) -> None:
        await self._tags.delete(tag_ids=tag_ids, group_ids=group_ids)

    # Groups

    async def group_ids(self, cursor: str, *, owner_ids: Sequence[str] = ()) -> GroupIdPage:
        return await self._groups.ids(cursor, owner_ids=owner_ids)

    async def group(self, external_id: str) -> CustomerGroup | None:
        return await self._groups.read(external_id)

    def group_of(self, occurrence: Occurrence) -> str:
        chat_id = occurrence.data.get("ChatId")
        return chat_id if isinstance(chat_id, str) else ""

    # Codes and greetings

    async def make_code(self, spec: CodeSpec) -> tuple[str, str]:
        return await self._codes.make(spec)

    async def change_code(self, external_id: str, spec: CodeSpec) -> None:
        await self._codes.change(external_id, spec)

    async def delete_code(self, external_id: str) -> None:
        await self._codes.delete(external_id)

    async def codes(self, *, since: datetime | None = None) -> Sequence[tuple[str, str]]:
        return await self._codes.all(since)

    async def prepare_greeting(self, parts: Sequence[GreetingPart]) -> None:
        await self._greetings.prepare(parts)

    async def greet(self, welcome_code: str, text: str, parts: Sequence[GreetingPart]) -> None:
        await self._greetings.greet(welcome_code, text, parts)

    # Handing over

    async def transfer(
        self, from_id: str, to_id: str, contact_ids: Sequence[str], *, left: bool, text: str = ""
    ) -> Sequence[TransferAnswer]:
        return await self._transfers.customers(from_id, to_id, contact_ids, left=left, text_for_customer=text)

    async def transfer_results(
        self, from_id: str, to_id: str, *, left: bool, cursor: str
    ) -> tuple[Sequence[TransferAnswer], str]:
        return await self._transfers.results(from_id, to_id, left=left, cursor=cursor)

    async def unassigned(self, cursor: str) -> tuple[Sequence[Unassigned], str]:
        return await self._transfers.unassigned(cursor)

    async def transfer_groups(self, group_ids: Sequence[str], to_id: str, *, left: bool) -> Sequence[TransferAnswer]:
        return await self._transfers.groups(group_ids, to_id, left=left)

    # Notices

    @property
    def notifies(self) -> bool:
        return self._notices.possible

    async def notify(self, person_ids: Sequence[str], card: NoticeCard) -> Sequence[str]:
        return await self._notices.send(person_ids, card)

    # Mass messages

    async def ask(
        self, account_id: str, post: Post, *, contact_ids: Sequence[str] = (), group_ids: Sequence[str] = ()
    ) -> tuple[str, Sequence[str]]:
        return await self._mass.ask(account_id, post, contact_ids, group_ids)

    async def tasks(
        self, *, groups: bool, since: datetime, until: datetime, cursor: str
    ) -> tuple[Sequence[TaskRef], str]:
        return await self._mass.tasks(groups=groups, since=since, until=until, cursor=cursor)

    async def asked_members(self, task_id: str, cursor: str) -> tuple[Sequence[AskedMember], str]:
        return await self._mass.members(task_id, cursor)

    async def asked_results(self, task_id: str, account_id: str, cursor: str) -> tuple[Sequence[AskedResult], str]:
        return await self._mass.results(task_id, account_id, cursor)

    async def remind(self, task_id: str) -> None:
        await self._mass.remind(task_id)

    async def withdraw(self, task_id: str) -> None:
        await self._mass.withdraw(task_id)

    # Moments

    async def post_moment(self, post: MomentPost) -> str:
        return await self._moments.post(post)

    async def moment_job(self, job_id: str) -> MomentJob:
        return await self._moments.job(job_id)

    async def moments(self, *, since: datetime, until: datetime, cursor: str) -> tuple[Sequence[TaskRef], str]:
        return await self._moments.made(since=since, until=until, cursor=cursor)

    async def moment_members(self, moment_id: str, cursor: str) -> tuple[Sequence[MomentMember], str]:
        return await self._moments.members(moment_id, cursor)

    async def moment_audience(self, moment_id: str, account_id: str, cursor: str) -> tuple[Sequence[str], str]:
        return await self._moments.chosen(moment_id, account_id, cursor)

    async def moment_receivers(self, moment_id: str, account_id: str, cursor: str) -> tuple[Sequence[str], str]:
        return await self._moments.receivers(moment_id, account_id, cursor)

    async def moment_reactions(self, moment_id: str, account_id: str) -> MomentReactions:
        return await self._moments.reactions(moment_id, account_id)

    async def withdraw_moment(self, moment_id: str) -> None:
        await self._moments.withdraw(moment_id)

    # Money

    async def bills(self, *, since: datetime, until: datetime, cursor: str) -> tuple[Sequence[Bill], str]:
        return await self._bills.page(since, until, cursor)
