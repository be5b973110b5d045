"""Our own payloads of every kind (payloads.toml), and what parse() makes of them when they are damaged."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.wecom.parse import parse
from adapters.wecom.values import read_object
from scrm.channel import MessageReceived, Occurrence, Raw, Unrecognised
from tests.adapters.wecom.support import RECEIVED, plain


@dataclass(frozen=True)
class Payload:
    name: str
    source: str
    body: bytes
    becomes: list[dict[str, Any]]


def _payloads() -> list[Payload]:
    table = tomllib.loads(Path(__file__).with_name("payloads.toml").read_text())
    return [
        Payload(row["name"], row.get("source", "kf:wkHotel0001"), row["body"].encode(), row["becomes"])
        for row in table["payload"]
    ]


PAYLOADS = _payloads()
SOURCES = st.sampled_from(["webhook", "kf:wkHotel0001", "kf:", "elsewhere"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = ["msgid", "open_kfid", "external_userid", "send_time", "origin", "servicer_userid", "msgtype", "event"]


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: payload.name)
def test_a_payload_becomes_its_events(payload: Payload) -> None:
    assert [plain(event) for event in parse(Raw(payload.source, payload.body, RECEIVED))] == payload.becomes


def read_without_a_bug(raw: Raw) -> None:
    """What is promised for any bytes: no exception, the same events again, and nothing that a database refuses."""
    events = parse(raw)
    assert events, "everything becomes something"
    assert [plain(event) for event in parse(raw)] == [plain(event) for event in events]
    for event in events:
        assert not (isinstance(event, Unrecognised) and event.why.startswith("a bug")), event
        storable(plain(event))
        if isinstance(event, MessageReceived):
            assert event.message_id
            assert event.contact.external_id
        if isinstance(event, MessageReceived | Occurrence) and event.account is not None:
            assert event.account.external_id


def storable(value: Any) -> None:
    assert b"\\u0000" not in orjson.dumps(value)


@given(source=SOURCES, body=st.binary(max_size=300))
def test_any_bytes_are_survived(source: str, body: bytes) -> None:
    read_without_a_bug(Raw(source, body, RECEIVED))


@given(payload=st.sampled_from(PAYLOADS), data=st.data())
def test_a_truncated_payload_is_survived(payload: Payload, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(payload.body)))
    read_without_a_bug(Raw(payload.source, payload.body[:cut], RECEIVED))


@given(payload=st.sampled_from(PAYLOADS), data=st.data())
def test_a_payload_with_other_bytes_in_it_is_survived(payload: Payload, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(payload.body)))
    end = data.draw(st.integers(start, min(start + 12, len(payload.body))))
    altered = payload.body[:start] + data.draw(st.binary(max_size=12)) + payload.body[end:]
    read_without_a_bug(Raw(payload.source, altered, RECEIVED))


@given(payload=st.sampled_from([p for p in PAYLOADS if read_object(p.body)]), data=st.data())
def test_a_field_of_any_other_value_is_survived(payload: Payload, data: st.DataObject) -> None:
    item = read_object(payload.body) or {}
    place = data.draw(st.sampled_from([item, *[value for value in item.values() if isinstance(value, dict)]]))
    place[data.draw(st.sampled_from([*place, *FIELDS]))] = data.draw(JSON)
    body = json.dumps(item).encode()
    read_without_a_bug(Raw(payload.source, body, RECEIVED))


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"<a>" * 100_000,
        b"9" * 100_000,
        b'{"msgid":' + b"9" * 10_000 + b"}",
        b'{"msgid":"m","external_userid":"w","msgtype":"text","text":' + b'{"a":' * 500 + b"1" + b"}" * 502,
        b'{"msgid":"m","external_userid":"w","msgtype":"merged_msg","merged_msg":{"item":[' + b"{}," * 5000 + b"{}]}}",
        b"<xml>" + b"<Item>1</Item>" * 50_000 + b"</xml>",
    ],
    ids=[
        "deep list",
        "deep object",
        "deep XML",
        "long number",
        "long id",
        "deep body",
        "many forwarded",
        "many elements",
    ],
)
@pytest.mark.parametrize("source", ["webhook", "kf:wkHotel0001"])
def test_exaggerations_are_survived(source: str, body: bytes) -> None:
    read_without_a_bug(Raw(source, body, RECEIVED))


def test_every_kind_of_event_is_covered() -> None:
    """A guard for this table: whoever adds a reader adds a payload."""
    from adapters.wecom import parse_callback, parse_kf_event
    from adapters.wecom.kf_bodies import _BODILESS, _READERS

    everything = b"".join(payload.body for payload in PAYLOADS).decode()
    names = [
        *parse_callback._READERS,
        *parse_kf_event._READERS,
        *parse_kf_event._WITHOUT_CONTACT,
        *_READERS,
        *_BODILESS,
    ]
    assert [name for name in names if f'"{name}"' not in everything and f"[{name}]" not in everything] == []
