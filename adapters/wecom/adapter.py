"""One connection to WeCom: the parts of this folder behind the contract of :mod:`scrm.channel`.

Offers Pulls, FetchesMedia, KnowsContacts, KnowsAccounts, KeepsSessions and SignsPeopleIn, everything of
:mod:`scrm.channel_contacts`, AsksMembers and Moments of :mod:`scrm.channel_campaigns`,
Archives and KnowsConsent of :mod:`scrm.channel_archive`, Intercepts of :mod:`scrm.channel_intercepts`
and ListsBills of :mod:`scrm.channel_payments`. Customer service has no call to recall a message.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence

from adapters.wecom.accounts import Accounts
from adapters.wecom.archive import ChatArchive
from adapters.wecom.archive_consent import ArchiveConsent
from adapters.wecom.capabilities import CAPABILITIES
from adapters.wecom.client import WeComClient
from adapters.wecom.customer_contact import CustomerContact
from adapters.wecom.finance_process import Access
from adapters.wecom.ids import MEMBER, member
from adapters.wecom.intercepts import LIMITS, InterceptRules
from adapters.wecom.media import fetch_media
from adapters.wecom.parse import parse
from adapters.wecom.profiles import BATCH, Profiles
from adapters.wecom.pull import Puller
from adapters.wecom.send import Sender
from adapters.wecom.sessions import Sessions
from adapters.wecom.sign_in import SignIn
from adapters.wecom.uploads import Uploads
from adapters.wecom.verify import CallbackVerifier
from scrm.channel import (
    AccountRef,
    AdapterContext,
    Capabilities,
    Challenge,
    ContactRef,
    Event,
    JsonObject,
    OutgoingMessage,
    Page,
    Raw,
    Receipt,
    SessionChanged,
    Verified,
    WebhookRequest,
)
from scrm.channel_intercepts import InterceptEntry, InterceptRule


class WeComAdapter(CustomerContact, ChatArchive, ArchiveConsent):
    profile_batch = BATCH
    intercept_channel = MEMBER
    intercept_limits = LIMITS

    def __init__(
        self,
        verifier: CallbackVerifier,
        client: WeComClient,
        context: AdapterContext,
        sign_in: SignIn,
        archive: Access,
        consent: WeComClient | None,
        *,
        corp_id: str,
        agent_id: str,
    ) -> None:
        CustomerContact.__init__(self, client, context, corp_id=corp_id, agent_id=agent_id)
        ChatArchive.__init__(self, archive)
        ArchiveConsent.__init__(self, consent)
        self._verifier = verifier
        self._client = client
        self._accounts = Accounts(client)
        self._puller = Puller(client, self._accounts)
        self._sender = Sender(client, Uploads(client, context.clock))
        self._profiles = Profiles(client)
        self._sessions = Sessions(client, context.clock)
        self._sign_in = sign_in
        self._intercepts = InterceptRules(client)

    @property
    def capabilities(self) -> Mapping[str, Capabilities]:
        return CAPABILITIES

    def verify(self, request: WebhookRequest) -> Verified | Challenge:
        return self._verifier.verify(request)

    def parse(self, raw: Raw) -> Sequence[Event]:
        return parse(raw)

    async def send(self, message: OutgoingMessage) -> Receipt:
        return await self._sender.send(message)

    async def streams(self) -> Sequence[str]:
        return await self._puller.streams()

    async def pull(self, stream: str, cursor: str, token: str) -> Page:
        return await self._puller.pull(stream, cursor, token)

    def fetch(self, handle: JsonObject) -> AsyncIterator[bytes]:
        return fetch_media(self._client, handle)

    async def profiles(self, contact_ids: Sequence[str]) -> Sequence[ContactRef]:
        return await self._profiles.read(contact_ids)

    async def accounts(self) -> Sequence[AccountRef]:
        return await self._accounts.served()

    async def session(self, account_id: str, contact_id: str) -> SessionChanged:
        return await self._sessions.read(account_id, contact_id)

    async def end_session(self, account_id: str, contact_id: str) -> None:
        await self._sessions.end(account_id, contact_id)

    @property
    def signs_in(self) -> bool:
        return self._sign_in.possible

    def sign_in_address(self, redirect_uri: str, state: str) -> str:
        return self._sign_in.address(redirect_uri, state)

    async def identify(self, code: str) -> str:
        return await self._sign_in.identify(code)

    def person_id(self, external_id: str) -> str:
        return member(external_id)

    async def close(self) -> None:
        """Ends the archive's processes. The HTTP session belongs to the service."""
        await self.close_archive()

    async def intercepts(self) -> Sequence[InterceptEntry]:
        return await self._intercepts.all()

    async def add_intercept(self, rule: InterceptRule) -> str:
        return await self._intercepts.add(rule)

    async def change_intercept(self, external_id: str, rule: InterceptRule, before: Sequence[str]) -> None:
        await self._intercepts.change(external_id, rule, before)

    async def delete_intercept(self, external_id: str) -> None:
        await self._intercepts.delete(external_id)
