"""Writing campaigns: new, changed, copied, deleted and brought back.

What is sent, to whom or when can be changed in a draft. A change of one that waits or is scheduled takes it back to a draft, and so
does a change of a series that is paused between its runs: it is submitted, and where that is needed approved, anew. What
runs or ran is history: copy it. The name may always be changed.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from campaigns.audience.whose import COMPANY
from campaigns.life import content, dates, states
from campaigns.life.content import PostsInput
from campaigns.life.rows import OPEN_RUN, found, posts_of
from campaigns.shapes import Audience, CampaignState, Options, Schedule
from customers import filtering
from customers.filtering import EVERYBODY, Group
from inbox.reply import Token
from scrm.db import Row
from scrm.errors import Conflict, NotFound, Unprocessable
from scrm.permissions import CAMPAIGNS_WRITE, Principal
from scrm.services import Services, Work
from scrm.trail import record
from scrm.undo import Kind, Step, Undone, remember
from scrm.views import Input, Line

DELETED = "campaign.delete"
COPY = {"zh-CN": "（副本）", "en": " (copy)"}
LONGEST_NAME = 100

INSERT = """
insert into campaign (kind, name, content, audience, schedule, options, created_by, client_token, created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9) on conflict (created_by, client_token) do nothing returning id
"""
KNOWN = "select id from campaign where created_by = $1 and client_token = $2"
SAME_WORDS = """
update campaign c set saved_id = o.saved_id, saved_version = o.saved_version from campaign o where c.id = $1 and o.id = $2
"""
CHANGE = """
update campaign set name = $2, content = $3, audience = $4, schedule = $5, options = $6, version = version + 1, updated_at = $7,
  saved_id = case when $8 then saved_id end, saved_version = case when $8 then saved_version end
