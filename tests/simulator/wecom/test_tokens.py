"""gettoken, and what happens to calls without a good token (chapter 3.1)."""

from __future__ import annotations

import re

import aiohttp
import pytest

from simulator.wecom.settings import Settings

from .conftest import CORP, SECRET, Shop


async def gettoken(shop: Shop, **query: str) -> dict[str, object]:
    async with shop.http.get(f"{shop.base}/gettoken", params=query) as response:
        return dict(await response.json())


async def call_with(shop: Shop, token: str) -> int:
    async with shop.http.get(f"{shop.base}/getcallbackip", params={"access_token": token}) as response:
        return int((await response.json())["errcode"])


@pytest.mark.parametrize(
    ("query", "errcode"),
    [
        ({}, 41002),
        ({"corpid": CORP}, 41004),
        ({"corpid": "ww0", "corpsecret": SECRET}, 40013),
        ({"corpid": CORP, "corpsecret": "wrong"}, 40001),
    ],
)
async def test_wrong_credentials_are_refused(shop: Shop, query: dict[str, str], errcode: int) -> None:
    assert (await gettoken(shop, **query))["errcode"] == errcode


async def test_the_token_stays_the_same_inside_its_life_and_is_new_after_it(shop: Shop) -> None:
    first = await gettoken(shop, corpid=CORP, corpsecret=SECRET)
    assert first["expires_in"] == 7200
    assert len(str(first["access_token"])) <= 512
    shop.play.advance_clock(7000)
    again = await gettoken(shop, corpid=CORP, corpsecret=SECRET)
    assert again["access_token"] == first["access_token"]
    assert 190 <= int(str(again["expires_in"])) <= 200
    shop.play.advance_clock(300)
    assert await call_with(shop, str(first["access_token"])) == 42001
    assert (await gettoken(shop, corpid=CORP, corpsecret=SECRET))["access_token"] != first["access_token"]


async def test_two_apps_of_a_corp_have_their_own_tokens(shop: Shop) -> None:
    shop.play.create_app(CORP, "other-secret", agent_id=1000003)
    other = await gettoken(shop, corpid=CORP, corpsecret="other-secret")
    assert other["access_token"] != await shop.token()


@pytest.mark.parametrize("errcode", [40014, 42001])
async def test_the_platform_may_drop_a_token_early(shop: Shop, errcode: int) -> None:
    token = await shop.token()
    assert shop.play.invalidate_token(CORP, errcode=errcode) == 1
    assert await call_with(shop, token) == errcode
    fresh = await shop.token()
    assert fresh != token
    assert await call_with(shop, fresh) == 0


async def test_no_token_and_a_made_up_token(shop: Shop) -> None:
    assert await call_with(shop, "") == 41001
    assert await call_with(shop, "made-up") == 40014


async def test_many_wrong_secrets_block_the_address_for_an_hour(shop: Shop, settings: Settings) -> None:
    for _ in range(settings.wrong_secrets_per_hour):
        await gettoken(shop, corpid=CORP, corpsecret="wrong")
    assert (await gettoken(shop, corpid=CORP, corpsecret=SECRET))["errcode"] == 45009
    shop.play.advance_clock(3601)
    assert (await gettoken(shop, corpid=CORP, corpsecret=SECRET))["errcode"] == 0


async def test_untrusted_addresses_and_missing_rights(shop: Shop) -> None:
    shop.play.set_app_rights(CORP, trusted_ips=["203.0.113.7"])
    assert (await shop.get("getcallbackip"))["errcode"] == 60020
    shop.play.set_app_rights(CORP, kf=False, contacts=False)
    assert (await shop.post("kf/account/list", {}))["errcode"] == 48002
    assert (await shop.get("externalcontact/get_follow_user_list"))["errcode"] == 48002
    assert (await shop.get("getcallbackip"))["errcode"] == 0


async def test_each_api_has_its_own_counter_until_the_window_is_over(shop: Shop, settings: Settings) -> None:
    token = await shop.token()
    shop.play.advance_clock(61 - shop.simulator.clock.now().timestamp() % 60)
    settings.api_per_minute = 3
    assert [await call_with(shop, token) for _ in range(4)] == [0, 0, 0, 45009]
    async with shop.http.get(f"{shop.base}/department/list", params={"access_token": token}) as response:
        assert (await response.json())["errcode"] == 0
    shop.play.advance_clock(60)
    assert await call_with(shop, token) == 0


async def test_the_hourly_limit_counts_too(shop: Shop, settings: Settings) -> None:
    token = await shop.token()
    shop.play.advance_clock(3601 - shop.simulator.clock.now().timestamp() % 3600)
    settings.api_per_hour = 2
    assert [await call_with(shop, token) for _ in range(3)] == [0, 0, 45009]
    shop.play.advance_clock(60)
    assert await call_with(shop, token) == 45009
    shop.play.forget_counters()
    assert await call_with(shop, token) == 0


async def test_unknown_paths_wrong_methods_and_broken_json(shop: Shop) -> None:
    token = {"access_token": await shop.token()}
    async with shop.http.get(f"{shop.base}/no/such/call", params=token) as response:
        assert (response.status, await response.read()) == (404, b"")
    assert (await shop.get("kf/sync_msg"))["errcode"] == 43002
    assert (await shop.post("user/get", {}))["errcode"] == 43001
    async with shop.http.post(f"{shop.base}/gettoken") as response:
        assert (await response.json())["errcode"] == 43001
    for broken in (b"{", b"[]", b"\xff\xfe"):
        async with shop.http.post(f"{shop.base}/kf/account/list", params=token, data=broken) as response:
            assert (await response.json())["errcode"] == 47001


async def test_errors_look_like_the_platforms(shop: Shop) -> None:
    answer = await gettoken(shop, corpid=CORP, corpsecret="wrong")
    form = (
        r"invalid credential, hint: \[\d+_\d+_[0-9a-f]{32}\], from ip: 127\.0\.0\.1, more info at https://\S+\?e=40001"
    )
    assert re.fullmatch(form, str(answer["errmsg"]))


async def test_the_content_type_is_json(shop: Shop) -> None:
    async with aiohttp.ClientSession() as http, http.get(f"{shop.base}/gettoken") as response:
        assert response.content_type == "application/json"
