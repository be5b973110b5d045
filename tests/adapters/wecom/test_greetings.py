"""Codes that customers scan, the greeting that follows, and notices to colleagues, against the simulated platform."""

from __future__ import annotations

from datetime import timedelta

import pytest

from adapters.wecom.adapter import WeComAdapter
from scrm.channel import Occurrence, Raw, Verified
from scrm.channel_contacts import AttachmentKind, CodeSpec, GreetingPart, NoticeCard
from scrm.errors import Rejected, RetryLater, Uncertain
from scrm.testing import outgoing_media
from simulator.faults import Fault
from simulator.wecom.state import AppMessage, Greeting
from tests.adapters.wecom.harness import FILES, PNG, WeComHarness
from tests.adapters.wecom.support import CORP_ID, NOW

COVER = outgoing_media(PNG, "封面.png", "image/png")
ADD = "/cgi-bin/externalcontact/add_contact_way"
GREET = "/cgi-bin/externalcontact/send_welcome_msg"
CARD = NoticeCard("新客户", "王先生 <VIP> 已添加您\n来源：门店", "https://scrm.example.com/customers/7", "查看")


# Codes


async def test_a_code_adds_its_members_with_its_source(site: WeComHarness, wecom: WeComAdapter) -> None:
    play = site.play
    play.create_member(CORP_ID, "LiLei", "李雷")
    code, picture = await wecom.make_code(CodeSpec(["hanmeimei", "lilei"], "shelf-3", "三号货架"))
    assert picture.startswith("http")
    others = [play.create_customer(CORP_ID, f"客户{n}") for n in range(3)]
    assert [play.customer_scans(CORP_ID, code, one) for one in others] == ["HanMeimei", "LiLei", "HanMeimei"]
    (relation,) = (await wecom.relations_of(others[1])).relations
    assert (relation.account.external_id, relation.source, relation.by_contact) == ("lilei", "shelf-3", True)
    assert await wecom.codes() == [(code, "shelf-3")]
    await wecom.change_code(code, CodeSpec(["lilei"], "shelf-4"))
    assert play.customer_scans(CORP_ID, code, site.customer) == "LiLei"
    assert await wecom.codes(since=site.simulator.clock.now() - timedelta(hours=1)) == [(code, "shelf-4")]
    assert await wecom.codes(since=site.simulator.clock.now() + timedelta(minutes=1)) == []
    for _ in range(2):
        await wecom.delete_code(code)
    assert await wecom.codes() == []
    with pytest.raises(Rejected) as caught:
        await wecom.change_code(code, CodeSpec(["lilei"], "shelf-5"))
    assert caught.value.code == "wecom.41044"


async def test_a_code_whose_making_is_uncertain_is_found(site: WeComHarness, wecom: WeComAdapter) -> None:
    site.simulator.faults.add(Fault("drop_after", ADD))
    with pytest.raises(Uncertain):
        await wecom.make_code(CodeSpec(["hanmeimei"], "flyer"))
    assert [source for _, source in await wecom.codes()] == ["flyer"]


@pytest.mark.parametrize(
    ("spec", "refused"),
    [
        (CodeSpec(["hanmeimei"], "长" * 31), "wecom.source_too_long"),
        (CodeSpec(["hanmeimei"], "ok", "长" * 31), "wecom.remark_too_long"),
        (CodeSpec([f"m{n}" for n in range(101)], "ok"), "wecom.too_many_members"),
        (CodeSpec(["ghost"], "ok"), "wecom.60111"),
        (CodeSpec(["idle"], "ok"), "wecom.41054"),
    ],
)
async def test_a_code_that_cannot_be(
    site: WeComHarness, wecom: WeComAdapter, spec: CodeSpec, refused: str
) -> None:  # fmt: skip
    site.play.create_member(CORP_ID, "idle", "未激活", status=4)
    with pytest.raises(Rejected) as caught:
        await wecom.make_code(spec)
    assert caught.value.code == refused
    assert await wecom.codes() == []


# Greetings


