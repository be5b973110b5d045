"""May a customer-service message be sent? Section 3: per account and person, with a count of its own for each trigger."""

from __future__ import annotations

from simulator.wechat_oa.errors import Refused
from simulator.wechat_oa.platform import Platform
from simulator.wechat_oa.settings import Trigger
from simulator.wechat_oa.state import Opening, Person


def open_window(platform: Platform, person: Person, trigger: Trigger) -> None:
    """A new act of the person renews the allowance of its kind."""
    person.openings[trigger] = Opening(platform.now)


def opening_for(platform: Platform, person: Person) -> Opening:
    """The opening that this answer uses, its count not yet raised: the one that ends first. Refused with 45015, 45047."""
    alive = sorted(
        (opening.at + platform.settings.window(trigger)[0], trigger)
        for trigger, opening in person.openings.items()
        if platform.now < opening.at + platform.settings.window(trigger)[0]
    )
    if not alive or not person.follows:
        raise Refused(45015)
    for _, trigger in alive:
        opening = person.openings[trigger]
        if opening.used < platform.settings.window(trigger)[1]:
            return opening
    raise Refused(45047)
