"""App messages to members (chapter 17): ``message/send`` and ``message/recall``."""

from __future__ import annotations

import hashlib

import orjson

from simulator.wecom.api import Answer, Call, Endpoint, Endpoints, part, text_field
from simulator.wecom.errors import Refused
from simulator.wecom.kf_content import cut
from simulator.wecom.limits import Limits
from simulator.wecom.media import MediaApi
from simulator.wecom.settings import DAY, HOUR, MINUTE, Settings
from simulator.wecom.state import AppMessage, Corp, JsonObject, new_id

TYPES = (
    "text image voice video file textcard news mpnews markdown miniprogram_notice template_card".split()  # noqa: SIM905
)


class AppMessageApi:
    def __init__(self, settings: Settings, media: MediaApi, limits: Limits) -> None:
        self._settings = settings
        self._today: dict[str, tuple[int, int]] = {}
        self._media = media
        self._limits = limits
        self._said: dict[str, int] = {}

    @property
    def endpoints(self) -> Endpoints:
        return {
            "message/send": Endpoint("POST", self.send),
            "message/recall": Endpoint("POST", self.recall),
        }

    def send(self, call: Call) -> Answer:
        msgtype = call.string("msgtype", missing=40008)
        agent_id = call.body.get("agentid")
        if agent_id not in (call.app.agent_id, str(call.app.agent_id)):
            raise Refused(40056)
        if msgtype not in TYPES:
            raise Refused(40008)
        body = self._body(call, msgtype)
        receivers, invalid = _receivers(call)
        if not receivers:
            raise Refused(81013)
        self._count_people(call, len(receivers))
        msgid = new_id("", 60)
        if not self._is_duplicate(call, msgtype, body):
            reached = [userid for userid in receivers if self._has_room(call, userid)]
            message = AppMessage(msgid, call.app.agent_id, msgtype, body, call.now, reached)
            call.corp.app_messages[msgid] = message
        return {**{name: "|".join(ids) for name, ids in invalid.items() if ids}, "msgid": msgid}

    def recall(self, call: Call) -> Answer:
        message = call.corp.app_messages.get(call.string("msgid"))
        if message is None or message.agent_id != call.app.agent_id:
            raise Refused(40058, "msgid")
        if call.now - message.at >= DAY:
            raise Refused(42052)
        message.recalled = True
        return {}

    def _body(self, call: Call, msgtype: str) -> JsonObject:
        body = part(call.body, msgtype)
        match msgtype:
            case "text" | "markdown":
                content = body.get("content")
                if not isinstance(content, str) or not content:
                    raise Refused(44004)
                if msgtype == "markdown" and len(content.encode()) > 2048:
                    raise Refused(45002)
                return {"content": cut(content)}
            case "image" | "voice" | "video" | "file":
                media_id = text_field(body, "media_id", limit=1024, required=True)
                self._media.find(call.corp, media_id, call.now, msgtype)
            case "textcard":
                return _card(body)
            case "news" | "mpnews":
                articles = body.get("articles")
                if not isinstance(articles, list) or not 1 <= len(articles) <= 8:
                    raise Refused(40058, "articles")
        return body

    def _is_duplicate(self, call: Call, msgtype: str, body: JsonObject) -> bool:
        if not call.number("enable_duplicate_check", default=0, high=1):
            return False
        interval = call.number("duplicate_check_interval", default=1800, high=4 * HOUR)
        who = [call.body.get(name) for name in ("touser", "toparty", "totag")]
        said = orjson.dumps([call.corp.corp_id, call.app.agent_id, who, msgtype, body])
        key = hashlib.sha256(said).hexdigest()
        before = self._said.get(key)
        if before is not None and call.now - before < interval:
            return True
        self._said[key] = call.now
        return False

    def _count_people(self, call: Call, people: int) -> None:
        """200 a day for each account of the company, together (chapter 3.4); whatever exceeds it is refused."""
        limit = self._settings.app_messages_per_member_and_day * max(1, len(call.corp.members))
        owner = f"{call.corp.corp_id}/{call.app.agent_id}"
        day, used = self._today.get(owner, (0, 0))
        today = call.now // DAY
        used = used if day == today else 0
        if used + people > limit:
            raise Refused(45009)
        self._today[owner] = (today, used + people)

    def _has_room(self, call: Call, userid: str) -> bool:
        """30 a minute and 1000 an hour per member; what is more is dropped without a word."""
        owner = f"{call.corp.corp_id}/{call.app.agent_id}/{userid}"
        minute = self._limits.has_room(owner, "message", MINUTE, 30, call.now)
        return self._limits.has_room(owner, "message", HOUR, 1000, call.now) and minute


def _card(body: JsonObject) -> JsonObject:
    """Title, text and button are cut; an address is not."""
    card = {"url": text_field(body, "url", limit=2048, required=True)}
    for name, limit in (("title", 128), ("description", 512)):
        card[name] = text_field(body, name, limit=8192, required=True)[:limit]
    button = text_field(body, "btntxt", limit=256)[:4]
    return {**card, "btntxt": button} if button else card


def _receivers(call: Call) -> tuple[list[str], dict[str, list[str]]]:
    """The members who get it, and the ids that mean nobody. Userids are answered in lower case, as the platform may do."""
    corp = call.corp
    touser = call.optional("touser")
    if touser == "@all":
        return [member.userid for member in corp.members.values()], {}
    users = _split(touser, 1000)
    parties = _split(call.optional("toparty"), 100)
    tags = _split(call.optional("totag"), 100)
    if not users and not parties and not tags:
        raise Refused(40063, "touser, toparty and totag are empty")
    known_parties = {int(party) for party in parties if party.isdecimal() and int(party) in corp.departments}
    receivers = [m.userid for m in corp.members.values() if _is_meant(m.userid, m.department, users, known_parties)]
    invalid = {
        "invaliduser": [user.lower() for user in users if user.lower() not in corp.members],
        "invalidparty": [party for party in parties if not party.isdecimal() or int(party) not in corp.departments],
        "invalidtag": tags,
    }
    return receivers, invalid


def _is_meant(userid: str, departments: list[int], users: list[str], parties: set[int]) -> bool:
    return userid.lower() in {user.lower() for user in users} or bool(parties & set(departments))


def _split(value: str, limit: int) -> list[str]:
    entries = [entry for entry in value.split("|") if entry]
    if len(entries) > limit:
        raise Refused(40058, f"more than {limit} receivers")
    return entries


def messages_of(corp: Corp, userid: str) -> list[AppMessage]:
    """What a member sees, oldest first."""
    wanted = userid.lower()
    return [m for m in corp.app_messages.values() if any(r.lower() == wanted for r in m.receivers)]
