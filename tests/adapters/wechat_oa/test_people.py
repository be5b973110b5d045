"""What only this platform has: tokens, followers without names, kinds of accounts, refusals, the minute after a scan."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from datetime import timedelta

import pytest

from adapters.wechat_oa.adapter import OfficialAccountAdapter
from adapters.wechat_oa.errors import MEANINGS, api_error
from scrm.channel import ContactEntered, Kind, OutgoingMessage
from scrm.channel_campaigns import Broadcasts
from scrm.channel_contacts import KnowsRelations
from scrm.errors import Rejected, RetryLater, SendError, Uncertain, Unprocessable
from scrm.testing import MemoryCache
from scrm.testing.broadcast_checks import words
from scrm.testing.send_checks import check_reason
from simulator.faults import Fault
from tests.adapters.wechat_oa.harness import ACCOUNT, APP_ID, CUSTOMER, Followers, OfficialAccountHarness


def saying(text: str, contact_id: str = CUSTOMER, **more: str) -> OutgoingMessage:
    return OutgoingMessage(ACCOUNT, contact_id, Kind.TEXT, text, secrets.token_hex(16), **more)  # type: ignore[arg-type]


async def code_of(send: object) -> str:
    with pytest.raises(SendError) as caught:
        await send  # type: ignore[misc]
    check_reason(caught.value)
    return caught.value.code


# Tokens


async def test_many_senders_share_one_token(harness: OfficialAccountHarness, adapter: OfficialAccountAdapter) -> None:
    harness.simulator.control.write(APP_ID, CUSTOMER, "在吗")
    await asyncio.gather(*(adapter.send(saying(f"{n}")) for n in range(5)))
    assert len(harness.simulator.world.tokens) == 1


async def test_two_processes_without_a_common_cache_get_the_same_token(harness: OfficialAccountHarness) -> None:
    await harness.connect()
    for _ in range(2):
        await harness.build(cache=MemoryCache(harness.simulator.clock)).accounts()
    assert len(harness.simulator.world.tokens) == 1


@pytest.mark.parametrize("errcode", [40001, 40014, 42001])
async def test_a_refused_token_is_replaced_and_the_message_goes_out_once(
    harness: OfficialAccountHarness, adapter: OfficialAccountAdapter, errcode: int
) -> None:
    harness.simulator.control.write(APP_ID, CUSTOMER, "在吗")
    await adapter.send(saying("一"))
    assert harness.simulator.control.invalidate_tokens(APP_ID, errcode) == 1
    await adapter.send(saying("二"))
    assert [one.text for one in await harness.received()] == ["一", "二"]
    assert len(harness.simulator.world.tokens) == 2, (
        "the one in use was forced away, since the platform still calls it good"
    )


async def test_a_token_is_fetched_again_before_it_ends(
    harness: OfficialAccountHarness, adapter: OfficialAccountAdapter
) -> None:
    harness.simulator.control.write(APP_ID, CUSTOMER, "在吗")
    for hours in range(4):
        await adapter.send(saying(f"{hours}"))
        harness.advance(timedelta(hours=3))
    assert len(await harness.received()) == 4


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"secret": "another"}, "wechat_oa.40125"), ({"allowed_addresses": ["203.0.113.9"]}, "wechat_oa.40164")],
)
async def test_wrong_credentials_are_told_to_the_administrator(
    harness: OfficialAccountHarness, adapter: OfficialAccountAdapter, changes: dict[str, object], code: str
) -> None:
    harness.simulator.control.change_account(APP_ID, changes)
    for _ in range(2):
        with pytest.raises(Rejected) as caught:
            await adapter.accounts()
        assert caught.value.code == code
        assert caught.value.needs_admin


# Windows


async def opened(harness: OfficialAccountHarness, adapter: OfficialAccountAdapter, act: str) -> ContactEntered:
    control = harness.simulator.control
    acts = {
        "follow": lambda: control.follow(APP_ID, CUSTOMER),
        "scan": lambda: control.scan(APP_ID, CUSTOMER, "shelf"),
        "menu": lambda: control.tap_menu(APP_ID, CUSTOMER, "KF"),
    }
    acts[act]()
    entered = [one for one in await harness.events(adapter) if isinstance(one, ContactEntered)]
    return entered[0]


@pytest.mark.parametrize("act", ["follow", "scan", "menu"])
async def test_following_scanning_and_tapping_allow_three_messages_for_a_minute(
    harness: OfficialAccountHarness, adapter: OfficialAccountAdapter, act: str
) -> None:
    window = (await opened(harness, adapter, act)).window
    assert window is not None
    assert window.quota == 3
    for number in range(window.quota):
        await adapter.send(saying(f"{number}"))
    with pytest.raises(Rejected) as caught:
        await adapter.send(saying("多一条"))
    assert (caught.value.code, caught.value.closes_window) == ("wechat_oa.45047", True)
    harness.advance(timedelta(minutes=2))
    with pytest.raises(Rejected) as caught:
        await adapter.send(saying("太晚"))
    assert (caught.value.code, caught.value.closes_window) == ("wechat_oa.45015", True)


async def test_each_trigger_has_its_own_count(harness: OfficialAccountHarness, adapter: OfficialAccountAdapter) -> None:
    for act in ("scan", "menu"):
        await opened(harness, adapter, act)
    harness.simulator.control.write(APP_ID, CUSTOMER, "在吗")
    for number in range(3 + 3 + 5):
        await adapter.send(saying(f"{number}"))
    assert await code_of(adapter.send(saying("多一条"))) == "wechat_oa.45047"


async def test_opening_a_page_from_the_menu_allows_nothing(
    harness: OfficialAccountHarness, adapter: OfficialAccountAdapter
) -> None:
    harness.simulator.control.tap_menu(APP_ID, CUSTOMER, "https://www.example.com", "VIEW")
    assert await code_of(adapter.send(saying("在吗"))) == "wechat_oa.45015"


async def test_only_following_allows_a_greeting(
    harness: OfficialAccountHarness, adapter: OfficialAccountAdapter
) -> None:
    assert (await opened(harness, adapter, "scan")).welcome_code == ""
    entered = await opened(harness, adapter, "follow")
    assert entered.welcome_code
    assert entered.window is not None
    assert entered.welcome_until == entered.window.expires_at
    await adapter.send(saying("欢迎关注", welcome_code=entered.welcome_code))
    assert [one.text for one in await harness.received()] == ["欢迎关注"]


# Refusals


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"blocks": True}, "wechat_oa.48002"),
        ({"follows": False}, "wechat_oa.45015"),
    ],
)
async def test_who_does_not_want_to_hear_from_us_does_not(
    harness: OfficialAccountHarness, adapter: OfficialAccountAdapter, changes: dict[str, object], code: str
) -> None:
    harness.simulator.control.write(APP_ID, CUSTOMER, "在吗")
    harness.simulator.control.change_person(APP_ID, CUSTOMER, changes)
    assert await code_of(adapter.send(saying("在的"))) == code


async def test_an_account_without_the_permission_is_told_so(
    harness: OfficialAccountHarness, adapter: OfficialAccountAdapter
) -> None:
    harness.simulator.control.write(APP_ID, CUSTOMER, "在吗")
    harness.simulator.control.change_account(APP_ID, {"verified": False})
    assert await code_of(adapter.send(saying("在的"))) == "wechat_oa.48001"
    assert await code_of(adapter.send(saying("在的", contact_id="o-nobody"))) == "wechat_oa.48001"
    harness.simulator.control.change_account(APP_ID, {"verified": True})
    assert await code_of(adapter.send(saying("在的", contact_id="o-nobody"))) == "wechat_oa.40003"


def test_every_code_is_a_sentence_in_both_languages() -> None:
    for errcode in [*MEANINGS, 99999]:
        error = api_error(errcode, "something new")
        check_reason(error)
        assert error.code == f"wechat_oa.{errcode}"
        assert error.reason.zh != error.reason.en
    assert isinstance(api_error(45011), RetryLater)
    assert "something new" in api_error(99999, "something new").reason.zh


# Followers


async def test_followers_are_read_page_by_page_with_how_they_came(
    harness: OfficialAccountHarness, adapter: OfficialAccountAdapter
) -> None:
    assert isinstance(adapter, KnowsRelations)
    control = harness.simulator.control
    harness.simulator.settings.followers_per_page = 120
    for number in range(250):
        control.add_person(APP_ID, f"oBULK-{number:04}", union_id=f"u{number}", followed_days_ago=number)
    control.add_person(APP_ID, "oBULK-gone")
    control.change_person(
        APP_ID, "oBULK-0007", {"remark": "李总", "tags": [2], "qr_scene": "shelf", "scene": "ADD_SCENE_QR_CODE"}
    )
    found, cursor, pages = {}, "", 0
    while True:
        page = await adapter.relations([ACCOUNT], cursor)
        found |= {one.contact.external_id: one for one in page.relations}
        pages, cursor = pages + 1, page.cursor
        if not cursor:
            break
    assert (len(found), pages) == (251, 4)
    relation = found["oBULK-0007"]
    assert (relation.remark, relation.tags, relation.source) == ("李总", ("2",), "shelf")
    assert relation.way_words is not None
    assert relation.way_words.zh == "扫描二维码"
    assert relation.contact.union_id == "wechat:u7"
    assert found["oBULK-0008"].source == ""
    assert list((await adapter.relations(["gh_other"], "")).relations) == []


async def test_profiles_have_no_names_unless_the_platform_tells_them(
    harness: OfficialAccountHarness, adapter: OfficialAccountAdapter
) -> None:
    (profile,) = await adapter.profiles([CUSTOMER, "o-nobody"])
    assert (profile.name, profile.avatar, profile.union_id) == ("", "", "wechat:oUNION-0001")
    harness.simulator.settings.tells_nicknames = True
    (profile,) = await adapter.profiles([CUSTOMER])
    assert profile.name == "小鹿"
    assert await adapter.profiles([]) == []


# Kinds of accounts


async def test_a_subscription_account_spreads_once_a_day(harness: OfficialAccountHarness) -> None:
    adapter = await harness.connect("subscription")
    assert isinstance(adapter, Broadcasts)
    (limit,) = adapter.broadcast_limits
    assert (limit.times, limit.period, limit.everything, limit.zone) == (1, "day", True, "Asia/Shanghai")
    crowd = Followers(harness)
    people: Sequence[str] = [crowd.person("甲"), crowd.person("乙")]
    await adapter.broadcast(ACCOUNT, people, words(crowd, "今天"))
    assert await code_of(adapter.broadcast(ACCOUNT, people, words(crowd, "再来"))) == "wechat_oa.45028"
    harness.advance(timedelta(days=1))
    await adapter.broadcast(ACCOUNT, people, words(crowd, "明天"))
    assert list(crowd.got(people[0])) == ["今天", "明天"]


async def test_a_service_account_leaves_out_who_has_had_four_this_month(
    harness: OfficialAccountHarness, adapter: OfficialAccountAdapter
) -> None:
    crowd = Followers(harness)
    full, fresh = crowd.person("满"), crowd.person("新")
    harness.simulator.world.accounts[APP_ID].people[full].mass_by_month = {harness.simulator.platform.month: 4}
    await adapter.broadcast(ACCOUNT, [full, fresh], words(crowd, "新品"))
    (mass,) = harness.simulator.control.masses(APP_ID)
    assert (list(crowd.got(full)), list(crowd.got(fresh))) == ([], ["新品"])
    assert mass.state == "SEND_SUCCESS"


async def test_a_mass_message_repeated_within_a_minute_is_in_doubt_until_the_platform_tells_its_id(
    harness: OfficialAccountHarness, adapter: OfficialAccountAdapter
) -> None:
    crowd = Followers(harness)
    people, post = [crowd.person("甲"), crowd.person("乙")], words(crowd, "新品")
    first = await adapter.broadcast(ACCOUNT, people, post)
    with pytest.raises(Uncertain) as caught:
        await adapter.broadcast(ACCOUNT, people, post)
    assert caught.value.code == "wechat_oa.45066"
    harness.advance(timedelta(seconds=61))
    assert await adapter.broadcast(ACCOUNT, people, post) == first


def test_settings_that_cannot_work_are_told_with_their_field(harness: OfficialAccountHarness) -> None:
    with pytest.raises(Unprocessable) as caught:
        harness.build(account_type="enterprise")
    assert caught.value.fields == {"account_type": "must be one of service, subscription"}
    with pytest.raises(Unprocessable) as caught:
        harness.build("ftp://example.com")
    assert list(caught.value.fields or {}) == ["base_url"]


# Files


async def test_a_file_is_uploaded_once_and_again_when_the_platform_lost_it(
    harness: OfficialAccountHarness, adapter: OfficialAccountAdapter
) -> None:
    control, media = harness.simulator.control, harness.simulator.world.accounts[APP_ID].media
    control.write(APP_ID, CUSTOMER, "有图吗")
    sample = harness.sample(Kind.IMAGE)
    for number, kept in enumerate((1, 1, 1)):
        if number == 2:
            media.clear()
        await adapter.send(
            OutgoingMessage(ACCOUNT, CUSTOMER, Kind.IMAGE, "", secrets.token_hex(16), media=sample.media)
        )
        assert len(media) == kept
    harness.advance(timedelta(days=3))
    control.write(APP_ID, CUSTOMER, "还有吗")
    await adapter.send(OutgoingMessage(ACCOUNT, CUSTOMER, Kind.IMAGE, "", secrets.token_hex(16), media=sample.media))
    assert len(await harness.received()) == 4


async def test_a_download_with_a_refused_token_is_tried_with_a_fresh_one(
    harness: OfficialAccountHarness, adapter: OfficialAccountAdapter
) -> None:
    event = await harness.customer_sends_file(adapter, Kind.IMAGE, b"\xff\xd8\xff" + b"x" * 1000)
    assert event is not None
    await adapter.accounts()
    harness.simulator.control.invalidate_tokens(APP_ID, 42001)
    content = b"".join([piece async for piece in adapter.fetch(event.media[0].handle)])
    assert len(content) == 1003
    harness.simulator.faults.add(Fault("status", "/cgi-bin/media/get"))
    with pytest.raises(RetryLater):
        _ = [piece async for piece in adapter.fetch(event.media[0].handle)]
