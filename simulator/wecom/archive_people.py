"""The archive's calls over HTTP (wecom.md section 15.4), with the archive's own secret: who is archived, and who agreed to it."""

from __future__ import annotations

from simulator.wecom.api import Answer, Call, Endpoint, Endpoints
from simulator.wecom.errors import Refused
from simulator.wecom.state import ArchiveConsent, Corp, JsonObject

MOST_PAIRS = 100
EDITIONS = (1, 2, 3)
BY_DEFAULT = "Default_Agree"


class ArchivePeopleApi:
    @property
    def endpoints(self) -> Endpoints:
        return {
            "msgaudit/get_permit_user_list": Endpoint("POST", self.permitted, "archive"),
            "msgaudit/check_single_agree": Endpoint("POST", self.single, "archive"),
            "msgaudit/check_room_agree": Endpoint("POST", self.room, "archive"),
        }

    def permitted(self, call: Call) -> Answer:
        """The simulated company has everybody in the first edition."""
        edition = call.body.get("type")
        if edition is not None and (isinstance(edition, bool) or edition not in EDITIONS):
            raise Refused(40058, "type must be 1, 2 or 3")
        members = [one for one in call.corp.archive_members if one.lower() in call.corp.members]
        return {"ids": members if edition in (None, 1) else []}

    def single(self, call: Call) -> Answer:
        info = call.body.get("info")
        if not isinstance(info, list) or not info:
            raise Refused(40063, "info is empty")
        if len(info) > MOST_PAIRS:
            raise Refused(301060)
        told = []
        for one in info:
            if not isinstance(one, dict) or not all(
                isinstance(one.get(name), str) and one[name] for name in ("userid", "exteranalopenid")
            ):
                raise Refused(40058, "info needs userid and exteranalopenid")
            userid, contact = one["userid"], one["exteranalopenid"]
            if userid.lower() not in call.corp.members:
                raise Refused(60111, userid)
            follow = next(
                (f for f in call.corp.follows.get(contact, {}).values() if f.userid.lower() == userid.lower()), None
            )
            if follow is not None:
                told.append(
                    {**_answer(call.corp, follow.userid.lower(), contact, follow.createtime), "userid": follow.userid}
                )
        return {"agreeinfo": told}

    def room(self, call: Call) -> Answer:
        room = call.string("roomid")
        group = call.corp.groups.get(room)
        if group is None or group.dissolved:
            raise Refused(40050)
        outside = [one for one in group.members if one.type == 2]
        return {"agreeinfo": [_answer(call.corp, room, one.userid, one.join_time) for one in outside]}


def _answer(corp: Corp, where: str, contact: str, since: int) -> JsonObject:
    consent = corp.archive_consents.get(f"{where}/{contact}") or ArchiveConsent(BY_DEFAULT, since)
    return {"status_change_time": consent.at, "exteranalopenid": contact, "agree_status": consent.status}
