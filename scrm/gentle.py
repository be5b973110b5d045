"""Work that nobody waits for, beside people and platforms who do."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import platform
import struct
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

NICENESS = 10
SLICE = 100_000_000
"""Nanoseconds. Who asks the kernel for long turns gives way at once to those who ask for short ones, which is everybody else."""
TURN = 0.0004
"""Seconds of computing before others are served."""
PAUSE = 0.002

A = TypeVar("A")
B = TypeVar("B")

_SET_ATTRIBUTES = {"x86_64": 314, "aarch64": 274}
"""The number of ``sched_setattr``, for which Python has no name, by machine."""
_ATTRIBUTES = struct.Struct("=IIQiIQQQ")
"""size, policy, flags, nice, priority, runtime, deadline, period: man 2 sched_setattr."""


def go_after_others(pid: int = 0) -> None:
    """Asks the machine to serve a process (0: this one) after others, and never to put it in the place of the one that woke it: else
    who sent it something to do would stand still until the next tick. Raises :class:`OSError` where that is not allowed."""
    niceness = max(os.getpriority(os.PRIO_PROCESS, pid), NICENESS)
    os.setpriority(os.PRIO_PROCESS, pid, niceness)
    os.sched_setscheduler(pid, os.SCHED_BATCH, os.sched_param(0))
    _ask_for_long_turns(pid, niceness)
    _let_its_session_go_after_others(pid)


def _let_its_session_go_after_others(pid: int) -> None:
    """Where Linux serves sessions alike, whatever is in them (man 7 sched, autogroup), niceness counts inside of one only. PostgreSQL gives each
    of its processes a session of its own."""
    if os.getsid(pid) != (pid or os.getpid()):
        return
    # Not there on other kernels; and somebody who is not root may not ask often.
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid or 'self'}/autogroup").write_text(str(NICENESS))


def _ask_for_long_turns(pid: int, niceness: int) -> None:
    """Linux 6.12 and later take it as a hint; the others know nothing of it, which is no failure."""
    number = _SET_ATTRIBUTES.get(platform.machine())
    if number is None:
        return
    attributes = _ATTRIBUTES.pack(_ATTRIBUTES.size, os.SCHED_BATCH, 0, niceness, 0, SLICE, 0, 0)
    ctypes.CDLL(None).syscall(number, pid, ctypes.create_string_buffer(attributes, len(attributes)), 0)


async def for_each(things: Iterable[A], do: Callable[[A], B]) -> list[B]:
    """``do`` of each, in their order, in small pieces with pauses. Not in a thread: one that computes holds the interpreter, and each step
    of the event loop would have to wait for it."""
    done: list[B] = []
    until = time.perf_counter() + TURN
    for thing in things:
        done.append(do(thing))
        if time.perf_counter() > until:
            await asyncio.sleep(PAUSE)
            until = time.perf_counter() + TURN
    return done
