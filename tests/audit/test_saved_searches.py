"""Saved searches: one's own, and alerts on what is new, with the owner's reach of that moment."""

from __future__ import annotations

from typing import Any

import asyncpg

from audit.search.alerting import look
from tests.http.conftest import site as site
from tests.http.site import Browser, Site

PATH = "/api/audit/searches"


async def looked(site: Site) -> list[tuple[int, str]]:
    """Everything that waits is looked at. The messages and severities of all alerts."""
    while await look(site.services):
        pass
    rows = await site.services.db.fetch(
        "select message_id, severity from alert where kind = 'search' order by message_id"
    )
    return [(row["message_id"], row["severity"]) for row in rows]


async def keep(browser: Browser, token: str, filter_: dict[str, Any], *, alerts: bool = True, status: int = 201) -> Any:
    body = {"name": "私下转账", "filter": filter_, "alerts": alerts, "severity": "high", "client_token": token}
    return await browser.post(PATH, body, status=status)


async def test_kept_changed_and_deleted_by_their_owner(site: Site) -> None:
    auditor, other = await site.signed_in("auditor"), await site.signed_in("auditor")
    for _ in range(2):
        (one,) = (await keep(auditor, "token-0001", {"q": "转你 -客服"}, alerts=False))["searches"]
    assert (one["filter"]["q"], one["alerts"], one["found"]) == ("转你 -客服", False, 0)
    assert (await other.get(PATH))["searches"] == []
    path = f"{PATH}/{one['id']}"
    assert (await other.call("PATCH", path, json={"name": "别人的"}))[0] == 404
    assert (await other.call("DELETE", path))[0] == 404
    status, changed = await auditor.call("PATCH", path, json={"name": "改名", "alerts": True})
    assert (status, changed["searches"][0]["name"], changed["searches"][0]["alerts"]) == (200, "改名", True)
    assert (await auditor.call("PATCH", path, json={}))[0] == 422
    # What becomes true later than the message cannot alert.
    for filter_ in ({"state": "recalled"}, {"rule_id": 1, "q": "a"}, {}):
        status, refused = await auditor.call("PATCH", path, json={"filter": filter_})
        assert (status, list(refused["fields"])) == (422, ["alerts"]), filter_
    status, left = await auditor.call("DELETE", path)
    assert (status, left["searches"]) == (200, [])
    assert (await auditor.call("DELETE", path))[0] == 404
    rows = await site.services.db.fetch("select action from audit_event where object_kind = 'search' order by id")
    assert [row["action"] for row in rows] == ["search.saved", "search.changed", "search.deleted"]


async def test_each_new_find_is_one_alert(site: Site) -> None:
    auditor = await site.signed_in("auditor")
    conversation = await site.conversation(await site.account(await site.connection()))
    await site.says(conversation, "转账 早就说过")
    while await look(site.services):
        pass
    (kept,) = (await keep(auditor, "token-0001", {"q": "转账 -工资"}))["searches"]
    early = await site.services.db.fetchval("select last_id from audit_search")
    new = [await site.says(conversation, text) for text in ("工资转账", "转账给我", "没有", "再转账一次")]
    expected = [(new[1], "high"), (new[3], "high")]
    assert [one for one in await looked(site) if one[0] >= new[0]] == expected
    # Killed before its place was kept, it looks again: the same finds are the same alerts.
    await site.services.db.execute("update audit_search set last_id = $1", early)
    assert [one for one in await looked(site) if one[0] >= new[0]] == expected
    (after,) = (await auditor.get(PATH))["searches"]
    assert after["found"] >= 2
    assert after["found_at"] is not None
    await auditor.call("PATCH", f"{PATH}/{kept['id']}", json={"alerts": False})
    await site.says(conversation, "转账 没人看")
    assert len(await looked(site)) == after["found"]


async def test_with_the_reach_that_the_owner_has_now(site: Site) -> None:
    db = site.services.db
    await db.execute(
        "insert into role (key, name, permissions, reach) values ('inspector', '质检', '{audit.read}', 'own')"
    )
    owner = await site.agent("inspector")
    conversation = await site.conversation(await site.account(await site.connection()))
    await keep(await site.sign_in(owner), "token-0001", {"q": "秘密"})
    await site.says(conversation, "秘密 一")
    assert await looked(site) == []
    await db.execute("update conversation set collaborators = $2 where id = $1", conversation, [owner])
    seen = await site.says(conversation, "秘密 二")
    assert await looked(site) == [(seen, "high")]
    await db.execute("update role set permissions = '{inbox.read}' where key = 'inspector'")
    await site.says(conversation, "秘密 三")
    assert await looked(site) == [(seen, "high")]


async def test_a_message_that_is_committed_late_is_not_passed_over(site: Site) -> None:
    conversation = await site.conversation(await site.account(await site.connection()))
    await keep(await site.signed_in("auditor"), "token-0001", {"q": "迟到"})
    slow = await asyncpg.connect(site.services.db.url)
    try:
        async with slow.transaction():
            late: int = await slow.fetchval(
                "insert into message (conversation_id, seq, version, direction, kind, text, state, sender_kind, sent_at) "
                "values ($1, 1000, 1000, 'in', 'text', '迟到的', 'received', 'customer', now()) returning id",
                conversation,
            )
            other = await site.conversation(await site.account(await site.connection()))
            early = await site.says(other, "迟到 但先写完")
            await looked(site)
    finally:
        await slow.close()
    assert late < early
    await looked(site)
    assert {message for message, _ in await looked(site)} == {late, early}
