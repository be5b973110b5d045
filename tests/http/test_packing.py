"""Answers are compressed where it pays and tells nobody anything."""

from __future__ import annotations

import gzip
from typing import Any

import orjson
import pytest

from scrm.packing import accepts_gzip
from scrm.services import Services
from tests.http.site import Browser, running


async def raw(browser: Browser, path: str, accept: str) -> tuple[bytes, dict[str, str]]:
    headers = {"Accept-Encoding": accept}
    async with browser.http.get(browser.base + path, headers=headers, auto_decompress=False) as answer:
        assert answer.status == 200
        return await answer.read(), dict(answer.headers)


async def test_long_lists_are_compressed_and_keys_are_not(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(services) as site:
        account = await site.account(await site.connection())
        for _ in range(12):
            await site.conversation(account)
        browser = await site.signed_in("admin")
        plain, headers = await raw(browser, "/api/conversations?view=all", "identity")
        assert "Content-Encoding" not in headers
        assert headers["Vary"] == "Accept-Encoding"
        packed, headers = await raw(browser, "/api/conversations?view=all", "gzip, deflate, br")
        assert headers["Content-Encoding"] == "gzip"
        assert len(packed) < len(plain) / 3

        def ids(body: bytes) -> list[Any]:
            return [one["id"] for one in orjson.loads(body)["conversations"]]

        assert ids(gzip.decompress(packed)) == ids(plain)
        assert "Content-Encoding" not in (await raw(browser, "/api/conversations/counts", "gzip"))[1]
        # Whatever holds a key of the asker stays as it is, however long it may be.
        monkeypatch.setattr("scrm.packing.WORTH_IT", 10)
        assert (await raw(browser, "/api/conversations/counts", "gzip"))[1]["Content-Encoding"] == "gzip"
        body, headers = await raw(browser, "/api/session", "gzip")
        assert b"csrf_token" in body
        assert "Content-Encoding" not in headers


@pytest.mark.parametrize(
    ("header", "fits"),
    [
        ("gzip", True),
        ("br, GZIP ; q=0.5", True),
        ("*", True),
        ("", False),
        ("br", False),
        ("gzip;q=0, br", False),
        ("identity", False),
    ],
)
def test_a_refusal_is_heard(header: str, fits: bool) -> None:
    assert accepts_gzip(header) is fits
