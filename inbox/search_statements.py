"""The statements of a search, put together from constants; every value is a parameter.

Each reads candidates from the newest on and looks them up one by one, so that no more are looked at than needed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from inbox.list_sql import Arguments
from inbox.queries import SEEN
from inbox.search_terms import Terms
from scrm.permissions import Scope

# ruff: noqa: S608 - made of constants

BLOCK = 17
"""Bits: a block of ids in the index. The same number stands in the index of ``message_text``."""
CALLED_BLOCK = 20
"""The same for what is called something: files, links and the like."""
SEGMENT = 10
"""Bits: ids of which it is known what characters are in them, and more (``search_place``)."""

FOUND = (
  "m.id as message_id", "m.conversation_id", "m.seq", "m.direction", "m.kind", "m.text", "m.sender_kind", "m.sender_agent_id",
  "m.sender_id", "m.sender_name", "m.sent_at", "m.recalled_at",
)  # fmt: skip
NAMES = "(select coalesce(string_agg(f.name, E'\\x1f' order by f.position, f.id), '') from attachment f where f.message_id = m.id)"
CALLED = f"search_fold(content_words(m.content) || E'\\x1f' || {NAMES})"
"""What a message has in words besides its text: titles, names of files, what was forwarded in it."""
OF_CHAT = re.compile(r"\b[ac]\.")
"""Something is asked about the conversation or its account."""
TOGETHER = "message m join conversation c on c.id = m.conversation_id join account a on a.id = c.account_id"


def seen(arguments: Arguments, scope: Scope) -> str:
    """``SEEN``, with the asker among the arguments; whoever sees everything is not asked for each message."""
    if scope.everything:
        return "true"
    asker = {
        "2": arguments.add(scope.everything, "boolean"),
        "3": arguments.add(scope.agent_id, "bigint"),
        "4": arguments.add(scope.teams, "bigint[]"),
    }
    return re.sub(r"\$([234])(::bigint\[\])?", lambda place: asker[place[1]], SEEN.strip())


@dataclass(frozen=True, slots=True)
class Rare:
    """Where the ids of messages stand that meet something, in their order: the place, the id, the condition."""

    source: str
    id: str
    where: Callable[[Arguments], str]


ALL = Rare("message r", "r.id", lambda _: "true")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for. ``where`` says what a find must meet besides its words, about ``m``, ``c`` and ``a``. ``conversations``: only in
    these. ``called``: also by titles and names of files. ``rare``: few messages meet this. ``places``: each find has one of each of these
    keys of ``search_place``."""

    terms: Terms
    where: Callable[[Arguments], str]
    since: datetime | None = None
    until: datetime | None = None
    conversations: Sequence[int] | None = None
    called: bool = False
    rare: Rare | None = None
    places: Sequence[Sequence[int]] = ()