async def added(site: WeComHarness, wecom: WeComAdapter) -> Occurrence:
    """What the app hears of a customer who has just added Han Meimei."""
    site.play.add_contact(CORP_ID, "HanMeimei", site.customer, state="flyer")
    verified = wecom.verify(await site.next_callback())
    assert isinstance(verified, Verified)
    (event,) = wecom.parse(Raw("webhook", verified.raw, NOW))
    assert isinstance(event, Occurrence)
    return event


def greetings(site: WeComHarness) -> list[Greeting]:
    return site.play.greetings(CORP_ID, external_userid=site.customer)


async def test_a_new_contact_is_greeted_once(site: WeComHarness, wecom: WeComAdapter) -> None:
    event = await added(site, wecom)
    assert (event.name, event.data["State"]) == ("contact.added", "flyer")
    await wecom.greet(event.data["WelcomeCode"], "您好", [])
    with pytest.raises(Rejected) as caught:
        await wecom.greet(event.data["WelcomeCode"], "您好", [])
    assert caught.value.code == "already_greeted"
    assert [one.text for one in greetings(site)] == ["您好"]


async def test_a_greeting_carries_every_kind_of_attachment(site: WeComHarness, wecom: WeComAdapter) -> None:
    parts = [
        GreetingPart(AttachmentKind.IMAGE, media=COVER),
        GreetingPart(
            AttachmentKind.LINK, {"title": "新品", "url": "https://example.com", "description": "看看"}, COVER
        ),
        GreetingPart(AttachmentKind.MINIPROGRAM, {"title": "商城", "app_id": "wx1", "path": "pages/index"}, COVER),
        GreetingPart(AttachmentKind.VIDEO, media=outgoing_media(FILES["video"][0], "a.mp4", "video/mp4")),
        GreetingPart(AttachmentKind.FILE, media=outgoing_media(*FILES["file"])),
    ]
    await wecom.prepare_greeting(parts)
    uploads = len(site.simulator.world.corps[CORP_ID].media)
    event = await added(site, wecom)
    await site.connect().greet(event.data["WelcomeCode"], "欢迎", parts)  # another process: it shares the uploads
    assert len(site.simulator.world.corps[CORP_ID].media) == uploads == 3
    (greeting,) = greetings(site)
    assert [one["msgtype"] for one in greeting.attachments] == ["image", "link", "miniprogram", "video", "file"]
    link = greeting.attachments[1]["link"]
    assert (link["title"], link["desc"], link["picurl"].startswith("http")) == ("新品", "看看", True)


async def test_files_that_the_platform_forgot_are_uploaded_again(site: WeComHarness, wecom: WeComAdapter) -> None:
    parts = [GreetingPart(AttachmentKind.IMAGE, media=COVER)]
    await wecom.prepare_greeting(parts)
    site.simulator.world.corps[CORP_ID].media.clear()
    event = await added(site, wecom)
    await wecom.greet(event.data["WelcomeCode"], "", parts)
    assert len(greetings(site)) == 1


async def test_after_twenty_seconds_it_is_too_late(site: WeComHarness, wecom: WeComAdapter) -> None:
    event = await added(site, wecom)
    site.advance(timedelta(seconds=21))
    with pytest.raises(Rejected) as caught:
        await wecom.greet(event.data["WelcomeCode"], "您好", [])
    assert caught.value.code == "too_late"


async def test_another_app_may_be_faster(site: WeComHarness, wecom: WeComAdapter) -> None:
    event = await added(site, wecom)
    site.play.rival_greets(CORP_ID, event.data["WelcomeCode"], seconds=3)
    with pytest.raises(RetryLater):
        await wecom.greet(event.data["WelcomeCode"], "您好", [])
    site.advance(timedelta(seconds=4))
    with pytest.raises(Rejected) as caught:
        await wecom.greet(event.data["WelcomeCode"], "您好", [])
    assert caught.value.code == "already_greeted"
    assert greetings(site) == []


