"""How somebody likes the page: kept with the agent, so that it is the same in every browser."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ValidationError

from scrm.http import SIGNED_IN, Request, Route
from scrm.views import Input, View

Theme = Literal["auto", "light", "dark"]
Density = Literal["comfortable", "compact"]
SendKey = Literal["enter", "ctrl-enter"]
TimeFormat = Literal["24", "12"]

SAVE = """
update agent set preferences = preferences || jsonb_build_object('look', coalesce(preferences -> 'look', '{}') || $2::jsonb)
where id = $1 returning preferences -> 'look'
"""


class LookView(View):
    theme: Theme
    density: Density
    send_key: SendKey
    time_format: TimeFormat


USUAL = LookView(theme="auto", density="comfortable", send_key="enter", time_format="24")


class LookInput(Input):
    """What is absent stays."""

    theme: Theme | None = None
    density: Density | None = None
    send_key: SendKey | None = None
    time_format: TimeFormat | None = None


def look_view(stored: Any) -> LookView | None:
    """None: nothing was chosen yet, or nothing that is still understood."""
    try:
        return LookView.model_validate({**USUAL.model_dump(), **stored}) if stored else None
    except (ValidationError, TypeError):
        return None


async def change(request: Request, body: LookInput) -> LookView:
    chosen = body.model_dump(exclude_none=True)
    stored = await request.services.db.fetchval(SAVE, request.principal.agent_id, chosen)
    return look_view(stored) or USUAL


def api_routes() -> list[Route]:
    return [Route("PATCH", "/api/me/look", change, SIGNED_IN, "How one likes the page")]
