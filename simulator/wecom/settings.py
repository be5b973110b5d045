"""Numbers and choices of the simulated platform; the defaults are the documented ones, tests make them smaller."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

MINUTE = 60
HOUR = 3600
DAY = 86400
_ZONE = timedelta(hours=8)


def month_of(now: int) -> str:
    """The platform counts in calendar months by its own clock."""
    return (datetime.fromtimestamp(now, UTC) + _ZONE).strftime("%Y-%m")


@dataclass
class Settings:
    """``[?]`` marks what the public documents do not say."""

    token_life: int = 7200
    api_per_minute: int = 10_000
    """Calls of one API by one corp; beyond it 45009 until the minute is over (chapter 3.4)."""
    api_per_hour: int = 150_000
    sync_without_token_per_minute: int = 300
    """[?] ``kf/sync_msg`` without a token is "strictly" limited; the number is not published."""
    wrong_secrets_per_hour: int = 20
    """[?] "Several" wrong secrets block the address for an hour with 45009."""
    repeated_msgid: Literal["accept", "refuse"] = "accept"
    """[?] ``kf/send_msg`` with a ``msgid`` that the account has used: ``accept`` answers ok with that ``msgid`` and
    delivers nothing again; ``refuse`` answers 40058. The documents only say that it must be unique."""
    media_life: int = 3 * DAY
    message_life: int = 3 * DAY
    """How far back ``kf/sync_msg`` reads."""
    sync_token_life: int = 10 * MINUTE
    reply_window: int = 48 * HOUR
    replies_per_window: int = 5
    welcome_life: int = 20
    closing_life: int = 20
    pool_code_life: int = 48 * HOUR
    callback_deadline: float = 5.0
    callback_check_deadline: float = 1.0
    callback_attempts: int = 3
    callback_retry_delays: tuple[float, ...] = (0.2, 0.5)
    """[?] The pause between the three tries is not published; real seconds."""
    callback_concurrency: int = 32
    mass_per_month: int = 0
    """To one customer or group in a calendar month; 0: as many as the month has days."""
    mass_reminders: int = 3
    """[?] Of one mass message; beyond it 41094."""
    mass_handing_out: int = 2
    """[?] Seconds after its making in which a mass message answers 41063."""
    moments_per_minute: int = 10
    moments_per_month: int = 100_000
    moment_jobs_at_once: int = 50
    """[?] Beyond it 41078."""
    moment_job_seconds: int = 4
    """[?] How long the making of a moment takes."""
    moment_job_life: int = DAY
    moment_handing_out: int = 2
    """[?] Seconds after its making in which a moment answers 41079."""
    moments_seen_per_day: int = 3
    """[?] Of the company, by one customer on one day; who has seen so many is not shown another."""
    app_messages_per_member_and_day: int = 200
    greeting_life: int = 20
    """Seconds in which a new contact may be greeted (``send_welcome_msg``)."""
    customers_per_member: int = 20_000
    """[?] A limit exists and is raised on request; its number is not published."""
    corp_tags: int = 10_000
    tags_per_customer: int = 3_000
    """[?] A limit exists (40144); its number is not published."""
    phones_per_customer: int = 5
    """[?] As many as the client has lines for."""
    member_without_customers: Literal["empty", "refuse"] = "empty"
    """[?] ``batch/get_by_user`` with a member who has no customers: nothing of theirs in the answer, or 84061 for the whole call."""
    contact_ways: int = 500_000
    temporary_ways_per_day: int = 100_000
    transfer_wait: int = DAY
    transfers_per_90_days: int = 2
    resigned_life: int = 365 * DAY
    groups_moved_per_day: int = 300
    groups_untold_above: int = 1000
    """With more members than this in range, all groups are only told by owners (81017)."""
    group_lag: float = 0.0
    """Seconds for which ``groupchat/get`` still tells how a group was before its last change; on the platform about two."""
    intercept_rules: int = 100
    archive_keeps: int = 5 * DAY
    """Seconds for which the chat archive hands out records and media."""
    archive_largest_page: int = 1000
    """[T] With more records a page may be refused as too large (301058)."""
    archive_calls_per_minute: int = 600
    """[T]"""
