"""Moments over HTTP: what only they have. They are written and led through their life as other campaigns are."""

from __future__ import annotations

from campaigns.moments import acts, views
from campaigns.moments.acts import MomentReminded
from campaigns.moments.export import export
from campaigns.moments.forecast import MomentForecast, forecast
from campaigns.moments.views import (
    MomentChannels,
    MomentPostQuery,
    MomentPosts,
    MomentReactionPage,
    MomentReactionQuery,
    MomentRun,
)
from scrm.http import Request, Route
from scrm.permissions import CAMPAIGNS_READ, CAMPAIGNS_WRITE


async def places(request: Request) -> MomentChannels:
    services = request.services
    return await views.channels(services.db, services.connections, services.clock.now())


async def foresee(request: Request, campaign_id: int) -> MomentForecast:
    return await forecast(request.services, campaign_id)


async def progress(request: Request, run_id: int) -> MomentRun:
    return await views.progress(request.services.db, run_id, request.services.clock.now())


async def posts(request: Request, run_id: int, query: MomentPostQuery) -> MomentPosts:
    return await views.posts(request.services.db, run_id, query)


async def reactions(request: Request, run_id: int, query: MomentReactionQuery) -> MomentReactionPage:
    return await views.reactions(request.services.db, request.principal, run_id, query)


async def remind(request: Request, run_id: int) -> MomentReminded:
    async with request.services.work() as work:
        return await acts.remind(work, request.principal, run_id, address=request.address)


async def withdraw(request: Request, run_id: int) -> MomentRun:
    async with request.services.work() as work:
        await acts.withdraw(work, request.principal, run_id, address=request.address)
        return await views.progress(work.tx, run_id, work.now)


async def again(request: Request, task_id: int) -> MomentRun:
    async with request.services.work() as work:
        run_id = await acts.again(work, request.principal, task_id, address=request.address)
        return await views.progress(work.tx, run_id, work.now)


def api_routes() -> list[Route]:
    of_run, see, may = "/api/moment-runs/{run_id}", CAMPAIGNS_READ, CAMPAIGNS_WRITE
    return [
        Route("GET", "/api/moments/channels", places, see, "Where moments can be posted, by whom, with which tags"),
        Route("POST", "/api/campaigns/{campaign_id}/moment-forecast", foresee, see, "Who would post it, who could see it"),
        Route("GET", of_run, progress, see, "How far one run of a moment is"),
        Route("GET", f"{of_run}/posts", posts, see, "What became of it with each member"),
        Route("GET", f"{of_run}/reactions", reactions, see, "Who liked and who commented"),
        Route("POST", f"{of_run}/remind", remind, may, "Remind members who did not publish it yet", errors=(409,)),
        Route("POST", f"{of_run}/withdraw", withdraw, may, "Take it back from those who did not", errors=(409,)),
        Route("POST", "/api/moment-tasks/{task_id}/again", again, may, "Ask the platform once more", errors=(409,)),
        Route("GET", f"{of_run}/export", export, see, "A sheet of all members", binary="text/csv", reason="export"),
    ]  # fmt: skip
