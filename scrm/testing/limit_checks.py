"""Conformance of :class:`~scrm.channel.Capabilities`: what is stated is what the platform does, neither more nor less."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import timedelta

from scrm.channel import Adapter, Capabilities, Kind, OutgoingMedia
from scrm.errors import Rejected
from scrm.testing.context import outgoing_media
from scrm.testing.harness import Harness, Sample
from scrm.testing.send_checks import answer_to, capabilities, count, refused, text_answer

MOST_UPLOADED = 64 * 1024 * 1024
"""Larger limits are not tried out."""


def text_of(size: int, stated: Capabilities) -> str:
    """A text of exactly that many of the channel's units, Chinese where that is possible."""
    if stated.text_limit_unit == "characters":
        return "字" * size
    return "字" * (size // 3) + "a" * (size % 3)


def of_size(media: OutgoingMedia, size: int, content: bytes) -> OutgoingMedia:
    """The same file, filled up to ``size`` bytes."""
    return outgoing_media(content + bytes(size - len(content)), media.name, media.mime)


class LimitChecks:
    async def test_capabilities_are_complete_and_constant(self, adapter: Adapter, harness: Harness) -> None:
        stated = capabilities(adapter, harness)
        assert stated == capabilities(adapter, harness)
        assert stated.channel == harness.channel
        for sentence in (stated.title, stated.window.rule if stated.window else stated.title):
            assert sentence.zh, "a sentence lacks its Chinese"
            assert sentence.en, "a sentence lacks its English"
        assert len(stated.mark) == 1, "the mark is one character"
        assert stated.sends or stated.read_only_reason, "a channel without sending says where one can answer"
        assert set(stated.media) <= set(stated.sends), "media limits of kinds that cannot be sent"

    async def test_the_longest_text_is_taken_and_a_longer_one_refused(self, adapter: Adapter, harness: Harness) -> None:
        stated = capabilities(adapter, harness)
        if Kind.TEXT not in stated.sends:
            return
        longest = text_of(stated.text_limit, stated)
        await adapter.send(await text_answer(adapter, harness, longest))
        assert count(await harness.received(), longest) == 1, "a text of the stated limit did not arrive whole"
        too_long = await text_answer(adapter, harness, text_of(stated.text_limit + 1, stated))
        await refused(adapter, harness, too_long, "a text over the stated limit")

    async def test_links_are_refused_where_they_are_not_allowed(self, adapter: Adapter, harness: Harness) -> None:
        stated = capabilities(adapter, harness)
        if Kind.TEXT not in stated.sends:
            return
        message = await text_answer(adapter, harness, "看这里 https://example.com/a")
        if stated.links_allowed:
            await adapter.send(message)
            assert count(await harness.received(), message.text) == 1
        else:
            await refused(adapter, harness, message, "a link")

    async def test_every_stated_kind_arrives_as_that_kind(self, adapter: Adapter, harness: Harness) -> None:
        for kind in sorted(capabilities(adapter, harness).sends):
            sample = harness.sample(kind)
            message = answer_to(await harness.customer_writes(adapter, "你好"), sample, kind)
            await adapter.send(message)
            last = (await harness.received())[-1]
            assert last.kind is kind, f"{kind} arrived as {last.kind}"
            if sample.media is not None:
                unchanged = last.content == await sample.media.read()
                assert unchanged, f"the bytes of {kind} were changed"

    async def test_every_other_kind_is_rejected(self, adapter: Adapter, harness: Harness) -> None:
        others = sorted(set(Kind) - capabilities(adapter, harness).sends)
        event = await harness.customer_writes(adapter, "你好")
        for kind in others:
            await refused(adapter, harness, answer_to(event, Sample(text="x"), kind), f"the kind {kind}")

    async def test_media_over_the_stated_size_is_rejected(self, adapter: Adapter, harness: Harness) -> None:
        stated = capabilities(adapter, harness)
        for kind, limit in sorted(stated.media.items()):
            media = harness.sample(kind).media
            assert media is not None, f"the sample of {kind} has no media"
            if limit.max_bytes > MOST_UPLOADED:
                continue
            content = await media.read()
            event = await harness.customer_writes(adapter, "你好")
            largest = Sample(media=of_size(media, limit.max_bytes, content))
            await adapter.send(answer_to(event, largest, kind))
            assert len((await harness.received())[-1].content) == limit.max_bytes, f"the largest {kind} did not arrive"
            too_large = Sample(media=of_size(media, limit.max_bytes + 1, content))
            await refused(adapter, harness, answer_to(event, too_large, kind), f"a {kind} over the stated size")

    async def test_media_of_another_type_is_rejected(self, adapter: Adapter, harness: Harness) -> None:
        for kind, limit in sorted(capabilities(adapter, harness).media.items()):
            if not limit.mime_types:
                continue
            wrong = Sample(media=outgoing_media(b"MZ\x90\x00 no picture", "a.exe", "application/x-msdownload"))
            event = await harness.customer_writes(adapter, "你好")
            await refused(adapter, harness, answer_to(event, wrong, kind), f"a program as {kind}")

    async def test_the_window_has_the_stated_quota(self, adapter: Adapter, harness: Harness) -> None:
        stated = capabilities(adapter, harness)
        if stated.window is None or not stated.sends:
            return
        message = await text_answer(adapter, harness, "第几条")
        for _ in range(stated.window.quota):
            await adapter.send(replace(message, idempotency_key=secrets.token_hex(16)))
        assert count(await harness.received(), "第几条") == stated.window.quota
        one_more = replace(message, idempotency_key=secrets.token_hex(16))
        check_closed(await refused(adapter, harness, one_more, "one answer more than the quota"))

    async def test_a_new_message_of_the_customer_opens_a_new_window(self, adapter: Adapter, harness: Harness) -> None:
        stated = capabilities(adapter, harness)
        if stated.window is None or not stated.sends:
            return
        for text in ("第一轮", "第二轮"):
            message = await text_answer(adapter, harness, text)
            for _ in range(stated.window.quota):
                await adapter.send(replace(message, idempotency_key=secrets.token_hex(16)))
            assert count(await harness.received(), text) == stated.window.quota

    async def test_the_window_has_the_stated_duration(self, adapter: Adapter, harness: Harness) -> None:
        stated = capabilities(adapter, harness)
        if stated.window is None or not stated.sends:
            return
        message = await text_answer(adapter, harness, "快到期了")
        harness.advance(stated.window.duration - timedelta(minutes=5))
        await adapter.send(message)
        assert count(await harness.received(), "快到期了") == 1
        harness.advance(timedelta(minutes=10))
        late = replace(message, idempotency_key=secrets.token_hex(16))
        check_closed(await refused(adapter, harness, late, "an answer after the window"))

    async def test_the_customers_message_states_the_same_window(self, adapter: Adapter, harness: Harness) -> None:
        stated = capabilities(adapter, harness)
        event = await harness.customer_writes(adapter, "你好")
        assert event.direction == "in"
        assert event.text == "你好"
        if stated.window is not None:
            assert event.window is not None, "the customer's message opens no window"
            assert event.window.quota == stated.window.quota
            assert event.window.expires_at == event.sent_at + stated.window.duration


def check_closed(error: Rejected) -> None:
    assert error.closes_window, f"{error.code} means that the window is closed; it must say so"
