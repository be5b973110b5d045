"""Only genuine pushes, meant for us, get in; a repetition is known by its key."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.wechat_oa.verify import ACCEPTED, PushVerifier
from scrm.channel import Challenge, Verified, WebhookRequest
from scrm.errors import BadRequest, BadSignature, Unprocessable
from simulator.wecom.crypto import encrypt, key_of, signature
from tests.adapters.wechat_oa.golden import SHOP, event, message

TOKEN, AES_KEY, APP_ID = "tokenoftests", "Ky00btrDZXBp1V7woLX0sxKnb5OYRg4pRzIIwoA0DrI", "wx0123456789abcdef"
TEXT = message("text", "<Content>你好</Content>")


def verifier(key: str = AES_KEY, token: str = TOKEN, app_id: str = APP_ID) -> PushVerifier:
    return PushVerifier(token=token, encoding_aes_key=key, app_id=app_id, original_id=SHOP)


def query(nonce: str = "42", timestamp: str = "1795253401", token: str = TOKEN) -> dict[str, str]:
    signed = hashlib.sha1("".join(sorted((token, timestamp, nonce))).encode(), usedforsecurity=False).hexdigest()
    return {"signature": signed, "timestamp": timestamp, "nonce": nonce}


def plain(body: bytes = TEXT, **more: str) -> WebhookRequest:
    return WebhookRequest("POST", query(**more), {}, body)


def sealed(body: bytes = TEXT, nonce: str = "42", app_id: str = APP_ID, beside: bytes = b"") -> WebhookRequest:
    encrypted = encrypt(key_of(AES_KEY), body, app_id)
    asked = {
        **query(nonce),
        "encrypt_type": "aes",
        "msg_signature": signature(TOKEN, "1795253401", nonce, encrypted),
    }
    envelope = f"<xml><ToUserName>{SHOP}</ToUserName>".encode() + beside
    return WebhookRequest("POST", asked, {}, envelope + f"<Encrypt>{encrypted}</Encrypt></xml>".encode())


def accepted(of: PushVerifier, request: WebhookRequest) -> Verified:
    verified = of.verify(request)
    assert isinstance(verified, Verified)
    return verified


@pytest.mark.parametrize("key", [AES_KEY, ""])
def test_the_address_check_is_answered_with_the_bare_echo(key: str) -> None:
    request = WebhookRequest("GET", {**query(), "echostr": "6789012345"}, {}, b"")
    assert verifier(key).verify(request) == Challenge(b"6789012345")
    with pytest.raises(BadSignature):
        verifier(key).verify(replace(request, query={**request.query, "signature": "0" * 40}))
    with pytest.raises(BadRequest, match="echostr"):
        verifier(key).verify(replace(request, query=query()))


def test_a_genuine_push_gives_its_clear_text_and_is_answered_with_success() -> None:
    for of, request in ((verifier(), sealed()), (verifier(""), plain())):
        verified = accepted(of, request)
        assert (verified.raw, verified.answer) == (TEXT, ACCEPTED)


def test_in_compatible_mode_only_the_sealed_part_is_believed() -> None:
    lie = b"<MsgType>text</MsgType><Content>forged</Content><MsgId>1</MsgId>"
    assert accepted(verifier(), sealed(beside=lie)).raw == TEXT


def test_a_plain_push_is_refused_where_a_key_is_set() -> None:
    """Its signature says nothing of the body: whoever saw one could say anything."""
    with pytest.raises(BadSignature, match="not encrypted"):
        verifier().verify(plain())


def test_a_push_for_another_account_is_refused() -> None:
    with pytest.raises(BadSignature, match="appid"):
        verifier().verify(sealed(app_id="wx_other"))
    for of, request in (
        (verifier(), sealed(message("text", to="gh_other"))),
        (verifier(""), plain(message("text", to="gh_other"))),
    ):
        with pytest.raises(BadSignature, match="another account"):
            of.verify(request)


def test_entities_are_refused() -> None:
    with pytest.raises(BadRequest, match="document type"):
        verifier("").verify(plain(b"<!DOCTYPE x [<!ENTITY a 'a'>]>" + TEXT))


def test_repetitions_of_one_push_have_one_key_and_others_another() -> None:
    of = verifier()
    same = {accepted(of, sealed(nonce=nonce)).dedupe_key for nonce in ("1", "2", "3")}
    same |= {accepted(verifier(""), plain(nonce="9")).dedupe_key}
    assert len(same) == 1
    others = [
        message("text", "<Content>你好</Content>", number=7),
        event("CLICK", "<EventKey>A</EventKey>"),
        event("CLICK", "<EventKey>B</EventKey>"),
        event("CLICK", "<EventKey>A</EventKey>", by="oOTHER"),
        event("CLICK", "<EventKey>A</EventKey>", at=1795253999),
        event("SCAN", "<EventKey>A</EventKey>"),
        event("MASSSENDJOBFINISH", "<MsgID>1</MsgID>"),
        event("MASSSENDJOBFINISH", "<MsgID>2</MsgID>"),
    ]
    keys = [accepted(of, sealed(body)).dedupe_key for body in others]
    assert len({*keys, *same}) == len(others) + 1
    assert accepted(of, sealed(event("click", "<EventKey>A</EventKey>"))).dedupe_key == keys[1]


@pytest.mark.parametrize("name", ["msg_signature", "timestamp", "nonce"])
def test_a_changed_or_shortened_query_is_refused(name: str) -> None:
    request = sealed()
    with pytest.raises(BadSignature):
        verifier().verify(replace(request, query={**request.query, name: "0" * 40}))
    with pytest.raises(BadRequest, match=name):
        verifier().verify(replace(request, query={k: v for k, v in request.query.items() if k != name}))


@pytest.mark.parametrize("key", ["short", "é" * 43, "!" * 43, AES_KEY + "=", "a" * 42])
def test_a_key_that_is_none_is_told_when_the_connection_is_saved(key: str) -> None:
    with pytest.raises(Unprocessable) as caught:
        verifier(key)
    assert caught.value.fields == {
        "encoding_aes_key": "must be exactly the 43 letters and digits that the console shows as EncodingAESKey"
    }


@given(
    body=st.binary(max_size=300),
    given_query=st.dictionaries(
        st.sampled_from(["signature", "timestamp", "nonce", "msg_signature"]), st.text(max_size=50)
    ),
)
def test_nothing_that_strangers_post_gets_in(body: bytes, given_query: dict[str, str]) -> None:
    for of in (verifier(), verifier("")):
        with pytest.raises((BadSignature, BadRequest)):
            of.verify(WebhookRequest("POST", given_query, {}, body))


@given(clear=st.binary(max_size=200))
def test_what_decrypts_to_nonsense_is_refused(clear: bytes) -> None:
    """Signed with the right token (it leaked), sealed with nobody's key."""
    encrypted = base64.b64encode(clear + bytes(-len(clear) % 16)).decode()
    asked = {**query(), "msg_signature": signature(TOKEN, "1795253401", "42", encrypted)}
    with pytest.raises((BadSignature, BadRequest)):
        verifier().verify(WebhookRequest("POST", asked, {}, f"<xml><Encrypt>{encrypted}</Encrypt></xml>".encode()))
