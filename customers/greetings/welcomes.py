"""What is set to greet whom: written by those who manage codes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, model_validator

from customers.greetings.choose import Hours
from customers.greetings.content import Content, GreetingContentInput, GreetingContentView, content_view, take_in
from customers.greetings.prepare import prepare_soon
from scrm.db import Row, Tx
from scrm.errors import Conflict, NotFound, Unprocessable
from scrm.permissions import Principal
from scrm.services import Work
from scrm.trail import record
from scrm.views import Id, Input, OptionalLine, SentenceView, View, sentence_view

MOST = 500

COLUMNS = """
id, name, contact_code_id, accounts, teams, everybody, content, hours, off, enabled, prepared_at, prepare_error, version, updated_at
"""
LIST = f"select {COLUMNS} from welcome where contact_code_id is null order by everybody desc, id"  # noqa: S608
ONE = f"select {COLUMNS} from welcome where id = $1"  # noqa: S608
LOCK = f"select {COLUMNS} from welcome where id = $1 for update"  # noqa: S608
OF_CODE = f"select {COLUMNS} from welcome where contact_code_id = $1 for update"  # noqa: S608
INSERT = """
insert into welcome (name, contact_code_id, accounts, teams, everybody, content, hours, off, enabled, created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10) on conflict do nothing returning id
"""
CHANGE = """
update welcome set name = $2, accounts = $3, teams = $4, content = $5, hours = $6, off = $7, enabled = $8, prepared_at = null,
  prepare_error = null, version = version + 1, updated_at = $9 where id = $1
"""


class HoursInput(Input):
    """Working hours: ISO weekdays (1 is Monday) and times like 09:00. An end before the start is on the next day."""

    days: Annotated[list[Annotated[int, Field(ge=1, le=7)]], Field(min_length=1, max_length=7)]
    start: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
    end: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]

    @model_validator(mode="after")
    def _some_time(self) -> HoursInput:
        if self.start == self.end:
            raise ValueError("Begin and end are the same moment.")
        return self


class WelcomeInput(Input):
    """For some members' accounts, some teams, or (``everybody``) all the others. ``off`` is said outside of ``hours``; both are
    given or none. ``version``: of the one that is changed."""

    name: OptionalLine = ""
    account_ids: Annotated[list[Id], Field(max_length=500)] = Field(default_factory=list)
    team_ids: Annotated[list[Id], Field(max_length=100)] = Field(default_factory=list)
    everybody: bool = False
    content: GreetingContentInput
    hours: HoursInput | None = None
    off: GreetingContentInput | None = None
    enabled: bool = True
    version: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _both_or_none(self) -> WelcomeInput:
        if (self.hours is None) != (self.off is None):
            raise ValueError("Give the hours together with what is said outside of them.")
        return self


class HoursView(View):
    days: list[int]
    start: str
    end: str


class WelcomeView(View):
    """``prepared_at``: its files lie ready on the platform. ``trouble``: why they do not."""

    id: int
    name: str
    account_ids: list[int]
    team_ids: list[int]
    everybody: bool
    content: GreetingContentView
    hours: HoursView | None
    off: GreetingContentView | None
    enabled: bool
    prepared_at: datetime | None
    trouble: SentenceView | None
    version: int
    updated_at: datetime


class WelcomeList(View):
    """The default first."""

    welcomes: list[WelcomeView]


def welcome_view(row: Row) -> WelcomeView:
    url = f"/api/welcomes/{row['id']}/files"
    off = None if row["off"] is None else content_view(Content.model_validate(row["off"]), f"{url}/off")
    return WelcomeView(
        id=row["id"],
        name=row["name"],
        account_ids=row["accounts"],
        team_ids=row["teams"],
        everybody=row["everybody"],
        content=content_view(Content.model_validate(row["content"]), f"{url}/content"),
        hours=None if row["hours"] is None else _hours_view(row["hours"]),
        off=off,
        enabled=row["enabled"],
        prepared_at=row["prepared_at"],
        trouble=sentence_view(row["prepare_error"]),
        version=row["version"],
        updated_at=row["updated_at"],
    )


def _hours_view(kept: dict[str, Any]) -> HoursView:
    hours = Hours.model_validate(kept)
    return HoursView(days=list(hours.days), start=f"{hours.start:%H:%M}", end=f"{hours.end:%H:%M}")


async def list_welcomes(tx: Tx) -> WelcomeList:
    return WelcomeList(welcomes=[welcome_view(row) for row in await tx.fetch(LIST)])


async def one_welcome(tx: Tx, welcome_id: int) -> WelcomeView:
    """Raises :class:`NotFound`."""
    return welcome_view(await _found(tx, ONE, welcome_id))


async def add_welcome(work: Work, principal: Principal, said: WelcomeInput, *, address: str = "") -> int:
    await _check_places(work, said)
    if await work.tx.fetchval("select count(*) from welcome where contact_code_id is null") >= MOST:
        raise Conflict(f"There are {MOST} greetings already. Delete some.")
    made = await work.tx.fetchval(INSERT, *await _columns(work, principal, said, None), work.now)
    if made is None:
        raise Conflict("There is a greeting for everybody already. Change that one.", code="default_exists")
    return await _noted(work, principal, int(made), 1, "welcome.added", address)


async def change_welcome(
    work: Work, principal: Principal, welcome_id: int, said: WelcomeInput, *, address: str = ""
) -> None:
    row = await _found(work.tx, LOCK, welcome_id)
    if row["contact_code_id"] is not None:
        raise NotFound("There is no such greeting.")
    if said.version is not None and said.version != row["version"]:
        raise Conflict("Somebody else changed this greeting meanwhile. Look at it again.", code="changed_meanwhile")
    if said.everybody != row["everybody"]:
        raise Unprocessable(
            "The greeting for everybody stays the one for everybody.", fields={"everybody": "Add another."}
        )
    await _check_places(work, said)
    name, _, accounts, teams, _, content, hours, off, enabled = await _columns(work, principal, said, row)
    await work.tx.execute(CHANGE, welcome_id, name, accounts, teams, content, hours, off, enabled, work.now)
    await _noted(work, principal, welcome_id, row["version"] + 1, "welcome.changed", address)


async def delete_welcome(work: Work, principal: Principal, welcome_id: int, *, address: str = "") -> None:
    gone = await work.tx.fetchval(
        "delete from welcome where id = $1 and contact_code_id is null returning name", welcome_id
    )
    if gone is None:
        raise NotFound("There is no such greeting.")
    await record(
        work, "welcome.deleted", agent_id=principal.agent_id, object_kind="welcome", object_id=welcome_id, address=address,
        detail={"name": gone},
    )  # fmt: skip


async def set_of_code(work: Work, principal: Principal, code_id: int, said: WelcomeInput | None) -> None:
    """The greeting of a code; None: its members' own greetings hold."""
    row = await work.tx.fetchrow(OF_CODE, code_id)
    if said is None:
        await work.tx.execute("delete from welcome where contact_code_id = $1", code_id)
        return
    name, _, _, _, _, content, hours, off, enabled = await _columns(work, principal, said, row)
    if row is None:
        made = await work.tx.fetchval(
            INSERT, name, code_id, [], [], False, content, hours, off, enabled, work.now
        )  # fmt: skip
        await prepare_soon(work, made, 1)
    else:
        await work.tx.execute(CHANGE, row["id"], name, [], [], content, hours, off, enabled, work.now)
        await prepare_soon(work, row["id"], row["version"] + 1)


