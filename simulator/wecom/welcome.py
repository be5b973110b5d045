"""The welcome of a new contact (chapter 6.3): ``send_welcome_msg``, within 20 seconds and once."""

from __future__ import annotations

from simulator.wecom.api import Answer, Call, Endpoint, Endpoints, part, text_field
from simulator.wecom.errors import Refused
from simulator.wecom.media import MediaApi
from simulator.wecom.settings import Settings
from simulator.wecom.state import Corp, Greeting, JsonObject, WelcomeCode

TEXT_BYTES = 4000
ATTACHMENTS = 9
_KINDS = ("image", "link", "miniprogram", "video", "file")


class WelcomeApi:
    def __init__(self, settings: Settings, media: MediaApi) -> None:
        self._settings = settings
        self._media = media

    @property
    def endpoints(self) -> Endpoints:
        return {"externalcontact/send_welcome_msg": Endpoint("POST", self.send, "contacts")}

    def send(self, call: Call) -> Answer:
        """What is refused for its content does not use the code up."""
        code = self._code(call)
        text = ""
        if call.body.get("text") is not None:
            text = text_field(part(call.body, "text"), "content", limit=TEXT_BYTES)
        attachments = self._attachments(call)
        if not text and not attachments:
            raise Refused(41089)
        code.used = True
        for half in call.corp.halves:
            if code.half and (half.userid, half.external_userid) == (code.userid, code.external_userid):
                half.greeted = True
        greeting = Greeting(code.userid, code.external_userid, text, attachments, call.now, call.app.agent_id)
        call.corp.greetings.append(greeting)
        return {}

    def _code(self, call: Call) -> WelcomeCode:
        """The order of the refusals is [?]."""
        code = call.corp.welcome_codes.get(call.string("welcome_code", missing=41049))
        if code is None or call.exact > code.at + self._settings.greeting_life:
            raise Refused(41050)
        if code.rival_until:
            if call.exact < code.rival_until:
                raise Refused(41096)
            code.used = True
        if code.used or _talking(call.corp, code):
            raise Refused(41051)
        if code.needs_consent:
            raise Refused(41053)
        member = call.corp.members.get(code.userid.lower())
        if member is None or member.status != 1:
            raise Refused(41054)
        if member.absent:
            raise Refused(40205)
        return code

    def _attachments(self, call: Call) -> list[JsonObject]:
        value = call.body.get("attachments") or []
        if not isinstance(value, list):
            raise Refused(40058, "attachments")
        if len(value) > ATTACHMENTS:
            raise Refused(41064)
        return [self._attachment(call, one) for one in value]

    def _attachment(self, call: Call, one: object) -> JsonObject:
        if not isinstance(one, dict) or one.get("msgtype") not in _KINDS:
            raise Refused(41065)
        kind = str(one["msgtype"])
        body = part(one, kind)
        match kind:
            case "link":
                text_field(body, "title", limit=128, required=True)
                text_field(body, "url", limit=2048, required=True)
                text_field(body, "desc", limit=512)
                text_field(body, "picurl", limit=2048)
            case "miniprogram":
                text_field(body, "title", limit=64, required=True)
                text_field(body, "appid", limit=128, required=True)
                text_field(body, "page", limit=2048, required=True)
                self._media.find(
                    call.corp, text_field(body, "pic_media_id", limit=1024, required=True), call.now, "image"
                )
            case _:
                if not (kind == "image" and body.get("pic_url")):
                    media_id = text_field(body, "media_id", limit=1024, required=True)
                    self._media.find(call.corp, media_id, call.now, kind)
        return {"msgtype": kind, kind: body}


def _talking(corp: Corp, code: WelcomeCode) -> bool:
    follow = corp.follows.get(code.external_userid, {}).get(code.userid)
    return follow is not None and follow.chatting
