"""The conformance kit finds adapters that are broken on purpose in an ability of ``scrm.channel_contacts``, one promise each; the
check of that promise must fail, and passes on the adapter that keeps it (``test_contract.py``)."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from adapters.wecom.adapter import WeComAdapter
from scrm.channel import AccountRef, Event, Occurrence, Raw
from scrm.channel_contacts import (
    CodeSpec,
    CustomerGroup,
    GreetingPart,
    GroupIdPage,
    Member,
    NoticeCard,
    PlatformTagGroup,
    RelationChange,
    RelationPage,
    TransferAnswer,
    TransferState,
    Unassigned,
)
from scrm.errors import Rejected, RetryLater, Uncertain
from scrm.testing import ChannelContract
from tests.adapters.wecom.company import WeComCompany
from tests.adapters.wecom.harness import WeComHarness


class Wrapped(WeComAdapter):
    """The true adapter's methods, to be spoilt one at a time."""

    def __init__(self, true: WeComAdapter) -> None:
        self.__dict__.update(true.__dict__)


class WritesIdsAsTheyCome(Wrapped):
    async def members(self) -> Sequence[Member]:
        return [replace(one, external_id=one.external_id.upper()) for one in await super().members()]


class ForgetsWhoServes(Wrapped):
    async def members(self) -> Sequence[Member]:
        return [replace(one, serves=False) for one in await super().members()]


class ReadsTheFirstPageOnly(Wrapped):
    async def relations(self, account_ids: Sequence[str], cursor: str) -> RelationPage:
        return replace(await super().relations(account_ids, cursor), cursor="")


class NeverEnds(Wrapped):
    async def relations(self, account_ids: Sequence[str], cursor: str) -> RelationPage:
        return replace(await super().relations(account_ids, cursor), cursor="again")


class LosesTheSource(Wrapped):
    async def relations_of(self, contact_id: str) -> RelationPage:
        page = await super().relations_of(contact_id)
        return replace(page, relations=[replace(one, source="") for one in page.relations])


class RaisesForStrangers(Wrapped):
    async def relations_of(self, contact_id: str) -> RelationPage:
        page = await super().relations_of(contact_id)
        if not page.relations:
            raise KeyError(contact_id)
        return page


class NamesTheAccountOtherwise(Wrapped):
    def parse(self, raw: Raw) -> Sequence[Event]:
        return [
            replace(one, account=AccountRef("wecom_member", "HanMeimei"))
            if isinstance(one, Occurrence) and one.account is not None
            else one
            for one in super().parse(raw)
        ]


class ForgetsDeletions(Wrapped):
    def parse(self, raw: Raw) -> Sequence[Event]:
        return [
            replace(one, name="contact.edited") if isinstance(one, Occurrence) else one for one in super().parse(raw)
        ]


class EmptiesWhatIsNotSaid(Wrapped):
    async def describe(self, account_id: str, contact_id: str, change: RelationChange) -> None:
        await super().describe(account_id, contact_id, replace(change, remark=change.remark or ""))


class CannotClearPhones(Wrapped):
    async def describe(self, account_id: str, contact_id: str, change: RelationChange) -> None:
        await super().describe(account_id, contact_id, replace(change, phones=change.phones or None))


class CutsRemarks(Wrapped):
    async def describe(self, account_id: str, contact_id: str, change: RelationChange) -> None:
        short = None if change.remark is None else change.remark[:20]
        await super().describe(account_id, contact_id, replace(change, remark=short))


class StatesLongRemarks(Wrapped):
    relation_limits: Mapping[str, int] = {"remark": 40, "description": 150, "company": 20, "phones": 5}


class WritesToNobody(Wrapped):
    async def describe(self, account_id: str, contact_id: str, change: RelationChange) -> None:
        return


class NeverRemovesTags(Wrapped):
    async def mark(self, account_id: str, contact_id: str, add: Sequence[str], remove: Sequence[str]) -> None:
        await super().mark(account_id, contact_id, add, [])


class MakesGroupsAgain(Wrapped):
    async def add_tags(
        self, *, group_id: str, group_name: str, names: Sequence[str], orders: Sequence[int] = ()
    ) -> PlatformTagGroup:
        body = {"group_name": group_name, "tag": [{"name": name} for name in names]}
        made = (await self._client.post("externalcontact/add_corp_tag", body))["tag_group"]
        return PlatformTagGroup(made["group_id"], group_name, [])


class MindsWhatIsGone(Wrapped):
    async def delete_tags(self, *, tag_ids: Sequence[str] = (), group_ids: Sequence[str] = ()) -> None:
        body = {"tag_id": list(tag_ids), "group_id": list(group_ids)}
        await self._client.post("externalcontact/del_corp_tag", body)


