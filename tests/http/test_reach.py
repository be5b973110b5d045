"""Data scope: every route of a conversation, its messages, attachments and customers, for each reach, on what is one's own, one's
team's, another team's. What one may not see is not there: 404, never 403, and never changed."""

from __future__ import annotations

from typing import Any

import pytest

from scrm.http import Route
from scrm.permissions import EVERY, Reach
from tests.http.site import Browser, Site

OF_ONE_CONVERSATION = ("{conversation_id}", "{message_id}", "{attachment_id}", "{customer_id}")
SEES: dict[str, set[str]] = {
    "own": {"mine", "helped"},
    "team": {"mine", "helped", "team", "open"},
    "all": {"mine", "helped", "team", "open", "other"},
}


def scoped(table: list[Route]) -> list[Route]:
    return [route for route in table if any(name in route.path for name in OF_ONE_CONVERSATION)]


async def everything(site: Site, reach: Reach, teams: tuple[int, ...]) -> Browser:
    """Somebody with every permission and this reach: what is refused is refused because of the reach alone."""
    admin = await site.signed_in("admin")
    body = {"name": f"全能 {reach}", "permissions": sorted(EVERY), "reach": reach}
    key = (await admin.post("/api/roles", body, status=201))["key"]
    agent = await site.agent("rep", teams=teams)
    assert (await admin.call("PATCH", f"/api/agents/{agent}", json={"role": key}))[0] == 200
    return await site.sign_in(agent)


async def furnish(site: Site, me: int, ours: int, theirs: int) -> dict[str, dict[str, int]]:
    """Conversations of each kind, with a message, a file and a customer."""
    connection = await site.connection()
    places = {"mine": theirs, "helped": theirs, "team": ours, "open": None, "other": theirs}
    found = {}
    for kind, team in places.items():
        account = await site.account(connection, team_id=team)
        columns: dict[str, Any] = {"mine": {"assignee_id": me}, "helped": {"collaborators": [me]}}.get(kind, {})
        conversation = await site.conversation(account, **columns)
        message = await site.says(conversation, "你好")
        attachment = await site.services.db.fetchval(
            "insert into attachment (message_id, kind, state) values ($1, 'image', 'failed') returning id", message
        )
        customer = await site.services.db.fetchval(
            "select k.customer_id from conversation c join contact k on k.id = c.contact_id where c.id = $1",
            conversation,
        )
        found[kind] = {
            "conversation_id": conversation, "message_id": message, "attachment_id": attachment, "customer_id": customer,
        }  # fmt: skip
    return found


def address(route: Route, ids: dict[str, int]) -> str:
    path = route.path
    for name in [part[1:-1] for part in path.split("/") if part.startswith("{")]:
        path = path.replace(f"{{{name}}}", str(ids.get(name, 987654321)))
    return path


@pytest.mark.parametrize("reach", ["own", "team", "all"])
async def test_each_route_of_each_reach_on_each_kind(site: Site, reach: Reach) -> None:
    ours, theirs = await site.team("我们"), await site.team("他们")
    browser = await everything(site, reach, (ours,))
    things = await furnish(site, browser.me["agent"]["id"], ours, theirs)
    state = "select md5(string_agg(to_jsonb(c)::text, '' order by c.id)) from conversation c where c.id = any($1)"
    hidden = [things[kind]["conversation_id"] for kind in things if kind not in SEES[reach]]
    before = await site.services.db.fetchval(state, hidden)
    for route in scoped(site.table):
        body = {"json": _body(route)} if route.method in ("POST", "PATCH") and not route.upload else {}
        for kind in things:
            if kind in SEES[reach]:
                continue
            status, answer = await browser.call(route.method, address(route, things[kind]), **body)
            # 422: the body was refused before anything was looked up, which tells nothing about the thing.
            assert status in (404, 422), (reach, kind, route.method, route.path, status, answer)
    assert await site.services.db.fetchval(state, hidden) == before
    for kind in SEES[reach]:
        ids = things[kind]
        for path in ("/api/conversations/{conversation_id}", "/api/conversations/{conversation_id}/messages"):
            assert (await browser.call("GET", path.format(**ids)))[0] == 200, (reach, kind)
        assert (await browser.call("GET", "/api/customers/{customer_id}".format(**ids)))[0] == 200, (reach, kind)


@pytest.mark.parametrize("reach", ["own", "team", "all"])
async def test_lists_counts_and_sockets_keep_the_reach(site: Site, reach: Reach) -> None:
    ours, theirs = await site.team("我们"), await site.team("他们")
    browser = await everything(site, reach, (ours,))
    things = await furnish(site, browser.me["agent"]["id"], ours, theirs)
    listed = {one["id"] for one in (await browser.get("/api/conversations"))["conversations"]}
    assert listed == {things[kind]["conversation_id"] for kind in SEES[reach]}
    assert (await browser.get("/api/conversations/counts"))["all"]["open"] == len(SEES[reach])
    async with browser.socket() as live:
        for kind in ("other", "open", "team", "helped", "mine"):
            await site.says(things[kind]["conversation_id"], f"新消息 {kind}")
        expected = {things[kind]["conversation_id"] for kind in SEES[reach]}
        pushed: set[int] = set()
        while not expected <= pushed:
            pushed.add((await live.next("conversation"))["conversation"]["id"])
        # Whatever else was under way has been told when this comes.
        await site.says(things["mine"]["conversation_id"], "最后一条")
        await live.next("conversation", lambda one: "最后一条" in repr(one["messages"]))
        assert {one["conversation"]["id"] for one in live.heard if one["type"] == "conversation"} == expected


def _body(route: Route) -> dict[str, Any]:
    """Something valid where it is known, so that the look-up itself decides."""
    known: dict[str, dict[str, Any]] = {
        "/read": {"seq": 1}, "/assign": {"agent_id": None}, "/settle": {"outcome": "sent"},
        "/messages": {"kind": "text", "text": "x", "client_token": "t" * 20},
    }  # fmt: skip
    return next((body for end, body in known.items() if route.path.endswith(end)), {})
