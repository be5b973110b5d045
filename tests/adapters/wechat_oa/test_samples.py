"""The platform's sample bodies, each against its row. The folder lies beside the repository and may be absent elsewhere: then
only the table itself is checked, and ``golden.py`` covers the same kinds."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from adapters.wechat_oa import PROVIDER
from adapters.wechat_oa.adapter import OfficialAccountAdapter
from scrm.channel import Challenge, ConnectionConfig, Kind, Raw, Receipt, Verified, WebhookRequest
from scrm.clock import ManualClock, from_seconds
from scrm.testing import memory_context
from tests.adapters.wechat_oa import sample_rows as rows
from tests.adapters.wechat_oa.scripted import ScriptedPlatform

SAMPLES = Path(__file__).parents[4] / "shared" / "platforms" / "wechat-oa-samples"
WHY_ABSENT = f"the platform's samples are not at {SAMPLES}: only the repository's own payloads are tested"
SIGNED = {"timestamp": "1795253401", "nonce": "418273645"}
SIGNATURE, SEALED_SIGNATURE = "d175228ddb5503c351e336dfc7c6cb8c8f7f4994", "5742af4d63c91f56f6291d405c40f1e7f22e1c20"
OK = {"errcode": 0, "errmsg": "ok"}
MASS = "/cgi-bin/message/mass/send"


def present(names: Iterable[str]) -> list[str]:
    """The samples that are there. Without the folder: none, and that is said."""
    if not SAMPLES.is_dir():
        warnings.warn(WHY_ABSENT, stacklevel=2)
        return []
    return sorted(names)


def read(name: str) -> Any:
    return orjson.loads((SAMPLES / name).read_bytes())


@asynccontextmanager
async def connected(
    answers: dict[str, Any] | None = None, *, key: str = rows.AES_KEY
) -> AsyncIterator[tuple[OfficialAccountAdapter, ScriptedPlatform]]:
    """An adapter of the samples' account whose platform gives prepared answers."""
    platform = ScriptedPlatform(answers)
    await platform.start()
    async with aiohttp.ClientSession() as http:
        settings = {"app_id": rows.APP_ID, "original_id": rows.SHOP, "base_url": platform.base_url}
        secrets = {"app_secret": "0" * 32, "token": rows.TOKEN, "encoding_aes_key": key}
        config = ConnectionConfig(1, "key", settings, secrets)
        adapter = PROVIDER.build(config, memory_context(http, ManualClock(rows.RECEIVED_AT)))
        assert isinstance(adapter, OfficialAccountAdapter)
        yield adapter, platform
    await platform.stop()


def test_every_sample_has_a_row() -> None:
    assert len(set(rows.ALL)) == len(rows.ALL), "a sample has two rows"
    files = present(path.name for path in SAMPLES.glob("*") if path.name != "INDEX.md")
    assert not files or sorted(rows.ALL) == files


async def test_the_address_check_is_answered_as_the_index_says() -> None:
    query = {**SIGNED, "signature": SIGNATURE, "echostr": "6789012345"}
    for key in (rows.AES_KEY, ""):
        async with connected(key=key) as (adapter, _):
            assert adapter.verify(WebhookRequest("GET", query, {}, b"")) == Challenge(b"6789012345")


async def test_each_plain_push_is_genuine_and_becomes_exactly_its_events() -> None:
    async with connected(key="") as (adapter, _):
        for name in present(rows.PUSHES):
            body = (SAMPLES / name).read_bytes()
            verified = adapter.verify(WebhookRequest("POST", {**SIGNED, "signature": SIGNATURE}, {}, body))
            assert isinstance(verified, Verified)
            assert verified.raw == body
            assert verified.answer == b"success"
            events = list(adapter.parse(Raw("webhook", verified.raw, rows.RECEIVED_AT)))
            assert events == list(rows.PUSHES[name]), name


async def test_the_sealed_push_opens_to_the_plain_one() -> None:
    for name in present(["push-safe-mode.xml"]):
        query = {**SIGNED, "signature": SIGNATURE, "encrypt_type": "aes", "msg_signature": SEALED_SIGNATURE}
        async with connected() as (adapter, _):
            verified = adapter.verify(WebhookRequest("POST", query, {}, (SAMPLES / name).read_bytes()))
            assert isinstance(verified, Verified)
            assert verified.raw == (SAMPLES / "msg-text.xml").read_bytes()


