"""All that the inbox tells browsers by itself."""

from __future__ import annotations

from aiohttp import web

from customers.tasks.push import TaskPusher
from inbox.attendance_push import AttendancePusher
from inbox.bell import Bell
from inbox.draft_push import DraftPusher
from inbox.presence import Presence
from inbox.push import Pusher
from scrm.live import Hub
from scrm.services import Services


def add_pushes(app: web.Application, services: Services, hub: Hub) -> None:
    for part in (
        Pusher(services, hub),
        Presence(services, hub),
        Bell(services, hub),
        AttendancePusher(services, hub),
        DraftPusher(services, hub),
        TaskPusher(services, hub),
    ):
        app.cleanup_ctx.append(part.running)
