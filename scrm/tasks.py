"""Ending background tasks for certain."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

ASK_AGAIN_SECONDS = 2.0


async def end(tasks: Iterable[asyncio.Task[Any] | None]) -> None:
    """Cancels the tasks and returns when all of them have ended.

    A cancellation can get lost: code that waits with a time limit may finish in the very moment in which it is cancelled and
    go on (``asyncio.wait_for`` does so before Python 3.12). Whoever then waits for the task waits for ever; so it is asked
    again until it has ended.
    """
    left = {task for task in tasks if task is not None}
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=ASK_AGAIN_SECONDS)
