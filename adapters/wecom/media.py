"""Fetching what customers sent: ``media/get`` (wecom.md section 14; platform page 90254)."""

from __future__ import annotations

from collections.abc import AsyncIterator

from adapters.wecom.client import WeComClient
from adapters.wecom.errors import api_error
from adapters.wecom.values import text
from scrm.channel import JsonObject

_MEDIA_ID_MISSING = 41006


async def fetch_media(client: WeComClient, handle: JsonObject) -> AsyncIterator[bytes]:
    """Files of customer service are 20 MB at most, so ranges are not needed."""
    media_id = text(handle, "media_id")
    if not media_id:
        raise api_error(_MEDIA_ID_MISSING)
    async for piece in client.download("media/get", {"media_id": media_id}):
        yield piece
