"""Broken and hostile requests get a clear answer."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scrm.db import Database
from scrm.http import SIGNED_IN, Request, Route
from scrm.migrate import schema_sql
from scrm.postgres import EmbeddedPostgres
from scrm.services import Services
from scrm.views import View
from tests.http.site import Browser, Site, running

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"{", JSON, 400, "bad_json"),
        (b"", JSON, 400, "bad_json"),
        (b'{"name": NaN}', JSON, 400, "bad_json"),
        (b'{"name": "\\ud800"}', JSON, 400, "bad_json"),
        (b'{"name": "\xff"}', JSON, 400, "bad_json"),
        (b"[" * 100_000, JSON, 400, "bad_json"),
        (b"[]", JSON, 422, "invalid"),
        (b'{"name": "a\\u0000b"}', JSON, 422, "invalid"),
        (b'{"na\\u0000me": "b"}', JSON, 422, "invalid"),
        (b'{"name": 1e300}', JSON, 422, "invalid"),
        (b"name=x", {"Content-Type": "application/x-www-form-urlencoded"}, 415, "unsupported_type"),
        (b"{}", {"Content-Type": "text/plain"}, 415, "unsupported_type"),
        (b'{"name": "' + b"x" * (1 << 20) + b'"}', JSON, 413, "too_large"),
        (b'{"other": 1}', JSON, 422, "invalid"),
    ],
)
async def test_bodies(site: Site, body: bytes, headers: dict[str, str], status: int, code: str) -> None:
    browser = await site.signed_in("rep")
    got, answer = await browser.call("PATCH", "/api/me", data=body, headers=headers)
    assert (got, answer["error"]) == (status, code), answer
    assert answer["detail"]


async def test_a_body_without_a_length_is_limited_too(site: Site) -> None:
    browser = await site.signed_in("rep")

    async def endless() -> Any:
        for _ in range(40):
            yield b"x" * 65536

    got, answer = await browser.call("PATCH", "/api/me", data=endless(), headers=JSON)
    assert (got, answer["error"]) == (413, "too_large")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/conversations/0", 404),
        ("/api/conversations/-1", 404),
        ("/api/conversations/1.0", 404),
        ("/api/conversations/٣", 404),
        ("/api/conversations/9223372036854775807", 404),
        ("/api/conversations/9223372036854775808", 404),
        ("/api/conversations/99999999999999999999999999", 404),
        ("/api/conversations/%00", 404),
        ("/api/nowhere", 404),
        ("/api", 404),
        ("/api/conversations?view=theirs", 422),
        ("/api/conversations?limit=0", 422),
        ("/api/conversations?limit=1000", 422),
        ("/api/conversations?limit=99999999999999999999999", 422),
        ("/api/conversations?account_id=9223372036854775808", 422),
        ("/api/conversations?cursor=%00", 422),
        ("/api/conversations?cursor=zzzz", 422),
        ("/api/conversations?cursor=..%2F..", 422),
        ("/api/conversations?view=all&view=mine", 422),
        ("/api/conversations?wiev=all", 422),
        ("/api/session?x=1", 422),
        ("/api/inbound-events?cursor=9999999999999999999", 422),
        ("/api/conversations/1/messages?before=1&after=2", 422),
        ("/api/conversations/1/changes", 422),
    ],
)
async def test_addresses(site: Site, path: str, status: int) -> None:
    browser = await site.signed_in("admin")
    got, answer = await browser.call("GET", path)
    assert got == status, answer
    assert answer["detail"]


async def test_a_known_address_with_another_method_says_which_it_takes(site: Site) -> None:
    browser = site.stranger()
    async with browser.http.put(f"{site.base}/api/session") as answer:
        assert answer.status == 405
        assert answer.headers["Allow"] == "DELETE, GET, POST"
        assert (await answer.json())["error"] == "method_not_allowed"
    assert (await browser.call("PUT", "/somewhere"))[0] == 405


async def test_fields_are_refused_in_sentences(site: Site) -> None:
    browser = await site.signed_in("admin")
    _, answer = await browser.call("POST", "/api/agents", json={"login": "a b", "extra": 1})
    assert answer["fields"]["extra"] == "There is no such field."
    assert answer["fields"]["name"] == "This is needed."
    assert all(sentence.endswith(".") for sentence in answer["fields"].values())


QUOTED = "the customer wrote this"


class Nothing(View):
    pass


async def _breaks(request: Request) -> Nothing:
    raise RuntimeError(QUOTED)


async def _divides(request: Request) -> Nothing:
    await request.services.db.execute(f"select '{QUOTED}'::int")
    return Nothing()


async def _asks_wrongly(request: Request) -> Nothing:
    await request.services.db.execute("select $1::int", QUOTED)
    return Nothing()


async def test_a_fault_of_ours_has_a_number_and_tells_nobody_what_customers_wrote(
    services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    from scrm.route_table import routes

    own = [Route("GET", f"/api/{one.__name__}", one, SIGNED_IN, "x") for one in (_breaks, _divides, _asks_wrongly)]
    async with running(services, [*routes(), *own]) as site:
        browser = await site.signed_in("rep")
        for route in own:
            with caplog.at_level(logging.ERROR):
                caplog.clear()
                status, answer = await browser.call("GET", route.path)
            assert (status, answer["error"]) == (500, "internal"), route.path
            number = answer["detail"].rstrip(".").split()[-1]
            assert number in caplog.text
            assert route.handler.__name__ in caplog.text
            assert QUOTED not in caplog.text + answer["detail"]


@pytest.fixture
def own_server() -> Iterator[EmbeddedPostgres]:
    """A server that a test may stop. Its folder lies where every user may pass through, as the server needs it."""
    folder = Path(tempfile.mkdtemp(prefix="scrm-own-"))
    folder.chmod(0o711)
    with EmbeddedPostgres(folder, tuning={"fsync": "off"}, segments_ahead=0) as server:
        yield server
    shutil.rmtree(folder, ignore_errors=True)


async def test_while_the_database_is_away_the_answer_is_to_try_again(
    services: Services, own_server: EmbeddedPostgres
) -> None:
    own = await Database.open(own_server.url, size=3)
    await own.execute(schema_sql())
    async with running(dataclasses.replace(services, db=own)) as site:
        browser = await site.signed_in("rep")
        await asyncio.to_thread(own_server.stop)
        async with browser.http.get(f"{site.base}/api/conversations") as answer:
            assert answer.status == 503
            assert answer.headers["Retry-After"]
            assert (await answer.json())["error"] == "unavailable"
        assert (await browser.call("POST", "/api/session", json={"login": "x", "password": "y"}))[0] == 503
        await asyncio.to_thread(own_server.start)
        assert (await browser.call("GET", "/api/conversations"))[0] == 200
    await own.close()


async def test_every_answer_has_the_security_headers(site: Site) -> None:
    browser: Browser = await site.signed_in("rep")
    for path in ("/", "/api/session", "/api/nowhere", "/docs", "/openapi.json", "/assets/none.js", "/ws"):
        async with browser.http.get(site.base + path) as answer:
            assert answer.headers["X-Content-Type-Options"] == "nosniff", path
            assert answer.headers["X-Frame-Options"] == "DENY", path
            assert answer.headers["Referrer-Policy"], path
            assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"], path
    async with browser.http.get(f"{site.base}/api/session") as answer:
        assert answer.headers["Cache-Control"] == "no-store"
