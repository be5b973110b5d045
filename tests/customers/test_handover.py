"""Handing over: everything of somebody who leaves, a part, a banned account; killed in the middle, and handed back."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from customers.handover.asking import Asking
from customers.handover.run import HandingOver
from scrm.movers import MOVERS
from scrm.services import Services
from tests.customers.fake_transfers import FakeTransfers, put_in
from tests.customers.test_owning import customer, me, owner_of
from tests.http.site import Browser, Site

LOST = """
select count(*) from customer u left join agent a on a.id = u.owner_id
where u.merged_into is null and u.deleted_at is null and (a.disabled_at is not null
  or (u.owner_id is null and u.pooled_at is null and not exists (
    select from contact k join conversation c on c.contact_id = k.id where k.customer_id = u.id)))
"""


async def drain(services: Services) -> None:
    """What the loop does, until there is nothing to do."""
    worker = HandingOver(services, MOVERS)
    while await worker.round():
        pass


async def begin(browser: Browser, once: str = "0123456789", **body: Any) -> dict[str, Any]:
    made: dict[str, Any] = await browser.post("/api/handovers", {"client_token": once, **body}, status=201)
    return made


def counts(handover: dict[str, Any]) -> dict[tuple[str, str], int]:
    return {(one["kind"], one["state"]): one["count"] for one in handover["counts"]}


async def furnish(site: Site, agent_id: int, *, customers: int = 4) -> dict[str, list[int]]:
    """Customers of somebody, each with a conversation; an open task and an answer that leaves later for the first two."""
    account = await site.account(await site.connection())
    db = site.services.db
    things: dict[str, list[int]] = {"customers": [], "conversations": [], "tasks": [], "scheduled": []}
    for n in range(customers):
        status = "closed" if n == 1 else "open"
        conversation = await site.conversation(account, assignee_id=agent_id, status=status)
        one = await db.fetchval(
            "update customer set owner_id = $2, owned_at = now() where id = (select k.customer_id from contact k "
            "join conversation c on c.contact_id = k.id where c.id = $1) returning id", conversation, agent_id,
        )  # fmt: skip
        things["customers"].append(one)
        things["conversations"].append(conversation)
        if n < 2:
            task = await db.fetchval(
                "insert into task (customer_id, agent_id, text, due_at, created_at, updated_at) "
                "values ($1, $2, '回访', now(), now(), now()) returning id", one, agent_id,
            )  # fmt: skip
            scheduled = await db.fetchval(
                "insert into scheduled_message (conversation_id, agent_id, client_token, due_at, parts, created_at, updated_at) "
                "values ($1, $2, $3, now() + interval '1 day', '[]', now(), now()) returning id",
                conversation, agent_id, f"token{n}",
            )  # fmt: skip
            things["tasks"].append(task)
            things["scheduled"].append(scheduled)
    return things


async def holders(site: Site, things: dict[str, list[int]]) -> dict[str, list[int | None]]:
    column = {
        "customers": "owner_id from customer", "conversations": "assignee_id from conversation",
        "tasks": "agent_id from task", "scheduled": "agent_id from scheduled_message",
    }  # fmt: skip
    return {
        name: [
            row[0]
            for row in await site.services.db.fetch(
                f"select {column[name]} where id = any($1::bigint[]) order by id", ids
            )
        ]
        for name, ids in things.items()
    }


async def test_who_leaves_hands_everything_over_in_one_step_and_is_locked_out(site: Site) -> None:
    admin = await site.signed_in("admin")
    leaver, first, second = await site.signed_in("rep"), await site.signed_in("rep"), await site.agent("rep")
    things = await furnish(site, me(leaver))
    body = {"kind": "leaving", "from_agent_id": me(leaver), "taker_ids": [me(first), second]}
    plan = await admin.post("/api/handovers/preview", body)
    expected = {"customers": 4, "conversations": 4, "tasks": 2, "scheduled": 2, "relations": 0, "groups": 0}
    assert {name: plan["total"][name] for name in expected} == expected
    assert [(one["agent_id"], one["customers"], one["tasks"]) for one in plan["takers"]] == [
        (me(first), 2, 1), (second, 2, 1),
    ]  # fmt: skip
    assert [one["to_agent_id"] for one in plan["sample"]] == [me(first), second, me(first), second]
    assert set((await holders(site, things))["customers"]) == {me(leaver)}, "a preview changes nothing"

    made = await begin(admin, **body, disable=True, reason="离职")
    assert made["state"] == "moving"
    assert (await begin(admin, **body, disable=True, reason="离职"))["id"] == made["id"], "asked twice is done once"
    await drain(site.services)
    after = await admin.get(f"/api/handovers/{made['id']}")
    assert after["state"] == "done"
    assert counts(after) == {
        ("customer", "moved"): 4, ("conversation", "moved"): 4, ("task", "moved"): 2, ("scheduled", "moved"): 2,
    }  # fmt: skip
    taken = [me(first), second, me(first), second]
    assert await holders(site, things) == {
        "customers": taken, "conversations": taken, "tasks": taken[:2], "scheduled": taken[:2],
    }  # fmt: skip
    assert after["disabled_at"] is not None
    assert (await leaver.call("GET", "/api/pool"))[0] == 401
    notices = (await first.get("/api/notifications"))["notifications"]
    assert [(one["kind"], one["data"]["customer"]) for one in notices] == [("handed_over", 2)]
    assert await site.services.db.fetchval(LOST) == 0


async def test_everything_is_handed_back_except_what_somebody_changed_since(site: Site) -> None:
    admin, leaver, taker = await site.signed_in("admin"), await site.agent("rep"), await site.agent("rep")
    other = await site.agent("rep")
    things = await furnish(site, leaver)
    made = await begin(admin, kind="leaving", from_agent_id=leaver, taker_ids=[taker], disable=True)
    status, body = await admin.call("POST", f"/api/handovers/{made['id']}/back")
    assert (status, body["error"]) == (409, "still_moving")
    await drain(site.services)
    await admin.post("/api/customers/owner", {"ids": things["customers"][:1], "to_id": other})
    assert (await admin.post(f"/api/handovers/{made['id']}/back"))["state"] == "returning"
    await drain(site.services)
    after = await admin.get(f"/api/handovers/{made['id']}")
    assert (after["state"], after["disabled_at"]) == ("returned", None)
    assert counts(after)[("customer", "changed")] == 1
    held = await holders(site, things)
    assert held["customers"] == [other, leaver, leaver, leaver]
    assert set(held["conversations"] + held["tasks"] + held["scheduled"]) == {leaver}
    assert await site.services.db.fetchval("select disabled_at is null from agent where id = $1", leaver)


async def test_a_part_moves_with_what_belongs_to_it_and_nothing_else(site: Site) -> None:
    manager, rep, taker = await site.signed_in("manager"), await site.agent("rep"), await site.agent("rep")
    things = await furnish(site, rep)
    stage = await site.services.db.fetchval("insert into stage (name) values ('意向') returning id")
    await site.services.db.execute("update customer set stage_id = $2 where id = $1", things["customers"][0], stage)
    body = {"kind": "part", "from_agent_id": rep, "taker_ids": [taker], "filter": {"stage_ids": [stage]}}
    await begin(manager, **body)
    await drain(site.services)
    assert await holders(site, things) == {
        "customers": [taker, rep, rep, rep], "conversations": [taker, rep, rep, rep],
        "tasks": [taker, rep], "scheduled": [taker, rep],
    }  # fmt: skip


async def test_killed_in_the_middle_everything_moves_exactly_once(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several processes at once, and some of them die at the end of a unit of work, before its commit."""
    admin, leaver, taker = await site.signed_in("admin"), await site.agent("rep"), await site.agent("rep")
    db = site.services.db
    await db.execute(
        "insert into customer (name, owner_id, owned_at) select '客户 ' || n, $1, now() from generate_series(1, 350) n",
        leaver,
    )
    made = await begin(admin, kind="leaving", from_agent_id=leaver, taker_ids=[taker], disable=True)
    deaths = 0

    class Mortal:
        """A mover whose process dies after it has moved."""

        kind, permission = MOVERS[0].kind, MOVERS[0].permission

        async def find(self, tx: Any, source: Any) -> Any:
            return await MOVERS[0].find(tx, source)

        async def move(self, work: Any, things: Any, how: Any) -> Any:
            nonlocal deaths
            moved = await MOVERS[0].move(work, things, how)
            if deaths < 3:
                deaths += 1
                raise KeyboardInterrupt
            return moved

    async def process() -> None:
        worker = HandingOver(site.services, (Mortal(), *MOVERS[1:]))
        while await db.fetchval("select state = 'moving' from handover where id = $1", made["id"]):
            try:
                await worker.round()
            except KeyboardInterrupt:
                continue

    await asyncio.gather(process(), process(), process())
    assert deaths == 3
    after = await admin.get(f"/api/handovers/{made['id']}")
    assert (after["state"], counts(after)) == ("done", {("customer", "moved"): 350})
    assert await db.fetchval("select count(*) from owner_history where kind = 'handed_over'") == 350
    assert await db.fetchval("select count(*) from customer where owner_id = $1", taker) == 350
    assert await db.fetchval(LOST) == 0


