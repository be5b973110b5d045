"""Reasons for looking at what is not one's own, and the mark on the screen."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from scrm.http import SIGNED_IN, Request, Route
from scrm.permissions import AUDIT_RETENTION
from scrm.privacy import PRIVACY, Act, Place, Privacy, Reason, give
from scrm.trail import record
from scrm.views import MAX_ID, Input, View

ObjectId = Annotated[int, Field(ge=0, le=MAX_ID)]


class PrivacyView(View):
    """``reasons``: for what one is asked why; ``minutes``: how long an answer holds; ``watermark``: where the screen is marked."""

    reasons: list[Act]
    minutes: int
    watermark: list[Place]


class ReasonQuery(Input):
    act: Act
    object_id: ObjectId = 0


class ReasonInput(Input):
    act: Act
    object_id: ObjectId = 0
    reason: Reason


class ReasonState(View):
    """Whether a reason is missing; ``until``: one was given that holds until then."""

    needed: bool
    until: datetime | None = None


def _view(policy: Privacy) -> PrivacyView:
    return PrivacyView(reasons=list(policy.reasons), minutes=policy.minutes, watermark=list(policy.watermark))


async def show(request: Request) -> PrivacyView:
    return _view(await request.reasons.policy())


async def change(request: Request, body: Privacy) -> PrivacyView:
    async with request.services.work() as work:
        await PRIVACY.save(work, body, by=request.principal.agent_id)
        await record(
            work, "setting.privacy_set", agent_id=request.principal.agent_id, address=request.address,
            detail=body.model_dump(mode="json"),
        )  # fmt: skip
    return _view(body)


async def ask(request: Request, query: ReasonQuery) -> ReasonState:
    return ReasonState(needed=await request.reasons.missing(request.principal, query.act, query.object_id))


async def say(request: Request, body: ReasonInput) -> ReasonState:
    policy = await request.reasons.policy()
    async with request.services.work() as work:
        until = await give(work, request.principal, body.act, body.object_id, body.reason, policy, request.address)
    return ReasonState(needed=False, until=until)


def api_routes() -> list[Route]:
    return [
        Route("GET", "/api/settings/privacy", show, SIGNED_IN, "For what a reason is asked, and where the screen is marked"),
        Route("POST", "/api/settings/privacy", change, AUDIT_RETENTION, "Change it"),
        Route("GET", "/api/reasons", ask, SIGNED_IN, "Whether a reason is missing for this"),
        Route("POST", "/api/reasons", say, SIGNED_IN, "Say why; holds for some time, and is written to the trail"),
    ]  # fmt: skip
