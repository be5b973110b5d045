"""Rules that platforms keep too, so that a word is stopped before it leaves. Kept in step by a loop: what should be there follows from the
rules, what is there from what the platform answered. Before a rule is made again after a call whose end nobody knows, the platform is asked
for its name, so none stands there twice."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, TypeVar

from audit.rules.book import Held, Shelf
from audit.rules.kinds import Words
from audit.rules.views import InterceptView
from scrm.channel_intercepts import InterceptRule, Intercepts
from scrm.connections import Loaded
from scrm.db import Row, Tx
from scrm.errors import Rejected, SendError, Uncertain
from scrm.services import Services

log = logging.getLogger(__name__)

AT_ONCE = 20
PAUSE, LONG_PAUSE = timedelta(seconds=30), timedelta(minutes=10)
CALL = timedelta(minutes=2)
"""A call that began so long ago has ended, or its process has."""

PEOPLE = """
select id as account_id, external_id, team_id, channel, null::bigint as conversation_id from account
where connection_id = $1 and channel = $2 and disabled_at is null order by id
"""
WANT = """
insert into audit_intercept (rule_id, connection_id, position, due_at)
select w.rule_id, w.connection_id, w.position, $4 from unnest($1::bigint[], $2::bigint[], $3::int[]) w (rule_id, connection_id, position)
on conflict (rule_id, connection_id, position) do nothing
"""
ROWS = """
select id, rule_id, connection_id, position, platform_id, made, asking_at from audit_intercept
where due_at <= $1 and (asking_at is null or asking_at < $2) order by due_at, id
"""
CLAIM = "update audit_intercept set asking_at = $2 where id = $1 and asking_at is not distinct from $3 returning id"
MADE = """
update audit_intercept set platform_id = $2, made = $3, wanted = true, trouble = null, asking_at = null, due_at = $4 where id = $1
"""
TROUBLE = (
    "update audit_intercept set trouble = $2, due_at = $3, asking_at = case when $4 then asking_at end where id = $1"
)
GONE = "delete from audit_intercept where id = $1"
OF_RULES = """
select i.rule_id, i.connection_id, c.name as connection, count(*) as asked,
  count(*) filter (where i.made is not null and i.trouble is null) as made, coalesce(max(i.trouble ->> 'en'), '') as trouble,
  coalesce(max((i.made ->> 'left_out')::int), 0) as left_out
