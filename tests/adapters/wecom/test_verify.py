"""Only genuine callbacks, meant for us, get in; a repetition is known by its key."""

from __future__ import annotations

import base64
import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wechatpy.crypto.base import WeChatCipher

from adapters.wecom.verify import CallbackVerifier
from scrm.channel import Challenge, Verified, WebhookRequest
from scrm.errors import BadRequest, BadSignature, Unprocessable
from tests.adapters.wecom.support import AES_KEY, CORP_ID, TOKEN, envelope, push, query, seal

RING = (
    f"<xml><ToUserName>{CORP_ID}</ToUserName><CreateTime>1772352000</CreateTime><MsgType>event</MsgType>"
    "<Event>kf_msg_or_event</Event><Token>ENC1</Token><OpenKfId>wkA</OpenKfId></xml>"
)


@pytest.fixture
def verifier() -> CallbackVerifier:
    return CallbackVerifier(token=TOKEN, encoding_aes_key=AES_KEY, receive_id=CORP_ID)


def echo(word: str, **changed: str) -> WebhookRequest:
    sealed = seal(word)
    return WebhookRequest("GET", {**query(sealed), "echostr": sealed, **changed}, {}, b"")


def sealed_raw(clear: bytes) -> WebhookRequest:
    """A signed callback whose clear text, padding included, is exactly this."""
    key = base64.b64decode(AES_KEY + "=")
    encrypted = base64.b64encode(WeChatCipher(key).encrypt(clear)).decode()
    return WebhookRequest("POST", query(encrypted), {}, envelope(encrypted))


def test_the_address_check_is_answered_with_the_bare_clear_text(verifier: CallbackVerifier) -> None:
    assert verifier.verify(echo("1616140317555161061")) == Challenge(b"1616140317555161061")


def test_an_echo_whose_plus_signs_were_read_as_spaces_still_fits(verifier: CallbackVerifier) -> None:
    sealed = next(sealed for sealed in iter(lambda: seal("word"), "") if "+" in sealed)
    request = WebhookRequest("GET", {**query(sealed), "echostr": sealed.replace("+", " ")}, {}, b"")
    assert verifier.verify(request) == Challenge(b"word")


def test_a_genuine_callback_gives_its_clear_text(verifier: CallbackVerifier) -> None:
    verified = verifier.verify(push(RING))
    assert isinstance(verified, Verified)
    assert verified.raw == RING.encode()
    assert verified.answer == b""


def test_repetitions_of_one_event_have_one_key_and_other_events_another(verifier: CallbackVerifier) -> None:
    first, second = push(RING), push(RING, nonce="777", timestamp="1409659900")
    assert first.body != second.body
    keys = [verifier.verify(request).dedupe_key for request in (first, second, first)]  # type: ignore[union-attr]
    assert len(set(keys)) == 1
    other = verifier.verify(push(RING.replace("ENC1", "ENC2")))
    assert isinstance(other, Verified)
    assert other.dedupe_key not in keys


@pytest.mark.parametrize("name", ["msg_signature", "timestamp", "nonce"])
def test_a_changed_query_is_refused(verifier: CallbackVerifier, name: str) -> None:
    request = push(RING)
    with pytest.raises(BadSignature):
        verifier.verify(replace(request, query={**request.query, name: "0" * 40}))


@pytest.mark.parametrize("name", ["msg_signature", "timestamp", "nonce"])
def test_a_query_that_lacks_something_is_a_bad_request(verifier: CallbackVerifier, name: str) -> None:
    request = push(RING)
    with pytest.raises(BadRequest, match=name):
        verifier.verify(replace(request, query={k: v for k, v in request.query.items() if k != name}))


def test_a_changed_body_is_refused(verifier: CallbackVerifier) -> None:
    request = push(RING)
    with pytest.raises(BadSignature):
        verifier.verify(replace(request, body=envelope(seal(RING))))


def test_a_signature_of_strange_letters_is_refused(verifier: CallbackVerifier) -> None:
    request = push(RING)
    with pytest.raises(BadSignature):
        verifier.verify(replace(request, query={**request.query, "msg_signature": "签名\udcff"}))


def test_a_message_for_another_company_is_refused(verifier: CallbackVerifier) -> None:
    encrypted = seal(RING, receive_id="ww0000000000000000")
    with pytest.raises(BadSignature, match="another company"):
        verifier.verify(WebhookRequest("POST", query(encrypted), {}, envelope(encrypted)))


