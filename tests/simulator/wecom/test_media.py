"""Uploads and downloads (chapter 14)."""

from __future__ import annotations

import aiohttp
import pytest

from .conftest import CORP, PNG, Json, Shop

MB = 1024 * 1024
JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 20
AMR = b"#!AMR\n" + b"\0" * 20
MP4 = b"\0\0\0\x18ftypmp42" + b"\0" * 20


async def download(shop: Shop, media_id: str, **headers: str) -> tuple[int, str, bytes, str]:
    params = {"access_token": await shop.token(), "media_id": media_id}
    async with shop.http.get(f"{shop.base}/media/get", params=params, headers=headers) as response:
        disposition = response.headers.get("Content-Disposition", "")
        return response.status, response.content_type, await response.read(), disposition


@pytest.mark.parametrize(
    ("kind", "content", "mime"),
    [
        ("image", PNG, "image/png"),
        ("image", JPEG, "image/jpeg"),
        ("voice", AMR, "audio/amr"),
        ("video", MP4, "video/mp4"),
        ("file", b"%PDF-1.7", "application/octet-stream"),
    ],
    ids=["png", "jpeg", "amr", "mp4", "pdf"],
)
async def test_what_is_uploaded_comes_back(shop: Shop, kind: str, content: bytes, mime: str) -> None:
    answer = await shop.upload(kind, content, "报价单.bin")
    assert (answer["errcode"], answer["type"]) == (0, kind)
    assert isinstance(answer["created_at"], str)
    status, content_type, body, disposition = await download(shop, answer["media_id"])
    assert (status, content_type, body) == (200, mime, content)
    assert "%E6%8A%A5" in disposition


@pytest.mark.parametrize(
    ("kind", "content", "errcode"),
    [
        pytest.param("image", PNG + b"\0" * 10 * MB, 45001, id="image too large"),
        pytest.param("voice", AMR + b"\0" * 2 * MB, 45001, id="voice too large"),
        pytest.param("video", MP4 + b"\0" * 10 * MB, 45001, id="video too large"),
        pytest.param("file", b"\0" * (20 * MB + 1), 45001, id="file too large"),
        pytest.param("file", b"12345", 40006, id="too small"),
        pytest.param("file", b"", 44001, id="empty"),
        pytest.param("image", b"GIF89a" + b"\0" * 20, 40004, id="gif"),
        pytest.param("voice", PNG, 40004, id="picture as voice"),
        pytest.param("video", AMR, 40004, id="voice as video"),
        pytest.param("sculpture", PNG, 40005, id="unknown kind"),
    ],
)
async def test_limits(shop: Shop, kind: str, content: bytes, errcode: int) -> None:
    assert (await shop.upload(kind, content))["errcode"] == errcode


async def test_the_largest_that_fit(shop: Shop) -> None:
    assert (await shop.upload("image", PNG.ljust(10 * MB, b"\0")))["errcode"] == 0
    assert (await shop.upload("file", b"\0" * 20 * MB))["errcode"] == 0


async def post_form(shop: Shop, path: str, form: aiohttp.FormData | bytes) -> Json:
    params = {"access_token": await shop.token(), "type": "file"}
    async with shop.http.post(f"{shop.base}/{path}", params=params, data=form) as response:
        return dict(await response.json())


async def test_the_part_must_be_called_media_and_have_a_filename(shop: Shop) -> None:
    wrong_name, no_filename = aiohttp.FormData(), aiohttp.FormData(default_to_multipart=True)
    wrong_name.add_field("file", b"some bytes", filename="a.txt")
    no_filename.add_field("media", "some text")
    for form in (wrong_name, no_filename, b"no form at all"):
        assert (await post_form(shop, "media/upload", form))["errcode"] == 41005


async def test_media_live_three_days(shop: Shop) -> None:
    media_id = (await shop.upload("image", PNG))["media_id"]
    shop.play.advance_clock(3 * 86400 - 60)
    assert (await download(shop, media_id))[0] == 200
    shop.play.advance_clock(60)
    status, content_type, body, _ = await download(shop, media_id)
    assert (status, content_type) == (200, "application/json")
    assert b'"errcode":40007' in body
    await shop.upload("image", PNG)
    assert media_id not in shop.simulator.world.corps[CORP].media


async def test_unknown_and_missing_media_ids(shop: Shop) -> None:
    assert (await shop.get("media/get", media_id="unknown"))["errcode"] == 40007
    assert (await shop.get("media/get"))["errcode"] == 41006


async def test_media_belong_to_the_corp_and_are_shared_by_its_apps(shop: Shop) -> None:
    media_id = (await shop.upload("image", PNG))["media_id"]
    shop.play.create_app(CORP, "second", agent_id=3)
    shop.play.create_app("ww2", "other")
    for corp, secret, errcode in ((CORP, "second", None), ("ww2", "other", 40007)):
        async with shop.http.get(f"{shop.base}/gettoken", params={"corpid": corp, "corpsecret": secret}) as response:
            params = {"access_token": (await response.json())["access_token"], "media_id": media_id}
        async with shop.http.get(f"{shop.base}/media/get", params=params) as response:
            if errcode is None:
                assert await response.read() == PNG
            else:
                assert (await response.json())["errcode"] == errcode


async def test_ranges(shop: Shop) -> None:
    media_id = (await shop.upload("file", b"0123456789"))["media_id"]
    assert (await download(shop, media_id, Range="bytes=2-4"))[:3] == (206, "application/octet-stream", b"234")
    assert (await download(shop, media_id, Range="bytes=7-"))[2] == b"789"
    assert b'"errcode":830002' in (await download(shop, media_id, Range="bytes=20-"))[2]
    assert b'"errcode":830002' in (await download(shop, media_id, Range="bytes=x"))[2]


async def test_permanent_pictures(shop: Shop) -> None:
    form = aiohttp.FormData()
    form.add_field("media", PNG, filename="a.png")
    answer = await post_form(shop, "media/uploadimg", form)
    assert answer["errcode"] == 0
    shop.play.advance_clock(30 * 86400)
    async with shop.http.get(answer["url"]) as response:
        assert await response.read() == PNG
    large = aiohttp.FormData()
    large.add_field("media", PNG + b"\0" * 2 * MB, filename="a.png")
    assert (await post_form(shop, "media/uploadimg", large))["errcode"] == 45001
    async with shop.http.get(f"{shop.simulator.base_url}/pictures/uploaded/unknown") as response:
        assert response.status == 404
