"""The page's files, and the description of the API."""

from __future__ import annotations

from pathlib import Path

from scrm.services import Services
from tests.http.site import running


def with_page(services: Services, folder: Path | None) -> None:
    server = services.settings.server.model_copy(update={"page_dir": folder})
    services.settings = services.settings.model_copy(update={"server": server})


async def test_the_page_and_its_assets(services: Services, tmp_path: Path) -> None:
    folder = tmp_path / "page"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>页面</title>")
    (folder / "assets" / "app-1a2b.js").write_text("console.log('hello')" * 200)
    (folder / "assets" / "lib-3c4d.css").write_text("a{}" * 600)
    (folder / "assets" / "lib-3c4d.css.br").write_bytes(b"brotli bytes")
    (tmp_path / "secret.txt").write_text("nobody's business")
    with_page(services, folder)
    async with running(services) as site:
        browser = site.stranger()
        for path in ("/", "/index.html", "/conversations/7", "/settings/connections?x=1"):
            async with browser.http.get(site.base + path) as answer:
                assert (answer.status, "页面" in await answer.text()) == (200, True), path
                assert answer.headers["Cache-Control"] == "no-cache"
                assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
        async with browser.http.get(f"{site.base}/assets/app-1a2b.js", headers={"Accept-Encoding": "gzip"}) as answer:
            assert answer.headers["Content-Encoding"] == "gzip"
            assert "immutable" in answer.headers["Cache-Control"]
            assert answer.content_type == "text/javascript"
            assert (await answer.text()).startswith("console.log")
            etag = answer.headers["ETag"]
        async with browser.http.get(f"{site.base}/assets/app-1a2b.js", headers={"If-None-Match": etag}) as answer:
            assert answer.status == 304
        headers = {"Accept-Encoding": "br"}
        async with browser.http.get(
            f"{site.base}/assets/lib-3c4d.css", headers=headers, auto_decompress=False
        ) as answer:
            assert (answer.headers["Content-Encoding"], await answer.read()) == ("br", b"brotli bytes")
        for path in ("/assets/gone.js", "/favicon.ico", "/assets/../../secret.txt", "/assets/%2e%2e/%2e%2e/secret.txt"):
            status, body = await browser.call("GET", path)
            assert b"nobody" not in (body or b""), path
            assert status in (200, 404)
        assert (await browser.call("GET", "/assets/gone.js"))[0] == 404
        async with browser.http.head(f"{site.base}/") as answer:
            assert answer.status == 200


async def test_without_a_page_a_friendly_word(services: Services, tmp_path: Path) -> None:
    with_page(services, tmp_path)
    async with running(services) as site:
        status, body = await site.stranger().call("GET", "/")
        assert status == 200
        assert "页面尚未构建" in body.decode()


async def test_the_description_is_complete_and_readable(services: Services) -> None:
    async with running(services) as site:
        browser = site.stranger()
        description = await browser.get("/openapi.json")
        assert description["openapi"] == "3.1.0"
        for route in site.table:
            operation = description["paths"][route.path][route.method.lower()]
            assert operation["summary"]
            assert {"503", "422"} <= set(operation["responses"])
        identifiers = [
            operation["operationId"] for path in description["paths"].values() for operation in path.values()
        ]
        assert len(identifiers) == len(set(identifiers))
        async with browser.http.get(f"{site.base}/docs") as answer:
            text = await answer.text()
            assert "<script" not in text
            assert "http://" not in text
            assert "https://" not in text
            assert all(route.path in text for route in site.table)
