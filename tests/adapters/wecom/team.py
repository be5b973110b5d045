"""The people of the simulated WeCom who send and publish what they are asked to, as the conformance kit drives them."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import datetime

from scrm.channel import Kind
from scrm.channel_contacts import AttachmentKind, GreetingPart
from scrm.testing import Errand, SendFault, outgoing_media
from simulator.faults import Fault
from simulator.wecom.control import WecomControl
from simulator.wecom.state import Corp, MomentOfMember
from tests.adapters.wecom.harness import CONTENTS, FAULTS, FILES, WeComHarness
from tests.adapters.wecom.support import CORP_ID

CALLS: dict[Errand, str] = {
    "ask": "/cgi-bin/externalcontact/add_msg_template",
    "moment": "/cgi-bin/externalcontact/add_moment_task",
}


class WeComTeam:
    member = "hanmeimei"
    colleague = "lilei"

    def __init__(self, harness: WeComHarness) -> None:
        self._harness = harness
        self.play.create_member(CORP_ID, "LiLei", "李雷")

    @property
    def play(self) -> WecomControl:
        return self._harness.play

    @property
    def _corp(self) -> Corp:
        return self._harness.simulator.world.corps[CORP_ID]

    def now(self) -> datetime:
        return self._harness.simulator.clock.now()

    def customer(self, name: str) -> str:
        who = self.play.create_customer(CORP_ID, name)
        self.play.create_follow(CORP_ID, self.member, who)
        return who

    def stranger(self, name: str) -> str:
        return self.play.create_customer(CORP_ID, name)

    def group(self, name: str) -> str:
        return self.play.create_group(CORP_ID, name, self.member, [self._harness.customer])

    def leaves(self, contact_id: str) -> None:
        self._corp.follows[contact_id]["HanMeimei"].one_sided = True

    def part(self, kind: AttachmentKind) -> GreetingPart:
        of = Kind(kind.value)
        file = FILES.get(Kind.IMAGE if of in (Kind.LINK, Kind.MINIPROGRAM) else of)
        assert file is not None
        return GreetingPart(kind, CONTENTS.get(of, {}), outgoing_media(*file))

    def asked(self) -> Sequence[str]:
        return [task.text for task in self._corp.mass_tasks.values()]

    def confirms(self, task_id: str) -> None:
        self.play.confirm_mass(CORP_ID, task_id)

    def got(self, external_id: str) -> Sequence[str]:
        return [task.text for task in self._corp.mass_tasks.values() if task.results.get(external_id) == 1]

    def tag(self, name: str, contact_ids: Sequence[str]) -> str:
        tag = self.play.create_tag_group(CORP_ID, name, [name])[name]
        for one in contact_ids:
            self._corp.follows[one]["HanMeimei"].tag_ids.append(tag)
        return tag

    def posted(self) -> Sequence[str]:
        return [moment.text for moment in self._corp.moments.values()]

    def publishes(self, moment_id: str, account_id: str) -> None:
        with contextlib.suppress(ValueError):  # taken back
            self.play.publish_moment(CORP_ID, moment_id, account_id)

    def sees(self, contact_id: str) -> Sequence[str]:
        def shown(of: MomentOfMember) -> bool:
            return contact_id in of.shown

        return [one.text for one in self._corp.moments.values() if any(map(shown, one.members.values()))]

    def likes(self, moment_id: str, account_id: str, who: str) -> None:
        self.play.like_moment(CORP_ID, moment_id, account_id, who)

    def comments(self, moment_id: str, account_id: str, who: str) -> None:
        self.play.comment_moment(CORP_ID, moment_id, account_id, who, "真好看")

    def lose_answer(self, errand: Errand, fault: SendFault) -> None:
        self._harness.simulator.faults.add(Fault(FAULTS[fault], CALLS[errand]))

    def throttle(self, errand: Errand) -> None:
        self._harness.simulator.faults.add(Fault("refuse", CALLS[errand], code=45009))
