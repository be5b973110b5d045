"""Hot words: counts equal a recount whatever happens on the way, a changed dictionary counts anew, and sums keep the reach."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from audit.words import counting
from audit.words.counting import WordCounter
from audit.words.segment import Segmenter
from scrm.services import Services
from tests.http.site import Browser, Site, eventually, running

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
PERIOD = {"first": "2026-03-02", "last": "2026-03-08"}
BASE = "/api/audit/words"
SAID = [
    "这款面膜多少钱",
    "面膜适合敏感肌吗",
    "优惠券怎么用",
    "敏感肌可以用，面膜很温和",
    "面膜面膜面膜",
    "帮我查一下快递 SF1234567890",
]
SEGMENTER = Segmenter()


@pytest.fixture
async def site(services: Services) -> AsyncIterator[Site]:
    async with running(services) as site:
        yield site


async def counted(counter: WordCounter) -> None:
    await counter.round()
    while await counter.round():
        pass


async def counts(site: Site) -> dict[tuple[Any, ...], int]:
    rows = await site.services.db.fetch(
        "select day, account_id, outgoing, word, messages from word_day w join word_book b on b.id = w.book_id where b.state = 'live'"
    )
    return {tuple(row)[:4]: row["messages"] for row in rows}


async def recount(site: Site, own: tuple[str, ...] = (), stops: tuple[str, ...] = ()) -> dict[tuple[Any, ...], int]:
    rows = await site.services.db.fetch(
        "select m.text, (m.sent_at at time zone 'Asia/Shanghai')::date as day, c.account_id, m.direction = 'out' as outgoing "
        "from message m join conversation c on c.id = m.conversation_id where m.text <> ''"
    )
    found: Counter[tuple[Any, ...]] = Counter()
    for row, words in zip(rows, await SEGMENTER.words_of([row["text"] for row in rows], own, stops), strict=True):
        found.update((row["day"], row["account_id"], row["outgoing"], word) for word in {*words, ""})
    return dict(found)


async def some_talk(site: Site, account: int) -> int:
    conversation = await site.conversation(account)
    for n, text in enumerate(SAID * 3):
        at = NOON + timedelta(days=n % 5)
        await site.says(conversation, text, direction="out" if n % 2 else "in", sent_at=at)
    return conversation


def of(view: Any, word: str) -> int:
    return next((one["messages"] for one in view["words"] if one["word"] == word), 0)


async def test_words_are_told_apart_and_the_console_stays_quiet() -> None:
    first, second, third = await SEGMENTER.words_of([SAID[1], SAID[5], "OK，好的"], (), ())
    assert {"面膜", "敏感"} <= {word[:2] for word in first}
    assert "吗" not in first
    assert "快递" in second
    assert not any(letter.isdigit() for word in second for letter in word)
    assert third == set()
    (own,) = await SEGMENTER.words_of(["玻色因面霜到货"], ("玻色因面霜",), ("到货",))
    assert own == {"玻色因面霜"}
    (again,) = await SEGMENTER.words_of([SAID[1]], (), ())
    assert again == first
    code = (
        "import asyncio; from audit.words.segment import Segmenter; asyncio.run(Segmenter().words_of(['面膜'], (), ()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout, done.stderr) == ("", "")


async def test_the_process_that_splits_may_die_and_never_outlives_the_service() -> None:
    own = Segmenter()
    before = await own.words_of(SAID, (), ())
    process = own._process
    assert process is not None
    process.kill()
    assert await own.words_of(SAID, (), ()) == before
    assert own._process is not process
    impatient = Segmenter(seconds=5)
    assert await impatient.words_of(SAID, (), ()) == before
    hung = impatient._process
    assert hung is not None
    hung.send_signal(signal.SIGSTOP)
    assert await asyncio.wait_for(impatient.words_of(SAID, (), ()), 60) == before
    assert hung.returncode == -signal.SIGKILL
    code = (
        "import asyncio, os; from audit.words.segment import Segmenter; s = Segmenter(); asyncio.run(s.words_of(['面膜'], (), ()));"
        "print(s._process.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    died = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", code], capture_output=True, text=True)
    assert died.returncode == -signal.SIGKILL
    splitter = Path(f"/proc/{int(died.stdout)}/stat")

    async def is_gone() -> bool:
        try:
            return splitter.read_text().rpartition(")")[2].split()[0] == "Z"
        except (FileNotFoundError, ProcessLookupError):
            return True

    await eventually(is_gone)


async def test_counts_equal_a_recount_after_kills_and_late_commits(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    account = await site.account(await site.connection())
    conversation = await some_talk(site, account)
    monkeypatch.setattr(counting, "AT_ONCE", 5)
    # Ended between what it counts and what it remembers, each second time.
    move, ends = counting.MOVE, 0
    for n in range(8):
        monkeypatch.setattr(
            counting, "MOVE", "select 1 / 0 where $1::bigint + $2::bigint + $3::bigint > 0" if n % 2 else move
        )
        try:
            await WordCounter(site.services, SEGMENTER).round()
        except Exception:
            ends += 1
    monkeypatch.setattr(counting, "MOVE", move)
    assert ends >= 2
    counter = WordCounter(site.services, SEGMENTER)
    async with site.services.db.pool.acquire() as slow:
        late = slow.transaction()
        await late.start()
        await slow.execute(
            "insert into message (conversation_id, seq, version, direction, kind, text, state, sender_kind, sent_at) "
            "values ($1, 900, 900, 'in', 'text', '玻璃面膜', 'received', 'customer', $2)",
            conversation, NOON,
        )  # fmt: skip
        await site.says(await site.conversation(account), "面膜到了", sent_at=NOON)
        await counted(counter)
        await late.commit()
    for _ in range(3):
        await counted(counter)
    assert await counts(site) == await recount(site)


async def test_a_changed_dictionary_counts_anew(site: Site) -> None:
    auditor = await site.signed_in("auditor")
    await some_talk(site, await site.account(await site.connection()))
    counter = WordCounter(site.services, SEGMENTER)
    await counted(counter)
    before = await auditor.get(BASE, **PERIOD)
    assert of(before, "面膜") == 12
    assert before["messages"] == 18
    assert of(before, "优惠券怎么用") == 0
    body = {"words": ["优惠券怎么用"], "kind": "word"}
    told = await auditor.post(f"{BASE}/dictionary", body)
    assert told["progress"]["building"] is True
    assert of(await auditor.get(BASE, **PERIOD), "面膜") == 12
    await auditor.post(f"{BASE}/dictionary", {"words": ["面膜"], "kind": "stop"})
    for _ in range(2):
        await counted(counter)
    after = await auditor.get(BASE, **PERIOD)
    assert (of(after, "面膜"), of(after, "优惠券怎么用"), after["progress"]["building"]) == (0, 3, False)
    assert await counts(site) == await recount(site, ("优惠券怎么用",), ("面膜",))
    await auditor.post(f"{BASE}/dictionary", {"words": ["面膜", "优惠券怎么用"], "kind": "none"})
    for _ in range(2):
        await counted(counter)
    assert await counts(site) == await recount(site)
    assert await site.services.db.fetchval("select count(*) from word_book") == 1


async def test_trend_rise_and_topics_come_from_the_counts(site: Site) -> None:
    auditor = await site.signed_in("auditor")
    conversation = await site.conversation(await site.account(await site.connection()))
    for _ in range(10):
        await site.says(conversation, "快递", sent_at=NOON - timedelta(days=3))
    for _ in range(20):
        await site.says(conversation, "退款", sent_at=NOON)
    await site.says(conversation, "退款", direction="out", sent_at=NOON)
    await counted(WordCounter(site.services, SEGMENTER))
    view = await auditor.get(BASE, **PERIOD)
    (rising,) = view["rising"]
    assert (rising["word"], rising["messages"], rising["before"]) == ("退款", 21, 0)
    assert rising["rise"] == round((26 / 26) / (5 / 15), 3)
    trend = await auditor.get(f"{BASE}/trend", word="退款", side="customer", **PERIOD)
    assert [(one["messages"], one["of"]) for one in trend["days"]] == [(20, 20), *[(0, 0)] * 6]
    topic = await auditor.post(f"{BASE}/topics", {"name": "售后", "words": ["退款", "快递"]}, status=201)
    assert (await auditor.call("POST", f"{BASE}/topics", json={"name": "售后", "words": ["退款"]}))[0] == 409
    (found,) = (await auditor.get(f"{BASE}/topics", **PERIOD))["topics"]
    assert (found["messages"], found["before"], found["days"][0]["messages"]) == (21, 10, 21)
    status, _ = await auditor.call("DELETE", f"{BASE}/topics/{topic['id']}")
    assert status == 204


async def test_sums_are_of_accounts_within_reach(site: Site) -> None:
    auditor = await site.signed_in("auditor")
    here, there = await site.team("这边"), await site.team("那边")
    connection = await site.connection()
    for team, word in ((here, "面膜"), (there, "退款")):
        await site.says(await site.conversation(await site.account(connection, team_id=team)), word, sent_at=NOON)
    async with site.services.work() as work:
        for reach in ("team", "own"):
            await work.tx.execute(
                "insert into role (key, name, permissions, reach) values ($1, $1, $2, $1)", reach, ["audit.read"]
            )
    await counted(WordCounter(site.services, SEGMENTER))

    async def seen(browser: Browser) -> tuple[int, set[str], int]:
        view = await browser.get(BASE, **PERIOD)
        trend = await browser.get(f"{BASE}/trend", word="退款", **PERIOD)
        return view["messages"], {one["word"] for one in view["words"]}, sum(one["messages"] for one in trend["days"])

    assert await seen(auditor) == (2, {"面膜", "退款"}, 1)
    assert await seen(await site.signed_in("team", teams=(here,))) == (1, {"面膜"}, 0)
    assert await seen(await site.signed_in("own", teams=(here,))) == (0, set(), 0)
