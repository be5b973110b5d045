"""With the map of the archive a search finds the same as by reading everything, whatever it is narrowed down by."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest

import inbox.search_engine
from audit.search.filters import wanted_of
from audit.search.grammar import terms_of
from audit.search.places import keep
from audit.search.shapes import SearchQuery
from inbox.queries import one_moment
from inbox.search_engine import Search
from inbox.search_places import known_up_to
from scrm.db import Row
from scrm.permissions import Scope
from tests.http.conftest import site as site
from tests.http.site import START, Site

LETTERS = "的了是退款发货合同转账" * 4 + "罕僻囧"
EVERYBODY = Scope(1, "all", (), recalled=True)
ROWS = """
insert into message (conversation_id, seq, version, direction, kind, text, content, state, sender_kind, sender_agent_id, sent_at, created_at)
select w.conversation_id, w.seq, w.seq, 'in', w.kind, w.text, w.content, 'received', 'customer', w.agent_id, w.sent_at, now()
from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::jsonb[], $6::bigint[], $7::timestamptz[])
  w (conversation_id, seq, kind, text, content, agent_id, sent_at)
"""


async def everything(site: Site) -> list[Row]:
    return await site.services.db.fetch(
        "select m.*, c.account_id from message m join conversation c on c.id = m.conversation_id order by m.id desc"
    )


def fits(row: Row, query: dict[str, Any]) -> bool:
    kind = f"other:{row['content']['platform_type']}" if row["kind"] == "other" else row["kind"]
    return (
        all(word in row["text"] for word in query["q"].split() if not word.startswith("-"))
        and not any(word[1:] in row["text"] for word in query["q"].split() if word.startswith("-"))
        and query.get("account_id") in (None, row["account_id"])
        and query.get("agent_id") in (None, row["sender_agent_id"])
        and query.get("kind") in (None, kind)
        and ("since" not in query or row["sent_at"] >= query["since"])
        and ("until" not in query or row["sent_at"] < query["until"])
    )


async def found(site: Site, query: dict[str, Any]) -> list[int]:
    async with one_moment(site.services.db) as tx:
        asked = SearchQuery(**query)
        wanted = await wanted_of(tx, EVERYBODY, asked, await terms_of(tx, asked.q))
        rows, at = await Search(tx, wanted, limit=5000, columns=("m.id as message_id",), seconds=60).run()
    assert at == 0
    return [row["message_id"] for row in rows]


async def test_narrowed_down_in_every_way(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox.search_engine, "WALKED", 20)
    monkeypatch.setattr(inbox.search_engine, "GLANCED", 6)
    chance = random.Random(6)
    connection = await site.connection()
    accounts = [await site.account(connection) for _ in range(3)]
    agents = [await site.agent("rep") for _ in range(2)]
    talks = [await site.conversation(chance.choice(accounts)) for _ in range(12)]
    counts = dict.fromkeys(talks, 0)
    rows: list[tuple[Any, ...]] = []
    for n in range(4500):
        talk = chance.choice(talks[: 2 + n // 400])
        counts[talk] += 1
        kind = chance.choices(("text", "link", "other"), (500, 20, 1))[0]
        # An archive that is opened late brings what was said long ago.
        at = START + timedelta(minutes=n) - timedelta(days=chance.choice((0, 0, 0, 90 * (n // 1500))))
        text = "".join(
            chance.choice(LETTERS[: len(LETTERS) - chance.choice((0, 3, 3, 3))]) for _ in range(chance.randrange(9))
        )
        content = {"platform_type": "redpacket"} if kind == "other" else {}
        rows.append((talk, counts[talk], kind, text, content, chance.choice([None, None, *agents]), at))
    await site.services.db.execute(ROWS, *[list(column) for column in zip(*rows, strict=True)])
    await site.services.db.execute("update conversation set last_seq = 100000")
    while not await known_up_to(site.services.db) >= 4095:
        await keep(site.services)
    # What came since is not on the map.
    await site.services.db.execute("delete from search_place where key = $1 and block > 0", ord("的"))
    there = await everything(site)
    finds = 0
    for _ in range(150):
        query: dict[str, Any] = {
            "q": " ".join(
                chance.choice(("囧", "僻", "退", "退款", "货合", "-的", "")) for _ in range(chance.choice((1, 1, 2)))
            )
        }
        for key, values in (
            ("account_id", accounts),
            ("agent_id", agents),
            ("kind", ["link", "other:redpacket", "text"]),
        ):
            if chance.random() < 0.3:
                query[key] = chance.choice(values)
        if chance.random() < 0.4:
            query["since"] = START + timedelta(days=chance.uniform(-100, 3))
        if chance.random() < 0.4:
            query["until"] = START + timedelta(days=chance.uniform(-100, 3))
        expected = [row["id"] for row in there if fits(row, query)]
        assert await found(site, query) == expected, query
        finds += len(expected)
    assert finds > 5000


async def test_a_note_that_was_corrected_is_found_by_what_it_says_now(site: Site) -> None:
    browser = await site.signed_in("manager")
    conversation = await site.conversation(await site.account(await site.connection()))
    note = await browser.post(
        f"/api/conversations/{conversation}/notes", {"text": "原来这样写", "client_token": "note-0001"}, status=201
    )
    status, _ = await browser.call("PATCH", f"/api/notes/{note['id']}", json={"text": "后来改成罕见"})
    assert status == 200
    for q in ("罕", "改成"):
        for path in ("/api/search/messages", "/api/audit/search"):
            assert (await browser.get(path, q=q))["hits"], (q, path)
    # What it said before stays with it, for audit.
    assert not (await browser.get("/api/search/messages", q="原来"))["hits"]
    assert (await browser.get("/api/audit/search", q="原来"))["hits"]
