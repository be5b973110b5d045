"""Files are fetched only from where they may come, whole, and not without end."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from yarl import URL

from adapters.douyin.adapter import DouyinAdapter
from adapters.douyin.client import Client
from adapters.douyin.download import Downloads, is_public
from adapters.douyin.tokens import App, Tokens
from scrm.channel import Kind
from scrm.errors import Rejected, RetryLater
from scrm.testing import memory_context
from simulator.faults import Fault
from tests.adapters.douyin.harness import DouyinHarness


class Files:
    """A web server with files, good and bad ones."""

    def __init__(self) -> None:
        self.url = ""

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/ok", self.ok)
        app.router.add_get("/long", self.long)
        app.router.add_get("/unsaid", self.unsaid)
        app.router.add_get("/half", self.half)
        app.router.add_get("/status/{code}", self.status)
        app.router.add_get("/to", self.to)
        self.runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self.runner.addresses[0][1]}"

    async def ok(self, request: web.Request) -> web.Response:
        return web.Response(body=b"picture")

    async def long(self, request: web.Request) -> web.StreamResponse:
        return web.Response(body=bytes(3 * 1024 * 1024))

    async def unsaid(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        for _ in range(48):
            await response.write(bytes(64 * 1024))
        return response

    async def half(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"half")
        assert request.transport is not None
        request.transport.close()
        return response

    async def status(self, request: web.Request) -> web.Response:
        return web.Response(status=int(request.match_info["code"]))

    async def to(self, request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": request.query["url"]})


@pytest.fixture
async def files() -> AsyncIterator[Files]:
    files = Files()
    await files.start()
    yield files
    await files.runner.cleanup()


@pytest.fixture
async def outside(harness: DouyinHarness) -> DouyinAdapter:
    """An adapter of the real platform: nothing on this machine or in its network may be read."""
    return harness.build("https://open.douyin.com")


async def fetched(adapter: DouyinAdapter, url: str) -> bytes:
    return b"".join([chunk async for chunk in adapter.fetch({"url": url})])


async def test_a_redirect_is_followed(adapter: DouyinAdapter, files: Files) -> None:
    assert await fetched(adapter, str(URL(f"{files.url}/to").with_query(url="/ok"))) == b"picture"


async def test_redirects_do_not_go_on_for_ever(adapter: DouyinAdapter, files: Files) -> None:
    loop = URL(f"{files.url}/to")
    for _ in range(6):
        loop = URL(f"{files.url}/to").with_query(url=str(loop))
    with pytest.raises(Rejected) as caught:
        await fetched(adapter, str(loop))
    assert caught.value.code == "douyin.media_address"


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x", "http://169.254.169.254/meta", ""])
async def test_a_redirect_elsewhere_is_refused(adapter: DouyinAdapter, files: Files, target: str) -> None:
    with pytest.raises(Rejected) as caught:
        await fetched(adapter, str(URL(f"{files.url}/to").with_query(url=target)))
    assert caught.value.code == "douyin.media_address"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/ok",
        "http://localhost:{port}/ok",
        "http://[::1]:{port}/ok",
        "http://[::ffff:127.0.0.1]:{port}/ok",
        "http://0.0.0.0:{port}/ok",
        "http://10.0.0.8/x",
        "http://192.168.1.1/x",
        "http://169.254.169.254/latest/meta-data",
        "http://[fd00::1]/x",
        "http://2130706433/x",
        "http://127.1/x",
        "file:///etc/passwd",
        "gopher://example.com/",
        "//example.com/x",
        "x" * 100,
        "http://",
    ],
)
async def test_nothing_inside_the_own_network_is_read(outside: DouyinAdapter, files: Files, url: str) -> None:
    with pytest.raises((Rejected, RetryLater)) as caught:
        await fetched(outside, url.format(port=URL(files.url).port))
    assert isinstance(caught.value, Rejected), caught.value
    assert caught.value.code == "douyin.media_address"


def test_addresses_are_told_apart() -> None:
    assert is_public("8.8.8.8")
    assert is_public("2606:4700::1111")
    for private in (
        "127.0.0.1",
        "10.1.2.3",
        "100.64.0.1",
        "224.0.0.1",
        "::1",
        "fe80::1%eth0",
        "::ffff:10.0.0.1",
        "2002:7f00:1::",
    ):
        assert not is_public(private), private


@pytest.mark.parametrize("path", ["/long", "/unsaid"])
async def test_a_file_without_end_is_not_read(harness: DouyinHarness, files: Files, path: str) -> None:
    assert harness.http is not None
    client = Client(harness.http, files.url, 1.0)
    tokens = Tokens(client, memory_context(harness.http), App("key", "secret", "test"))
    downloads = Downloads(client, tokens, files.url, 1.0, most_bytes=1024 * 1024)
    with pytest.raises(Rejected) as caught:
        async for _ in downloads.fetch({"url": files.url + path}):
            pass
    assert caught.value.code == "douyin.media_too_large"
    await downloads.close()


async def test_half_a_file_is_tried_again(adapter: DouyinAdapter, files: Files) -> None:
    with pytest.raises(RetryLater):
        await fetched(adapter, f"{files.url}/half")


@pytest.mark.parametrize(
    ("status", "error"), [(403, Rejected), (404, Rejected), (410, Rejected), (500, RetryLater), (429, RetryLater)]
)
async def test_what_is_gone_is_told_from_what_may_come(
    adapter: DouyinAdapter, files: Files, status: int, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await fetched(adapter, f"{files.url}/status/{status}")


async def test_an_address_that_expired_meanwhile_is_asked_anew(adapter: DouyinAdapter, harness: DouyinHarness) -> None:
    event = await harness.customer_sends_file(adapter, Kind.IMAGE, b"bytes")
    assert event is not None
    for _ in range(2):
        assert b"".join([chunk async for chunk in adapter.fetch(event.media[0].handle)]) == b"bytes"
        harness.simulator.clock.advance(2 * 3600)


async def test_a_broken_answer_about_a_file_is_tried_again(adapter: DouyinAdapter, harness: DouyinHarness) -> None:
    event = await harness.customer_sends_file(adapter, Kind.VIDEO, b"bytes")
    assert event is not None
    harness.simulator.faults.add(Fault("broken", "/api/im/message/resources/"))
    with pytest.raises(RetryLater):
        await anext(aiter(adapter.fetch(event.media[0].handle)))
