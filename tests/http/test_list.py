"""The conversation list shows exactly what it should, in every view, filter and order, forwards and backwards."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from inbox.list_query import ListQuery
from inbox.listing import list_conversations
from inbox.queries import one_moment
from scrm.permissions import Reach, Scope
from tests.http.site import START, Site, minutes

NOW = START + timedelta(days=1)


async def crowd(site: Site, chance: random.Random) -> tuple[list[int], list[int], list[int]]:
    """Accounts of two teams and none, three agents, and conversations of every sort. Many share a moment."""
    teams = [await site.team("我们"), await site.team("他们")]
    connection = await site.connection()
    accounts = [
        await site.account(connection, team_id=team, channel=channel)
        for team, channel in ((None, "wecom_kf"), (teams[0], "wecom_kf"), (teams[1], "douyin"))
    ]
    agents = [await site.agent("rep") for _ in range(3)]

    def maybe(value: Any, odds: float = 0.5) -> Any:
        return value if chance.random() < odds else None

    for _ in range(90):
        status = chance.choice(["open", "open", "open", "snoozed", "closed"])
        late = START + minutes(chance.randrange(6)) if chance.random() < 0.2 else None
        await site.conversation(
            chance.choice(accounts),
            status=status,
            assignee_id=maybe(chance.choice(agents)),
            collaborators=chance.sample(agents, chance.choice([0, 0, 1, 2])),
            labels=chance.sample([1, 2, 3], chance.choice([0, 1, 2])),
            unread=chance.choice([0, 1]) if status != "closed" else 0,
            waiting_since=maybe(START + minutes(chance.randrange(5))) if status != "closed" else None,
            last_message_at=START + minutes(chance.randrange(8)),
            window_expires_at=maybe(NOW + timedelta(hours=chance.randrange(-2, 6)), 0.7),
            window_kind="reply",
            sla_kind="first",
            sla_policy_id=1,
            sla_due_at=late or maybe(START + minutes(chance.randrange(9)), 0.3),
            sla_breached_at=late,
        )
    for agent in agents[:2]:
        for conversation in chance.sample(range(1, 60), 9):
            await site.services.db.execute(
                "insert into notification (agent_id, kind, conversation_id, dedupe_key) "
                "select $1, 'mention', id, id::text from conversation where id = $2",
                agent,
                conversation,
            )
    return accounts, agents, teams


async def expected(site: Site, scope: Scope, query: ListQuery) -> list[int]:
    """The slow way: look at every conversation."""
    rows = await site.services.db.fetch(
        "select c.*, a.team_id, a.channel, exists (select from notification n where n.conversation_id = c.id "
        "and n.agent_id = $1 and n.kind = 'mention') as mentioned from conversation c join account a on a.id = c.account_id",
        scope.agent_id,
    )
    me = scope.agent_id
    views = {
        "mine": lambda row: row["status"] == "open" and row["assignee_id"] == me,
        "unassigned": lambda row: row["status"] == "open" and row["assignee_id"] is None,
        "team": lambda row: row["status"] == "open" and row["team_id"] in scope.team_ids,
        "all": lambda row: row["status"] == "open",
        "helping": lambda row: row["status"] == "open" and me in row["collaborators"] and row["assignee_id"] != me,
        "mentions": lambda row: row["mentioned"],
        "snoozed": lambda row: row["status"] == "snoozed",
        "closed": lambda row: row["status"] == "closed",
    }
    keys = {
        "newest": "last_message_at",
        "waiting": "waiting_since",
        "window": "window_expires_at",
        "sla": "sla_due_at",
    }

    def wanted(row: Any) -> bool:
        end = row["window_expires_at"]
        return (
            scope.covers(row["team_id"], row["assignee_id"], tuple(row["collaborators"]))
            and views[query.view](row)
            and (query.account_ids is None or row["account_id"] in query.account_ids)
            and (query.channel is None or row["channel"] == query.channel)
            and (query.label_ids is None or bool(set(query.label_ids) & set(row["labels"])))
            and (query.assignee is None or row["assignee_id"] == query.assignee)
            and (not query.unread or row["unread"] > 0)
            and (not query.waiting or row["waiting_since"] is not None)
            and (not query.breached or row["sla_breached_at"] is not None)
            and (query.closing_hours is None or _within(end, query.closing_hours))
            and row[keys[query.order]] is not None
            and (query.order != "window" or end > NOW)
            and (row["status"] != "closed" or (query.closing_hours is None and query.order != "window"))
        )

    key = keys[query.order]
    found = sorted((row for row in rows if wanted(row)), key=lambda row: (row[key], row["id"]))
    return [row["id"] for row in (found[::-1] if query.order == "newest" else found)]


def _within(end: datetime | None, hours: int) -> bool:
    return end is not None and NOW < end <= NOW + timedelta(hours=hours)


async def paged(site: Site, scope: Scope, query: ListQuery, *, back: bool) -> list[int]:
    found: list[int] = []
    cursor = None
    while True:
        async with one_moment(site.services.db) as tx:
            page = await list_conversations(tx, scope, query.model_copy(update={"cursor": cursor, "back": back}), NOW)
        ids = [one.id for one in page.conversations]
        found = ids + found if back else found + ids
        cursor = page.previous_cursor if back else page.next_cursor
        if cursor is None:
            return found


def any_query(chance: random.Random, accounts: list[int], agents: list[int]) -> ListQuery:
    def maybe(value: Any, odds: float = 0.2) -> Any:
        return value if chance.random() < odds else None

    views = ["mine", "unassigned", "team", "all", "helping", "mentions", "snoozed", "closed"]
    return ListQuery(
        view=chance.choice(views),  # type: ignore[arg-type]
        accounts=maybe(",".join(map(str, chance.sample(accounts, 2)))),
        channel=maybe("douyin"),
        labels=maybe(",".join(map(str, chance.sample([1, 2, 3, 4], 2))), 0.3),
        assignee=maybe(chance.choice(agents)),
        unread=chance.random() < 0.15,
        waiting=chance.random() < 0.15,
        closing_hours=maybe(3, 0.15),
        breached=chance.random() < 0.15,
        sort=maybe(chance.choice(["newest", "waiting", "window", "sla"]), 0.5),
        limit=chance.choice([1, 3, 50]),
    )


async def test_every_list_is_what_looking_at_each_conversation_finds(site: Site) -> None:
    chance = random.Random(20261122)
    accounts, agents, teams = await crowd(site, chance)
    reaches: list[tuple[Reach, tuple[int, ...]]] = [
        ("all", ()),
        ("all", tuple(teams)),
        ("team", (teams[0],)),
        ("team", ()),
        ("own", ()),
    ]
    full = 0
    for _ in range(220):
        reach, member_of = chance.choice(reaches)
        scope = Scope(chance.choice(agents), reach, member_of, False)
        query = any_query(chance, accounts, agents)
        want = await expected(site, scope, query)
        assert await paged(site, scope, query, back=False) == want, (scope, query)
        assert await paged(site, scope, query, back=True) == want, (scope, query)
        full += bool(want)
    assert full > 60


async def test_a_condition_that_many_meet_is_walked_and_finds_the_same(site: Site, monkeypatch: Any) -> None:
    import inbox.listing

    chance = random.Random(4)
    _, agents, teams = await crowd(site, chance)
    monkeypatch.setattr(inbox.listing, "FEW", 0)
    for reach in ("all", "team", "own"):
        scope = Scope(agents[0], reach, (teams[0],), False)  # type: ignore[arg-type]
        for query in (
            ListQuery(labels="1,2", limit=3),
            ListQuery(labels="3", sort="sla", limit=3),
            ListQuery(labels="1,3", sort="waiting", limit=2),
            ListQuery(labels="2", view="closed", limit=3),
            ListQuery(labels="2", channel="douyin", unread=True, limit=3),
            ListQuery(closing_hours=4),
        ):
            want = await expected(site, scope, query)
            assert await paged(site, scope, query, back=False) == want, query
            assert await paged(site, scope, query, back=True) == want, query


async def test_the_end_of_a_list_is_one_request_away(site: Site) -> None:
    browser = await site.signed_in("manager")
    account = await site.account(await site.connection())
    made = [await site.conversation(account, last_message_at=START + minutes(n)) for n in range(12)]
    last = await browser.get("/api/conversations", back="true", limit=5)
    assert [one["id"] for one in last["conversations"]] == made[4::-1]
    assert last["next_cursor"] is None
    before = await browser.get("/api/conversations", back="true", limit=5, cursor=last["previous_cursor"])
    assert [one["id"] for one in before["conversations"]] == made[9:4:-1]
    on = await browser.get("/api/conversations", limit=5, cursor=before["next_cursor"])
    assert on["conversations"] == last["conversations"]


async def test_what_makes_no_sense_is_refused(site: Site) -> None:
    browser = await site.signed_in("rep")
    for query in (
        "labels=a",
        "accounts=1,,2",
        "sort=oldest",
        "account_id=1&accounts=2",
        "closing_hours=0",
        "view=everything",
    ):
        status, answer = await browser.call("GET", f"/api/conversations?{query}")
        assert (status, answer["error"]) == (422, "invalid"), query
