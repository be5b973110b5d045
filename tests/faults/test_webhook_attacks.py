"""What strangers post: a clear answer, no row, no stack trace, and the platforms' own webhooks are accepted all the while."""

from __future__ import annotations

import asyncio
import gzip
import logging
import resource
import zlib
from collections.abc import AsyncIterator, Callable, Iterator

import aiohttp
import pytest

from tests.company import AES_KEY, CLIENT_SECRET, Company
from tests.faults.posting import Answer, Post, douyin_body, from_douyin, from_wecom, good_traffic, post, talk

MEGABYTE = 1024 * 1024
ATTACK = Callable[[], Post]


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30), auto_decompress=False) as session:
        yield session


@pytest.fixture(autouse=True)
def quiet_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """A stranger must not be able to fill the log: at most one line for a request, and never a stack trace."""
    caplog.set_level(logging.INFO)
    yield
    for record in caplog.records:
        assert record.exc_info is None or record.exc_info[0] is None, record.getMessage()
        assert "\n" not in record.getMessage().strip(), record.getMessage()
        assert record.levelno < logging.ERROR, record.getMessage()


def clear(answer: Answer, status: int, code: str = "") -> None:
    """The answer says what is wrong in our own words and nothing about our inside."""
    assert answer.status == status, answer.body[:300]
    assert answer.headers["Content-Type"].startswith("application/json"), answer.headers
    assert b"Traceback" not in answer.body
    assert b"/scrm/" not in answer.body
    assert len(answer.body) < 500
    if code:
        assert answer.error == code


DTD = '<?xml version="1.0"?><!DOCTYPE xml [{dtd}]><xml><Encrypt>{{encrypted}}&a;</Encrypt></xml>'
LAUGHS = '<!ENTITY a "ha">' + "".join(f'<!ENTITY a{n} "{"&a;" * 50}">' for n in range(20))

DOUYIN: dict[str, tuple[ATTACK, int, str]] = {
    "wrong secret": (lambda: from_douyin(secret="another secret"), 403, "bad_signature"),
    "no signature": (lambda: Post(douyin_body()), 403, "bad_signature"),
    "signature of other bytes": (lambda: Post(douyin_body(), from_douyin().headers), 403, "bad_signature"),
    "signature that is no text": (lambda: Post(b"{}", {"X-Douyin-Signature": "\u00ff" * 40}), 403, "bad_signature"),
    "another app's event": (lambda: from_douyin(douyin_body(client_key="aw-other")), 403, "bad_signature"),
    "broken JSON": (lambda: from_douyin(b'{"event": "im_receive_msg", '), 400, "bad_request"),
    "no object": (lambda: from_douyin(b"[1, 2, 3]"), 400, "bad_request"),
    "empty": (lambda: from_douyin(b""), 400, "bad_request"),
    "bytes that are no text": (lambda: from_douyin(b"\xff\xfe\x00" * 50), 400, "bad_request"),
    "nested without end": (lambda: from_douyin(b'{"a":' * 50_000 + b"1" + b"}" * 50_000), 400, "bad_request"),
    "names no event": (lambda: from_douyin(douyin_body(event="")), 400, "bad_request"),
    "challenge of nothing": (lambda: from_douyin(douyin_body(event="verify_webhook", content={})), 400, "bad_request"),
    "10 MB": (lambda: from_douyin(b" " * 10 * MEGABYTE), 413, "too_large"),
}

WECOM: dict[str, tuple[ATTACK, int, str]] = {
    "wrong token": (lambda: from_wecom(token="anothertoken"), 403, "bad_signature"),
    "wrong receive id": (lambda: from_wecom(receive_id="ww-somebody-else"), 403, "bad_signature"),
    "receive id with ours in it": (lambda: from_wecom(receive_id="wwtestcorp0000001x"), 403, "bad_signature"),
    "no receive id": (lambda: from_wecom(receive_id=""), 403, "bad_signature"),
    "wrong key": (lambda: from_wecom(aes_key=AES_KEY[::-1]), 400, "bad_request"),
    "no query": (lambda: Post(from_wecom().body), 400, "bad_request"),
    "broken XML": (lambda: from_wecom(outer="<xml><Encrypt>{encrypted}</Encrypt>"), 400, "bad_request"),
    "no XML": (lambda: from_wecom(outer="hello"), 400, "bad_request"),
    "empty": (lambda: from_wecom(outer=""), 400, "bad_request"),
    "no Encrypt": (lambda: from_wecom(outer="<xml><a>{encrypted}</a></xml>"), 400, "bad_request"),
    "two Encrypts": (
        lambda: from_wecom(outer="<xml><Encrypt>{encrypted}</Encrypt><Encrypt>b</Encrypt></xml>"), 400, "bad_request",
    ),
    "no base64": (lambda: from_wecom(outer="<xml><Encrypt>%%%{encrypted}</Encrypt></xml>"), 403, "bad_signature"),
    "DTD": (lambda: from_wecom(outer=DTD.format(dtd='<!ENTITY a "">')), 400, "bad_request"),
    "external entity": (
        lambda: from_wecom(outer=DTD.format(dtd='<!ENTITY a SYSTEM "file:///etc/passwd">')), 400, "bad_request",
    ),
    "entities without end": (lambda: from_wecom(outer=DTD.format(dtd=LAUGHS)), 400, "bad_request"),
    "nested without end": (lambda: from_wecom(outer="<xml>" + "<a>" * 20_000), 400, "bad_request"),
    "10 MB": (lambda: from_wecom(outer="<xml>" + " " * 10 * MEGABYTE + "</xml>"), 413, "too_large"),
}  # fmt: skip


