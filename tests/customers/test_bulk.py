"""Many customers at once: what would change, what does, and back; the recycle bin and its end."""

from __future__ import annotations

from typing import Any

from customers.folding import fold
from tests.customers.test_listing import add, listed
from tests.http.site import Browser, Site


async def acts(browser: Browser, body: dict[str, Any]) -> tuple[dict[str, Any], int | None]:
    async with browser.http.post(
        f"{browser.base}/api/customers/bulk", json=body, headers={"X-CSRF-Token": browser.csrf}
    ) as answer:
        done = await answer.json()
        assert answer.status == 200, done
        step = answer.headers.get("X-Undo-Step")
        return done, int(step.split(";")[0]) if step else None


async def test_every_act_is_previewed_done_and_undone(site: Site) -> None:
    boss = await site.signed_in("manager")
    me = boss.me["agent"]["id"]
    db = site.services.db
    group = await db.fetchval("insert into tag_group (name) values ('行业') returning id")
    tag = await db.fetchval("insert into tag (tag_group_id, name) values ($1, '医疗') returning id", group)
    stage = await db.fetchval("insert into stage (name) values ('意向') returning id")
    field = (await boss.post("/api/customer-fields", {"name": "等级", "kind": "text"}, status=201))["fields"][0]["key"]
    for n in range(30):
        await add(
            site,
            f"客户{n}",
            city="杭州" if n % 2 else "",
            owner_id=me if n % 3 else None,
            fields={field: "旧"} if n % 5 else {},
        )
    everybody = {"filter": {"parts": [{"field": "name", "op": "contains", "value": "客户"}]}}
    columns = "id, name, city, company, owner_id, stage_id, stage_at, tags, fields, deleted_at, deleted_by, owned_at, pooled_at, pool_reason"
    before = [dict(row) for row in await db.fetch(f"select {columns} from customer order by id")]
    for act, changes in (
        ({"act": "tags", "add": [tag]}, 30),
        ({"act": "stage", "stage_id": stage}, 30),
        ({"act": "owner", "owner_id": me}, 10),
        ({"act": "fields", "values": {"city": "上海", "fields": {field: "新"}}}, 30),
        ({"act": "fields", "values": {"city": "杭州"}}, 15),
        ({"act": "delete"}, 30),
    ):
        body = {"target": everybody, **act}
        seen = await boss.post("/api/customers/bulk/preview", body)
        assert (seen["customers"], seen["refused"]) == (30, 0)
        done, step = await acts(boss, body)
        assert (done["changed"], done["same"]) == (changes, 30 - changes), act
        assert [dict(row) for row in await db.fetch(f"select {columns} from customer order by id")] != before
        assert (await boss.post(f"/api/undo/{step}")) == {
            "kind": f"customer.{act['act']}",
            "restored": changes,
            "skipped": 0,
        }
        assert [dict(row) for row in await db.fetch(f"select {columns} from customer order by id")] == before, act
    seen = await boss.post(
        "/api/customers/bulk/preview", {"target": everybody, "act": "fields", "values": {"city": "上海"}}
    )
    assert sorted((one["value"] or "", one["customers"]) for one in seen["before"]) == [("", 15), ("杭州", 15)]


async def test_undo_leaves_alone_what_somebody_changed_since(site: Site) -> None:
    boss = await site.signed_in("manager")
    ids = [await add(site, f"客户{n}") for n in range(3)]
    _, step = await acts(boss, {"target": {"ids": ids}, "act": "fields", "values": {"city": "上海"}})
    await site.services.db.execute("update customer set city = '北京' where id = $1", ids[0])
    assert (await boss.post(f"/api/undo/{step}"))["skipped"] == 1
    cities = await site.services.db.fetch("select city from customer order by id")
    assert [row["city"] for row in cities] == ["北京", "", ""]


