"""Employees and their customers while somebody watches: now and then somebody adds an employee, gets a remark or a tag, comes into a
group or leaves it, deletes the employee; mass messages are sent and moments published. Seldom, so that it costs nothing."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable

from simulator.company.contacts import SERVING, TO_COME, TOPICS, userid
from simulator.company.people import CORP_ID, person_id
from simulator.wecom.control import WecomControl
from simulator.wecom.state import Corp, Follow

SLOWER = 6
"""Than the customers who write."""
MOST = 200
"""Acts in one sitting: a demo that is left alone falls asleep."""


class ContactLife:
    def __init__(self, wecom: WecomControl, corp: Callable[[], Corp], chance: random.Random) -> None:
        self._wecom = wecom
        self._corp = corp
        self._chance = chance

    async def run(self, pace: float) -> None:
        if pace <= 0:
            return
        for _ in range(MOST):
            await asyncio.sleep(pace * SLOWER * self._chance.uniform(0.5, 1.5))
            with contextlib.suppress(LookupError, ValueError):  # somebody plays with the platform by hand meanwhile
                self.act()

    def act(self) -> None:
        """One thing happens."""
        acts = (
            self._somebody_adds,
            self._a_remark,
            self._a_tag,
            self._group_life,
            self._a_farewell,
            self._a_post,
            self._a_moment,
        )
        self._chance.choices(acts, weights=(4, 4, 3, 3, 1, 5, 4))[0]()

    def _somebody_adds(self) -> None:
        corp = self._corp()
        fresh = [name for name in TO_COME if person_id("wecom", name) not in corp.customers]
        if not fresh:
            return
        name, login = self._chance.choice(fresh), self._chance.choice(SERVING)
        who = self._wecom.create_customer(CORP_ID, name, person_id("wecom", name))
        ways = [way.config_id for way in corp.contact_ways.values()]
        if ways and self._chance.random() < 0.7:
            self._wecom.customer_scans(CORP_ID, self._chance.choice(ways), who)
        else:
            self._wecom.add_contact(CORP_ID, userid(login), who, state="滨江店海报")

    def _a_post(self) -> None:
        """An employee sends a mass message that the company asked for."""
        waiting = [task for task in self._wecom.mass_tasks(CORP_ID) if not task.confirmed and not task.cancelled]
        if waiting:
            self._wecom.confirm_mass(CORP_ID, self._chance.choice(waiting).msgid)

    def _a_moment(self) -> None:
        """An employee publishes a moment that the company asked for, or customers look at one."""
        made = [(one, mine) for one in self._wecom.moments(CORP_ID) for mine in one.members.values()]
        waiting = [(one, mine) for one, mine in made if not mine.published and not one.cancelled]
        seen = [(one, mine) for one, mine in made if mine.shown]
        if waiting and (not seen or self._chance.random() < 0.6):
            moment, mine = self._chance.choice(waiting)
            self._wecom.publish_moment(CORP_ID, moment.moment_id, mine.userid)
        elif seen:
            moment, mine = self._chance.choice(seen)
            for who in self._chance.sample(mine.shown, min(2, len(mine.shown))):
                self._wecom.like_moment(CORP_ID, moment.moment_id, mine.userid, who)
            if self._chance.random() < 0.4:
                who = self._chance.choice(mine.shown)
                self._wecom.comment_moment(CORP_ID, moment.moment_id, mine.userid, who, self._chance.choice(TOPICS))

    def _a_remark(self) -> None:
        follow = self._somebody()
        if follow is not None:
            name = self._corp().customers[follow.external_userid].nickname
            remark = f"{name}·{self._chance.choice(TOPICS)}"
            self._wecom.member_edits(CORP_ID, follow.userid, follow.external_userid, remark=remark)

    def _a_tag(self) -> None:
        follow = self._somebody()
        tags = [tag.id for group in self._corp().tag_groups.values() for tag in group.tags]
        if follow is not None and tags:
            tag = self._chance.choice(tags)
            change = {"remove_tags" if tag in follow.tag_ids else "add_tags": [tag]}
            self._wecom.member_edits(CORP_ID, follow.userid, follow.external_userid, **change)  # type: ignore[arg-type]

    def _group_life(self) -> None:
        groups = [group for group in self._corp().groups.values() if not group.dissolved]
        follow = self._somebody()
        if not groups or follow is None:
            return
        group, who = self._chance.choice(groups), follow.external_userid
        if any(one.userid == who for one in group.members):
            self._wecom.group_leave(CORP_ID, group.chat_id, [who])
        else:
            self._wecom.group_join(CORP_ID, group.chat_id, [who], scene=3)

    def _a_farewell(self) -> None:
        follow = self._somebody()
        if follow is not None:
            self._wecom.delete_contact(CORP_ID, follow.userid, follow.external_userid, by_customer=True)

    def _somebody(self) -> Follow | None:
        there = [f for follows in self._corp().follows.values() for f in follows.values() if not f.one_sided]
        there = [follow for follow in there if follow.userid.lower() in self._corp().members]
        return self._chance.choice(there) if there else None