@pytest.mark.parametrize("name", DOUYIN)
async def test_douyin(shop: Company, http: aiohttp.ClientSession, name: str) -> None:
    attack, status, code = DOUYIN[name]
    address = shop.address + await shop.webhook_path(shop.douyin_id)
    async with good_traffic(shop):
        for _ in range(3):
            clear(await post(http, address, attack()), status, code)


@pytest.mark.parametrize("name", WECOM)
async def test_wecom(shop: Company, http: aiohttp.ClientSession, name: str) -> None:
    attack, status, code = WECOM[name]
    address = shop.address + await shop.webhook_path(shop.wecom_id)
    async with good_traffic(shop):
        for _ in range(3):
            clear(await post(http, address, attack()), status, code)


async def test_dtd_in_another_encoding(shop: Company, http: aiohttp.ClientSession) -> None:
    """A filter for the letters ``<!DOCTYPE`` would miss these; the parser itself refuses."""
    address = shop.address + await shop.webhook_path(shop.wecom_id)
    text = from_wecom(
        outer=DTD.format(dtd='<!ENTITY a "x">').replace('version="1.0"', 'version="1.0" encoding="utf-16"')
    )
    async with good_traffic(shop):
        for encoding in ("utf-16", "utf-16-le", "utf-32", "utf-7"):
            clear(
                await post(http, address, Post(text.body.decode().encode(encoding), {}, text.query)), 400, "bad_request"
            )


async def test_dtd_inside_the_encryption(shop: Company, http: aiohttp.ClientSession) -> None:
    """Only somebody with the keys can do this. It is kept as received, and read by a parser that knows no entities."""
    inner = b'<!DOCTYPE xml [<!ENTITY a SYSTEM "file:///etc/passwd">]><xml><Event>&a;</Event></xml>'
    address = shop.address + await shop.webhook_path(shop.wecom_id)
    assert (await post(http, address, from_wecom(inner))).status == 200
    db = shop.services.db
    async with asyncio.timeout(15):
        while not (row := await db.fetchrow("select * from inbound_event where body = $1 and state <> 'new'", inner)):
            await asyncio.sleep(0.02)
    assert row["state"] == "unrecognised"
    assert "root:" not in row["error"]


@pytest.mark.parametrize(
    "path",
    [
        "/webhooks/douyin/nobody",
        "/webhooks/wecom/nobody",
        "/webhooks/telegram/nobody",
        "/webhooks/douyin/" + "x" * 5000,
        "/webhooks/douyin/%00",
        "/webhooks/douyin/%ff%fe",
        "/webhooks/douyin/..%2f..%2fetc%2fpasswd",
        "/webhooks/douyin",
        "/webhooks/",
    ],
)
async def test_unknown_connection(shop: Company, http: aiohttp.ClientSession, path: str) -> None:
    async with good_traffic(shop):
        clear(await post(http, shop.address + path, from_douyin()), 404, "not_found")


async def test_the_key_of_another_platform(shop: Company, http: aiohttp.ClientSession) -> None:
    key = (await shop.webhook_path(shop.douyin_id)).rsplit("/", 1)[1]
    async with good_traffic(shop):
        clear(await post(http, f"{shop.address}/webhooks/wecom/{key}", from_wecom()), 404, "not_found")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "PROPFIND"])
async def test_wrong_method(shop: Company, http: aiohttp.ClientSession, method: str) -> None:
    genuine = from_douyin()
    address = shop.address + await shop.webhook_path(shop.douyin_id)
    async with good_traffic(shop):
        answer = await post(http, address, Post(genuine.body, genuine.headers, method=method))
    assert answer.status == 405
    assert "POST" in answer.headers["Allow"]


