"""Events among the items of ``kf/sync_msg``, by ``event_type`` (wecom.md section 16.3; platform page 94670)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from adapters.wecom import kf_states
from adapters.wecom.ids import customer, kf_account, member
from adapters.wecom.kf_failures import failure_code, failure_reason
from adapters.wecom.values import integer, known, nested, text
from scrm.channel import (
    AccountRef,
    ContactEntered,
    ContactRef,
    Event,
    JsonObject,
    MessageRecalled,
    Occurrence,
    SendFailed,
    SessionChanged,
    Unrecognised,
)

WELCOME_LIFE = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class _KfEvent:
    body: JsonObject
    account: AccountRef
    contact: ContactRef | None
    at: datetime

    def __getitem__(self, name: str) -> str:
        return text(self.body, name)


def parse_kf_event(item: JsonObject, open_kfid: str, at: datetime) -> Event:
    body = nested(item, "event")
    kind = text(body, "event_type")
    account = kf_account(text(body, "open_kfid") or text(item, "open_kfid") or open_kfid)
    external_userid = text(body, "external_userid") or text(item, "external_userid")
    event = _KfEvent(body, account, customer(external_userid) if external_userid else None, at)
    if kind in _WITHOUT_CONTACT:
        return _WITHOUT_CONTACT[kind](event)
    reader = _READERS.get(kind)
    if reader is None:
        return Unrecognised(f"event_type {kind[:100] or 'missing'}")
    if event.contact is None:
        return Unrecognised(f"{kind} without external_userid")
    return reader(event, event.contact)


def _entered(event: _KfEvent, contact: ContactRef) -> Event:
    """Entering opens no reply window: it allows one greeting, with this code, within 20 seconds."""
    code = event["welcome_code"]
    return ContactEntered(
        event.account,
        contact,
        event.at,
        scene=event["scene"],
        welcome_code=code,
        welcome_until=event.at + WELCOME_LIFE if code else None,
        data=known(scene_param=event["scene_param"], wechat_channels=nested(event.body, "wechat_channels")),
    )


def _send_failed(event: _KfEvent, contact: ContactRef) -> Event:
    if not event["fail_msgid"]:
        return Unrecognised("msg_send_fail without fail_msgid")
    kind = integer(event.body, "fail_type")
    return SendFailed(event.account, contact, event["fail_msgid"], failure_code(kind), failure_reason(kind), event.at)


_CHANGES: Mapping[int, kf_states.KfState] = {
    1: kf_states.HUMAN,
    2: kf_states.HUMAN,
    3: kf_states.ENDED,
    4: kf_states.HUMAN,
}
"""Taken from the pool, handed over, ended, taken up again: what members do in the client."""


def _session_changed(event: _KfEvent, contact: ContactRef) -> Event:
    state = _CHANGES.get(integer(event.body, "change_type") or 0)
    if state is None:
        return Unrecognised(f"session_status_change of type {event['change_type'][:100] or 'missing'}")
    return SessionChanged(
        event.account,
        contact,
        event.at,
        state.name,
        state.can_send,
        state.closed_because,
        servicer_id=member(event["new_servicer_userid"]) if state is kf_states.HUMAN else "",
        data=_data(event),
    )


def _recalled_by_customer(event: _KfEvent, contact: ContactRef) -> Event:
    if not event["recall_msgid"]:
        return Unrecognised("user_recall_msg without recall_msgid")
    return MessageRecalled(event.account, contact, event["recall_msgid"], "customer", event.at)


def _recalled_by_servicer(event: _KfEvent, contact: ContactRef) -> Event:
    if not event["recall_msgid"]:
        return Unrecognised("servicer_recall_msg without recall_msgid")
    return MessageRecalled(event.account, contact, event["recall_msgid"], "agent", event.at)


def _rejects(event: _KfEvent, contact: ContactRef) -> Event:
    """A servicer switched on (1) or off (0) that this customer's messages are refused."""
    return Occurrence("contact.rejected_messages", event.at, event.account, contact, _data(event))


def _servicer_status(event: _KfEvent) -> Event:
    """Status 1 serving, 2 stopped: not the numbers of ``kf/servicer/list``, where these are 0 and 1."""
    return Occurrence("servicer.status_changed", event.at, event.account, None, _data(event))


_ENVELOPE = frozenset({"event_type", "open_kfid", "external_userid"})


def _data(event: _KfEvent) -> JsonObject:
    return {name: value for name, value in event.body.items() if name not in _ENVELOPE}


_READERS: Mapping[str, Callable[[_KfEvent, ContactRef], Event]] = {
    "enter_session": _entered,
    "msg_send_fail": _send_failed,
    "session_status_change": _session_changed,
    "user_recall_msg": _recalled_by_customer,
    "servicer_recall_msg": _recalled_by_servicer,
    "reject_customer_msg_switch_change": _rejects,
}

_WITHOUT_CONTACT: Mapping[str, Callable[[_KfEvent], Event]] = {"servicer_status_change": _servicer_status}