class ShowsDissolvedGroups(Wrapped):
    async def group(self, external_id: str) -> CustomerGroup | None:
        found = await super().group(external_id)
        return found or CustomerGroup(external_id, "", "", [])


class IgnoresOwners(Wrapped):
    async def group_ids(self, cursor: str, *, owner_ids: Sequence[str] = ()) -> GroupIdPage:
        return await super().group_ids(cursor)


class LosesTheCodesSource(Wrapped):
    async def make_code(self, spec: CodeSpec) -> tuple[str, str]:
        return await super().make_code(replace(spec, source=""))


class RepeatsAnUncertainCode(Wrapped):
    async def make_code(self, spec: CodeSpec) -> tuple[str, str]:
        try:
            return await super().make_code(spec)
        except Uncertain:
            return await super().make_code(spec)


class SaysNothingWasMade(Wrapped):
    async def make_code(self, spec: CodeSpec) -> tuple[str, str]:
        try:
            return await super().make_code(spec)
        except Uncertain as error:
            raise RetryLater(error.code, error.reason) from None


class ForgetsCodes(Wrapped):
    async def codes(self, *, since: datetime | None = None) -> Sequence[tuple[str, str]]:
        return []


class NeverGreets(Wrapped):
    async def greet(self, welcome_code: str, text: str, parts: Sequence[GreetingPart]) -> None:
        return


class ThinksItGreeted(Wrapped):
    async def greet(self, welcome_code: str, text: str, parts: Sequence[GreetingPart]) -> None:
        try:
            await super().greet(welcome_code, text, parts)
        except Rejected:
            return


class CutsGreetings(Wrapped):
    async def greet(self, welcome_code: str, text: str, parts: Sequence[GreetingPart]) -> None:
        await super().greet(welcome_code, text[:100], parts)


class KeepsThePlatformsCode(Wrapped):
    async def greet(self, welcome_code: str, text: str, parts: Sequence[GreetingPart]) -> None:
        try:
            await super().greet(welcome_code, text, parts)
        except Rejected as error:
            raise Rejected("wecom.41051", error.reason) from None


class BelievesInEveryTransfer(Wrapped):
    async def transfer(
        self, from_id: str, to_id: str, contact_ids: Sequence[str], *, left: bool, text: str = ""
    ) -> Sequence[TransferAnswer]:
        answers = await super().transfer(from_id, to_id, contact_ids, left=left, text=text)
        return [TransferAnswer(one.external_id, TransferState.WAITING) for one in answers]


class NeverTransfers(Wrapped):
    async def transfer(
        self, from_id: str, to_id: str, contact_ids: Sequence[str], *, left: bool, text: str = ""
    ) -> Sequence[TransferAnswer]:
        return [TransferAnswer(one, TransferState.WAITING) for one in contact_ids]


class SaysNothingWasHandedOver(Wrapped):
    async def transfer(
        self, from_id: str, to_id: str, contact_ids: Sequence[str], *, left: bool, text: str = ""
    ) -> Sequence[TransferAnswer]:
        try:
            return await super().transfer(from_id, to_id, contact_ids, left=left, text=text)
        except Uncertain as error:
            raise RetryLater(error.code, error.reason) from None


class ReadsNoRefusals(Wrapped):
    async def transfer_results(
        self, from_id: str, to_id: str, *, left: bool, cursor: str
    ) -> tuple[Sequence[TransferAnswer], str]:
        answers, following = await super().transfer_results(from_id, to_id, left=left, cursor=cursor)
        return [replace(one, state=TransferState.WAITING) for one in answers], following


class ForgetsWhoWaits(Wrapped):
    async def unassigned(self, cursor: str) -> tuple[Sequence[Unassigned], str]:
        return [], ""


class BelievesInEveryGroup(Wrapped):
    async def transfer_groups(self, group_ids: Sequence[str], to_id: str, *, left: bool) -> Sequence[TransferAnswer]:
        await super().transfer_groups(group_ids, to_id, left=left)
        return [TransferAnswer(one, TransferState.DONE) for one in group_ids]


class ReachesEverybody(Wrapped):
    async def notify(self, person_ids: Sequence[str], card: NoticeCard) -> Sequence[str]:
        await super().notify(person_ids, card)
        return []


class NotifiesTwice(Wrapped):
    async def notify(self, person_ids: Sequence[str], card: NoticeCard) -> Sequence[str]:
        await super().notify(person_ids, card)
        return await super().notify(person_ids, replace(card, text=card.text + " "))


class MindsLongCards(Wrapped):
    async def notify(self, person_ids: Sequence[str], card: NoticeCard) -> Sequence[str]:
        if len(card.title) > 128:
            raise ValueError("too long")
        return await super().notify(person_ids, card)


