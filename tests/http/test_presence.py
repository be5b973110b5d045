"""Who looks, who writes, and the answer that comes second: told to those who may see it, on the wire to nobody else."""

from __future__ import annotations

import time
from typing import Any

import pytest

from scrm.config import Settings
from tests.http.site import Browser, Live, Site, eventually


def me(browser: Browser) -> int:
    return int(browser.me["agent"]["id"])


def shows(*viewers: tuple[int, str]) -> Any:
    wanted = [{"agent_id": agent_id, "typing": typing} for agent_id, typing in sorted(viewers)]
    return lambda pushed: pushed["viewers"] == wanted


async def look(live: Live, conversation: int | None) -> None:
    await live.ws.send_json({"type": "viewing", "conversation_id": conversation})


async def write(live: Live, conversation: int, mode: str) -> None:
    await live.ws.send_json({"type": "typing", "conversation_id": conversation, "mode": mode})


async def test_two_see_each_other_and_a_third_hears_nothing(site: Site) -> None:
    ours, theirs = await site.team("我们"), await site.team("他们")
    one, two = [await site.signed_in("rep", teams=(ours,)) for _ in range(2)]
    third = await site.signed_in("rep", teams=(theirs,))
    connection = await site.connection()
    conversation = await site.conversation(await site.account(connection, team_id=ours))
    other = await site.conversation(await site.account(connection, team_id=theirs))
    async with one.socket() as a, two.socket() as b, third.socket() as c:
        await look(c, conversation)
        await write(c, conversation, "reply")
        await look(a, conversation)
        await a.next("viewers", shows())
        began = time.monotonic()
        await look(b, conversation)
        await a.next("viewers", shows((me(two), "")))
        await b.next("viewers", shows((me(one), "")))
        await write(b, conversation, "reply")
        await a.next("viewers", shows((me(two), "reply")))
        await write(b, conversation, "note")
        await a.next("viewers", shows((me(two), "note")))
        await write(b, conversation, "")
        await a.next("viewers", shows((me(two), "")))
        await look(b, None)
        await a.next("viewers", shows())
        assert time.monotonic() - began < 1
        # The third one does hear what is theirs, and by then would have heard the rest.
        await look(c, other)
        await c.next("viewers", shows())
        assert [one["conversation_id"] for one in c.heard if one["type"] == "viewers"] == [other]
        assert all(one.get("conversation", {}).get("id") != conversation for one in c.heard)


async def test_a_tab_that_closes_is_gone_and_two_tabs_of_one_are_one(site: Site) -> None:
    one, two = await site.signed_in("rep"), await site.signed_in("rep")
    conversation = await site.conversation(await site.account(await site.connection()))
    async with one.socket() as a:
        await look(a, conversation)
        async with two.socket() as b, two.socket() as again:
            await look(b, conversation)
            await a.next("viewers", shows((me(two), "")))
            await look(again, conversation)
            await write(again, conversation, "reply")
            await a.next("viewers", shows((me(two), "reply")))
            # Nobody is told of oneself, in whatever tab.
            assert all(shows((me(one), ""))(said) or shows()(said) for said in b.heard if said["type"] == "viewers")
        await a.next("viewers", shows())


async def test_who_loses_sight_of_it_is_told_nothing_more(site: Site) -> None:
    theirs = await site.team("他们")
    lent, inside = await site.signed_in("rep"), await site.signed_in("rep", teams=(theirs,))
    account = await site.account(await site.connection(), team_id=theirs)
    conversation = await site.conversation(account, assignee_id=me(lent))
    own = await site.conversation(account, assignee_id=me(lent))
    async with lent.socket() as a, inside.socket() as b:
        await look(a, conversation)
        await look(b, conversation)
        await b.next("viewers", shows((me(lent), "")))
        await a.next("viewers", shows((me(inside), "")))
        await site.gives(conversation, me(inside))
        await b.next("viewers", shows())
        heard = len(a.heard)
        await write(b, conversation, "reply")
        await look(a, conversation)
        await look(a, own)
        await a.next("viewers", lambda said: said["conversation_id"] == own)
        told = [said["conversation_id"] for said in a.heard[heard:] if said["type"] == "viewers"]
        assert told == [own]


async def test_an_auditor_looks_on_without_being_shown(site: Site) -> None:
    rep, auditor = await site.signed_in("rep"), await site.signed_in("auditor")
    conversation = await site.conversation(await site.account(await site.connection()))
    async with rep.socket() as a, auditor.socket() as b:
        await look(a, conversation)
        await a.next("viewers", shows())
        await look(b, conversation)
        await write(b, conversation, "reply")
        await b.next("viewers", shows((me(rep), "")))
        await write(a, conversation, "reply")
        await b.next("viewers", shows((me(rep), "reply")))
        assert all(said["viewers"] == [] for said in a.heard if said["type"] == "viewers")


