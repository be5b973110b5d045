"""Handing customers and groups over, against the simulated platform and its clock."""

from __future__ import annotations

from datetime import timedelta

import pytest

from adapters.wecom.adapter import WeComAdapter
from scrm.channel import Occurrence, Raw, Verified
from scrm.channel_contacts import TransferState, Unassigned
from scrm.errors import Rejected, Uncertain
from simulator.faults import Fault
from tests.adapters.wecom.harness import WeComHarness
from tests.adapters.wecom.support import CORP_ID, NOW

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def company(site: WeComHarness) -> None:
    """Han Meimei has the customer; Li Lei and Lucy may take over."""
    site.play.create_member(CORP_ID, "LiLei", "李雷")
    site.play.create_member(CORP_ID, "Lucy", "露西")
    site.play.create_follow(CORP_ID, "HanMeimei", site.customer)


async def states(wecom: WeComAdapter, *, left: bool = False, to: str = "lilei") -> dict[str, TransferState]:
    answers, cursor = await wecom.transfer_results("hanmeimei", to, left=left, cursor="")
    assert cursor == ""
    return {one.external_id: one.state for one in answers}


async def heard(site: WeComHarness, wecom: WeComAdapter) -> list[Occurrence]:
    await site.play.settle()
    found: list[Occurrence] = []
    while not site.callbacks.empty():
        verified = wecom.verify(site.callbacks.get_nowait())
        assert isinstance(verified, Verified)
        found += [e for e in wecom.parse(Raw("webhook", verified.raw, NOW)) if isinstance(e, Occurrence)]
    return found


async def owners(site: WeComHarness, wecom: WeComAdapter) -> list[str]:
    return [one.account.external_id for one in (await wecom.relations_of(site.customer)).relations]


async def test_a_customer_changes_hands_after_a_day(site: WeComHarness, wecom: WeComAdapter) -> None:
    (answer,) = await wecom.transfer("hanmeimei", "lilei", [site.customer], left=False, text="以后由李雷为您服务")
    assert answer.state is TransferState.WAITING
    assert await states(wecom) == {site.customer: TransferState.WAITING}
    assert await owners(site, wecom) == ["hanmeimei"]
    site.play.advance_clock(86_400 - 60)
    assert await owners(site, wecom) == ["hanmeimei"]
    site.play.advance_clock(61)
    assert await states(wecom) == {site.customer: TransferState.DONE}
    assert await owners(site, wecom) == ["lilei"]
    (relation,) = (await wecom.relations_of(site.customer)).relations
    assert relation.way == "202"
    events = {one.name: one for one in await heard(site, wecom)}
    assert events["contact.deleted_by_agent"].data["Source"] == "DELETE_BY_TRANSFER"
    assert events["contact.added"].account is not None
    assert events["contact.added"].account.external_id == "lilei"


async def test_a_customer_may_refuse(site: WeComHarness, wecom: WeComAdapter) -> None:
    await wecom.transfer("hanmeimei", "lilei", [site.customer], left=False)
    site.play.answer_transfer(CORP_ID, site.customer, accepts=False)
    assert await states(wecom) == {site.customer: TransferState.REFUSED}
    assert await owners(site, wecom) == ["hanmeimei"]
    (event,) = await heard(site, wecom)
    assert (event.name, event.data["FailReason"]) == ("contact.transfer_failed", "customer_refused")


async def test_a_taker_may_be_full(site: WeComHarness, wecom: WeComAdapter) -> None:
    await wecom.transfer("hanmeimei", "lilei", [site.customer], left=False)
    site.play.set_member(CORP_ID, "lilei", customer_limit=0)
    site.play.advance_clock(86_401)
    assert await states(wecom) == {site.customer: TransferState.TAKER_FULL}
    (event,) = await heard(site, wecom)
    assert event.data["FailReason"] == "customer_limit_exceed"
    (answer,) = await wecom.transfer("hanmeimei", "lilei", [site.customer], left=False)
    assert (answer.state, answer.code) == (TransferState.TAKER_FULL, "wecom.40099")


async def test_each_customer_has_an_answer_with_its_reason(site: WeComHarness, wecom: WeComAdapter) -> None:
    stranger = site.play.create_customer(CORP_ID, "路人")
    await wecom.transfer("hanmeimei", "lilei", [site.customer], left=False)
    answers = await wecom.transfer("hanmeimei", "lucy", [site.customer, stranger, "wm0"], left=False)
    assert [(one.state, one.code) for one in answers] == [
        (TransferState.FAILED, "wecom.40100"),
        (TransferState.FAILED, "wecom.40131"),
        (TransferState.FAILED, "wecom.40096"),
    ]
    assert all(one.reason is not None and one.reason.zh and one.reason.en for one in answers)


async def test_twice_within_ninety_days_is_enough(site: WeComHarness, wecom: WeComAdapter) -> None:
    for giver, taker in (("hanmeimei", "lilei"), ("lilei", "lucy")):
        (answer,) = await wecom.transfer(giver, taker, [site.customer], left=False)
        assert answer.state is TransferState.WAITING
        site.play.advance_clock(86_401)
    (answer,) = await wecom.transfer("lucy", "lilei", [site.customer], left=False)
    assert (answer.state, answer.code) == (TransferState.FAILED, "wecom.40128")
    site.play.advance_clock(90 * 86_400)
    (answer,) = await wecom.transfer("lucy", "lilei", [site.customer], left=False)
    assert answer.state is TransferState.WAITING


