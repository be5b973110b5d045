"""The simulated public platform is as strict as the real one: tokens, windows, mass messages, media, people."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.pictures import avatar_png, empty_mp4
from simulator.wechat_oa import OfficialAccountSimulator
from tests.simulator.wechat_oa.conftest import ACCOUNT, APP_ID, DEER, HAO, SECRET, Caller

MINUTE, HOUR, DAY = 60, 3600, 86400


# Tokens


async def test_the_stable_token_is_the_same_until_it_is_forced_or_ends(oa: Caller) -> None:
    first = await oa.token()
    assert await oa.token() == {**first, "expires_in": first["expires_in"]}
    forced = await oa.token(force_refresh=True)
    assert forced["access_token"] != first["access_token"]
    assert (await oa.token())["access_token"] == forced["access_token"]
    old = first["access_token"]
    assert (await oa.raw("GET", "tags/get", None, access_token=old)).get("errcode") is None, "no overlap"
    oa.control.advance_clock(5 * MINUTE + 1)
    assert (await oa.raw("GET", "tags/get", None, access_token=old))["errcode"] == 42001
    oa.control.advance_clock(2 * HOUR)
    assert (await oa.token())["access_token"] != forced["access_token"]


async def test_a_classic_token_replaces_the_one_before(oa: Caller) -> None:
    asked = {"grant_type": "client_credential", "appid": APP_ID, "secret": SECRET}
    first, second = [(await oa.raw("GET", "token", None, **asked))["access_token"] for _ in range(2)]
    oa.control.advance_clock(5 * MINUTE + 1)
    assert (await oa.raw("GET", "tags/get", None, access_token=first))["errcode"] == 42001
    assert "tags" in await oa.raw("GET", "tags/get", None, access_token=second)


async def test_forcing_has_its_limit(oa: Caller) -> None:
    answers = [await oa.token(force_refresh=True) for _ in range(21)]
    assert ["access_token" in one for one in answers] == [True] * 20 + [False]
    assert answers[-1]["errcode"] == 45009


@pytest.mark.parametrize(
    ("changes", "errcode"),
    [({"appid": "wx"}, 40013), ({"secret": "x"}, 40125), ({"appid": ""}, 41002), ({"secret": ""}, 41004), ({"grant_type": ""}, 40035)],
)  # fmt: skip
async def test_wrong_credentials_are_refused(oa: Caller, changes: dict[str, str], errcode: int) -> None:
    assert (await oa.token(**changes))["errcode"] == errcode


async def test_calls_need_a_token_the_right_method_and_json(oa: Caller) -> None:
    assert (await oa.raw("GET", "tags/get", None))["errcode"] == 41001
    assert (await oa.raw("GET", "tags/get", None, access_token="x"))["errcode"] == 40001
    assert (await oa.get("message/custom/send"))["errcode"] == 43002
    assert (await oa.post("user/get", {}))["errcode"] == 43001
    assert (await oa.post("message/custom/send", []))["errcode"] == 47001


async def test_an_account_may_be_called_from_listed_addresses_only(oa: Caller) -> None:
    oa.control.change_account(APP_ID, {"allowed_addresses": ["203.0.113.9"]})
    assert (await oa.token())["errcode"] == 40164


# Windows


async def test_a_message_allows_five_answers_within_48_hours(oa: Caller) -> None:
    assert await oa.say("在吗") == 45015
    oa.control.write(APP_ID, DEER, "你好")
    assert [await oa.say("好") for _ in range(6)] == [0] * 5 + [45047]
    assert await oa.say("好", HAO) == 45015, "the window is for one person"
    oa.control.write(APP_ID, DEER, "还在吗")
    assert await oa.say("在") == 0, "a new message renews the allowance"
    oa.control.advance_clock(48 * HOUR - 10)
    assert await oa.say("在") == 0
    oa.control.advance_clock(20)
    assert await oa.say("在") == 45015


@pytest.mark.parametrize("kind", ["CLICK", "scancode_push", "scancode_waitmsg"])
async def test_a_tap_allows_three_answers_within_a_minute(oa: Caller, kind: str) -> None:
    oa.control.tap_menu(APP_ID, DEER, "KF", kind)
    assert [await oa.say("好") for _ in range(4)] == [0, 0, 0, 45047]
    oa.control.scan(APP_ID, DEER, "shelf")
    assert await oa.say("好") == 0, "a scan has a count of its own"
    oa.control.advance_clock(MINUTE)
    assert await oa.say("好") == 45015


async def test_a_tap_in_a_menu_of_the_chat_counts_as_a_tap(oa: Caller) -> None:
    oa.control.tap_item(APP_ID, DEER, "101", "满意")
    assert [await oa.say("好") for _ in range(4)] == [0, 0, 0, 45047]


async def test_opening_a_page_and_leaving_allow_nothing(oa: Caller) -> None:
    oa.control.tap_menu(APP_ID, DEER, "https://a", "VIEW")
    assert await oa.say("好") == 45015
    oa.control.write(APP_ID, DEER, "再见")
    oa.control.unfollow(APP_ID, DEER)
    assert await oa.say("好") == 45015


# What may be said


async def test_messages_are_looked_at(oa: Caller) -> None:
    oa.control.write(APP_ID, DEER, "你好")

    async def send(msgtype: str, body: object, **more: object) -> int:
        sent = {"touser": DEER, "msgtype": msgtype, msgtype: body, **more}
        return int((await oa.post("message/custom/send", sent))["errcode"])

    article = {"title": "t", "url": "https://a"}
    assert await send("news", {"articles": [article, article]}) == 45008
    assert await send("news", {"articles": [{"title": "t"}]}) == 61451
    assert await send("text", {"content": ""}) == 44004
    assert await send("text", {"content": "长" * 683}) == 45002
    assert await send("image", {"media_id": "none"}) == 40007
    assert await send("hologram", {}) == 40008
    assert await send("msgmenu", {"list": [{"id": 1, "content": "x"}]}) == 61451
    assert await send("mpnewsarticle", {"article_id": "none"}) == 61451
    assert await send("news", {"articles": [article]}) == 0
    assert (await oa.post("message/custom/send", {"touser": "o", "msgtype": "text", "text": {}}))["errcode"] == 40003
    oa.control.change_account(APP_ID, {"verified": False})
    assert await oa.say("好") == 48001


async def test_typing_is_shown_inside_the_window_only(oa: Caller) -> None:
    async def typing(command: str) -> int:
        return int((await oa.post("message/custom/typing", {"touser": DEER, "command": command}))["errcode"])

    assert await typing("Typing") == 45080
    oa.control.write(APP_ID, DEER, "你好")
    assert [await typing(one) for one in ("Typing", "Typing", "CancelTyping", "Dance")] == [0, 45081, 0, 45072]


async def test_notices_go_to_who_wants_them(oa: Caller) -> None:
    oa.control.change_person(APP_ID, DEER, {"refuses": ["TPL_A"]})
    body = {"touser": DEER, "template_id": "TPL_A", "data": {"thing1": {"value": "x"}}}
    assert (await oa.post("message/subscribe/bizsend", body))["errcode"] == 43101
    assert (await oa.post("message/subscribe/bizsend", {**body, "template_id": "TPL_B"}))["errcode"] == 0
    assert (await oa.post("message/template/send", body))["msgid"] > 0
    oa.control.change_account(APP_ID, {"kind": "subscription"})
    assert (await oa.post("message/template/send", body))["errcode"] == 48001


# Mass messages


async def test_a_follower_of_a_service_account_gets_four_a_month(oa: Caller) -> None:
    for number in range(6):
        answer = await oa.spread(DEER, HAO, text=f"{number}")
        assert answer["errcode"] == 0
    got = [one.body["content"] for one in oa.control.received(APP_ID, DEER)]
    assert got == ["0", "1", "2", "3"]
    oa.control.advance_clock(31 * DAY)
    await oa.spread(DEER, HAO, text="下月")
    assert len(oa.control.received(APP_ID, DEER)) == 5


async def test_a_subscription_account_spreads_once_a_day(oa: Caller) -> None:
    oa.control.change_account(APP_ID, {"kind": "subscription"})
    assert [(await oa.spread(DEER, HAO))["errcode"] for _ in range(2)] == [0, 45028]
    oa.control.advance_clock(DAY)
    assert (await oa.spread(DEER, HAO))["errcode"] == 0


async def test_a_repetition_is_known_by_its_key(oa: Caller) -> None:
    first = await oa.spread(DEER, HAO, clientmsgid="k1")
    assert (await oa.spread(DEER, HAO, clientmsgid="k1"))["errcode"] == 45066
    oa.control.advance_clock(MINUTE)
    again = await oa.spread(DEER, HAO, clientmsgid="k1")
    assert (again["errcode"], again["msg_id"]) == (45065, first["msg_id"])
    assert (await oa.spread(DEER, HAO, clientmsgid="k" * 65))["errcode"] == 45067
    assert len(oa.control.received(APP_ID, DEER)) == 1


async def test_mass_messages_have_their_rates(oa: Caller) -> None:
    codes = [(await oa.spread(DEER, HAO))["errcode"] for _ in range(61)]
    assert codes == [0] * 60 + [45011]
    oa.control.advance_clock(MINUTE + 1)
    codes = [(await oa.spread(DEER, HAO))["errcode"] for _ in range(41)]
    assert codes == [0] * 40 + [45009]
    await oa.post("clear_quota", {"appid": APP_ID})
    assert (await oa.spread(DEER, HAO))["errcode"] == 0


async def test_a_mass_message_has_two_to_ten_thousand_receivers(oa: Caller) -> None:
    assert (await oa.spread(DEER))["errcode"] == 40032
    assert (await oa.spread(*[f"o{number}" for number in range(10_001)]))["errcode"] == 40032


async def test_how_a_mass_message_stands_can_be_asked_and_its_end_is_told(oa: Caller) -> None:
    oa.control.change_settings({"hold_mass": True})
    oa.control.unfollow(APP_ID, HAO)
    sent = await oa.spread(DEER, HAO, "o-nobody")
    number = sent["msg_id"]
    assert await oa.post("message/mass/get", {"msg_id": number}) == {"msg_id": number, "msg_status": "SENDING"}
    told = oa.control.finish_mass(APP_ID, number)
    counts = [told[name] for name in ("TotalCount", "FilterCount", "SentCount", "ErrorCount")]
    assert (told["Status"], counts) == ("send success", [3, 1, 1, 0])
    assert (await oa.post("message/mass/get", {"msg_id": number}))["msg_status"] == "SEND_SUCCESS"
    refused = (await oa.spread(DEER, HAO))["msg_id"]
    assert oa.control.finish_mass(APP_ID, refused, "err(20001)")["SentCount"] == 0
    assert (await oa.post("message/mass/get", {"msg_id": refused}))["msg_status"] == "SEND_FAIL"
    assert (await oa.post("message/mass/get", {"msg_id": 1}))["errcode"] == 40035


async def test_a_mass_message_by_tag_and_its_deletion(oa: Caller) -> None:
    tag = (await oa.post("tags/create", {"tag": {"name": "抖音"}}))["tag"]["id"]
    await oa.post("tags/members/batchtagging", {"openid_list": [DEER], "tagid": tag})
    draft = oa.control.write_article(APP_ID, "新品")["media_id"]
    body = {"filter": {"is_to_all": False, "tag_id": tag}, "msgtype": "mpnews", "mpnews": {"media_id": draft}}
    sent = await oa.post("message/mass/sendall", body)
    assert [len(oa.control.received(APP_ID, one)) for one in (DEER, HAO)] == [1, 0]
    assert (await oa.post("message/mass/delete", {"msg_id": sent["msg_id"]}))["errcode"] == 0
    assert oa.control.received(APP_ID, DEER) == []
    words = (await oa.spread(DEER, HAO))["msg_id"]
    assert (await oa.post("message/mass/delete", {"msg_id": words}))["errcode"] == 40035


async def test_previews_have_a_limit_of_their_own(oa: Caller) -> None:
    oa.control.change_settings({"previews_per_day": 2})
    body = {"touser": DEER, "msgtype": "text", "text": {"content": "看看"}}
    assert [(await oa.post("message/mass/preview", body))["errcode"] for _ in range(3)] == [0, 0, 45009]
    assert (await oa.spread(DEER, HAO))["errcode"] == 0


# Media


async def test_media_have_sizes_types_and_three_days(oa: Caller) -> None:
    assert (await oa.upload("image", b"no picture"))["errcode"] == 40005
    assert (await oa.upload("file", b"x"))["errcode"] == 40004
    assert (await oa.upload("thumb", b"\xff\xd8\xff" + bytes(64 * 1024)))["errcode"] == 45001
    picture = (await oa.upload("image", avatar_png("a")))["media_id"]
    token = (await oa.token())["access_token"]
    url = f"{oa.simulator.base_url}/cgi-bin/media/get"
    async with oa.http.get(url, params={"access_token": token, "media_id": picture}) as response:
        same = await response.read() == avatar_png("a")
        assert same
    video = (await oa.upload("video", empty_mp4()))["media_id"]
    assert (await oa.get("media/get", media_id=video))["video_url"].endswith(video)
    oa.control.advance_clock(3 * DAY)
    assert (await oa.get("media/get", media_id=picture))["errcode"] == 40007


# People


async def test_profiles_have_no_names_by_default(oa: Caller) -> None:
    oa.control.change_person(APP_ID, DEER, {"name": "小鹿"})
    told = await oa.get("user/info", openid=DEER)
    assert ("errcode" in told, told["subscribe"], told["nickname"]) == (False, 1, "")
    oa.control.change_settings({"tells_nicknames": True})
    assert (await oa.get("user/info", openid=DEER))["nickname"] == "小鹿"
    oa.control.unfollow(APP_ID, DEER)
    assert await oa.get("user/info", openid=DEER) == {"subscribe": 0, "openid": DEER, "tagid_list": []}
    assert (await oa.post("user/info/batchget", {"user_list": [{"openid": "o"}]}))["errcode"] == 40003


async def test_followers_come_in_pages(oa: Caller) -> None:
    oa.control.change_settings({"followers_per_page": 1})
    first = await oa.get("user/get")
    assert first == {"total": 2, "count": 1, "data": {"openid": [DEER]}, "next_openid": DEER}
    last = await oa.get("user/get", next_openid=HAO)
    assert last == {"total": 2, "count": 0, "next_openid": ""}


async def test_remarks_tags_codes_and_menus(oa: Caller) -> None:
    assert (await oa.post("user/info/updateremark", {"openid": DEER, "remark": "李总"}))["errcode"] == 0
    assert (await oa.post("user/info/updateremark", {"openid": DEER, "remark": "长" * 31}))["errcode"] == 61451
    assert (await oa.post("tags/create", {"tag": {"name": "星标组"}}))["errcode"] == 45157
    assert (await oa.post("tags/create", {"tag": {"name": "长" * 11}}))["errcode"] == 45158
    many = {"openid_list": [DEER] * 51, "tagid": 2}
    assert (await oa.post("tags/members/batchtagging", many))["errcode"] == 40032
    code = {"action_name": "QR_STR_SCENE", "expire_seconds": 60, "action_info": {"scene": {"scene_str": "shelf"}}}
    assert (await oa.post("qrcode/create", code))["ticket"]
    assert (await oa.post("qrcode/create", {**code, "expire_seconds": 2_592_001}))["errcode"] == 61451
    button = {"type": "click", "name": "客服", "key": "KF"}
    assert [(await oa.post("menu/create", {"button": [button] * n}))["errcode"] for n in (3, 4)] == [0, 61451]


# Its memory


async def test_it_remembers_everything_in_its_file(tmp_path: Path) -> None:
    path = tmp_path / "oa.json"
    async with OfficialAccountSimulator(snapshot_path=path) as first:
        first.control.add_account(APP_ID, SECRET, ACCOUNT)
        first.control.add_person(APP_ID, DEER, followed_days_ago=1)
        first.control.send_file(APP_ID, DEER, "image", b"\xff\xd8\xff")
        kept = first.world
    async with OfficialAccountSimulator(snapshot_path=path) as second:
        assert second.world == kept