async def test_what_comes_while_somebody_leaves_goes_too_before_they_are_locked_out(site: Site) -> None:
    admin, leaver, taker = await site.signed_in("admin"), await site.agent("rep"), await site.agent("rep")
    await customer(site, leaver)
    made = await begin(admin, kind="leaving", from_agent_id=leaver, taker_ids=[taker], disable=True)
    late = await customer(site, leaver, name="刚来的客户")
    await drain(site.services)
    assert await owner_of(site, late) == taker
    assert (await admin.get(f"/api/handovers/{made['id']}"))["disabled_at"] is not None


async def test_a_banned_account_gives_its_customers_and_open_chats_a_new_home(site: Site) -> None:
    manager, owner, taker = await site.signed_in("manager"), await site.agent("rep"), await site.agent("rep")
    connection = await site.connection()
    banned, home = await site.account(connection), await site.account(connection)
    db = site.services.db
    chats = [await site.conversation(banned) for _ in range(3)]
    chats.append(await site.conversation(banned, status="closed"))
    elsewhere = await site.conversation(home)
    owned = await db.fetchval(
        "update customer set owner_id = $2, owned_at = now() where id = (select k.customer_id from contact k join conversation c "
        "on c.contact_id = k.id where c.id = $1) returning id", chats[0], owner,
    )  # fmt: skip
    body = {"kind": "account", "account_id": banned, "to_account_id": home, "taker_ids": [taker], "keep_owners": True}
    plan = await manager.post("/api/handovers/preview", body)
    assert (plan["total"]["customers"], plan["total"]["conversations"]) == (4, 3)
    assert [(one["code"], one["count"]) for one in plan["problems"] if one["code"] == "chat_stays"] == [
        ("chat_stays", 3)
    ]
    await begin(manager, **body)
    await drain(site.services)
    rows = await db.fetch(
        "select c.id, c.assignee_id, u.owner_id from conversation c join contact k on k.id = c.contact_id "
        "join customer u on u.id = k.customer_id order by c.id"
    )
    assert [tuple(row)[1:] for row in rows] == [
        (owner, owner), (taker, taker), (taker, taker), (None, taker), (None, None),
    ]  # fmt: skip
    assert rows[-1]["id"] == elsewhere
    lines = await db.fetch("select data from timeline where customer_id = $1 and kind = 'account.replaced'", owned)
    assert [row["data"] for row in lines] == [{"from": banned, "to": home}]


