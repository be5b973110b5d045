"""Conformance of ``send``: once, or an error that says exactly what is certain."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

import pytest

from scrm.channel import (
    Adapter,
    Capabilities,
    Kind,
    MessageReceived,
    OutgoingMessage,
    Recalls,
    Receipt,
    Sentence,
)
from scrm.errors import Rejected, RetryLater, SendError, Uncertain
from scrm.testing.harness import Delivered, Harness, Sample, SendFault

MOST_REPETITIONS = 5


def capabilities(adapter: Adapter, harness: Harness) -> Capabilities:
    stated = adapter.capabilities
    assert harness.channel in stated, f"the adapter states no capabilities for {harness.channel}"
    return stated[harness.channel]


def answer_to(event: MessageReceived, sample: Sample, kind: Kind = Kind.TEXT) -> OutgoingMessage:
    """An answer to what the customer wrote, as the service would compose it."""
    return OutgoingMessage(
        account_id=event.account.external_id,
        contact_id=event.contact.external_id,
        kind=kind,
        text=sample.text,
        idempotency_key=secrets.token_hex(16),
        content=sample.content,
        media=sample.media,
        window_key=event.window.key if event.window else {},
        window_kind=event.window.kind if event.window else "",
        group_id=event.group.external_id if event.group else "",
    )


async def text_answer(adapter: Adapter, harness: Harness, text: str) -> OutgoingMessage:
    return answer_to(await harness.customer_writes(adapter, "你好"), Sample(text=text))


def count(delivered: Sequence[Delivered], text: str) -> int:
    return sum(1 for item in delivered if item.text == text)


def check_reason(error: SendError) -> None:
    """Every error names its platform and is a sentence in both languages."""
    assert "." in error.code, f"the code {error.code!r} does not name its platform"
    assert isinstance(error.reason, Sentence)
    assert error.reason.zh.strip(), f"{error.code} has no Chinese sentence"
    assert error.reason.en.strip(), f"{error.code} has no English sentence"


async def refused(adapter: Adapter, harness: Harness, message: OutgoingMessage, why: str) -> Rejected:
    """Sends what must be refused for good, and sees that nothing reached the customer."""
    before = len(await harness.received())
    try:
        receipt = await adapter.send(message)
    except Rejected as error:
        check_reason(error)
        assert len(await harness.received()) == before, f"{why}: rejected, yet the customer has it"
        return error
    except (RetryLater, Uncertain) as error:
        pytest.fail(f"{why} must be Rejected, not {error!r}")
    pytest.fail(f"{why} must be Rejected, but was accepted: {receipt!r}")


class SendChecks:
    async def test_a_text_reaches_the_customer_once(self, adapter: Adapter, harness: Harness) -> None:
        if not capabilities(adapter, harness).sends:
            return
        receipt = await adapter.send(await text_answer(adapter, harness, "价格是 2999 元"))
        assert isinstance(receipt, Receipt)
        assert count(await harness.received(), "价格是 2999 元") == 1

    async def test_two_messages_with_equal_text_are_two(self, adapter: Adapter, harness: Harness) -> None:
        if not capabilities(adapter, harness).sends:
            return
        message = await text_answer(adapter, harness, "好的")
        first = await adapter.send(message)
        second = await adapter.send(replace(message, idempotency_key=secrets.token_hex(16)))
        assert count(await harness.received(), "好的") == 2
        if first.platform_message_id or second.platform_message_id:
            assert first.platform_message_id != second.platform_message_id, "two messages share one platform id"

    async def test_a_throttled_send_is_to_be_tried_later(self, adapter: Adapter, harness: Harness) -> None:
        if not capabilities(adapter, harness).sends:
            return
        message = await text_answer(adapter, harness, "稍等")
        harness.throttle()
        with pytest.raises(RetryLater) as caught:
            await adapter.send(message)
        check_reason(caught.value)
        assert caught.value.after > 0
        assert count(await harness.received(), "稍等") == 0
        await adapter.send(message)
        assert count(await harness.received(), "稍等") == 1

    async def test_a_refused_send_is_rejected_with_its_code(self, adapter: Adapter, harness: Harness) -> None:
        if not capabilities(adapter, harness).sends:
            return
        message = await text_answer(adapter, harness, "被拒绝的消息")
        code = harness.refuse()
        error = await refused(adapter, harness, message, "a send that the platform refuses")
        assert error.code == code

    @pytest.mark.parametrize("fault", get_args(SendFault))
    async def test_a_lost_answer_is_uncertain_or_harmless_to_repeat(
        self, adapter: Adapter, harness: Harness, fault: SendFault
    ) -> None:
        stated = capabilities(adapter, harness)
        if not stated.sends:
            return
        message = await text_answer(adapter, harness, "只发一次")
        harness.lose_answer(fault)
        try:
            await adapter.send(message)
        except Uncertain as error:
            check_reason(error)
        except RetryLater as error:
            check_reason(error)
            if not stated.deduplicates_sends:
                assert fault == "server_error", (
                    f"after {fault} nobody knows, but the adapter claims that nothing was sent"
                )
                assert count(await harness.received(), "只发一次") == 0
        except Rejected as error:
            pytest.fail(f"after {fault} nobody knows, but the adapter says {error!r}")
        else:
            assert stated.deduplicates_sends, f"after {fault} nobody knows, but the adapter claims success"
        assert count(await harness.received(), "只发一次") <= 1, f"{fault}: the customer got it twice"
        if stated.deduplicates_sends:
            await repeat_until_accepted(adapter, message)
            assert count(await harness.received(), "只发一次") == 1, f"{fault}: repeating sent it again, or never"

    async def test_a_platform_that_deduplicates_is_told_our_key(self, adapter: Adapter, harness: Harness) -> None:
        stated = capabilities(adapter, harness)
        if not (stated.sends and stated.deduplicates_sends):
            return
        message = await text_answer(adapter, harness, "同一条")
        await adapter.send(message)
        await repeat_until_accepted(adapter, message)
        assert count(await harness.received(), "同一条") == 1

    async def test_a_platform_that_cannot_be_reached_is_tried_later(
        self, unreachable: Adapter, adapter: Adapter, harness: Harness
    ) -> None:
        if not capabilities(adapter, harness).sends:
            return
        message = await text_answer(adapter, harness, "连不上")
        with pytest.raises(RetryLater) as caught:
            await unreachable.send(message)
        check_reason(caught.value)

    async def test_a_recalled_message_is_gone(self, adapter: Adapter, harness: Harness) -> None:
        if not isinstance(adapter, Recalls):
            assert capabilities(adapter, harness).recall_within is None, "recall is stated, but not implemented"
            return
        message = await text_answer(adapter, harness, "发错了")
        receipt = await adapter.send(message)
        await adapter.recall(message.account_id, message.contact_id, receipt.platform_message_id, message.window_key)
        assert count(await harness.received(), "发错了") == 0

    async def test_a_recall_that_comes_too_late_is_rejected(self, adapter: Adapter, harness: Harness) -> None:
        within = capabilities(adapter, harness).recall_within
        if not isinstance(adapter, Recalls) or within is None:
            return
        message = await text_answer(adapter, harness, "来不及撤回")
        receipt = await adapter.send(message)
        harness.advance(within * 1.5)
        with pytest.raises(Rejected) as caught:
            await adapter.recall(
                message.account_id, message.contact_id, receipt.platform_message_id, message.window_key
            )
        check_reason(caught.value)
        assert count(await harness.received(), "来不及撤回") == 1


async def repeat_until_accepted(adapter: Adapter, message: OutgoingMessage) -> None:
    """What the service does with a send of unknown outcome when the platform deduplicates. A refusal as a duplicate counts as
    an answer, since the first one arrived."""
    for _ in range(MOST_REPETITIONS):
        try:
            await adapter.send(message)
        except (RetryLater, Uncertain):
            continue
        return
    pytest.fail("repeating the send never got an answer")
