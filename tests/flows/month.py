"""A month in the life of a company on a virtual clock: who adds, edits, tags, leaves and hands over is drawn by a seed, so that a run
that fails can be run again. Every act is done where it is done in life: by customers and employees on the platform, or here."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from customers.identity.acts import merge_by_hand, split_by_hand
from customers.identity.views import CustomerMergeInput, SplitInput
from customers.sync.describe import RelationInput, describe
from customers.tags import change_tags
from inbox.contacts import contacts_renamed
from scrm.errors import ApiError
from tests.company import CORP
from tests.customers.platform import Office

DAYS = 30
HOURS = (9, 11, 14, 17)


@dataclass(slots=True)
class Month:
    site: Office
    reps: int
    size: int
    lossy: bool
    dice: random.Random
    userids: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    """Customers who have not met us yet."""
    chats: list[str] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    """Ids there by name."""
    left: list[str] = field(default_factory=list)

    @property
    def play(self) -> Any:
        return self.site.play

    async def begins(self) -> None:
        """The reps, the first customers, the tags; and the first comparison."""
        await self.site.hire("boss", role="manager")
        for n in range(self.reps):
            await self.site.hire(f"rep{n}")
            self.userids.append(f"rep{n}")
        # Every tenth is known under one union id by two platform identities: they are one customer.
        self.waiting = [
            self.play.create_customer(CORP, f"客户{n}", unionid=f"u{n - n % 10}" if n % 10 in (0, 1) else "")
            for n in range(self.size)
        ]
        self.dice.shuffle(self.waiting)
        self.tags = {
            **self.play.create_tag_group(CORP, "意向", ["高", "中", "低"]),
            **self.play.create_tag_group(CORP, "行业", ["家居", "餐饮", "教育", "零售"]),
        }
        for _ in range(self.size // 3):
            self.play.create_follow(CORP, self._rep(), self.waiting.pop(), tag_ids=self._some_tags())
        self.chats = [self.play.create_group(CORP, f"群{n}", self._rep(), self._known(6)) for n in range(self.reps)]
        await self.site.compare()

    async def goes_by(self) -> None:
        for day in range(1, DAYS + 1):
            for hour in HOURS:
                self.site.clock.advance(3600.0 * (hour % 3 + 1))
                await self._an_hour(day)
                await self.site.settle()
            if day in (10, 18):
                await self._somebody_leaves()
            if day in (12, 20):
                await self._customers_are_handed_over()
            if day == 15:
                self.play.member_changes(CORP, self.userids[1], status=2)
            await self.site.settle()
            self.site.clock.advance(3600.0 * 8)
            if self.lossy:
                await self.site.compare()

    async def _an_hour(self, day: int) -> None:
        number = max(self.size // (DAYS * len(HOURS) * 2), 3)
        for _ in range(number):
            self._mischief()
            if self.waiting:
                self.play.add_contact(
                    CORP, self._rep(), self.waiting.pop(), state=self.dice.choice(["", "展会", "官网"])
                )
        for _ in range(number):
            self._mischief()
            await self._one_act()
        self.play.clear_mischief()

    def _mischief(self) -> None:
        """Callbacks come twice now and then; with losses, one in five does not come at all."""
        chance = self.dice.random()
        if self.lossy and chance < 0.2:
            self.play.add_mischief("drop", times=1)
        elif chance > 0.95:
            self.play.add_mischief("duplicate", times=1)
        elif chance > 0.9:
            self.play.add_mischief("reorder", times=2)

    async def _one_act(self) -> None:
        follow = self._follow()
        if follow is None:
            return
        self.site.clock.advance(1)
        act = self.dice.choice(
            ["edit", "edit", "tag", "tag", "untag", "delete", "leave", "tag here", "tag here", "untag here", "describe",
             "join", "quit", "second", "merge", "split", "rename tag"]
        )  # fmt: skip
        who, userid = follow.external_userid, follow.userid
        if act == "edit":
            number = self.dice.randrange(10**6)
            self.play.member_edits(CORP, userid, who, remark=f"备注{number}", phones=[f"138{number:08d}"])
        elif act == "tag":
            self.play.member_edits(CORP, userid, who, add_tags=self._some_tags())
        elif act == "untag":
            self.play.member_edits(CORP, userid, who, remove_tags=follow.tag_ids[:1])
        elif act == "delete":
            self.play.delete_contact(CORP, userid, who)
        elif act == "leave" and not follow.one_sided:
            self.play.delete_contact(CORP, userid, who, by_customer=True)
        elif act in ("tag here", "untag here"):
            await self._tags_here(who, add=act == "tag here")
        elif act == "describe":
            await self._describes(f"{who}/{userid.lower()}")
        elif act == "join":
            self.play.group_join(CORP, self.dice.choice(self.chats), [who])
        elif act == "quit":
            self.play.group_leave(CORP, self.dice.choice(self.chats), [who])
        elif act == "second":
            self.play.add_contact(CORP, self._rep(), who)
        elif act in ("merge", "split"):
            await self._identity(act, who)
        elif act == "rename tag":
            self.play.people_change_tag(CORP, self.tags["教育"], name=f"教育{self.dice.randrange(1000)}")

    async def _tags_here(self, who: str, *, add: bool) -> None:
        db = self.site.db
        customer_id = await db.fetchval("select customer_id from contact where external_id = $1", who)
        tag = await db.fetchval(
            "select id from tag where archived_at is null order by md5(id::text || $1) limit 1", who
        )
        if customer_id is not None and tag is not None:
            async with self.site.services.work() as work:
                await change_tags(work, None, [customer_id], [tag] if add else [], [] if add else [tag])

    async def _describes(self, key: str) -> None:
        link = (await self.site.links()).get(key)
        if link is not None and link["state"] == "active":
            change = RelationInput(remark=f"我们写的{self.dice.randrange(1000)}")
            async with self.site.services.work() as work:
                await describe(work, self._boss, self.site.services.connections, link["id"], change, address="")

    async def _identity(self, act: str, who: str) -> None:
        """Two customers become one by hand, or a contact goes away from its customer."""
        rows = await self.site.db.fetch(
            "select k.id, k.customer_id, (select count(*) from contact o where o.customer_id = k.customer_id) as n from contact k "
            "where k.external_id = $1 or md5(k.external_id) > md5($1) order by k.external_id <> $1, md5(k.external_id) limit 2", who
        )  # fmt: skip
        try:
            async with self.site.services.work() as work:
                if act == "merge" and len(rows) == 2 and rows[0]["customer_id"] != rows[1]["customer_id"]:
                    what = CustomerMergeInput(into=rows[0]["customer_id"], ids=[rows[1]["customer_id"]])
                    await merge_by_hand(work, self._boss, what, contacts_renamed, "")
                elif act == "split" and rows and rows[0]["n"] > 1:
                    apart = SplitInput(contact_ids=[rows[0]["id"]])
                    await split_by_hand(work, self._boss, rows[0]["customer_id"], apart, contacts_renamed, "")
        except ApiError:
            return

    async def _somebody_leaves(self) -> None:
        gone = self.userids.pop()
        self.left.append(gone)
        self.play.member_leaves(CORP, gone)

    async def _customers_are_handed_over(self) -> None:
        """Half of what the last leaver had goes to a colleague; it takes a day."""
        adapter = (await self.site.services.connections.get(self.site.connection_id)).adapter
        corp = self.site.wecom.world.corps[CORP]
        theirs = [who for who, follows in corp.follows.items() if self.left[-1] in follows]
        some = theirs[: min(len(theirs) // 2, 100)]
        if some:
            await adapter.transfer(self.left[-1], self.userids[0], some, left=True)  # type: ignore[attr-defined]

    @property
    def _boss(self) -> Any:
        return self.site.agents["boss"]

    def _rep(self) -> str:
        return self.dice.choice(self.userids)

    def _some_tags(self) -> list[str]:
        return self.dice.sample(sorted(self.tags.values()), self.dice.randrange(1, 3))

    def _known(self, number: int) -> list[str]:
        known = sorted(self.site.wecom.world.corps[CORP].follows)
        return self.dice.sample(known, min(number, len(known)))

    def _follow(self) -> Any:
        """A relation of somebody who works here."""
        corp = self.site.wecom.world.corps[CORP]
        for who in self._known(20):
            here = [one for one in corp.follows[who].values() if one.userid.lower() in corp.members]
            if here:
                return self.dice.choice(here)
        return None