async def test_get_is_no_way_in(shop: Company, http: aiohttp.ClientSession) -> None:
    genuine = from_douyin()
    async with good_traffic(shop):
        address = shop.address + await shop.webhook_path(shop.douyin_id)
        clear(await post(http, address, Post(genuine.body, genuine.headers, method="GET")), 400, "bad_request")
        one = from_wecom()
        address = shop.address + await shop.webhook_path(shop.wecom_id)
        clear(await post(http, address, Post(one.body, {}, one.query, method="GET")), 400, "bad_request")
        clear(await post(http, address, Post(b"", {}, one.query + "&echostr=abc", method="GET")), 403, "bad_signature")


@pytest.mark.parametrize("platform", ["douyin", "wecom"])
async def test_replay(shop: Company, http: aiohttp.ClientSession, platform: str) -> None:
    """The platforms repeat what they are not sure of, so a replay is answered as they expect it, and changes nothing."""
    one = from_douyin() if platform == "douyin" else from_wecom()
    connection = shop.douyin_id if platform == "douyin" else shop.wecom_id
    address = shop.address + await shop.webhook_path(connection)
    assert (await post(http, address, one)).status == 200
    async with good_traffic(shop):  # which counts that no row was added but its own
        answers = await asyncio.gather(*[post(http, address, one) for _ in range(20)])
    assert {answer.status for answer in answers} == {200}


async def test_replay_under_another_id(shop: Company, http: aiohttp.ClientSession) -> None:
    """``Msg-Id`` is not signed: whoever recorded a webhook can post it again under a new one. The message is known by its own
    id, so it is not shown twice."""
    body = douyin_body()
    address = shop.address + await shop.webhook_path(shop.douyin_id)
    for n in range(5):
        assert (await post(http, address, from_douyin(body, message_id=f"replayed-{n}"))).status == 200
    db = shop.services.db
    async with asyncio.timeout(15):
        while await db.fetchval("select count(*) from inbound_event where state = 'new'"):
            await asyncio.sleep(0.02)
    assert await db.fetchval("select count(*) from message") == 1


def bomb(size: int, kind: str) -> bytes:
    if kind == "gzip":
        return gzip.compress(b" " * size, 9)
    squeezer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS if kind == "deflate" else -zlib.MAX_WBITS)
    return squeezer.compress(b" " * size) + squeezer.flush()


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "x-gzip", "gzip, gzip", "nonsense"])
async def test_compressed_bodies(shop: Company, http: aiohttp.ClientSession, encoding: str) -> None:
    """No platform compresses what it posts. A small body that unpacks to 200 MB is refused without being unpacked."""
    body = bomb(200 * MEGABYTE, "deflate" if encoding == "deflate" else "gzip")
    assert len(body) < MEGABYTE
    one = from_douyin(body)
    address = shop.address + await shop.webhook_path(shop.douyin_id)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    async with good_traffic(shop):
        answers = await asyncio.gather(
            *[post(http, address, Post(body, {**one.headers, "Content-Encoding": encoding})) for _ in range(5)]
        )
    for answer in answers:
        clear(answer, 415, "unsupported_encoding")
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown < 100, f"{grown:.0f} MB more were used"


async def test_compressed_and_genuine(shop: Company, http: aiohttp.ClientSession) -> None:
    """The same answer for a harmless one, whatever its signature is over."""
    body = douyin_body()
    packed = gzip.compress(body)
    address = shop.address + await shop.webhook_path(shop.douyin_id)
    async with good_traffic(shop):
        for signed in (body, packed):
            headers = {**from_douyin(signed).headers, "Content-Encoding": "gzip"}
            clear(await post(http, address, Post(packed, headers)), 415, "unsupported_encoding")


async def test_body_without_end(shop: Company, http: aiohttp.ClientSession) -> None:
    """Chunks with no length told before: reading stops at the limit."""
    address = shop.address + await shop.webhook_path(shop.douyin_id)
    sent = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 64:
            sent += 1
            yield b" " * MEGABYTE

    async with good_traffic(shop):
        try:
            async with http.post(address, data=chunks()) as response:
                assert response.status == 413
        except aiohttp.ClientError:
            pass  # the server may close while we are still writing; its answer is lost then
    assert sent < 64, "all of it was read"


HEAD = "POST {path} HTTP/1.1\r\nHost: a\r\n"
MALFORMED = {
    "two lengths": "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "length and chunks": "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "negative length": "Content-Length: -1\r\n\r\n",
    "length with a plus": "Content-Length: +2\r\n\r\n{}",
    "length in words": "Content-Length: two\r\n\r\n{}",
    "broken chunk": "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    "unknown transfer encoding": "Transfer-Encoding: gzip\r\n\r\n{}",
    "header without a name": ": x\r\n\r\n",
    "header with a line feed": "X: a\r\n b\r\nContent-Length: 0\r\n\r\n",
    "NUL in a header": "X: a\x00b\r\nContent-Length: 0\r\n\r\n",
    "header of 100 KB": "X: " + "a" * 100_000 + "\r\n\r\n",
    "ten thousand headers": "".join(f"X-{n}: 1\r\n" for n in range(10_000)) + "\r\n",
}


