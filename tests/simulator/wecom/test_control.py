"""The control interface over HTTP, the snapshot, and the pictures."""

from __future__ import annotations

import asyncio
import base64
import json
import zlib
from pathlib import Path

import aiohttp
import pytest

from simulator import pictures
from simulator.control import is_loopback
from simulator.wecom.media import sniff
from simulator.wecom.server import WecomSimulator, serve

from .conftest import CORP, PNG, SECRET, Json, Receiver, Shop


async def play(shop: Shop, operation: str, **fields: object) -> tuple[int, Json]:
    async with shop.http.post(f"{shop.simulator.base_url}/_control/{operation}", json=fields) as response:
        return response.status, await response.json()


async def test_a_conversation_played_over_http(shop: Shop, receiver: Receiver) -> None:
    who = {"open_kfid": shop.kf, "external_userid": shop.customer}
    status, said = await play(shop, "customer_says", **who, text="在吗")
    assert (status, len(said["result"])) == (200, 24)
    assert (await play(shop, "settle"))[1]["result"]["delivered"] == 1
    await shop.send("在的", msgid="m1")
    (message,) = (await play(shop, "received", **who))[1]["result"]
    assert (message["msgid"], message["body"]) == ("m1", {"content": "在的"})
    assert (await play(shop, "deliveries"))[1]["result"][0]["status"] == 200
    assert (await play(shop, "session", **who))[1]["result"]["replies_left"] == 4


async def test_bytes_are_base64(shop: Shop) -> None:
    fields = {"open_kfid": shop.kf, "external_userid": shop.customer, "kind": "image"}
    _, sent = await play(shop, "customer_sends_media", **fields, content=base64.b64encode(PNG).decode())
    assert shop.simulator.world.corps[CORP].media[sent["result"]["media_id"]].content == PNG
    assert (await play(shop, "customer_sends_media", **fields, content="%%%"))[0] == 422


async def test_wrong_calls_are_explained(shop: Shop) -> None:
    assert (await play(shop, "no_such_thing"))[0] == 404
    assert (await play(shop, "_corp", corp_id=CORP))[0] == 404
    status, answer = await play(shop, "customer_says", text="?")
    assert (status, "open_kfid" in answer["error"]) == (422, True)
    status, answer = await play(shop, "customer_says", open_kfid="wk0", external_userid="wm0", text="?")
    assert (status, answer["error"]) == (400, "no KF account wk0; create_kf_account makes one")
    async with shop.http.post(f"{shop.simulator.base_url}/_control/corps", data="{}") as response:
        assert response.status == 415
    headers = {"Content-Type": "application/json"}
    async with shop.http.post(f"{shop.simulator.base_url}/_control/corps", data=b"{", headers=headers) as response:
        assert response.status == 422


async def test_the_index_describes_every_operation(shop: Shop) -> None:
    async with shop.http.get(f"{shop.simulator.base_url}/_control/") as response:
        index = await response.json()
    assert {"customer_says", "add_fault", "add_mischief", "advance_clock", "raise_event"} <= set(index)
    assert all(entry["text"] for entry in index.values())
    assert list(index["customer_recalls"]["fields"]) == ["open_kfid", "msgid"]


def test_only_this_machine_may_control() -> None:
    assert all(is_loopback(address) for address in ("127.0.0.1", "127.8.8.8", "::1"))
    assert not any(is_loopback(address) for address in ("192.168.1.5", "8.8.8.8", "", None, "fe80::1%eth0"))


async def test_settings_can_be_changed(shop: Shop) -> None:
    _, answer = await play(shop, "change_settings", changes={"replies_per_window": 1})
    assert answer["result"]["replies_per_window"] == 1
    shop.play.customer_says(shop.kf, shop.customer, "在吗")
    assert [(await shop.send())["errcode"] for _ in range(2)] == [0, 95001]
    assert (await play(shop, "change_settings", changes={"gravity": 1}))[0] == 400


