"""Conformance of codes, greetings, hand-overs and notices (:mod:`scrm.channel_contacts`): what has an effect and must not have
it twice, nor be believed when it did not happen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from scrm.channel import Adapter, Event, Occurrence
from scrm.channel_contacts import (
    GreetsNewContacts,
    KnowsGroups,
    KnowsRelations,
    MakesContactCodes,
    NoticeCard,
    NotifiesPeople,
    TransferAnswer,
    TransfersRelations,
    TransferState,
)
from scrm.errors import Rejected, RetryLater, Uncertain
from scrm.testing.company import Company
from scrm.testing.contact_checks import only_relation, rejected
from scrm.testing.harness import Harness, SendFault
from scrm.testing.send_checks import check_reason

LOST: tuple[SendFault, ...] = ("drop_after", "broken_answer")
CARD = NoticeCard("新客户", "李雷添加了您", "https://scrm.example.com/customers/1", "查看")
MOST_PAGES = 1000


def welcome_code(events: Sequence[Event]) -> str:
    codes = [str(one.data.get("WelcomeCode", "")) for one in events if isinstance(one, Occurrence)]
    assert any(codes), "a new contact brings a WelcomeCode"
    return codes[0]


async def all_results(
    adapter: TransfersRelations, from_id: str, to_id: str, *, left: bool = False
) -> dict[str, TransferAnswer]:
    found: dict[str, TransferAnswer] = {}
    cursor = ""
    for _ in range(MOST_PAGES):
        page, cursor = await adapter.transfer_results(from_id, to_id, left=left, cursor=cursor)
        found |= {one.external_id: one for one in page}
        if not cursor:
            return found
    pytest.fail("the results never end")


class HandOverChecks:
    # Codes

    async def test_a_code_adds_with_its_source(self, adapter: Adapter, company: Company) -> None:
        if not isinstance(adapter, MakesContactCodes):
            return
        code_id, picture = await adapter.make_code(company.code("flyer"))
        assert picture.startswith(("http://", "https://"))
        contact_id = company.customer("李雷")
        assert company.scans(code_id, contact_id) == company.employee
        if isinstance(adapter, KnowsRelations):
            assert (await only_relation(adapter, contact_id)).source == "flyer"
        assert list(await adapter.codes()) == [(code_id, "flyer")]
        await adapter.change_code(code_id, company.code("poster"))
        assert list(await adapter.codes()) == [(code_id, "poster")]
        for _ in range(2):
            await adapter.delete_code(code_id)
        assert list(await adapter.codes()) == []
        await rejected(lambda: adapter.change_code(code_id, company.code("x")), "a deleted code was changed")

    async def test_a_code_over_a_stated_limit_is_refused(self, adapter: Adapter, company: Company) -> None:
        if not isinstance(adapter, MakesContactCodes):
            return
        longest = "s" * adapter.code_limits["source"]
        code_id, _ = await adapter.make_code(company.code(longest))
        assert dict(await adapter.codes()) == {code_id: longest}, "the source was cut"
        await rejected(lambda: adapter.make_code(company.code(longest + "s")), "too long a source was taken")

    @pytest.mark.parametrize("fault", LOST)
    async def test_a_code_whose_answer_is_lost_is_uncertain_and_found(
        self, adapter: Adapter, company: Company, fault: SendFault
    ) -> None:
        if not isinstance(adapter, MakesContactCodes):
            return
        company.lose_answer("code", fault)
        with pytest.raises(Uncertain) as caught:
            await adapter.make_code(company.code("flyer"))
        check_reason(caught.value)
        assert [source for _, source in await adapter.codes()] == ["flyer"]

    # Greetings

    async def test_a_new_contact_is_greeted_exactly_once(self, adapter: Adapter, company: Company) -> None:
        if not isinstance(adapter, GreetsNewContacts):
            return
        contact_id = company.customer("李雷")
        code = welcome_code(await company.adds(adapter, contact_id))
        await adapter.greet(code, "您好", [])
        with pytest.raises(Rejected) as caught:
            await adapter.greet(code, "您好", [])
        assert caught.value.code == "already_greeted"
        assert list(company.greetings(contact_id)) == ["您好"]

    async def test_a_greeting_that_comes_too_late_is_refused(
        self, adapter: Adapter, company: Company, harness: Harness
    ) -> None:
        if not isinstance(adapter, GreetsNewContacts):
            return
        contact_id = company.customer("李雷")
        code = welcome_code(await company.adds(adapter, contact_id))
        harness.advance(timedelta(seconds=adapter.greeting_seconds + 2))
        with pytest.raises(Rejected) as caught:
            await adapter.greet(code, "您好", [])
        assert caught.value.code == "too_late"
        assert list(company.greetings(contact_id)) == []

    @pytest.mark.parametrize("fault", LOST)
    async def test_a_greeting_whose_answer_is_lost_may_be_repeated(
        self, adapter: Adapter, company: Company, fault: SendFault
    ) -> None:
        if not isinstance(adapter, GreetsNewContacts):
            return
        contact_id = company.customer("李雷")
        code = welcome_code(await company.adds(adapter, contact_id))
        company.lose_answer("greeting", fault)
        with pytest.raises((RetryLater, Uncertain)):
            await adapter.greet(code, "您好", [])
        with pytest.raises(Rejected) as caught:
            await adapter.greet(code, "您好", [])
        assert caught.value.code == "already_greeted"
        assert list(company.greetings(contact_id)) == ["您好"]

    async def test_the_longest_greeting_arrives_and_a_longer_one_costs_nothing(
        self, adapter: Adapter, company: Company
    ) -> None:
        if not isinstance(adapter, GreetsNewContacts):
            return
        contact_id = company.customer("李雷")
        code = welcome_code(await company.adds(adapter, contact_id))
        longest = "a" * adapter.greeting_text_bytes
        await rejected(lambda: adapter.greet(code, longest + "a", []), "too long a greeting was taken")
        await rejected(lambda: adapter.greet(code, "", []), "an empty greeting was taken")
        await adapter.greet(code, longest, [])
        assert list(company.greetings(contact_id)) == [longest], "the greeting was cut"

    # Handing over

    async def test_a_hand_over_waits_and_is_done(self, adapter: Adapter, company: Company) -> None:
        if not isinstance(adapter, TransfersRelations):
            return
        contact_id, stranger = company.customer("李雷"), company.customer("路人")
        company.knows(company.employee, contact_id)
        answers = {
            one.external_id: one
            for one in await adapter.transfer(company.employee, company.colleague, [contact_id, stranger], left=False)
        }
        assert answers[contact_id].state in (TransferState.WAITING, TransferState.DONE)
        assert answers[stranger].state is TransferState.FAILED, "a stranger was handed over"
        reason = answers[stranger].reason
        assert reason is not None
        assert reason.zh
        assert reason.en
        company.days_pass(1.1)
        results = await all_results(adapter, company.employee, company.colleague)
        assert {key: one.state for key, one in results.items()} == {contact_id: TransferState.DONE}
        if isinstance(adapter, KnowsRelations):
            assert (await only_relation(adapter, contact_id)).account.external_id == company.colleague

    async def test_a_refused_hand_over_is_told(self, adapter: Adapter, company: Company) -> None:
        if not isinstance(adapter, TransfersRelations):
            return
        contact_id = company.customer("李雷")
        company.knows(company.employee, contact_id)
        await adapter.transfer(company.employee, company.colleague, [contact_id], left=False)
        company.refuses(contact_id)
        results = await all_results(adapter, company.employee, company.colleague)
        assert results[contact_id].state is TransferState.REFUSED
        if isinstance(adapter, KnowsRelations):
            assert (await only_relation(adapter, contact_id)).account.external_id == company.employee

    @pytest.mark.parametrize("fault", LOST)
    async def test_a_hand_over_whose_answer_is_lost_is_uncertain(
        self, adapter: Adapter, company: Company, fault: SendFault
    ) -> None:
        if not isinstance(adapter, TransfersRelations):
            return
        contact_id = company.customer("李雷")
        company.knows(company.employee, contact_id)
        company.lose_answer("transfer", fault)
        with pytest.raises(Uncertain) as caught:
            await adapter.transfer(company.employee, company.colleague, [contact_id], left=False)
        check_reason(caught.value)
        assert contact_id in await all_results(adapter, company.employee, company.colleague)

    async def test_customers_of_somebody_who_left_are_told_and_taken_over(
        self, adapter: Adapter, company: Company
    ) -> None:
        if not isinstance(adapter, TransfersRelations):
            return
        contact_id = company.customer("李雷")
        company.knows(company.employee, contact_id)
        await rejected(
            lambda: adapter.transfer(company.employee, company.colleague, [contact_id], left=True),
            "somebody who is still there was inherited from",
        )
        company.leaves(company.employee)
        waiting, cursor = await adapter.unassigned("")
        assert [(one.account_id, one.contact_id) for one in waiting] == [(company.employee, contact_id)]
        assert cursor == ""
        await adapter.transfer(company.employee, company.colleague, [contact_id], left=True)
        company.days_pass(1.1)
        results = await all_results(adapter, company.employee, company.colleague, left=True)
        assert results[contact_id].state is TransferState.DONE

    async def test_groups_are_handed_over_one_by_one(self, adapter: Adapter, company: Company) -> None:
        if not isinstance(adapter, TransfersRelations) or not isinstance(adapter, KnowsGroups):
            return
        group_id = company.group("老客户", [])
        answers = await adapter.transfer_groups([group_id, "no-such-group"], company.colleague, left=False)
        assert [(one.external_id, one.state) for one in answers] == [
            (group_id, TransferState.DONE),
            ("no-such-group", TransferState.FAILED),
        ]
        assert answers[1].reason is not None
        group = await adapter.group(group_id)
        assert group is not None
        assert group.owner_id == company.colleague

    # Notices

    async def test_a_notice_reaches_whom_it_can_and_says_whom_not(self, adapter: Adapter, company: Company) -> None:
        if not isinstance(adapter, NotifiesPeople) or not adapter.notifies:
            return
        missed = await adapter.notify([company.employee, "nobody-of-this-name"], CARD)
        assert list(missed) == ["nobody-of-this-name"]
        assert list(company.notices(company.employee)) == [CARD.title]
        assert list(await adapter.notify(["nobody-of-this-name"], CARD)) == ["nobody-of-this-name"]

    @pytest.mark.parametrize("fault", LOST)
    async def test_a_notice_whose_answer_is_lost_may_be_repeated(
        self, adapter: Adapter, company: Company, fault: SendFault
    ) -> None:
        if not isinstance(adapter, NotifiesPeople) or not adapter.notifies:
            return
        company.lose_answer("notice", fault)
        with pytest.raises((RetryLater, Uncertain)):
            await adapter.notify([company.employee], CARD)
        await adapter.notify([company.employee], CARD)
        assert list(company.notices(company.employee)) == [CARD.title], "somebody was notified twice"

    async def test_a_long_notice_is_cut_and_not_refused(self, adapter: Adapter, company: Company) -> None:
        if not isinstance(adapter, NotifiesPeople) or not adapter.notifies:
            return
        await adapter.notify([company.employee], NoticeCard("题" * 1000, "文" * 5000, CARD.url, "按钮" * 20))
        assert len(company.notices(company.employee)) == 1
