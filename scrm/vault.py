"""Secrets at rest: AES-256-GCM under the key from the configuration, with older keys still readable."""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from typing import TYPE_CHECKING, Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from scrm.errors import ConfigError

if TYPE_CHECKING:
    from scrm.config import Settings

HOW_TO_MAKE = "Make one with: python -c 'import base64, os; print(base64.b64encode(os.urandom(32)).decode())'"


class Vault:
    def __init__(self, key: bytes, old_keys: tuple[bytes, ...] = ()) -> None:
        self._ciphers = [AESGCM(one) for one in (key, *old_keys)]

    @classmethod
    def open(cls, settings: Settings) -> Vault:
        """Raises :class:`ConfigError` when there is no usable key."""
        configured = settings.secrets.key
        if configured is None:
            if settings.database.url is not None:
                raise ConfigError(f"secrets.key: a database of your own needs a key of your own. {HOW_TO_MAKE}")
            key = _own_key(settings)
        else:
            key = _decode("secrets.key", configured.get_secret_value())
        old = tuple(_decode("secrets.old_keys", one.get_secret_value()) for one in settings.secrets.old_keys)
        return cls(key, old)

    def seal(self, value: Any, *, purpose: str) -> bytes:
        """Encrypts a JSON value; ``purpose`` must be the same for :meth:`unseal`, so that no sealed value fits elsewhere."""
        nonce = os.urandom(12)
        return nonce + self._ciphers[0].encrypt(nonce, orjson.dumps(value), purpose.encode())

    def unseal(self, sealed: bytes, *, purpose: str) -> Any:
        """Raises :class:`ConfigError` when no key fits."""
        for cipher in self._ciphers:
            try:
                return orjson.loads(cipher.decrypt(sealed[:12], sealed[12:], purpose.encode()))
            except InvalidTag:
                continue
        raise ConfigError(
            f"secrets.key: a stored secret ({purpose}) cannot be read with this key. Put the key it was written with into "
            "secrets.old_keys."
        )


def _own_key(settings: Settings) -> bytes:
    path = settings.data_dir / "secret.key"
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o711)
    try:
        with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(base64.b64encode(secrets.token_bytes(32)).decode())
    except FileExistsError:
        pass
    return _decode(str(path), path.read_text().strip())


def _decode(name: str, text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:
        raise ConfigError(f"{name}: not 32 bytes in base64. {HOW_TO_MAKE}")
    return key
