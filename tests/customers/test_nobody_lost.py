"""Whatever people do with owners, in any order: every customer has an owner who works here, lies in the pool, or is known from a
conversation; undoing restores the very state; and the history tells of each owner."""

from __future__ import annotations

import contextlib
import random
from typing import Any

import pytest

from customers.handover.run import HandingOver
from customers.owner_undo import remember_given, restore_owners
from customers.owning import give, give_each
from customers.pool.claim import claim
from customers.pool.due import recompute
from customers.pool.fall import take_due, warn_due
from customers.sharing import share
from scrm.errors import Conflict
from scrm.movers import MOVERS
from scrm.permissions import OF_ROLE, Principal
from tests.customers.test_handover import LOST
from tests.customers.test_owning import customer
from tests.http.site import Browser, Site

STATE = "select id, owner_id, owned_at, pooled_at, pool_reason, readers, writers from customer order by id"
# Who the history says has a customer is who has them.
CONTRADICTED = """
select count(*) from customer u join lateral (
  select h.to_id from owner_history h where h.customer_id = u.id order by h.id desc limit 1) h on true
where h.to_id is distinct from u.owner_id
"""


def principal_of(agent_id: int) -> Principal:
    return Principal(agent_id, f"a{agent_id}", "", "admin", OF_ROLE["admin"], "all", "zh-CN", (), None, None)


class Office:
    """Random acts of several people on forty customers."""

    def __init__(self, site: Site, admin: Browser, chance: random.Random, people: list[int], ids: list[int]) -> None:
        self.site, self.admin, self.chance, self.people, self.ids = site, admin, chance, people, ids
        self.handovers = 0

    def some(self) -> list[int]:
        return self.chance.sample(self.ids, self.chance.randint(1, 8))

    async def act(self) -> None:
        name = self.chance.choice(("give", "drop", "claim", "each", "share", "undone", "fall", "leave"))
        await getattr(self, name)()

    async def give(self) -> None:
        async with self.site.services.work() as work:
            await give(work, self.some(), self.chance.choice(self.people), "given", self.people[0])

    async def drop(self) -> None:
        async with self.site.services.work() as work:
            await give(work, self.some(), None, "dropped", self.people[0], "无需求")

    async def claim(self) -> None:
        async with self.site.services.work() as work:
            await claim(work, self.chance.choice(self.people), self.some())

    async def each(self) -> None:
        async with self.site.services.work() as work:
            wanted = {one: self.chance.choice([*self.people, None]) for one in self.some()}
            await give_each(work, wanted, "distributed", self.people[0])

    async def share(self) -> None:
        async with self.site.services.work() as work:
            access: Any = self.chance.choice(("read", "write", "none"))
            await share(work, principal_of(self.people[0]), self.some(), [self.chance.choice(self.people)], access)

    async def undone(self) -> None:
        """Something is done and taken back at once: the very state from before."""
        before = [tuple(row) for row in await self.site.services.db.fetch(STATE)]
        me = principal_of(self.people[0])
        async with self.site.services.work() as work:
            given = await give(work, self.some(), self.chance.choice([*self.people, None]), "given", me.agent_id)
            step = await remember_given(work, me, given)
        if step is not None:
            data = await self.site.services.db.fetchval("select data from undo_step where id = $1", step.id)
            async with self.site.services.work() as work:
                await restore_owners(work, me, data)
        after = [tuple(row) for row in await self.site.services.db.fetch(STATE)]
        assert after == before

    async def fall(self) -> None:
        """Some have not been followed up for long."""
        async with self.site.services.work() as work:
            ids = self.some()
            await work.tx.execute(
                "update customer set owned_at = now() - interval '90 days', created_at = now() - interval '90 days', "
                "followed_at = null, stage_at = null where id = any($1) and owner_id is not null", ids,
            )  # fmt: skip
            await recompute(work, ids)
        async with self.site.services.work() as work:
            await warn_due(work)
            await take_due(work)

    async def leave(self) -> None:
        """Somebody leaves, is locked out, and comes back."""
        leaver, taker = self.chance.sample(self.people[1:], 2)
        self.handovers += 1
        browser = self.admin
        body = {
            "kind": "leaving", "from_agent_id": leaver, "taker_ids": [taker], "disable": True,
            "client_token": f"handover-{self.handovers}",
        }  # fmt: skip
        await browser.post("/api/handovers", body, status=201)
        worker = HandingOver(self.site.services, MOVERS)
        while await worker.round():
            pass
        assert await self.site.services.db.fetchval("select disabled_at is not null from agent where id = $1", leaver)
        assert await self.site.services.db.fetchval(LOST) == 0
        assert (await browser.call("PATCH", f"/api/agents/{leaver}", json={"disabled": False}))[0] == 200


@pytest.mark.parametrize("seed", range(5))
async def test_nobodys_customer_is_ever_lost(site: Site, seed: int) -> None:
    chance = random.Random(seed)
    admin = await site.signed_in("admin")
    people = [admin.me["agent"]["id"], *[await site.agent("rep") for _ in range(4)]]
    await admin.post("/api/rules/pool", {"name": "30 天", "data": {"days": 30, "warn_days": 0}}, status=201)
    ids = [await customer(site, chance.choice(people)) for _ in range(20)]
    ids += [await customer(site, pooled=True) for _ in range(10)]
    account = await site.account(await site.connection())
    for _ in range(10):
        await site.conversation(account)
    ids += [row["id"] for row in await site.services.db.fetch("select id from customer where not id = any($1)", ids)]
    office = Office(site, admin, chance, people, ids)
    for _ in range(30):
        with contextlib.suppress(Conflict):  # An undo that found nothing as it was left.
            await office.act()
        assert await site.services.db.fetchval(LOST) == 0
        assert await site.services.db.fetchval(CONTRADICTED) == 0
    assert await site.services.db.fetchval("select count(*) from customer") == 40
