"""Mass messages by list (wechat-oa.md section 4). ``clientmsgid`` makes a repetition harmless: it is answered with 45065 and the id
of the first one, or within a minute with 45066 and no id."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from adapters.wechat_oa.bodies import checked_text
from adapters.wechat_oa.broadcast_results import looked_up
from adapters.wechat_oa.capabilities import IMAGE, VOICE
from adapters.wechat_oa.client import Client, Refused
from adapters.wechat_oa.errors import (
    ALREADY_SENT,
    SENT_JUST_NOW,
    USED_UP,
    asked_too_soon,
    incomplete,
    unanswered,
    unsupported,
    used_up,
)
from adapters.wechat_oa.uploads import Uploads, checked
from adapters.wechat_oa.values import text
from scrm.channel import JsonObject, Kind, Sentence
from scrm.channel_campaigns import BroadcastResult, ReceiveLimit, SpreadPost
from scrm.errors import Rejected

T = TypeVar("T")

LEAST, MOST = 2, 10_000
CALLS_PER_MINUTE, CALLS_PER_DAY = 60, 100
POSTS_PER_DAY: Mapping[str, int] = {"service": CALLS_PER_DAY, "subscription": 1}
"""A subscription account spreads one post a day, however few get it."""
KINDS = frozenset({Kind.TEXT, Kind.IMAGE, Kind.VOICE, Kind.CHANNEL_POST})

LIMITS: Mapping[str, Sequence[ReceiveLimit]] = {
    "service": (
        ReceiveLimit(
            4,
            "month",
            Sentence(
                zh="服务号：每位关注者每个自然月最多收到 4 次群发，公众平台后台和接口合计。",
                en="Service account: each follower gets at most 4 mass messages in a calendar month, console and interface together.",
            ),
        ),
    ),
    "subscription": (
        ReceiveLimit(
            1,
            "day",
            Sentence(
                zh="订阅号：每天最多群发 1 次，公众平台后台和接口合计。",
                en="Subscription account: at most 1 mass message a day, console and interface together.",
            ),
        ),
    ),
}


class MassMessages:
    def __init__(self, client: Client, uploads: Uploads) -> None:
        self._client = client
        self._uploads = uploads

    async def send(self, contact_ids: Sequence[str], post: SpreadPost) -> str:
        _check_number(len(contact_ids))

        async def use(body: JsonObject) -> str:
            request = {"touser": list(contact_ids), **body, "clientmsgid": post.idempotency_key}
            try:
                answer = await self._client.attempt("message/mass/send", request, effect=True)
            except Refused as refused:
                if refused.errcode == SENT_JUST_NOW:
                    raise asked_too_soon() from refused
                if refused.errcode in USED_UP:
                    raise used_up(refused.errcode) from refused
                if refused.errcode != ALREADY_SENT or not text(refused.answer, "msg_id"):
                    raise refused.error from refused
                answer = refused.answer
            broadcast_id = text(answer, "msg_id")
            if not broadcast_id:
                raise unanswered(effect=True)
            return broadcast_id

        return await self._composed(post, use)

    async def preview(self, contact_id: str, post: SpreadPost) -> None:
        async def use(body: JsonObject) -> None:
            await self._client.post("message/mass/preview", {"touser": contact_id, **_preview(body)}, effect=True)

        await self._composed(post, use)

    async def result(self, broadcast_id: str) -> BroadcastResult:
        answer = await self._client.post("message/mass/get", {"msg_id": broadcast_id})
        return looked_up(broadcast_id, answer)

    async def delete(self, broadcast_id: str) -> None:
        """Doing it twice is as good as once."""
        await self._client.post("message/mass/delete", {"msg_id": _number(broadcast_id)})

    async def _composed(self, post: SpreadPost, use: Callable[[JsonObject], Awaitable[T]]) -> T:
        match post.kind:
            case Kind.TEXT:
                return await use({"msgtype": "text", "text": {"content": checked_text(post.text)}})
            case Kind.IMAGE:
                picture = checked(post.media, IMAGE)
                return await self._uploads.with_media_id(
                    picture, "image", lambda media_id: use({"msgtype": "image", "images": {"media_ids": [media_id]}})
                )
            case Kind.VOICE:
                voice = checked(post.media, VOICE)
                return await self._uploads.with_media_id(
                    voice, "voice", lambda media_id: use({"msgtype": "voice", "voice": {"media_id": media_id}})
                )
            case Kind.CHANNEL_POST:
                return await use(_article(post))
            case _:
                raise unsupported()


def _article(post: SpreadPost) -> JsonObject:
    """An article of the account's own drafts; one that is judged a reprint is not sent."""
    media_id = text(post.content, "item_id")
    if not media_id:
        raise incomplete("item_id", "文章编号")
    return {"msgtype": "mpnews", "mpnews": {"media_id": media_id}, "send_ignore_reprint": 0}


def _preview(body: JsonObject) -> JsonObject:
    """A preview shows one picture under the old name, and knows nothing of reprints."""
    if "images" in body:
        return {"msgtype": "image", "image": {"media_id": body["images"]["media_ids"][0]}}
    return {name: value for name, value in body.items() if name != "send_ignore_reprint"}


def _check_number(number: int) -> None:
    if not LEAST <= number <= MOST:
        raise Rejected(
            "wechat_oa.mass_number",
            Sentence(
                zh=f"公众号按名单群发一次要有 {LEAST} 到 {MOST} 人，这次是 {number} 人。",
                en=f"One mass message by list goes to {LEAST} to {MOST} people, these are {number}.",
            ),
        )


def _number(broadcast_id: str) -> int | str:
    return int(broadcast_id) if broadcast_id.isascii() and broadcast_id.isdigit() else broadcast_id
