"""Whatever a client sends, the platform answers with an errcode and never with a stack trace."""

from __future__ import annotations

import pytest

from .conftest import CORP, Shop

NASTY: list[object] = [
    None,
    "",
    "x",
    "中" * 3000,
    0,
    -1,
    2**70,
    1.5,
    True,
    [],
    [None],
    ["x"],
    [1],
    {},
    {"a": 1},
    [[[]]],
    "\x00",
]
FIELDS = [
    "open_kfid touser external_userid msgid msgtype text link msgmenu location code cursor token limit voice_format offset",
    "service_state servicer_userid userid_list department_id_list external_userid_list need_enter_session_context name",
    "media_id scene chat_id need_name tag_id group_id owner_filter status_filter agentid toparty totag",
    "enable_duplicate_check duplicate_check_interval image ca_link miniprogram news markdown",
]


@pytest.mark.parametrize("nasty", NASTY, ids=lambda value: type(value).__name__ + repr(value)[:8])
async def test_nasty_values_in_every_field_of_every_call(shop: Shop, nasty: object) -> None:
    good = {"open_kfid": shop.kf, "touser": shop.customer, "external_userid": shop.customer, "agentid": 1000002}
    good |= {"limit": 10, "msgtype": "text", "text": {"content": "x"}, "userid_list": ["lisi"], "name": "好"}
    token = {"access_token": await shop.token()}
    paths = [path for path, endpoint in shop.simulator.endpoints.items() if endpoint.method != "GET"]
    types = ("link", "msgmenu", "location", "image", "miniprogram", "ca_link", "news", "markdown")
    for path in paths:
        for field in " ".join(FIELDS).split():
            shop.play.create_kf_account(CORP, "售前", open_kfid=shop.kf)  # deleting it is one of the calls
            shop.play.customers_say(shop.kf, [[shop.customer, "在吗"]])
            body = {**good, "msgtype": field if field in types else "text", field: nasty}
            async with shop.http.post(f"{shop.base}/{path}", params=token, json=body) as response:
                assert response.status == 200, (path, field, nasty)
                assert isinstance((await response.json())["errcode"], int)


async def test_nasty_queries(shop: Shop) -> None:
    token = await shop.token()
    paths = [path for path, endpoint in shop.simulator.endpoints.items() if endpoint.method != "POST"]
    for path in ["gettoken", *paths]:
        for nasty in ("", "x", "中" * 50, "-1", "１", "9" * 30, "\x00", "a|b"):
            names = (
                "id",
                "department_id",
                "userid",
                "external_userid",
                "open_kfid",
                "media_id",
                "corpid",
                "corpsecret",
            )
            query = {"access_token": token, **dict.fromkeys(names, nasty)}
            async with shop.http.get(f"{shop.base}/{path}", params=query) as response:
                assert response.status == 200, (path, nasty)
                assert isinstance((await response.json())["errcode"], int)


@pytest.mark.parametrize("token", ["\x00", "中", "x" * 600, "a b"])
async def test_nasty_tokens(shop: Shop, token: str) -> None:
    async with shop.http.get(f"{shop.base}/getcallbackip", params={"access_token": token}) as response:
        assert (await response.json())["errcode"] == 40014
