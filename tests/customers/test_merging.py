"""Merging, entering and keeping files through the routes: who may, what is answered, what is shown afterwards; and several at once."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from customers.identity.finder import compare
from customers.identity.join import join_phone
from customers.resolve import resolve
from inbox.contacts import contacts_renamed
from inbox.lead_cards import numbers_on
from scrm.channel import ContactRef
from scrm.db import RETRYABLE
from tests.customers.test_story import customer_of
from tests.http.site import Browser, Site


async def customers(site: Site, count: int) -> list[int]:
    account = await site.account(await site.connection())
    return [await customer_of(site, await site.conversation(account)) for _ in range(count)]


async def merged(browser: Browser, into: int, *ids: int, **more: Any) -> dict[str, Any]:
    body: dict[str, Any] = await browser.post("/api/customers/merge", {"into": into, "ids": [into, *ids], **more})
    return body


async def test_merging_moves_everything_and_old_links_lead_there(site: Site) -> None:
    one, other = await customers(site, 2)
    db = site.services.db
    await db.execute("update customer set company = '华康', phone = '13812345678' where id = $1", other)
    browser = await site.signed_in("manager")
    preview = await browser.post("/api/customers/merge/preview", {"ids": [one, other]})
    assert [side["holdings"]["conversations"] for side in preview["sides"]] == [1, 1]
    assert (await merged(browser, one, other))["customer_id"] == one
    # Asked twice, it is as they want it.
    assert (await merged(browser, one, other))["customer_id"] == one
    card = await browser.get(f"/api/customers/{other}")
    assert (card["id"], card["company"], len(card["contacts"]), len(card["conversations"])) == (one, "华康", 2, 2)
    assert {view["contact"]["customer_id"] for view in card["conversations"]} == {one}
    log = await browser.get(f"/api/customers/{one}/merges")
    assert [(entry["kind"], entry["may_undo"], entry["moved"]["contact"]) for entry in log["entries"]] == [
        ("merged", True, 1)
    ]
    story = await browser.get(f"/api/customers/{one}/story", parts="changes")
    assert "customer.merged" in {entry["kind"] for entry in story["entries"]}
    undone = await browser.post(f"/api/customer-merges/{log['entries'][0]['id']}/undo")
    assert undone["customer_id"] == one
    assert (await browser.get(f"/api/customers/{other}"))["id"] == other
    assert (await browser.get(f"/api/customers/{one}"))["company"] == ""


async def test_an_earlier_merge_waits_for_the_later_one(site: Site) -> None:
    one, two, three = await customers(site, 3)
    browser = await site.signed_in("manager")
    await merged(browser, one, two)
    await merged(browser, one, three)
    later, earlier = (await browser.get(f"/api/customers/{one}/merges"))["entries"]
    assert (later["may_undo"], earlier["may_undo"]) == (True, False)
    status, body = await browser.call("POST", f"/api/customer-merges/{earlier['id']}/undo")
    assert (status, body["error"]) == (409, "later_first")
    for entry in (later, earlier):
        await browser.post(f"/api/customer-merges/{entry['id']}/undo")
    assert await site.services.db.fetchval("select count(*) from customer where merged_into is not null") == 0


async def test_splitting_gives_contacts_to_a_new_or_former_customer(site: Site) -> None:
    one, other = await customers(site, 2)
    browser = await site.signed_in("manager")
    await merged(browser, one, other)
    contacts = [contact["id"] for contact in (await browser.get(f"/api/customers/{one}"))["contacts"]]
    former = (await browser.get(f"/api/customers/{one}/merges"))["former"]
    assert [entry["id"] for entry in former] == [other]
    done = await browser.post(f"/api/customers/{one}/split", {"contact_ids": contacts[1:], "to_id": other})
    assert done["other_id"] == other
    assert (await browser.get(f"/api/customers/{other}"))["id"] == other
    done = await browser.post(f"/api/customers/{one}/split", {"contact_ids": contacts[:1], "name": "新的一位"})
    assert (await browser.get(f"/api/customers/{done['other_id']}"))["name"] == "新的一位"
    status, _ = await browser.call("POST", f"/api/customers/{one}/split", json={"contact_ids": []})
    assert status == 422


async def test_who_may_not_change_one_of_them_may_not_merge_them(site: Site) -> None:
    ours, theirs = await site.team("我们"), await site.team("他们")
    connection = await site.connection()
    mine = await customer_of(site, await site.conversation(await site.account(connection, team_id=ours)))
    hidden = await customer_of(site, await site.conversation(await site.account(connection, team_id=theirs)))
    admin = await site.signed_in("admin")
    rights = ["customers.read", "customers.write", "customers.merge", "inbox.read"]
    role = (await admin.post("/api/roles", {"name": "组长", "permissions": rights, "reach": "team"}, status=201))["key"]  # fmt: skip
    agent = await site.agent("rep", teams=(ours,))
    assert (await admin.call("PATCH", f"/api/agents/{agent}", json={"role": role}))[0] == 200
    leader = await site.sign_in(agent)
    for path in ("/api/customers/merge", "/api/customers/merge/preview"):
        body = {"ids": [mine, hidden]} | ({"into": mine} if path.endswith("merge") else {})
        assert (await leader.call("POST", path, json=body))[0] == 404


async def test_two_merges_at_once_and_messages_meanwhile(site: Site) -> None:
    """Circles of merges at once, while a batch meets their people: one row for each contact, none lost, no deadlock left."""
    people = await customers(site, 8)
    browser = await site.signed_in("manager")
    db = site.services.db
    connection = await db.fetchval("select id from connection")
    names = [row["external_id"] for row in await db.fetch("select external_id from contact order by id")]

    async def ring(shift: int) -> None:
        for number in range(8):
            one, other = people[(number * shift) % 8], people[(number * shift + shift) % 8]
            status, body = await browser.call("POST", "/api/customers/merge", json={"into": one, "ids": [one, other]})
            assert status in (200, 409), body

    async def batches() -> None:
        for number in range(10):
            async with site.services.work() as work:
                refs = [ContactRef(name, f"新名{number}", "", f"union{index % 3}") for index, name in enumerate(names)]
                await resolve(work, connection, refs, ask_profiles=False)

    async def safely() -> None:
        """As the normaliser does: who lost a race runs again."""
        for _ in range(20):
            try:
                await batches()
            except RETRYABLE:
                continue
            break

    await asyncio.gather(ring(1), ring(3), ring(5), safely())
    lost = "select count(*) from contact k join customer c on c.id = k.customer_id where c.merged_into is not null"
    assert await db.fetchval(lost) == 0
    assert await db.fetchval("select count(*) from contact") == 8


async def test_a_verified_number_joins_the_one_who_was_here_first(site: Site) -> None:
    one, other = await customers(site, 2)

    async def learn(customer: int) -> int:
        async with site.services.work() as work:
            return await join_phone(work, customer, "+8613812345678", "lead_card", contacts_renamed)

    assert await learn(one) == one
    assert await learn(other) == one
    assert await learn(other) == one
    browser = await site.signed_in("manager")
    (entry,) = (await browser.get(f"/api/customers/{one}/merges"))["entries"]
    assert (entry["kind"], entry["reason"], entry["by_id"]) == ("joined", "phone", None)
    await browser.post(f"/api/customer-merges/{entry['id']}/undo")
    # Somebody said that they are two: the platform's word does not join them again.
    assert await learn(other) == other


def test_masked_numbers_are_never_numbers() -> None:
    def card(value: str) -> dict[str, Any]:
        return {"status": "filled", "fields": [{"label": "手机号", "value": value}]}

    assert numbers_on(card("138****5678")) == []
    assert numbers_on(card("138 1234 5678")) == ["+8613812345678"]
    assert numbers_on({**card("13812345678"), "status": "blank"}) == []
    assert numbers_on({"status": "filled", "fields": [{"label": "预算", "value": "一万"}]}) == []


async def test_a_new_contact_with_a_known_union_id_becomes_that_customer_at_once(site: Site) -> None:
    (one,) = await customers(site, 1)
    db = site.services.db
    await db.execute("update contact set union_id = 'u1' where customer_id = $1", one)
    await db.execute("insert into customer_union values ('u1', $1)", one)
    connection = await db.fetchval("select id from connection")
    async with site.services.work() as work:
        found = await resolve(work, connection, [ContactRef("new", "小李", "", "u1")], ask_profiles=False)
    assert found["new"].customer_id == one
    assert await db.fetchval("select count(*) from customer") == 1


async def test_who_entered_first_owns_it(site: Site) -> None:
    ours, theirs = await site.team("我们"), await site.team("他们")
    first, second = await site.signed_in("rep", teams=(ours,)), await site.signed_in("rep", teams=(theirs,))
    entry = {"name": "陈立群", "phone": "138 1234 5678", "company": "华康医疗", "client_token": "t" * 12}
    made = (await first.post("/api/customers", entry, status=201))["id"]
    assert (await first.post("/api/customers", entry, status=201))["id"] == made
    assert (await first.get(f"/api/customers/{made}"))["owner_id"] == first.me["agent"]["id"]
    (match,) = (await second.post("/api/customers/check", {"phone": "+86 13812345678"}))["matches"]
    assert (match["owner_id"], match["may_open"], match["name"]) == (first.me["agent"]["id"], False, "陈**")
    status, body = await second.call("POST", "/api/customers", json={**entry, "client_token": "u" * 12})
    assert (status, body["error"]) == (409, "duplicate")
    assert (await second.call("POST", "/api/customer-requests", json={"customer_id": made, "reason": "我在跟"}))[
        0
    ] == 204
    notices = (await first.get("/api/notifications"))["notifications"]
    assert [(one["kind"], one["by_agent_id"]) for one in notices] == [("customer_asked", second.me["agent"]["id"])]
    despite = await second.post("/api/customers", {**entry, "client_token": "u" * 12, "despite": True}, status=201)
    assert despite["id"] != made


async def test_two_who_enter_one_number_at_once_make_one_customer(site: Site) -> None:
    reps = [await site.signed_in("manager") for _ in range(4)]
    entry = {"name": "同一人", "phone": "13900001111"}
    answers = await asyncio.gather(
        *(
            rep.call("POST", "/api/customers", json={**entry, "client_token": f"token{n}xx"})
            for n, rep in enumerate(reps)
        )
    )
    assert sorted(status for status, _ in answers) == [201, 409, 409, 409]


async def test_likely_duplicates_are_suggested_with_their_reasons_until_dismissed(site: Site) -> None:
    one, two, three, four = await customers(site, 4)
    db = site.services.db
    await db.execute("update customer set name = '陈立群 先生', company = '华康医疗有限公司' where id = $1", one)
    await db.execute("update customer set name = '陈利群', company = '华康医疗' where id = $1", two)
    await db.execute(
        "insert into phone_number (customer_id, phone) values ($1, '+8613812345678'), ($2, '+8613812345678')",
        one,
        three,
    )
    await db.execute("update customer set name = '李' where id = $1", four)
    async with site.services.work() as work:
        await compare(work, await work.tx.fetch("select id, name, company, city from customer"))
    browser = await site.signed_in("manager")
    page = await browser.get("/api/customer-duplicates")
    found = [({side["id"] for side in pair["sides"]}, pair["reasons"]) for pair in page["duplicates"]]
    assert found == [({one, three}, ["phone"]), ({one, two}, ["name_company"])]
    first = await browser.get("/api/customer-duplicates", limit=1)
    rest = await browser.get("/api/customer-duplicates", cursor=first["next_cursor"])
    assert [pair["id"] for pair in first["duplicates"] + rest["duplicates"]] == [
        pair["id"] for pair in page["duplicates"]
    ]
    status, _ = await browser.call("POST", f"/api/customer-duplicates/{page['duplicates'][0]['id']}/dismiss")
    assert status == 204
    async with site.services.work() as work:
        await compare(work, await work.tx.fetch("select id, name, company, city from customer"))
    assert len((await browser.get("/api/customer-duplicates"))["duplicates"]) == 1
    await merged(browser, one, two)
    assert (await browser.get("/api/customer-duplicates"))["duplicates"] == []


@pytest.mark.parametrize("name", ["合同.pdf", "../../etc/passwd", "a\u202egpj.exe"])
async def test_files_are_kept_under_harmless_names_and_types(site: Site, name: str) -> None:
    (one,) = await customers(site, 1)
    browser = await site.signed_in("manager")
    form = aiohttp.FormData()
    form.add_field("file", b"<html><script>alert(1)</script></html>", filename=name, content_type="text/html")
    status, made = await browser.call("POST", f"/api/customers/{one}/files", data=form)
    assert status == 201, made
    assert not set("/\u202e") & set(made["name"])
    async with browser.http.get(f"{browser.base}/api/customer-files/{made['id']}/content") as answer:
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["Content-Disposition"].startswith("attachment")
    assert len((await browser.get(f"/api/customers/{one}/files"))["files"]) == 1
    assert (await browser.call("DELETE", f"/api/customer-files/{made['id']}"))[0] == 204
    assert (await browser.get(f"/api/customers/{one}/files"))["files"] == []
    assert (await browser.call("GET", f"/api/customer-files/{made['id']}/content"))[0] == 404


async def test_a_change_with_an_old_version_is_refused_and_masked_numbers_too(site: Site) -> None:
    (one,) = await customers(site, 1)
    browser = await site.signed_in("manager")
    version = (await browser.get(f"/api/customers/{one}"))["version"]
    path = f"/api/customers/{one}"
    assert (await browser.call("PATCH", path, json={"company": "华康", "version": version}))[0] == 200
    status, body = await browser.call("PATCH", path, json={"company": "别的", "version": version})
    assert (status, body["error"]) == (409, "changed_meanwhile")
    status, body = await browser.call("PATCH", path, json={"phone": "138****5678"})
    assert (status, set(body["fields"])) == (422, {"phone"})
    status, body = await browser.call(
        "PATCH", path, json={"phone": "13812345678", "value_fen": 8600000, "gender": "male"}
    )
    assert [(n["phone"], n["main"]) for n in body["phones"]] == [("13812345678", True)]
    status, body = await browser.call("PATCH", path, json={"phone": "13912345678"})
    assert [n["phone"] for n in body["phones"]] == ["13912345678"]
    assert (await browser.call("PATCH", path, json={"value_fen": None}))[1]["value_fen"] is None