async def _columns(work: Work, principal: Principal, said: WelcomeInput, row: Row | None) -> tuple[Any, ...]:
    held = None if row is None else Content.model_validate(row["content"])
    held_off = None if row is None or row["off"] is None else Content.model_validate(row["off"])
    content = await take_in(work, principal, said.content, held)
    off = None if said.off is None else await take_in(work, principal, said.off, held_off, field="off")
    hours = None if said.hours is None else Hours.model_validate(said.hours.model_dump()).model_dump(mode="json")
    return (
        said.name,
        None,
        [] if said.everybody else sorted(set(said.account_ids)),
        [] if said.everybody else sorted(set(said.team_ids)),
        said.everybody,
        content.model_dump(mode="json"),
        hours,
        off.model_dump(mode="json") if off else None,
        said.enabled,
    )


async def _check_places(work: Work, said: WelcomeInput) -> None:
    if not said.everybody and not said.account_ids and not said.team_ids:
        raise Unprocessable("Say for whom this greeting is.", fields={"account_ids": "Choose members or teams."})
    found = await work.tx.fetchrow(
        "select (select count(*) from account where id = any($1::bigint[])) as accounts, "
        "(select count(*) from team where id = any($2::bigint[])) as teams",
        list(set(said.account_ids)),
        list(set(said.team_ids)),
    )
    if found is None or found["accounts"] != len(set(said.account_ids)):
        raise Unprocessable("One of these members is not there.", fields={"account_ids": "Choose them again."})
    if found["teams"] != len(set(said.team_ids)):
        raise Unprocessable("One of these teams is not there.", fields={"team_ids": "Choose them again."})


async def _noted(work: Work, principal: Principal, welcome_id: int, version: int, action: str, address: str) -> int:
    await prepare_soon(work, welcome_id, version)
    await record(
        work, action, agent_id=principal.agent_id, object_kind="welcome", object_id=welcome_id, address=address
    )
    return welcome_id


async def _found(tx: Tx, sql: str, welcome_id: int) -> Row:
    row = await tx.fetchrow(sql, welcome_id)
    if row is None:
        raise NotFound("There is no such greeting.")
    return row
