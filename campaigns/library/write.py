"""Saving posts, and taking them into campaigns.

A change of the words is a new version; versions are never changed. A second person approves a version, and campaigns get the
newest approved one. A campaign that says a saved post as it was taken is bound by its last day: it cannot be submitted for later,
and dates after it are missed. Words that somebody changed in the campaign are the campaign's own.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import Field

from campaigns.life import content, states
from campaigns.life.content import PostsInput
from campaigns.life.write import open_for_change
from campaigns.shapes import Posts
from scrm.db import Row
from scrm.errors import Conflict, Forbidden, NotFound, Unprocessable
from scrm.permissions import CAMPAIGNS_WRITE, Principal
from scrm.services import Services, Work
from scrm.trail import record
from scrm.undo import Kind, Step, Undone, remember
from scrm.views import Id, Input, Line

DELETED = "campaign_content.delete"

INSERT = """
insert into campaign_content (name, expires_on, created_by, created_at, updated_at) values ($1, $2, $3, $4, $4) returning id
"""
VERSION = """
insert into campaign_content_version (content_id, version, content, by_id, at) values ($1, $2, $3, $4, $5)
"""
LOCK = "select * from campaign_content where id = $1 and deleted_at is null for no key update"
OF_VERSION = "select * from campaign_content_version where content_id = $1 and version = $2"
CHANGE = """
update campaign_content set name = $2, expires_on = $3, latest = $4, updated_at = $5 where id = $1
"""
APPROVE = """
update campaign_content_version set approved_by = $3, approved_at = $4
where content_id = $1 and version = $2 and approved_at is null
"""
USE = """
update campaign set content = $2, saved_id = $3, saved_version = $4, version = version + 1, updated_at = $5 where id = $1
"""
Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2200, 1, 1))]


class NewSaved(Input):
    """``campaign_id``: with the words of this campaign, instead of ``posts``."""

    name: Line
    posts: PostsInput | None = None
    campaign_id: Id | None = None
    expires_on: Day | None = None


class SavedChange(Input):
    """What is given is changed; ``posts`` make a new version. ``latest``: the version that was seen. ``forever``: no last day any more."""

    latest: Annotated[int, Field(ge=1)]
    name: Line | None = None
    posts: PostsInput | None = None
    expires_on: Day | None = None
    forever: bool = False


class Approval(Input):
    """``version``: the one that was looked at."""

    version: Annotated[int, Field(ge=1)]


class Taking(Input):
    """``version``: of the campaign that was seen."""

    content_id: Id
    version: Annotated[int, Field(ge=1)] | None = None


async def save(services: Services, work: Work, principal: Principal, new: NewSaved, *, address: str) -> int:
    """Raises :class:`Unprocessable`, :class:`NotFound`."""
    if (new.posts is None) == (new.campaign_id is None):
        raise Unprocessable("Give the words, or the campaign that says them.", fields={"posts": "One of the two."})
    if new.posts is not None:
        posts = await content.take_in(work, principal, new.posts, None, services.connections.channels())
    else:
        kept = await work.tx.fetchval(
            "select content from campaign where id = $1 and kind = 'message' and deleted_at is null", new.campaign_id
        )
        if kept is None:
            raise NotFound("There is no such campaign.")
        posts = Posts.model_validate(kept)
    _check(posts)
    made: int = await work.tx.fetchval(INSERT, new.name, new.expires_on, principal.agent_id, work.now)
    await work.tx.execute(VERSION, made, 1, posts.model_dump(mode="json"), principal.agent_id, work.now)
    await _note(work, principal, "campaign_content.added", made, address)
    return made


async def change(
    services: Services, work: Work, principal: Principal, content_id: int, said: SavedChange, *, address: str
) -> None:
    """Raises :class:`NotFound`, :class:`Unprocessable`, :class:`Conflict` (``changed_meanwhile``)."""
    row = await _held(work, content_id)
    if row["latest"] != said.latest:
        raise Conflict("Somebody changed this post meanwhile; look at it again.", code="changed_meanwhile")
    latest = row["latest"]
    if said.posts is not None:
        before = Posts.model_validate((await _version(work, content_id, latest))["content"])
        posts = await content.take_in(work, principal, said.posts, before, services.connections.channels())
        _check(posts)
        latest += 1
        await work.tx.execute(
            VERSION, content_id, latest, posts.model_dump(mode="json"), principal.agent_id, work.now
        )  # fmt: skip
    expires_on = None if said.forever else said.expires_on or row["expires_on"]
    await work.tx.execute(CHANGE, content_id, said.name or row["name"], expires_on, latest, work.now)
    await _note(work, principal, "campaign_content.changed", content_id, address, version=latest)


async def approve(work: Work, principal: Principal, content_id: int, said: Approval, *, address: str) -> None:
    """Raises :class:`NotFound`, :class:`Forbidden` for who wrote it, :class:`Conflict` when there is a newer one."""
    row = await _held(work, content_id)
    if row["latest"] != said.version:
        raise Conflict("There is a newer version; look at that one.", code="changed_meanwhile")
    if (await _version(work, content_id, said.version))["by_id"] == principal.agent_id:
        raise Forbidden("Somebody else has to approve what you wrote.", code="second_person")
    await work.tx.execute(APPROVE, content_id, said.version, principal.agent_id, work.now)
    await work.tx.execute(
        "update campaign_content set approved = latest, updated_at = $2 where id = $1", content_id, work.now
    )  # fmt: skip
    await _note(work, principal, "campaign_content.approved", content_id, address, version=said.version)


async def delete(work: Work, principal: Principal, content_id: int, *, address: str) -> Step:
    """Campaigns that say it keep their words and its last day. Raises :class:`NotFound`."""
    await _held(work, content_id)
    await work.tx.execute("update campaign_content set deleted_at = $2 where id = $1", content_id, work.now)
    await _note(work, principal, "campaign_content.deleted", content_id, address)
    return await remember(work, principal, DELETED, {"id": content_id})


async def take(work: Work, principal: Principal, campaign_id: int, said: Taking, *, address: str) -> None:
    """The newest approved version becomes the campaign's words. Raises :class:`NotFound`, :class:`Conflict` (``wrong_state``,
    ``changed_meanwhile``, ``not_approved``)."""
    row = await states.hold(work, campaign_id)
    if said.version is not None and row["version"] != said.version:
        raise Conflict("Somebody changed this campaign meanwhile; look at it again.", code="changed_meanwhile")
    saved = await _held(work, said.content_id)
    if saved["approved"] is None:
        raise Conflict("Nobody has approved this post yet.", code="not_approved")
    await open_for_change(work, row)
    kept = (await _version(work, said.content_id, saved["approved"]))["content"]
    await work.tx.execute(USE, campaign_id, kept, said.content_id, saved["approved"], work.now)
    work.ring("campaign", campaign_id)
    await _note(work, principal, "campaign_content.used", said.content_id, address, campaign_id=campaign_id)


async def version_of(work: Work, content_id: int, version: int) -> Posts:
    """Raises :class:`NotFound`."""
    await _held(work, content_id)
    return Posts.model_validate((await _version(work, content_id, version))["content"])


def _check(posts: Posts) -> None:
    if not content.said(posts):
        raise Unprocessable("A saved post says something.", fields={"posts.post": "Write words or add an attachment."})


async def _held(work: Work, content_id: int) -> Row:
    row = await work.tx.fetchrow(LOCK, content_id)
    if row is None:
        raise NotFound("There is no such saved post.")
    return row


async def _version(work: Work, content_id: int, version: int) -> Row:
    row = await work.tx.fetchrow(OF_VERSION, content_id, version)
    if row is None:
        raise NotFound("There is no such version.")
    return row


async def _note(work: Work, principal: Principal, action: str, content_id: int, address: str, **detail: Any) -> None:
    await record(
        work, action, agent_id=principal.agent_id, object_kind="campaign_content", object_id=content_id, address=address,
        detail=detail,
    )  # fmt: skip


async def _restore(work: Work, principal: Principal, data: dict[str, Any]) -> Undone:
    done = await work.tx.execute(
        "update campaign_content set deleted_at = null where id = $1 and deleted_at is not null", data["id"]
    )
    if done == "UPDATE 0":
        raise Conflict("It is there already.", code="changed_meanwhile")
    return Undone()


def undo_kinds() -> dict[str, Kind]:
    return {DELETED: Kind(CAMPAIGNS_WRITE, _restore)}
