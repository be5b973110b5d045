"""The process that holds the native archive library: ``python -m adapters.wecom.finance_child``.

It reads requests from its standard input and answers on its standard output, one at a time, until the input ends. The first request is
``start``; secrets come in it, not on the command line. Whatever the library prints goes to the standard error.

Opening a record is here too, with the private keys: the RSA operation costs most of it, and a process of its own keeps it away from
the event loop.
"""

from __future__ import annotations

import base64
import binascii
import os
import select
from collections.abc import Mapping
from typing import Any, BinaryIO

import orjson
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from adapters.wecom.finance_frames import LENGTHS, framed, lengths
from adapters.wecom.finance_library import NOT_OPENED, FinanceLibrary, Refused

IDLE_SECONDS = 600.0
Answer = tuple[dict[str, Any], bytes]


class Child:
    def __init__(self) -> None:
        self._library: FinanceLibrary | None = None
        self._keys: dict[int, tuple[str, RSAPrivateKey]] = {}

    def answer(self, request: Mapping[str, Any]) -> Answer:
        act = request["act"]
        if act == "start":
            return self._start(request)
        if self._library is None:
            return {"error": "not_started"}, b""
        try:
            if act == "page":
                return {}, self._library.chat_data(request["seq"], request["limit"], request["seconds"])
            if act == "open":
                return {"opened": self._open_all(request)}, b""
            part = self._library.media(request["file"], request["index"], request["seconds"])
            return {"index": part.index, "last": part.last}, part.data
        except Refused as refused:
            return {"error": "refused", "code": refused.code}, b""

    def _start(self, request: Mapping[str, Any]) -> Answer:
        try:
            self._library = FinanceLibrary(
                request["library"],
                request["corp_id"],
                request["secret"],
                proxy=request["proxy"],
                proxy_password=request["proxy_password"],
            )
        except OSError as error:
            return {"error": "not_loaded", "detail": str(error)}, b""
        except AttributeError as error:
            return {"error": "other_library", "detail": str(error)}, b""
        except Refused as refused:
            return {"error": "refused", "code": refused.code}, b""
        return {}, b""

    def _open_all(self, request: Mapping[str, Any]) -> list[dict[str, str]]:
        keys = {int(version): self._key(int(version), pem) for version, pem in request["keys"].items()}
        return [self._open(one, keys) for one in request["records"]]

    def _key(self, version: int, pem: str) -> RSAPrivateKey | None:
        known = self._keys.get(version)
        if known is not None and known[0] == pem:
            return known[1]
        try:
            key = load_pem_private_key(pem.encode(), None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            return None
        if not isinstance(key, RSAPrivateKey):
            return None
        self._keys[version] = pem, key
        return key

    def _open(self, record: Mapping[str, Any], keys: Mapping[int, RSAPrivateKey | None]) -> dict[str, str]:
        assert self._library is not None
        key = keys.get(record["version"])
        if key is None:
            return {"code": "no_key" if record["version"] not in keys else "wrong_key"}
        try:
            sealed = base64.b64decode(record["key"], validate=True)
        except (binascii.Error, ValueError):
            return {"code": "broken", "detail": "the sealed key is no base64"}
        try:
            inner = key.decrypt(sealed, padding.PKCS1v15())
        except ValueError:
            return {"code": "wrong_key"}
        try:
            opened = self._library.decrypt(inner, record["message"].encode())
        except Refused as refused:
            # A key that fits not decrypts to rubbish without an error: the library finds out.
            return {"code": "wrong_key" if refused.code == NOT_OPENED else "later", "detail": str(refused)}
        try:
            return {"record": opened.decode()}
        except UnicodeDecodeError:
            return {"code": "broken", "detail": "the record is no UTF-8"}


def main() -> None:
    # Unbuffered: what is waited for below must not lie in a buffer already.
    read, write = os.fdopen(os.dup(0), "rb", buffering=0), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    child = Child()
    while (request := _next(read)) is not None:
        head, body = child.answer(request)
        write.write(framed(head, body))
        write.flush()


def _next(read: BinaryIO) -> dict[str, Any] | None:
    """None: the service went away, or asked nothing for a while (its settings may have changed; it starts another when it needs one)."""
    ready, _, _ = select.select([read], [], [], IDLE_SECONDS)
    if not ready:
        return None
    prefix = _exactly(read, LENGTHS.size)
    if prefix is None:
        return None
    head, _ = lengths(prefix)
    packed = _exactly(read, head)
    return None if packed is None else orjson.loads(packed)


def _exactly(read: BinaryIO, size: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < size:
        part = read.read(size - len(parts))
        if not part:
            return None
        parts += part
    return bytes(parts)


if __name__ == "__main__":
    main()
