"""Handing customers over (chapter 8), from colleagues and from those who left: accepted now, done a day later, or not at all."""

from __future__ import annotations

from collections.abc import Sequence

from simulator.wecom.api import Answer, Call, Endpoint, Endpoints
from simulator.wecom.contacts import ASSIGNED, Contacts, follows_of, member_of
from simulator.wecom.errors import Refused
from simulator.wecom.paging import cursor_after, start_of
from simulator.wecom.settings import DAY, Settings
from simulator.wecom.state import (
    DECLINED,
    TAKEN,
    TAKER_FULL,
    WAITING,
    Corp,
    Follow,
    JsonObject,
    Member,
    Transfer,
)

MESSAGE = 200
_PERIOD = 90 * DAY


class TransferApi:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @property
    def endpoints(self) -> Endpoints:
        prefix = "externalcontact/"
        return {
            prefix + "transfer_customer": Endpoint("POST", self.transfer, "contacts"),
            prefix + "transfer_result": Endpoint("POST", self.result, "contacts"),
            prefix + "get_unassigned_list": Endpoint("POST", self.unassigned, "contacts"),
            prefix + "resigned/transfer_customer": Endpoint("POST", self.transfer_resigned, "contacts"),
            prefix + "resigned/transfer_result": Endpoint("POST", self.result_resigned, "contacts"),
        }

    def transfer(self, call: Call) -> Answer:
        """Between colleagues, both signed in within a year. Each customer has an answer of their own."""
        giver = member_of(call.corp, call.string("handover_userid", missing=40003))
        if giver.absent:
            raise Refused(40205, "handover_userid")
        message = call.optional("transfer_success_msg")
        if len(message) > MESSAGE:
            raise Refused(40058, f"transfer_success_msg is longer than {MESSAGE} characters")
        return self._begin(call, giver.userid, message, resigned=False)

    def transfer_resigned(self, call: Call) -> Answer:
        userid = call.string("handover_userid", missing=40003)
        if userid.lower() in call.corp.members:
            raise Refused(40097)
        giver = self._former(call, userid)
        return self._begin(call, giver.userid, "", resigned=True)

    def result(self, call: Call) -> Answer:
        return self._results(call, resigned=False)

    def result_resigned(self, call: Call) -> Answer:
        return self._results(call, resigned=True)

    def unassigned(self, call: Call) -> Answer:
        """Customers of those who left within a year and whom nobody has been given yet; who left last comes first."""
        size = call.number("page_size", default=1000, low=1, high=1000)
        start = start_of(call)
        corp = call.corp
        given = {(t.handover, t.external_userid) for t in corp.transfers if t.resigned and t.status == WAITING}
        gone = [m for m in corp.former.values() if call.now < m.left_at + self._settings.resigned_life]
        waiting = [
            {"handover_userid": m.userid, "external_userid": f.external_userid, "dimission_time": m.left_at}
            for m in sorted(gone, key=lambda one: -one.left_at)
            for f in follows_of(corp, m.userid)
            if (m.userid, f.external_userid) not in given
        ]
        following = cursor_after(start + size, len(waiting))
        return {"info": waiting[start : start + size], "is_last": not following, "next_cursor": following}

    def _former(self, call: Call, userid: str) -> Member:
        member = call.corp.former.get(userid.lower())
        if member is None or call.now >= member.left_at + self._settings.resigned_life:
            raise Refused(60111, "handover_userid")
        return member

    def _begin(self, call: Call, giver: str, message: str, *, resigned: bool) -> Answer:
        taker = self._taker(call, giver)
        customers = call.strings("external_userid", limit=100)
        full = is_full(call.corp, taker, self._settings)
        answers = []
        for external_userid in dict.fromkeys(customers):
            errcode = self._problem(call, giver, external_userid) or (40099 if full else 0)
            if not errcode:
                takes_at = call.now + self._settings.transfer_wait
                call.corp.transfers.append(
                    Transfer(giver, taker.userid, external_userid, call.now, takes_at, resigned, message=message)
                )
            answers.append({"external_userid": external_userid, "errcode": errcode})
        return {"customer": answers}

    def _taker(self, call: Call, giver: str) -> Member:
        taker = member_of(call.corp, call.string("takeover_userid", missing=40003))
        if taker.userid.lower() == giver.lower():
            raise Refused(40130)
        return able_taker(taker)

    def _problem(self, call: Call, giver: str, external_userid: str) -> int:
        corp = call.corp
        if external_userid not in corp.customers:
            return 40096
        if giver not in corp.follows.get(external_userid, {}):
            return 40131
        waiting = [t for t in corp.transfers if t.external_userid == external_userid and t.status == WAITING]
        if waiting:
            return 40100 if any(t.handover == giver for t in waiting) else 40129
        recent = [
            t
            for t in corp.transfers
            if t.external_userid == external_userid and t.status == TAKEN and t.at > call.now - _PERIOD
        ]
        if len(recent) >= self._settings.transfers_per_90_days:
            return 40128
        return 0

    def _results(self, call: Call, *, resigned: bool) -> Answer:
        giver, taker = call.string("handover_userid", missing=40003), call.string("takeover_userid", missing=40003)
        start = start_of(call)
        found = [
            t
            for t in call.corp.transfers
            if (t.handover.lower(), t.takeover.lower(), t.resigned) == (giver.lower(), taker.lower(), resigned)
        ]
        newest = {t.external_userid: t for t in found}  # a later transfer of the same customer replaces the earlier
        page = list(newest.values())[start : start + 1000]
        return {
            "customer": [_view(t) for t in page],
            "next_cursor": cursor_after(start + 1000, len(newest)),
        }


