"""Tokens, throttles, time-outs: what each failure of a call lets us be certain of."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import web

from adapters.wecom.adapter import WeComAdapter
from adapters.wecom.provider import PROVIDER, build
from scrm.channel import (
    Adapter,
    FetchesMedia,
    KeepsSessions,
    Kind,
    KnowsAccounts,
    KnowsContacts,
    OutgoingMessage,
    Pulls,
    Recalls,
)
from scrm.clock import ManualClock
from scrm.errors import Rejected, RetryLater, SendError, Uncertain, Unprocessable
from tests.adapters.wecom.support import SECRET, Platform, WatchedCache, config, connect, context, hang_up

MESSAGE = OutgoingMessage("wkA", "wmA", Kind.TEXT, "您好", "k" * 32)
SENT = {"errcode": 0, "errmsg": "ok", "msgid": "k" * 32}


async def never_answer(_request: web.Request) -> web.Response:
    await asyncio.sleep(3600)
    return web.Response()


def refused(errcode: int) -> dict[str, object]:
    return {"errcode": errcode, "errmsg": "whatever the platform writes here"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_abilities_are_those_of_the_contract(adapter: Adapter) -> None:
    for ability in (Pulls, FetchesMedia, KnowsContacts, KnowsAccounts, KeepsSessions):
        assert isinstance(adapter, ability), ability
    assert not isinstance(adapter, Recalls), "customer service has no call to recall"
    assert adapter.capabilities["wecom_kf"].recall_within is None


# Tokens


async def test_fifty_concurrent_sends_fetch_one_token(adapter: WeComAdapter, server: Platform) -> None:
    await asyncio.gather(*(adapter.send(MESSAGE) for _ in range(50)))
    assert len(server.calls("gettoken")) == 1
    assert len(server.calls("kf/send_msg")) == 50
    assert {call.query["access_token"] for call in server.calls("kf/send_msg")} == {"token-1"}


async def test_a_token_is_asked_for_with_the_secret_and_kept_without_it(
    adapter: WeComAdapter, server: Platform, cache: WatchedCache
) -> None:
    await adapter.send(MESSAGE)
    asked = server.calls("gettoken")[0].query
    assert asked == {"corpid": "ww1234567890abcdef", "corpsecret": SECRET}
    (key,) = cache.lives
    assert SECRET not in key
    assert cache.lives[key] == 7200 - 300


async def test_connections_with_other_secrets_do_not_share_a_token(
    http: aiohttp.ClientSession, server: Platform, cache: WatchedCache
) -> None:
    lent = context(http, cache=cache)
    for secret in ("one", "two", "one"):
        await connect(lent, server.base_url, secret=secret).send(MESSAGE)
    assert len(server.calls("gettoken")) == 2


@pytest.mark.parametrize("errcode", [40014, 42001])
async def test_a_refused_token_is_replaced_once_and_the_send_repeated(
    adapter: WeComAdapter, server: Platform, errcode: int
) -> None:
    server.reply("kf/send_msg", refused(errcode), SENT)
    assert (await adapter.send(MESSAGE)).platform_message_id == "k" * 32
    assert [call.query["access_token"] for call in server.calls("kf/send_msg")] == ["token-1", "token-2"]


async def test_a_token_refused_to_many_at_once_is_replaced_once(adapter: WeComAdapter, server: Platform) -> None:
    await adapter.send(MESSAGE)

    async def refuse_the_first_token(request: web.Request) -> dict[str, object]:
        return refused(42001) if request.query["access_token"] == "token-1" else SENT

    server.reply("kf/send_msg", refuse_the_first_token)
    await asyncio.gather(*(adapter.send(MESSAGE) for _ in range(20)))
    assert len(server.calls("gettoken")) == 2


async def test_a_new_token_that_is_refused_too_is_tried_later(adapter: WeComAdapter, server: Platform) -> None:
    server.reply("kf/send_msg", refused(42001))
    with pytest.raises(RetryLater, match=r"wecom\.42001"):
        await adapter.send(MESSAGE)
    assert len(server.calls("kf/send_msg")) == 2


async def test_a_wrong_secret_is_told_and_not_tried_again_for_a_minute(
    adapter: WeComAdapter, server: Platform, clock: ManualClock
) -> None:
    server.reply("gettoken", refused(40001))
    for _ in range(3):
        with pytest.raises(Rejected) as refusal:
            await adapter.send(MESSAGE)
        assert refusal.value.needs_admin
    assert len(server.calls("gettoken")) == 1
    clock.advance(timedelta(seconds=61))
    server.reply("gettoken", {"access_token": "t", "expires_in": 7200})
    await adapter.send(MESSAGE)
    assert len(server.calls("gettoken")) == 2


@pytest.mark.parametrize("answer", [{}, {"errcode": 0}, {"access_token": 5.5}, web.Response(text="hello")])
async def test_an_answer_without_a_token_is_tried_later(
    adapter: WeComAdapter, server: Platform, answer: object
) -> None:
    server.reply("gettoken", answer)
    with pytest.raises(RetryLater):
        await adapter.send(MESSAGE)
    assert server.calls("kf/send_msg") == []


# What the platform says


async def test_a_busy_platform_is_asked_four_times(adapter: WeComAdapter, server: Platform) -> None:
    server.reply("kf/send_msg", refused(-1), refused(-1), SENT)
    await adapter.send(MESSAGE)
    assert len(server.calls("kf/send_msg")) == 3
    server.reply("kf/send_msg", refused(-1))
    with pytest.raises(RetryLater, match=r"wecom\.-1"):
        await adapter.send(MESSAGE)
    assert len(server.calls("kf/send_msg")) == 3 + 4
    assert len({call.body for call in server.calls("kf/send_msg")}) == 1, "every attempt carries the same msgid"


@pytest.mark.parametrize(("errcode", "after"), [(45009, 60), (45033, 5), (45035, 3)])
async def test_a_throttle_says_how_long_to_wait(
    adapter: WeComAdapter, server: Platform, errcode: int, after: float
) -> None:
    server.reply("kf/send_msg", refused(errcode))
    with pytest.raises(RetryLater) as later:
        await adapter.send(MESSAGE)
    assert (later.value.code, later.value.after) == (f"wecom.{errcode}", after)
    assert len(server.calls("kf/send_msg")) == 1


@pytest.mark.parametrize("errcode", [95001, 95002])
async def test_a_closed_window_is_told(adapter: WeComAdapter, server: Platform, errcode: int) -> None:
    server.reply("kf/send_msg", refused(errcode))
    with pytest.raises(Rejected) as refusal:
        await adapter.send(MESSAGE)
    assert refusal.value.closes_window
    assert not refusal.value.needs_admin


async def test_an_error_that_nobody_knows_names_its_code(adapter: WeComAdapter, server: Platform) -> None:
    server.reply("kf/send_msg", refused(987654))
    with pytest.raises(Rejected, match="987654") as refusal:
        await adapter.send(MESSAGE)
    assert "987654" in refusal.value.reason.zh
    assert refusal.value.code == "wecom.987654"


async def test_an_error_code_written_as_a_string_is_one(adapter: WeComAdapter, server: Platform) -> None:
    server.reply("kf/send_msg", {"errcode": "95018"})
    with pytest.raises(Rejected, match=r"wecom\.95018"):
        await adapter.send(MESSAGE)


# What the connection does


async def test_a_platform_that_cannot_be_reached_has_certainly_not_sent(http: aiohttp.ClientSession) -> None:
    cache = WatchedCache()
    adapter = connect(context(http, cache=cache), f"http://127.0.0.1:{free_port()}")
    with pytest.raises(RetryLater, match="unreachable"):
        await adapter.send(MESSAGE)


async def test_a_host_that_does_not_exist_has_certainly_not_sent(http: aiohttp.ClientSession) -> None:
    with pytest.raises(RetryLater, match="unreachable"):
        await connect(context(http), "http://no-such-host.invalid").send(MESSAGE)


async def test_a_send_that_times_out_is_uncertain(http: aiohttp.ClientSession, server: Platform) -> None:
    server.reply("kf/send_msg", never_answer)
    with pytest.raises(Uncertain):
        await build(config(server.base_url), context(http), answer_within=0.3).send(MESSAGE)
    assert len(server.calls("kf/send_msg")) == 1


async def half_an_answer(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "100", "Content-Type": "application/json"})
    await response.prepare(request)
    await response.write(b'{"errcode":0,')
    assert request.transport is not None
    request.transport.close()
    return response


@pytest.mark.parametrize(
    "answer",
    [
        hang_up,
        half_an_answer,
        web.Response(text="<html>"),
        web.Response(status=500),
        web.Response(status=502, text="<html>Bad Gateway</html>"),
        web.Response(status=504),
        web.Response(status=302, headers={"Location": "http://127.0.0.1:9/"}),
        {"errmsg": "ok"},
        {"errcode": "soon"},
        {"errcode": None},
        [],
    ],
    ids=[
        "hang-up",
        "half",
        "html",
        "500",
        "502",
        "504",
        "redirect",
        "no code",
        "strange code",
        "null code",
        "no object",
    ],
)
async def test_a_send_without_a_telling_answer_is_uncertain(
    adapter: WeComAdapter, server: Platform, answer: object
) -> None:
    server.reply("kf/send_msg", web.json_response(answer) if isinstance(answer, list) else answer)
    with pytest.raises(Uncertain) as error:
        await adapter.send(MESSAGE)
    assert error.value.code == "wecom.unanswered"
    assert len(server.calls("kf/send_msg")) == 1, "the service decides whether to repeat, not the adapter"


@pytest.mark.parametrize("answer", [hang_up, web.Response(text="<html>"), web.Response(status=502)])
async def test_a_read_without_an_answer_is_tried_later(adapter: WeComAdapter, server: Platform, answer: object) -> None:
    server.reply("kf/sync_msg", answer)
    with pytest.raises(RetryLater):
        await adapter.pull("kf:wkA", "", "")


async def test_a_gateway_that_refuses_needs_an_administrator(adapter: WeComAdapter, server: Platform) -> None:
    server.reply("kf/send_msg", web.Response(status=403, text="<html>blocked</html>"))
    with pytest.raises(Rejected, match=r"wecom\.http_403") as refusal:
        await adapter.send(MESSAGE)
    assert refusal.value.needs_admin


async def test_a_gateway_that_throttles_is_tried_later(adapter: WeComAdapter, server: Platform) -> None:
    server.reply("kf/send_msg", web.Response(status=429))
    with pytest.raises(RetryLater):
        await adapter.send(MESSAGE)


async def test_errors_do_not_tell_the_token_or_the_secret(adapter: WeComAdapter, server: Platform) -> None:
    server.reply("kf/send_msg", hang_up)
    with pytest.raises(SendError) as error:
        await adapter.send(MESSAGE)
    assert "token-1" not in str(error.value)
    assert SECRET not in repr(config())


# Settings


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("corp_id", " "),
        ("secret", ""),
        ("token", ""),
        ("encoding_aes_key", "short"),
        ("base_url", "qyapi.weixin.qq.com"),
        ("base_url", "ftp://x"),
        ("base_url", "http://[broken"),
    ],
)
def test_settings_that_cannot_work_are_refused_by_name(http: aiohttp.ClientSession, field: str, value: str) -> None:
    with pytest.raises(Unprocessable) as refusal:
        PROVIDER.build(config(**{field: value}), context(http))
    assert list(refusal.value.fields) == [field]


def test_every_field_of_the_form_is_read() -> None:
    public = {field.name for field in PROVIDER.fields if not field.secret}
    assert public == {"corp_id", "agent_id", "base_url", "login_url"}
    secret = {field.name for field in PROVIDER.fields if field.secret}
    assert secret == {"secret", "token", "encoding_aes_key", "archive_secret"}


@pytest.fixture(autouse=True)
async def closed(adapter: WeComAdapter) -> AsyncIterator[None]:
    yield
    await adapter.close()
