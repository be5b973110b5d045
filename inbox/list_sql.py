"""The statements of the conversation list, put together from constants; every value is a parameter."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from inbox.list_query import ListQuery, Position
from inbox.shapes import CONVERSATION, FROM_CONVERSATION
from scrm.permissions import Scope

# ruff: noqa: S608 - made of constants


class Arguments:
    """Values and their places."""

    def __init__(self) -> None:
        self.values: list[Any] = []

    def add(self, value: Any, kind: str) -> str:
        self.values.append(value)
        return f"${len(self.values)}::{kind}"


@dataclass(frozen=True, slots=True)
class Rare:
    """A condition that few conversations meet; ``view``: it is what the view consists of, however many there are."""

    where: Callable[[Arguments], str]
    view: bool = False


def rare_conditions(scope: Scope, query: ListQuery, now: datetime) -> Iterator[Rare]:
    """Those of the query that have an index of their own."""
    of_status = f"c.status = '{query.status}'"

    def mentioned(arguments: Arguments) -> str:
        me = arguments.add(scope.agent_id, "bigint")
        return (
            "c.id in (select conversation_id from notification "
            f"where agent_id = {me} and kind = 'mention' and conversation_id is not null)"
        )

    def helped(arguments: Arguments) -> str:
        me = arguments.add(scope.agent_id, "bigint")
        return f"{of_status} and {_helped(me)} and c.assignee_id is distinct from {me}"

    def labelled(arguments: Arguments) -> str:
        return f"{of_status} and c.labels <> '{{}}' and c.labels && {arguments.add(query.label_ids, 'bigint[]')}"

    def closing(arguments: Arguments) -> str:
        return f"{of_status} and {_closing(arguments, query.closing_hours or 0, now)}"

    if query.view == "mentions":
        yield Rare(mentioned, view=True)
    elif query.view == "helping":
        yield Rare(helped, view=True)
    if query.label_ids is not None:
        yield Rare(labelled)
    if query.closing_hours is not None and query.order != "window":
        yield Rare(closing)


def guessed(arguments: Arguments, rare: Rare) -> str:
    """Asks the planner, who knows how common values are, and counts nothing."""
    return f"explain (format json) select from conversation c where {rare.where(arguments)}"


MOST_WOVEN = 60
"""Accounts in one statement."""
BREACHED = "c.sla_breached_at is not null"


def _helped(agent: str) -> str:
    return f"c.collaborators <> '{{}}' and c.collaborators @> array[{agent}]"


def _closing(arguments: Arguments, hours: int, now: datetime) -> str:
    until = arguments.add(now + timedelta(hours=hours), "timestamptz")
    return f"c.window_expires_at > {arguments.add(now, 'timestamptz')} and c.window_expires_at <= {until}"


def _conditions(arguments: Arguments, query: ListQuery, now: datetime, key: str, at: Position | None) -> list[str]:
    """What a row itself must meet; whose it is and where is said elsewhere."""
    wanted = [f"c.status = '{query.status}'"] if query.view != "mentions" else ["true"]
    if query.view == "unassigned":
        wanted.append("c.assignee_id is null")
    if query.assignee is not None:
        wanted.append(f"c.assignee_id = {arguments.add(query.assignee, 'bigint')}")
    if query.label_ids is not None:
        wanted.append(f"c.labels && {arguments.add(query.label_ids, 'bigint[]')}")
    if query.unread:
        wanted.append("c.unread > 0")
    if query.waiting or key == "waiting_since":
        wanted.append("c.waiting_since is not null")
    if query.breached:
        wanted.append(BREACHED)
    if query.closing_hours is not None:
        wanted.append(_closing(arguments, query.closing_hours, now))
    elif key == "window_expires_at":
        wanted.append(f"c.window_expires_at > {arguments.add(now, 'timestamptz')}")
    if key == "sla_due_at":
        wanted.append("c.sla_due_at is not null")
    if at is not None:
        compare = ">" if _ascending(key, query.back) else "<"
        place = f"({arguments.add(at.at, 'timestamptz')}, {arguments.add(at.id, 'bigint')})"
        wanted.append(f"(c.{key}, c.id) {compare} {place}")
    return wanted


def _ascending(key: str, back: bool) -> bool:
    return (key != "last_message_at") != back


def _order(key: str, query: ListQuery, table: str = "") -> str:
    direction = "asc" if _ascending(key, query.back) else "desc"
    return f"order by {table}{key} {direction}, {table}id {direction} limit {query.limit + 1}"


def _accounts(arguments: Arguments, scope: Scope, query: ListQuery) -> str:
    """Which accounts are asked for."""
    wanted = ["true"]
    if query.account_ids is not None:
        wanted.append(f"a.id = any({arguments.add(query.account_ids, 'bigint[]')})")
    if query.channel is not None:
        wanted.append(f"a.channel = {arguments.add(query.channel, 'text')}")
    if query.view == "team":
        wanted.append(f"a.team_id = any({arguments.add(list(scope.team_ids), 'bigint[]')})")
    return " and ".join(wanted)


def _covered(arguments: Arguments, scope: Scope) -> str:
    """Whether all of an account is seen; what ``Scope.covers_account`` says."""
    if scope.reach == "team":
        return f"(a.team_id is null or a.team_id = any({arguments.add(list(scope.team_ids), 'bigint[]')}))"
    return "true" if scope.everything else "false"


def _seen(arguments: Arguments, scope: Scope) -> str:
    """What ``Scope.covers`` says."""
    me = arguments.add(scope.agent_id, "bigint")
    return f"({_covered(arguments, scope)} or c.assignee_id = {me} or {me} = any(c.collaborators))"


def _mine(arguments: Arguments, scope: Scope, query: ListQuery) -> list[str]:
    return [f"c.assignee_id = {arguments.add(scope.agent_id, 'bigint')}"] if query.view == "mine" else []


def _shown(found: str, key: str, query: ListQuery) -> str:
    return f"""
      with page as (select id, {key} from ({found}) p {_order(key, query)})
      select {CONVERSATION} from page p join {FROM_CONVERSATION} on c.id = p.id {_order(key, query, "p.")}"""


def picked_page(
    arguments: Arguments, scope: Scope, query: ListQuery, key: str, at: Position | None, now: datetime, rare: Rare
) -> str:
    """Of the few that meet a condition: all of them, put in order."""
    wanted = [
        *_conditions(arguments, query, now, key, at),
        *_mine(arguments, scope, query),
        _accounts(arguments, scope, query),
        _seen(arguments, scope),
    ]
    return _shown(
        f"select c.id, c.{key} from (select c.* from conversation c where {rare.where(arguments)} offset 0) c "
        f"join account a on a.id = c.account_id where {' and '.join(wanted)}",
        key,
        query,
    )


def ordered_page(
    arguments: Arguments, scope: Scope, query: ListQuery, key: str, at: Position | None, now: datetime
) -> str:
    """Where only conversations with something pending are wanted: all of them stand in one index, in order."""
    wanted = [
        *_conditions(arguments, query, now, key, at),
        *_mine(arguments, scope, query),
        _accounts(arguments, scope, query),
        _seen(arguments, scope),
    ]
    return _shown(
        f"select c.id, c.{key} from conversation c join account a on a.id = c.account_id where {' and '.join(wanted)} "
        f"{_order(key, query, 'c.')}",
        key,
        query,
    )


def merged_page(
    arguments: Arguments, scope: Scope, query: ListQuery, key: str, at: Position | None, now: datetime
) -> str:
    """The page of each account, each read from the end of an index. Somebody with a narrow scope additionally sees what is
    assigned to them, or what they help with, in other accounts."""
    condition = " and ".join(_conditions(arguments, query, now, key, at))
    accounts = _accounts(arguments, scope, query)
    order = _order(key, query, "c.")

    def merged(whose: str, where: str) -> str:
        return f"""
          (select x.id, x.{key} from account a cross join lateral (
             select c.id, c.{key} from conversation c where c.account_id = a.id and {whose} and {condition} {order}) x
           where {accounts} and {where})"""

    me = arguments.add(scope.agent_id, "bigint")
    if query.view == "mine":
        return _shown(merged(f"c.assignee_id = {me}", "true"), key, query)
    covered = _covered(arguments, scope)
    if scope.everything:
        return _shown(merged(f"{me} is not null", "true"), key, query)
    parts = [merged("true", covered), merged(f"c.assignee_id = {me}", f"not {covered}")]
    helped = f"{_helped(me)} and c.assignee_id is distinct from {me}"
    parts.append(
        f"(select c.id, c.{key} from conversation c join account a on a.id = c.account_id "
        f"where {helped} and {condition} and {accounts} and not {covered} {order})"
    )
    return _shown(" union all ".join(parts), key, query)


def accounts_read(arguments: Arguments, scope: Scope, query: ListQuery) -> str:
    """The accounts whose lists :func:`woven_page` reads; only for somebody who sees all of them."""
    return f"select a.id from account a where {_accounts(arguments, scope, query)} order by a.id limit {MOST_WOVEN + 1}"


def woven_page(
    arguments: Arguments, query: ListQuery, key: str, at: Position | None, now: datetime, account_ids: Sequence[int]
) -> str:
    """The same page as :func:`merged_page`, read from all accounts' indexes at once and only as far as it goes. Planning it costs more, which
    is worth it where many rows must be passed over to find those that are wanted."""
    condition = " and ".join(_conditions(arguments, query, now, key, at))
    # Only with a limit of its own is an account's part read in the order of its index; the parts together are read as far as the page goes.
    found = " union all ".join(
        f"(select c.id, c.{key} from conversation c where c.account_id = {int(account_id)} and {condition} {_order(key, query, 'c.')})"
        for account_id in account_ids
    )
    return _shown(found, key, query)