def able_taker(member: Member) -> Member:
    """In customer contact, activated, real-name verified, signed in within a year."""
    if not member.serves:
        raise Refused(84074, f"userid {member.userid}")
    if member.status != 1:
        raise Refused(41054, f"userid {member.userid}")
    if not member.verified:
        raise Refused(40098, f"userid {member.userid}")
    if member.absent:
        raise Refused(40205, f"userid {member.userid}")
    return member


def is_full(corp: Corp, taker: Member, settings: Settings) -> bool:
    limit = settings.customers_per_member if taker.customer_limit is None else taker.customer_limit
    return len(follows_of(corp, taker.userid)) >= limit


def _view(transfer: Transfer) -> JsonObject:
    at = transfer.takes_at if transfer.status in (WAITING, TAKEN) else 0
    return {"external_userid": transfer.external_userid, "status": transfer.status, "takeover_time": at}


class Ripening:
    """What becomes of transfers when their time has come. Looked at on every call and every act of people."""

    def __init__(self, settings: Settings, contacts: Contacts) -> None:
        self._settings = settings
        self._contacts = contacts

    def ripen(self, corps: Sequence[Corp], now: int) -> None:
        for corp in corps:
            due = [t for t in corp.transfers if t.status == WAITING and now >= t.takes_at]
            for transfer in due:
                self.decide(corp, transfer, transfer.takes_at, refused=False)

    def decide(self, corp: Corp, transfer: Transfer, now: int, *, refused: bool) -> None:
        follow = corp.follows.get(transfer.external_userid, {}).get(transfer.handover)
        taker = corp.members.get(transfer.takeover.lower())
        if follow is None or taker is None:
            # The giver deleted the customer, or the taker left, while it waited [?].
            self._failed(corp, transfer, DECLINED, "customer_refused", now)
        elif refused or corp.customers[transfer.external_userid].refuses_transfers:
            self._failed(corp, transfer, DECLINED, "customer_refused", now)
        elif is_full(corp, taker, self._settings):
            self._failed(corp, transfer, TAKER_FULL, "customer_limit_exceed", now)
        else:
            self._done(corp, transfer, follow, taker, now)

    def _failed(self, corp: Corp, transfer: Transfer, status: int, reason: str, now: int) -> None:
        transfer.status = status
        fields = {
            "ChangeType": "transfer_fail",
            "FailReason": reason,
            "UserID": transfer.takeover,
            "ExternalUserID": transfer.external_userid,
        }
        self._contacts.tell(corp, "change_external_contact", fields, now)

    def _done(self, corp: Corp, transfer: Transfer, follow: Follow, taker: Member, now: int) -> None:
        """The taker is told of a new contact unless they were friends or had once handed this customer away; the giver of a
        deleted one, unless they left."""
        transfer.status, transfer.takes_at = TAKEN, now
        who = transfer.external_userid
        self._contacts.end(corp, follow, now, "transferred", taker.userid)
        friends = taker.userid in corp.follows.get(who, {})
        handed_away = any(
            t.handover == taker.userid and t.external_userid == who and t.status == TAKEN for t in corp.transfers
        )
        if not friends:
            self._contacts.set_up(corp, taker, who, now, add_way=ASSIGNED, oper_userid=taker.userid)
            if not handed_away:
                self._contacts.changed(corp, "add_external_contact", taker.userid, who, now)
        if transfer.handover.lower() in corp.members:
            source = {"Source": "DELETE_BY_TRANSFER"}
            self._contacts.changed(corp, "del_external_contact", transfer.handover, who, now, **source)
