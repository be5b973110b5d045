"""Files in and out: whole, in ranges, under safe names, and never run."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import aiohttp
import pytest

from scrm.handing_out import safe_name
from scrm.services import Services
from tests.http.site import Browser, Site, running

PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489") + b"\0" * 40


def form(data: bytes, name: str, mime: str = "application/octet-stream", field: str = "file") -> aiohttp.FormData:
    # As browsers do: names as they are.
    made = aiohttp.FormData(quote_fields=False)
    made.add_field(field, data, filename=name, content_type=mime)
    return made


async def upload(browser: Browser, data: bytes, name: str, mime: str = "application/octet-stream") -> dict[str, Any]:
    status, body = await browser.call("POST", "/api/uploads", data=form(data, name, mime))
    assert status == 201, body
    found: dict[str, Any] = body
    return found


async def test_a_picture_goes_up_and_comes_back(site: Site) -> None:
    rep = await site.signed_in("rep")
    view = await upload(rep, PNG, "产品 图.png", "image/png")
    assert (view["kind"], view["state"], view["name"], view["mime"], view["size"]) == (
        "image", "stored", "产品 图.png", "image/png", len(PNG),
    )  # fmt: skip
    async with rep.http.get(site.base + view["url"]) as answer:
        assert await answer.read() == PNG
        assert answer.headers["Content-Type"] == "image/png"
        assert answer.headers["Content-Disposition"].startswith("inline;")
        assert unquote(answer.headers["Content-Disposition"].rpartition("''")[2]) == "产品 图.png"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        etag = answer.headers["ETag"]
    async with rep.http.get(site.base + view["url"], headers={"If-None-Match": etag}) as answer:
        assert (answer.status, await answer.read()) == (304, b"")
    async with rep.http.get(f"{site.base}{view['url']}?download=1") as answer:
        assert answer.headers["Content-Disposition"].startswith("attachment;")


@pytest.mark.parametrize(
    ("asked", "status", "first", "last"),
    [
        ("bytes=0-0", 206, 0, 1),
        ("bytes=5-9", 206, 5, 10),
        ("bytes=990000-", 206, 990_000, 1_000_000),
        ("bytes=-10", 206, 999_990, 1_000_000),
        ("bytes=-99999999", 206, 0, 1_000_000),
        ("bytes=5-99999999", 206, 5, 1_000_000),
        ("bytes=1000000-", 416, 0, 0),
        ("bytes=9-5", 416, 0, 0),
        ("bytes=-0", 416, 0, 0),
        ("bytes=-", 200, 0, 1_000_000),
        ("bytes=0-1,5-6", 200, 0, 1_000_000),
        ("lines=1-2", 200, 0, 1_000_000),
        ("bytes=99999999999999999999-", 200, 0, 1_000_000),
    ],
)
async def test_ranges(site: Site, asked: str, status: int, first: int, last: int) -> None:
    rep = await site.signed_in("rep")
    data = bytes(n % 251 for n in range(1_000_000))
    view = await upload(rep, data, "大文件.bin")
    async with rep.http.get(site.base + view["url"], headers={"Range": asked}) as answer:
        body = await answer.read()
        assert answer.status == status
        if status == 416:
            assert answer.headers["Content-Range"] == "bytes */1000000"
            return
        assert body == data[first:last]
        if status == 206:
            assert answer.headers["Content-Range"] == f"bytes {first}-{last - 1}/1000000"


HTML = b"<!doctype html><html><body><script>alert(document.cookie)</script></body></html>"
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.mark.parametrize(
    ("data", "name", "mime"),
    [
        (HTML, "a.html", "text/html"),
        (HTML, "a.png", "image/png"),
        (HTML, "a", "text/html; charset=utf-8"),
        (SVG, "a.svg", "image/svg+xml"),
        (SVG, "a.png", "image/svg+xml"),
        (
            b"<?xml version='1.0'?><x:script xmlns:x='http://www.w3.org/1999/xhtml'/>",
            "a.xhtml",
            "application/xhtml+xml",
        ),
        (b"alert(1)", "a.js", "text/javascript"),
        (b"MZ" + b"\0" * 200, "setup.exe", "application/x-msdownload"),
        (b"plain words", "a.txt", "text/plain"),
    ],
)
async def test_what_a_browser_could_run_is_only_saved(site: Site, data: bytes, name: str, mime: str) -> None:
    rep = await site.signed_in("rep")
    view = await upload(rep, data, name, mime)
    async with rep.http.get(site.base + view["url"]) as answer:
        assert await answer.read() == data
        shown_as = answer.headers["Content-Type"]
        assert shown_as in ("application/octet-stream", "image/png")
        if shown_as == "application/octet-stream":
            assert answer.headers["Content-Disposition"].startswith("attachment;")
        # A wrong claim of being a picture is believed by nobody: the browser must not guess, and may not run anything.
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\windows\\system.ini", "system.ini"),
        ("C:\\fakepath\\图.jpg", "图.jpg"),
        ("/", "file"),
        ("", "file"),
        ("..", "file"),
        ("a\x00b\r\nSet-Cookie: x.txt", "abSet-Cookie_ x.txt"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ('a"b;c.txt', "a_b;c.txt"),
        ("x" * 300 + ".docx", "x" * 145 + ".docx"),
        ("\ud800.txt", "txt"),
    ],
)
def test_names_are_made_safe(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@pytest.mark.filterwarnings("ignore::aiohttp.multipart.BadContentDispositionHeader")
async def test_a_hostile_name_breaks_no_header(site: Site) -> None:
    rep = await site.signed_in("rep")
    view = await upload(rep, b"data", "x'; filename*=UTF-8''evil.html; a='报价.pdf")
    assert view["name"] == "x'; filename_=UTF-8''evil.html; a='报价.pdf"
    await site.services.db.execute("update attachment set name = $1", "x\"; filename*=UTF-8''evil.html; a=\"报价.pdf")
    async with rep.http.get(site.base + view["url"]) as answer:
        header = answer.headers["Content-Disposition"]
        assert header.count('"') == 2
        assert header.count("filename*=") == 1
        assert unquote(header.rpartition("''")[2]).endswith("报价.pdf")


async def test_files_that_are_too_large_or_empty_or_not_there(services: Services) -> None:
    server = services.settings.server.model_copy(update={"max_upload_bytes": 100_000})
    services.settings = services.settings.model_copy(update={"server": server})
    async with running(services) as site:
        rep = await site.signed_in("rep")
        assert (await rep.call("POST", "/api/uploads", data=form(b"x" * 100_001, "a")))[0] == 413
        assert (await rep.call("POST", "/api/uploads", data=form(b"x" * 9_000_000, "a")))[0] == 413
        assert (await rep.call("POST", "/api/uploads", data=form(b"x" * 100_000, "a")))[0] == 201
        assert (await rep.call("POST", "/api/uploads", data=form(b"", "a")))[0] == 422
        assert (await rep.call("POST", "/api/uploads", data=form(b"x", "a", field="other")))[0] == 422
        assert (await rep.call("POST", "/api/uploads", json={}))[0] == 415
        kind = {"Content-Type": "multipart/form-data"}
        assert (await rep.call("POST", "/api/uploads", data=b"--x--", headers=kind))[0] == 400
        kind = {"Content-Type": "multipart/form-data; boundary=x"}
        for broken in (
            b"",
            b"nothing",
            b"--x\r\n",
            b"--x\r\nContent-Disposition: form-data; name=file\r\n\r\nabc",
            b"--y--\r\n",
        ):
            status, _ = await rep.call("POST", "/api/uploads", data=broken, headers=kind)
            assert status in (400, 422), broken
    assert await services.db.fetchval("select count(*) from attachment where size > 100000") == 0


async def test_an_unsent_upload_is_private(site: Site) -> None:
    rep, manager = await site.signed_in("rep"), await site.signed_in("manager")
    view = await upload(rep, PNG, "a.png")
    assert (await manager.call("GET", view["url"]))[0] == 404
    account = await site.account(await site.connection())
    message = await site.says(await site.conversation(account), "[图片]", direction="out")
    await site.services.db.execute("update attachment set message_id = $2 where id = $1", view["id"], message)
    assert (await manager.call("GET", view["url"]))[0] == 200
    await site.recalls(message)
    assert (await manager.call("GET", view["url"]))[0] == 200
    assert (await rep.call("GET", view["url"]))[0] == 404


async def test_a_file_that_is_not_here(site: Site) -> None:
    rep = await site.signed_in("rep")
    message = await site.says(await site.conversation(await site.account(await site.connection())), "[图片]")
    db = site.services.db
    pending = await db.fetchval(
        "insert into attachment (message_id, kind, state) values ($1, 'image', 'pending') returning id", message
    )
    await db.execute("insert into blob (sha256, size, mime) values ($1, 9, 'image/png')", "b" * 64)
    lost = await db.fetchval(
        "insert into attachment (message_id, kind, state, sha256) values ($1, 'image', 'stored', $2) returning id",
        message, "b" * 64,
    )  # fmt: skip
    assert (await rep.call("GET", f"/api/attachments/{pending}/content"))[0] == 404
    assert (await rep.call("GET", f"/api/attachments/{lost}/content"))[1]["error"] == "file_gone"
