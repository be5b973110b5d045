"""Numbers and choices of the simulated platform; the defaults are the documented ones, tests change them.

``[?]`` marks what the public documents do not say. Durations are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MINUTE = 60
HOUR = 3600
DAY = 86400


@dataclass
class Settings:
    access_life: int = 15 * DAY
    refresh_life: int = 30 * DAY
    most_renewals: int = 5
    code_life: int = 5 * MINUTE
    """[?] How long an authorisation code lives."""
    client_token_life: int = 2 * HOUR
    client_token_grace: int = 5 * MINUTE
    client_tokens_per_grace: int = 500
    reply_window: int = DAY
    replies: int = 6
    enter_window: int = 30
    enter_replies: int = 3
    enters_per_day: int = 3
    """Entering events of one customer that may be answered on one day."""
    proactive_messages: int = 3
    proactive_people_per_day: int = 5000
    recall_window: int = 150
    """[?] The app itself allows two to three minutes."""
    media_url_life: int = HOUR
    """[?] How long the address of a received file works."""
    calls_per_second: int = 200
    """[?] Of one API by one app; beyond it 28003018. The real quotas are shown in the console only."""
    calls_per_day: int = 1_000_000
    """[?] Beyond it 28003017."""
    content_form: Literal["object", "string", "alternate"] = "object"
    """How ``content`` of message events is written; real ones have been seen both ways."""
    numbers_as_strings: bool = False
    """Some answers carry ``"error_code": "0"``."""
    auto_authorise: str = ""
    """An open id: the authorisation page redirects at once, as if that account had scanned."""
    webhook_deadline: float = 5.0
    webhook_attempts: int = 3
    webhook_retry_delays: tuple[float, ...] = (0.2, 0.5)
    """[?] The pause between the three attempts is not published; real seconds."""
    webhook_concurrency: int = 16
