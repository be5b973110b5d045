"""The people and customers of the simulated WeCom, as the conformance kit drives them."""

from __future__ import annotations

from collections.abc import Sequence

from scrm.channel import Adapter, Event, Raw, Verified
from scrm.channel_contacts import CodeSpec
from scrm.testing import Act, SendFault
from simulator.faults import Fault
from simulator.wecom.control import WecomControl
from tests.adapters.wecom.harness import FAULTS, WeComHarness
from tests.adapters.wecom.support import CORP_ID, NOW

CALLS: dict[Act, str] = {
    "code": "/cgi-bin/externalcontact/add_contact_way",
    "greeting": "/cgi-bin/externalcontact/send_welcome_msg",
    "transfer": "/cgi-bin/externalcontact/transfer_customer",
    "notice": "/cgi-bin/message/send",
}


class WeComCompany:
    employee = "hanmeimei"
    colleague = "lilei"

    def __init__(self, harness: WeComHarness) -> None:
        self._harness = harness
        self.play.create_member(CORP_ID, "LiLei", "李雷")

    @property
    def play(self) -> WecomControl:
        return self._harness.play

    def customer(self, name: str) -> str:
        return self.play.create_customer(CORP_ID, name)

    def knows(self, account_id: str, contact_id: str) -> None:
        self.play.create_follow(CORP_ID, account_id, contact_id)

    async def adds(self, adapter: Adapter, contact_id: str, *, source: str = "") -> Sequence[Event]:
        self.play.add_contact(CORP_ID, self.employee, contact_id, state=source)
        return await self._heard(adapter)

    async def edits(self, adapter: Adapter, contact_id: str, remark: str) -> Sequence[Event]:
        self.play.member_edits(CORP_ID, self.employee, contact_id, remark=remark)
        return await self._heard(adapter)

    async def deletes(self, adapter: Adapter, contact_id: str, *, by_contact: bool) -> Sequence[Event]:
        self.play.delete_contact(CORP_ID, self.employee, contact_id, by_customer=by_contact)
        return await self._heard(adapter)

    async def _heard(self, adapter: Adapter) -> Sequence[Event]:
        verified = adapter.verify(await self._harness.next_callback())
        assert isinstance(verified, Verified)
        return adapter.parse(Raw("webhook", verified.raw, NOW))

    def scans(self, code_id: str, contact_id: str) -> str:
        return self.play.customer_scans(CORP_ID, code_id, contact_id).lower()

    def greetings(self, contact_id: str) -> Sequence[str]:
        return [one.text for one in self.play.greetings(CORP_ID, external_userid=contact_id)]

    def tag_of_others(self, group: str, name: str) -> str:
        return self.play.create_tag_group(CORP_ID, group, [name])[name]

    def group(self, name: str, contact_ids: Sequence[str]) -> str:
        return self.play.create_group(CORP_ID, name, self.employee, list(contact_ids))

    def dissolves(self, group_id: str) -> None:
        self.play.dissolve_group(CORP_ID, group_id)

    def leaves(self, account_id: str) -> None:
        self.play.member_leaves(CORP_ID, account_id)

    def refuses(self, contact_id: str) -> None:
        self.play.answer_transfer(CORP_ID, contact_id, accepts=False)

    def days_pass(self, days: float) -> None:
        self.play.advance_clock(days * 86_400)

    def notices(self, person_id: str) -> Sequence[str]:
        return [str(message.body["title"]) for message in self.play.member_messages(CORP_ID, person_id)]

    def lose_answer(self, act: Act, fault: SendFault) -> None:
        self._harness.simulator.faults.add(Fault(FAULTS[fault], CALLS[act]))

    def code(self, source: str) -> CodeSpec:
        return CodeSpec([self.employee], source)