async def test_a_lost_answer_may_be_repeated_without_a_second_greeting(site: WeComHarness, wecom: WeComAdapter) -> None:
    event = await added(site, wecom)
    site.simulator.faults.add(Fault("drop_after", GREET))
    with pytest.raises(RetryLater):
        await wecom.greet(event.data["WelcomeCode"], "您好", [])
    with pytest.raises(Rejected) as caught:
        await wecom.greet(event.data["WelcomeCode"], "您好", [])
    assert caught.value.code == "already_greeted"
    assert len(greetings(site)) == 1


@pytest.mark.parametrize(
    ("text", "parts", "refused"),
    [
        ("", [], "wecom.text_missing"),
        ("长" * 1334, [], "wecom.greeting_too_long"),
        ("好", [GreetingPart(AttachmentKind.IMAGE, media=COVER)] * 10, "wecom.too_many_attachments"),
        ("好", [GreetingPart(AttachmentKind.LINK, {"title": "新品"})], "wecom.url_missing"),
        ("好", [GreetingPart(AttachmentKind.IMAGE)], "wecom.media_missing"),
    ],
)
async def test_a_greeting_that_cannot_be_is_refused_before_it_costs_the_code(
    site: WeComHarness, wecom: WeComAdapter, text: str, parts: list[GreetingPart], refused: str
) -> None:  # fmt: skip
    event = await added(site, wecom)
    with pytest.raises(Rejected) as caught:
        await wecom.greet(event.data["WelcomeCode"], text, parts)
    assert caught.value.code == refused
    await wecom.greet(event.data["WelcomeCode"], "您好", [])
    assert len(greetings(site)) == 1


# Notices


def cards(site: WeComHarness, userid: str = "HanMeimei") -> list[AppMessage]:
    return site.play.member_messages(CORP_ID, userid)


async def test_a_notice_is_a_card_that_leads_to_the_page(site: WeComHarness, wecom: WeComAdapter) -> None:
    assert wecom.notifies
    assert await wecom.notify(["hanmeimei", "Ghost", "a|b", "HanMeimei"], CARD) == ["a|b", "ghost"]
    (message,) = cards(site)
    assert message.msgtype == "textcard"
    assert message.body == {
        "title": "新客户",
        "description": "王先生 ＜VIP＞ 已添加您<br>来源：门店",
        "url": "https://scrm.example.com/customers/7",
        "btntxt": "查看",
    }


async def test_nobody_reached_is_told_and_not_raised(wecom: WeComAdapter) -> None:
    assert await wecom.notify(["ghost"], CARD) == ["ghost"]
    assert await wecom.notify([], CARD) == []


async def test_the_same_card_is_shown_once_within_half_an_hour(site: WeComHarness, wecom: WeComAdapter) -> None:
    site.simulator.faults.add(Fault("drop_after", "/cgi-bin/message/send"))
    with pytest.raises(RetryLater):
        await wecom.notify(["hanmeimei"], CARD)
    await wecom.notify(["hanmeimei"], CARD)
    assert len(cards(site)) == 1
    site.advance(timedelta(minutes=31))
    await wecom.notify(["hanmeimei"], CARD)
    assert len(cards(site)) == 2


async def test_a_long_card_is_cut_and_a_long_address_refused(site: WeComHarness, wecom: WeComAdapter) -> None:
    await wecom.notify(["hanmeimei"], NoticeCard("题" * 200, "文" * 600, "https://e.cn", "看看这里"))
    (message,) = cards(site)
    assert (len(message.body["title"]), message.body["title"][-1]) == (128, "…")
    assert len(message.body["description"]) == 512
    with pytest.raises(Rejected):
        await wecom.notify(["hanmeimei"], NoticeCard("题", "文", "https://e.cn/" + "x" * 2048))


async def test_without_an_agent_id_nobody_is_notified(site: WeComHarness) -> None:
    site.agent_id = ""
    wecom = site.connect()
    assert not wecom.notifies
    with pytest.raises(Rejected):
        await wecom.notify(["hanmeimei"], CARD)
