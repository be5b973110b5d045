"""Mass messages (section 4): limits by calendar, idempotency, the event of the result."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from simulator.wechat_oa import content
from simulator.wechat_oa.api import OK, Answer, Call, Endpoint, Endpoints
from simulator.wechat_oa.errors import Refused
from simulator.wechat_oa.platform import Platform
from simulator.wechat_oa.state import Account, JsonObject, Mass, Person, Received

LEAST, MOST = 2, 10_000
LONGEST_CLIENT_ID = 64
SUCCESS = "send success"


def send(call: Call) -> Answer:
    """To a list of openids."""
    return _hand_in(call, lambda: call.openids("touser", least=LEAST, most=MOST))


def send_all(call: Call) -> Answer:
    """To everybody, or to those with a tag."""

    def openids() -> list[str]:
        chosen = call.part("filter")
        followers = [person for person in call.account.people.values() if person.follows]
        if chosen.get("is_to_all") is True:
            return [person.openid for person in followers]
        tag = chosen.get("tag_id")
        if tag not in call.account.tags:
            raise Refused(61451, "tag_id")
        return [person.openid for person in followers if tag in person.tags]

    return _hand_in(call, openids)


def _hand_in(call: Call, receivers: Callable[[], list[str]]) -> Answer:
    platform, account = call.platform, call.account
    settings = platform.settings
    platform.count(account, "mass", per_day=settings.mass_calls_per_day, per_minute=settings.mass_calls_per_minute)
    openids = receivers()
    body = content.mass(call)
    client_id = call.body.get("clientmsgid") or ""
    if not isinstance(client_id, str) or len(client_id.encode()) > LONGEST_CLIENT_ID:
        raise Refused(45067)
    if client_id and client_id in account.client_ids:
        msg_id, at = account.client_ids[client_id]
        if platform.now < at + settings.mass_repeat_rest:
            raise Refused(45066)
        raise Refused(45065, msg_id=msg_id)
    if account.kind == "subscription":
        if account.mass_days.get(platform.day, 0) >= settings.mass_per_day:
            raise Refused(45028)
        account.mass_days = {platform.day: account.mass_days.get(platform.day, 0) + 1}
    mass = Mass(
        platform.world.next_mass(), openids, call.string("msgtype"), body, platform.now, client_id=str(client_id)
    )
    account.mass[mass.msg_id] = mass
    if client_id:
        account.client_ids[client_id] = (mass.msg_id, platform.now)
    if not settings.hold_mass:
        finish(platform, account, mass, SUCCESS)
    return {"errcode": 0, "errmsg": "send job submission success", "msg_id": mass.msg_id, "msg_data_id": mass.msg_id}


def finish(platform: Platform, account: Account, mass: Mass, status: str) -> JsonObject:
    """The message goes out, or is refused (``err(30003)``, ``send fail``), and the account is told."""
    followers = [person for openid in mass.openids if (person := account.people.get(openid)) and person.follows]
    sent = _deliver(platform, account, mass, followers) if status == SUCCESS else 0
    mass.state = "SEND_SUCCESS" if status == SUCCESS else "SEND_FAIL"
    told: JsonObject = {
        "ToUserName": account.original_id,
        "FromUserName": mass.openids[0] if mass.openids else account.original_id,
        "CreateTime": int(platform.now),
        "MsgType": "event",
        "Event": "MASSSENDJOBFINISH",
        "MsgID": mass.msg_id,
        "Status": status,
        "TotalCount": len(mass.openids) if status == SUCCESS else 0,
        "FilterCount": len(followers) if status == SUCCESS else 0,
        "SentCount": sent,
        "ErrorCount": len(followers) - sent if status == SUCCESS else 0,
    }
    platform.pushes.send(account, told)
    return told


def _deliver(platform: Platform, account: Account, mass: Mass, followers: Iterable[Person]) -> int:
    """A follower of a service account gets so many in a month; further ones fail for that follower."""
    month, sent = platform.month, 0
    for person in followers:
        had = person.mass_by_month.get(month, 0)
        if person.blocks or (account.kind == "service" and had >= platform.settings.mass_per_month):
            continue
        person.mass_by_month = {month: had + 1}
        person.received.append(Received("mass", mass.msgtype, mass.body, platform.now, mass.msg_id))
        sent += 1
    return sent


def preview(call: Call) -> Answer:
    """For one follower's eyes, outside of the limits of mass messages."""
    person = call.person(call.string("touser", missing=40003))
    body = content.preview(call)
    if not person.follows:
        raise Refused(43004)
    call.platform.count(call.account, "preview", per_day=call.platform.settings.previews_per_day)
    person.received.append(Received("preview", call.string("msgtype"), body, call.platform.now))
    return {"errcode": 0, "errmsg": "preview success", "msg_id": call.platform.world.next_mass()}


def get(call: Call) -> Answer:
    mass = _found(call)
    return {"msg_id": mass.msg_id, "msg_status": mass.state}


def delete(call: Call) -> Answer:
    """An article can be taken back, which leaves the message that people have; words cannot."""
    mass = _found(call)
    if mass.msgtype not in ("mpnews", "mpvideo"):
        raise Refused(40035, "only articles and videos can be deleted")
    mass.state = "DELETE"
    for person in call.account.people.values():
        person.received = [one for one in person.received if one.msg_id != mass.msg_id or one.via != "mass"]
    return OK


def _found(call: Call) -> Mass:
    try:
        mass = call.account.mass.get(int(call.body.get("msg_id") or 0))
    except (TypeError, ValueError):
        mass = None
    if mass is None:
        raise Refused(40035, "msg_id")
    return mass


ENDPOINTS: Endpoints = {
    "message/mass/send": Endpoint("POST", send, verified=True),
    "message/mass/sendall": Endpoint("POST", send_all, verified=True),
    "message/mass/preview": Endpoint("POST", preview, verified=True),
    "message/mass/get": Endpoint("POST", get, verified=True),
    "message/mass/delete": Endpoint("POST", delete, verified=True),
}
