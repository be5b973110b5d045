"""From a draft onto the schedule: at once, or by a second person where the company's rules ask for one.

Who submitted a campaign never approves it. What was approved is what runs: any change takes it back to a draft.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field

from campaigns.audience.dry_run import dry_run
from campaigns.life import content, dates, states
from campaigns.life.expiry import end_of_words
from campaigns.life.fitting import all_problems
from campaigns.life.may import may_decide
from campaigns.life.rows import found, posts_of
from campaigns.life.settings import RULES, CampaignRules
from campaigns.life.starting import GRACE
from campaigns.life.telling import approvers, tell_approvers, tell_decision
from campaigns.life.write import check_version, note
from campaigns.moments.forecast import size as seers
from campaigns.shapes import Audience, Schedule
from scrm.db import Row
from scrm.errors import Conflict, Forbidden, Unavailable, Unprocessable
from scrm.permissions import Principal
from scrm.services import Services, Work
from scrm.views import Input

Why = Literal["", "size", "role"]


class Decision(Input):
    """``version``: of the one that was looked at."""

    approve: bool
    note: Annotated[str, Field(max_length=500)] = ""
    version: Annotated[int, Field(ge=1)] | None = None


class Submission(Input):
    """``version``: of the one that was seen."""

    version: Annotated[int, Field(ge=1)] | None = None


async def submit(
    services: Services,
    work: Work,
    principal: Principal,
    campaign_id: int,
    said: Submission,
    *,
    recipients: int | None,
    address: str,
) -> None:
    """``recipients``: as :func:`size` found them before. Raises :class:`NotFound`, :class:`Unprocessable` for what could not be sent, :class:`Conflict` (``wrong_state``,
    ``changed_meanwhile``, ``nobody_approves``, ``content_expired``)."""
    row = await states.hold(work, campaign_id)
    if row["state"] != "draft" or row["kind"] == "invite":
        raise states.wrong_state(row["state"])
    check_version(row, said.version)
    schedule, audience = Schedule.model_validate(row["schedule"]), Audience.model_validate(row["audience"])
    await _check_words(services, work, row, audience)
    next_at = _first(schedule, work.now)
    await _check_expiry(work, row, next_at)
    why = reason_for(principal, recipients, await RULES.load(work.tx))
    asked = await approvers(work, but=principal.agent_id) if why else []
    if why and not asked:
        raise Conflict(
            "This campaign needs a second person, and nobody else may approve. Give a colleague that permission, or change the "
            "rule in the settings of campaigns.",
            code="nobody_approves",
        )
    row = await states.change(
        work, campaign_id, ["draft"], "waiting" if why else "scheduled", submitted_by=principal.agent_id,
        submitted_at=work.now, decided_by=None, decided_at=None, decision_note="", recipients=recipients, approval=why,
        next_at=None if why else next_at,
    )  # fmt: skip
    if why:
        await tell_approvers(work, row, asked, principal.agent_id)
    await note(work, principal, "campaign.submitted", campaign_id, address, recipients=recipients, approval=why)


async def decide(work: Work, principal: Principal, campaign_id: int, said: Decision, *, address: str) -> None:
    """Raises :class:`NotFound`, :class:`Forbidden` for who submitted it, :class:`Conflict` (``wrong_state``, ``changed_meanwhile``,
    ``time_passed``)."""
    row = await states.hold(work, campaign_id)
    if row["state"] != "waiting":
        raise states.wrong_state(row["state"])
    if not may_decide(principal, row):
        raise Forbidden("Somebody else has to approve what you submitted.", code="second_person")
    check_version(row, said.version)
    next_at = None
    if said.approve:
        schedule = Schedule.model_validate(row["schedule"])
        next_at = _first(schedule, work.now, late=timedelta(hours=schedule.late_hours))
        await _check_expiry(work, row, next_at)
    row = await states.change(
        work, campaign_id, ["waiting"], "scheduled" if said.approve else "draft", decided_by=principal.agent_id,
        decided_at=work.now, decision_note=said.note.strip(), next_at=next_at,
    )  # fmt: skip
    await tell_decision(work, row, principal.agent_id, approved=said.approve, note=said.note.strip())
    action = "campaign.approved" if said.approve else "campaign.refused"
    await note(work, principal, action, campaign_id, address)


async def withdraw(work: Work, principal: Principal, campaign_id: int, *, address: str) -> None:
    """Back to a draft: what waits, and what is scheduled and does not run. Raises :class:`NotFound`, :class:`Conflict`."""
    await states.hold(work, campaign_id)
    await states.change(work, campaign_id, ["waiting", "scheduled"], "draft", next_at=None, recipients=None)
    await note(work, principal, "campaign.withdrawn", campaign_id, address)


async def size(services: Services, campaign_id: int) -> int | None:
    """How many fit its audience, before anybody is left out, or could see a moment; None when that takes too long to find. Raises
    :class:`NotFound`, :class:`Unprocessable` for an audience that cannot be found."""
    if (await found(services.db, campaign_id))["kind"] == "moment":
        return await seers(services, campaign_id)
    try:
        return (await dry_run(services, campaign_id)).matched
    except Unavailable:
        return None


def reason_for(principal: Principal, recipients: int | None, rules: CampaignRules) -> Why:
    """Why a second person is needed; empty: none is. Too many to count are many."""
    if principal.role in rules.approve_roles:
        return "role"
    many = rules.approve_above is not None and (recipients is None or recipients > rules.approve_above)
    return "size" if many else ""


async def _check_words(services: Services, work: Work, row: Row, audience: Audience) -> None:
    posts = posts_of(row)
    if not content.said(posts):
        raise Unprocessable(
            "This campaign says nothing yet.", fields={"posts.post": "Write words or add an attachment."}
        )
    wrong = await all_problems(work.tx, row["kind"], posts, audience, services.connections)
    if wrong:
        fields = {
            f"posts.{one.place}" if one.place == content.POST else f"posts.variants.{one.place}": one.reason.en
            for one in reversed(wrong)
        }
        first = wrong[0]
        raise Unprocessable(f"{first.reason.en} Change that and submit it again.", fields=fields, code="unfit")


async def _check_expiry(work: Work, row: Row, next_at: datetime) -> None:
    end = await end_of_words(work, row)
    if end is not None and max(next_at, work.now) >= end:
        raise Conflict(
            "The saved post that it says has expired by then. Choose an earlier time, or other words.",
            code="content_expired",
        )


def _first(schedule: Schedule, now: datetime, *, late: timedelta = timedelta(0)) -> datetime:
    """When it is due first. ``late``: how far a single date may have passed. Raises :class:`Unprocessable`, :class:`Conflict`."""
    dates.check(schedule)
    if schedule.mode == "now":
        return now
    if schedule.mode == "at" and schedule.at is not None:
        if schedule.at < now - max(late, GRACE):
            words = "This time has passed. Choose another one."
            if late:
                raise Conflict(f"{words} Send it back for that.", code="time_passed")
            raise Unprocessable(words, fields={"schedule.at": words})
        return schedule.at
    first = dates.first_after(schedule, now)
    if first is None:
        words = "No date of this series lies ahead. Choose a later end."
        raise Unprocessable(words, fields={"schedule.until": words})
    return first
