"""Pictures up. Platform reference, 6.3: an image is uploaded with the app's token, then sent by its id."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import aiohttp

from adapters.douyin.answers import field_in
from adapters.douyin.client import Call, Client
from adapters.douyin.tokens import App, Tokens
from scrm.channel import AdapterContext, Kind, MediaLimit, OutgoingMedia, OutgoingMessage, Receipt, Sentence
from scrm.errors import Rejected

UPLOAD = "/tool/imagex/client_upload/"
IMAGE_LIMIT = MediaLimit(10 * 1024 * 1024, ("image/jpeg", "image/png", "image/bmp", "image/webp"))
REUSED_SECONDS = 3600.0
"""How long an upload is used again for the same file; the platform does not say how long it keeps one."""
MAY_BE_A_LOST_UPLOAD = frozenset({"douyin.28001007", "douyin.2100005"})


class Images:
    def __init__(self, client: Client, tokens: Tokens, context: AdapterContext, app: App) -> None:
        self._client = client
        self._tokens = tokens
        self._context = context
        self._app = app

    async def with_media_id(self, message: OutgoingMessage, use: Callable[[str], Awaitable[Receipt]]) -> Receipt:
        """Uploads (or finds the upload of) the message's picture and passes its id to ``use``. When the platform calls a
        parameter wrong, the upload may be gone there: certainly nothing was sent, so once more with a fresh one."""
        media = checked(message)
        media_id = await self._media_id(media, None)
        try:
            return await use(media_id)
        except Rejected as error:
            if error.code not in MAY_BE_A_LOST_UPLOAD:
                raise
        return await use(await self._media_id(media, media_id))

    async def _media_id(self, media: OutgoingMedia, refused: str | None) -> str:
        async def make() -> tuple[str, float]:
            return await self._upload(media), REUSED_SECONDS

        key = f"{self._app.cache_prefix}:image:{media.sha256}"
        return await self._context.cache.get_or_make(key, make, not_value=refused)

    async def _upload(self, media: OutgoingMedia) -> str:
        content = await media.read()

        def form() -> aiohttp.FormData:
            data = aiohttp.FormData()
            data.add_field("image", content, filename=media.name or "image", content_type=media.mime)
            return data

        answer = await self._tokens.with_client_token(
            lambda token: self._client.call(Call("POST", UPLOAD, form=form, token=token, repeatable=True))
        )
        return field_in(answer, "image_id")


def checked(message: OutgoingMessage) -> OutgoingMedia:
    """The picture, when the platform will take it. Raises ``Rejected`` before anything is transferred."""
    media = message.media
    if media is None:
        raise Rejected("douyin.incomplete", Sentence(zh="缺少要发送的图片。", en="The picture to send is missing."))
    if media.size > IMAGE_LIMIT.max_bytes:
        raise Rejected("douyin.too_large", Sentence(zh="图片不能超过 10 MB。", en="A picture may have at most 10 MB."))
    if media.mime not in IMAGE_LIMIT.mime_types:
        sentence = Sentence(
            zh="只能发送 JPG、PNG、BMP、WebP 图片。", en="Only JPEG, PNG, BMP and WebP pictures can be sent."
        )
        raise Rejected("douyin.wrong_type", sentence)
    return media


MEDIA_LIMITS = {Kind.IMAGE: IMAGE_LIMIT}
