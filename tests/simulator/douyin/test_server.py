"""The simulator as a program: control over HTTP, faults, shapes of answers, and a state that outlives it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from simulator.douyin import DouyinSimulator, serve
from simulator.faults import Fault
from tests.simulator.douyin.client import DEER, KEY, SECRET, SHOP, Client, code, text


async def control(client: Client, name: str, **arguments: Any) -> Any:
    url = f"{client.simulator.base_url}/_control/{name}"
    async with client.http.post(url, json=arguments) as response:
        body = await response.json()
        assert response.status == 200, body
        return body["result"]


async def test_customers_are_played_over_http(client: Client) -> None:
    written = await control(client, "write", customer=DEER, account=SHOP, text="你好")
    about = {"server_message_id": written["message_id"], "conversation_short_id": written["conversation_id"]}
    assert code(await client.send(text("您好"), about)) == 0
    (got,) = await control(client, "received", customer=DEER)
    assert got["fields"] == {"text": "您好"}
    assert [one["from_id"] for one in await control(client, "chat", customer=DEER, account=SHOP)] == [DEER, SHOP]
    await control(client, "send_file", customer=DEER, account=SHOP, kind="image", content="YWJj")
    await control(client, "advance_clock", seconds=60)


async def test_wrong_control_calls_say_what_is_wrong(client: Client) -> None:
    for name, arguments in (
        ("write", {"customer": "nobody", "account": SHOP, "text": "x"}),
        ("change_app", {"client_key": KEY, "changes": {"nonsense": 1}}),
        ("recall", {"message_id": "@x"}),
        ("comment", {"customer": DEER, "account": SHOP, "item_id": "@x", "text": "x"}),
    ):
        url = f"{client.simulator.base_url}/_control/{name}"
        async with client.http.post(url, json=arguments) as response:
            assert response.status == 400
            assert (await response.json())["error"]


async def test_answers_have_the_documented_shapes(client: Client) -> None:
    asked = await client.wrote()
    first = await client.send(text("好"), asked)
    assert set(first) == {"data", "extra", "msg_id"}
    assert {"error_code", "description", "sub_error_code", "sub_description", "logid", "now"} == set(first["extra"])
    client.control.change_settings({"numbers_as_strings": True})
    assert (await client.send(text("好"), asked))["data"]["error_code"] == "0"


async def test_injected_refusals_wear_the_endpoints_own_shape(client: Client) -> None:
    asked = await client.wrote()
    client.simulator.faults.add(Fault("refuse", "/im/send/msg/", code=28003018))
    assert code(await client.send(text("好"), asked)) == 28003018
    client.simulator.faults.add(Fault("refuse", "/im/recall/msg/", code=2100004))
    assert (await client.post("/im/recall/msg/", {}, client.token(), open_id=SHOP))["err_no"] == 2100004
    client.simulator.faults.add(Fault("refuse", "/oauth/*", code=10020))
    assert (await client.post("/oauth/client_token/", {}))["message"] == "error"
    assert client.control.received(DEER) == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"null", b"1"])
async def test_broken_bodies_are_refused_not_crashed_on(client: Client, body: bytes) -> None:
    for path, token in (("/im/send/msg/", client.token()), ("/oauth/client_token/", "")):
        url = f"{client.simulator.base_url}{path}"
        headers = {"access-token": token, "Content-Type": "application/json"}
        async with client.http.post(url, data=body, params={"open_id": SHOP}, headers=headers) as response:
            assert response.status == 200
            assert code(await response.json()) in (28001007, 10002, 10005, 28003082)


async def test_the_state_outlives_the_server(tmp_path: Path) -> None:
    path = tmp_path / "state" / "douyin.json"
    async with DouyinSimulator(snapshot_path=path) as first:
        first.control.add_app(KEY, SECRET)
        first.control.add_account(SHOP, "青禾家居")
        first.control.add_customer(DEER)
        token = first.control.authorise(SHOP, KEY).access_token
        asked = first.control.write(DEER, SHOP, "你好")
        sent = first.control.send_file(DEER, SHOP, "image", b"\x00\xff picture")
        first.clock.advance(3600)
    async with DouyinSimulator(snapshot_path=path) as second, aiohttp.ClientSession() as http:
        assert second.world.messages[sent.message_id].file == b"\x00\xff picture"
        assert second.clock.offset.total_seconds() == 3600
        body = {
            "to_user_id": DEER,
            "msg_id": asked.message_id,
            "conversation_id": asked.conversation_id,
            "content": text("您好"),
        }
        url, headers = f"{second.base_url}/im/send/msg/", {"access-token": token}
        async with http.post(url, json=body, params={"open_id": SHOP}, headers=headers) as response:
            assert code(await response.json()) == 0
        assert [message.kind for message in second.control.chat(DEER, SHOP)] == ["text", "user_local_image", "text"]


async def test_it_serves_until_it_is_stopped() -> None:
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    server = asyncio.create_task(serve("127.0.0.1", 0, on_ready=ready.set_result))
    async with aiohttp.ClientSession() as http:
        base_url = await asyncio.wait_for(ready, 10)
        async with http.get(f"{base_url}/_control/") as response:
            assert "write" in await response.json()
        async with http.get(f"{base_url}/avatars/deer.svg?name=小鹿") as response:
            assert response.content_type == "image/svg+xml"
    server.cancel()
    with pytest.raises(asyncio.CancelledError):
        await server
