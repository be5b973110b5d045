"""Finds as they are shown: where the words stand, whose chat it is, what else is known of them. A few statements for a page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from audit.archive.relations import RelationEnded, endings
from audit.search.filters import KIND
from audit.search.shapes import Hit, Mark
from inbox.search_statements import NAMES
from inbox.search_terms import Terms, excerpt, folded
from inbox.shapes import CONVERSATION, FROM_CONVERSATION, conversation_view
from inbox.views import ConversationView, SenderView
from scrm.db import Row, Tx
from scrm.masking import masked_content
from scrm.permissions import Scope

# ruff: noqa: S608 - made of constants

BY_ID = f"select {CONVERSATION} from {FROM_CONVERSATION} where c.id = any($1::bigint[])"
BESIDES = f"""
select m.id, m.content, {KIND} as kind, {NAMES} as names, (select content_words(m.content)) as words from message m
where m.id = any($1::bigint[])
"""
RULES = """
select h.message_id, h.rule_id, r.name, r.severity from audit_hit h join audit_rule r on r.id = h.rule_id
where h.message_id = any($1::bigint[]) and r.deleted_at is null order by h.message_id, r.id
"""


async def shown(tx: Tx, scope: Scope, rows: Sequence[Row], terms: Terms) -> list[Hit]:
    if not rows:
        return []
    ids = [row["message_id"] for row in rows]
    conversations = sorted({row["conversation_id"] for row in rows})
    views = {row["id"]: conversation_view(row) for row in await tx.fetch(BY_ID, conversations)}
    ended = await endings(tx, conversations)
    besides = {row["id"]: row for row in await tx.fetch(BESIDES, ids)}
    marks = await _marks(tx, ids)
    return [_hit(row, besides[row["message_id"]], views, ended, marks, terms, phones=scope.phones) for row in rows]


def _hit(
    row: Row,
    besides: Row,
    views: Mapping[int, ConversationView],
    ended: Mapping[int, RelationEnded],
    marks: Mapping[int, list[Mark]],
    terms: Terms,
    *,
    phones: bool,
) -> Hit:
    conversation_id = row["conversation_id"]
    names = [one for one in besides["names"].split("\x1f") if one]
    amount = besides["content"].get("total_fen")
    money = [Mark(kind="money", amount_fen=amount)] if isinstance(amount, int) else []
    return Hit(
        message_id=row["message_id"],
        seq=row["seq"],
        conversation=views[conversation_id],
        standing=ended.get(conversation_id),
        direction=row["direction"],
        kind=besides["kind"],
        sender=SenderView(
            kind=row["sender_kind"], agent_id=row["sender_agent_id"], id=row["sender_id"], name=row["sender_name"]
        ),
        sent_at=row["sent_at"],
        recalled_at=row["recalled_at"],
        excerpt=excerpt(_best(row["text"], names, besides, terms, phones=phones), terms.words),
        file_name=names[0] if names else None,
        marks=[*marks.get(row["message_id"], ()), *money],
    )


def _best(text: str, names: Sequence[str], besides: Row, terms: Terms, *, phones: bool) -> str:
    """The text; or, where the words are not in it, what else of the message has the most of them."""
    hidden = not phones and masked_content(besides["content"]) is not besides["content"]
    called: list[str] = [] if hidden else [one for one in besides["words"].split("\x1f") if one]
    choices = [text, *names, *called]
    if len(choices) == 1 or not terms.words:
        return text
    return max(choices, key=lambda one: sum(word in folded(one)[0] for word in terms.words))


async def _marks(tx: Tx, ids: Sequence[int]) -> dict[int, list[Mark]]:
    found: dict[int, list[Mark]] = defaultdict(list)
    for row in await tx.fetch(RULES, list(ids)):
        mark = Mark(kind="rule", rule_id=row["rule_id"], name=row["name"], severity=row["severity"])
        found[row["message_id"]].append(mark)
    return found
