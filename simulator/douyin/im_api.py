"""Sending, group sending, recalling, and who allowed proactive messages. Platform reference, chapters 5, 6.1 and 6.2."""

from __future__ import annotations

from simulator.douyin.api import Answer, Call, Endpoint
from simulator.douyin.errors import Refused
from simulator.douyin.state import JsonObject, Message
from simulator.douyin.windows import PROACTIVE_SCENE, check_proactive, check_sender, opening_for, shown


def send(call: Call) -> Answer:
    platform, account = call.platform, call.account
    check_sender(account)
    customer = platform.world.customers.get(call.string("to_user_id"))
    if customer is None:
        raise Refused(28003082)
    if customer.banned:
        raise Refused(28003101)
    if call.body.get("scene") == PROACTIVE_SCENE:
        return send_proactive(call, customer.open_id)
    content = call.body.get("content")
    if not isinstance(content, dict):
        raise Refused(28001007, "content is missing")
    opening = opening_for(platform, account.open_id, customer.open_id, call.body)
    kind, fields = shown(platform, call.app.client_key, account, content)
    opening.used += 1
    return {"msg_id": deliver(call, customer.open_id, kind, fields).message_id}


def send_proactive(call: Call, customer: str) -> Answer:
    platform = call.platform
    contents = [content for content in call.body.get("content_list") or [] if isinstance(content, dict)]
    check_proactive(platform, call.account.open_id, customer, contents)
    ready = [shown(platform, call.app.client_key, call.account, content) for content in contents]
    platform.world.proactive_sent[f"{call.account.open_id} {customer}"] = platform.today
    sent = [deliver(call, customer, kind, fields).message_id for kind, fields in ready]
    statuses = [{"error_code": 0, "description": ""} for _ in sent]
    return {"msg_id": "", "msg_list": sent, "all_send_success": True, "send_msg_status_list": statuses}


def deliver(call: Call, customer: str, kind: str, fields: JsonObject) -> Message:
    """The customer has it; the echo goes to the app, without what only the customer's client needs."""
    platform, account = call.platform, call.account.open_id
    message = platform.new_message(
        account,
        customer,
        kind,
        fields,
        conversation_id=platform.world.conversation_of(account, customer),
        source=call.app.client_key,
    )
    if kind == "image":
        picture = platform.world.pictures[str(fields["media_id"])]
        message.file, message.mime = picture.content, picture.mime
    event = platform.account_wrote(account, customer, message)
    for hidden in ("media_id", "sent"):
        event.content.pop(hidden, None)
    platform.pushes.emit(event)
    return message


def send_to_group(call: Call) -> Answer:
    platform, account = call.platform, call.account
    check_sender(account)
    group = platform.world.groups.get(call.string("group_id"))
    if group is None or group.owner != account.open_id:
        raise Refused(28003082)
    content = call.body.get("content")
    if not isinstance(content, dict) or content.get("msg_type") not in (1, 2, 3, 8, 10):
        raise Refused(28001007, "content is missing or of a type that groups do not take")
    kind, fields = shown(platform, call.app.client_key, account, content)
    message = platform.new_message(
        account.open_id, "", kind, fields, conversation_id=group.group_id, source=call.app.client_key
    )
    message.group_id = group.group_id
    platform.world.messages[message.message_id] = message
    event = platform.message_event("im_group_send_msg", account.open_id, message, account.open_id)
    for hidden in ("media_id", "sent"):
        event.content.pop(hidden, None)
    platform.pushes.emit(event)
    return {"msg_id": message.message_id}


def recall(call: Call) -> Answer:
    platform = call.platform
    message = platform.world.messages.get(call.string("msg_id"))
    if message is None or message.from_id != call.account.open_id or message.recalled:
        raise Refused(28003082)
    if message.conversation_id != call.string("conversation_id"):
        raise Refused(28003082)
    if call.body.get("conversation_type") != (2 if message.group_id else 1):
        raise Refused(28001007, "conversation_type does not fit")
    if platform.now_ms - message.at_ms > platform.settings.recall_window * 1000:
        raise Refused(28001007, "the message is too old to be recalled")
    message.recalled = True
    platform.push_recall(call.account.open_id, message)
    return {}


def proactive_people(call: Call) -> Answer:
    prefix = f"{call.account.open_id} "
    people = [
        {"target_open_id": key.removeprefix(prefix), "auth_user_source_app_id": call.app.client_key}
        for key in call.platform.world.proactive
        if key.startswith(prefix)
    ]
    return {"data": {"auth_user_list": people, "has_more": False, "next_cursor": ""}}


def proactive_status(call: Call) -> Answer:
    allowed = f"{call.account.open_id} {call.string('c_open_id')}" in call.platform.world.proactive
    return {"data": {"status": 1 if allowed else 2}}


ENDPOINTS = (
    Endpoint("POST", "/im/send/msg/", "account", send, "im.direct_message"),
    Endpoint("POST", "/im/send/msg/group/", "account", send_to_group, "im.group_message"),
    Endpoint("POST", "/im/recall/msg/", "account", recall, "im.recall_message"),
    Endpoint("POST", "/im/authorize/user_list/", "account", proactive_people),
    Endpoint("POST", "/im/authorize/status/", "account", proactive_status),
)