@pytest.mark.parametrize(
    "said",
    [
        {"type": "viewing"},
        {"type": "viewing", "conversation_id": "1"},
        {"type": "viewing", "conversation_id": True},
        {"type": "viewing", "conversation_id": -1},
        {"type": "viewing", "conversation_id": 2**70},
        {"type": "viewing", "conversation_id": 987654321},
        {"type": "typing", "conversation_id": 1},
        {"type": "typing", "conversation_id": 1, "mode": "shout"},
        {"type": "typing", "conversation_id": None, "mode": "reply"},
        {"type": []},
        ["viewing"],
        "viewing",
    ],
)
async def test_nonsense_is_not_heard_and_harms_nobody(site: Site, said: Any) -> None:
    rep = await site.signed_in("rep")
    async with rep.socket() as live:
        await live.ws.send_json(said)
        await live.ws.send_json({"type": "ping"})
        await live.next("pong")
        assert all(one["type"] != "viewers" for one in live.heard)


async def test_a_browser_that_talks_without_end_is_not_listened_to(site: Site) -> None:
    rep, other = await site.signed_in("rep"), await site.signed_in("rep")
    conversation = await site.conversation(await site.account(await site.connection()))
    async with rep.socket() as live, other.socket() as loud:
        await look(live, conversation)
        await live.next("viewers", shows())
        for n in range(400):
            await write(loud, conversation, "reply" if n % 2 else "note")
        await loud.ws.send_json({"type": "ping"})
        await loud.next("pong")
        await look(live, None)
        await look(live, conversation)
        await live.next("viewers", lambda said: len(said["viewers"]) == 1)
        assert sum(one["type"] == "viewers" for one in live.heard) <= 32


async def test_the_second_answer_is_stopped_and_may_be_sent_anyway(site: Site) -> None:
    one, two = await site.signed_in("rep"), await site.signed_in("rep")
    account = await site.account(await site.connection())
    conversation = await site.conversation(account, can_send=True)
    await site.says(conversation, "多少钱？")
    await site.says(
        conversation, "349", direction="out", sender_agent_id=me(one), sender_name="坐席1", client_token="x" * 12
    )
    path = f"/api/conversations/{conversation}/messages"
    draft = {"client_token": "second-answer", "text": "399", "seen_seq": 1}
    status, refused = await two.call("POST", path, json=draft)
    assert (status, refused["error"]) == (409, "answered_meanwhile")
    assert (refused["fields"]["name"], refused["fields"]["agent_id"], refused["fields"]["seq"]) == (
        "坐席1",
        str(me(one)),
        "2",
    )
    assert await site.services.db.fetchval("select count(*) from message") == 2
    # Who has seen it, or wrote it, is not stopped by it: what follows is another matter (this chat has no window).
    for browser, body in ((two, {**draft, "seen_seq": 2}), (two, {**draft, "seen_seq": None}), (one, draft)):
        assert (await browser.call("POST", path, json=body))[1]["error"] == "window_closed"


async def test_two_processes_know_of_each_others_people(settings: Settings, database_url: str, redis_url: str) -> None:
    """Each browser is with another process; what one says the other hears over Redis, also after one has died."""
    from contextlib import AsyncExitStack

    from pydantic import SecretStr

    from scrm.app import open_services
    from tests.http.site import running

    shared = settings.model_copy(update={"redis": settings.redis.model_copy(update={"url": SecretStr(redis_url)})})
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(open_services(shared, database_url))
        here = await stack.enter_async_context(running(first))
        one, two = await here.signed_in("rep"), await here.signed_in("rep")
        conversation = await here.conversation(await here.account(await here.connection()))
        a = await stack.enter_async_context(one.socket())
        await look(a, conversation)
        await a.next("viewers", shows())
        async with AsyncExitStack() as other:
            second = await other.enter_async_context(open_services(shared, database_url))
            there = await other.enter_async_context(running(second))
            two.base = there.base
            await eventually(lambda: _connected(second))
            b = await other.enter_async_context(two.socket())
            await look(b, conversation)
            # A process that has just begun asks who is there.
            await b.next("viewers", shows((me(one), "")))
            await a.next("viewers", shows((me(two), "")))
            await write(a, conversation, "reply")
            await b.next("viewers", shows((me(one), "reply")))
        await a.next("viewers", shows())


async def _connected(services: Any) -> bool:
    return bool(services.bus.connected.is_set())
