"""Is a push genuine, and meant for us? Pure and quick (wechat-oa.md section 2).

With an EncodingAESKey (compatible and safe mode) only the encrypted part of a push is believed: it is signed and names its
appid, while the plain signature covers no byte of the body, so that whoever saw one could write any other. Without a key (plain
mode) that weak signature is all there is.

The cipher is wechatpy's. Its checks are not used: it compares signatures with ``!=`` and does not look at the padding.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from wechatpy.crypto.base import WeChatCipher

from adapters.wechat_oa.values import text
from adapters.wechat_oa.xml import BrokenXml, XmlFields, read_xml
from scrm.channel import Challenge, Verified, WebhookRequest
from scrm.errors import BadRequest, BadSignature, Unprocessable

ACCEPTED = b"success"
"""Any other answer is shown to the customer as a failure of the account."""
_LARGEST_BODY = 1 << 20
_RANDOM = 16
_LENGTH = 4
_PADDING_BLOCK = 32
_CIPHER_BLOCK = 16
_TELLING = ("EventKey", "Ticket", "MsgID", "PublishEventInfo", "KfAccount")
"""What tells two events of one person in one second apart."""


class PushVerifier:
    """Verifies the pushes of one account. Built once: the key is decoded here, not on each request."""

    def __init__(self, *, token: str, encoding_aes_key: str, app_id: str, original_id: str) -> None:
        """Raises :class:`~scrm.errors.Unprocessable` for an EncodingAESKey that is none. An empty one means plain mode."""
        self._token = token.encode()
        self._cipher = WeChatCipher(_decode_key(encoding_aes_key)) if encoding_aes_key else None
        self._app_id = app_id.encode()
        self._original_id = original_id.encode()

    def verify(self, request: WebhookRequest) -> Verified | Challenge:
        """Raises :class:`~scrm.errors.BadSignature` and :class:`~scrm.errors.BadRequest`."""
        if request.method == "GET":
            self._check(request, "signature")
            return Challenge(_octets(_needed(request, "echostr")))
        if self._cipher is not None:
            message = self._opened(request, self._cipher)
            fields = _read(message)
        else:
            self._check(request, "signature")
            message, fields = request.body, _read(request.body)
        if not hmac.compare_digest(_octets(text(fields, "ToUserName")), self._original_id):
            raise BadSignature("The push is meant for another account; check the original id (gh_...).")
        return Verified(raw=message, dedupe_key=dedupe_key(fields), answer=ACCEPTED)

    def _opened(self, request: WebhookRequest, cipher: WeChatCipher) -> bytes:
        encrypted = text(_read(request.body), "Encrypt").strip()
        if not encrypted:
            raise BadSignature(
                "The push is not encrypted although an EncodingAESKey is set; choose safe mode, or remove the key."
            )
        self._check(request, "msg_signature", encrypted)
        return self._unpacked(_decrypted(cipher, encrypted))

    def _check(self, request: WebhookRequest, name: str, *signed: str) -> None:
        given = _octets(_needed(request, name))
        parts = [
            self._token,
            *(_octets(_needed(request, one)) for one in ("timestamp", "nonce")),
            *map(_octets, signed),
        ]
        expected = hashlib.sha1(b"".join(sorted(parts)), usedforsecurity=False).hexdigest().encode()
        if not hmac.compare_digest(given, expected):
            raise BadSignature("The signature does not fit; check the Token of the server configuration.")

    def _unpacked(self, clear: bytes) -> bytes:
        """16 random bytes, the length of the message (4 bytes, big-endian), the message, the appid."""
        start = _RANDOM + _LENGTH
        end = start + int.from_bytes(clear[_RANDOM:start], "big")
        if len(clear) < start or end > len(clear):
            raise BadRequest("The decrypted message is shorter than it says; check the EncodingAESKey.")
        if not hmac.compare_digest(clear[end:], self._app_id):
            raise BadSignature("The message is meant for another appid; check the AppID.")
        return clear[start:end]


def dedupe_key(fields: XmlFields) -> str:
    """Messages by their id; events by who, when and what, as the platform advises."""
    message_id = text(fields, "MsgId")
    if message_id and text(fields, "MsgType") != "event":
        return f"message:{_short(message_id)}"
    parts = [text(fields, name) for name in ("FromUserName", "CreateTime", "MsgType")]
    parts += [text(fields, "Event").lower(), *(repr(fields.get(name, "")) for name in _TELLING)]
    return f"event:{hashlib.sha256(chr(0).join(parts).encode('utf-8', 'replace')).hexdigest()}"


def _short(identifier: str) -> str:
    """Identifiers come from outside; one that is too long for an index is replaced by its digest."""
    return identifier if len(identifier) <= 100 else hashlib.sha256(_octets(identifier)).hexdigest()


def _decode_key(encoding_aes_key: str) -> bytes:
    problem = "must be exactly the 43 letters and digits that the console shows as EncodingAESKey"
    try:
        key = base64.b64decode(encoding_aes_key + "=", validate=True)
    except (binascii.Error, ValueError) as error:
        raise Unprocessable(f"encoding_aes_key {problem}.", fields={"encoding_aes_key": problem}) from error
    if len(encoding_aes_key) != 43 or len(key) != 32:
        raise Unprocessable(f"encoding_aes_key {problem}.", fields={"encoding_aes_key": problem})
    return key


def _decrypted(cipher: WeChatCipher, encrypted: str) -> bytes:
    try:
        sealed = base64.b64decode(_octets(encrypted), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadRequest("The encrypted message is not valid base64.") from error
    if not sealed or len(sealed) % _CIPHER_BLOCK:
        raise BadRequest("The encrypted message has an impossible length.")
    clear: bytes = cipher.decrypt(sealed)
    size = clear[-1]
    if not 1 <= size <= _PADDING_BLOCK or size > len(clear) or clear[-size:] != bytes([size]) * size:
        raise BadRequest("The decrypted message is damaged; check the EncodingAESKey.")
    return clear[:-size]


def _read(body: bytes) -> XmlFields:
    if len(body) > _LARGEST_BODY:
        raise BadRequest("The body is larger than any push.")
    try:
        return read_xml(body)
    except BrokenXml as error:
        raise BadRequest(f"The body is no push: {error}.") from error


def _needed(request: WebhookRequest, name: str) -> str:
    value = request.query.get(name, "")
    if not value:
        raise BadRequest(f"The query has no {name}.")
    return value


def _octets(value: str) -> bytes:
    return value.encode("utf-8", "replace")
