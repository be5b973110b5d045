"""Numbers and choices of the simulated platform; the defaults are the documented ones, tests change them.

``[?]`` marks what the public documents do not say. Durations are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MINUTE = 60
HOUR = 3600
DAY = 86400
Trigger = Literal["message", "menu", "follow", "scan"]


@dataclass
class Settings:
    token_life: int = 2 * HOUR
    token_overlap: int = 5 * MINUTE
    """How long a token still works after another one has replaced it."""
    forced_per_day: int = 20
    classic_per_day: int = 2000
    reply_window: int = 48 * HOUR
    replies: int = 5
    enter_window: int = MINUTE
    enter_replies: int = 3
    text_bytes: int = 2048
    """[?] Of a customer-service message and of a mass message."""
    media_life: int = 3 * DAY
    followers_per_page: int = 10_000
    mass_per_month: int = 4
    """To one follower of a service account."""
    mass_per_day: int = 1
    """Of a subscription account."""
    mass_calls_per_minute: int = 60
    mass_calls_per_day: int = 100
    previews_per_day: int = 100
    mass_repeat_rest: int = MINUTE
    """A repetition of one ``clientmsgid`` within this time is answered with 45066, later with 45065."""
    hold_mass: bool = False
    """Mass messages stay under way until ``finish_mass``."""
    calls_per_day: int = 1_000_000
    """[?] Of one interface by one account; beyond it 45009."""
    tells_nicknames: bool = False
    """The form of profiles before 2021-12-27, with nickname and picture."""
    push_deadline: float = 5.0
    push_attempts: int = 3
    push_retry_delays: tuple[float, ...] = (0.2, 0.5)
    """[?] Real seconds."""
    push_concurrency: int = 16

    def window(self, trigger: Trigger) -> tuple[int, int]:
        """Life and number of answers that an act of a customer allows."""
        return (
            (self.reply_window, self.replies)
            if trigger == "message"
            else (
                self.enter_window,
                self.enter_replies,
            )
        )
