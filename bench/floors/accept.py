"""The floor of accepting: a bare aiohttp handler that verifies and decrypts with the same adapter, and stores nothing."""

from __future__ import annotations

import asyncio
import sys

import aiohttp
import orjson
import uvloop
from aiohttp import web
from aiohttp.typedefs import Handler

from adapters.douyin import PROVIDER as DOUYIN
from adapters.wecom import PROVIDER as WECOM
from bench.bodies import AES_KEY, CLIENT_KEY, CLIENT_SECRET, CORP, TOKEN
from scrm.cache import MemoryCache
from scrm.channel import Adapter, AdapterContext, ConnectionConfig, JsonObject, WebhookRequest
from scrm.clock import SystemClock


async def no_state(*_: object) -> JsonObject:
    return {}


def adapters(http: aiohttp.ClientSession) -> dict[str, Adapter]:
    context = AdapterContext(http, SystemClock(), MemoryCache(), no_state, no_state)
    wecom = ConnectionConfig(
        1, "bench", {"corp_id": CORP}, {"secret": "bench", "token": TOKEN, "encoding_aes_key": AES_KEY}
    )
    douyin = ConnectionConfig(2, "bench", {"client_key": CLIENT_KEY}, {"client_secret": CLIENT_SECRET})
    return {"wecom": WECOM.build(wecom, context), "douyin": DOUYIN.build(douyin, context)}


async def main(port: int) -> None:
    async with aiohttp.ClientSession() as http:
        app = web.Application()
        for name, adapter in adapters(http).items():
            app.router.add_post(f"/{name}", _handler(adapter))
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        print("ready", flush=True)
        await asyncio.Event().wait()


def _handler(adapter: Adapter) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        body = await request.read()
        outcome = adapter.verify(WebhookRequest("POST", request.query, request.headers, body))
        return web.Response(body=outcome.answer, content_type=outcome.content_type)

    return handle


if __name__ == "__main__":
    uvloop.run(main(orjson.loads(sys.argv[1])["port"]))
