"""From stored bytes to events. Pure and total: what we do not know becomes ``Unrecognised`` and waits for a later version."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.wecom.ids import kf_of_stream
from adapters.wecom.parse_callback import parse_callback
from adapters.wecom.parse_kf import parse_kf_item
from scrm.channel import Event, Raw, Unrecognised

WEBHOOK = "webhook"


def parse(raw: Raw) -> Sequence[Event]:
    try:
        return _parse(raw)
    except Exception as error:  # one poisonous payload must never stop the batch it came in
        return (Unrecognised(f"a bug in the adapter: {type(error).__name__}: {error}"[:500]),)


def _parse(raw: Raw) -> Sequence[Event]:
    if raw.source == WEBHOOK:
        return parse_callback(raw.body, raw.received_at)
    open_kfid = kf_of_stream(raw.source)
    if open_kfid is not None:
        return (parse_kf_item(raw.body, open_kfid, raw.received_at),)
    return (Unrecognised(f"no such source: {raw.source[:100]}"),)
