"""Rules at work: each message once, live and looking back, words and acts."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
import xlsxwriter

from audit.rules.acts import ActWatcher
from audit.rules.rerun import Backlooker
from audit.rules.watch import Watcher
from scrm.services import Services
from tests.http.site import Browser, Site, running

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
"""Noon in Shanghai, on a Monday."""


@pytest.fixture
async def site(services: Services) -> AsyncIterator[Site]:
    async with running(services) as site:
        yield site


async def a_rule(
    browser: Browser, *words: str, name: str = "返现", severity: str = "high", **data: Any
) -> dict[str, Any]:
    shape = {"kind": "words", "words": [{"text": one, "how": how_of(one)} for one in words], **data}
    if not words:
        shape.pop("words")
    made: dict[str, Any] = await browser.post(
        "/api/audit/rules", {"name": name, "severity": severity, "data": shape}, status=201
    )
    return made


def how_of(word: str) -> str:
    return "wildcard" if "*" in word else "plain"


async def watched(site: Site) -> None:
    """Once to begin where we are, then until nothing is left."""
    watcher = Watcher(site.services)
    while await watcher.round():
        pass


async def hits(site: Site) -> list[tuple[int, int]]:
    rows = await site.services.db.fetch("select rule_id, message_id from audit_hit order by message_id, rule_id")
    return [(row["rule_id"], row["message_id"]) for row in rows]


async def alerts_of(browser: Browser, **query: Any) -> list[dict[str, Any]]:
    page = await browser.get("/api/audit/alerts", **query)
    return list(page["alerts"])


async def test_a_word_becomes_a_hit_and_an_alert_that_leads_to_its_place(site: Site) -> None:
    auditor = await site.signed_in("auditor")
    account = await site.account(await site.connection())
    conversation = await site.conversation(account)
    rule = await a_rule(auditor, "返现", "加*微信", exceptions=["不支持返现"])
    await a_rule(auditor, "返现", account_ids=[account + 1])
    await a_rule(auditor, "返现", channels=["another"])
    await watched(site)
    agent = await site.agent("rep")
    said = await site.says(conversation, "这单可以给您返现 50，加我的微信", direction="out", sender_agent_id=agent)
    await site.says(conversation, "我们不支持返现", direction="out")
    await site.says(conversation, "能返现吗", direction="in")
    await watched(site)
    await watched(site)
    assert await hits(site) == [(rule["id"], said)]
    (alert,) = await alerts_of(auditor)
    assert (alert["rule_name"], alert["severity"], alert["state"], alert["agent_id"]) == ("返现", "high", "new", agent)
    assert [part["text"] for part in alert["message"]["excerpt"] if part["hit"]] == ["返现", "加我的微信"]
    assert (alert["conversation"]["id"], alert["message"]["seq"]) == (conversation, 1)
    counts = await auditor.get("/api/audit/alerts/counts")
    assert counts == {"new": 1, "taken": 0, "mine": 0, "high": 1}


async def test_a_batch_that_is_killed_on_any_line_gives_every_hit_once(site: Site) -> None:
    """Whatever statement is the last: nothing of the round stays, and the next one finds the same."""
    auditor = await site.signed_in("auditor")
    conversation = await site.conversation(await site.account(await site.connection()))
    rule = await a_rule(auditor, "返现")
    await watched(site)
    said = [await site.says(conversation, f"返现 {n}", direction="out") for n in range(3)]
    for line in range(1, 60):
        watcher = Watcher(Dying(site.services, line))  # type: ignore[arg-type]
        try:
            await watcher.round()
        except ConnectionResetError:
            assert await hits(site) == []
            assert await alerts_of(auditor) == []
            continue
        break
    assert line > 5
    assert await hits(site) == [(rule["id"], one) for one in said]
    assert len(await alerts_of(auditor)) == 3


class Dying:
    """Services whose work ends at the n-th statement."""

    def __init__(self, services: Services, line: int) -> None:
        self._services = services
        self._left = line

    def __getattr__(self, name: str) -> Any:
        return getattr(self._services, name)

    def work(self) -> Any:
        return _Work(self)

    def count(self) -> None:
        self._left -= 1
        if self._left <= 0:
            raise ConnectionResetError("the process was killed")


class _Work:
    def __init__(self, dying: Dying) -> None:
        self._dying = dying
        self._inner = dying._services.work()

    async def __aenter__(self) -> Any:
        work = await self._inner.__aenter__()
        work.tx = _Tx(work.tx, self._dying)
        return work

    async def __aexit__(self, *error: Any) -> Any:
        try:
            if error[0] is None:
                self._dying.count()
        except ConnectionResetError as killed:
            await self._inner.__aexit__(type(killed), killed, killed.__traceback__)
            raise
        return await self._inner.__aexit__(*error)


class _Tx:
    def __init__(self, tx: Any, dying: Dying) -> None:
        self._tx, self._dying = tx, dying

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._tx, name)

        async def call(*arguments: Any) -> Any:
            self._dying.count()
            return await found(*arguments)

        return call


async def test_looking_back_finds_each_once_however_often_and_forgets_what_is_no_find_any_more(site: Site) -> None:
    auditor = await site.signed_in("auditor")
    conversation = await site.conversation(await site.account(await site.connection()))
    old = [await site.says(conversation, text, direction="out") for text in ("返现 1", "早", "返现活动", "返现 2")]
    rule = await a_rule(auditor, "返现")
    await watched(site)
    assert await hits(site) == []
    address = f"/api/audit/rules/{rule['id']}"
    for _ in range(2):
        await auditor.post(f"{address}/look-back", {}, status=201)
        assert (await auditor.call("POST", f"{address}/look-back", json={}))[0] == 409
        looker = Backlooker(site.services)
        while await looker.round():
            pass
        assert await hits(site) == [(rule["id"], old[n]) for n in (0, 2, 3)]
        assert len(await alerts_of(auditor)) == 3
    seen = await auditor.get(address)
    assert (seen["rerun"]["state"], seen["rerun"]["looked"], seen["rerun"]["found"], seen["hits"]) == ("done", 4, 0, 3)
    assert await site.services.db.fetchval("select count(*) from notification") == 0
    data = {**seen["data"], "exceptions": ["返现活动"]}
    status, changed = await auditor.call("PATCH", address, json={"version": 1, "data": data})
    assert (status, changed["version"]) == (200, 2)
    assert (await auditor.call("PATCH", address, json={"version": 1, "name": "x"}))[0] == 409
    await auditor.post(f"{address}/look-back", {"alerts": False}, status=201)
    while await looker.round():
        pass
    assert await hits(site) == [(rule["id"], old[n]) for n in (0, 3)]
    assert [one["version"] for one in (await auditor.get(f"{address}/versions"))["versions"]] == [2, 1]


async def test_risky_acts_in_messages(site: Site) -> None:
    auditor = await site.signed_in("auditor")
    conversation = await site.conversation(await site.account(await site.connection()))
    ids = {
        kind: (await a_rule(auditor, name=kind, kind=kind, **more))["id"]
        for kind, more in {
            "phone": {"exceptions": ["400-800-1234"]}, "payee": {}, "card": {}, "red_packet": {"fen": 5000},
            "off_hours": {"use": "times"},
        }.items()
    }  # fmt: skip
    await watched(site)

    async def out(text: str, **columns: Any) -> int:
        return await site.says(conversation, text, direction="out", sent_at=NOON, **columns)

    expected = {
        ("phone", await out("打我 138 1234 5678")),
        ("payee", await out("付这里 https://qr.alipay.com/abc")),
        ("payee", await out("[链接] 收银", kind="link", content={"title": "我的收款码", "url": "https://x.cn"})),
        ("card", await out("[名片] 小王", kind="contact_card", content={})),
        ("red_packet", await out("[红包] 谢谢", kind="other", content={"total_fen": 6600})),
        ("off_hours", await site.says(conversation, "晚安", direction="out", sent_at=NOON + timedelta(hours=11))),
    }
    await out("客服热线 400-800-1234，订单 2026030212345678901")
    await out("[红包] 小", kind="other", content={"total_fen": 100})
    await site.says(conversation, "我的电话 13812345678", direction="in", sent_at=NOON)
    await watched(site)
    names = {number: kind for kind, number in ids.items()}
    assert {(names[rule], message) for rule, message in await hits(site)} == expected


async def test_slow_answers_and_none_at_all(site: Site) -> None:
    auditor = await site.signed_in("auditor")
    account = await site.account(await site.connection())
    slow = await a_rule(auditor, name="slow", kind="slow_reply", minutes=30, working_hours=False)
    none = await a_rule(auditor, name="none", kind="no_reply", minutes=60, working_hours=False)
    await watched(site)
    now = site.services.clock.now()
    quick, late, silent, thanked = [await site.conversation(account) for _ in range(4)]
    for conversation, gap in ((quick, 5), (late, 45)):
        await site.says(conversation, "在吗", sent_at=now - timedelta(hours=3))
        await site.says(conversation, "人呢", sent_at=now - timedelta(hours=3) + timedelta(minutes=gap - 1))
        await site.says(
            conversation, "在的", direction="out", sent_at=now - timedelta(hours=3) + timedelta(minutes=gap)
        )
    await site.says(silent, "多少钱？", sent_at=now - timedelta(hours=2))
    await site.says(thanked, "您好", direction="out", sent_at=now - timedelta(hours=3))
    await site.says(thanked, "好的，谢谢！", sent_at=now - timedelta(hours=2))
    await site.says(thanked, "好的！", sent_at=now - timedelta(hours=2))
    await site.services.db.execute(
        "update conversation set preview_direction = 'in' where id = any($1)", [silent, thanked]
    )
    await watched(site)
    for _ in range(2):
        await ActWatcher(site.services).round()
    found = {(one["rule_id"], one["conversation"]["id"]): one["detail"] for one in await alerts_of(auditor)}
    assert found[slow["id"], late] == {"seconds": 45 * 60}
    assert found[none["id"], silent]["seconds"] >= 7200
    assert set(found) == {(slow["id"], late), (none["id"], silent), (none["id"], thanked)}


async def test_many_recalls_and_a_deleted_customer(site: Site) -> None:
    auditor = await site.signed_in("auditor")
    account = await site.account(await site.connection())
    conversation = await site.conversation(account)
    recalls = await a_rule(auditor, name="recalls", kind="mass_recall", times=3, minutes=10)
    deleted = await a_rule(auditor, name="deleted", kind="customer_deleted")
    acts = ActWatcher(site.services)
    await acts.round()
    db, now = site.services.db, site.services.clock.now()
    said = [await site.says(conversation, f"{n}", direction="out") for n in range(3)]
    await db.execute("update message set recalled_at = $2, recalled_by = 'agent' where id = any($1)", said[:2], now)
    customer = await db.fetchrow("select k.customer_id, k.id from conversation c join contact k on k.id = c.contact_id")
    for kind in ("contact.deleted_by_agent", "contact.deleted_by_contact"):
        await db.execute(
            "insert into timeline (customer_id, at, kind, account_id, contact_id) values ($1, $2, $3, $4, $5)",
            customer["customer_id"], now, kind, account, customer["id"],
        )  # fmt: skip
    for _ in range(3):
        await acts.round()
    assert [one["rule_id"] for one in await alerts_of(auditor)] == [deleted["id"]]
    await db.execute("update message set recalled_at = $2, recalled_by = 'agent' where id = $1", said[2], now)
    for _ in range(3):
        await acts.round()
    found = await alerts_of(auditor)
    assert [(one["rule_id"], one["detail"]) for one in found] == [
        (recalls["id"], {"times": 3, "minutes": 10}), (deleted["id"], {"by": "agent"}),
    ]  # fmt: skip
    assert found[1]["conversation"]["id"] == conversation


async def test_words_of_a_recalled_message_stay_hidden_from_those_who_may_not_read_it(site: Site) -> None:
    await site.services.db.execute(
        "insert into role (key, name, permissions, reach) values ('reader', '读者', '{audit.read}', 'all')"
    )
    auditor, reader = await site.signed_in("auditor"), await site.signed_in("reader")
    conversation = await site.conversation(await site.account(await site.connection()))
    await a_rule(auditor, "返现")
    await watched(site)
    said = await site.says(conversation, "给您返现", direction="out")
    await watched(site)
    await site.recalls(said)
    (shown,) = await alerts_of(auditor)
    assert shown["message"]["words"] == ["返现"]
    (hidden,) = await alerts_of(reader)
    assert hidden["message"]["recalled"]
    status, body = await reader.call("GET", f"/api/audit/alerts/{hidden['id']}")
    assert status == 200
    for answer in (hidden["message"], body["alert"]["message"]):
        assert (answer["excerpt"], answer["words"]) == ([], [])


async def test_what_a_sentence_would_be_found_by(site: Site) -> None:
    auditor = await site.signed_in("auditor")
    rule = await a_rule(auditor, "返现")
    found = await auditor.post("/api/audit/rules/test", {"text": "可以返现，电话 13812345678"})
    assert [(one["rule_id"], one["words"]) for one in found["finds"]] == [(rule["id"], ["返现"])]
    draft = {"kind": "words", "words": [{"text": "转.{0,3}账", "how": "regex"}]}
    found = await auditor.post("/api/audit/rules/test", {"text": "转我个账", "data": draft})
    assert [part for one in found["finds"] for part in one["parts"]] == [{"text": "转我个账", "hit": True}]
    draft = {"kind": "words", "words": [{"text": "(", "how": "regex"}]}
    status, body = await auditor.call("POST", "/api/audit/rules/test", json={"text": "x", "data": draft})
    assert status == 422
    assert "not understood" in str(body["fields"])


async def test_a_list_of_words_from_a_file(site: Site) -> None:
    auditor = await site.signed_in("auditor")
    form = aiohttp.FormData()
    form.add_field("file", "敏感词\n返现\n返现\n加*微信\n/转.{0,3}账/\n*\n".encode("gb18030"), filename="words.txt")
    status, read = await auditor.call("POST", "/api/audit/rules/words", data=form)
    assert status == 200
    assert [(one["text"], one["how"]) for one in read["words"]] == [
        ("返现", "plain"), ("加*微信", "wildcard"), ("转.{0,3}账", "regex"),
    ]  # fmt: skip
    assert (read["doubles"], len(read["refused"])) == (1, 1)
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        book.add_worksheet().write_column(0, 0, ["敏感词", "最低价", 110, ""])
    form = aiohttp.FormData()
    form.add_field("file", out.getvalue(), filename="words.xlsx")
    status, read = await auditor.call("POST", "/api/audit/rules/words", data=form)
    assert (status, [one["text"] for one in read["words"]]) == (200, ["最低价", "110"])