@dataclass(frozen=True, slots=True)
class Statements:
    """For one search. ``columns``: those of a find, ``message_id`` first."""

    wanted: Wanted
    columns: Sequence[str]

    @property
    def found(self) -> str:
        return ", ".join(self.columns)

    def in_conversations(
        self, arguments: Arguments, ids: Sequence[int], below: int | None, above: int, limit: int
    ) -> str:
        where = self.wanted.where(arguments)
        most = arguments.add(limit, "bigint")
        within, low = arguments.add(list(ids), "bigint[]"), arguments.add(above, "bigint")
        high = f"and m.id < {arguments.add(below, 'bigint')}" if below else ""
        return f"""select {self.found} from (select * from message where conversation_id = any({within}) offset 0) m
          join conversation c on c.id = m.conversation_id join account a on a.id = c.account_id
          left join message_text t on t.message_id = m.id
          where m.id > {low} {high} and {self.says_all(arguments)} and {where} order by m.id desc limit {most}"""

    def texts(self, arguments: Arguments, low: int, at: int, number: int, limit: int) -> str:
        """The newest texts; last a row without an id, with the lowest id that was read (null: there are no more)."""
        where = self.wanted.where(arguments)
        most = arguments.add(limit, "bigint")
        below, above = arguments.add(at, "bigint"), arguments.add(low, "bigint")
        return f"""with walked as materialized (select * from message_text where message_id < {below} and message_id > {above}
            order by message_id desc limit {number}),
          matching as materialized (select * from walked t where {self.says(arguments)} order by message_id desc)
          (select f.*, null::bigint as lowest from matching t cross join lateral ({self._looked_up(arguments, where)}) f limit {most})
          union all select {self._nothing}, case when count(*) = {number} then min(message_id) end from walked
          order by message_id desc nulls last limit {most} + 1"""

    def messages(self, arguments: Arguments, low: int, at: int, number: int, limit: int) -> str:
        """The same through messages with and without text, or through the rare ones."""
        where = self.wanted.where(arguments)
        most = arguments.add(limit, "bigint")
        below, above = arguments.add(at, "bigint"), arguments.add(low, "bigint")
        of = self.wanted.rare or ALL
        return f"""with walked as materialized (select {of.id} as message_id from {of.source}
            where {of.id} < {below} and {of.id} > {above} and {of.where(arguments)} order by {of.id} desc limit {number})
          (select f.*, null::bigint as lowest from (select message_id from walked order by message_id desc) n
            cross join lateral ({self._whole(arguments, where)}) f limit {most})
          union all select {self._nothing}, case when count(*) = {number} then min(message_id) end from walked
          order by message_id desc nulls last limit {most} + 1"""

    def segments(self, arguments: Arguments, numbers: Sequence[int], low: int, at: int, limit: int) -> str:
        """Whole segments, the newest first: their texts, or (without words) their messages."""
        where = self.wanted.where(arguments)
        most = arguments.add(limit, "bigint")
        below, above = arguments.add(at, "bigint"), arguments.add(low, "bigint")
        segments = arguments.add(list(numbers), "bigint[]")
        if self.wanted.terms.words:
            inside = f"""select message_id, conversation_id from message_text t where message_id >= s.n << {SEGMENT} and message_id < (s.n + 1) << {SEGMENT}
              and message_id < {below} and message_id > {above} and {self.says(arguments)} order by message_id desc offset 0"""
            looked_up = self._looked_up(arguments, where)
        else:
            inside = f"""select id as message_id from message where id >= s.n << {SEGMENT} and id < (s.n + 1) << {SEGMENT}
              and id < {below} and id > {above} order by id desc offset 0"""
            looked_up = self._whole(arguments, where)
        candidate = "t" if self.wanted.terms.words else "n"
        return f"""select f.* from unnest({segments}) with ordinality s (n, place) cross join lateral ({inside}) {candidate}
          cross join lateral ({looked_up}) f limit {most}"""

    def blocks(
        self,
        arguments: Arguments,
        numbers: Sequence[int],
        low: int,
        at: int,
        limit: int,
        only: Sequence[int] | None,
        known: int,
    ) -> str:
        """What the index says of some blocks, the newest first. ``only``: up to the ``known`` id, finds are in these segments."""
        where = self.wanted.where(arguments)
        most = arguments.add(limit, "bigint")
        pairs = arguments.add(self.wanted.terms.pairs, "bigint[]")
        blocks = arguments.add(list(numbers), "bigint[]")
        below, above = arguments.add(at, "bigint"), arguments.add(low, "bigint")
        within = ""
        if only is not None:
            segments, mapped = arguments.add(list(only), "bigint[]"), arguments.add(known, "bigint")
            within = f"and (message_id > {mapped} or message_id >> {SEGMENT} in (select unnest({segments})))"
        return f"""select f.* from unnest({blocks}) with ordinality b (id, place)
          cross join lateral (
            select message_id, conversation_id from (
              select message_id, conversation_id, words from message_text
              where search_keys(message_id >> {BLOCK}, words, false) @> array(select (b.id << 42) | p from unnest({pairs}) p)
              offset 0
            ) t where message_id < {below} and message_id > {above} {within} and {self.says(arguments)}
            order by message_id desc offset 0
          ) t cross join lateral ({self._looked_up(arguments, where)}) f limit {most}"""

    def by_name(self, arguments: Arguments, low: int, high: int, limit: int) -> str:
        """What says one of the words in a title or in the name of a file, and all of them somewhere."""
        where = self.wanted.where(arguments)
        most = arguments.add(limit, "bigint")
        below, above = arguments.add(high, "bigint"), arguments.add(low, "bigint")
        asked = [arguments.add(keys, "bigint[]") for keys in self.wanted.terms.keys_by_word]

        def called(keys: str) -> str:
            each = [f"{keys} @> array(select (b.id << 42) | p from unnest({one}) p)" for one in asked]
            return f"({' or '.join(each)})"

        newest = f"least({below} - 1, (select coalesce(max(id), 0) from message))"
        return f"""select f.* from generate_series({newest} >> {CALLED_BLOCK}, greatest({above}, 0) >> {CALLED_BLOCK}, -1) b (id)
          cross join lateral (
            select message_id from (
              (select id as message_id from message where content <> '{{}}'
                and {called(f"search_keys(id >> {CALLED_BLOCK}, search_fold(content_words(content)), true)")} offset 0)
              union
              (select message_id from attachment where name <> '' and message_id is not null
                and {called(f"search_keys(message_id >> {CALLED_BLOCK}, search_fold(name), true)")} offset 0)
            ) u where message_id < {below} and message_id > {above} order by message_id desc offset 0
          ) n cross join lateral ({self._whole(arguments, where)}) f limit {most}"""

    def says(self, arguments: Arguments) -> str:
        """Of the text ``t.words`` alone."""
        return _all_in("t.words", self.wanted.terms, arguments)

    def says_all(self, arguments: Arguments) -> str:
        """Of everything that ``m`` has in words; ``t`` may be missing."""
        terms = self.wanted.terms
        if not terms.words and not terms.excluded:
            return "true"
        text = "coalesce(t.words, '')"
        if not self.wanted.called:
            return _all_in(text, terms, arguments)
        whole = _all_in(f"{text} || E'\\x1f' || {CALLED}", terms, arguments)
        if terms.excluded:
            return whole
        more = "(m.content <> '{}' or (select true from attachment f where f.message_id = m.id limit 1) is not null)"
        return f"({_all_in(text, terms, arguments)} or ({more} and {whole}))"

    def _looked_up(self, arguments: Arguments, where: str) -> str:
        """A candidate ``t`` whose text says all that it has to."""
        without = ""
        if self.wanted.called and self.wanted.terms.excluded:
            without = f"and {_all_in(CALLED, Terms((), self.wanted.terms.excluded), arguments)}"
        if not OF_CHAT.search(f"{self.found} {where}"):
            return f"select {self.found} from message m where m.id = t.message_id {without} and {where} limit 1"
        # The conversation first: most of what somebody does not see is turned away by it, without reading the message.
        return f"""select {self.found} from conversation c join account a on a.id = c.account_id
          cross join lateral (select * from message where id = t.message_id and conversation_id = c.id offset 0) m
          where c.id = t.conversation_id {without} and {where} limit 1"""

    def _whole(self, arguments: Arguments, where: str) -> str:
        """A candidate ``n`` of which nothing is known."""
        return f"""select {self.found} from {TOGETHER} left join message_text t on t.message_id = m.id
          where m.id = n.message_id and {self.says_all(arguments)} and {where} limit 1"""

    @property
    def _nothing(self) -> str:
        return ", ".join(["null"] * len(self.columns))


def _all_in(text: str, terms: Terms, arguments: Arguments) -> str:
    """All words and none of the excluded ones. A text that is put together is put together once."""
    conditions = [f"strpos(x.said, {arguments.add(word, 'text')}) > 0" for word in terms.words]
    conditions += [f"strpos(x.said, {arguments.add(word, 'text')}) = 0" for word in terms.excluded]
    if not conditions:
        return "true"
    condition = " and ".join(conditions)
    if text == "t.words":
        return condition.replace("x.said", text)
    return f"(select {condition} from (select {text} as said offset 0) x)"
