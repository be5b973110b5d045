"""What happened at a KF account, as ``kf/sync_msg`` tells it (chapter 16.3): a log, its cursors and its tokens.

Items are kept as JSON text, so that a page of 1000 is one join.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import struct
from bisect import bisect_right

import orjson

from simulator.wecom.errors import Refused
from simulator.wecom.settings import Settings
from simulator.wecom.state import Corp, JsonObject, KfAccount, new_id

_UNTIL, _NONCE = 8, 8
"""The bytes of a token's end of life and of what makes it unlike all others."""

_TRIM_AFTER = 10_000
CUSTOMER, SYSTEM, SERVICER = 3, 4, 5
"""``origin`` of an item."""


def append_message(
    account: KfAccount, external_userid: str, now: int, msgtype: str, body: JsonObject | None, *, servicer: str = ""
) -> str:
    """One message of a customer, or of a servicer in the client. Returns its msgid. ``body`` None: a type without fields."""
    msgid = new_id("", 24)
    item: JsonObject = {
        "msgid": msgid,
        "open_kfid": account.open_kfid,
        "external_userid": external_userid,
        "send_time": now,
        "origin": SERVICER if servicer else CUSTOMER,
    }
    if servicer:
        item["servicer_userid"] = servicer
    item["msgtype"] = msgtype
    if body is not None:
        item[msgtype] = body
    account.authors[msgid] = external_userid
    _append(account, item, now)
    return msgid


def append_event(account: KfAccount, event_type: str, now: int, fields: JsonObject) -> str:
    """One event; ids of account and customer are inside ``event``, as on the platform."""
    msgid = new_id("", 24)
    event = {"event_type": event_type, **fields}
    _append(account, {"msgid": msgid, "send_time": now, "origin": SYSTEM, "msgtype": "event", "event": event}, now)
    return msgid


def _append(account: KfAccount, item: JsonObject, now: int) -> None:
    account.items.append(orjson.dumps(item).decode())
    latest = account.item_times[-1] if account.item_times else now
    account.item_times.append(max(now, latest))


def page(account: KfAccount, cursor: str, limit: int, now: int, settings: Settings) -> tuple[list[str], str, bool]:
    """The items after ``cursor``, the next cursor, and whether there is more. Refused with 50100 for a foreign cursor."""
    kept = account.first + bisect_right(account.item_times, now - settings.message_life)
    start = max(_position(account, cursor), kept) if cursor else kept
    end = account.first + len(account.items)
    if account.empty_pages > 0 and start < end:
        account.empty_pages -= 1
        return [], _cursor(account, start), True
    stop = min(end, start + min(limit, account.page_cap))
    items = account.items[start - account.first : stop - account.first]
    _trim(account, kept)
    return items, _cursor(account, stop), stop < end


def _trim(account: KfAccount, kept: int) -> None:
    """Forgets items that nobody can read any more, many at once."""
    old = kept - account.first
    if old < _TRIM_AFTER:
        return
    for item in account.items[:old]:
        account.authors.pop(orjson.loads(item)["msgid"], None)
    del account.items[:old], account.item_times[:old]
    account.first = kept


def _cursor(account: KfAccount, position: int) -> str:
    check = hashlib.blake2s(f"{account.open_kfid}/{position}".encode(), digest_size=6).digest()
    return base64.urlsafe_b64encode(struct.pack(">Q", position) + check).rstrip(b"=").decode()


def _position(account: KfAccount, cursor: str) -> int:
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        (position,) = struct.unpack(">Q", raw[:8])
    except (binascii.Error, struct.error, ValueError):
        raise Refused(50100) from None
    if _cursor(account, position) != cursor or position > account.first + len(account.items):
        raise Refused(50100)
    return int(position)


def make_token(corp: Corp, open_kfid: str, now: int, settings: Settings) -> str:
    """The token of a ``kf_msg_or_event``. It proves itself, so that none has to be remembered. No two are equal: two rings
    of one second are two events, and a receiver that knows repetitions by their bytes must not lose the second."""
    until = struct.pack(">Q", now + settings.sync_token_life) + secrets.token_bytes(_NONCE)
    return "ENC" + base64.urlsafe_b64encode(until + _seal(corp, open_kfid, until)).decode()


def check_token(corp: Corp, open_kfid: str, token: str, now: int) -> None:
    """Refused with 95007 when it is not ours, of another account, or older than ten minutes."""
    try:
        raw = base64.urlsafe_b64decode(token[3:])
    except (binascii.Error, ValueError):
        raise Refused(95007) from None
    until, seal = raw[: _UNTIL + _NONCE], raw[_UNTIL + _NONCE :]
    if not token.startswith("ENC") or not hmac.compare_digest(seal, _seal(corp, open_kfid, until)):
        raise Refused(95007)
    if struct.unpack(">Q", until[:_UNTIL])[0] <= now:
        raise Refused(95007)


def _seal(corp: Corp, open_kfid: str, until: bytes) -> bytes:
    return hashlib.blake2s(until + open_kfid.encode(), key=corp.key.encode()[:32], digest_size=16).digest()
