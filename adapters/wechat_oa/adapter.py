"""The adapter: which file does what."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence

from adapters.wechat_oa import broadcasts, parse
from adapters.wechat_oa.broadcasts import MassMessages
from adapters.wechat_oa.capabilities import CAPABILITIES, TEXT_LIMIT
from adapters.wechat_oa.client import Client
from adapters.wechat_oa.errors import api_error
from adapters.wechat_oa.followers import BATCH, Followers
from adapters.wechat_oa.ids import CHANNEL, account
from adapters.wechat_oa.send import Sender
from adapters.wechat_oa.uploads import Uploads
from adapters.wechat_oa.values import text
from adapters.wechat_oa.verify import PushVerifier
from scrm.channel import (
    AccountRef,
    AdapterContext,
    Capabilities,
    Challenge,
    ContactRef,
    Event,
    JsonObject,
    OutgoingMessage,
    Raw,
    Receipt,
    Verified,
    WebhookRequest,
)
from scrm.channel_campaigns import BroadcastResult, ReceiveLimit, SpreadPost
from scrm.channel_contacts import RelationPage

_MEDIA_REFUSED = 40007


class OfficialAccountAdapter:
    """One Official Account. Whoever follows it is on its list, as customers are on the list of an employee elsewhere."""

    profile_batch = BATCH
    relation_accounts_batch = 1
    broadcast_channel = CHANNEL
    broadcast_least = broadcasts.LEAST
    broadcast_batch = broadcasts.MOST
    broadcast_kinds = broadcasts.KINDS
    broadcast_text_bytes = TEXT_LIMIT
    broadcasts_per_minute = broadcasts.CALLS_PER_MINUTE

    def __init__(
        self,
        verifier: PushVerifier,
        client: Client,
        context: AdapterContext,
        *,
        original_id: str,
        limits: Sequence[ReceiveLimit],
        per_day: int,
    ) -> None:
        self.broadcast_limits = limits
        self._per_day = per_day
        self._verifier = verifier
        self._client = client
        self._account = account(original_id)
        uploads = Uploads(client, context.clock)
        self._sender = Sender(client, uploads)
        self._mass = MassMessages(client, uploads)
        self._followers = Followers(client, context.clock, self._account)

    @property
    def broadcasts_per_day(self) -> int:
        return self._per_day

    @property
    def capabilities(self) -> Mapping[str, Capabilities]:
        return {CHANNEL: CAPABILITIES}

    def verify(self, request: WebhookRequest) -> Verified | Challenge:
        return self._verifier.verify(request)

    def parse(self, raw: Raw) -> Sequence[Event]:
        return parse.parse(raw)

    async def send(self, message: OutgoingMessage) -> Receipt:
        return await self._sender.send(message)

    async def fetch(self, handle: JsonObject) -> AsyncIterator[bytes]:
        media_id = text(handle, "media_id")
        if not media_id:
            raise api_error(_MEDIA_REFUSED)
        async for piece in self._client.download("media/get", {"media_id": media_id}):
            yield piece

    async def accounts(self) -> Sequence[AccountRef]:
        """The one account, once the platform has accepted the credentials."""
        await self._client.check()
        return [self._account]

    async def profiles(self, contact_ids: Sequence[str]) -> Sequence[ContactRef]:
        return await self._followers.profiles(contact_ids)

    async def relation_accounts(self) -> Sequence[AccountRef]:
        return [self._account]

    async def relations(self, account_ids: Sequence[str], cursor: str) -> RelationPage:
        if self._account.external_id not in account_ids:
            return RelationPage([], [], "")
        return await self._followers.page(cursor)

    async def relations_of(self, contact_id: str) -> RelationPage:
        return await self._followers.of(contact_id)

    async def broadcast(self, account_id: str, contact_ids: Sequence[str], post: SpreadPost) -> str:
        return await self._mass.send(contact_ids, post)

    async def broadcast_preview(self, account_id: str, contact_id: str, post: SpreadPost) -> None:
        await self._mass.preview(contact_id, post)

    async def broadcast_result(self, broadcast_id: str) -> BroadcastResult:
        return await self._mass.result(broadcast_id)

    async def broadcast_delete(self, broadcast_id: str) -> None:
        await self._mass.delete(broadcast_id)

    async def close(self) -> None:
        """Nothing is held: the HTTP session is the service's."""