@pytest.mark.parametrize(
    ("giver", "taker", "left", "refused"),
    [
        ("hanmeimei", "HanMeimei", False, "wecom.40130"),
        ("hanmeimei", "ghost", False, "wecom.60111"),
        ("hanmeimei", "lilei", True, "wecom.40097"),
        ("hanmeimei", "unverified", False, "wecom.40098"),
        ("hanmeimei", "absent", False, "wecom.40205"),
        ("hanmeimei", "office", False, "wecom.84074"),
    ],
)
async def test_a_hand_over_that_cannot_be(
    site: WeComHarness, wecom: WeComAdapter, giver: str, taker: str, left: bool, refused: str
) -> None:  # fmt: skip
    for userid in ("unverified", "absent", "office"):
        site.play.create_member(CORP_ID, userid, userid)
    site.play.set_member(CORP_ID, "unverified", verified=False)
    site.play.set_member(CORP_ID, "absent", absent=True)
    site.play.set_member(CORP_ID, "office", serves=False)
    with pytest.raises(Rejected) as caught:
        await wecom.transfer(giver, taker, [site.customer], left=left)
    assert caught.value.code == refused


async def test_customers_of_somebody_who_left_wait_and_are_taken_over(site: WeComHarness, wecom: WeComAdapter) -> None:
    left_at = site.simulator.clock.now().replace(microsecond=0)
    site.play.member_leaves(CORP_ID, "HanMeimei")
    assert await owners(site, wecom) == []
    (waiting,), cursor = await wecom.unassigned("")
    assert (waiting.account_id, waiting.contact_id, cursor) == ("hanmeimei", site.customer, "")
    assert isinstance(waiting, Unassigned)
    assert waiting.left_at is not None
    assert waiting.left_at - left_at < timedelta(seconds=5)
    (answer,) = await wecom.transfer("hanmeimei", "lilei", [site.customer], left=True, text="不会发送")
    assert answer.state is TransferState.WAITING
    assert (await wecom.unassigned(""))[0] == []
    site.play.advance_clock(86_401)
    assert await states(wecom, left=True) == {site.customer: TransferState.DONE}
    assert await states(wecom) == {}
    assert await owners(site, wecom) == ["lilei"]
    assert [one.name for one in await heard(site, wecom)] == ["directory.user_deleted", "contact.added"]


async def test_after_a_year_nobody_can_take_over(site: WeComHarness, wecom: WeComAdapter) -> None:
    site.play.member_leaves(CORP_ID, "HanMeimei")
    site.play.advance_clock(366 * 86_400)
    assert (await wecom.unassigned(""))[0] == []
    with pytest.raises(Rejected):
        await wecom.transfer("hanmeimei", "lilei", [site.customer], left=True)


async def test_a_hand_over_whose_answer_is_lost_is_found_in_the_results(
    site: WeComHarness, wecom: WeComAdapter
) -> None:
    site.simulator.faults.add(Fault("drop_after", "/cgi-bin/externalcontact/transfer_customer"))
    with pytest.raises(Uncertain):
        await wecom.transfer("hanmeimei", "lilei", [site.customer], left=False)
    assert await states(wecom) == {site.customer: TransferState.WAITING}


async def test_groups_change_hands_at_once(site: WeComHarness, wecom: WeComAdapter) -> None:
    chat = site.play.create_group(CORP_ID, "群", "HanMeimei", [site.customer])
    answers = await wecom.transfer_groups([chat, "wr0"], "lilei", left=False)
    assert [(one.external_id, one.state, one.code) for one in answers] == [
        (chat, TransferState.DONE, ""),
        ("wr0", TransferState.FAILED, "wecom.90501"),
    ]
    group = await wecom.group(chat)
    assert group is not None
    assert group.owner_id == "lilei"
    assert await heard(site, wecom) == []
    (answer,) = await wecom.transfer_groups([chat], "lilei", left=False)
    assert answer.code == "wecom.90504"
    assert (await wecom.transfer_groups([chat], "lucy", left=False))[0].state is TransferState.DONE
    (answer,) = await wecom.transfer_groups([chat], "lilei", left=False)
    assert answer.code == "wecom.40128"


async def test_groups_of_somebody_who_left_are_inherited(site: WeComHarness, wecom: WeComAdapter) -> None:
    chats = [site.play.create_group(CORP_ID, f"群{n}", "HanMeimei", []) for n in range(3)]
    (answer,) = await wecom.transfer_groups([chats[0]], "lilei", left=True)
    assert answer.code == "wecom.90500"
    site.play.member_leaves(CORP_ID, "HanMeimei")
    (answer,) = await wecom.transfer_groups([chats[0]], "lilei", left=False)
    assert answer.code == "wecom.90502"
    site.simulator.settings.groups_moved_per_day = 2
    answers = await wecom.transfer_groups(chats, "lilei", left=True)
    assert [one.state for one in answers] == [TransferState.DONE, TransferState.DONE, TransferState.FAILED]
    assert answers[2].code == "wecom.45009"
    assert sorted((await wecom.group_ids("")).ids) == sorted(
        [(chats[0], "moved"), (chats[1], "moved"), (chats[2], "owner_left")]
    )
    site.play.advance_clock(86_400)
    assert (await wecom.transfer_groups([chats[2]], "lilei", left=True))[0].state is TransferState.DONE
    (answer,) = await wecom.transfer_groups([chats[2]], "lucy", left=True)
    assert answer.code == "wecom.90508"