@pytest.mark.parametrize("name", MALFORMED)
async def test_malformed_requests(shop: Company, name: str) -> None:
    """Not HTTP as it should be: refused, and nothing that follows in the connection is taken for a second request."""
    path = await shop.webhook_path(shop.douyin_id)
    smuggled = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
    async with good_traffic(shop):
        said = await talk(
            shop.address, (HEAD.format(path=path) + MALFORMED[name] + smuggled).encode("latin-1"), seconds=5
        )
    assert said == b"" or said.startswith((b"HTTP/1.1 400", b"HTTP/1.0 400", b"HTTP/1.1 403")), said[:200]
    assert b"alive" not in said or said.startswith(b"HTTP/1.1 403"), "the rest was taken for a request"
    assert b"Traceback" not in said


@pytest.mark.parametrize(
    "data",
    [b"", b"\x00" * 5000, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 50, b"GET /\r\n\r\n"],
    ids=["nothing", "zeros", "HTTP 2", "TLS", "HTTP 0.9"],
)  # fmt: skip
async def test_what_is_not_http(shop: Company, data: bytes) -> None:
    async with good_traffic(shop):
        said = await talk(shop.address, data, seconds=3, end=True)
    assert b"Traceback" not in said


async def test_half_a_body_and_then_nothing(shop: Company) -> None:
    """Two hundred connections that promise a body and never finish it: nobody else waits for them, and they are ended."""
    path = await shop.webhook_path(shop.douyin_id)
    request = (HEAD.format(path=path) + 'Content-Length: 1000\r\n\r\n{"event":').encode()
    async with good_traffic(shop) as meanwhile:
        waiting = [asyncio.create_task(talk(shop.address, request, seconds=40)) for _ in range(200)]
        while len(meanwhile.answers) < 40:
            await asyncio.sleep(0.02)
        said = await asyncio.gather(*waiting)
    assert all(one.startswith(b"HTTP/1.1 408") for one in said), set(said)


async def test_half_a_body_and_then_gone(shop: Company) -> None:
    path = await shop.webhook_path(shop.douyin_id)
    request = (HEAD.format(path=path) + 'Content-Length: 1000\r\n\r\n{"event":').encode()
    async with good_traffic(shop):
        await asyncio.gather(*[talk(shop.address, request, seconds=0.3) for _ in range(100)])


async def test_headers_that_pretend(shop: Company, http: aiohttp.ClientSession) -> None:
    """None of these changes who is asked, how, or what is believed."""
    forged = from_douyin(secret="another secret")
    pretence = {
        "X-HTTP-Method-Override": "GET",
        "X-Original-URL": "/healthz",
        "X-Rewrite-URL": "/healthz",
        "X-Forwarded-For": "127.0.0.1",
        "X-Forwarded-Host": "evil.example",
        "Forwarded": "for=127.0.0.1",
        "Cookie": "scrm_session=x",
        "Authorization": "Bearer x",
        "Expect": "100-continue",
        "Content-Type": "multipart/form-data; boundary=x",
        "Origin": "https://evil.example",
    }
    address = shop.address + await shop.webhook_path(shop.douyin_id)
    async with good_traffic(shop):
        clear(await post(http, address, Post(forged.body, {**forged.headers, **pretence})), 403, "bad_signature")
        host = await post(http, address, Post(forged.body, {**forged.headers, "Host": "evil.example"}))
        clear(host, 403, "bad_signature")


async def test_a_signature_is_taken_from_one_place_only(shop: Company) -> None:
    """Two signature headers, one of them right: which counts is settled, and a forged body passes with neither order."""
    path = await shop.webhook_path(shop.douyin_id)
    genuine, forged = from_douyin(), douyin_body()
    right = f"X-Douyin-Signature: {genuine.headers['X-Douyin-Signature']}\r\n"
    wrong = f"X-Douyin-Signature: {'0' * 40}\r\n"
    async with good_traffic(shop):
        for lines in (right + wrong, wrong + right):
            head = HEAD.format(path=path) + lines + f"Connection: close\r\nContent-Length: {len(forged)}\r\n\r\n"
            said = await talk(shop.address, head.encode() + forged, seconds=5)
            assert said.startswith(b"HTTP/1.1 403"), said[:200]


async def test_the_secret_is_in_no_answer(shop: Company, http: aiohttp.ClientSession) -> None:
    address = shop.address + await shop.webhook_path(shop.douyin_id)
    answer = await post(http, address, from_douyin(secret="guess"))
    assert CLIENT_SECRET.encode() not in answer.body
    assert len(answer.body) < 300
