"""The notification centre over HTTP, and how each agent wants to be told of what."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from inbox.notifications import NoticesRead, NotificationPage, NotificationQuery, mark_read, notification_page
from inbox.queries import one_moment
from scrm.db import Database, Tx
from scrm.http import SIGNED_IN, Request, Route
from scrm.views import Input, View

LOAD = "select preferences -> 'notices' from agent where id = $1"
SAVE = "update agent set preferences = preferences || jsonb_build_object('notices', $2::jsonb) where id = $1"

KindName = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")]


class Ways(BaseModel):
    """How one kind of notice makes itself known, besides standing in the list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    popup: bool = True
    browser: bool = True
    sound: bool = True


class PreferencesView(View):
    """``kinds``: what differs from all ways, by kind of notice (and ``message``: a customer of mine wrote)."""

    kinds: dict[str, Ways] = Field(default_factory=dict)
    quiet_until: AwareDatetime | None = Field(default=None, description="Until then nothing pops up or sounds.")
    volume: Annotated[int, Field(ge=0, le=100)] = 60


class PreferencesInput(Input):
    """What is given is changed; of ``kinds``, those that are named."""

    kinds: Annotated[dict[KindName, Ways], Field(max_length=40)] | None = None
    quiet_until: AwareDatetime | None = None
    volume: Annotated[int, Field(ge=0, le=100)] | None = None


async def load_preferences(tx: Tx | Database, agent_id: int) -> PreferencesView:
    """What is stored and no longer fits counts as not stored."""
    try:
        return PreferencesView.model_validate(await tx.fetchval(LOAD, agent_id) or {})
    except ValidationError:
        return PreferencesView()


async def preferences(request: Request) -> PreferencesView:
    return await load_preferences(request.services.db, request.principal.agent_id)


async def change_preferences(request: Request, body: PreferencesInput) -> PreferencesView:
    me = request.principal.agent_id
    async with request.services.work() as work:
        await work.tx.execute("select from agent where id = $1 for update", me)
        held = await load_preferences(work.tx, me)
        changed = held.model_copy(
            update={
                **{name: getattr(body, name) for name in body.model_fields_set - {"kinds", "volume"}},
                "kinds": dict(list({**held.kinds, **(body.kinds or {})}.items())[-40:]),
                "volume": held.volume if body.volume is None else body.volume,
            }
        )
        await work.tx.execute(SAVE, me, changed.model_dump(mode="json"))
    return changed


async def notifications(request: Request, query: NotificationQuery) -> NotificationPage:
    async with one_moment(request.services.db) as tx:
        return await notification_page(tx, request.principal, query)


async def read(request: Request, body: NoticesRead) -> NotificationPage:
    async with request.services.work() as work:
        await mark_read(work, request.principal, body)
        return await notification_page(work.tx, request.principal, NotificationQuery(limit=20))


def api_routes() -> list[Route]:
    return [
        Route("GET", "/api/notifications", notifications, SIGNED_IN, "One's notices, newest first"),
        Route("POST", "/api/notifications/read", read, SIGNED_IN, "Mark notices as read"),
        Route("GET", "/api/me/preferences", preferences, SIGNED_IN, "How one wants to be told of what"),
        Route("PATCH", "/api/me/preferences", change_preferences, SIGNED_IN, "Change it"),
    ]