async def test_reach_and_rights_are_kept(site: Site) -> None:
    ours, theirs = await site.team("我们"), await site.team("他们")
    admin = await site.signed_in("admin")
    role = {
        "name": "组长",
        "permissions": ["customers.read", "customers.write", "customers.assign", "inbox.read"],
        "reach": "team",
    }
    key = (await admin.post("/api/roles", role, status=201))["key"]
    lead = await site.agent("rep", teams=(ours,))
    await admin.call("PATCH", f"/api/agents/{lead}", json={"role": key})
    browser = await site.sign_in(lead)
    mine, other, stranger = [await site.agent("rep", teams=(team,)) for team in (ours, ours, theirs)]
    things = await furnish(site, mine)
    body = {"kind": "leaving", "from_agent_id": mine, "taker_ids": [other]}
    for wrong in ({"from_agent_id": stranger}, {"taker_ids": [stranger]}):
        assert (await browser.call("POST", "/api/handovers/preview", json={**body, **wrong}))[0] == 404
    status, _ = await browser.call("POST", "/api/handovers", json={**body, "disable": True, "client_token": "t" * 10})
    assert status == 403
    plan = await browser.post("/api/handovers/preview", body)
    assert (plan["total"]["customers"], plan["total"]["conversations"]) == (4, 0), "conversations take another right"
    assert "not_allowed" in [one["code"] for one in plan["problems"]]
    made = await begin(browser, **body)
    await drain(site.services)
    held = await holders(site, things)
    assert (set(held["customers"]), set(held["conversations"])) == ({other}, {mine})
    manager_of_others = await site.agent("rep", teams=(theirs,))
    await admin.call("PATCH", f"/api/agents/{manager_of_others}", json={"role": key})
    far = await site.sign_in(manager_of_others)
    assert (await far.call("GET", f"/api/handovers/{made['id']}"))[0] == 404
    assert (await far.get("/api/handovers"))["handovers"] == []
    rep = await site.signed_in("rep")
    assert (await rep.call("GET", "/api/handovers"))[0] == 403


