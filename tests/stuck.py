"""A test that hangs says where: shortly before its time is up, what each of its tasks waits for is written to the log."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
from collections.abc import Iterator

import pytest

EARLIER_SECONDS = 10.0
LOG = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    # What is written to fd 2 during a test is captured; now it is not yet.
    config.stash[LOG] = os.dup(2)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    own = item.get_closest_marker("timeout")
    limit = float(own.args[0] if own is not None else item.config.getini("timeout") or 0)
    watch = threading.Timer(max(limit - EARLIER_SECONDS, 1.0), _tell, [item.nodeid, item.config.stash[LOG]])
    watch.daemon = True
    if limit:
        watch.start()
    try:
        return (yield)
    finally:
        watch.cancel()


def _tell(test: str, log: int) -> None:
    with os.fdopen(log, "w", closefd=False) as out:
        print(f"\n== {test} hangs; its tasks wait here:", file=out)
        for task in [one for one in gc.get_objects() if isinstance(one, asyncio.Task) and not one.done()]:
            task.print_stack(file=out)
        print("== end of the tasks", file=out)
