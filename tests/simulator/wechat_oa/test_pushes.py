"""Pushes: three modes, both signatures, the address check, five seconds and three attempts."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from wechatpy import parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.utils import check_signature

from tests.simulator.wechat_oa.conftest import ACCOUNT, APP_ID, DEER, Caller

TOKEN, AES_KEY = "tokenoftests", "Ky00btrDZXBp1V7woLX0sxKnb5OYRg4pRzIIwoA0DrI"


class Hook:
    """A developer's server. ``echo`` answers the address check, ``status`` the pushes."""

    def __init__(self) -> None:
        self.pushes: list[tuple[dict[str, str], bytes]] = []
        self.status = 200
        self.echoes = True
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        if request.method == "GET":
            query = request.query
            check_signature(TOKEN, query["signature"], query["timestamp"], query["nonce"])
            return web.Response(text=query["echostr"] if self.echoes else "no")
        self.pushes.append((dict(request.query), await request.read()))
        return web.Response(status=self.status, text="success")


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    made = Hook()
    app = web.Application()
    app.router.add_route("*", "/hook", made.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield made
    await runner.cleanup()


async def test_a_plain_push_is_signed_with_the_three_strings(oa: Caller, hook: Hook) -> None:
    await oa.control.set_server(APP_ID, hook.url, TOKEN, mode="plain")
    number = oa.control.write(APP_ID, DEER, "你好 ]]> <b>")
    await oa.control.settle()
    ((query, body),) = hook.pushes
    check_signature(TOKEN, query["signature"], query["timestamp"], query["nonce"])
    assert query["openid"] == DEER
    said = parse_message(body)
    assert (said.content, said.source, said.target, said.id) == ("你好 ]]> <b>", DEER, ACCOUNT, number)


@pytest.mark.parametrize("mode", ["safe", "compatible"])
async def test_a_sealed_push_is_opened_by_the_public_library(oa: Caller, hook: Hook, mode: str) -> None:
    await oa.control.set_server(APP_ID, hook.url, TOKEN, AES_KEY, mode)  # type: ignore[arg-type]
    oa.control.write(APP_ID, DEER, "你好")
    await oa.control.settle()
    ((query, body),) = hook.pushes
    assert query["encrypt_type"] == "aes"
    crypto = WeChatCrypto(TOKEN, AES_KEY, APP_ID)
    opened = crypto.decrypt_message(body, query["msg_signature"], query["timestamp"], query["nonce"])
    assert parse_message(opened).content == "你好"
    assert (b"<Content>" in body) is (mode == "compatible")


async def test_an_address_is_saved_only_when_it_gives_the_echo_back(oa: Caller, hook: Hook) -> None:
    hook.echoes = False
    with pytest.raises(ValueError, match="echostr"):
        await oa.control.set_server(APP_ID, hook.url, TOKEN, mode="plain")
    with pytest.raises(ValueError, match="43"):
        await oa.control.set_server(APP_ID, hook.url, TOKEN, "short")
    assert oa.simulator.world.accounts[APP_ID].server is None


async def test_a_push_is_tried_three_times_with_a_nonce_of_its_own(oa: Caller, hook: Hook) -> None:
    oa.simulator.deliveries.retry_delays = (0.01,)
    await oa.control.set_server(APP_ID, hook.url, TOKEN, AES_KEY)
    hook.status = 500
    oa.control.scan(APP_ID, DEER, "shelf")
    await oa.control.settle()
    assert len({query["nonce"] for query, _ in hook.pushes}) == len(hook.pushes) == 3
    assert len({hashlib.sha256(body).hexdigest() for _, body in hook.pushes}) == 3


async def test_every_act_of_people_is_pushed_under_its_name(oa: Caller, hook: Hook) -> None:
    await oa.control.set_server(APP_ID, hook.url, TOKEN, mode="plain")
    control = oa.control
    control.unfollow(APP_ID, DEER)
    control.scan(APP_ID, DEER, "shelf")
    control.scan(APP_ID, DEER, "shelf")
    control.tap_menu(APP_ID, DEER, "KF")
    control.send_file(APP_ID, DEER, "voice", b"#!AMR")
    control.raise_event(APP_ID, DEER, "LOCATION", {"Latitude": 30.1})
    await oa.control.settle()
    bodies = [body.decode() for _, body in hook.pushes]
    for name in ("unsubscribe", "subscribe", "SCAN", "CLICK", "voice", "LOCATION"):
        assert sum(f"[{name}]" in body for body in bodies) == 1, name
    assert any("qrscene_shelf" in body for body in bodies)
