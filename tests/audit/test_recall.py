"""Search misses nothing and finds nothing else: compared with reading everything, on real Chinese sentences.

``RECALL_SIZE=300000x2000`` (``make recall``): so many messages and substrings; by default few, for every day.
"""

from __future__ import annotations

import os
import random
import time
import unicodedata
from bisect import bisect_right
from datetime import timedelta
from itertools import accumulate

import pytest

import inbox.search_engine
from audit.search.grammar import quoted, terms_of
from audit.search.places import keep
from inbox.queries import one_moment
from inbox.search_engine import Search
from inbox.search_statements import Wanted
from tests.audit.reviews import messages
from tests.http.conftest import site as site
from tests.http.site import START, Site

SIZE = os.environ.get("RECALL_SIZE", "6000x150")
ODD = ["Ｐｒｏ版", "VX：abc123", "13800138000", "ＯＫ啦😀", "a+b=c", "“引号”", '5"屏', "-50%", "㎡", "no. 1", "①②", "Ⅻ"]
"""Latin, digits and odd forms are put into some of the messages."""
ROWS = """
insert into message (conversation_id, seq, version, direction, kind, text, state, sender_kind, sent_at, created_at)
select $1, n, n, 'in', 'text', w, 'received', 'customer', $3::timestamptz + n * interval '1 second', $3
from unnest($2::text[]) with ordinality x (w, n) order by n
"""


def folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()


class Everything:
    """All texts one after the other: what is found at a place is in the message that lies there."""

    def __init__(self, texts: list[str], first_id: int) -> None:
        self.said = [folded(one) for one in texts]
        self.whole = "\x00".join(self.said)
        self.begins = list(accumulate((len(one) + 1 for one in self.said), initial=0))
        self.first_id = first_id

    def ids(self, wanted: str) -> list[int]:
        """Newest first."""
        found: list[int] = []
        at = self.whole.find(wanted)
        while at >= 0:
            n = bisect_right(self.begins, at) - 1
            found.append(self.first_id + n)
            at = self.whole.find(wanted, self.begins[n + 1])
        return found[::-1]


def substring(texts: list[str], chance: random.Random) -> str:
    text = chance.choice(texts)
    length = min(chance.randint(1, 12), len(text))
    at = chance.randrange(len(text) - length + 1)
    return text[at : at + length]


@pytest.mark.timeout(3600)
async def test_every_substring_is_found_exactly(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    number, asked = map(int, SIZE.split("x"))
    chance = random.Random(11)
    texts = messages(number, chance)
    texts = [one if chance.random() < 0.95 else one + chance.choice(ODD) + one[:3] for one in texts]
    conversation = await site.conversation(await site.account(await site.connection()))
    began = time.monotonic()
    for at in range(0, number, 5000):
        await site.services.db.execute(
            ROWS.replace("$1, n, n", f"$1, n + {at}, n"),
            conversation,
            texts[at : at + 5000],
            START + timedelta(seconds=at),
        )
    written = time.monotonic() - began
    # The map is a little behind, as it always is.
    while await keep(site.services):
        pass
    first_id: int = await site.services.db.fetchval("select min(id) from message")
    everything = Everything(texts, first_id)
    monkeypatch.setattr(inbox.search_engine, "WALKED", min(2000, number // 20))
    monkeypatch.setattr(inbox.search_engine, "GLANCED", max(min(500, number // 100), 2))
    finds, took = 0, 0.0
    for turn in range(asked):
        wanted = substring(texts, chance)
        expected = everything.ids(folded(wanted))
        began = time.monotonic()
        async with one_moment(site.services.db) as tx:
            terms = await terms_of(tx, quoted(wanted))
            search = Search(
                tx,
                Wanted(terms, lambda _: "true", called=True),
                limit=number + 1,
                columns=("m.id as message_id",),
                seconds=600,
            )
            rows, at = await search.run()
        took += time.monotonic() - began
        same = at == 0 and [row["message_id"] for row in rows] == expected
        assert same, (turn, wanted, len(rows), len(expected))
        finds += len(expected)
    print(
        f"{number} messages written in {written:.1f} s; {asked} substrings, {finds} finds, all and nothing else, in {took:.1f} s"
    )
