"""Conformance of the optional abilities, each looked for with ``isinstance`` as the service does."""

from __future__ import annotations

import pytest

from scrm.channel import (
    Adapter,
    Authorises,
    FetchesMedia,
    Kind,
    KnowsAccounts,
    KnowsContacts,
    MessageReceived,
    Page,
    Pulls,
    Raw,
    SignsPeopleIn,
)
from scrm.errors import Rejected
from scrm.testing.harness import GOLDEN_TIME, Harness
from scrm.testing.send_checks import check_reason
from scrm.testing.webhook_checks import understood

FILE_KINDS = (Kind.IMAGE, Kind.VOICE, Kind.VIDEO, Kind.FILE)
FILE_CONTENT = bytes(range(256)) * 2048
MOST_PAGES = 1000


async def fetched(adapter: FetchesMedia, event: MessageReceived) -> bytes:
    assert event.media, f"a {event.kind} of a customer has no media"
    return b"".join([chunk async for chunk in adapter.fetch(event.media[0].handle)])


async def pulled(adapter: Pulls, stream: str, cursor: str = "") -> tuple[list[tuple[str, bytes]], str]:
    """All items after ``cursor`` with their dedupe keys, and the cursor behind them."""
    items: list[tuple[str, bytes]] = []
    for _ in range(MOST_PAGES):
        page = await adapter.pull(stream, cursor, "")
        assert isinstance(page, Page)
        items += [(item.dedupe_key, item.body) for item in page.items]
        moved, cursor = page.cursor != cursor, page.cursor
        if not page.has_more:
            return items, cursor
        assert moved, "has_more without progress of the cursor would never end"
    pytest.fail("the stream never ends")


class AbilityChecks:
    async def test_a_customers_file_is_fetched_unchanged(self, adapter: Adapter, harness: Harness) -> None:
        if not isinstance(adapter, FetchesMedia):
            return
        for kind in FILE_KINDS:
            event = await harness.customer_sends_file(adapter, kind, FILE_CONTENT)
            if event is not None:
                assert event.kind is kind
                # Compared outside the assertion: where pytest shows differences in full (on CI), it would take these half
                # million octets apart for hours.
                unchanged = await fetched(adapter, event) == FILE_CONTENT
                assert unchanged, f"the bytes of a {kind} were changed"

    async def test_a_file_that_is_gone_is_rejected(self, adapter: Adapter, harness: Harness) -> None:
        if not isinstance(adapter, FetchesMedia):
            return
        for kind in FILE_KINDS:
            event = await harness.customer_sends_file(adapter, kind, FILE_CONTENT)
            if event is None:
                continue
            harness.forget_files()
            with pytest.raises(Rejected) as caught:
                await fetched(adapter, event)
            check_reason(caught.value)

    async def test_a_pull_brings_everything_once_and_moves_its_cursor(self, adapter: Adapter, harness: Harness) -> None:
        if not isinstance(adapter, Pulls):
            return
        await harness.customer_writes(adapter, "第一条")
        cursors: dict[str, str] = {}
        found: list[tuple[str, str, bytes]] = []
        for stream in await adapter.streams():
            items, cursors[stream] = await pulled(adapter, stream)
            found += [(stream, key, body) for key, body in items]
        assert "第一条" in texts(adapter, found), "a pull from the beginning misses a message"
        for stream, cursor in cursors.items():
            assert (await pulled(adapter, stream, cursor))[0] == [], "a pull from the last cursor brings old items"
        await harness.customer_writes(adapter, "第二条")
        fresh: list[tuple[str, str, bytes]] = []
        for stream, cursor in cursors.items():
            fresh += [(stream, key, body) for key, body in (await pulled(adapter, stream, cursor))[0]]
        assert texts(adapter, fresh).count("第二条") == 1
        assert "第一条" not in texts(adapter, fresh)
        keys = [(stream, key) for stream, key, _ in found + fresh]
        assert len(keys) == len(set(keys)), "two items share a dedupe key: one of them would be lost"

    async def test_profiles_of_known_contacts_are_told(self, adapter: Adapter, harness: Harness) -> None:
        if not isinstance(adapter, KnowsContacts):
            return
        assert adapter.profile_batch > 0
        event = await harness.customer_writes(adapter, "你好")
        known = event.contact.external_id
        profiles = await adapter.profiles([known, "nobody-of-this-name"])
        assert [profile.external_id for profile in profiles] == [known], "unknown contacts are to be left out"
        assert profiles[0].name or profiles[0].union_id, "the profile tells neither a name nor who it is elsewhere"

    async def test_the_account_is_known(self, adapter: Adapter, harness: Harness) -> None:
        if not isinstance(adapter, KnowsAccounts):
            return
        event = await harness.customer_writes(adapter, "你好")
        assert event.account.external_id in [account.external_id for account in await adapter.accounts()]

    async def test_authorisation_carries_our_state_and_reports_its_life(
        self, adapter: Adapter, harness: Harness
    ) -> None:
        if not isinstance(adapter, Authorises):
            return
        url = adapter.authorise_url("https://scrm.example.com/oauth", "s-12345")
        assert url.startswith(("http://", "https://"))
        assert "s-12345" in url, "the state must come back with the code"
        event = await harness.customer_writes(adapter, "你好")
        states = dict(await adapter.renew())
        assert event.account.external_id in states, "the life of the account's authorisation is not reported"

    async def test_a_wrong_authorisation_code_is_rejected(self, adapter: Adapter) -> None:
        if not isinstance(adapter, Authorises):
            return
        with pytest.raises(Rejected) as caught:
            await adapter.authorised("no-such-code")
        check_reason(caught.value)

    async def test_the_way_to_sign_in_carries_our_state_and_address(self, adapter: Adapter) -> None:
        if not isinstance(adapter, SignsPeopleIn) or not adapter.signs_in:
            return
        url = adapter.sign_in_address("https://scrm.example.com/oauth/sign-in", "s12345")
        assert url.startswith(("http://", "https://"))
        assert "s12345" in url, "the state must come back with the code"
        assert "scrm.example.com" in url, "the browser must come back to us"
        once = adapter.person_id("LiTing")
        assert adapter.person_id(once) == once, "an id that is written in its one way stays as it is"

    async def test_a_wrong_sign_in_code_is_rejected(self, adapter: Adapter) -> None:
        if not isinstance(adapter, SignsPeopleIn) or not adapter.signs_in:
            return
        for code in ("no-such-code", "", "x" * 5000):
            with pytest.raises(Rejected) as caught:
                await adapter.identify(code)
            check_reason(caught.value)


def texts(adapter: Adapter, items: list[tuple[str, str, bytes]]) -> list[str]:
    events = [event for stream, _, body in items for event in understood(adapter, Raw(stream, body, GOLDEN_TIME))]
    return [event.text for event in events if isinstance(event, MessageReceived)]
