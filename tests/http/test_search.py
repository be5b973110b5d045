"""Search finds every sentence that is there, nothing else, the newest first, and only what the asker may see."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest

import inbox.search_engine
from inbox.queries import one_moment
from inbox.search import SearchQuery, search_messages
from scrm.permissions import Reach, Scope
from tests.http.site import Browser, Site

LETTERS = "退款发货合同 Ab１２，!😀é"
NEXT_BLOCK = "select setval(pg_get_serial_sequence('message', 'id'), (select max(id) from message) + 100000)"


async def every_page(site: Site, scope: Scope, **query: Any) -> list[int]:
    found: list[int] = []
    cursor = None
    while True:
        async with one_moment(site.services.db) as tx:
            page = await search_messages(tx, scope, SearchQuery(**query, cursor=cursor))
        found += [hit.message_id for hit in page.hits]
        cursor = page.next_cursor
        if cursor is None:
            return found


async def expected(site: Site, scope: Scope, q: str, account: int | None, direction: str | None) -> list[int]:
    rows = await site.services.db.fetch(
        "select m.*, c.account_id, c.assignee_id, c.collaborators, a.team_id, search_fold(m.text) as words, "
        "search_fold($1) as wanted from message m join conversation c on c.id = m.conversation_id "
        "join account a on a.id = c.account_id order by m.id desc",
        q,
    )
    return [
        row["id"]
        for row in rows
        if all(word in row["words"] for word in row["wanted"].split())
        and scope.covers(row["team_id"], row["assignee_id"], tuple(row["collaborators"]))
        and (scope.recalled or row["recalled_at"] is None)
        and (account is None or row["account_id"] == account)
        and (direction is None or row["direction"] == direction)
    ]


async def test_every_search_finds_what_reading_everything_finds(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(8)
    monkeypatch.setattr(inbox.search_engine, "WALKED", 5)
    monkeypatch.setattr(inbox.search_engine, "GLANCED", 2)
    connection = await site.connection()
    teams = [await site.team("我们"), await site.team("他们")]
    accounts = [await site.account(connection, team_id=team) for team in (None, *teams)]
    agents = [await site.agent("rep") for _ in range(2)]
    conversations = [
        await site.conversation(
            chance.choice(accounts), assignee_id=chance.choice([None, *agents]), collaborators=[agents[1]][: n % 2]
        )
        for n in range(12)
    ]
    for n in range(160):
        text = "".join(chance.choice(LETTERS) for _ in range(chance.randrange(9)))
        direction = chance.choice(["in", "in", "out", "note"])
        message = await site.says(chance.choice(conversations), text, direction=direction)
        if chance.random() < 0.1:
            await site.recalls(message)
        if n % 40 == 39:
            await site.services.db.execute(NEXT_BLOCK)
    reaches: list[tuple[Reach, tuple[int, ...]]] = [("all", ()), ("team", (teams[0],)), ("own", ())]
    finds = 0
    for _ in range(120):
        q = "".join(chance.choice(LETTERS) for _ in range(chance.choice([1, 2, 2, 3, 4])))
        if not q.strip():
            continue
        reach, member_of = chance.choice(reaches)
        scope = Scope(chance.choice(agents), reach, member_of, chance.random() < 0.5)
        account, direction = chance.choice([None, None, accounts[0]]), chance.choice([None, None, "in", "note"])
        want = await expected(site, scope, q, account, direction)
        got = await every_page(
            site, scope, q=q, account_id=account, direction=direction, limit=chance.choice([1, 3, 50])
        )
        assert got == want, (q, scope)
        finds += len(want)
    assert finds > 100


async def found(browser: Browser, q: str, **query: Any) -> list[str]:
    page = await browser.get("/api/search/messages", q=q, **query)
    return ["".join(part["text"] for part in hit["excerpt"]) for hit in page["hits"]]


async def test_searchable_at_once_with_the_words_marked(site: Site) -> None:
    browser = await site.signed_in("rep")
    conversation = await site.conversation(await site.account(await site.connection()))
    await site.says(conversation, "合同第三条账期能改成ＡＢ 45 天吗")
    page = await browser.get("/api/search/messages", q="账期 ab")
    (hit,) = page["hits"]
    assert [part["text"] for part in hit["excerpt"] if part["hit"]] == ["账期", "ＡＢ"]
    assert (hit["conversation"]["id"], hit["seq"]) == (conversation, 1)
    assert page["next_cursor"] is None
    around = await browser.get(f"/api/conversations/{conversation}/messages", around=hit["seq"])
    assert [one["id"] for one in around["messages"]] == [hit["message_id"]]
    assert await found(browser, "账期 甲方") == []


async def test_by_time_sender_and_conversation(site: Site) -> None:
    browser = await site.signed_in("manager")
    me = browser.me["agent"]["id"]
    account = await site.account(await site.connection())
    one, two = await site.conversation(account), await site.conversation(account)
    now = site.services.clock.now()
    old = now - timedelta(days=90)
    await site.says(one, "发货了吗 很久以前", sent_at=old, created_at=old)
    await site.says(one, "发货了 我说的", direction="out", sender_agent_id=me)
    await site.says(two, "什么时候发货")
    assert await found(browser, "发货") == ["什么时候发货", "发货了 我说的", "发货了吗 很久以前"]
    assert await found(browser, "发货", agent_id=me) == ["发货了 我说的"]
    assert await found(browser, "发货", conversation_id=one) == ["发货了 我说的", "发货了吗 很久以前"]
    assert await found(browser, "发货", until=(old + timedelta(days=1)).isoformat()) == ["发货了吗 很久以前"]
    assert await found(browser, "发货", since=(old + timedelta(days=1)).isoformat(), direction="in") == ["什么时候发货"]
    for query in ("q=", "q=%20", "q=a&limit=0", "q=a&direction=up", "q=a&since=x"):
        status, _ = await browser.call("GET", f"/api/search/messages?{query}")
        assert status == 422, query


async def test_people_by_name_remark_id_and_phone(site: Site) -> None:
    manager, rep = await site.signed_in("manager"), await site.signed_in("rep")
    account = await site.account(await site.connection())
    conversation = await site.conversation(account)
    other = await site.conversation(account)
    await site.services.db.execute("update contact set name = '翟陈立群', external_id = 'wmXYZ987' where id = 1")
    await site.services.db.execute(
        "update customer set name = '翟总', remark = '华康医疗 采购', phone = '13812345678' where id = 1"
    )

    async def who(browser: Browser, q: str) -> list[int]:
        return [hit["conversation"]["id"] for hit in (await browser.get("/api/search/people", q=q))["hits"]]

    for q in ("翟", "立群", "陈立", "华康", "采购 华康", "wmXYZ9"):
        assert await who(rep, q) == [conversation], q
    assert await who(rep, "立陈") == []
    for q in ("13812345678", "1381234", "5678", "138 1234 5678"):
        assert await who(manager, q) == [conversation], q
        # Who does not see phone numbers cannot find out by guessing, either.
        assert await who(rep, q) == [], q
    hits = (await rep.get("/api/search/people", q="客户"))["hits"]
    assert [hit["conversation"]["id"] for hit in hits] == [other]
    assert hits[0]["name"][0] == {"text": "客户", "hit": True}


async def test_nothing_of_others_is_found(site: Site) -> None:
    theirs = await site.team("他们")
    rep, auditor = await site.signed_in("rep"), await site.signed_in("auditor")
    hidden = await site.conversation(await site.account(await site.connection(), team_id=theirs))
    message = await site.says(hidden, "秘密报价 三折")
    assert await found(rep, "秘密报价") == []
    assert (await rep.get("/api/search/people", q="客户"))["hits"] == []
    assert await found(auditor, "秘密报价") == ["秘密报价 三折"]
    await site.services.db.execute(
        "update conversation set collaborators = $2 where id = $1", hidden, [rep.me["agent"]["id"]]
    )
    assert await found(rep, "秘密报价") == ["秘密报价 三折"]
    await site.recalls(message)
    assert await found(rep, "秘密报价") == []
    assert await found(auditor, "秘密报价") == ["秘密报价 三折"]
    await site.services.db.execute("delete from conversation where id = $1", hidden)
    assert await found(auditor, "秘密报价") == []
    assert await site.services.db.fetchval("select count(*) from message_text") == 0
