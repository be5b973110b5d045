"""Customer-service messages and notices (sections 3 and 5)."""

from __future__ import annotations

from simulator.wechat_oa import content
from simulator.wechat_oa.api import OK, Answer, Call, Endpoint, Endpoints
from simulator.wechat_oa.errors import Refused
from simulator.wechat_oa.state import Person, Received
from simulator.wechat_oa.windows import opening_for


def send(call: Call) -> Answer:
    person = _receiver(call)
    body = content.custom(call)
    opening = opening_for(call.platform, person)
    opening.used += 1
    person.typing = False
    person.received.append(Received("custom", call.string("msgtype"), body, call.platform.now))
    return OK


def typing(call: Call) -> Answer:
    person = _receiver(call)
    command = call.body.get("command")
    if command not in ("Typing", "CancelTyping"):
        raise Refused(45072)
    try:
        opening_for(call.platform, person)
    except Refused:
        raise Refused(45080) from None
    if command == "Typing" and person.typing:
        raise Refused(45081)
    person.typing = command == "Typing"
    return OK


def template(call: Call) -> Answer:
    """A notice outside of the window; its end is told by an event."""
    person = _receiver(call)
    template_id = call.string("template_id", missing=40037)
    if not person.follows:
        raise Refused(43004)
    number = call.platform.world.next_mass()
    status = "failed:user block" if person.blocks or template_id in person.refuses else "success"
    if status == "success":
        person.received.append(Received("template", "template", call.part("data"), call.platform.now, number))
    call.platform.pushes.send(
        call.account,
        {
            "ToUserName": call.account.original_id,
            "FromUserName": person.openid,
            "CreateTime": call.now,
            "MsgType": "event",
            "Event": "TEMPLATESENDJOBFINISH",
            "MsgID": number,
            "Status": status,
        },
    )
    return {**OK, "msgid": number}


def notice(call: Call) -> Answer:
    """A subscription notice: only for who ticked it. Refused with 43101."""
    person = _receiver(call)
    template_id = call.string("template_id", missing=40037)
    if person.blocks or template_id in person.refuses:
        raise Refused(43101)
    person.received.append(Received("notice", "notice", call.part("data"), call.platform.now))
    return OK


def _receiver(call: Call) -> Person:
    person = call.person(call.string("touser", missing=40003))
    if person.blocks:
        raise Refused(48002)
    return person


ENDPOINTS: Endpoints = {
    "message/custom/send": Endpoint("POST", send, verified=True),
    "message/custom/typing": Endpoint("POST", typing, verified=True),
    "message/template/send": Endpoint("POST", template, verified=True, service=True),
    "message/subscribe/bizsend": Endpoint("POST", notice, verified=True),
}
