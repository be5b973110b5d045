"""Decrypted callback XML, by its ``Event`` (wecom.md section 11). One table says who reads what."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from adapters.wecom import parse_app, parse_contact, parse_directory, parse_group, parse_kf_callback, parse_tag
from adapters.wecom.callback import Callback
from adapters.wecom.xml import BrokenXml, read_xml
from scrm.channel import Event, Occurrence, Unrecognised

Reader = Callable[[Callback], Sequence[Event]]


@dataclass(frozen=True, slots=True)
class _Named:
    """Events that mean one thing and are kept as they are."""

    name: str

    def __call__(self, callback: Callback) -> Sequence[Event]:
        return (Occurrence(self.name, callback.at, data=callback.data),)


_READERS: Mapping[str, Reader] = {
    "kf_msg_or_event": parse_kf_callback.rang,
    "kf_account_auth_change": parse_kf_callback.authorisation_changed,
    "change_external_contact": parse_contact.changed,
    "change_external_chat": parse_group.changed,
    "change_external_tag": parse_tag.changed,
    "change_contact": parse_directory.changed,
    "customer_acquisition": parse_contact.acquisition,
    "msgaudit_notify": _Named("archive.rang"),
    "batch_job_result": _Named("job.finished"),
    "upload_media_job_finish": _Named("job.finished"),
    **dict.fromkeys(parse_app.EVENTS, parse_app.event),
}


def parse_callback(body: bytes, received_at: datetime) -> Sequence[Event]:
    try:
        callback = Callback(read_xml(body), received_at)
    except BrokenXml as error:
        return (Unrecognised(f"broken XML: {error}"),)
    if callback.event:
        reader = _READERS.get(callback.event)
        return reader(callback) if reader else (Unrecognised(f"event {callback.event[:100]}"),)
    if callback.message_type in parse_app.MESSAGES:
        return parse_app.message(callback)
    return (Unrecognised(f"message type {callback.message_type[:100] or 'missing'}"),)
