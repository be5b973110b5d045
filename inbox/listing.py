"""The conversation list: one statement per page, whose cost does not depend on how many conversations there are.

For each account the wanted page is read from the end of an index and the few rows of all accounts are merged, so the work is
(accounts x page size) rows. Somebody with a narrow scope additionally sees what is assigned to them elsewhere.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import Field

from inbox.shapes import CONVERSATION, FROM_CONVERSATION, conversation_view
from inbox.views import ConversationPage
from scrm.db import Tx
from scrm.errors import Unprocessable
from scrm.permissions import Reach, Scope
from scrm.views import MAX_ID, Id, Input

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
CURSOR = re.compile(rb"^([lw])(-?\d{1,17})\.(\d{1,19})$")

View = Literal["mine", "unassigned", "all", "closed"]


class ListQuery(Input):
    view: View = "all"
    account_id: Id | None = None
    unread: bool = False
    waiting: bool = False
    cursor: Annotated[str, Field(max_length=80)] | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 50


@dataclass(frozen=True, slots=True)
class Position:
    """After the row with this time and id, in the order of the list."""

    at: datetime
    id: int

    def encode(self, *, waiting: bool) -> str:
        plain = f"{'w' if waiting else 'l'}{(self.at - EPOCH) // MICROSECOND}.{self.id}"
        return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str, *, waiting: bool) -> Position:
        """Raises :class:`Unprocessable` for anything that was not made here for this order."""
        try:
            plain = base64.b64decode(text.encode() + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
            found = CURSOR.match(plain)
            if found is None or (found[1] == b"w") != waiting or int(found[3]) > MAX_ID:
                raise ValueError("another cursor")
            return cls(EPOCH + int(found[2]) * MICROSECOND, int(found[3]))
        except (ValueError, OverflowError, binascii.Error) as error:
            sentence = "Use the next_cursor of an earlier page of the same list."
            raise Unprocessable("This cursor cannot be used.", fields={"cursor": sentence}) from error


async def list_conversations(tx: Tx, scope: Scope, query: ListQuery) -> ConversationPage:
    """Newest first; ``waiting``: who waits longest first. A conversation that moves while somebody pages moves to where they
    have been or will come to, so what stays where it is appears exactly once."""
    if query.view == "closed" and (query.unread or query.waiting):
        # Closing reads everything and ends the waiting; a new message opens again.
        return ConversationPage(conversations=[], next_cursor=None)
    after = Position.decode(query.cursor, waiting=query.waiting) if query.cursor is not None else None
    sql = _statement(query.view, query.unread, query.waiting, after is not None, scope.reach, query.limit + 1)
    arguments: list[Any] = [scope.agent_id, list(scope.team_ids), query.account_id]
    if after is not None:
        arguments += [after.at, after.id]
    rows = await tx.fetch(sql, *arguments)
    page = rows[: query.limit]
    cursor = None
    if len(rows) > query.limit:
        last = page[-1]
        at = last["waiting_since"] if query.waiting else last["last_message_at"]
        cursor = Position(at, last["id"]).encode(waiting=query.waiting)
    return ConversationPage(conversations=[conversation_view(row) for row in page], next_cursor=cursor)


@lru_cache(maxsize=512)
def _statement(view: View, unread: bool, waiting: bool, after: bool, reach: Reach, limit: int) -> str:
    """Made of constants only. Parameters: $1 agent, $2 teams, $3 account or null, $4 and $5 the position."""
    key = "waiting_since" if waiting else "last_message_at"
    direction = "asc" if waiting else "desc"
    order = f"order by {key} {direction}, id {direction} limit {limit}"
    wanted = [f"c.status = '{'closed' if view == 'closed' else 'open'}'"]
    if view == "unassigned":
        wanted.append("c.assignee_id is null")
    if unread:
        wanted.append("c.unread > 0")
    if waiting:
        wanted.append("c.waiting_since is not null")
    if after:
        wanted.append(f"(c.{key}, c.id) {'>' if waiting else '<'} ($4::timestamptz, $5::bigint)")
    condition = " and ".join(wanted)
    seen = {"all": "true", "own": "false"}.get(reach, "(a.team_id is null or a.team_id = any($2::bigint[]))")
    by_account = _merged("c.account_id = a.id", condition, order, key, seen)
    own = "c.assignee_id = $1 and c.account_id = a.id"
    if view == "mine":
        parts = _merged(own, condition, order, key, "true")
    elif view == "unassigned" or reach == "all":
        parts = by_account
    else:
        parts = f"{by_account} union all {_merged(own, condition, order, key, f'not {seen}')}"
    # Not every statement needs every parameter, but each must have a type.
    unused = "and ($1::bigint is not null or $2::bigint[] is not null)"
    return f"""
      with page as (select id, {key} from ({parts}) p {order})
      select {CONVERSATION} from page p join {FROM_CONVERSATION} on c.id = p.id where true {unused}
      order by p.{key} {direction}, p.id {direction}"""  # noqa: S608 - made of constants


def _merged(whose: str, condition: str, order: str, key: str, accounts: str) -> str:
    """The page of each account, each read from the end of an index."""
    return f"""
      (select x.id, x.{key} from account a cross join lateral (
         select c.id, c.{key} from conversation c where {whose} and {condition} {order}) x
       where {accounts} and ($3::bigint is null or a.id = $3))"""  # noqa: S608 - made of constants
