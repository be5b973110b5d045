"""Tokens and authorisation: lives, five renewals, grace, what ``scope`` hides. Checklist items 6 and 7."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.simulator.douyin.client import DEER, KEY, SECRET, SHOP, Client, Hook, code, text

DAY = timedelta(days=1)


async def exchange(client: Client, authorisation: str, **changes: str) -> Any:
    body = {"client_key": KEY, "client_secret": SECRET, "code": authorisation, "grant_type": "authorization_code"}
    return await client.post("/oauth/access_token/", {**body, **changes}, form=True)


async def refresh(client: Client, token: str) -> Any:
    body = {"client_key": KEY, "grant_type": "refresh_token", "refresh_token": token}
    return await client.post("/oauth/refresh_token/", body, form=True)


async def renew(client: Client, token: str) -> Any:
    return await client.post("/oauth/renew_refresh_token/", {"client_key": KEY, "refresh_token": token}, form=True)


@pytest.mark.parametrize("form", [True, False])
async def test_a_code_becomes_tokens_in_either_body(client: Client, form: bool) -> None:
    authorisation = client.control.scan(SHOP, KEY)["code"]
    body = {"client_key": KEY, "client_secret": SECRET, "code": authorisation, "grant_type": "authorization_code"}
    data = (await client.post("/oauth/access_token/", body, form=form))["data"]
    assert data["access_token"].startswith("act.")
    assert data["refresh_token"].startswith("rft.")
    assert abs(data["expires_in"] - 15 * 86400) <= 2
    assert abs(data["refresh_expires_in"] - 30 * 86400) <= 2
    assert data["open_id"] == SHOP
    assert "user_info" in data["scope"].split(",")
    assert "im." not in data["scope"]
    assert ".bind" not in data["scope"]


async def test_wrong_codes_and_credentials(client: Client) -> None:
    client.control.add_app("awother", "other-secret")
    authorisation = client.control.scan(SHOP, KEY)["code"]
    assert code(await exchange(client, "nonsense")) == 10007
    assert code(await exchange(client, authorisation, client_secret="wrong")) == 10013
    assert code(await exchange(client, authorisation, client_key="unknown")) == 10003
    assert code(await exchange(client, authorisation, client_key="awother", client_secret="other-secret")) == 10014
    assert code(await exchange(client, authorisation, grant_type="x")) == 10002
    assert code(await exchange(client, "")) == 10005
    assert code(await exchange(client, authorisation)) == 0
    assert code(await exchange(client, authorisation)) == 10007


async def test_a_new_code_kills_the_old_one_and_codes_are_short_lived(client: Client) -> None:
    first = client.control.scan(SHOP, KEY)["code"]
    second = client.control.scan(SHOP, KEY)["code"]
    assert code(await exchange(client, first)) == 10007
    client.simulator.clock.advance(600)
    assert code(await exchange(client, second)) == 10007


async def test_refreshing_keeps_a_living_token_and_replaces_a_dead_one(client: Client) -> None:
    grant = client.control.authorise(SHOP, KEY)
    before = grant.access_token
    client.simulator.clock.advance(10 * DAY)
    data = (await refresh(client, grant.refresh_token))["data"]
    assert data["access_token"] == before
    assert abs(data["expires_in"] - 15 * 86400) <= 2
    assert abs(data["refresh_expires_in"] - 20 * 86400) <= 2
    client.simulator.clock.advance(16 * DAY)
    userinfo = {"access_token": before, "open_id": SHOP}
    assert code(await client.post("/oauth/userinfo/", userinfo, form=True)) == 10008
    assert (await refresh(client, grant.refresh_token))["data"]["access_token"] != before
    client.simulator.clock.advance(5 * DAY)
    assert code(await refresh(client, grant.refresh_token)) == 10010


async def test_five_renewals_and_no_more(client: Client) -> None:
    token = client.control.authorise(SHOP, KEY).refresh_token
    for _ in range(5):
        client.simulator.clock.advance(29 * DAY)
        answer = await renew(client, token)
        assert code(answer) == 0
        assert answer["data"]["expires_in"] == 30 * 86400
        assert code(await renew(client, token)) == 10010, "the old one is dead at once"
        token = answer["data"]["refresh_token"]
    assert code(await renew(client, token)) == 10020
    assert code(await refresh(client, token)) == 0
    client.simulator.clock.advance(31 * DAY)
    assert code(await renew(client, token)) == 10010


async def test_renewing_is_a_permission_of_the_app(client: Client) -> None:
    grant = client.control.authorise(SHOP, KEY)
    client.control.change_app(KEY, {"may_renew": False})
    assert code(await renew(client, grant.refresh_token)) == 10004


async def test_the_app_token_has_a_grace(client: Client) -> None:
    first = await client.client_token()
    assert code(await client.get("/event/status/list/", first)) == 0
    second = await client.client_token()
    assert code(await client.get("/event/status/list/", first)) == 0
    client.simulator.clock.advance(301)
    assert code(await client.get("/event/status/list/", first)) == 28001008
    assert code(await client.get("/event/status/list/", second)) == 0
    await client.client_token()
    await client.client_token()
    assert code(await client.get("/event/status/list/", second)) == 28001003
    client.control.change_settings({"client_tokens_per_grace": 3})
    body = {"client_key": KEY, "client_secret": SECRET, "grant_type": "client_credential"}
    assert [code(await client.post("/oauth/client_token/", body)) for _ in range(2)] == [0, 10020]


async def test_tokens_are_checked_on_every_call(client: Client) -> None:
    asked = await client.wrote()
    body = {
        "to_user_id": DEER,
        "msg_id": asked["server_message_id"],
        "conversation_id": asked["conversation_short_id"],
        "content": text("好"),
    }
    assert code(await client.post("/im/send/msg/", body, "act.none", open_id=SHOP)) == 28001003
    assert code(await client.post("/im/send/msg/", body, client.token(), open_id="other")) == 28001015
    client.simulator.clock.advance(15 * DAY)
    assert code(await client.post("/im/send/msg/", body, client.token(), open_id=SHOP)) == 28001008


async def test_a_grant_and_its_withdrawal_are_reported(client: Client, hook: Hook) -> None:
    client.control.authorise(SHOP, KEY)
    token = client.token()
    client.control.withdraw(SHOP, KEY)
    await client.control.settle()
    names = [event["event"] for event in hook.events()]
    assert sorted(names) == ["authorize", "contract_authorize", "contract_unauthorize", "unauthorize"]
    for event in hook.events():
        assert event["from_user_id"] == SHOP
        scopes = event["content"]["scopes"]
        contract = event["event"].startswith("contract_")
        assert all((scope.startswith("im.") or scope.endswith(".bind")) is contract for scope in scopes)
    assert code(await client.post("/im/send/msg/", {}, token, open_id=SHOP)) == 28001003


async def test_an_account_gives_its_messages_to_one_app_only(client: Client) -> None:
    client.control.add_app("awother", "other-secret")
    with pytest.raises(ValueError, match="another application"):
        client.control.scan(SHOP, "awother")
    assert client.control.scan(SHOP, "awother", "user_info")["code"]
    client.control.withdraw(SHOP, KEY)
    assert client.control.scan(SHOP, "awother")["code"]


async def page(client: Client, method: str = "GET", data: Any = None, **query: str) -> tuple[int, str, str]:
    asked = {
        "client_key": KEY,
        "response_type": "code",
        "scope": "user_info",
        "redirect_uri": "https://scrm.example.com/back",
        "state": "s",
        **query,
    }
    url = f"{client.simulator.base_url}/platform/oauth/connect/"
    async with client.http.request(method, url, params=asked, data=data, allow_redirects=False) as response:
        return response.status, await response.text(), response.headers.get("Location", "")


async def test_the_page_offers_the_accounts_and_sends_back(client: Client) -> None:
    client.control.add_account('evil"><script>', "<script>alert(1)</script>")
    status, html, _ = await page(client)
    assert status == 200
    assert "青禾家居" in html
    assert "<script>" not in html
    status, _, location = await page(client, "POST", {"open_id": SHOP})
    assert status == 302
    assert location.startswith("https://scrm.example.com/back?code=")
    assert location.endswith("state=s")


async def test_the_page_refuses_what_is_asked_wrongly(client: Client) -> None:
    client.control.change_app(KEY, {"redirect_uris": ["https://scrm.example.com/back"]})
    assert (await page(client, redirect_uri="https://scrm.example.com/back#part"))[0] == 200
    assert "10006" in (await page(client, redirect_uri="https://evil.example.com/"))[1]
    assert "10006" in (await page(client, redirect_uri="javascript:alert(1)"))[1]
    assert "10003" in (await page(client, client_key="unknown"))[1]
    assert "10002" in (await page(client, response_type="token"))[1]
    assert (await page(client, "POST", {"open_id": "nobody"}))[0] == 400


async def test_the_page_can_agree_by_itself(client: Client) -> None:
    client.control.change_settings({"auto_authorise": SHOP})
    status, _, location = await page(client)
    assert status == 302
    authorisation = location.split("code=")[1].split("&")[0]
    assert code(await exchange(client, authorisation)) == 0
