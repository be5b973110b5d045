"""The accounts that customers talk to, and what their channels can do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import asyncpg
from pydantic import Field

from scrm.channel import Capabilities
from scrm.db import Row, Tx
from scrm.errors import NotFound, Unprocessable
from scrm.http import Request, Route
from scrm.permissions import CONNECTIONS_MANAGE, INBOX_READ, Scope
from scrm.trail import record
from scrm.views import AccountList, AccountView, Id, Input, Line, channel_view

COLUMNS = """
  a.id, a.connection_id, a.channel, a.name, a.avatar, a.disabled_at is not null as disabled, a.welcome_text, a.team_id,
  exists (select from conversation c where c.account_id = a.id) as chats
"""
VISIBLE = f"""
select {COLUMNS} from account a
where $1 or ($2::bigint[] is not null and (a.team_id is null or a.team_id = any($2)))
  or (select coalesce(sum(t.n), 0) from conversation_tally t where t.account_id = a.id and t.assignee_id = $3) > 0
  or exists (select from conversation c where c.collaborators @> array[$3] and c.collaborators <> '{{}}' and c.account_id = a.id)
order by a.position, a.id
"""  # noqa: S608
ONE = f"select {COLUMNS} from account a where a.id = $1"  # noqa: S608
CHANGE = """
update account set
  name = coalesce($2, name),
  welcome_text = coalesce($3, welcome_text),
  team_id = case when $4 then $5 else team_id end,
  disabled_at = case when $6::boolean is null then disabled_at when $6 then coalesce(disabled_at, $7) end
where id = $1 returning id
"""


ORDER = """
update account a set position = w.position from unnest($1::bigint[]) with ordinality w (id, position)
where a.id = w.id returning a.id
"""


class AccountInput(Input):
    """What is absent stays; ``team_id: null`` opens the account to everybody."""

    name: Line | None = None
    welcome_text: Annotated[str, Field(max_length=2000)] | None = None
    team_id: Id | None = None
    disabled: bool | None = None


class AccountOrderInput(Input):
    account_ids: Annotated[list[Id], Field(min_length=1, max_length=2000)]


async def accounts(request: Request) -> AccountList:
    """Those whose conversations one may see, also where it is only a few of them."""
    scope = Scope.of(request.principal)
    rows = await request.services.db.fetch(VISIBLE, scope.everything, scope.teams, scope.agent_id)
    channels = request.services.connections.channels()
    return AccountList(
        accounts=[account_view(row, channels) for row in rows],
        channels=[channel_view(channels[name]) for name in sorted(channels)],
    )


async def change_account(request: Request, account_id: int, body: AccountInput) -> AccountView:
    moves = "team_id" in body.model_fields_set
    async with request.services.work() as work:
        try:
            done = await work.tx.fetchval(
                CHANGE, account_id, body.name, body.welcome_text, moves, body.team_id, body.disabled, work.now
            )
        except asyncpg.ForeignKeyViolationError as error:
            raise Unprocessable("There is no such team.", fields={"team_id": "Not a team."}) from error
        if done is None:
            raise NotFound("There is no such account.")
        await record(
            work, "account.changed", agent_id=request.principal.agent_id, object_kind="account", object_id=account_id,
            address=request.address, detail={"fields": sorted(body.model_fields_set)},
        )  # fmt: skip
        work.ring("account", account_id)
        if moves:
            # Who sees its conversations changed: everybody looks again.
            work.ring("conversation")
        return await _one(work.tx, account_id, request.services.connections.channels())


async def order(request: Request, body: AccountOrderInput) -> AccountList:
    """The order of the rail and of all lists, for everybody."""
    async with request.services.work() as work:
        done = await work.tx.fetch(ORDER, body.account_ids)
        if len(done) != len(set(body.account_ids)):
            raise Unprocessable("One of the accounts does not exist.", fields={"account_ids": "Not an account."})
        await record(
            work, "account.ordered", agent_id=request.principal.agent_id, object_kind="account",
            address=request.address, detail={"account_ids": body.account_ids},
        )  # fmt: skip
        work.ring("account", *body.account_ids)
    return await accounts(request)


async def _one(tx: Tx, account_id: int, channels: Mapping[str, Capabilities]) -> AccountView:
    row = await tx.fetchrow(ONE, account_id)
    if row is None:
        raise NotFound("There is no such account.")
    return account_view(row, channels)


def account_view(row: Row, channels: Mapping[str, Capabilities]) -> AccountView:
    """An employee whom customers only have on their list, say, is an account without chats."""
    channel = channels.get(row["channel"])
    return AccountView(**{**row, "chats": row["chats"] or channel is None or bool(channel.sends)})


def api_routes() -> list[Route]:
    return [
        Route("GET", "/api/accounts", accounts, INBOX_READ, "Accounts and what their channels can do"),
        Route("POST", "/api/accounts/order", order, CONNECTIONS_MANAGE, "Put accounts in order"),
        Route("PATCH", "/api/accounts/{account_id}", change_account, CONNECTIONS_MANAGE, "Change an account"),
    ]
