"""The platform's side of callback cryptography (chapter 2.1), written apart from every client's so that both are tested."""

from __future__ import annotations

import base64
import hashlib
import secrets
import struct

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

_BLOCK = 32
"""PKCS#7 pads to 32 bytes here, although the cipher's own block has 16."""


def key_of(encoding_aes_key: str) -> bytes:
    """The 32 key bytes. Raises ``ValueError`` unless it is 43 letters and digits."""
    if len(encoding_aes_key) != 43 or not encoding_aes_key.isascii() or not encoding_aes_key.isalnum():
        raise ValueError("EncodingAESKey must be 43 characters of a-z, A-Z and 0-9")
    return base64.b64decode(encoding_aes_key + "=")


def encrypt(key: bytes, message: bytes, receive_id: str) -> str:
    clear = secrets.token_bytes(16) + struct.pack(">I", len(message)) + message + receive_id.encode()
    padding = _BLOCK - len(clear) % _BLOCK
    encryptor = Cipher(AES(key), CBC(key[:16])).encryptor()
    secret = encryptor.update(clear + bytes([padding]) * padding) + encryptor.finalize()
    return base64.b64encode(secret).decode()


def decrypt(key: bytes, encrypted: str) -> tuple[bytes, str]:
    """The message and its receive id. Raises ``ValueError`` for what was not made by :func:`encrypt`."""
    decryptor = Cipher(AES(key), CBC(key[:16])).decryptor()
    clear = decryptor.update(base64.b64decode(encrypted, validate=True)) + decryptor.finalize()
    padding = clear[-1] if clear else 0
    if not 1 <= padding <= _BLOCK or clear[-padding:] != bytes([padding]) * padding:
        raise ValueError("wrong padding")
    clear = clear[:-padding]
    (length,) = struct.unpack(">I", clear[16:20])
    if len(clear) < 20 + length:
        raise ValueError("wrong length")
    return clear[20 : 20 + length], clear[20 + length :].decode()


def signature(token: str, timestamp: str, nonce: str, encrypted: str) -> str:
    return hashlib.sha1("".join(sorted((token, timestamp, nonce, encrypted))).encode()).hexdigest()
