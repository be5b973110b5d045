"""Sending over WeChat customer service: ``kf/send_msg`` (platform page 94677) and ``kf/send_msg_on_event`` (95122).

The idempotency key travels as ``msgid``, which is unique per account: a repeated send is the same message to WeCom. An
accepted message is not yet delivered; a failure later arrives as the event ``msg_send_fail``.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from adapters.wecom import outgoing
from adapters.wecom.capabilities import CUSTOMER_SERVICE
from adapters.wecom.client import WeComClient
from adapters.wecom.errors import MEDIA_REFUSED, unanswered
from adapters.wecom.uploads import Uploads
from adapters.wecom.values import text
from scrm.channel import JsonObject, Kind, OutgoingMedia, OutgoingMessage, Receipt, Sentence
from scrm.errors import Rejected, Uncertain

_WELCOME_ITEMS = 10
_CODE_IS_SPENT = frozenset({"wecom.41050", "wecom.41051"})
_MOST_DOUBTFUL = 1000


class Sender:
    def __init__(self, client: WeComClient, uploads: Uploads) -> None:
        self._client = client
        self._uploads = uploads
        self._doubtful: OrderedDict[str, None] = OrderedDict()

    async def send(self, message: OutgoingMessage) -> Receipt:
        _check_kind(message)
        if message.welcome_code:
            return await self._welcome(message)
        if message.kind in outgoing.MEDIA_TYPES:
            return await self._with_media(message, message.kind, lambda id_: outgoing.media_body(message.kind, id_))
        if outgoing.is_acquisition_link(message):
            return await self._deliver(message, outgoing.acquisition_link_body(message))
        if message.kind is Kind.LINK:
            return await self._with_media(message, Kind.IMAGE, lambda id_: outgoing.link_body(message, id_))
        if message.kind is Kind.MINIPROGRAM:
            return await self._with_media(message, Kind.IMAGE, lambda id_: outgoing.miniprogram_body(message, id_))
        return await self._deliver(message, _plain_body(message))

    async def _welcome(self, message: OutgoingMessage) -> Receipt:
        """One greeting with the code of an event; the code replaces the account and the customer."""
        body = outgoing.text_body(message) if message.kind is Kind.TEXT else _welcome_menu(message)
        request = {"code": message.welcome_code, "msgid": message.idempotency_key, **body}
        try:
            return _receipt(message, await self._client.post("kf/send_msg_on_event", request, effect=True))
        except Uncertain:
            self._doubtful[message.welcome_code] = None
            if len(self._doubtful) > _MOST_DOUBTFUL:
                self._doubtful.popitem(last=False)
            raise
        except Rejected as refusal:
            # "This code is used": by our own first attempt perhaps, whose answer was lost. It may well have arrived.
            if refusal.code in _CODE_IS_SPENT and message.welcome_code in self._doubtful:
                raise unanswered(effect=True) from refusal
            raise

    async def _with_media(self, message: OutgoingMessage, kind: Kind, body: Callable[[str], JsonObject]) -> Receipt:
        """Uploads what WeCom does not have, and once more when it has lost it before its time."""
        media = _media(message)
        body("")  # whatever is wrong with the rest is told before anything is uploaded
        media_id = await self._uploads.media_id(media, kind)
        try:
            return await self._deliver(message, body(media_id))
        except Rejected as refusal:
            if not _media_is_gone(refusal):
                raise
        return await self._deliver(message, body(await self._uploads.media_id(media, kind, refused=media_id)))

    async def _deliver(self, message: OutgoingMessage, body: JsonObject) -> Receipt:
        request = {
            "touser": message.contact_id,
            "open_kfid": message.account_id,
            "msgid": message.idempotency_key,
            **body,
        }
        return _receipt(message, await self._client.post("kf/send_msg", request, effect=True))


def _plain_body(message: OutgoingMessage) -> JsonObject:
    match message.kind:
        case Kind.LOCATION:
            return outgoing.location_body(message)
        case Kind.MENU:
            return outgoing.menu_body(message)
        case _:
            return outgoing.text_body(message)


def _welcome_menu(message: OutgoingMessage) -> JsonObject:
    if message.kind is not Kind.MENU:
        raise Rejected(
            "wecom.welcome_kind",
            Sentence("欢迎语只能是文字或菜单。", "A welcome can only be a text or a menu."),
        )
    return outgoing.menu_body(message, most=_WELCOME_ITEMS)


def _check_kind(message: OutgoingMessage) -> None:
    if message.kind not in CUSTOMER_SERVICE.sends:
        raise Rejected(
            "wecom.kind_not_supported",
            Sentence("微信客服不能发送这种消息。", "Customer service cannot send this kind of message."),
        )


def _media(message: OutgoingMessage) -> OutgoingMedia:
    if message.media is None:
        raise Rejected(
            "wecom.media_missing",
            Sentence(
                "这种消息需要一个文件；链接和小程序需要一张封面图片。",
                "A file is needed; for a link or a mini-program, a picture.",
            ),
        )
    return message.media


def _media_is_gone(refusal: Rejected) -> bool:
    return refusal.code in {f"wecom.{errcode}" for errcode in MEDIA_REFUSED}


def _receipt(message: OutgoingMessage, answer: JsonObject) -> Receipt:
    return Receipt(text(answer, "msgid") or message.idempotency_key)