async def test_the_state_survives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "demo" / "wecom.json"
    async with WecomSimulator(snapshot_path=path) as first:
        first.control.create_app(CORP, SECRET)
        kf = first.control.create_kf_account(CORP, "售前")
        customer = first.control.create_customer(CORP, "王小明")
        first.control.advance_clock(3600)
        first.control.customer_says(kf, customer, "在吗")
        picture = first.control.customer_sends_media(kf, customer, "image", PNG)["media_id"]
        async with aiohttp.ClientSession() as http:
            token = await _token(http, first.base_url)
            cursor = (await _post(http, first.base_url, "kf/sync_msg", token, {"open_kfid": kf, "limit": 1}))[
                "next_cursor"
            ]
            message = {"touser": customer, "open_kfid": kf, "msgid": "m1", "msgtype": "text", "text": {"content": "在"}}
            await _post(http, first.base_url, "kf/send_msg", token, message)
    assert path.stat().st_mode & 0o077 == 0
    assert [entry.name for entry in path.parent.iterdir()] == ["wecom.json"]
    async with WecomSimulator(snapshot_path=path) as second, aiohttp.ClientSession() as http:
        assert second.world == first.world
        assert abs((second.clock.offset - first.clock.offset).total_seconds()) < 1
        page = await _post(http, second.base_url, "kf/sync_msg", token, {"open_kfid": kf, "cursor": cursor})
        assert [item["msgtype"] for item in page["msg_list"]] == ["image"]
        assert await _post(http, second.base_url, "kf/send_msg", token, message) == {
            "errcode": 0,
            "errmsg": "ok",
            "msgid": "m1",
        }
        assert len(second.control.received(kf, customer)) == 1
        async with http.get(
            f"{second.base_url}/cgi-bin/media/get", params={"access_token": token, "media_id": picture}
        ) as response:
            assert await response.read() == PNG


async def _token(http: aiohttp.ClientSession, base: str) -> str:
    async with http.get(f"{base}/cgi-bin/gettoken", params={"corpid": CORP, "corpsecret": SECRET}) as response:
        return str((await response.json())["access_token"])


async def _post(http: aiohttp.ClientSession, base: str, path: str, token: str, body: Json) -> Json:
    async with http.post(f"{base}/cgi-bin/{path}", params={"access_token": token}, json=body) as response:
        return dict(await response.json())


async def test_changes_reach_the_file_while_running(tmp_path: Path) -> None:
    path = tmp_path / "wecom.json"
    async with WecomSimulator(snapshot_path=path, snapshot_every=0.01) as simulator:
        simulator.control.create_app(CORP, SECRET)
        async with asyncio.timeout(10):
            while not path.exists() or CORP not in json.loads(path.read_bytes())["corps"]:
                await asyncio.sleep(0.01)


async def test_a_damaged_snapshot_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "wecom.json"
    path.write_text('{"corps": 5}')
    with pytest.raises(ValueError, match="corps"):
        WecomSimulator(snapshot_path=path)
    assert path.read_text() == '{"corps": 5}'


async def test_serve_runs_until_cancelled(tmp_path: Path) -> None:
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve("127.0.0.1", 0, tmp_path / "s.json", ready.set_result))
    base = await asyncio.wait_for(ready, 10)
    async with aiohttp.ClientSession() as http:
        fields = {"corp_id": CORP, "secret": SECRET}
        async with http.post(f"{base}/_control/create_app", json=fields) as response:
            assert response.status == 200
        assert await _token(http, base)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert CORP in (tmp_path / "s.json").read_text()


async def test_stopping_is_quick_while_calls_hang(shop: Shop) -> None:
    shop.play.customer_says(shop.kf, shop.customer, "在吗")
    fault = shop.play.add_fault("hang", "/cgi-bin/kf/*", seconds=600)
    call = asyncio.create_task(shop.send())
    async with asyncio.timeout(10):
        while fault.hits == 0:
            await asyncio.sleep(0.01)
        await shop.simulator.stop()
    with pytest.raises(aiohttp.ClientError):
        await call


async def test_pictures_are_served(shop: Shop) -> None:
    for path, mime in (
        ("avatars/wm1.svg?name=%E7%8E%8B%3C", "image/svg+xml"),
        ("avatars/wm1.png", "image/png"),
        ("pictures/holiday.png", "image/png"),
    ):
        async with shop.http.get(f"{shop.simulator.base_url}/{path}") as response:
            assert (response.status, response.content_type) == (200, mime)
    for path in ("avatars/wm1.gif", "pictures/x.svg"):
        async with shop.http.get(f"{shop.simulator.base_url}/{path}") as response:
            assert response.status == 404


def test_pictures_are_valid_and_always_the_same() -> None:
    picture = pictures.landscape_png("seed", 60, 40)
    assert picture == pictures.landscape_png.__wrapped__("seed", 60, 40)
    assert picture != pictures.landscape_png("other", 60, 40)
    start = picture.index(b"IDAT")
    size = int.from_bytes(picture[start - 4 : start])
    assert len(zlib.decompress(picture[start + 4 : start + 4 + size])) == 40 * (1 + 60 * 3)
    assert sniff(pictures.avatar_png("x")) == sniff(picture) == "image/png"
    assert (sniff(pictures.silent_amr()), sniff(pictures.empty_mp4())) == ("audio/amr", "video/mp4")
    assert b">&lt;<" in pictures.avatar_svg("x", "<script>")
