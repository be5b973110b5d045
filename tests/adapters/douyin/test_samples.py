"""The platform's sample bodies, each against its row. The folder lies beside the repository and may be absent elsewhere: then
only the table itself is checked, and ``golden.py`` covers the same kinds."""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from adapters.douyin import PROVIDER
from adapters.douyin.adapter import DouyinAdapter
from scrm.channel import (
    AccountRef,
    Challenge,
    ConnectionConfig,
    Kind,
    OutgoingMessage,
    Raw,
    Receipt,
    Verified,
    WebhookRequest,
)
from scrm.clock import ManualClock
from scrm.errors import SendError
from scrm.testing import MemoryState, memory_context, outgoing_media
from tests.adapters.douyin import api_rows, sample_rows
from tests.adapters.douyin.sample_rows import CHALLENGES, CLIENT_KEY, CLIENT_SECRET, RECEIVED_AT, SHOP, WEBHOOKS, Sample
from tests.adapters.douyin.scripted import ScriptedPlatform

SAMPLES = Path(__file__).parents[4] / "shared" / "platforms" / "douyin-samples"
WHY_ABSENT = f"the platform's samples are not at {SAMPLES}: only the repository's own payloads are tested"
INDEX_ROW = re.compile(r"^\| (webhook-\S+\.json) \| `(\w+)` \| `([0-9a-f]{40})` \| `(msg-[0-9a-f]+)` \|", re.MULTILINE)


def present(names: Iterator[str]) -> list[str]:
    """The samples that are there. Without the folder: none, and that is said."""
    if not SAMPLES.is_dir():
        warnings.warn(WHY_ABSENT, stacklevel=2)
        return []
    return sorted(names)


def read(name: str) -> Any:
    return orjson.loads((SAMPLES / name).read_bytes())


@asynccontextmanager
async def connected(answers: dict[str, Any] | None = None) -> AsyncIterator[tuple[DouyinAdapter, ScriptedPlatform]]:
    """An adapter of the samples' app whose platform gives prepared answers, with the samples' account authorised."""
    platform = ScriptedPlatform(answers)
    platform.answers["/oauth/access_token/"]["data"]["open_id"] = SHOP
    await platform.start()
    async with aiohttp.ClientSession() as http:
        settings = {"client_key": CLIENT_KEY, "base_url": platform.base_url}
        config = ConnectionConfig(1, "key", settings, {"client_secret": CLIENT_SECRET})
        adapter = PROVIDER.build(config, memory_context(http, ManualClock(RECEIVED_AT), MemoryState()))
        assert isinstance(adapter, DouyinAdapter)
        await adapter.authorised("code")
        yield adapter, platform
        await adapter.close()
    await platform.stop()


def test_every_sample_has_a_row() -> None:
    rows = {*WEBHOOKS, *CHALLENGES, *api_rows.ALL}
    assert len(rows) == len(WEBHOOKS) + len(CHALLENGES) + len(api_rows.ALL), "a sample has two rows"
    files = present(path.name for path in SAMPLES.glob("*.json"))
    assert [name for name in files if name not in rows] == []
    assert not files or sorted(rows) == files, "a row has no sample"


async def test_each_webhook_is_genuine_and_becomes_exactly_its_event() -> None:
    index = (SAMPLES / "INDEX.md").read_text(encoding="utf-8") if SAMPLES.is_dir() else ""
    listed = INDEX_ROW.findall(index)
    async with connected() as (adapter, _):
        for name, event, signature, message_id in listed:
            body = (SAMPLES / name).read_bytes()
            assert hashlib.sha1(CLIENT_SECRET.encode() + body).hexdigest() == signature, name  # noqa: S324
            headers = {"x-douyin-signature": signature.upper(), "msg-id": message_id}
            verified = adapter.verify(WebhookRequest("POST", {}, headers, body))
            assert orjson.loads(body)["event"] == event
            if name in CHALLENGES:
                assert isinstance(verified, Challenge)
                assert orjson.loads(verified.answer) == {"challenge": CHALLENGES[name]}
                assert verified.content_type == "application/json"
                continue
            assert isinstance(verified, Verified)
            assert verified.raw == body
            assert message_id in verified.dedupe_key
            events = list(adapter.parse(Raw("webhook", verified.raw, RECEIVED_AT)))
            assert events == [WEBHOOKS[name](Sample(orjson.loads(body)))], name
    assert sorted(name for name, *_ in listed) == present(iter([*WEBHOOKS, *CHALLENGES]))


@pytest.mark.parametrize("name", sorted(api_rows.REQUESTS))
async def test_each_request_is_built_as_the_sample_shows(name: str) -> None:
    row = api_rows.REQUESTS[name]
    for present_name in present(iter([name])):
        body = read(present_name)
        async with connected(api_rows.ACCEPTING) as (adapter, platform):
            await row.act(adapter, body)
            asked = platform.last(row.path)
            assert asked.json == body
            assert asked.query == {"open_id": SHOP}
            assert asked.token == "act.1"


@pytest.mark.parametrize("name", sorted(api_rows.REFUSALS))
async def test_each_refusal_of_a_send_has_its_meaning(name: str) -> None:
    expected = api_rows.REFUSALS[name]
    for present_name in present(iter([name])):
        async with connected({"/im/send/msg/": read(present_name), **api_rows.REFUSED_REFRESH}) as (adapter, _):
            with pytest.raises(expected.error) as caught:
                await adapter.send(api_rows.text("你好"))
            assert caught.value.code == expected.code
            assert getattr(caught.value, "closes_window", False) is expected.closes_window
            assert getattr(caught.value, "needs_admin", False) is expected.needs_admin


