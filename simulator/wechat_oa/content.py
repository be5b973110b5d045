"""What may be said in customer-service and mass messages (sections 3 and 4). Refused when it names what does not exist."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from simulator.wechat_oa.api import Call
from simulator.wechat_oa.errors import Refused
from simulator.wechat_oa.media_api import find
from simulator.wechat_oa.state import JsonObject

_MOST_MENU_ITEMS = 20


def custom(call: Call) -> JsonObject:
    """The object of a customer-service message."""
    return _checked(call, _CUSTOM)


def mass(call: Call) -> JsonObject:
    return _checked(call, _MASS)


def preview(call: Call) -> JsonObject:
    return _checked(call, _PREVIEW)


def _checked(call: Call, kinds: Mapping[str, tuple[str, Callable[[Call, JsonObject], None]]]) -> JsonObject:
    msgtype = call.string("msgtype", missing=40008)
    if msgtype not in kinds:
        raise Refused(40008)
    name, check = kinds[msgtype]
    body = call.part(name)
    check(call, body)
    return body


def _text(call: Call, body: JsonObject) -> None:
    call.checked_text(body.get("content"))


def _media(*kinds: str, name: str = "media_id") -> Callable[[Call, JsonObject], None]:
    def check(call: Call, body: JsonObject) -> None:
        find(call, body.get(name), *kinds)

    return check


def _news(call: Call, body: JsonObject) -> None:
    articles = body.get("articles")
    if not isinstance(articles, list) or not articles:
        raise Refused(47001, "articles are missing")
    if len(articles) != 1:
        raise Refused(45008)
    if not isinstance(articles[0], dict) or not articles[0].get("title") or not articles[0].get("url"):
        raise Refused(61451, "an article has a title and an url")


def _menu(call: Call, body: JsonObject) -> None:
    rows = body.get("list")
    if not isinstance(rows, list) or not 1 <= len(rows) <= _MOST_MENU_ITEMS:
        raise Refused(61451, "list")
    for row in rows:
        if not isinstance(row, dict) or not isinstance(row.get("id"), str) or not row.get("content"):
            raise Refused(61451, "an item has an id and content, both strings")


def _page(call: Call, body: JsonObject) -> None:
    _needed(body, "title", "appid", "pagepath")
    find(call, body.get("thumb_media_id"), "image", "thumb")


def _music(call: Call, body: JsonObject) -> None:
    _needed(body, "musicurl", "hqmusicurl")
    find(call, body.get("thumb_media_id"), "image", "thumb")


def _article(call: Call, body: JsonObject) -> None:
    if body.get("article_id") not in call.account.articles:
        raise Refused(61451, "article_id")


def _draft(call: Call, body: JsonObject) -> None:
    if body.get("media_id") not in call.account.drafts:
        raise Refused(40007)


def _card(call: Call, body: JsonObject) -> None:
    _needed(body, "card_id")


def _images(call: Call, body: JsonObject) -> None:
    ids = body.get("media_ids")
    if not isinstance(ids, list) or not 1 <= len(ids) <= 20:
        raise Refused(61451, "media_ids")
    for one in ids:
        find(call, one, "image")


def _needed(body: JsonObject, *names: str) -> None:
    for name in names:
        if not isinstance(body.get(name), str) or not body[name]:
            raise Refused(61451, f"{name} is missing")


_CUSTOM: Mapping[str, tuple[str, Callable[[Call, JsonObject], None]]] = {
    "text": ("text", _text),
    "image": ("image", _media("image")),
    "voice": ("voice", _media("voice")),
    "video": ("video", _media("video")),
    "music": ("music", _music),
    "news": ("news", _news),
    "mpnews": ("mpnews", _draft),
    "mpnewsarticle": ("mpnewsarticle", _article),
    "msgmenu": ("msgmenu", _menu),
    "wxcard": ("wxcard", _card),
    "miniprogrampage": ("miniprogrampage", _page),
}
_MASS: Mapping[str, tuple[str, Callable[[Call, JsonObject], None]]] = {
    "text": ("text", _text),
    "voice": ("voice", _media("voice")),
    "image": ("images", _images),
    "mpvideo": ("mpvideo", _media("video")),
    "mpnews": ("mpnews", _draft),
    "wxcard": ("wxcard", _card),
}
_PREVIEW = {**_MASS, "image": ("image", _media("image"))}
