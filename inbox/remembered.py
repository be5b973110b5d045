"""What was seen last of conversations that are being written in: who writes again in the same chat need not be looked up again.

Nothing here is believed. Whoever writes by it makes sure, in the same statement, that the conversation's row is still the one that was seen and
that account and contact are still known by the same facts; what does not hold is forgotten and looked up.
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from inbox.familiar import Facts, Familiar, Known, Place, Question
from inbox.rows import Conversation
from scrm.bus import Bus

MOST = 2000
"""Conversations, some kilobytes each."""

Key = tuple[int, Place]
"""A connection and a place on it."""


@dataclass(slots=True)
class _Seen:
    facts: Facts
    conversation: Conversation
    mark: str
    own_rings: int = 1
    """We ring for our own writing as well."""


class Remembered:
    """Rings of others make it forget: rows that people and loops write between two messages are looked up, which is cheaper than to be
    wrong. (A lost ring costs a statement that writes nothing.)"""

    def __init__(self, bus: Bus, most: int = MOST) -> None:
        self._most = most
        self._seen: OrderedDict[Key, _Seen] = OrderedDict()
        self._keys: dict[int, Key] = {}
        bus.listen("conversation", self._rang)

    def answer(self, connection_id: int, question: Question) -> Familiar | None:
        """The answer of last time; None when a place is not remembered, or is called otherwise now."""
        seen = [self._seen.get((connection_id, place)) for place in question.places]
        found = question.nothing()
        # In the order of their ids, in which everybody locks them.
        for one in sorted((one for one in seen if one is not None), key=lambda one: one.conversation.id):
            if question.is_news(one.facts):
                return None
            # A copy: what is decided now may come to nothing.
            found.add(one.facts, copy.copy(one.conversation), one.mark, heard=False)
        return found if len(found.known) == len(seen) else None

    def keep(self, connection_id: int, known: Iterable[Known], marks: Mapping[int, str]) -> None:
        """As they were written, before that is rung for. ``marks``: the new numbers of their rows."""
        for one in known:
            mark = marks.get(one.conversation.id)
            if mark is None:
                continue
            key = connection_id, (one.row["channel"], one.row["account"], one.row["contact"])
            self._seen[key] = _Seen(one.row, one.conversation, mark)
            self._seen.move_to_end(key)
            self._keys[one.conversation.id] = key
        while len(self._seen) > self._most:
            _, oldest = self._seen.popitem(last=False)
            self._keys.pop(oldest.conversation.id, None)

    def forget(self, connection_id: int, question: Question) -> None:
        for place in question.places:
            self._drop((connection_id, place))

    def _rang(self, ids: Sequence[int]) -> None:
        if not ids:
            # Rings were lost.
            self._seen.clear()
            self._keys.clear()
            return
        for conversation_id in ids:
            key = self._keys.get(conversation_id)
            if key is None:
                continue
            if self._seen[key].own_rings:
                self._seen[key].own_rings -= 1
            else:
                self._drop(key)

    def _drop(self, key: Key) -> None:
        seen = self._seen.pop(key, None)
        if seen is not None:
            self._keys.pop(seen.conversation.id, None)