async def test_each_accepted_send_is_read() -> None:
    for name in present(iter(api_rows.RECEIPTS)):
        async with connected({"/im/send/msg/": read(name)}) as (adapter, _):
            receipt = await adapter.send(api_rows.text("你好"))
            assert receipt == Receipt(api_rows.RECEIPTS[name](read(name))), name


async def test_authorisation_samples_are_read() -> None:
    for name in present(iter(api_rows.AUTHORISED)):
        async with connected() as (adapter, platform):
            platform.answers["/oauth/access_token/"] = read(name)
            platform.answers["/oauth/userinfo/"] = read("api-oauth-userinfo-response.json")
            account = await adapter.authorised("code")
            assert account == AccountRef("douyin", SHOP, "青禾家居旗舰店", "https://p3.example.invalid/biz.jpeg")
            asked = platform.last("/oauth/access_token/")
            assert asked.content_type == "application/x-www-form-urlencoded"
            ((open_id, state),) = await adapter.renew()
            assert open_id == SHOP
            assert state.valid_until is not None
            assert (state.valid_until - RECEIVED_AT).total_seconds() == api_rows.AUTHORISED[name]


async def test_a_refused_authorisation_code_is_read() -> None:
    for name in present(iter(["api-oauth-access-token-error-code-expired.json"])):
        async with connected() as (adapter, platform):
            platform.answers["/oauth/access_token/"] = read(name)
            with pytest.raises(SendError) as caught:
                await adapter.authorised("code")
            assert caught.value.code == "douyin.10007"


async def test_token_samples_are_read() -> None:
    """The account's tokens are near their end: both are renewed, with what the samples say."""
    for name in present(iter(["api-oauth-refresh-token-response.json"])):
        async with connected() as (adapter, platform):
            platform.answers["/oauth/access_token/"]["data"] |= {"expires_in": 3600, "refresh_expires_in": 7200}
            platform.answers["/oauth/refresh_token/"] = read(name)
            platform.answers["/oauth/renew_refresh_token/"] = read("api-oauth-renew-refresh-token-response.json")
            platform.answers["/im/send/msg/"] = read("api-send-response-ok.json")
            await adapter.authorised("code")
            ((_, state),) = await adapter.renew()
            assert state.renewals_left == 4
            assert state.valid_until is not None
            assert (state.valid_until - RECEIVED_AT).days == 30
            await adapter.send(api_rows.text("你好"))
            assert platform.last("/im/send/msg/").token == read(name)["data"]["access_token"]


@pytest.mark.parametrize(
    ("renewal", "left"),
    [
        ("api-oauth-renew-refresh-token-error-limit.json", 0),
        ("api-oauth-refresh-token-error-expired.json", 5),
    ],
)
async def test_a_refused_renewal_asks_for_a_person(renewal: str, left: int) -> None:
    for name in present(iter([renewal])):
        async with connected() as (adapter, platform):
            platform.answers["/oauth/access_token/"]["data"] |= {"expires_in": 864000, "refresh_expires_in": 7200}
            platform.answers["/oauth/refresh_token/"] = read("api-oauth-refresh-token-response.json")
            platform.answers["/oauth/renew_refresh_token/"] = read(name)
            await adapter.authorised("code")
            ((_, state),) = await adapter.renew()
            assert state.renewals_left == left
            assert state.attention is not None
            assert state.needs_person_by is not None
            assert (state.needs_person_by - RECEIVED_AT).total_seconds() == 1296000


async def test_media_samples_are_read() -> None:
    for name in present(iter(["api-image-upload-response.json"])):
        answers = {
            "/tool/imagex/client_upload/": read(name),
            "/oauth/client_token/": read("api-oauth-client-token-response.json"),
            "/im/send/msg/": read("api-send-response-ok.json"),
        }
        async with connected(answers) as (adapter, platform):
            await adapter.send(api_rows.outgoing(Kind.IMAGE, media=outgoing_media(b"\x89PNG", "a.png", "image/png")))
            assert platform.last("/im/send/msg/").json["content"]["image"]["media_id"] == read(name)["image_id"]
            token = read("api-oauth-client-token-response.json")["data"]["access_token"]
            assert platform.last("/tool/imagex/client_upload/").token == token


async def test_a_received_files_address_is_read() -> None:
    for name in present(iter(["api-message-resources-response.json"])):
        async with connected() as (adapter, platform):
            answer = read(name)
            assert answer["data"]["url"].startswith("https://media.example.invalid/")
            answer["data"]["url"] = f"{platform.base_url}/file"
            platform.answers |= {"/api/im/message/resources/": answer, "/file": b"bytes"}
            handle = {"open_id": SHOP, "conversation_id": "@c+/=", "message_id": "@m+/="}
            assert b"".join([chunk async for chunk in adapter.fetch(handle)]) == b"bytes"
            assert platform.last("/api/im/message/resources/").query == handle


def test_what_is_not_used_says_why() -> None:
    assert all(reason for reason in api_rows.NOT_USED.values())
    assert isinstance(api_rows.text("x"), OutgoingMessage)
    assert sample_rows.SHOP == SHOP
