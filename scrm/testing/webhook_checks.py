"""Conformance of ``verify`` and ``parse``: genuine or not, once or twice, and never an exception."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

import pytest

from scrm.channel import Adapter, Challenge, Event, MessageReceived, Raw, Verified, WebhookRequest
from scrm.errors import BadRequest, BadSignature
from scrm.testing.harness import GOLDEN_TIME, Golden, Harness

MOST_CUTS = 120
RANDOM_BODIES = 200
EVENT_TYPES: tuple[type, ...] = get_args(Event)


def understood(adapter: Adapter, raw: Raw) -> Sequence[Event]:
    """The events of ``raw``; fails when ``parse`` raises or returns something that is no event."""
    try:
        events = adapter.parse(raw)
    except Exception as error:
        pytest.fail(f"parse must never raise, but raised {error!r} for {raw.body[:200]!r}")
    for event in events:
        assert isinstance(event, EVENT_TYPES), f"parse returned {event!r}, which is no Event"
        if isinstance(event, MessageReceived):
            assert event.message_id, f"a message without an id cannot be deduplicated: {event!r}"
            assert event.sent_at.tzinfo is not None, f"sent_at must be aware: {event!r}"
    return events


def genuine(adapter: Adapter, request: WebhookRequest) -> Verified:
    """The stored form of a request that must be accepted as an event."""
    try:
        verified = adapter.verify(request)
    except (BadSignature, BadRequest) as error:
        pytest.fail(f"verify refused a genuine request: {error!r}")
    assert isinstance(verified, Verified), f"verify took an event for an address check: {verified!r}"
    assert verified.dedupe_key, "the dedupe key must not be empty"
    return verified


class WebhookChecks:
    def test_golden_payloads_become_exactly_their_events(self, adapter: Adapter, golden: Sequence[Golden]) -> None:
        assert golden, "give at least one golden payload"
        for case in golden:
            events = understood(adapter, case.raw)
            assert list(events) == list(case.events), f"{case.name} became {events!r}"

    def test_parse_gives_the_same_events_every_time(self, adapter: Adapter, golden: Sequence[Golden]) -> None:
        for case in golden:
            assert list(understood(adapter, case.raw)) == list(understood(adapter, case.raw)), case.name

    def test_parse_survives_truncated_bodies(self, adapter: Adapter, golden: Sequence[Golden]) -> None:
        for case in golden:
            step = max(1, len(case.body) // MOST_CUTS)
            for end in range(0, len(case.body), step):
                understood(adapter, replace(case.raw, body=case.body[:end]))

    def test_parse_survives_damaged_bodies(self, adapter: Adapter, golden: Sequence[Golden]) -> None:
        chance = random.Random(20261121)  # noqa: S311 - test data
        for case in golden:
            for _ in range(20):
                body = bytearray(case.body)
                for _ in range(3):
                    body[chance.randrange(len(body))] = chance.randrange(256)
                understood(adapter, replace(case.raw, body=bytes(body)))

    def test_parse_survives_anything(self, adapter: Adapter, golden: Sequence[Golden]) -> None:
        sources = {"webhook", *(case.source for case in golden)}
        for source in sources:
            for body in hostile_bodies():
                understood(adapter, Raw(source, body, GOLDEN_TIME))

    async def test_verify_accepts_a_genuine_request_and_parse_understands_it(
        self, adapter: Adapter, harness: Harness
    ) -> None:
        verified = genuine(adapter, await harness.webhook("你好 hello"))
        events = understood(adapter, Raw("webhook", verified.raw, GOLDEN_TIME))
        assert events, "a genuine event became nothing"

    async def test_verify_refuses_tampered_requests(self, adapter: Adapter, harness: Harness) -> None:
        attacks = harness.tampered(await harness.webhook("你好"))
        assert attacks, "the harness must offer at least one attack"
        for attack in attacks:
            try:
                answer = adapter.verify(attack)
            except (BadSignature, BadRequest):
                continue
            pytest.fail(f"verify accepted a forged request ({answer!r}): {attack!r}")

    async def test_verify_refuses_requests_without_headers_and_query(self, adapter: Adapter, harness: Harness) -> None:
        request = await harness.webhook("你好")
        with pytest.raises((BadSignature, BadRequest)):
            adapter.verify(replace(request, headers={}, query={}))

    def test_verify_answers_anything_with_a_refusal(self, adapter: Adapter) -> None:
        for body in hostile_bodies():
            with pytest.raises((BadSignature, BadRequest)):
                adapter.verify(WebhookRequest("POST", {}, {}, body))

    async def test_a_repetition_has_the_same_dedupe_key(self, adapter: Adapter, harness: Harness) -> None:
        request = await harness.webhook("你好")
        first = genuine(adapter, request).dedupe_key
        second = genuine(adapter, harness.repeated(request)).dedupe_key
        assert first == second, "the platform's repetition of one event would be handled twice"

    async def test_different_events_have_different_dedupe_keys(self, adapter: Adapter, harness: Harness) -> None:
        keys = {genuine(adapter, await harness.webhook("在吗")).dedupe_key for _ in range(5)}
        assert len(keys) == 5, "different events share a dedupe key: all but one would be lost"

    async def test_verify_is_pure(self, adapter: Adapter, harness: Harness) -> None:
        request = await harness.webhook("你好")
        assert adapter.verify(request) == adapter.verify(request)

    async def test_an_event_is_not_taken_for_an_address_check(self, adapter: Adapter, harness: Harness) -> None:
        assert not isinstance(adapter.verify(await harness.webhook("challenge echostr 12345")), Challenge)


def hostile_bodies() -> list[bytes]:
    chance = random.Random(42)  # noqa: S311 - test data
    bodies = [
        b"",
        b"\x00",
        b"null",
        b"[]",
        b"{}",
        b"0",
        b'"text"',
        b"<xml></xml>",
        b"<xml>",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"event":{},"content":[],"msgtype":[],"msgid":{}}',
        b"\xff\xfe\xfd",
        b'{"event":"\\ud800"}',
        b"1" * 10_000,
    ]
    return bodies + [chance.randbytes(chance.randrange(1, 400)) for _ in range(RANDOM_BODIES)]
