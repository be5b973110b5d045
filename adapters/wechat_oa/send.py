"""Customer-service messages: ``message/custom/send`` (wechat-oa.md section 3). No id comes back, and there is no idempotency: a
send whose answer is lost is uncertain."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from adapters.wechat_oa import bodies
from adapters.wechat_oa.capabilities import IMAGE, VIDEO, VOICE
from adapters.wechat_oa.client import Client
from adapters.wechat_oa.errors import unsupported
from adapters.wechat_oa.uploads import MediaType, Uploads, checked
from scrm.channel import JsonObject, Kind, MediaLimit, OutgoingMessage, Receipt

_WithMedia = tuple[MediaType, MediaLimit, Callable[[OutgoingMessage, str], JsonObject]]

WITH_MEDIA: Mapping[Kind, _WithMedia] = {
    Kind.IMAGE: ("image", IMAGE, lambda message, media_id: bodies.image_body(media_id)),
    Kind.VOICE: ("voice", VOICE, lambda message, media_id: bodies.voice_body(media_id)),
    Kind.VIDEO: ("video", VIDEO, bodies.video_body),
    Kind.MINIPROGRAM: ("image", IMAGE, bodies.miniprogram_body),
}
WITHOUT: Mapping[Kind, Callable[[OutgoingMessage], JsonObject]] = {
    Kind.TEXT: bodies.text_body,
    Kind.LINK: bodies.link_body,
    Kind.MENU: bodies.menu_body,
    Kind.CHANNEL_POST: bodies.article_body,
}


class Sender:
    def __init__(self, client: Client, uploads: Uploads) -> None:
        self._client = client
        self._uploads = uploads

    async def send(self, message: OutgoingMessage) -> Receipt:
        if message.kind in WITH_MEDIA:
            kind, limit, body = WITH_MEDIA[message.kind]
            media = checked(message.media, limit)
            body(message, "")  # whatever is wrong with the rest is told before anything is uploaded
            return await self._uploads.with_media_id(
                media, kind, lambda media_id: self._deliver(message, body(message, media_id))
            )
        if message.kind not in WITHOUT:
            raise unsupported()
        return await self._deliver(message, WITHOUT[message.kind](message))

    async def _deliver(self, message: OutgoingMessage, body: JsonObject) -> Receipt:
        """Also for a greeting: following opened a window of a minute, and the platform knows whose."""
        await self._client.post("message/custom/send", {"touser": message.contact_id, **body}, effect=True)
        return Receipt("")
