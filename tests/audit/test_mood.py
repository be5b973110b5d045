"""The mood of messages: told by words, turned round by what stands before them, added up over time for those who see whole accounts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from audit.words.counting import WordCounter
from audit.words.mood import PLEASED, TURNED, UPSET, Mood
from audit.words.splitter import MARKS, Splitter
from scrm.services import Services
from tests.http.site import Site, running

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
PERIOD = {"first": "2026-03-02", "last": "2026-03-08"}
BASE = "/api/audit/words"
SPLITTER = Splitter()
SOUNDS: dict[str, Mood | None] = {
    "谢谢，包装很精致，非常满意": "pleased",
    "你们客服很专业，好评": "pleased",
    "太差了，我要投诉": "upset",
    "等了一周还没到，非常失望": "upset",
    "我很不满意": "upset",
    "对这次服务不太满意": "upset",
    "一点都不失望": "pleased",
    "没有坏": "pleased",
    "您是否满意这次服务": None,
    "如果坏了怎么办": None,
    "请问几点发货": None,
    "可以退货吗": None,
    "": None,
    "谢谢，但是太差了": None,
    "Thanks, that was really great": "pleased",
    "this is terrible, I am very disappointed": "upset",
    "it is not good": "upset",
    "不。满意": "pleased",
}


@pytest.fixture
async def site(services: Services) -> AsyncIterator[Site]:
    async with running(services) as site:
        yield site


@pytest.mark.parametrize("text", SOUNDS)
def test_how_a_message_sounds(text: str) -> None:
    (words,) = SPLITTER.words_of([text], frozenset(), frozenset())
    felt = next((mood for mood, mark in MARKS.items() if mark in words), None)
    assert felt == SOUNDS[text], words


def test_the_lists_do_not_contradict_each_other() -> None:
    assert not PLEASED & UPSET
    assert not (PLEASED | UPSET) & TURNED
    assert all(word == word.casefold() for word in PLEASED | UPSET)


async def test_mood_over_time_and_beside_the_period_before(site: Site) -> None:
    account = await site.account(await site.connection())
    chat = await site.conversation(account)
    for days, text, direction in (
        (0, "谢谢，非常满意", "in"), (0, "太差了，我要投诉", "in"), (0, "几点发货", "in"), (2, "很失望", "in"), (2, "感谢您的信任", "out"), (-3, "太差了", "in"),
        (-40, "失望", "in"),
    ):  # fmt: skip
        await site.says(chat, text, direction=direction, sent_at=NOON + timedelta(days=days))
    counter = WordCounter(site.services)
    await counter.round()
    while await counter.round():
        pass
    auditor = await site.signed_in("auditor")
    found = await auditor.get(f"{BASE}/mood", **PERIOD)
    assert (found["pleased"], found["upset"], found["messages"]) == (2, 2, 5)
    assert (found["pleased_before"], found["upset_before"], found["messages_before"]) == (0, 1, 1)
    assert [(one["pleased"], one["upset"], one["of"]) for one in found["days"][:3]] == [(1, 1, 3), (0, 0, 0), (1, 1, 2)]
    customers = await auditor.get(f"{BASE}/mood", side="customer", **PERIOD)
    assert (customers["pleased"], customers["upset"]) == (1, 2)
    # The marks are no words.
    words = await auditor.get(BASE, **PERIOD)
    assert not {one["word"] for one in [*words["words"], *words["rising"]]} & set(MARKS.values())
    assert (await auditor.call("POST", f"{BASE}/dictionary", json={"words": [MARKS["upset"]], "kind": "word"}))[
        0
    ] == 422


async def test_sums_are_of_whole_accounts_only(site: Site) -> None:
    rep = await site.signed_in("rep")
    assert (await rep.call("GET", f"{BASE}/mood"))[0] == 403
    await site.services.db.execute(
        "insert into role (key, name, permissions, reach) values ('near', 'Near', '{inbox.read,audit.read}', 'own')"
    )
    near = await site.signed_in("near")
    found = await near.get(f"{BASE}/mood", **PERIOD)
    assert (found["reach"], found["messages"]) == ("none", 0)