# ---------------------------------------------------------------------------------------------------- on the platform


async def member(site: Site, connection: int, agent_id: int, userid: str) -> int:
    """An employee there, who is one of ours: their account, with customers on its list."""
    await site.services.db.execute(
        "insert into agent_identity (agent_id, connection_id, external_id) values ($1, $2, $3)",
        agent_id,
        connection,
        userid,
    )
    made: int = await site.services.db.fetchval(
        "insert into account (connection_id, channel, external_id, name) values ($1, 'wecom_kf', $2, $2) returning id",
        connection, userid,
    )  # fmt: skip
    return made


async def knows(site: Site, account: int, agent_id: int, name: str) -> int:
    """A customer on the list of an account; returns the relation."""
    db = site.services.db
    one = await customer(site, agent_id, name=name)
    connection = await db.fetchval("select connection_id from account where id = $1", account)
    contact = await db.fetchval(
        "insert into contact (connection_id, external_id, customer_id, name) values ($1, $2, $3, $2) returning id",
        connection, name, one,
    )  # fmt: skip
    made: int = await db.fetchval(
        "insert into contact_link (contact_id, account_id, state) values ($1, $2, 'active') returning id",
        contact,
        account,
    )
    return made


async def ask_all(site: Site) -> None:
    asking = Asking(site.services)
    while await asking.round():
        pass


async def due_now(site: Site) -> None:
    await site.services.db.execute(
        "update handover_item set next_at = now() - interval '1 second' where next_at is not null"
    )


async def states(site: Site) -> dict[str, str]:
    rows = await site.services.db.fetch("select external_id, state from handover_item where kind = 'relation'")
    return {row["external_id"]: row["state"] for row in rows}


@pytest.fixture
async def there(site: Site) -> tuple[FakeTransfers, int, int, int, int]:
    """A platform that hands relations over, with a leaver and a taker who are members there."""
    connection = await site.connection()
    fake = FakeTransfers()
    put_in(site.services, connection, fake)
    leaver, taker = await site.agent("rep"), await site.agent("rep")
    account = await member(site, connection, leaver, "zhang")
    await member(site, connection, taker, "li")
    return fake, connection, leaver, taker, account


