"""Searching the archive: what is found, counted and suggested, in which order, and for whom."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

import pytest

import inbox.search_engine
from audit.search.find import search
from audit.search.shapes import SearchQuery
from audit.search.spelling import look
from inbox.queries import one_moment
from scrm.permissions import Scope
from tests.http.conftest import site as site
from tests.http.site import START, Browser, Site


async def pages(browser: Browser, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = await browser.get("/api/audit/search", cursor=cursor, **query)
        found += page["hits"]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


async def texts(browser: Browser, **query: Any) -> list[str]:
    return ["".join(part["text"] for part in hit["excerpt"]) for hit in await pages(browser, **query)]


async def count(browser: Browser, **query: Any) -> dict[str, Any]:
    found: dict[str, Any] = await browser.get("/api/audit/search/facets", **query)
    return found


@pytest.fixture
async def auditor(site: Site) -> Browser:
    return await site.signed_in("auditor")


async def test_words_phrases_and_what_must_not_be_there(site: Site, auditor: Browser) -> None:
    conversation = await site.conversation(await site.account(await site.connection()))
    for text in (
        "尾款我先转你微信",
        "发票加你 微信 稍后转你电子版",
        "客服电话 转你 微信",
        "押金 不用走公司",
        "Ｐｒｏ版报价",
    ):
        await site.says(conversation, text)
    assert await texts(auditor, q="转你 微信 -客服电话") == ["发票加你 微信 稍后转你电子版", "尾款我先转你微信"]
    assert await texts(auditor, q='"你 微信"') == ["客服电话 转你 微信", "发票加你 微信 稍后转你电子版"]
    assert await texts(auditor, q="“你 微信” －发票") == ["客服电话 转你 微信"]
    assert await texts(auditor, q="pro版") == ["Ｐｒｏ版报价"]
    assert await texts(auditor, q="押") == ["押金 不用走公司"]
    assert await texts(auditor, q="-微信") == ["Ｐｒｏ版报价", "押金 不用走公司"]
    assert await texts(auditor, q="-微 司") == ["押金 不用走公司"]
    assert len(await texts(auditor)) == 5
    (first, *_) = (await auditor.get("/api/audit/search", q="转你 微信 -发票"))["hits"]
    assert [part["text"] for part in first["excerpt"] if part["hit"]] == ["转你", "微信"]


async def test_files_and_links_by_what_they_are_called(site: Site, auditor: Browser) -> None:
    conversation = await site.conversation(await site.account(await site.connection()))
    link = {
        "title": "华东经销商返点政策",
        "url": "https://example.com/rebate",
        "items": [{"text": "转发里的一句：私下结算"}],
    }
    linked = await site.says(conversation, "", kind="link", content=link)
    file = await site.says(conversation, "请看附件", kind="file")
    await site.services.db.execute(
        "insert into attachment (message_id, kind, state, name) values ($1, 'file', 'stored', '采购合同（终稿）.PDF')",
        file,
    )
    assert [hit["message_id"] for hit in await pages(auditor, q="返点")] == [linked]
    assert [hit["message_id"] for hit in await pages(auditor, q="私下结算")] == [linked]
    assert await pages(auditor, q="rebate") == []
    (hit,) = await pages(auditor, q="终稿 附件")
    assert (hit["message_id"], hit["file_name"]) == (file, "采购合同（终稿）.PDF")
    assert [part["text"] for part in hit["excerpt"] if part["hit"]] in (["终稿"], ["附件"])
    for q in ("购", "终稿).pdf", '"(终"', "附件 -返点"):
        assert [hit["message_id"] for hit in await pages(auditor, q=q)] == [file], q
    assert await pages(auditor, q="附件 -合同") == []
    assert [hit["message_id"] for hit in await pages(auditor, q="经 -合同")] == [linked]
    assert (await count(auditor, q="终稿"))["total"] == 1


async def test_filters(site: Site, auditor: Browser) -> None:
    db = site.services.db
    connection = await site.connection()
    seller = await site.agent("rep")
    theirs, other = await site.account(connection), await site.account(connection, channel="wecom_member")
    await db.execute(
        "insert into agent_identity (agent_id, connection_id, external_id) select $1, $2, external_id from account where id = $3",
        seller, connection, theirs,
    )  # fmt: skip
    one, two, three = await site.conversation(theirs), await site.conversation(other), await site.conversation(other)
    await site.says(one, "报价一", sent_at=START, created_at=START)
    await site.says(two, "报价二", direction="out", sender_agent_id=seller, sent_at=START + timedelta(days=40))
    await site.recalls(await site.says(three, "报价三", kind="link", content={"title": "标题"}))
    await site.says(
        three, "[红包] 报价四", kind="other", content={"platform_type": "external_redpacket", "total_fen": 20000}
    )
    customer = await db.fetchval(
        "select k.customer_id from conversation c join contact k on k.id = c.contact_id where c.id = $1", one
    )
    await db.execute(
        "insert into contact_link (contact_id, account_id, state, ended_at) select contact_id, account_id, 'deleted_by_contact', now() "
        "from conversation where id = $1",
        two,
    )

    async def finds(**query: Any) -> str:
        found = await texts(auditor, q="报价", **query)
        assert (await count(auditor, q="报价", **query))["total"] == len(found), query
        return "".join(text[-1] for text in found)

    assert await finds() == "四三二一"
    assert await finds(account_id=theirs) == "一"
    assert await finds(agent_id=seller) == "二一"
    assert await finds(customer_id=customer) == "一"
    assert await finds(customer_id=customer, conversation_id=two) == ""
    assert await finds(conversation_id=three) == "四三"
    assert await finds(channel="wecom_member") == "四三二"
    assert await finds(kind="link") == "三"
    assert await finds(kind="other:external_redpacket") == "四"
    assert await finds(direction="out") == "二"
    assert await finds(state="recalled") == "三"
    assert await finds(state="deleted_friend") == "二"
    assert await finds(state="left_group") == ""
    assert await finds(until=(START + timedelta(days=1)).isoformat()) == "一"
    assert (
        await finds(since=(START + timedelta(days=1)).isoformat(), until=(START + timedelta(days=41)).isoformat())
        == "二"
    )
    (money, *_) = await pages(auditor, q="报价")
    assert money["marks"] == [{"kind": "money", "rule_id": None, "name": "", "severity": "", "amount_fen": 20000}]
    facets = await count(auditor, q="报价")
    assert (facets["total"], facets["exact"], facets["conversations"]) == (4, True, 3)
    assert facets["by_month"][0] == {"month": "2026-03", "n": 1}
    assert {(one["agent_id"], one["account_id"]): one["n"] for one in facets["agents"]} == {
        (seller, None): 2,
        (None, other): 2,
    }
    assert {one["state"]: one["n"] for one in facets["states"]} == {"recalled": 1, "deleted_friend": 1, "left_group": 0}


async def test_by_conversation_and_by_relevance(site: Site, auditor: Browser) -> None:
    account = await site.account(await site.connection())
    talks = [await site.conversation(account) for _ in range(7)]
    chance = random.Random(4)
    for n in range(60):
        await site.says(chance.choice(talks), f"{'说明' * (n % 5)}转账{'转账' * (n % 3)} 第{n}次")
    each = await pages(auditor, q="转账", group="true", limit=2)
    newest = {
        hit["conversation"]["id"]: hit["message_id"] for hit in reversed(await pages(auditor, q="转账", limit=50))
    }
    assert [(hit["conversation"]["id"], hit["message_id"]) for hit in each] == sorted(
        newest.items(), key=lambda one: -one[1]
    )
    best = await pages(auditor, q="转账", sort="relevance", limit=7)
    assert len(best) == len({hit["message_id"] for hit in best}) == 60
    shown = ["".join(part["text"] for part in hit["excerpt"]) for hit in best]
    assert "说明" not in shown[0]
    assert shown[0].count("转账") == 3
    assert shown[-1].count("转账") == 1


async def test_nothing_of_others_is_found_counted_or_suggested(site: Site) -> None:
    db = site.services.db
    await db.execute(
        "insert into role (key, name, permissions, reach) values ('inspector', '质检', '{audit.read}', 'own')"
    )
    hidden = await site.conversation(await site.account(await site.connection()))
    secret = await site.says(hidden, "秘密报价", kind="link", content={"title": "机密标题"})
    nobody, auditor = await site.signed_in("inspector"), await site.signed_in("auditor")
    for query in (
        {"q": "秘密报价"},
        {"q": "机"},
        {"q": "密"},
        {},
        {"conversation_id": hidden},
        {"q": "秘密", "sort": "relevance"},
        {"group": "true"},
    ):
        page = await nobody.get("/api/audit/search", **query)
        assert (page["hits"], page["next_cursor"], page["searched_to"]) == ([], None, None), query
        assert (await pages(auditor, **query))[0]["message_id"] == secret, query
    nothing = await count(nobody, q="密")
    assert nothing["total"] == nothing["conversations"] == sum(one["n"] for one in nothing["states"]) == 0
    assert nothing["agents"] == nothing["kinds"] == nothing["by_month"] == nothing["channels"] == nothing["rules"] == []
    for q in ("客户", "kehu", "kh", "kf"):
        assert (await nobody.get("/api/audit/people", q=q))["people"] == [], q
    await db.execute("update conversation set collaborators = $2 where id = $1", hidden, [nobody.me["agent"]["id"]])
    assert len(await pages(nobody, q="密")) == 1
    await site.recalls(secret)
    assert await pages(nobody, q="密") == await pages(nobody, state="recalled") == []
    assert (await count(nobody, q="密"))["total"] == 0
    assert (await count(auditor, state="recalled"))["total"] == 1


async def test_pages_have_no_gaps_while_messages_come(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox.search_engine, "WALKED", 7)
    monkeypatch.setattr(inbox.search_engine, "GLANCED", 2)
    conversation = await site.conversation(await site.account(await site.connection()))
    there = [await site.says(conversation, f"到货{n}") for n in range(30)]
    scope = Scope(1, "all", (), recalled=True)
    for sort, seconds in (("time", 0.3), ("relevance", 0.3), ("time", 0.0), ("relevance", 0.0)):
        # Without time for more, each page looks at the next few messages, and says where to go on.
        monkeypatch.setattr("audit.search.find.SECONDS", seconds)
        found: list[int] = []
        cursor = None
        while True:
            async with one_moment(site.services.db) as tx:
                page = await search(tx, scope, SearchQuery(q="到货", cursor=cursor, limit=4, sort=sort))
            found += [hit.message_id for hit in page.hits]
            cursor = page.next_cursor
            if cursor is None:
                break
            await site.says(conversation, "到货 又一句")
        assert len(found) == len(set(found))
        assert set(there) <= set(found), (sort, seconds)


async def test_each_search_leaves_its_line(site: Site, auditor: Browser) -> None:
    conversation = await site.conversation(await site.account(await site.connection()))
    for _ in range(3):
        await site.says(conversation, "查我")
    await pages(auditor, q="查我", limit=1, direction="in")
    rows = await site.services.db.fetch("select agent_id, detail from audit_event where action = 'archive.searched'")
    assert [(row["agent_id"], row["detail"]) for row in rows] == [
        (auditor.me["agent"]["id"], {"q": "查我", "direction": "in"})
    ]


async def test_what_is_refused(site: Site, auditor: Browser) -> None:
    for query in (
        "q=a&limit=0",
        "kind=a%20b",
        "since=x",
        "since=2026-01-01T00:00:00",
        "state=lost",
        "cursor=a",
        "sort=up",
    ):
        assert (await auditor.call("GET", f"/api/audit/search?{query}"))[0] == 422, query
    rep = await site.signed_in("rep")
    for path in ("/api/audit/search", "/api/audit/search/facets", "/api/audit/people?q=a"):
        assert (await rep.call("GET", path))[0] == 403
    far: list[datetime | str] = ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"]
    for moment in far:
        await auditor.get("/api/audit/search", since=moment, until=moment)


async def test_people_by_name_pinyin_and_initials(site: Site, auditor: Browser) -> None:
    db = site.services.db
    account = await site.account(await site.connection())
    seller = await site.agent("rep")
    await db.execute("update agent set name = '王敏' where id = $1", seller)
    await db.execute(
        "insert into agent_identity (agent_id, connection_id, external_id) select $1, connection_id, external_id from account where id = $2",
        seller, account,
    )  # fmt: skip
    friend, group = (
        await site.conversation(account),
        await site.conversation(account, group_key="g1", group_name="华东经销商群"),
    )
    customer = await db.fetchval(
        "select k.customer_id from conversation c join contact k on k.id = c.contact_id where c.id = $1", friend
    )
    await db.execute(
        "update customer set name = '陈立群', remark = '华康医疗', updated_at = now() - interval '1 minute' where id = $1",
        customer,
    )
    await db.execute("update contact set name = '陈立群' where customer_id = $1", customer)
    while await look(site.services):
        pass

    async def who(q: str) -> list[tuple[str, int]]:
        return [(one["kind"], one["id"]) for one in (await auditor.get("/api/audit/people", q=q))["people"]]

    for q in ("立群", "chenli", "clq", "liqun", "hkyl", "HuaKang"):
        assert await who(q) == [("customer", customer)], q
    for q in ("王", "wangm", "wm"):
        assert ("agent", seller) in await who(q), q
    for q in ("经销商", "hdjxs", "huadong"):
        assert await who(q) == [("group", group)], q
    await db.execute("update conversation set group_name = '华南群' where id = $1", group)
    while await look(site.services):
        pass
    assert await who("hdjxs") == []
    assert await who("hnq") == [("group", group)]


async def test_the_reach_of_a_team(site: Site) -> None:
    db = site.services.db
    await db.execute("insert into role (key, name, permissions, reach) values ('lead', '组长', '{audit.read}', 'team')")
    ours, theirs = await site.team("我们"), await site.team("他们")
    lead = await site.agent("lead", teams=(ours,))
    connection = await site.connection()
    accounts = [await site.account(connection, team_id=team) for team in (ours, theirs, None)]
    talks = [await site.conversation(one) for one in accounts]
    helped = await site.conversation(accounts[1], collaborators=[lead])
    messages = [await site.says(one, "报价") for one in (*talks, helped)]
    browser = await site.sign_in(lead)
    seen = [messages[0], messages[2], messages[3]]
    for query in ({"q": "报价"}, {"q": "价"}, {}, {"q": "报价", "sort": "relevance"}):
        assert sorted(hit["message_id"] for hit in await pages(browser, **query)) == seen, query
    assert (await count(browser, q="价"))["total"] == 3
    assert len((await browser.get("/api/audit/people", q="客户"))["people"]) == 3
    assert len((await browser.get("/api/audit/people", q="kf"))["people"]) == 3
    status, _ = await browser.call("GET", "/api/audit/search?cursor=9999999999999999999")
    assert status == 200
