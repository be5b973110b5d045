"""Lists, pages, changes and counts say what the database says, to those who may hear it."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inbox.counts import load_tallies
from inbox.queries import one_moment
from scrm.jobs import Job
from scrm.permissions import Scope
from scrm.upkeep import fold_tallies
from tests.http.site import START, Browser, Site, minutes


async def all_pages(browser: Browser, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = await browser.get("/api/conversations", **query, cursor=cursor)
        found += page["conversations"]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


async def test_the_list_is_complete_ordered_and_without_repetition(site: Site) -> None:
    browser = await site.signed_in("manager")
    connection = await site.connection()
    accounts = [await site.account(connection) for _ in range(3)]
    made = [
        # Many share a moment: the id decides.
        await site.conversation(accounts[n % 3], last_message_at=START + minutes(n // 5))
        for n in range(47)
    ]
    for limit in (1, 7, 10, 100):
        found = await all_pages(browser, limit=limit)
        order = [(one["last_message_at"], one["id"]) for one in found]
        assert order == sorted(order, reverse=True)
        assert sorted(one["id"] for one in found) == made
    only = await all_pages(browser, limit=4, account_id=accounts[1])
    assert {one["account_id"] for one in only} == {accounts[1]}
    assert len(only) == len([n for n in range(47) if n % 3 == 1])


async def test_what_moves_while_somebody_pages_neither_repeats_nor_hides_the_rest(site: Site) -> None:
    browser = await site.signed_in("manager")
    account = await site.account(await site.connection())
    made = [await site.conversation(account, last_message_at=START + minutes(n)) for n in range(30)]
    still, chance = set(made), random.Random(7)
    found: list[int] = []
    cursor = None
    while True:
        page = await browser.get("/api/conversations", limit=4, cursor=cursor)
        found += [one["id"] for one in page["conversations"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        mover = chance.choice(made)
        await site.says(mover, "又来了")
        still.discard(mover)
    assert len(found) == len(set(found))
    assert still <= set(found)


async def test_views_and_filters(site: Site) -> None:
    manager = await site.signed_in("manager")
    me, other = manager.me["agent"]["id"], await site.agent("rep")
    account = await site.account(await site.connection())
    mine = await site.conversation(account, assignee_id=me, unread=2, last_message_at=START + minutes(1))
    free = await site.conversation(account, waiting_since=START + minutes(9), last_message_at=START + minutes(2))
    theirs = await site.conversation(
        account, assignee_id=other, waiting_since=START + minutes(3), unread=1, last_message_at=START + minutes(3)
    )
    done = await site.conversation(account, status="closed", assignee_id=me, last_message_at=START + minutes(4))

    async def ids(**query: Any) -> list[int]:
        return [one["id"] for one in await all_pages(manager, **query)]

    assert await ids() == await ids(view="all") == [theirs, free, mine]
    assert await ids(view="mine") == [mine]
    assert await ids(view="unassigned") == [free]
    assert await ids(view="closed") == [done]
    assert await ids(unread=1) == [theirs, mine]
    assert await ids(waiting=1) == [theirs, free]
    assert await ids(waiting=1, limit=1) == [theirs, free]
    assert await ids(waiting="true", unread="true") == [theirs]
    assert await ids(view="mine", waiting=1) == []
    assert await ids(view="mine", unread=1) == [mine]
    assert await ids(view="closed", unread=1) == await ids(view="closed", waiting=1) == []
    assert await ids(view="unassigned", waiting=1, account_id=account) == [free]
    assert await ids(account_id=account + 1) == []


async def test_a_cursor_of_one_order_is_refused_by_the_other(site: Site) -> None:
    browser = await site.signed_in("manager")
    account = await site.account(await site.connection())
    for n in range(3):
        await site.conversation(account, waiting_since=START + minutes(n))
    cursor = (await browser.get("/api/conversations", limit=1))["next_cursor"]
    status, answer = await browser.call("GET", f"/api/conversations?waiting=1&cursor={cursor}")
    assert (status, list(answer["fields"])) == (422, ["cursor"])


async def test_pages_of_a_thread_join_without_gaps(site: Site) -> None:
    browser = await site.signed_in("manager")
    account = await site.account(await site.connection())
    conversation = await site.conversation(account)
    other = await site.conversation(account)
    for n in range(23):
        await site.says(conversation, f"第{n + 1}条")
        await site.says(other, "别的")
    path = f"/api/conversations/{conversation}/messages"
    page = await browser.get(path, limit=5)
    assert [one["seq"] for one in page["messages"]] == [19, 20, 21, 22, 23]
    assert (page["has_before"], page["has_after"]) == (True, False)
    assert page["conversation"]["last_seq"] == 23
    seqs = [one["seq"] for one in page["messages"]]
    while page["has_before"]:
        page = await browser.get(path, limit=5, before=seqs[0])
        seqs = [one["seq"] for one in page["messages"]] + seqs
        assert page["has_after"] is True
    assert seqs == list(range(1, 24))
    forward: list[int] = []
    page = {"has_after": True}
    while page["has_after"]:
        page = await browser.get(path, limit=7, after=forward[-1] if forward else 0)
        forward += [one["seq"] for one in page["messages"]]
    assert forward == seqs
    around = await browser.get(path, around=10, limit=6)
    assert [one["seq"] for one in around["messages"]] == [7, 8, 9, 10, 11, 12]
    assert (around["has_before"], around["has_after"]) == (True, True)
    edge = await browser.get(path, around=1, limit=6)
    assert [one["seq"] for one in edge["messages"]] == [1, 2, 3]
    assert edge["has_before"] is False


async def test_what_changed_since_any_version_brings_an_old_copy_up_to_date(site: Site) -> None:
    browser = await site.signed_in("manager")
    conversation = await site.conversation(await site.account(await site.connection()))
    chance = random.Random(11)
    ids: list[int] = []
    copies: list[tuple[int, dict[int, Any]]] = []
    path = f"/api/conversations/{conversation}"
    for n in range(25):
        if ids and chance.random() < 0.35:
            await site.recalls(chance.choice(ids))
        else:
            ids.append(await site.says(conversation, f"{n}"))
        if chance.random() < 0.3:
            page = await browser.get(f"{path}/messages", limit=200)
            copies.append((page["conversation"]["version"], {one["id"]: one for one in page["messages"]}))
    whole = await browser.get(f"{path}/messages", limit=200)
    expected = {one["id"]: one for one in whole["messages"]}
    for version, held in [(0, {}), *copies]:
        for limit in (1, 3, 500):
            copy, since, more = dict(held), version, True
            while more:
                page = await browser.get(f"{path}/changes", since=since, limit=limit)
                copy.update({one["id"]: one for one in page["messages"]})
                since, more = page["up_to_version"], page["more"]
            assert copy == expected
            assert since == whole["conversation"]["version"]


async def test_messages_changed_by_one_act_are_never_parted(site: Site) -> None:
    browser = await site.signed_in("manager")
    conversation = await site.conversation(await site.account(await site.connection()))
    for n in range(9):
        await site.says(conversation, f"{n}")
    await site.services.db.execute("update message set version = 10 where seq > 3")
    await site.services.db.execute("update conversation set version = 10")
    seen: set[int] = set()
    since, more = 0, True
    while more:
        page = await browser.get(f"/api/conversations/{conversation}/changes", since=since, limit=2)
        seen |= {one["seq"] for one in page["messages"]}
        since, more = page["up_to_version"], page["more"]
    assert seen == set(range(1, 10))


# -------------------------------------------------------------------------------------------------- who sees what


async def test_a_rep_sees_open_accounts_own_teams_and_own_conversations(site: Site) -> None:
    ours, theirs = await site.team("我们"), await site.team("他们")
    rep = await site.signed_in("rep", teams=(ours,))
    me = rep.me["agent"]["id"]
    connection = await site.connection()
    open_one, our_one, their_one = [await site.account(connection, team_id=team) for team in (None, ours, theirs)]
    seen = [await site.conversation(account, last_message_at=START) for account in (open_one, our_one)]
    hidden = await site.conversation(their_one)
    lent = await site.conversation(their_one, assignee_id=me)
    assert {one["id"] for one in await all_pages(rep, limit=2)} == {*seen, lent}
    assert [one["id"] for one in await all_pages(rep, view="mine")] == [lent]
    assert {one["id"] for one in await all_pages(rep, view="unassigned")} == set(seen)
    assert [one["id"] for one in await all_pages(rep, account_id=their_one)] == [lent]
    counts = await rep.get("/api/conversations/counts")
    assert counts["all"]["open"] == 3
    assert counts["unassigned"]["open"] == 2
    assert counts["mine"]["open"] == 1
    assert counts["accounts"][str(their_one)]["open"] == 1
    assert {one["id"] for one in (await rep.get("/api/accounts"))["accounts"]} == {open_one, our_one, their_one}
    await site.gives(lent, None)
    assert {one["id"] for one in (await rep.get("/api/accounts"))["accounts"]} == {open_one, our_one}
    assert str(their_one) not in (await rep.get("/api/conversations/counts"))["accounts"]
    await leaks_nothing(site, rep, hidden)


async def leaks_nothing(site: Site, rep: Browser, hidden: int) -> None:
    """Every way to a conversation of others answers as if it did not exist."""
    message = await site.says(hidden, "秘密", direction="out")
    await site.services.db.execute("insert into blob (sha256, size, mime) values ($1, 1, 'image/png')", "a" * 64)
    attachment = await site.services.db.fetchval(
        "insert into attachment (message_id, kind, state, sha256) values ($1, 'image', 'stored', $2) returning id",
        message, "a" * 64,
    )  # fmt: skip
    contact = await site.services.db.fetchval("select contact_id from conversation where id = $1", hidden)
    customer = await site.services.db.fetchval("select customer_id from contact where id = $1", contact)
    draft = {"client_token": "12345678", "kind": "text", "text": "x"}
    ways: list[tuple[str, str, Any]] = [
        ("GET", f"/api/conversations/{hidden}", None),
        ("GET", f"/api/conversations/{hidden}/messages", None),
        ("GET", f"/api/conversations/{hidden}/changes?since=0", None),
        ("POST", f"/api/conversations/{hidden}/messages", draft),
        ("POST", f"/api/conversations/{hidden}/read", {"seq": 1}),
        ("POST", f"/api/conversations/{hidden}/assign", {"agent_id": rep.me["agent"]["id"]}),
        ("POST", f"/api/conversations/{hidden}/close", {}),
        ("POST", f"/api/conversations/{hidden}/reopen", {}),
        ("POST", f"/api/messages/{message}/retry", {}),
        ("POST", f"/api/messages/{message}/settle", {"outcome": "sent"}),
        ("POST", f"/api/messages/{message}/recall", {}),
        ("GET", f"/api/attachments/{attachment}/content", None),
        ("GET", f"/api/customers/{customer}", None),
        ("PATCH", f"/api/customers/{customer}", {"remark": "x"}),
    ]
    before = await site.services.db.fetchrow("select * from conversation where id = $1", hidden)
    for method, path, body in ways:
        status, answer = await rep.call(method, path, json=body) if body is not None else await rep.call(method, path)
        assert (status, answer["error"]) == (404, "not_found"), path
        assert "秘密" not in repr(answer)
    assert await site.services.db.fetchrow("select * from conversation where id = $1", hidden) == before


async def test_what_was_recalled_is_kept_for_those_who_may_see_it(site: Site) -> None:
    rep, auditor = await site.signed_in("rep"), await site.signed_in("auditor")
    conversation = await site.conversation(await site.account(await site.connection()))
    message = await site.says(conversation, "我要投诉", content={"menu_id": "7"})
    attachment = await site.services.db.fetchval(
        "insert into attachment (message_id, kind, state) values ($1, 'image', 'pending') returning id", message
    )
    await site.recalls(message)
    for path in (f"/api/conversations/{conversation}/messages", f"/api/conversations/{conversation}/changes?since=0"):
        hidden = (await rep.get(path))["messages"][0]
        assert (hidden["text"], hidden["content"], hidden["attachments"]) == ("", {}, [])
        assert hidden["recalled_by"] == "customer"
        shown = (await auditor.get(path))["messages"][0]
        assert (shown["text"], shown["content"]) == ("我要投诉", {"menu_id": "7"})
        assert [one["id"] for one in shown["attachments"]] == [attachment]


async def test_an_auditor_who_looks_marks_nothing_as_read(site: Site) -> None:
    auditor, rep = await site.signed_in("auditor"), await site.signed_in("rep")
    conversation = await site.conversation(await site.account(await site.connection()))
    await site.says(conversation, "在吗")
    assert (await auditor.post(f"/api/conversations/{conversation}/read", {"seq": 1}))["unread"] == 1
    assert (await rep.post(f"/api/conversations/{conversation}/read", {"seq": 1}))["unread"] == 0


async def test_giving_away_is_answered_to_the_giver(site: Site) -> None:
    ours = await site.team("我们")
    rep, manager = await site.signed_in("rep"), await site.signed_in("manager")
    me = rep.me["agent"]["id"]
    conversation = await site.conversation(await site.account(await site.connection(), team_id=ours), assignee_id=me)
    assert (await rep.get(f"/api/conversations/{conversation}"))["assignee_id"] == me
    given = await rep.post(f"/api/conversations/{conversation}/assign", {"agent_id": None})
    assert given["assignee_id"] is None
    assert (await rep.call("GET", f"/api/conversations/{conversation}"))[0] == 404
    taken = await manager.post(f"/api/conversations/{conversation}/assign", {"agent_id": me})
    assert taken["assignee_id"] == me
    assert (await rep.get(f"/api/conversations/{conversation}"))["assignee_id"] == me


async def test_an_answer_and_its_repetition_are_one_message(site: Site) -> None:
    rep = await site.signed_in("rep")
    window = {
        "window_kind": "reply", "window_opened_at": START, "window_quota": 5,
        "window_expires_at": site.services.clock.now() + timedelta(hours=1),
    }  # fmt: skip
    conversation = await site.conversation(await site.account(await site.connection()), **window)
    draft = {"client_token": "token-0001", "kind": "text", "text": "您好，有什么可以帮您？"}
    path = f"/api/conversations/{conversation}/messages"
    first = await rep.post(path, draft, status=201)
    assert first["state"] == "queued"
    assert first["sender"]["agent_id"] == rep.me["agent"]["id"]
    again = await rep.post(path, draft, status=200)
    assert again == first
    shown = await rep.get(f"/api/conversations/{conversation}")
    assert shown["window"]["used"] == 1
    assert shown["preview"] == draft["text"]
    refused, answer = await rep.call("POST", path, json={"client_token": "short", "text": "x"})
    assert (refused, list(answer["fields"])) == (422, ["client_token"])


# -------------------------------------------------------------------------------------------------- counts

CHANGE = st.tuples(
    st.integers(0, 11),
    st.sampled_from(
        [
            "assign",
            "free",
            "close",
            "open",
            "unread",
            "read",
            "wait",
            "answer",
            "delete",
            "move",
            "help",
            "alone",
            "snooze",
            "mention",
            "noted",
        ]
    ),
    st.integers(0, 2),
)
SETS = {
    "assign": "assignee_id = $2", "free": "assignee_id = null", "close": "status = 'closed'", "open": "status = 'open'",
    "unread": "unread = unread + 1", "read": "unread = 0", "wait": "waiting_since = now()", "answer": "waiting_since = null",
    "move": "account_id = $2", "help": "collaborators = array_append(collaborators, $2)", "alone": "collaborators = '{}'",
    "snooze": "status = 'snoozed'",
}  # fmt: skip


MENTION = """
insert into notification (agent_id, kind, conversation_id, dedupe_key)
values ($1::bigint, 'mention', $2::bigint, gen_random_uuid()::text)
"""
NOTED = "update notification set read_at = now() where agent_id = $1 and conversation_id = $2"


async def test_counts_equal_counting(site: Site) -> None:
    """After any changes, for everybody; the tallies are folded together now and then."""
    ours, theirs = await site.team("我们"), await site.team("他们")
    connection = await site.connection()
    accounts = [await site.account(connection, team_id=team) for team in (None, ours, theirs)]
    agents = [await site.agent("rep", teams=teams) for teams in ((ours,), (), (ours, theirs))]
    scopes = [
        Scope(agents[0], "team", (ours,), False), Scope(agents[1], "team", (), False),
        Scope(agents[2], "team", (ours, theirs), False), Scope(agents[0], "all", (), True),
        Scope(agents[1], "own", (ours,), False),
    ]  # fmt: skip
    made = [await site.conversation(accounts[n % 3]) for n in range(12)]

    @settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(changes=st.lists(CHANGE, min_size=1, max_size=12))
    async def check(changes: list[tuple[int, str, int]]) -> None:
        for which, act, who in changes:
            if act == "delete":
                await site.services.db.execute("delete from conversation where id = $1", made[which])
                made[which] = await site.conversation(accounts[who])
            elif act == "mention":
                await site.services.db.execute(MENTION, agents[who], made[which])
            elif act == "noted":
                await site.services.db.execute(NOTED, agents[who], made[which])
            elif act in ("assign", "move", "help"):
                target = accounts[who] if act == "move" else agents[who]
                await site.services.db.execute(
                    f"update conversation set {SETS[act]} where id = $1", made[which], target
                )
            else:
                await site.services.db.execute(f"update conversation set {SETS[act]} where id = $1", made[which])
        if changes[0][2] == 0:
            await fold_tallies(site.services, Job(1, "fold_tallies", "", {}, 1))
        async with one_moment(site.services.db) as tx:
            tallies = await load_tallies(tx)
            for scope in scopes:
                assert tallies.view(scope).model_dump() == await counted(site, scope)

    await _run(check)


async def _run(check: Any) -> None:
    """Hypothesis calls plain functions; each example is finished in our loop before the next one starts."""
    import asyncio

    loop = asyncio.get_running_loop()
    inner = check.hypothesis.inner_test

    def blocking(*arguments: Any, **named: Any) -> None:
        asyncio.run_coroutine_threadsafe(inner(*arguments, **named), loop).result(60)

    check.hypothesis.inner_test = blocking
    await asyncio.to_thread(check)


async def counted(site: Site, scope: Scope) -> dict[str, Any]:
    """The slow way: look at every conversation."""
    every = await site.services.db.fetch(
        "select c.*, a.team_id from conversation c join account a on a.id = c.account_id"
    )
    seen = [row for row in every if scope.covers(row["team_id"], row["assignee_id"], tuple(row["collaborators"]))]
    mentions = await site.services.db.fetch(
        "select distinct conversation_id from notification where agent_id = $1 and kind = 'mention' and read_at is null",
        scope.agent_id,
    )
    awake = [row for row in seen if row["status"] == "open"]

    def tally(some: list[Any]) -> dict[str, int]:
        return {
            "open": len(some),
            "unread": len([row for row in some if row["unread"] > 0]),
            "waiting": len([row for row in some if row["waiting_since"] is not None]),
        }

    accounts = await site.services.db.fetch("select id, team_id from account")
    listed = {row["id"] for row in accounts if scope.covers_account(row["team_id"])} | {
        row["account_id"] for row in seen if row["status"] != "closed"
    }
    return {
        "mine": tally([row for row in awake if row["assignee_id"] == scope.agent_id]),
        "unassigned": tally([row for row in awake if row["assignee_id"] is None]),
        "team": tally([row for row in awake if row["team_id"] in scope.team_ids]),
        "all": tally(awake),
        "helping": tally(
            [row for row in awake if row["assignee_id"] != scope.agent_id and scope.agent_id in row["collaborators"]]
        ),
        "snoozed": tally([row for row in seen if row["status"] == "snoozed"]),
        "mentions": len({row["conversation_id"] for row in mentions} & {row["id"] for row in seen}),
        "accounts": {str(one): tally([row for row in awake if row["account_id"] == one]) for one in listed},
    }