from audit_intercept i join connection c on c.id = i.connection_id
where ($1::bigint is null or i.rule_id = $1) group by i.rule_id, i.connection_id, c.name order by i.connection_id
"""
Key = tuple[int, int, int]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Wanted:
    """``left_out``: words that the platform cannot take."""

    rule: InterceptRule
    left_out: int

    @property
    def stored(self) -> dict[str, Any]:
        return {
            **asdict(self.rule),
            "words": list(self.rule.words),
            "members": list(self.rule.members),
            "left_out": self.left_out,
        }


async def intercepts_of(tx: Tx, rule_id: int | None) -> dict[int, list[InterceptView]]:
    found: dict[int, list[InterceptView]] = {}
    for row in await tx.fetch(OF_RULES, rule_id):
        found.setdefault(row["rule_id"], []).append(
            InterceptView(**{name: value for name, value in row.items() if name != "rule_id"})
        )
    return found


class Interceptor:
    """:meth:`round` makes, changes and deletes what differs. True: there is more."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._shelf = Shelf()

    async def round(self) -> bool:
        db = self._services.db
        able = {
            one.id: one
            for one in self._services.connections.all()
            if isinstance(one.adapter, Intercepts) and not one.paused
        }
        if not able:
            return False
        wanted = await self._wanted(able)
        now = self._services.clock.now()
        if wanted:
            await db.execute(WANT, *(list(column) for column in zip(*wanted, strict=True)), now)
        rows = [row for row in await db.fetch(ROWS, now, now - CALL) if row["connection_id"] in able]
        differing = [row for row in rows if _differs(row, wanted.get(_key(row)))]
        for row in differing[:AT_ONCE]:
            await self._one(able[row["connection_id"]], row, wanted.get(_key(row)))
        return len(differing) > AT_ONCE

    async def _wanted(self, able: Mapping[int, Loaded]) -> dict[Key, Wanted]:
        book = await self._shelf.book(self._services.db)
        rules = [one for one in book.of("words") if one.data.intercept != "off" and one.data.who != "customers"]
        found: dict[Key, Wanted] = {}
        for connection_id, loaded in able.items():
            assert isinstance(loaded.adapter, Intercepts)
            people = (
                await self._services.db.fetch(PEOPLE, connection_id, loaded.adapter.intercept_channel) if rules else []
            )
            for rule in rules:
                members = [row["external_id"] for row in people if rule.looks_at(row)]
                for position, one in enumerate(_split(rule, members, loaded.adapter)):
                    found[rule.id, connection_id, position] = one
        return found

    async def _one(self, loaded: Loaded, row: Row, wanted: Wanted | None) -> None:
        db, now = self._services.db, self._services.clock.now()
        if await db.fetchval(CLAIM, row["id"], now, row["asking_at"]) is None:
            return
        adapter = loaded.adapter
        assert isinstance(adapter, Intercepts)
        try:
            if wanted is None:
                await _delete(adapter, row)
                await db.execute(GONE, row["id"])
                return
            platform_id = await _make(adapter, row, wanted)
            await db.execute(MADE, row["id"], platform_id, wanted.stored, now)
        except SendError as error:
            pause = LONG_PAUSE if isinstance(error, Rejected) else PAUSE
            reason = {"code": error.code, "zh": error.reason.zh, "en": error.reason.en}
            await db.execute(TROUBLE, row["id"], reason, now + pause, not isinstance(error, Rejected))
            if not isinstance(error, Uncertain):
                log.warning("a rule of connection %s is not in step: %s", loaded.id, error.code)


def _split(rule: Held[Words], members: Sequence[str], adapter: Intercepts) -> list[Wanted]:
    """As the platform takes it: so many words and people a rule. Without people or words there is none."""
    limits = adapter.intercept_limits
    words = [one.text for one in rule.data.words if one.how == "plain" and len(one.text) <= limits.word]
    left_out = len(rule.data.words) - len(words)
    pieces = [(some, people) for some in _batches(words, limits.words) for people in _batches(members, limits.people)]
    return [
        Wanted(
            InterceptRule(
                _name(rule, position, limits.name), tuple(some), rule.data.intercept == "block", tuple(people)
            ),
            left_out,
        )
        for position, (some, people) in enumerate(pieces)
    ]


def _batches(items: Sequence[T], size: int) -> list[Sequence[T]]:
    return [items[at : at + size] for at in range(0, len(items), size)]


def _name(rule: Held[Words], position: int, longest: int) -> str:
    """Ends in what tells it from all others."""
    mark = f"#{rule.id}-{position + 1}"
    return rule.name[: longest - len(mark)] + mark


async def _make(adapter: Intercepts, row: Row, wanted: Wanted) -> str:
    platform_id, before = row["platform_id"], (row["made"] or {}).get("members", [])
    if platform_id is None and row["asking_at"] is not None:
        # An earlier call may have made it.
        mark = wanted.rule.name[wanted.rule.name.rindex("#") :]
        platform_id = next((one.external_id for one in await adapter.intercepts() if one.name.endswith(mark)), None)
    if platform_id is None:
        return await adapter.add_intercept(wanted.rule)
    await adapter.change_intercept(platform_id, wanted.rule, before)
    return str(platform_id)


async def _delete(adapter: Intercepts, row: Row) -> None:
    platform_id = row["platform_id"]
    if platform_id is None and row["asking_at"] is None:
        return
    mark = f"#{row['rule_id']}-{row['position'] + 1}"
    there = [one for one in await adapter.intercepts() if one.external_id == platform_id or one.name.endswith(mark)]
    for one in there:
        await adapter.delete_intercept(one.external_id)


def _key(row: Row) -> Key:
    return row["rule_id"], row["connection_id"], row["position"]


def _differs(row: Row, wanted: Wanted | None) -> bool:
    return wanted is None or row["made"] != wanted.stored
