"""Is a callback genuine, and meant for us? Pure and quick (wecom.md section 2; platform pages 90930, 90238, 90968).

The cipher is wechatpy's. Its checks are not used: it compares signatures with ``!=``, does not look at the padding, and
answers broken input with whatever exception comes first.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from wechatpy.crypto.base import WeChatCipher

from adapters.wecom.xml import BrokenXml, read_xml
from scrm.channel import Challenge, Verified, WebhookRequest
from scrm.errors import BadRequest, BadSignature, Unprocessable

_LARGEST_BODY = 1 << 20
"""Real callbacks are a few kilobytes. More is not worth the work of checking."""
_WELCOME_CODE = b"<WelcomeCode>"
"""Allows one greeting within 20 seconds (wecom.md section 6.3)."""
_RANDOM = 16
_LENGTH = 4
_PADDING_BLOCK = 32
_CIPHER_BLOCK = 16


class CallbackVerifier:
    """Verifies the callbacks of one app. Built once: the key is decoded here, not on each request."""

    def __init__(self, *, token: str, encoding_aes_key: str, receive_id: str) -> None:
        """Raises :class:`~scrm.errors.Unprocessable` for an EncodingAESKey that is none."""
        key = _decode_key(encoding_aes_key)
        self._token = token.encode()
        self._cipher = WeChatCipher(key)
        self._receive_id = receive_id.encode()

    def verify(self, request: WebhookRequest) -> Verified | Challenge:
        """Raises :class:`~scrm.errors.BadSignature` and :class:`~scrm.errors.BadRequest`."""
        if request.method == "GET":
            return Challenge(self._open(request, _echo(request)))
        message = self._open(request, _encrypted(request.body))
        return Verified(raw=message, dedupe_key=hashlib.sha256(message).hexdigest(), urgent=_WELCOME_CODE in message)

    def _open(self, request: WebhookRequest, encrypted: str) -> bytes:
        self._check_signature(request, encrypted)
        return self._decrypt(encrypted)

    def _check_signature(self, request: WebhookRequest, encrypted: str) -> None:
        given = _parameter(request, "msg_signature")
        signed = sorted(
            (self._token, _parameter(request, "timestamp"), _parameter(request, "nonce"), _octets(encrypted))
        )
        expected = hashlib.sha1(b"".join(signed), usedforsecurity=False).hexdigest().encode()
        if not hmac.compare_digest(given, expected):
            raise BadSignature("The signature does not fit; check the Token of the callback settings.")

    def _decrypt(self, encrypted: str) -> bytes:
        try:
            sealed = base64.b64decode(_octets(encrypted), validate=True)
        except (binascii.Error, ValueError) as error:
            raise BadRequest("The encrypted message is not valid base64.") from error
        if not sealed or len(sealed) % _CIPHER_BLOCK:
            raise BadRequest("The encrypted message has an impossible length.")
        clear: bytes = self._cipher.decrypt(sealed)
        return self._unpack(_without_padding(clear))

    def _unpack(self, clear: bytes) -> bytes:
        """16 random bytes, the length of the message (4 bytes, big-endian), the message, the receiver's id."""
        start = _RANDOM + _LENGTH
        end = start + int.from_bytes(clear[_RANDOM:start], "big")
        if len(clear) < start or end > len(clear):
            raise BadRequest("The decrypted message is shorter than it says; check the EncodingAESKey.")
        if not hmac.compare_digest(clear[end:], self._receive_id):
            raise BadSignature("The message is meant for another company; check the CorpID.")
        return clear[start:end]


def _decode_key(encoding_aes_key: str) -> bytes:
    problem = "must be exactly the 43 letters and digits that WeCom shows as EncodingAESKey"
    try:
        key = base64.b64decode(encoding_aes_key + "=", validate=True)
    except (binascii.Error, ValueError) as error:
        raise Unprocessable(f"encoding_aes_key {problem}.", fields={"encoding_aes_key": problem}) from error
    if len(encoding_aes_key) != 43 or len(key) != 32:
        raise Unprocessable(f"encoding_aes_key {problem}.", fields={"encoding_aes_key": problem})
    return key


def _without_padding(clear: bytes) -> bytes:
    """PKCS#7 to a block of 32 bytes: the last byte says how many bytes to drop, and each of them has its value."""
    size = clear[-1]
    if not 1 <= size <= _PADDING_BLOCK or size > len(clear) or clear[-size:] != bytes([size]) * size:
        raise BadRequest("The decrypted message is damaged; check the EncodingAESKey.")
    return clear[:-size]


def _encrypted(body: bytes) -> str:
    if len(body) > _LARGEST_BODY:
        raise BadRequest("The body is larger than any callback.")
    try:
        encrypted = read_xml(body).get("Encrypt")
    except BrokenXml as error:
        raise BadRequest(f"The body is not a callback: {error}.") from error
    if not isinstance(encrypted, str) or not encrypted:
        raise BadRequest("The body has no Encrypt element.")
    return encrypted.strip()


def _echo(request: WebhookRequest) -> str:
    """``echostr``. Base64 knows no spaces; one that arrives was a plus sign that somebody decoded as a form would."""
    echo = request.query.get("echostr", "")
    if not echo or len(echo) > _LARGEST_BODY:
        raise BadRequest("The query has no echostr; WeCom sends one to check the address.")
    return echo.replace(" ", "+")


def _parameter(request: WebhookRequest, name: str) -> bytes:
    value = request.query.get(name, "")
    if not value:
        raise BadRequest(f"The query has no {name}.")
    return _octets(value)


def _octets(value: str) -> bytes:
    return value.encode("utf-8", "replace")
