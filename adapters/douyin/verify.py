"""Is a webhook genuine? Platform reference, chapters 4.1 and 4.2.

The signature is SHA-1 over the app's secret followed by the bytes of the body as they were sent: no separator, no time, no
nonce. So nothing may be decoded before, and a repeated request is stopped only by its dedupe key.
"""

from __future__ import annotations

import hashlib
import hmac

import orjson

from adapters.douyin.reading import object_in, read_object, text_in
from scrm.channel import Challenge, JsonObject, Verified, WebhookRequest
from scrm.errors import BadRequest, BadSignature

ACCEPTED = b'{"data":{"error_code":0,"description":"success"}}'
JSON = "application/json"
LONGEST_ID = 200


def signature(client_secret: str, body: bytes) -> str:
    return hashlib.sha1(client_secret.encode() + body).hexdigest()  # noqa: S324 - the platform's own algorithm


def verify(request: WebhookRequest, client_key: str, client_secret: str) -> Verified | Challenge:
    """Raises :class:`BadSignature` for what this app's secret did not sign or another app's events, :class:`BadRequest` for a
    genuine request that is no event."""
    if request.method != "POST":
        raise BadRequest("Douyin posts its events.")
    given = request.headers.get("x-douyin-signature", "").strip().lower()
    expected = signature(client_secret, request.body)
    if not hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode()):
        raise BadSignature("X-Douyin-Signature does not fit the body and the secret of this connection.")
    body = read_object(request.body)
    if body is None:
        raise BadRequest("The body is not a JSON object.")
    if text_in(body, "client_key") != client_key:
        raise BadSignature("The event is meant for another client_key.")
    event = text_in(body, "event")
    if not event:
        raise BadRequest("The body names no event.")
    if event == "verify_webhook":
        return challenge(body)
    key = dedupe_key(event, body, request)
    return Verified(raw=request.body, dedupe_key=key, answer=ACCEPTED, content_type=JSON)


def challenge(body: JsonObject) -> Challenge:
    """The address check wants the same number back, as JSON."""
    number = object_in(body.get("content")).get("challenge")
    if isinstance(number, bool) or not isinstance(number, int | str):
        raise BadRequest("The address check holds no challenge.")
    return Challenge(answer=orjson.dumps({"challenge": number}), content_type=JSON)


def dedupe_key(event: str, body: JsonObject, request: WebhookRequest) -> str:
    """``Msg-Id`` stays the same over the platform's repetitions. Without it the message's own id serves, and last the bytes."""
    message_id = request.headers.get("msg-id", "").strip()
    if message_id:
        return f"id:{shortened(message_id)}"
    server_message_id = text_in(object_in(body.get("content")), "server_message_id")
    if server_message_id:
        return f"message:{shortened(event)}:{shortened(server_message_id)}"
    return f"body:{hashlib.sha256(request.body).hexdigest()}"


def shortened(identifier: str) -> str:
    """Identifiers come from outside; one that is too long for an index is replaced by its digest."""
    return identifier if len(identifier) <= LONGEST_ID else hashlib.sha256(identifier.encode()).hexdigest()