@pytest.mark.parametrize("name", sorted(rows.REQUESTS))
async def test_each_request_is_built_as_the_sample_shows(name: str) -> None:
    row = rows.REQUESTS[name]
    for present_name in present([name]):
        upload = read("media-upload-response.json")
        upload["media_id"] = rows.UPLOADED.get(name, upload["media_id"])
        async with connected({rows.CUSTOM: read("ok.json"), rows.UPLOAD: upload}) as (adapter, platform):
            await row.act(adapter)
            asked = platform.last(row.path)
            assert asked.json == read(present_name)
            assert asked.query == ({} if "stable_token" in row.path else {"access_token": "88_T1"})


@pytest.mark.parametrize("name", sorted(rows.REFUSALS))
async def test_each_refusal_has_its_meaning(name: str) -> None:
    expected = rows.REFUSALS[name]
    for present_name in present([name]):
        path = "/cgi-bin/stable_token" if name.startswith("token") else rows.CUSTOM
        async with connected({path: read(present_name)}) as (adapter, _):
            with pytest.raises(expected.error) as caught:
                await adapter.send(rows.outgoing(Kind.TEXT, "你好"))
            assert caught.value.code == expected.code
            assert getattr(caught.value, "closes_window", False) is expected.closes_window
            assert getattr(caught.value, "needs_admin", False) is expected.needs_admin


async def test_a_token_is_read_and_used() -> None:
    for name in present(["token-response.json"]):
        answers = {"/cgi-bin/stable_token": read(name), rows.CUSTOM: OK}
        async with connected(answers) as (adapter, platform):
            assert await adapter.send(rows.outgoing(Kind.TEXT, "你好")) == Receipt("")
            assert platform.last(rows.CUSTOM).query == {"access_token": "88_SIMTOKEN"}


async def test_a_mass_message_is_built_and_read_as_the_samples_show() -> None:
    """By list and not by tag, as this adapter sends: the rest of the request is the sample's."""
    for name in present(["mass-sendall-request.json"]):
        wanted = read(name)
        del wanted["filter"]
        openids = [rows.DEER, rows.HAO]
        async with connected({MASS: read("mass-sendall-response.json")}) as (adapter, platform):
            assert await adapter.broadcast(rows.SHOP, openids, rows.POST) == "1000001625"
            assert platform.last(MASS).json == {"touser": openids, **wanted}
        async with connected({MASS: read("mass-sendall-duplicate-response.json")}) as (adapter, _):
            assert await adapter.broadcast(rows.SHOP, openids, rows.POST) == "1000001625"
        async with connected({"/cgi-bin/message/mass/get": read("mass-get-response.json")}) as (adapter, _):
            assert (await adapter.broadcast_result("1000001625")).state == "done"


async def test_followers_are_read() -> None:
    for name in present(["user-info-response.json"]):
        infos = [read(name), read("user-info-not-following-response.json")]
        answers = {
            "/cgi-bin/user/get": read("user-get-response.json"),
            "/cgi-bin/user/info/batchget": {"user_info_list": infos},
        }
        async with connected(answers) as (adapter, platform):
            page = await adapter.relations([rows.SHOP], "")
            asked = platform.last("/cgi-bin/user/info/batchget").json["user_list"]
            assert [one["openid"] for one in asked] == [rows.DEER, rows.HAO]
            assert page.cursor == rows.HAO
            (relation,) = page.relations
            assert relation.contact.external_id == rows.DEER
            assert relation.contact.union_id == "wechat:oUNION-0001"
            assert (relation.tags, relation.source) == (("128", "2"), "ch_douyin_07")
            assert relation.added_at == from_seconds(1795000000)


def test_the_signatures_of_the_index_are_those_of_its_token() -> None:
    signed = "".join(sorted((rows.TOKEN, *SIGNED.values()))).encode()
    assert hashlib.sha1(signed, usedforsecurity=False).hexdigest() == SIGNATURE
