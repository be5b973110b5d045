"""The notification centre over HTTP, and how each agent wants to be told of what."""

from __future__ import annotations

from inbox.notifications import NoticesRead, NotificationPage, NotificationQuery, mark_read, notification_page
from inbox.preferences import SAVE, PreferencesInput, PreferencesView, load_preferences
from inbox.queries import one_moment
from scrm.http import SIGNED_IN, Request, Route


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
