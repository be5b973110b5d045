"""The JSON of customer-service messages (wechat-oa.md section 3). Pure: media ids are already known."""

from __future__ import annotations

from adapters.wechat_oa.capabilities import TEXT_LIMIT
from adapters.wechat_oa.errors import incomplete
from adapters.wechat_oa.values import known, objects, text
from scrm.channel import JsonObject, OutgoingMessage, Sentence
from scrm.errors import Rejected

_MOST_ITEMS = 20


def text_body(message: OutgoingMessage) -> JsonObject:
    return {"msgtype": "text", "text": {"content": checked_text(message.text)}}


def image_body(media_id: str) -> JsonObject:
    return {"msgtype": "image", "image": {"media_id": media_id}}


def voice_body(media_id: str) -> JsonObject:
    return {"msgtype": "voice", "voice": {"media_id": media_id}}


def video_body(message: OutgoingMessage, media_id: str) -> JsonObject:
    words = known(title=text(message.content, "title"), description=text(message.content, "description"))
    return {"msgtype": "video", "video": {"media_id": media_id, **words}}


def link_body(message: OutgoingMessage) -> JsonObject:
    """A link is an article of one."""
    content = message.content
    article = {
        "title": _needed(content, "title", "标题"),
        "description": text(content, "description"),
        "url": _needed(content, "url", "网址"),
        "picurl": text(content, "image_url"),
    }
    return {"msgtype": "news", "news": {"articles": [article]}}


def miniprogram_body(message: OutgoingMessage, thumb_media_id: str) -> JsonObject:
    content = message.content
    page = {
        "title": _needed(content, "title", "标题"),
        "appid": _needed(content, "app_id", "小程序 AppID"),
        "pagepath": _needed(content, "path", "页面路径"),
        "thumb_media_id": thumb_media_id,
    }
    return {"msgtype": "miniprogrampage", "miniprogrampage": page}


def menu_body(message: OutgoingMessage) -> JsonObject:
    """What is tapped comes back as a text with the item's id."""
    items = objects(message.content, "items")
    if not items:
        raise incomplete("items", "菜单项")
    if len(items) > _MOST_ITEMS or any(text(item, "type") not in ("", "click") for item in items):
        raise Rejected(
            "wechat_oa.menu_item",
            Sentence(
                zh=f"公众号的消息菜单最多 {_MOST_ITEMS} 项，而且只能是可点击的文字。",
                en=f"A menu in an Official Account's chat has at most {_MOST_ITEMS} items, all of them words to tap.",
            ),
        )
    rows = [
        {"id": text(item, "id") or str(number), "content": _needed(item, "text", "菜单项的文字")}
        for number, item in enumerate(items, 1)
    ]
    head = text(message.content, "head") or message.text
    body = {"head_content": head, "list": rows, "tail_content": text(message.content, "tail")}
    return {"msgtype": "msgmenu", "msgmenu": body}


def article_body(message: OutgoingMessage) -> JsonObject:
    """An article that the account has published."""
    return {
        "msgtype": "mpnewsarticle",
        "mpnewsarticle": {"article_id": _needed(message.content, "item_id", "文章编号")},
    }


def checked_text(words: str) -> str:
    if not words.strip():
        raise Rejected(
            "wechat_oa.text_empty",
            Sentence(zh="消息内容为空。请输入内容后再发。", en="The message is empty. Write something."),
        )
    if len(words.encode("utf-8", "replace")) > TEXT_LIMIT:
        raise Rejected(
            "wechat_oa.text_too_long",
            Sentence(
                zh=f"文字超过 {TEXT_LIMIT} 字节（约 {TEXT_LIMIT // 3} 个汉字）。请缩短或分条发送。",
                en=f"The text is over {TEXT_LIMIT} bytes (about {TEXT_LIMIT // 3} Chinese characters). Shorten or split it.",
            ),
        )
    return words


def _needed(content: JsonObject, name: str, label: str) -> str:
    value = text(content, name)
    if not value:
        raise incomplete(name, label)
    return value
