"""Followers, tags, codes, menus (section 6)."""

from __future__ import annotations

import itertools

from simulator.wechat_oa.api import OK, Answer, Call, Endpoint, Endpoints
from simulator.wechat_oa.errors import Refused
from simulator.wechat_oa.state import JsonObject, Person, new_id

BATCH = 100
MOST_TAGGED = 50
MOST_TAGS, MOST_TAGS_OF_ONE = 100, 20
LONGEST_REMARK, LONGEST_TAG = 30, 30
LONGEST_CODE = 2_592_000


def followers(call: Call) -> Answer:
    everybody = [person.openid for person in call.account.people.values() if person.follows]
    start = 0
    if after := call.query.get("next_openid", ""):
        if after not in everybody:
            raise Refused(40003)
        start = everybody.index(after) + 1
    page = everybody[start : start + call.platform.settings.followers_per_page]
    told: JsonObject = {"total": len(everybody), "count": len(page)}
    if page:
        told["data"] = {"openid": page}
    return {**told, "next_openid": page[-1] if page else ""}


def info(call: Call) -> Answer:
    return _profile(call, call.person(call.parameter("openid", missing=40003)))


def infos(call: Call) -> Answer:
    asked = call.body.get("user_list")
    if not isinstance(asked, list) or not 1 <= len(asked) <= BATCH or not all(isinstance(one, dict) for one in asked):
        raise Refused(40032, "user_list")
    return {"user_info_list": [_profile(call, call.person(str(one.get("openid")))) for one in asked]}


def _profile(call: Call, person: Person) -> JsonObject:
    """Since 2021 without nickname and picture, unless the old form is switched on."""
    if not person.follows:
        return {"subscribe": 0, "openid": person.openid, "tagid_list": []}
    old = call.platform.settings.tells_nicknames
    return {
        "subscribe": 1,
        "openid": person.openid,
        "nickname": person.name if old else "",
        "sex": 0,
        "language": "zh_CN",
        "city": "",
        "province": "",
        "country": "",
        "headimgurl": "",
        "subscribe_time": person.followed_at,
        **({"unionid": person.union_id} if person.union_id else {}),
        "remark": person.remark,
        "groupid": 0,
        "tagid_list": person.tags,
        "subscribe_scene": person.scene,
        "qr_scene": 0,
        "qr_scene_str": person.qr_scene,
    }


def remark(call: Call) -> Answer:
    person = call.person(call.string("openid", missing=40003))
    words = call.body.get("remark")
    if not isinstance(words, str) or len(words) > LONGEST_REMARK:
        raise Refused(61451, "remark")
    person.remark = words
    return OK


def tags(call: Call) -> Answer:
    counts = [(number, name, _tagged(call, number)) for number, name in call.account.tags.items()]
    return {"tags": [{"id": number, "name": name, "count": count} for number, name, count in counts]}


def _tagged(call: Call, number: int) -> int:
    return sum(1 for person in call.account.people.values() if number in person.tags)


def create_tag(call: Call) -> Answer:
    name = call.part("tag").get("name")
    if not isinstance(name, str) or not name or name in call.account.tags.values():
        raise Refused(45157)
    if len(name.encode()) > LONGEST_TAG:
        raise Refused(45158)
    if len(call.account.tags) >= MOST_TAGS:
        raise Refused(45056)
    number = next(number for number in itertools.count(100) if number not in call.account.tags)
    call.account.tags[number] = name
    return {"tag": {"id": number, "name": name}}


def tag_people(call: Call) -> Answer:
    number = call.body.get("tagid")
    if number not in call.account.tags:
        raise Refused(61451, "tagid")
    people = [call.person(openid) for openid in call.openids("openid_list", most=MOST_TAGGED)]
    if any(len({*person.tags, number}) > MOST_TAGS_OF_ONE for person in people):
        raise Refused(45059)
    for person in people:
        person.tags = list(dict.fromkeys([*person.tags, number]))
    return OK


def untag_people(call: Call) -> Answer:
    for person in [call.person(openid) for openid in call.openids("openid_list", most=MOST_TAGGED)]:
        person.tags = [number for number in person.tags if number != call.body.get("tagid")]
    return OK


def create_code(call: Call) -> Answer:
    """A code whose ``scene_str`` or ``scene_id`` comes back when somebody scans it."""
    action = call.string("action_name")
    if action not in ("QR_SCENE", "QR_STR_SCENE", "QR_LIMIT_SCENE", "QR_LIMIT_STR_SCENE"):
        raise Refused(61451, "action_name")
    scene = call.part("action_info").get("scene")
    if not isinstance(scene, dict) or not (scene.get("scene_str") or scene.get("scene_id")):
        raise Refused(61451, "scene")
    seconds = call.body.get("expire_seconds", 30)
    if not isinstance(seconds, int) or not 0 < seconds <= LONGEST_CODE:
        raise Refused(61451, "expire_seconds")
    ticket = new_id("gQ", 60)
    call.account.codes[ticket] = {"scene": str(scene.get("scene_str") or scene.get("scene_id"))}
    return {"ticket": ticket, "expire_seconds": seconds, "url": f"http://weixin.example.invalid/q/{ticket[:16]}"}


def create_menu(call: Call) -> Answer:
    buttons = call.body.get("button")
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= 3:
        raise Refused(61451, "one to three buttons")
    call.account.menu = call.body
    return OK


def clear_quota(call: Call) -> Answer:
    call.platform.forget_calls(call.account)
    return OK


ENDPOINTS: Endpoints = {
    "user/get": Endpoint("GET", followers),
    "user/info": Endpoint("GET", info),
    "user/info/batchget": Endpoint("POST", infos),
    "user/info/updateremark": Endpoint("POST", remark),
    "tags/get": Endpoint("GET", tags),
    "tags/create": Endpoint("POST", create_tag),
    "tags/members/batchtagging": Endpoint("POST", tag_people),
    "tags/members/batchuntagging": Endpoint("POST", untag_people),
    "qrcode/create": Endpoint("POST", create_code, verified=True, service=True),
    "menu/create": Endpoint("POST", create_menu),
    "clear_quota": Endpoint("POST", clear_quota),
}
