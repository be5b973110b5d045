"""The chat archive's far side (wecom.md section 15): what the vendor's library fetches. The stand-in library (``finance/sdk.c``) is its
only caller; records are sealed with RSA under the company's public keys, as the platform's are.

``/finance/chatdata`` and ``/finance/media`` answer 200 with the library's own result in ``X-Result`` where it is not 0.
"""

from __future__ import annotations

import base64
import ctypes
import hashlib
import secrets
from collections.abc import Callable
from typing import Any

import orjson
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from simulator.wecom.finance.build import library
from simulator.wecom.settings import Settings
from simulator.wecom.state import ArchiveFile, ArchiveRecord, Corp, JsonObject, World, new_id

DAY = 86400
PART = 512 * 1024
BAD_PARAMETER, BAD_FILE, EXPIRED = 10000, 10005, 10010


class _Slice(ctypes.Structure):
    _fields_ = (("buf", ctypes.c_void_p), ("len", ctypes.c_int))


class Sealer:
    """Seals as the stand-in library opens. Compiles it when it is needed first."""

    def __init__(self) -> None:
        self._library: Any = None
        self._public: dict[str, RSAPublicKey] = {}

    def seal(self, public_pem: str, message: bytes) -> tuple[str, str]:
        """(the sealed key, the sealed message), both base64."""
        key = secrets.token_hex(16)
        sealed = self._key(public_pem).encrypt(key.encode(), padding.PKCS1v15())
        return base64.b64encode(sealed).decode(), self._message(key.encode(), message)

    def _key(self, pem: str) -> RSAPublicKey:
        if pem not in self._public:
            loaded = load_pem_public_key(pem.encode())
            if not isinstance(loaded, RSAPublicKey) or loaded.key_size != 2048:
                raise ValueError("the archive takes RSA keys of 2048 bits")
            self._public[pem] = loaded
        return self._public[pem]

    def _message(self, key: bytes, message: bytes) -> str:
        if self._library is None:
            self._library = ctypes.CDLL(str(library()))
            self._library.NewSlice.restype = ctypes.POINTER(_Slice)
            self._library.StandInSeal.argtypes = (
                ctypes.c_char_p, ctypes.c_uint64, ctypes.c_char_p, ctypes.c_int, ctypes.POINTER(_Slice),
            )  # fmt: skip
            self._library.FreeSlice.argtypes = (ctypes.POINTER(_Slice),)
        out = self._library.NewSlice()
        try:
            self._library.StandInSeal(key, secrets.randbits(64), message, len(message), out)
            return ctypes.string_at(out.contents.buf, out.contents.len).decode()
        finally:
            self._library.FreeSlice(out)


class Archive:
    def __init__(self, world: World, settings: Settings, now: Callable[[], int], touch: Callable[[], None]) -> None:
        self._world = world
        self._settings = settings
        self._now = now
        self._touch = touch
        self._sealer = Sealer()
        self._calls: dict[tuple[str, int], int] = {}
        self.crashes = 0
        """How many of the next calls end the caller's process."""
        self.checksums_late = 0
        """How many of the next files say no checksum yet."""

    # ------------------------------------------------------------------ what happens

    def add_key(self, corp: Corp, public_pem: str) -> int:
        """A new public key is used from now on, for new records only. Returns its version."""
        self._sealer.seal(public_pem, b"")
        corp.archive_keys.append(public_pem)
        self._touch()
        return len(corp.archive_keys)

    def say(self, corp: Corp, record: JsonObject, *, version: int = 0, msgid: str = "", crash: bool = False) -> int:
        """Puts a record into the archive as it is; missing ``msgid`` and ``msgtime`` are given. Returns its seq. ``crash``: the library
        dies over it."""
        if not corp.archive_keys:
            raise ValueError("The company has uploaded no public key.")
        version = version or len(corp.archive_keys)
        now = self._now()
        msgid = msgid or str(record.get("msgid") or f"{secrets.randbits(63)}_{now}")
        whole = {"msgid": msgid, "action": "send", "msgtime": now * 1000, **record}
        key, message = self._sealer.seal(corp.archive_keys[version - 1], orjson.dumps(whole))
        corp.archive_seq += 1 + secrets.randbelow(3)
        corp.archive.append(ArchiveRecord(corp.archive_seq, msgid, version, key, "!crash" if crash else message, now))
        self._touch()
        return corp.archive_seq

    def put_file(self, corp: Corp, content: bytes) -> ArchiveFile:
        digest = "" if self.checksums_late > 0 else hashlib.md5(content, usedforsecurity=False).hexdigest()
        self.checksums_late = max(self.checksums_late - 1, 0)
        file = ArchiveFile(new_id("CtYBMz", 60), content, digest, self._now())
        corp.archive_files[file.file_id] = file
        self._touch()
        return file

    # ------------------------------------------------------------------ what the library asks

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/finance/chatdata", self._chat_data), web.post("/finance/media", self._media)]

    async def _chat_data(self, request: web.Request) -> web.Response:
        asked = orjson.loads(await request.read())
        corp = self._corp(asked)
        if corp is None:
            return _result(BAD_PARAMETER)
        if self._too_often(corp):
            return _page([], 45009, "api freq out of limit")
        if asked["limit"] > self._settings.archive_largest_page:
            return _page([], 301058, "response is too large")
        oldest = self._now() - self._settings.archive_keeps
        records = [one for one in corp.archive if one.at >= oldest and one.seq > asked["seq"]]
        return self._crashing(_page(records[: asked["limit"]]))

    async def _media(self, request: web.Request) -> web.Response:
        asked = orjson.loads(await request.read())
        corp = self._corp(asked)
        if corp is None:
            return _result(BAD_PARAMETER)
        file = corp.archive_files.get(asked["file"])
        if file is None:
            return _result(BAD_FILE)
        if file.created_at < self._now() - self._settings.archive_keeps:
            return _result(EXPIRED)
        index = asked["index"] or "Range:bytes=0-"
        start = index.removeprefix("Range:bytes=").removesuffix("-")
        if not start.isdigit() or int(start) % PART or (int(start) >= len(file.content) > 0):
            return _result(BAD_PARAMETER)
        end = int(start) + PART
        headers = {"X-Index": f"Range:bytes={end}-", "X-Finish": "1" if end >= len(file.content) else "0"}
        return self._crashing(web.Response(body=file.content[int(start) : end], headers=headers))

    def _corp(self, asked: JsonObject) -> Corp | None:
        corp = self._world.corps.get(asked["corpid"])
        if corp is None or not corp.archive_secret or corp.archive_secret != asked["secret"]:
            return None
        return corp

    def _too_often(self, corp: Corp) -> bool:
        key = corp.corp_id, self._now() // 60
        self._calls = {key: self._calls.get(key, 0) + 1}
        return self._calls[key] > self._settings.archive_calls_per_minute

    def _crashing(self, answer: web.Response) -> web.Response:
        if self.crashes > 0:
            self.crashes -= 1
            answer.headers["X-Crash"] = "1"
        return answer


def _result(code: int) -> web.Response:
    return web.Response(headers={"X-Result": str(code)})


def _page(records: list[ArchiveRecord], code: int = 0, message: str = "ok") -> web.Response:
    data = [
        {
            "seq": one.seq, "msgid": one.msgid, "publickey_ver": one.version, "encrypt_random_key": one.sealed_key,
            "encrypt_chat_msg": one.sealed_message,
        }
        for one in records
    ]  # fmt: skip
    body = orjson.dumps({"errcode": code, "errmsg": message, "chatdata": data})
    return web.Response(body=body, content_type="application/json")