C = ChannelContract
LOST = {"fault": "drop_after"}
BROKEN: list[tuple[type[Wrapped], Callable[..., Any], dict[str, Any]]] = [
    (WritesIdsAsTheyCome, C.test_the_directory_tells_everybody_once, {}),
    (ForgetsWhoServes, C.test_the_directory_tells_everybody_once, {}),
    (ReadsTheFirstPageOnly, C.test_every_relation_is_told_once, {}),
    (NeverEnds, C.test_every_relation_is_told_once, {}),
    (LosesTheSource, C.test_a_new_contact_is_told_and_found, {}),
    (NamesTheAccountOtherwise, C.test_a_new_contact_is_told_and_found, {}),
    (RaisesForStrangers, C.test_a_stranger_has_no_relations, {}),
    (RaisesForStrangers, C.test_a_contact_that_the_employee_deleted_is_gone, {}),
    (ForgetsDeletions, C.test_who_deleted_whom_is_told, {}),
    (EmptiesWhatIsNotSaid, C.test_what_is_written_is_read_and_the_rest_stays, {}),
    (CannotClearPhones, C.test_what_is_written_is_read_and_the_rest_stays, {}),
    (CutsRemarks, C.test_the_longest_texts_are_taken_and_longer_ones_refused, {}),
    (StatesLongRemarks, C.test_the_longest_texts_are_taken_and_longer_ones_refused, {}),
    (WritesToNobody, C.test_nothing_is_written_where_there_is_no_relation, {}),
    (NeverRemovesTags, C.test_tags_are_put_on_and_taken_off, {}),
    (MakesGroupsAgain, C.test_the_tag_library_can_be_kept, {}),
    (MindsWhatIsGone, C.test_the_tag_library_can_be_kept, {}),
    (ShowsDissolvedGroups, C.test_groups_are_told_with_everybody_in_them, {}),
    (IgnoresOwners, C.test_groups_are_told_with_everybody_in_them, {}),
    (LosesTheCodesSource, C.test_a_code_adds_with_its_source, {}),
    (LosesTheCodesSource, C.test_a_code_over_a_stated_limit_is_refused, {}),
    (RepeatsAnUncertainCode, C.test_a_code_whose_answer_is_lost_is_uncertain_and_found, LOST),
    (SaysNothingWasMade, C.test_a_code_whose_answer_is_lost_is_uncertain_and_found, LOST),
    (ForgetsCodes, C.test_a_code_whose_answer_is_lost_is_uncertain_and_found, LOST),
    (NeverGreets, C.test_a_new_contact_is_greeted_exactly_once, {}),
    (ThinksItGreeted, C.test_a_new_contact_is_greeted_exactly_once, {}),
    (ThinksItGreeted, C.test_a_greeting_that_comes_too_late_is_refused, {}),
    (KeepsThePlatformsCode, C.test_a_greeting_whose_answer_is_lost_may_be_repeated, LOST),
    (CutsGreetings, C.test_the_longest_greeting_arrives_and_a_longer_one_costs_nothing, {}),
    (BelievesInEveryTransfer, C.test_a_hand_over_waits_and_is_done, {}),
    (NeverTransfers, C.test_a_hand_over_waits_and_is_done, {}),
    (NeverTransfers, C.test_customers_of_somebody_who_left_are_told_and_taken_over, {}),
    (ReadsNoRefusals, C.test_a_refused_hand_over_is_told, {}),
    (SaysNothingWasHandedOver, C.test_a_hand_over_whose_answer_is_lost_is_uncertain, LOST),
    (ForgetsWhoWaits, C.test_customers_of_somebody_who_left_are_told_and_taken_over, {}),
    (BelievesInEveryGroup, C.test_groups_are_handed_over_one_by_one, {}),
    (ReachesEverybody, C.test_a_notice_reaches_whom_it_can_and_says_whom_not, {}),
    (NotifiesTwice, C.test_a_notice_whose_answer_is_lost_may_be_repeated, LOST),
    (MindsLongCards, C.test_a_long_notice_is_cut_and_not_refused, {}),
]


@pytest.mark.parametrize(("broken", "check", "more"), BROKEN, ids=lambda value: getattr(value, "__name__", ""))
async def test_the_kit_notices(
    site: WeComHarness, broken: type[Wrapped], check: Callable[..., Any], more: dict[str, Any]
) -> None:
    given = {"adapter": broken(site.connect()), "harness": site, "company": WeComCompany(site), **more}
    arguments = {name: given[name] for name in inspect.signature(check).parameters if name != "self"}
    with pytest.raises(
        (AssertionError, pytest.fail.Exception, LookupError, ValueError, RetryLater, Uncertain, Rejected)
    ):
        await check(ChannelContract(), **arguments)
