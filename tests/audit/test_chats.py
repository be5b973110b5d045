"""A chat in the place of audit: what is told of it, to whom, and the line that its opening leaves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from audit.archive.relations import OF_STATE, endings
from scrm.services import Services
from tests.http.site import Browser, Site, running

GONE_AT = datetime(2026, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
async def site(services: Services) -> AsyncIterator[Site]:
    async with running(services) as made:
        yield made


async def looks(site: Site) -> list[dict[str, Any]]:
    rows = await site.services.db.fetch(
        "select agent_id, object_id from audit_event where action = 'archive.viewed' order by id"
    )
    return [dict(row) for row in rows]


async def look(browser: Browser, conversation_id: int) -> Any:
    return await browser.post("/api/audit/views", {"conversation_id": conversation_id})


async def test_opening_a_chat_leaves_one_line_for_one_opening(site: Site) -> None:
    account = await site.account(await site.connection(), channel="wecom_member")
    chat, other = await site.conversation(account), await site.conversation(account)
    await site.says(chat, "尾款我先转你")
    auditor, manager = await site.signed_in("auditor"), await site.signed_in("manager")
    told = await look(auditor, chat)
    assert (told["messages"], told["ended"], told["consent"], told["members"]) == (1, None, None, [])
    assert told["employee"]["permitted"] is None
    await look(auditor, chat)
    await look(auditor, other)
    await look(manager, chat)
    me, them = auditor.me["agent"]["id"], manager.me["agent"]["id"]
    assert [(one["agent_id"], one["object_id"]) for one in await looks(site)] == [(me, chat), (me, other), (them, chat)]
    # Later it is another opening.
    await site.services.db.execute("update audit_look set looked_at = looked_at - interval '6 minutes'")
    await look(auditor, chat)
    assert len(await looks(site)) == 4


async def test_what_is_out_of_reach_is_not_there_and_leaves_nothing(site: Site) -> None:
    ours, theirs = await site.team("我们"), await site.team("他们")
    chat = await site.conversation(await site.account(await site.connection(), team_id=theirs))
    admin = await site.signed_in("admin")
    body = {"name": "组内审计", "permissions": ["audit.read", "inbox.read"], "reach": "team"}
    role = (await admin.post("/api/roles", body, status=201))["key"]
    agent = await site.agent("rep", teams=(ours,))
    await admin.call("PATCH", f"/api/agents/{agent}", json={"role": role})
    browser = await site.sign_in(agent)
    status, answer = await browser.call("POST", "/api/audit/views", json={"conversation_id": chat})
    assert (status, answer["error"]) == (404, "not_found")
    assert await looks(site) == []
    assert (await (await site.signed_in("rep")).call("POST", "/api/audit/views", json={"conversation_id": chat}))[
        0
    ] == 403


async def test_deleted_friends_and_left_groups_stay_and_are_marked(site: Site) -> None:
    db = site.services.db
    connection = await site.connection()
    account = await site.account(connection, channel="wecom_member")
    name = await db.fetchval("select external_id from account where id = $1", account)
    friend, deleted, moved = [await site.conversation(account) for _ in range(3)]
    for chat, state in ((friend, "active"), (deleted, "deleted_by_contact"), (moved, "transferred")):
        await db.execute(
            "insert into contact_link (contact_id, account_id, state, ended_at) select contact_id, account_id, $2, $3 from conversation where id = $1",
            chat, state, GONE_AT if state != "active" else None,
        )  # fmt: skip
    groups = {}
    for key in ("stays", "left", "dissolved"):
        groups[key] = await site.conversation(account, contact_id=None, group_key=key, group_name=key)
        group = await db.fetchval(
            "insert into group_chat (connection_id, external_id, dissolved_at) values ($1, $2, $3) returning id",
            connection, key, GONE_AT if key == "dissolved" else None,
        )  # fmt: skip
        await db.execute(
            "insert into group_member (group_chat_id, external_id, kind, name, left_at) values ($1, $2, 'member', '王敏', $3)",
            group, name, GONE_AT if key == "left" else None,
        )  # fmt: skip
    everything = [friend, deleted, moved, *groups.values()]
    async with db.transaction() as tx:
        told = {chat: (one.relation, one.left_at) for chat, one in (await endings(tx, everything)).items()}
    assert told == {
        deleted: ("deleted_by_contact", GONE_AT),
        groups["left"]: ("left", GONE_AT),
        groups["dissolved"]: ("dissolved", GONE_AT),
    }
    found = {
        state: [row["id"] for row in await db.fetch(f"select c.id from conversation c join account a on a.id = c.account_id where {where} order by c.id")]
        for state, where in OF_STATE.items()
    }  # fmt: skip
    assert found == {"deleted_friend": [deleted], "left_group": sorted([groups["left"], groups["dissolved"]])}
    auditor = await site.signed_in("auditor")
    assert (await look(auditor, deleted))["ended"] == {
        "relation": "deleted_by_contact",
        "left_at": "2026-02-03T04:05:00Z",
    }
    (member,) = (await look(auditor, groups["left"]))["members"]
    assert (member["name"], member["kind"], member["left_at"]) == ("王敏", "member", "2026-02-03T04:05:00Z")
