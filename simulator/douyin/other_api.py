"""Lead cards, comments, own works, followers, subscriptions. Platform reference, 4.1, 6.5 to 6.7, 7, 8 and 9."""

from __future__ import annotations

from simulator.douyin.api import Answer, Call, Endpoint, listed
from simulator.douyin.errors import Refused
from simulator.douyin.pushes import SCOPES
from simulator.douyin.state import Comment, JsonObject, opaque_id

LONGEST_COMMENT = 100


def save_card(call: Call) -> Answer:
    media_id = call.string("media_id")
    if media_id not in call.platform.world.pictures:
        raise Refused(28001007, "media_id is unknown")
    components = call.body.get("components")
    if not isinstance(components, list) or not components:
        raise Refused(28001007, "components is empty")
    card_id = str(call.body.get("card_id") or opaque_id())
    if call.body.get("card_id") and card_id not in call.account.cards:
        raise Refused(28001007, "card_id is unknown")
    card: JsonObject = {"title": call.string("title"), "media_id": media_id, "components": components, "status": 1}
    call.account.cards[card_id] = card
    return {"card_id": card_id}


def list_cards(call: Call) -> Answer:
    return {"cards": [{"card_id": card_id, **card} for card_id, card in call.account.cards.items()]}


def delete_card(call: Call) -> Answer:
    if call.account.cards.pop(call.asked("card_id"), None) is None:
        raise Refused(28001007, "card_id is unknown")
    return {}


def list_comments(call: Call) -> Answer:
    return {"data": comment_page(call, reply_to="")}


def list_replies(call: Call) -> Answer:
    return {"data": comment_page(call, reply_to=call.asked("comment_id"))}


def comment_page(call: Call, reply_to: str) -> JsonObject:
    item_id = call.asked("item_id")
    if item_id not in call.account.works:
        raise Refused(2111007)
    comments = [
        comment
        for comment in call.platform.world.comments.values()
        if comment.item_id == item_id and comment.reply_to == reply_to
    ]
    comments.sort(key=lambda comment: comment.at, reverse=call.query.get("sort_type") != "time_asc")
    cursor = call.number("cursor", default=0, low=0, high=10**9)
    count = call.number("count", default=10, low=1, high=20)
    return listed([described(call, comment) for comment in comments], cursor, count)


def described(call: Call, comment: Comment) -> JsonObject:
    person = call.platform.world.person(comment.user)
    replies = sum(1 for one in call.platform.world.comments.values() if one.reply_to == comment.comment_id)
    return {
        "comment_id": comment.comment_id,
        "comment_user_id": comment.user,
        "content": comment.text,
        "create_time": comment.at,
        "digg_count": 0,
        "reply_comment_total": replies,
        "top": comment.top,
        "nick_name": person.name if person else "",
        "avatar": person.avatar if person else "",
    }


def reply_comment(call: Call) -> Answer:
    item_id, text = call.string("item_id"), call.string("content")
    if item_id not in call.account.works:
        raise Refused(2111007)
    if len(text) > LONGEST_COMMENT:
        raise Refused(28001007, "a comment has at most 100 characters")
    reply_to = str(call.body.get("comment_id") or "")
    world = call.platform.world
    if reply_to and (reply_to not in world.comments or world.comments[reply_to].item_id != item_id):
        raise Refused(2111003)
    me = call.account
    comment = Comment(opaque_id(), item_id, me.open_id, me.open_id, text, int(call.platform.now), reply_to)
    world.comments[comment.comment_id] = comment
    return {"data": {"comment_id": comment.comment_id, "nick_name": me.name, "avatar": me.avatar}}


def top_comment(call: Call) -> Answer:
    comment = call.platform.world.comments.get(call.string("comment_id"))
    if comment is None or comment.account != call.account.open_id:
        raise Refused(2111003)
    comment.top = bool(call.body.get("top"))
    return {}


def list_works(call: Call) -> Answer:
    works = [{"item_id": item_id, "title": title, "video_status": 1} for item_id, title in call.account.works.items()]
    cursor = call.number("cursor", default=0, low=0, high=10**9)
    return {"data": listed(works, cursor, call.number("count", default=10, low=1, high=20))}


def is_fan(call: Call) -> Answer:
    customer = call.platform.world.customers.get(call.asked("follower_open_id"))
    since = customer.follows.get(call.account.open_id) if customer else None
    return {"data": {"is_follower": since is not None, **({"follow_time": since} if since is not None else {})}}


def list_subscriptions(call: Call) -> Answer:
    events = [{"event": name, "status": -1 if name in call.app.unsubscribed else 1} for name in sorted(SCOPES)]
    return {"data": {"list": events}}


def change_subscriptions(call: Call) -> Answer:
    for change in call.body.get("list") or []:
        if not isinstance(change, dict) or change.get("event") not in SCOPES:
            raise Refused(2100005)
        (call.app.unsubscribed.discard if change.get("status") == 1 else call.app.unsubscribed.add)(change["event"])
    return list_subscriptions(call)


ENDPOINTS = (
    Endpoint("POST", "/im/save/retain_consult_card/", "account", save_card, "im.message_card"),
    Endpoint("GET", "/im/get/retain_consult_card/", "account", list_cards, "im.message_card"),
    Endpoint("GET", "/im/del/retain_consult_card/", "account", delete_card, "im.message_card"),
    Endpoint("POST", "/im/del/retain_consult_card/", "account", delete_card, "im.message_card"),
    Endpoint("GET", "/item/comment/list/", "account", list_comments, "item.comment"),
    Endpoint("GET", "/item/comment/reply/list/", "account", list_replies, "item.comment"),
    Endpoint("POST", "/item/comment/reply/", "account", reply_comment, "item.comment"),
    Endpoint("POST", "/item/comment/top/", "account", top_comment, "item.comment"),
    Endpoint("GET", "/api/douyin/v1/video/video_list/", "account", list_works),
    Endpoint("GET", "/fans/check/", "account", is_fan),
    Endpoint("GET", "/event/status/list/", "app", list_subscriptions),
    Endpoint("POST", "/event/status/update/", "app", change_subscriptions),
)
