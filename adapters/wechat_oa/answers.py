"""What an answer says: success is ``errcode`` 0 or none at all (wechat-oa.md section 1), and files come as such."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp

from adapters.wechat_oa.errors import refused_by_gateway, unanswered
from adapters.wechat_oa.values import integer, read_object
from scrm.channel import JsonObject, Sentence
from scrm.errors import Rejected, SendError

_LARGEST_ANSWER = 32 << 20
_CHUNK = 64 * 1024
_JSON = ("application/json", "text/plain")


def errcode_of(answer: JsonObject) -> int:
    """Reading calls that succeed have no ``errcode`` at all."""
    return integer(answer, "errcode") or 0


def is_telling(answer: JsonObject, status: int, *, effect: bool) -> bool:
    """Without ``errcode`` it is good enough for reading, and too little to call something done."""
    if "errcode" not in answer:
        return status == 200 and not effect
    errcode = integer(answer, "errcode")
    return errcode is not None and (errcode != 0 or status == 200)


def no_answer(status: int, *, effect: bool) -> SendError:
    if 400 <= status < 500 and status != 408:
        return refused_by_gateway(status)
    return unanswered(effect=effect)


async def read_answer(response: aiohttp.ClientResponse) -> bytes:
    """The whole body; what exceeds any real answer is cut and then fails as broken JSON."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK):
        body += chunk
        if len(body) > _LARGEST_ANSWER:
            break
    return bytes(body)


async def error_in_file(response: aiohttp.ClientResponse) -> JsonObject | None:
    """None for a file; otherwise what the platform tells in its place, which is bare JSON without ``Content-Disposition``."""
    if response.status in (200, 206) and (
        "Content-Disposition" in response.headers or not response.content_type.startswith(_JSON)
    ):
        return None
    answer = read_object(await read_answer(response))
    if answer is None or response.status >= 400:
        raise no_answer(response.status, effect=False)
    return answer


async def pieces_of(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    size = 0
    async for piece in response.content.iter_chunked(_CHUNK):
        size += len(piece)
        if size > _LARGEST_ANSWER:
            raise Rejected(
                "wechat_oa.media_too_large",
                Sentence(zh="文件超过 32 MB，没有下载。", en="The file is larger than 32 MB and was not fetched."),
            )
        yield piece
