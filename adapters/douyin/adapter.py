"""The Douyin adapter: what it can do, and which file does it.

``verify.py`` and ``parse.py`` are pure; ``send.py``, ``media.py`` and ``download.py`` call the platform through ``client.py``
with tokens from ``tokens.py``; ``renewal.py`` keeps those alive.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from urllib.parse import urlencode

from yarl import URL

from adapters.douyin import parse, send, verify
from adapters.douyin.client import Client
from adapters.douyin.download import Downloads
from adapters.douyin.grants import Grant
from adapters.douyin.ids import CHANNEL, DEFAULT_BASE_URL, REPLY_QUOTA, REPLY_WINDOW, account
from adapters.douyin.media import MEDIA_LIMITS, Images
from adapters.douyin.renewal import Renewal
from adapters.douyin.tokens import App, Tokens
from scrm.channel import (
    AccountRef,
    AdapterContext,
    Capabilities,
    Challenge,
    ConnectionConfig,
    Event,
    JsonObject,
    MessageReceived,
    OutgoingMessage,
    Provider,
    Raw,
    Receipt,
    Sentence,
    SettingField,
    TokenState,
    Verified,
    WebhookRequest,
    WindowPolicy,
)
from scrm.errors import ConfigError

DEFAULT_SCOPES = "user_info,im.direct_message,im.recall_message,im.message_card,user.intention,item.comment"
AUTHORISE = "/platform/oauth/connect/"

CAPABILITIES = Capabilities(
    channel=CHANNEL,
    title=Sentence(zh="抖音", en="Douyin"),
    mark="抖",
    color="#161823",
    sends=send.SENDS,
    text_limit=1000,
    text_limit_unit="characters",
    links_allowed=False,
    media=MEDIA_LIMITS,
    window=WindowPolicy(
        REPLY_WINDOW,
        REPLY_QUOTA,
        Sentence(
            zh="客户发消息后 24 小时内可回复，每条客户消息最多回复 6 条",
            en="Answers are possible for 24 hours after the customer's message, at most 6 for each",
        ),
    ),
    deduplicates_sends=False,
    recall_within=timedelta(minutes=2),  # not published; the app itself allows two to three minutes
    welcomes=True,
)


class DouyinAdapter:
    """One app of the open platform with all business accounts that authorised it."""

    def __init__(self, config: ConnectionConfig, context: AdapterContext) -> None:
        base_url = checked_address(config.settings.get("base_url") or DEFAULT_BASE_URL)
        seconds = checked_seconds(config.settings.get("answer_seconds") or "10")
        self._app = App(config.settings["client_key"], config.secrets["client_secret"], f"douyin:{config.id}")
        self._base_url = base_url
        self._scopes = config.settings.get("scopes") or DEFAULT_SCOPES
        self._client = Client(context.http, base_url, seconds)
        self._tokens = Tokens(self._client, context, self._app)
        self._renewal = Renewal(self._tokens, context, self._app)
        self._images = Images(self._client, self._tokens, context, self._app)
        self._downloads = Downloads(self._client, self._tokens, base_url, seconds)
        self._own_accounts: set[str] = set()

    @property
    def capabilities(self) -> Mapping[str, Capabilities]:
        return {CHANNEL: CAPABILITIES}

    def verify(self, request: WebhookRequest) -> Verified | Challenge:
        return verify.verify(request, self._app.client_key, self._app.client_secret)

    def parse(self, raw: Raw) -> Sequence[Event]:
        """Remembers which open ids are business accounts, only to tell who recalled a message: see ``parse.recalled``."""
        events = parse.parse(raw, self._app.client_key, frozenset(self._own_accounts))
        self._own_accounts.update(event.account.external_id for event in events if isinstance(event, MessageReceived))
        return events

    async def send(self, message: OutgoingMessage) -> Receipt:
        return await send.send(message, self._client, self._tokens, self._images)

    async def recall(self, account_id: str, contact_id: str, message_id: str, window_key: JsonObject) -> None:
        await send.recall(account_id, message_id, window_key, self._client, self._tokens)

    def fetch(self, handle: JsonObject) -> AsyncIterator[bytes]:
        return self._downloads.fetch(handle)

    async def accounts(self) -> Sequence[AccountRef]:
        return [reference(grant) for grant in (await self._grants()).values()]

    def authorise_url(self, redirect_uri: str, state: str) -> str:
        query = {
            "client_key": self._app.client_key,
            "response_type": "code",
            "scope": self._scopes,
            "redirect_uri": redirect_uri,
            "state": state,
        }
        return f"{self._base_url}{AUTHORISE}?{urlencode(query)}"

    async def authorised(self, code: str) -> AccountRef:
        grant = await self._tokens.exchange(code)
        self._own_accounts.add(grant.open_id)
        return reference(grant)

    async def renew(self) -> Sequence[tuple[str, TokenState]]:
        await self._grants()
        return await self._renewal.keep_all()

    async def close(self) -> None:
        await self._downloads.close()

    async def _grants(self) -> dict[str, Grant]:
        grants = await self._tokens.grants()
        self._own_accounts.update(grants)
        return grants


def reference(grant: Grant) -> AccountRef:
    return account(grant.open_id, grant.name, grant.avatar)


def checked_address(base_url: str) -> str:
    """Raises :class:`ConfigError` for what is no address to call."""
    try:
        url = URL(base_url)
    except ValueError:
        raise ConfigError("base_url is not an address; write for example https://open.douyin.com") from None
    if url.scheme not in ("http", "https") or not url.host or url.query_string:
        raise ConfigError("base_url is not an address; write for example https://open.douyin.com")
    return base_url.rstrip("/")


def checked_seconds(value: str) -> float:
    """Raises :class:`ConfigError` for what is no duration."""
    try:
        seconds = float(value)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 300:
        raise ConfigError("answer_seconds is a number of seconds, more than 0 and at most 300")
    return seconds


PROVIDER = Provider(
    name="douyin",
    title=Sentence(zh="抖音", en="Douyin"),
    fields=(
        SettingField(
            "client_key",
            Sentence(zh="Client Key", en="Client key"),
            Sentence(
                zh="抖音开放平台 → 控制台 → 应用详情里的 Client Key",
                en="The client key on the app's page in the console of the Douyin open platform",
            ),
        ),
        SettingField(
            "client_secret",
            Sentence(zh="Client Secret", en="Client secret"),
            Sentence(
                zh="同一页面上的 Client Secret；回调签名也用它校验",
                en="The client secret on the same page; it also signs the webhooks",
            ),
            secret=True,
        ),
        SettingField(
            "base_url",
            Sentence(zh="接口地址", en="Base address"),
            Sentence(zh="一般不用改；测试时填模拟器地址", en="Leave as it is; for tests, the simulator's address"),
            required=False,
            default=DEFAULT_BASE_URL,
        ),
        SettingField(
            "scopes",
            Sentence(zh="授权范围", en="Scopes"),
            Sentence(
                zh="扫码授权时申请的权限，逗号分隔；须是应用已获批的权限",
                en="What the scan asks for, separated by commas; only what the app was granted",
            ),
            required=False,
            default=DEFAULT_SCOPES,
        ),
        SettingField(
            "answer_seconds",
            Sentence(zh="等待回应（秒）", en="Wait for an answer (seconds)"),
            Sentence(
                zh="超过这个时间没有回应，发送结果记为不确定",
                en="A send without an answer in this time is recorded as uncertain",
            ),
            required=False,
            default="10",
        ),
    ),
    build=DouyinAdapter,
)
