"""Outgoing messages become calls of ``/im/send/msg/``. Platform reference, chapter 5.

A private message is legal only as an answer: it carries the id of the customer's message (24 hours, 6 answers) or of the
customer's entering the chat (30 seconds, 3). There is no idempotency: a send whose answer is lost is uncertain.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from adapters.douyin.answers import field_in
from adapters.douyin.client import Call, Client, Refused
from adapters.douyin.errors import Failure
from adapters.douyin.ids import CONVERSATION_PRIVATE, SCENE_ENTER, SCENE_REPLY, key_of_welcome
from adapters.douyin.media import Images
from adapters.douyin.reading import int_in, list_in, text_in
from adapters.douyin.tokens import Tokens
from scrm.channel import JsonObject, Kind, OutgoingMessage, Receipt, Sentence
from scrm.errors import Rejected

SEND = "/im/send/msg/"
SEND_TO_GROUP = "/im/send/msg/group/"
RECALL = "/im/recall/msg/"
BAD_PARAMETER = frozenset({28001007, 2100005})


async def send(message: OutgoingMessage, client: Client, tokens: Tokens, images: Images) -> Receipt:
    """Raises the errors of ``send``."""
    if message.kind is Kind.IMAGE:
        return await images.with_media_id(message, lambda media_id: deliver(message, image(media_id), client, tokens))
    compose = COMPOSERS.get(message.kind)
    if compose is None:
        raise unsupported(message.kind)
    return await deliver(message, compose(message), client, tokens)


async def deliver(message: OutgoingMessage, content: JsonObject, client: Client, tokens: Tokens) -> Receipt:
    path, body = addressed(message, content)
    query = {"open_id": message.account_id}

    async def use(token: str) -> JsonObject:
        answer = await client.call(Call("POST", path, query=query, json=body, token=token))
        refuse_partly_sent(answer)
        return answer

    return receipt_in(await tokens.with_access(message.account_id, use))


def addressed(message: OutgoingMessage, content: JsonObject) -> tuple[str, JsonObject]:
    """Path and body of the call."""
    if message.group_id:
        return SEND_TO_GROUP, {"group_id": message.group_id, "content": content}
    key = key_of_welcome(message.welcome_code) if message.welcome_code else message.window_key
    message_id, conversation_id = text_in(key, "msg_id"), text_in(key, "conversation_id")
    if not (message_id and conversation_id):
        raise nothing_to_answer()
    entering = bool(message.welcome_code) or message.window_kind == "enter"
    return SEND, {
        "scene": SCENE_ENTER if entering else SCENE_REPLY,
        "to_user_id": message.contact_id,
        "msg_id": message_id,
        "conversation_id": conversation_id,
        "content": content,
    }


def refuse_partly_sent(answer: JsonObject) -> None:
    """An answer may be a success as a whole and a refusal of the message in it. Raises :class:`Refused`."""
    for status in list_in(answer, "send_msg_status_list"):
        code = int_in(status, "error_code")
        if code:
            raise Refused(Failure(code, text_in(status, "description")))


def receipt_in(answer: JsonObject) -> Receipt:
    several = answer.get("msg_list")
    first = several[0] if isinstance(several, list) and several and isinstance(several[0], str) else ""
    return Receipt(field_in(answer, "msg_id") or first)


def text(message: OutgoingMessage) -> JsonObject:
    return {"msg_type": 1, "text": {"text": message.text}}


def image(media_id: str) -> JsonObject:
    return {"msg_type": 2, "image": {"media_id": media_id}}


def own_work(message: OutgoingMessage) -> JsonObject:
    """Only a published work of the account itself can be sent, never a file."""
    return {"msg_type": 3, "video": {"item_id": needed(message.content, "item_id")}}


def lead_card(message: OutgoingMessage) -> JsonObject:
    return {"msg_type": 8, "retain_consult_card": {"card_id": needed(message.content, "card_id")}}


def miniprogram(message: OutgoingMessage) -> JsonObject:
    card = {"card_template_id": needed(message.content, "card_template_id")}
    card |= {name: value for name in ("path", "query", "app_id") if (value := text_in(message.content, name))}
    return {"msg_type": 10, "applet_card": card}


def menu(message: OutgoingMessage) -> JsonObject:
    """A tap sends the question as the customer's text. The platform takes 6 questions of 14 characters."""
    questions = [{"text": asked} for item in list_in(message.content, "items") if (asked := text_in(item, "text"))]
    if not questions:
        raise incomplete("items")
    title = text_in(message.content, "head") or message.text
    return {"msg_type": 204, "question_guide_msg_card": {"title": title, "question_list": questions}}


COMPOSERS: Mapping[Kind, Callable[[OutgoingMessage], JsonObject]] = {
    Kind.TEXT: text,
    Kind.CHANNEL_POST: own_work,
    Kind.LEAD_CARD: lead_card,
    Kind.MINIPROGRAM: miniprogram,
    Kind.MENU: menu,
}
SENDS = frozenset({*COMPOSERS, Kind.IMAGE})


async def recall(account_id: str, message_id: str, window_key: JsonObject, client: Client, tokens: Tokens) -> None:
    """Platform reference, 6.1. Raises the errors of ``send``."""
    conversation_id = text_in(window_key, "conversation_id")
    if not conversation_id:
        raise nothing_to_answer()
    body = {
        "conversation_id": conversation_id,
        "conversation_type": int_in(window_key, "conversation_type", CONVERSATION_PRIVATE),
        "msg_id": message_id,
    }

    async def use(token: str) -> None:
        await client.call(Call("POST", RECALL, query={"open_id": account_id}, json=body, token=token))

    await tokens.with_access(account_id, use)


def needed(content: JsonObject, name: str) -> str:
    value = text_in(content, name)
    if not value:
        raise incomplete(name)
    return value


def incomplete(name: str) -> Rejected:
    return Rejected(
        "douyin.incomplete",
        Sentence(zh=f"内容不完整（缺少 {name}），无法发送。", en=f"The content is incomplete: {name} is missing."),
    )


def unsupported(kind: Kind) -> Rejected:
    return Rejected(
        "douyin.unsupported_kind",
        Sentence(
            zh="抖音私信不支持发送这种消息。", en=f"Douyin private messages cannot carry this kind ({kind.value})."
        ),
    )


def nothing_to_answer() -> Rejected:
    return Rejected(
        "douyin.no_window",
        Sentence(
            zh="客户还没有发来可回复的消息，等客户发消息后才能回复。",
            en="There is no message of the customer to answer. Wait until the customer writes.",
        ),
        closes_window=True,
    )