where id = $1
"""


class NewCampaign(Input):
    """``client_token``: the same token is the same campaign."""

    client_token: Token
    kind: Literal["message", "moment"] = "message"
    name: Line
    posts: PostsInput = PostsInput()
    audience: Audience = Audience()
    schedule: Schedule = Schedule()
    options: Options = Options()


class CampaignChange(Input):
    """What is given is changed. ``version``: of the one that was seen."""

    version: Annotated[int, Field(ge=1)]
    name: Line | None = None
    posts: PostsInput | None = None
    audience: Audience | None = None
    schedule: Schedule | None = None
    options: Options | None = None


async def create(services: Services, work: Work, principal: Principal, new: NewCampaign, *, address: str) -> int:
    """Raises :class:`Unprocessable` for what makes no sense."""
    known = await work.tx.fetchval(KNOWN, principal.agent_id, new.client_token)
    if known is not None:
        return int(known)
    await _check(work, new.audience, new.schedule)
    posts = await content.take_in(work, principal, new.posts, None, services.connections.channels())
    values = [_json(one) for one in (posts, new.audience, new.schedule, new.options)]
    made = await work.tx.fetchval(
        INSERT, new.kind, new.name, *values, principal.agent_id, new.client_token, work.now
    )  # fmt: skip
    if made is None:
        return int(await work.tx.fetchval(KNOWN, principal.agent_id, new.client_token))
    await note(work, principal, "campaign.added", made, address)
    return int(made)


async def change(
    services: Services, work: Work, principal: Principal, campaign_id: int, said: CampaignChange, *, address: str
) -> None:
    """Raises :class:`NotFound`, :class:`Unprocessable`, :class:`Conflict` (``changed_meanwhile``, ``wrong_state``)."""
    row = await states.hold(work, campaign_id)
    check_version(row, said.version)
    audience, schedule = said.audience or Audience.model_validate(row["audience"]), said.schedule
    if any(part is not None for part in (said.posts, said.audience, said.schedule, said.options)):
        await open_for_change(work, row)
        await _check(work, audience if said.audience else None, schedule)
    kept = row["content"]
    if said.posts is not None:
        kept = _json(
            await content.take_in(work, principal, said.posts, posts_of(row), services.connections.channels())
        )  # fmt: skip
    await work.tx.execute(
        CHANGE,
        campaign_id,
        said.name or row["name"],
        kept,
        _json(audience),
        _json(schedule) if schedule else row["schedule"],
        _json(said.options) if said.options else row["options"],
        work.now,
        said.posts is None,
    )
    work.ring("campaign", campaign_id)
    changed = sorted(name for name in said.model_fields_set - {"version"} if getattr(said, name) is not None)
    await note(work, principal, "campaign.changed", campaign_id, address, changed=changed)


async def copy(work: Work, principal: Principal, campaign_id: int, *, address: str) -> int:
    """A draft with the same words, audience and times. Raises :class:`NotFound`."""
    row = await found(work.tx, campaign_id)
    if row["kind"] == "invite":
        raise NotFound("There is no such campaign.")
    mark = COPY[principal.language]
    name = row["name"][: LONGEST_NAME - len(mark)] + mark
    parts = [row[part] for part in ("content", "audience", "schedule", "options")]
    made: int = await work.tx.fetchval(INSERT, row["kind"], name, *parts, principal.agent_id, None, work.now)
    await work.tx.execute(SAME_WORDS, made, campaign_id)
    await note(work, principal, "campaign.copied", made, address, of=campaign_id)
    return made


async def delete(work: Work, principal: Principal, campaign_id: int, *, address: str) -> Step:
    """Raises :class:`NotFound`, :class:`Conflict` (``wrong_state``) for one that is on its way."""
    row = await states.hold(work, campaign_id)
    if row["state"] not in states.RESTING:
        raise Conflict("Cancel it first: it is on its way.", code="wrong_state")
    await work.tx.execute(
        "update campaign set deleted_at = $2, updated_at = $2 where id = $1", campaign_id, work.now
    )  # fmt: skip
    work.ring("campaign", campaign_id)
    await note(work, principal, "campaign.deleted", campaign_id, address)
    return await remember(work, principal, DELETED, {"id": campaign_id})


def check_version(row: Row, version: int | None) -> None:
    if version is not None and row["version"] != version:
        raise Conflict("Somebody changed this campaign meanwhile; look at it again.", code="changed_meanwhile")


async def note(
    work: Work, principal: Principal | None, action: str, campaign_id: int, address: str, **detail: Any
) -> None:
    await record(
        work, action, agent_id=principal.agent_id if principal else None, object_kind="campaign", object_id=campaign_id,
        address=address, detail=detail,
    )  # fmt: skip


async def open_for_change(work: Work, row: Row) -> None:
    """A draft, or one that becomes a draft by this. Raises :class:`Conflict` (``wrong_state``)."""
    state: CampaignState = row["state"]
    if state == "draft":
        return
    resting = state == "paused" and not await work.tx.fetchval(OPEN_RUN, row["id"])
    if state not in ("waiting", "scheduled") and not resting:
        raise Conflict(f"{states.WORDS[state]} Copy it to change what it says.", code="wrong_state")
    await states.change(work, row["id"], [state], "draft", next_at=None, paused_at=None, recipients=None)


async def _check(work: Work, audience: Audience | None, schedule: Schedule | None) -> None:
    if audience is not None:
        asking = await filtering.asking(work.tx, COMPANY, work.now)
        for tree in (audience.filter, audience.exclude.filter or EVERYBODY):
            filtering.compile(tree, asking)
            if _personal(tree):
                raise Unprocessable(
                    "A campaign means the same whoever looks at it.",
                    fields={"audience": "Name people instead of “me”."},
                )
        named = [one for one in (audience.list_id, audience.exclude.list_id) if one is not None]
        known = await work.tx.fetchval("select count(*) from campaign_list where id = any($1::bigint[])", named)
        if known < len(set(named)):
            raise Unprocessable("There is no such list.", fields={"audience.list_id": "Choose a list."})
    if schedule is not None:
        dates.check(schedule)


def _personal(tree: Group) -> bool:
    return any(
        _personal(part) if isinstance(part, Group) else isinstance(part.value, list) and "me" in part.value
        for part in tree.parts
    )


def _json(part: Any) -> dict[str, Any]:
    kept: dict[str, Any] = part.model_dump(mode="json")
    return kept


async def _restore(work: Work, principal: Principal, data: dict[str, Any]) -> Undone:
    done = await work.tx.execute(
        "update campaign set deleted_at = null, updated_at = $2 where id = $1 and deleted_at is not null",
        data["id"],
        work.now,
    )
    if done == "UPDATE 0":
        raise Conflict("It is there already.", code="changed_meanwhile")
    work.ring("campaign", data["id"])
    return Undone()


def undo_kinds() -> dict[str, Kind]:
    return {DELETED: Kind(CAMPAIGNS_WRITE, _restore)}