async def test_the_platform_is_asked_waited_for_and_its_refusals_are_told(
    site: Site, there: tuple[FakeTransfers, int, int, int, int]
) -> None:
    fake, _, leaver, taker, account = there
    admin = await site.signed_in("admin")
    for name in ("安", "白", "陈", "丁"):
        await knows(site, account, leaver, name)
    fake.full = {"陈"}
    made = await begin(admin, kind="leaving", from_agent_id=leaver, taker_ids=[taker], text="由小李继续为您服务")
    await drain(site.services)
    await ask_all(site)
    assert fake.asked == [("zhang", "li", ("安", "白", "陈", "丁"), False)]
    assert await states(site) == {"安": "waiting", "白": "waiting", "陈": "taker_full", "丁": "waiting"}
    assert (await admin.get(f"/api/handovers/{made['id']}"))["state"] == "waiting"
    fake.refuse("白")
    fake.through("安", "丁")
    await due_now(site)
    await ask_all(site)
    assert await states(site) == {"安": "done", "白": "refused", "陈": "taker_full", "丁": "done"}
    after = await admin.get(f"/api/handovers/{made['id']}")
    assert after["state"] == "done"
    stuck = (await admin.get(f"/api/handovers/{made['id']}/items", open="true"))["items"]
    assert sorted((one["title"], one["state"]) for one in stuck) == [("白", "refused"), ("陈", "taker_full")]
    fake.full = set()
    retried = await admin.post(f"/api/handovers/{made['id']}/retry", {"item_ids": [stuck[0]["id"], stuck[1]["id"]]})
    assert retried["asked"] == 2
    await ask_all(site)
    assert (await states(site))["陈"] == "waiting"


async def test_an_unknown_outcome_is_looked_up_and_nothing_is_asked_twice(
    site: Site, there: tuple[FakeTransfers, int, int, int, int]
) -> None:
    fake, _, leaver, taker, account = there
    admin = await site.signed_in("admin")
    for name in ("安", "白"):
        await knows(site, account, leaver, name)
    fake.drop_answer = True
    await begin(admin, kind="leaving", from_agent_id=leaver, taker_ids=[taker])
    await drain(site.services)
    await ask_all(site)
    assert set((await states(site)).values()) == {"uncertain"}
    await due_now(site)
    await ask_all(site)
    assert set((await states(site)).values()) == {"waiting"}
    assert len(fake.asked) == 1


async def test_a_call_that_never_arrived_is_made_again_after_the_process_died(
    site: Site, there: tuple[FakeTransfers, int, int, int, int]
) -> None:
    fake, _, leaver, taker, account = there
    admin = await site.signed_in("admin")
    await knows(site, account, leaver, "安")
    await begin(admin, kind="leaving", from_agent_id=leaver, taker_ids=[taker])
    await drain(site.services)
    fake.die = True
    with pytest.raises(KeyboardInterrupt):
        await ask_all(site)
    assert await states(site) == {"安": "asking"}
    await ask_all(site)
    assert await states(site) == {"安": "asking"}, "its lease runs"
    await due_now(site)
    await ask_all(site)
    assert await states(site) == {"安": "waiting"}
    assert len(fake.asked) == 1


async def test_who_left_there_is_handed_over_as_such_and_unknown_takers_are_told(
    site: Site, there: tuple[FakeTransfers, int, int, int, int]
) -> None:
    fake, connection, leaver, taker, account = there
    admin, unknown = await site.signed_in("admin"), await site.agent("rep")
    for name in ("安", "白"):
        await knows(site, account, leaver, name)
    db = site.services.db
    await db.execute(
        "insert into directory_member (connection_id, external_id, status) values ($1, 'zhang', 'left')", connection
    )
    await db.execute(
        "insert into group_chat (connection_id, external_id, owner_id) values ($1, 'g1', 'zhang')", connection
    )
    body = {"kind": "leaving", "from_agent_id": leaver, "taker_ids": [taker, unknown]}
    plan = await admin.post("/api/handovers/preview", body)
    assert (plan["total"]["relations"], plan["total"]["groups"]) == (2, 1)
    assert [(one["code"], one["agent_id"], one["count"]) for one in plan["problems"]] == [("no_identity", unknown, 1)]
    await begin(admin, **body)
    await drain(site.services)
    await ask_all(site)
    assert fake.asked == [("zhang", "li", ("安",), True)]
    assert fake.groups == [(("g1",), "li", True)]
    assert await states(site) == {"安": "waiting", "白": "failed"}
