"""Five thousand words over an archive: the rules' own matching, and the whole way from the table to written finds, against one compiled automaton
over the same texts alone."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Sequence

from ahocorasick_rs import AhoCorasick, Implementation

from audit.rules.edit import create
from audit.rules.folding import fold
from audit.rules.matching import Lexicon, Matcher, Word
from audit.rules.rerun import AT_ONCE, Backlooker, look_back
from audit.rules.views import NewAuditRule
from bench.result import Row
from bench.search import _fill as fill
from bench.sentences import clauses, sentences
from bench.site import site
from bench.size import Size
from scrm.app import open_services
from scrm.migrate import migrate
from scrm.people import create_agent
from scrm.permissions import OF_ROLE, Principal
from scrm.services import Services

WORDS = 5000
TEXTS = "select text from message where id > $1 and id <= $2 order by id"
EXPRESSIONS = (r"转(账|给).{0,5}\d{3,}", r"(加|私).{0,3}(微信|vx|qq)", r"(绝对|保证).{0,6}(最低|第一)")


async def rules_bench(size: Size) -> list[Row]:
    pieces = clauses(sentences())
    number = size.searched[0]
    words = _words(pieces)
    async with site() as place:
        await place.services.db.execute("create database ruled")
        url = place.postgres.url_of("ruled")
        await migrate(url)
        await fill(url, number, pieces)
        async with open_services(place.services.settings, url) as services:
            batches = [batch async for batch in _texts(services, number)]
            automaton = _automaton(words, batches)
            plain = _matched(Matcher({1: Lexicon([Word(one) for one in words])}), batches)
            more = [*(Word(one) for one in words), *(Word(one, "regex") for one in EXPRESSIONS)]
            whole_words = _matched(Matcher({1: Lexicon(more)}), batches)
            seconds, found = await _looked_back(services, words)
    details = {
        "automaton": automaton,
        "matching": plain,
        "with_expressions": whole_words,
        "whole": seconds,
        "found": found,
    }
    what = f"rules: {WORDS:,} words over {number:,} messages"

    def row(name: str, took: float) -> Row:
        return Row(
            "rules", f"{what}, {name}", f"{number / took:,.0f}/s", f"{number / automaton:,.0f}/s by one automaton alone",
            automaton / took, "reported", None, details,
        )  # fmt: skip

    return [
        row("matching", plain), row(f"matching, {len(EXPRESSIONS)} expressions besides", whole_words),
        row(f"read, matched, {found:,} finds written", seconds),
    ]  # fmt: skip


def _words(pieces: Sequence[str]) -> list[str]:
    """Half of them stand in the texts here and there, half of them nowhere."""
    chance = random.Random(5)
    found: set[str] = set()
    letters = sorted({letter for piece in pieces[:20_000] for letter in piece if letter > "\u4e00"})
    while len(found) < WORDS // 2:
        piece = chance.choice(pieces)
        if len(piece) >= 4:
            at = chance.randrange(len(piece) - 3)
            found.add(piece[at : at + 4])
    while len(found) < WORDS:
        found.add("".join(chance.choice(letters) for _ in range(chance.randint(3, 5))))
    return sorted(found)


async def _texts(services: Services, number: int) -> AsyncIterator[list[str]]:
    for at in range(0, number, AT_ONCE):
        yield [row["text"] for row in await services.db.fetch(TEXTS, at, at + AT_ONCE)]


def _automaton(words: Sequence[str], batches: Sequence[list[str]]) -> float:
    """The floor: texts folded and joined beforehand, one automaton, nothing done with what it finds."""
    joined = ["\x00".join(map(fold, batch)) for batch in batches]
    automaton = AhoCorasick([fold(one) for one in words], implementation=Implementation.ContiguousNFA)
    began = time.perf_counter()
    for text in joined:
        automaton.find_matches_as_indexes(text, overlapping=True)
    return time.perf_counter() - began


def _matched(matcher: Matcher, batches: Sequence[list[str]]) -> float:
    began = time.perf_counter()
    for batch in batches:
        matcher.find(batch)
    return time.perf_counter() - began


async def _looked_back(services: Services, words: Sequence[str]) -> tuple[float, int]:
    async with services.work() as work:
        agent_id = await create_agent(work, login="keeper", name="keeper", role="admin", password="correct horse 9")
        keeper = Principal(agent_id, "keeper", "keeper", "admin", OF_ROLE["admin"], "all", "en", (), None, None)
        data = {"kind": "words", "who": "both", "words": [{"text": one} for one in words]}
        new = NewAuditRule.model_validate({"name": "bench", "data": data})
        rule_id = await create(work, keeper, new, address="")
        await look_back(work, keeper, rule_id, None, False)
    looker = Backlooker(services)
    began = time.perf_counter()
    while await looker.round():
        await asyncio.sleep(0)
    seconds = time.perf_counter() - began
    return seconds, int(await services.db.fetchval("select count(*) from audit_hit"))
