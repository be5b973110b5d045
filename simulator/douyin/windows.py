"""May this be sent? Platform reference, chapter 5: scenes, windows, counts and what a message may say."""

from __future__ import annotations

import re

from simulator.douyin.errors import Refused
from simulator.douyin.platform import Platform
from simulator.douyin.settings import DAY
from simulator.douyin.state import Account, JsonObject, Opening

REPLY_SCENES = frozenset({"", "im_reply_msg"})
ENTER_SCENE = "im_enter_direct_msg"
PROACTIVE_SCENE = "im_authorize_message"
TEXT_LIMIT = 1000
LINK = re.compile(r"https?://", re.IGNORECASE)
PROACTIVE_TYPES = frozenset({10, 11, 12})
"""A proactive send holds one of: mini-program card, coupon, authorisation card."""


def check_sender(account: Account) -> None:
    if not account.certified:
        raise Refused(28029003)
    if account.banned:
        raise Refused(28029004)
    if account.workbench_active:
        raise Refused(28003095)


def opening_for(platform: Platform, account: str, customer: str, body: JsonObject) -> Opening:
    """The event that allows this send, with its count not yet used. Refused as the platform refuses."""
    scene = str(body.get("scene") or "")
    entering = scene == ENTER_SCENE
    if not entering and scene not in REPLY_SCENES:
        raise Refused(28001007, f"scene {scene} is unknown")
    message_id, conversation_id = body.get("msg_id"), body.get("conversation_id")
    if not (isinstance(message_id, str) and message_id and isinstance(conversation_id, str) and conversation_id):
        raise Refused(28001007, "msg_id and conversation_id are needed")
    opening = platform.world.openings.get(message_id)
    wanted = ("enter" if entering else "reply", account, customer, conversation_id)
    if opening is None or (opening.kind, opening.account, opening.customer, opening.conversation_id) != wanted:
        raise Refused(28003082)
    settings = platform.settings
    life = settings.enter_window if entering else settings.reply_window
    if platform.now >= opening.at + life:
        raise Refused(28003081)
    if opening.used >= (settings.enter_replies if entering else settings.replies):
        raise Refused(28003070)
    if entering and not opening.used and answered_today(platform, opening) >= settings.enters_per_day:
        raise Refused(28003070)
    return opening


def answered_today(platform: Platform, opening: Opening) -> int:
    """How many other entering events of this customer were answered today."""
    return sum(
        1
        for other in platform.world.openings.values()
        if other.kind == "enter"
        and other.used
        and (other.account, other.customer) == (opening.account, opening.customer)
        and int(other.at // DAY) == platform.today
    )


def check_proactive(platform: Platform, account: str, customer: str, contents: list[JsonObject]) -> None:
    """Once a day to a customer who allowed it, at most three messages, one of them a card."""
    key = f"{account} {customer}"
    if key not in platform.world.proactive:
        raise Refused(28001012)
    if len(contents) > platform.settings.proactive_messages or not contents:
        raise Refused(28001007, "content_list holds 1 to 3 messages")
    if not any(content.get("msg_type") in PROACTIVE_TYPES for content in contents):
        raise Refused(28001007, "one message must be a card or a coupon")
    sent = platform.world.proactive_sent
    people = sum(1 for other, day in sent.items() if day == platform.today and other.startswith(f"{account} "))
    if sent.get(key) == platform.today or people >= platform.settings.proactive_people_per_day:
        raise Refused(28003070)


def shown(platform: Platform, client_key: str, account: Account, content: JsonObject) -> tuple[str, JsonObject]:
    """``message_type`` and fields of an outgoing message object, as the customer and the echo get it. Refused when it says what
    may not be said or names what does not exist."""
    match content.get("msg_type"):
        case 1:
            return "text", {"text": checked_text(part(content, "text").get("text"))}
        case 2:
            media_id = part(content, "image").get("media_id")
            picture = platform.world.pictures.get(str(media_id))
            if picture is None or picture.client_key != client_key:
                raise Refused(28001007, "media_id is unknown")
            return "image", {"resource_type": "image", "resource_url": "", "media_id": media_id}
        case 3:
            item_id = part(content, "video").get("item_id")
            if item_id not in account.works:
                raise Refused(28001007, "item_id is no published work of this account")
            return "video", {"item_id": item_id}
        case 8:
            card_id = part(content, "retain_consult_card").get("card_id")
            if card_id not in account.cards:
                raise Refused(28001007, "card_id is unknown")
            return "retain_consult_card", {"card_id": card_id, "card_status": 1, "card_data": []}
        case 9:
            invited = part(content, "group_invitation").get("group_id")
            group = platform.world.groups.get(str(invited))
            if group is None or group.owner != account.open_id:
                raise Refused(28001007, "group_id is unknown")
            return "other", {"sent": content}
        case 10:
            needed(part(content, "applet_card"), "card_template_id")
        case 11:
            needed(part(content, "applet_coupon"), "activity_id", "coupon_meta_id")
        case 12:
            needed(part(content, "auth_private_message_card"), "app_info", "to_user_info")
        case 204 | 205:
            check_questions(content)
        case other:
            raise Refused(28001007, f"msg_type {other!r} is unknown")
    return "other", {"sent": content}


def checked_text(text: object) -> str:
    if not isinstance(text, str) or not text:
        raise Refused(28001007, "text is empty")
    if len(text) > TEXT_LIMIT or LINK.search(text):
        raise Refused(28001038)
    return text


def check_questions(content: JsonObject) -> None:
    name = "question_guide_msg_card" if content["msg_type"] == 204 else "question_guide_jump_card"
    card = part(content, name)
    questions = card.get("question_list")
    if not isinstance(questions, list) or not 1 <= len(questions) <= 6 or len(str(card.get("title", ""))) > 30:
        raise Refused(28001007, "a title of at most 30 characters and 1 to 6 questions")
    for question in questions:
        if not isinstance(question, dict) or not 1 <= len(str(question.get("text", ""))) <= 14:
            raise Refused(28001007, "a question has 1 to 14 characters")


def part(content: JsonObject, name: str) -> JsonObject:
    value = content.get(name)
    if not isinstance(value, dict):
        raise Refused(28001007, f"{name} is missing")
    return value


def needed(content: JsonObject, *names: str) -> None:
    for name in names:
        if not content.get(name):
            raise Refused(28001007, f"{name} is missing")
