"""Which requests are taken for Douyin's own, and under which key an event is stored."""

from __future__ import annotations

import orjson
import pytest

from adapters.douyin.verify import signature, verify
from scrm.channel import Challenge, Verified, WebhookRequest
from scrm.errors import BadRequest, BadSignature

KEY, SECRET = "awkey", "s3cret"


def request(body: bytes, message_id: str = "", *, upper: bool = False, method: str = "POST") -> WebhookRequest:
    signed = signature(SECRET, body)
    headers = {"x-douyin-signature": signed.upper() if upper else signed}
    if message_id:
        headers["msg-id"] = message_id
    assert method in ("POST", "GET")
    return WebhookRequest("POST" if method == "POST" else "GET", {}, headers, body)


def event(name: str = "im_receive_msg", **content: object) -> bytes:
    return orjson.dumps({"event": name, "client_key": KEY, "content": content})


def key_of(asked: WebhookRequest) -> str:
    verified = verify(asked, KEY, SECRET)
    assert isinstance(verified, Verified)
    return verified.dedupe_key


def test_the_signature_is_the_documented_one() -> None:
    assert signature("secret", b'{"a":1}') == "6d3ece5e32c56a029e1bc9209c84b0707179c504"


def test_upper_case_signatures_are_accepted() -> None:
    assert key_of(request(event(), "msg-1", upper=True)) == "id:msg-1"


def test_the_address_check_is_answered_with_the_same_number_as_json() -> None:
    answer = verify(request(event("verify_webhook", challenge=12345)), KEY, SECRET)
    assert answer == Challenge(b'{"challenge":12345}', "application/json")


@pytest.mark.parametrize("content", [{}, {"challenge": None}, {"challenge": [1]}, {"challenge": True}])
def test_an_address_check_without_its_number_is_refused(content: dict[str, object]) -> None:
    with pytest.raises(BadRequest):
        verify(request(event("verify_webhook", **content)), KEY, SECRET)


def test_an_unsigned_address_check_is_refused() -> None:
    with pytest.raises(BadSignature):
        verify(WebhookRequest("POST", {}, {}, event("verify_webhook", challenge=1)), KEY, SECRET)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff", b'{"client_key":"awkey"}', b"[" * 5000])
def test_a_signed_body_that_is_no_event_is_a_bad_request(body: bytes) -> None:
    with pytest.raises((BadRequest, BadSignature)) as caught:
        verify(request(body), KEY, SECRET)
    assert isinstance(caught.value, BadRequest)


def test_the_event_of_another_app_is_refused() -> None:
    body = orjson.dumps({"event": "im_receive_msg", "client_key": "awother", "content": {}})
    with pytest.raises(BadSignature):
        verify(request(body), KEY, SECRET)


def test_douyin_only_posts() -> None:
    with pytest.raises(BadRequest):
        verify(request(event(), method="GET"), KEY, SECRET)


def test_the_key_is_the_message_id_of_the_push() -> None:
    assert key_of(request(event(server_message_id="@1"), "msg-1")) == "id:msg-1"
    assert len(key_of(request(event(), "m" * 5000))) < 100


def test_without_it_the_key_is_the_message_and_its_event() -> None:
    assert key_of(request(event(server_message_id="@1"))) == key_of(request(event(server_message_id="@1", text="x")))
    assert key_of(request(event(server_message_id="@1"))) != key_of(request(event(server_message_id="@2")))
    assert key_of(request(event(server_message_id="@1"))) != key_of(
        request(event("im_recall_msg", server_message_id="@1"))
    )


def test_without_either_the_key_is_the_body() -> None:
    assert key_of(request(event(action_time=1))) == key_of(request(event(action_time=1)))
    assert key_of(request(event(action_time=1))) != key_of(request(event(action_time=2)))


def test_the_answer_to_an_event_is_json() -> None:
    verified = verify(request(event(), "msg-1"), KEY, SECRET)
    assert isinstance(verified, Verified)
    assert orjson.loads(verified.answer)["data"]["error_code"] == 0
    assert verified.content_type == "application/json"


def test_half_an_emoji_in_a_name_is_no_reason_to_lose_an_event() -> None:
    body = b'{"event":"im_receive_msg","client_key":"awkey","content":{"text":"\\ud83d"}}'
    assert key_of(request(body, "msg-1")) == "id:msg-1"