def test_a_message_under_another_key_is_refused_even_when_it_is_signed(verifier: CallbackVerifier) -> None:
    encrypted = seal(RING, key=AES_KEY[::-1])
    with pytest.raises((BadRequest, BadSignature)):
        verifier.verify(WebhookRequest("POST", query(encrypted), {}, envelope(encrypted)))


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "not a callback"),
        (b"not xml", "not a callback"),
        (b"<xml><Encrypt>abc", "not a callback"),
        (b"<xml><Other>1</Other></xml>", "no Encrypt"),
        (b"<xml><Encrypt></Encrypt></xml>", "no Encrypt"),
        (b"<xml><Encrypt><A>1</A></Encrypt></xml>", "no Encrypt"),
        (b"<xml><Encrypt>a</Encrypt><Encrypt>b</Encrypt></xml>", "no Encrypt"),
        (b"\xff\xfe\x00", "not a callback"),
        (b"<xml>" + b"<a>" * 100, "nested too deeply"),
        (b"<xml>" + b"a" * (2 << 20) + b"</xml>", "larger"),
        (b'<!DOCTYPE xml [<!ENTITY a "b">]><xml><Encrypt>&a;</Encrypt></xml>', "document type"),
        (b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><xml><Encrypt>a</Encrypt></xml>', "document type"),
    ],
)
def test_broken_and_hostile_bodies_are_bad_requests(verifier: CallbackVerifier, body: bytes, sentence: str) -> None:
    with pytest.raises(BadRequest, match=sentence):
        verifier.verify(WebhookRequest("POST", query("x"), {}, body))


def test_a_bomb_of_entities_costs_no_time(verifier: CallbackVerifier) -> None:
    entities = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 12))
    bomb = f'<!DOCTYPE x [<!ENTITY l0 "ha">{entities}]><xml><Encrypt>&l11;</Encrypt></xml>'.encode()
    started = time.process_time()
    with pytest.raises(BadRequest, match="document type"):
        verifier.verify(WebhookRequest("POST", query("x"), {}, bomb))
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    ("encrypted", "sentence"),
    [("!!!!", "base64"), ("abc", "base64"), ("YWJj", "length"), ("中文", "base64")],
)
def test_what_is_signed_but_not_encrypted_is_a_bad_request(
    verifier: CallbackVerifier, encrypted: str, sentence: str
) -> None:
    with pytest.raises(BadRequest, match=sentence):
        verifier.verify(WebhookRequest("POST", query(encrypted), {}, envelope(encrypted)))


@pytest.mark.parametrize(
    "clear",
    [
        bytes(32),
        bytes(31) + b"\x21",
        bytes(30) + b"\x01\x02",
        b"r" * 16 + (5000).to_bytes(4, "big") + b"x" * 11 + b"\x01",
        b"r" * 14 + b"\x02" * 2,
        b"\x20" * 32,
        b"\x10" * 16,
    ],
    ids=["pad 0", "pad 33", "uneven pad", "length too large", "no room for a length", "only pad", "one block"],
)
def test_damaged_clear_texts_are_bad_requests(verifier: CallbackVerifier, clear: bytes) -> None:
    with pytest.raises(BadRequest):
        verifier.verify(sealed_raw(clear))


def test_padding_of_every_size_is_read(verifier: CallbackVerifier) -> None:
    for size in range(33):
        verified = verifier.verify(push("x" * size))
        assert isinstance(verified, Verified)
        assert verified.raw == b"x" * size


@given(body=st.binary(max_size=400))
def test_any_body_is_refused_in_order(body: bytes) -> None:
    verifier = CallbackVerifier(token=TOKEN, encoding_aes_key=AES_KEY, receive_id=CORP_ID)
    for request in (
        WebhookRequest("POST", query("x"), {}, body),
        sealed_raw(body + bytes(-len(body) % 16 or 16)),
    ):
        with pytest.raises((BadRequest, BadSignature)):
            verifier.verify(request)


@pytest.mark.parametrize("key", ["", "short", AES_KEY + "=", AES_KEY[:-1], AES_KEY[:-1] + "-", AES_KEY[:-1] + "中"])
def test_an_impossible_key_is_refused_when_the_connection_is_made(key: str) -> None:
    with pytest.raises(Unprocessable) as refused:
        CallbackVerifier(token=TOKEN, encoding_aes_key=key, receive_id=CORP_ID)
    assert "encoding_aes_key" in refused.value.fields