async def test_nobody_changes_what_they_may_not(site: Site) -> None:
    other = await site.agent("rep", teams=(await site.team("售后"),))
    rep = await site.signed_in("rep", teams=(await site.team("售前"),))
    mine = await add(site, "我的", owner_id=rep.me["agent"]["id"])
    theirs = await add(site, "别人的", owner_id=other)
    read = await add(site, "只读的", owner_id=other, readers=[rep.me["agent"]["id"]])
    body = {"target": {"ids": [mine, theirs, read]}, "act": "fields", "values": {"city": "上海"}}
    assert (await rep.post("/api/customers/bulk/preview", body))["refused"] == 2
    done, _ = await acts(rep, body)
    assert done == {"changed": 1, "same": 0, "refused": 2}
    for path, what in (
        ("bulk", {"target": {"ids": [mine]}, "act": "delete"}),
        ("restore", {"ids": [mine]}),
        ("purge", {"ids": [mine], "confirm": "1"}),
    ):
        status, _ = await rep.call("POST", f"/api/customers/{path}", json=what)
        assert status == 403


async def test_the_recycle_bin_gives_back_and_ends(site: Site) -> None:
    boss, admin = await site.signed_in("manager"), await site.signed_in("admin")
    account = await site.account(await site.connection())
    conversation = await site.conversation(account)
    await site.says(conversation, "我的身份证号是")
    customer = await site.services.db.fetchval("select id from customer")
    kept = await add(site, "留下的")
    db = site.services.db
    await db.execute("insert into phone_number (customer_id, phone) values ($1, '+8613812345678')", customer)
    await db.execute("insert into customer (name, merged_into) values ('并入的', $1)", customer)
    status, _ = await admin.call("POST", "/api/customers/purge", json={"ids": [customer], "confirm": "1"})
    assert status == 409
    await acts(boss, {"target": {"ids": [customer]}, "act": "delete"})
    assert await listed(boss) == ["留下的"]
    assert (await boss.post("/api/customers/restore", {"ids": [customer, kept]}))["changed"] == 1
    await acts(boss, {"target": {"ids": [customer]}, "act": "delete"})
    status, _ = await boss.call("POST", "/api/customers/purge", json={"ids": [customer], "confirm": "1"})
    assert status == 403
    status, problem = await admin.call("POST", "/api/customers/purge", json={"ids": [customer], "confirm": "yes"})
    assert (status, list(problem["fields"])) == (422, ["confirm"])
    assert (await admin.post("/api/customers/purge", {"ids": [customer], "confirm": "1"}))["changed"] == 1
    for table in ("contact", "conversation", "message", "message_text", "phone_number", "timeline"):
        assert await db.fetchval(f"select count(*) from {table}") == 0, table
    assert [row["name"] for row in await db.fetch("select name from customer")] == ["留下的"]
    kinds = {row["action"] for row in await db.fetch("select action from audit_event")}
    assert {"customer.deleted", "customer.restored", "customer.purged"} <= kinds


async def test_who_writes_again_comes_back(site: Site) -> None:
    boss = await site.signed_in("manager")
    account = await site.account(await site.connection())
    conversation = await site.conversation(account)
    await site.says(conversation, "在吗")
    while await fold(site.services):
        pass
    customer = await site.services.db.fetchval("select id from customer")
    await acts(boss, {"target": {"ids": [customer]}, "act": "delete"})
    await site.says(conversation, "在的", direction="out")
    while await fold(site.services):
        pass
    assert await listed(boss) == []
    await site.says(conversation, "还在吗")
    while await fold(site.services):
        pass
    assert len(await listed(boss)) == 1
    line = await site.services.db.fetchrow("select * from timeline order by id desc limit 1")
    assert line is not None
    assert (line["kind"], line["data"]) == ("customer.restored", {"wrote": True})


async def test_there_is_a_limit_to_how_many(site: Site) -> None:
    boss = await site.signed_in("manager")
    await site.services.db.execute("insert into customer (name) select '客户' from generate_series(1, 5001)")
    body = {"target": {"filter": {}}, "act": "fields", "values": {"city": "上海"}}
    status, problem = await boss.call("POST", "/api/customers/bulk", json=body)
    assert (status, problem["error"]) == (422, "too_many")
    first = await site.services.db.fetchval("select min(id) from customer")
    done, step = await acts(boss, {**body, "target": {"filter": {}, "except_ids": [first]}})
    assert done["changed"] == 5000
    assert (await boss.post(f"/api/undo/{step}"))["restored"] == 5000
