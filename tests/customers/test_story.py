"""The story of a customer: every source, in order, in pages that neither repeat nor leave out, to those who may read it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from customers.timeline import Line, tell
from tests.http.site import Browser, Site

NOON = datetime(2026, 5, 4, 4, 0, tzinfo=UTC)


async def customer_of(site: Site, conversation_id: int) -> int:
    found: int = await site.services.db.fetchval(
        "select k.customer_id from conversation c join contact k on k.id = c.contact_id where c.id = $1",
        conversation_id,
    )
    return found


async def pages(browser: Browser, customer_id: int, **query: Any) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = []
    cursor = None
    for _ in range(200):
        page = await browser.get(f"/api/customers/{customer_id}/story", cursor=cursor, **query)
        entries += page["entries"]
        cursor = page["next_cursor"]
        if cursor is None:
            return entries
    raise AssertionError("the story does not end")


async def furnish(site: Site) -> tuple[int, int]:
    """A customer with two conversations over several days, lines between them, and a platform's event."""
    account = await site.account(await site.connection())
    conversation = await site.conversation(account)
    customer = await customer_of(site, conversation)
    other = await site.conversation(await site.account(await site.services.db.fetchval("select id from connection")))
    db = site.services.db
    await db.execute(
        "update contact set customer_id = $2 where id = (select contact_id from conversation where id = $1)",
        other,
        customer,
    )
    for day in range(5):
        for minute in range(7):
            at = NOON + timedelta(days=day, minutes=minute)
            await site.says(conversation, f"第{day}天第{minute}句", sent_at=at)
            await site.says(other, f"另一处{day}-{minute}", sent_at=at + timedelta(seconds=30), direction="out")
    async with site.services.work() as work:
        await tell(
            work,
            [
                Line(customer, "tag.added", at=NOON + timedelta(days=day, hours=1), data={"tags": ["医疗"]})
                for day in range(5)
            ],
        )
    await db.execute(
        "insert into platform_event (inbound_event_id, connection_id, name, at, contact_id) "
        "select 1, connection_id, 'contact.entered', $2, id from contact where customer_id = $1 order by id limit 1",
        customer, NOON + timedelta(days=2, hours=2),
    )  # fmt: skip
    return customer, conversation


@pytest.mark.parametrize("limit", [1, 3, 100])
async def test_pages_of_any_size_tell_the_same_story(site: Site, limit: int) -> None:
    customer, conversation = await furnish(site)
    browser = await site.signed_in("manager")
    entries = await pages(browser, customer, limit=limit)
    times = [one["at"] for one in entries]
    assert times == sorted(times, reverse=True)
    assert len({one["key"] for one in entries}) == len(entries)
    assert sum(one["messages"]["received"] for one in entries if one["messages"]) == 35
    assert sum(one["messages"]["sent"] for one in entries if one["messages"]) == 35
    assert [one["kind"] for one in entries].count("tag.added") == 5
    assert [one["kind"] for one in entries].count("messages") == 10
    assert [one["text"]["zh"] for one in entries if one["kind"] == "platform"] == ["进入会话"]
    newest = next(one for one in entries if one["object_id"] == conversation)
    assert [one["text"] for one in newest["messages"]["excerpts"]] == ["第4天第6句", "第4天第5句", "第4天第4句"]


async def test_a_busy_day_is_told_in_parts_and_nothing_is_lost(site: Site) -> None:
    account = await site.account(await site.connection())
    conversation = await site.conversation(account)
    for number in range(700):
        await site.services.db.execute(
            "insert into message (conversation_id, seq, version, direction, kind, text, state, sender_kind, sent_at) "
            "values ($1, $2, $2, 'in', 'text', 'x', 'received', 'customer', $3)",
            conversation, number + 1, NOON + timedelta(seconds=number),
        )  # fmt: skip
    await site.services.db.execute("update conversation set last_seq = 700 where id = $1", conversation)
    browser = await site.signed_in("manager")
    entries = await pages(browser, await customer_of(site, conversation))
    assert sum(one["messages"]["received"] for one in entries) == 700


async def test_parts_are_asked_for_by_kind(site: Site) -> None:
    customer, _ = await furnish(site)
    browser = await site.signed_in("manager")
    assert {one["kind"] for one in await pages(browser, customer, parts="changes", limit=2)} == {"tag.added"}
    assert {one["kind"] for one in await pages(browser, customer, parts="messages")} == {"messages"}
    assert {one["kind"] for one in await pages(browser, customer, parts="events")} == {"platform"}
    assert await pages(browser, customer, parts="tasks") == []


async def test_what_may_not_be_read_is_not_told(site: Site) -> None:
    """A rep of another team sees the customer who was shared with them, and none of the messages; what was withdrawn is hidden."""
    ours, theirs = await site.team("我们"), await site.team("他们")
    account = await site.account(await site.connection(), team_id=theirs)
    conversation = await site.conversation(account)
    message = await site.says(conversation, "秘密")
    await site.recalls(message)
    customer = await customer_of(site, conversation)
    rep = await site.signed_in("rep", teams=(ours,))
    status, _ = await rep.call("GET", f"/api/customers/{customer}/story")
    assert status == 404
    await site.services.db.execute(
        "update customer set readers = array[$2::bigint] where id = $1", customer, rep.me["agent"]["id"]
    )
    assert await pages(rep, customer) == []
    colleague = await site.signed_in("rep", teams=(theirs,))
    shown = (await pages(colleague, customer))[0]["messages"]["excerpts"][0]
    assert (shown["text"], shown["recalled"]) == ("", True)
    manager = await site.signed_in("manager")
    assert (await pages(manager, customer))[0]["messages"]["excerpts"][0]["text"] == "秘密"


async def test_a_cursor_that_was_not_made_here_is_refused(site: Site) -> None:
    customer, _ = await furnish(site)
    browser = await site.signed_in("manager")
    for cursor in ("x", "eyJ9", "W10", "WyIyMDI2IiwxLHt9LHt9XQ"):
        status, body = await browser.call("GET", f"/api/customers/{customer}/story", params={"cursor": cursor})
        assert (status, body["error"]) == (422, "invalid"), cursor


async def test_a_change_is_pushed_to_those_who_look_and_may_see(site: Site) -> None:
    ours, theirs = await site.team("我们"), await site.team("他们")
    account = await site.account(await site.connection(), team_id=theirs)
    hidden, shown = [await customer_of(site, await site.conversation(account)) for _ in range(2)]
    rep = await site.signed_in("rep", teams=(ours,))
    await site.services.db.execute("update customer set owner_id = $2 where id = $1", shown, rep.me["agent"]["id"])
    async with rep.socket() as live:
        await live.ws.send_json({"type": "customers", "ids": [hidden, shown, -1, "x"]})
        await live.ws.send_json({"type": "ping"})
        await live.next("pong")
        async with site.services.work() as work:
            await tell(work, [Line(hidden, "tag.added"), Line(shown, "tag.added")])
        told = await live.next("customer")
        assert told["customer_id"] == shown
        async with site.services.work() as work:
            await tell(work, [Line(shown, "tag.added")])
        heard = await live.quiet_until("customer", lambda one: one["customer_id"] == shown)
        assert all(one.get("customer_id") != hidden for one in heard)
