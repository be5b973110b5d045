"""Authorisations: granted, refreshed, renewed five times, withdrawn; by several processes at once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from adapters.douyin.adapter import DouyinAdapter
from scrm.channel import Kind, OutgoingMessage, TokenState
from scrm.errors import Rejected, RetryLater
from scrm.testing import MemoryCache
from simulator.faults import Fault
from tests.adapters.douyin.harness import ACCOUNT, CLIENT_KEY, CUSTOMER, DouyinHarness

DAY = timedelta(days=1)


async def state_of(adapter: DouyinAdapter) -> TokenState:
    ((open_id, state),) = await adapter.renew()
    assert open_id == ACCOUNT
    return state


async def send_something(adapter: DouyinAdapter, harness: DouyinHarness) -> None:
    event = await harness.customer_writes(adapter, "你好")
    assert event.window is not None
    await adapter.send(OutgoingMessage(ACCOUNT, CUSTOMER, Kind.TEXT, "您好", "0" * 32, window_key=event.window.key))


def grant_of(harness: DouyinHarness) -> tuple[str, str, int]:
    (grant,) = harness.simulator.world.grants
    return grant.access_token, grant.refresh_token, grant.renewals


async def test_a_person_authorises_in_the_browser(harness: DouyinHarness) -> None:
    adapter = harness.build()
    url = adapter.authorise_url("http://scrm.example.com/oauth?x=1", "state-1")
    async with aiohttp.ClientSession() as browser:
        async with browser.get(url) as page:
            assert page.status == 200
            assert "青禾家居旗舰店" in await page.text()
        async with browser.post(url, data={"open_id": ACCOUNT}, allow_redirects=False) as redirect:
            assert redirect.status == 302
            target = urlsplit(redirect.headers["Location"])
    query = parse_qs(target.query)
    assert (target.netloc, query["x"], query["state"]) == ("scrm.example.com", ["1"], ["state-1"])
    account = await adapter.authorised(query["code"][0])
    assert (account.channel, account.external_id, account.name) == ("douyin", ACCOUNT, "青禾家居旗舰店")
    assert await adapter.accounts() == [account]


async def test_a_code_works_once(harness: DouyinHarness) -> None:
    adapter = harness.build()
    code = harness.simulator.control.scan(ACCOUNT, CLIENT_KEY)["code"]
    await adapter.authorised(code)
    with pytest.raises(Rejected) as caught:
        await adapter.authorised(code)
    assert caught.value.code == "douyin.10007"


async def test_an_authorisation_counts_although_the_profile_cannot_be_read(harness: DouyinHarness) -> None:
    adapter = harness.build()
    harness.simulator.faults.add(Fault("status", "/oauth/userinfo/"))
    account = await adapter.authorised(harness.simulator.control.scan(ACCOUNT, CLIENT_KEY)["code"])
    assert (account.external_id, account.name) == (ACCOUNT, "")


async def test_a_wrong_secret_is_for_the_administrator(harness: DouyinHarness) -> None:
    adapter = harness.build()
    code = harness.simulator.control.scan(ACCOUNT, CLIENT_KEY)["code"]
    harness.simulator.control.change_app(CLIENT_KEY, {"client_secret": "another"})
    with pytest.raises(Rejected) as caught:
        await adapter.authorised(code)
    assert (caught.value.code, caught.value.needs_admin) == ("douyin.10013", True)


async def test_an_account_that_nobody_authorised_cannot_send(harness: DouyinHarness) -> None:
    with pytest.raises(Rejected) as caught:
        await harness.build().send(
            OutgoingMessage(
                ACCOUNT, CUSTOMER, Kind.TEXT, "x", "0" * 32, window_key={"msg_id": "1", "conversation_id": "2"}
            )
        )
    assert (caught.value.code, caught.value.needs_admin) == ("douyin.not_authorised", True)


async def test_an_expired_access_token_is_refreshed_by_the_send_that_needs_it(
    adapter: DouyinAdapter, harness: DouyinHarness
) -> None:
    before, *_ = grant_of(harness)
    harness.advance(16 * DAY)
    await send_something(adapter, harness)
    assert grant_of(harness)[0] != before


async def test_a_token_refused_early_is_refreshed_and_the_send_repeated_once(
    adapter: DouyinAdapter, harness: DouyinHarness
) -> None:
    await send_something(adapter, harness)
    refusal = harness.simulator.faults.add(Fault("refuse", "/im/send/msg/", code=28001008))
    refreshes = harness.simulator.faults.add(Fault("delay", "/oauth/refresh_token/", seconds=0, times=None))
    await send_something(adapter, harness)
    assert (refusal.hits, refreshes.hits) == (1, 1)
    assert len(await harness.received()) == 2


async def test_a_withdrawn_authorisation_needs_a_person(adapter: DouyinAdapter, harness: DouyinHarness) -> None:
    event = await harness.customer_writes(adapter, "你好")
    assert event.window is not None
    message = OutgoingMessage(ACCOUNT, CUSTOMER, Kind.TEXT, "您好", "0" * 32, window_key=event.window.key)
    harness.simulator.control.withdraw(ACCOUNT, CLIENT_KEY)
    for code in ("douyin.10010", "douyin.not_authorised"):
        with pytest.raises(Rejected) as caught:
            await adapter.send(message)
        assert (caught.value.code, caught.value.needs_admin) == (code, True)
    state = await state_of(adapter)
    assert state.attention is not None
    assert state.needs_person_by is not None
    assert state.needs_person_by <= harness.simulator.clock.now()


async def test_authorising_again_mends_everything(adapter: DouyinAdapter, harness: DouyinHarness) -> None:
    event = await harness.customer_writes(adapter, "你好")
    assert event.window is not None
    message = OutgoingMessage(ACCOUNT, CUSTOMER, Kind.TEXT, "您好", "0" * 32, window_key=event.window.key)
    await adapter.send(message)
    harness.simulator.control.withdraw(ACCOUNT, CLIENT_KEY)
    with pytest.raises(Rejected):
        await adapter.send(message)
    await adapter.authorised(harness.simulator.control.scan(ACCOUNT, CLIENT_KEY)["code"])
    await send_something(adapter, harness)
    assert (await state_of(adapter)).attention is None


async def test_unattended_it_lives_through_five_renewals_and_warns_before_the_end(
    adapter: DouyinAdapter, harness: DouyinHarness
) -> None:
    first = await state_of(adapter)
    assert (first.attention, first.renewals_left) == (None, 5)
    assert first.needs_person_by is not None
    lived, warned = 0, 0
    while True:
        harness.advance(DAY)
        state = await state_of(adapter)
        if state.valid_until is None or state.valid_until <= harness.simulator.clock.now():
            break
        await send_something(adapter, harness)
        lived += 1
        warned += state.attention is not None
        assert lived < 400
    assert grant_of(harness)[2] == 5
    assert 160 <= lived <= 195
    assert 14 <= warned <= 28, "a person is warned at least two weeks before, and not for months"
    assert state.attention is not None
    assert state.renewals_left == 0
    promised = (first.needs_person_by - harness.simulator.clock.now()) / DAY
    assert abs(promised) <= 16


async def test_an_app_without_the_right_to_renew_is_told_in_time(
    adapter: DouyinAdapter, harness: DouyinHarness
) -> None:
    harness.simulator.control.change_app(CLIENT_KEY, {"may_renew": False})
    harness.advance(28 * DAY)
    assert (await state_of(adapter)).renewals_left == 0
    harness.advance(3 * DAY)
    state = await state_of(adapter)
    assert state.attention is not None
    assert state.needs_person_by is not None
    assert state.needs_person_by > harness.simulator.clock.now()


async def test_a_platform_that_is_down_costs_nothing(adapter: DouyinAdapter, harness: DouyinHarness) -> None:
    harness.advance(28 * DAY)
    fault = harness.simulator.faults.add(Fault("status", "/oauth/*", times=None))
    await state_of(adapter)
    assert fault.hits > 0
    assert grant_of(harness)[2] == 0
    harness.simulator.faults.clear()
    assert (await state_of(adapter)).renewals_left == 4
    await send_something(adapter, harness)


async def test_a_renewal_whose_answer_is_lost_leaves_time_to_scan(
    adapter: DouyinAdapter, harness: DouyinHarness
) -> None:
    """The new refresh token is lost with the answer; the access token still works, and a person is asked."""
    harness.advance(27 * DAY + timedelta(hours=1))
    harness.simulator.faults.add(Fault("refuse", "/oauth/renew_refresh_token/", code=2100004))
    await state_of(adapter)
    harness.simulator.faults.add(Fault("drop_after", "/oauth/renew_refresh_token/"))
    await state_of(adapter)
    state = await state_of(adapter)
    assert state.attention is not None
    assert state.needs_person_by is not None
    assert state.needs_person_by - harness.simulator.clock.now() > 14 * DAY
    await send_something(adapter, harness)


@pytest.fixture
def processes(adapter: DouyinAdapter, harness: DouyinHarness) -> list[DouyinAdapter]:
    """Four processes of one connection: they share the cache and the durable state."""
    return [adapter, *(harness.build() for _ in range(3))]


async def test_processes_share_one_flight_when_tokens_run_out(
    processes: list[DouyinAdapter], harness: DouyinHarness
) -> None:
    harness.advance(28 * DAY)
    refreshes = harness.simulator.faults.add(Fault("delay", "/oauth/refresh_token/", seconds=0.05, times=None))
    renewals = harness.simulator.faults.add(Fault("delay", "/oauth/renew_refresh_token/", seconds=0.05, times=None))
    states = await asyncio.gather(*(process.renew() for process in processes))
    assert (renewals.hits, refreshes.hits) == (1, 1)
    assert {state.renewals_left for round_ in states for _, state in round_} == {4}
    assert grant_of(harness)[2] == 1


async def test_processes_share_one_flight_when_a_token_is_refused(
    processes: list[DouyinAdapter], harness: DouyinHarness
) -> None:
    await send_something(processes[0], harness)
    harness.advance(16 * DAY)
    event = await harness.customer_writes(processes[0], "在吗")
    assert event.window is not None
    message = OutgoingMessage(ACCOUNT, CUSTOMER, Kind.TEXT, "在", "0" * 32, window_key=event.window.key)
    refreshes = harness.simulator.faults.add(Fault("delay", "/oauth/refresh_token/", seconds=0.05, times=None))
    await asyncio.gather(*(process.send(message) for process in processes))
    assert refreshes.hits == 1


async def test_a_process_whose_cache_was_lost_finds_the_tokens_in_the_state(
    adapter: DouyinAdapter, harness: DouyinHarness
) -> None:
    refreshes = harness.simulator.faults.add(Fault("delay", "/oauth/refresh_token/", seconds=0, times=None))
    await send_something(harness.build(cache=MemoryCache(harness.simulator.clock)), harness)
    assert refreshes.hits == 0


async def test_a_dead_app_token_is_fetched_again(adapter: DouyinAdapter, harness: DouyinHarness) -> None:
    event = await harness.customer_writes(adapter, "图呢")
    assert event.window is not None
    for number in range(2):
        media = harness.sample(Kind.IMAGE).media
        assert media is not None
        await adapter.send(
            OutgoingMessage(
                ACCOUNT, CUSTOMER, Kind.IMAGE, "", f"{number}" * 32, media=media, window_key=event.window.key
            )
        )
        harness.simulator.world.client_tokens.clear()
        harness.simulator.world.pictures.clear()
    assert len(await harness.received()) == 2


async def test_tokens_of_an_unreachable_platform_are_asked_later(harness: DouyinHarness) -> None:
    with pytest.raises(RetryLater):
        await harness.build("http://127.0.0.1:9").authorised("code")
