"""Making, changing and putting away codes. The row is what is wanted; a durable job tells the platform (``making``)."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

from pydantic import Field

from customers.codes.making import tell_platform_soon
from customers.codes.members import check_members, makers
from customers.greetings.welcomes import WelcomeInput, set_of_code
from scrm.connections import Connections
from scrm.db import Row
from scrm.errors import Conflict, NotFound, Unprocessable
from scrm.permissions import Principal
from scrm.services import Work
from scrm.trail import record
from scrm.views import Id, Input, Line, OptionalLine

INSERT = """
insert into contact_code (connection_id, name, campaign, source, accounts, skip_verify, remark, tags, stage_id, client_token,
  created_by, created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12) on conflict do nothing returning id
"""
CHANGE = """
update contact_code set name = $2, campaign = $3, accounts = $4, skip_verify = $5, remark = $6, tags = $7, stage_id = $8,
  updated_at = $9, version = version + 1,
  made_version = case when $10 or state = 'failed' then made_version else made_version + (made_version = version)::int end,
  state = case when not $10 then state when external_id = '' then 'making' else 'changing' end,
  reason = case when $10 then null else reason end
where id = $1 returning version
"""
LOCK = "select * from contact_code where id = $1 for update"


class ContactCodeInput(Input):
    """The whole of a code. ``greeting``: what greets those who come by it; null: what greets the member's others.
    ``client_token`` (for a new one) makes a repetition harmless; ``version`` is of the one that is changed."""

    connection_id: Id
    name: Line
    campaign: OptionalLine = ""
    account_ids: Annotated[list[Id], Field(min_length=1, max_length=200)]
    skip_verify: bool = True
    remark: OptionalLine = ""
    tag_ids: Annotated[list[Id], Field(max_length=50)] = Field(default_factory=list)
    stage_id: Id | None = None
    greeting: WelcomeInput | None = None
    client_token: Annotated[str, Field(min_length=8, max_length=64)] | None = None
    version: Annotated[int, Field(ge=1)] | None = None


async def add_code(
    work: Work, connections: Connections, principal: Principal, said: ContactCodeInput, *, address: str = ""
) -> int:
    await _check(work, connections, said)
    token = None if said.client_token is None else f"{principal.agent_id}:{said.client_token}"
    made = await work.tx.fetchval(
        INSERT, said.connection_id, said.name, said.campaign, new_source(), sorted(set(said.account_ids)), said.skip_verify,
        said.remark, sorted(set(said.tag_ids)), said.stage_id, token, principal.agent_id, work.now,
    )  # fmt: skip
    if made is None:
        again = await work.tx.fetchval("select id from contact_code where client_token = $1", token)
        if again is None:
            raise Conflict("The code could not be made. Try it again.")
        return int(again)
    await set_of_code(work, principal, made, said.greeting)
    await tell_platform_soon(work, made, 1)
    await _noted(work, principal, "code.added", made, {"name": said.name}, address)
    return int(made)


async def change_code(
    work: Work,
    connections: Connections,
    principal: Principal,
    code_id: int,
    said: ContactCodeInput,
    *,
    address: str = "",
) -> None:
    row = await locked(work, code_id)
    if said.version is not None and said.version != row["version"]:
        raise Conflict("Somebody else changed this code meanwhile. Look at it again.", code="changed_meanwhile")
    if said.connection_id != row["connection_id"]:
        raise Unprocessable("A code stays with its connection.", fields={"connection_id": "Make a new code."})
    if row["archived_at"] is not None:
        raise Conflict("This code was put away.", code="archived")
    await _check(work, connections, said)
    accounts = sorted(set(said.account_ids))
    there = (accounts, said.skip_verify, said.remark) != (row["accounts"], row["skip_verify"], row["remark"])
    version = await work.tx.fetchval(
        CHANGE, code_id, said.name, said.campaign, accounts, said.skip_verify, said.remark, sorted(set(said.tag_ids)),
        said.stage_id, work.now, there,
    )  # fmt: skip
    await set_of_code(work, principal, code_id, said.greeting)
    if there:
        await tell_platform_soon(work, code_id, version)
    await _noted(work, principal, "code.changed", code_id, {"name": said.name}, address)


async def archive_code(work: Work, principal: Principal, code_id: int, *, address: str = "") -> None:
    """It no longer works where it hangs; what came of it stays."""
    row = await locked(work, code_id)
    if row["archived_at"] is not None:
        return
    version = await work.tx.fetchval(
        "update contact_code set archived_at = $2, updated_at = $2, version = version + 1, state = 'changing', reason = null "
        "where id = $1 returning version",
        code_id,
        work.now,
    )
    await tell_platform_soon(work, code_id, version)
    await _noted(work, principal, "code.archived", code_id, {"name": row["name"]}, address)


async def try_again(work: Work, code_id: int) -> None:
    """The platform is told once more what it refused."""
    row = await locked(work, code_id)
    if row["state"] != "failed":
        return
    version = await work.tx.fetchval(
        "update contact_code set version = version + 1, reason = null, "
        "state = case when external_id = '' and archived_at is null then 'making' else 'changing' end "
        "where id = $1 returning version",
        code_id,
    )
    await tell_platform_soon(work, code_id, version)


async def locked(work: Work, code_id: int) -> Row:
    row = await work.tx.fetchrow(LOCK, code_id)
    if row is None:
        raise NotFound("There is no such code.")
    return row


def new_source() -> str:
    """What comes back with everybody who scans it: short, and nobody guesses one."""
    return f"c{secrets.token_hex(8)}"


async def _check(work: Work, connections: Connections, said: ContactCodeInput) -> None:
    limits = makers(connections).get(said.connection_id)
    if limits is None:
        raise Unprocessable("No codes can be made on this connection.", fields={"connection_id": "Choose another one."})
    if len(said.remark) > limits["remark"]:
        raise Unprocessable(
            f"A note for the platform has at most {limits['remark']} characters.", fields={"remark": "Make it shorter."}
        )
    if len(set(said.account_ids)) > limits["accounts"]:
        raise Unprocessable(
            f"A code has at most {limits['accounts']} members.", fields={"account_ids": "Choose fewer members."}
        )
    await check_members(work.tx, said.connection_id, said.account_ids)
    found = await work.tx.fetchrow(
        "select (select count(*) from tag where id = any($1::bigint[]) and archived_at is null) as tags, "
        "(select count(*) from stage where id = $2 and archived_at is null) as stages",
        list(set(said.tag_ids)),
        said.stage_id,
    )
    if found is None or found["tags"] != len(set(said.tag_ids)):
        raise Unprocessable("One of these tags is no longer there.", fields={"tag_ids": "Choose them again."})
    if said.stage_id is not None and found["stages"] == 0:
        raise Unprocessable("This stage is no longer there.", fields={"stage_id": "Choose another one."})


async def _noted(
    work: Work, principal: Principal, action: str, code_id: int, detail: dict[str, Any], address: str
) -> None:
    await record(
        work, action, agent_id=principal.agent_id, object_kind="contact_code", object_id=code_id, address=address,
        detail=detail,
    )  # fmt: skip
