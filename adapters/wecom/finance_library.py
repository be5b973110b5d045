"""The vendor's chat archive library by its documented C interface (wecom.md 15.1). Only loaded in a process of its own
(:mod:`adapters.wecom.finance_child`): native code may crash."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_char_p, c_int, c_uint, c_ulonglong, c_void_p
from dataclasses import dataclass
from typing import Any, Final

NOT_OPENED: Final = 10006


class Slice(ctypes.Structure):
    _fields_ = (("buf", c_void_p), ("len", c_int))


class MediaData(ctypes.Structure):
    _fields_ = (
        ("outindexbuf", c_void_p), ("out_len", c_int), ("data", c_void_p), ("data_len", c_int), ("is_finish", c_int),
    )  # fmt: skip


FUNCTIONS: Final[dict[str, tuple[Any, tuple[Any, ...]]]] = {
    "NewSdk": (c_void_p, ()),
    "Init": (c_int, (c_void_p, c_char_p, c_char_p)),
    "DestroySdk": (None, (c_void_p,)),
    "GetChatData": (
        c_int, (c_void_p, c_ulonglong, c_uint, c_char_p, c_char_p, c_int, POINTER(Slice)),
    ),
    "DecryptData": (c_int, (c_char_p, c_char_p, POINTER(Slice))),
    "GetMediaData": (
        c_int, (c_void_p, c_char_p, c_char_p, c_char_p, c_char_p, c_int, POINTER(MediaData)),
    ),
    "NewSlice": (POINTER(Slice), ()),
    "FreeSlice": (None, (POINTER(Slice),)),
    "GetContentFromSlice": (c_void_p, (POINTER(Slice),)),
    "GetSliceLen": (c_int, (POINTER(Slice),)),
    "NewMediaData": (POINTER(MediaData), ()),
    "FreeMediaData": (None, (POINTER(MediaData),)),
    "GetOutIndexBuf": (c_void_p, (POINTER(MediaData),)),
    "GetData": (c_void_p, (POINTER(MediaData),)),
    "GetIndexLen": (c_int, (POINTER(MediaData),)),
    "GetDataLen": (c_int, (POINTER(MediaData),)),
    "IsMediaDataFinish": (c_int, (POINTER(MediaData),)),
}  # fmt: skip


class Refused(Exception):
    """The library returned something else than 0."""

    def __init__(self, function: str, code: int) -> None:
        super().__init__(f"{function} returned {code}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Part:
    data: bytes
    index: str
    last: bool


class FinanceLibrary:
    """One handle. Raises :class:`OSError` when the file cannot be loaded, :class:`AttributeError` when it is another library,
    :class:`Refused` by every call."""

    def __init__(self, path: str, corp_id: str, secret: str, *, proxy: str = "", proxy_password: str = "") -> None:
        self._library = ctypes.CDLL(path)
        for name, (result, arguments) in FUNCTIONS.items():
            function = getattr(self._library, name)
            function.restype, function.argtypes = result, arguments
        self._proxy = proxy.encode(), proxy_password.encode()
        self._handle = self._library.NewSdk()
        _check("Init", self._library.Init(self._handle, corp_id.encode(), secret.encode()))

    def chat_data(self, seq: int, limit: int, seconds: int) -> bytes:
        """The JSON page of the records after ``seq``."""
        out = self._library.NewSlice()
        try:
            _check("GetChatData", self._library.GetChatData(self._handle, seq, limit, *self._proxy, seconds, out))
            return self._content(out)
        finally:
            self._library.FreeSlice(out)

    def decrypt(self, key: bytes, message: bytes) -> bytes:
        out = self._library.NewSlice()
        try:
            _check("DecryptData", self._library.DecryptData(key, message, out))
            return self._content(out)
        finally:
            self._library.FreeSlice(out)

    def media(self, file_id: str, index: str, seconds: int) -> Part:
        out = self._library.NewMediaData()
        try:
            result = self._library.GetMediaData(
                self._handle, index.encode(), file_id.encode(), *self._proxy, seconds, out
            )
            _check("GetMediaData", result)
            # By their lengths: files are full of zero bytes.
            data = ctypes.string_at(self._library.GetData(out), self._library.GetDataLen(out))
            next_index = ctypes.string_at(self._library.GetOutIndexBuf(out), self._library.GetIndexLen(out))
            return Part(data, next_index.decode(), bool(self._library.IsMediaDataFinish(out)))
        finally:
            self._library.FreeMediaData(out)

    def _content(self, out: Any) -> bytes:
        return ctypes.string_at(self._library.GetContentFromSlice(out), self._library.GetSliceLen(out))


def _check(function: str, code: int) -> None:
    if code != 0:
        raise Refused(function, code)
