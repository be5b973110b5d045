"""The background work of keeping in step, for ``scrm.app``: loops of this process, jobs of the clock."""

from __future__ import annotations

from collections.abc import Mapping

from customers.sync.looks import Looks
from customers.sync.runs import START_RUNS, start_runs
from customers.sync.sweep import Sweep
from customers.sync.take import Renamed
from customers.sync.writing import Writer
from scrm.jobs import JobHandler
from scrm.loops import Loop
from scrm.services import Services

JOBS: Mapping[str, JobHandler] = {START_RUNS: start_runs}
TICKS: Mapping[str, int] = {START_RUNS: 60}
TOPICS = ("relation",)


def loops(services: Services, renamed: Renamed) -> list[Loop]:
    bus = services.bus
    return [
        Loop("relations-look", Looks(services, renamed).round, bus=bus, topics=TOPICS, look=1.0),
        Loop("relations-compare", Sweep(services, renamed).round, bus=bus, topics=TOPICS, look=2.0),
        Loop("relations-write", Writer(services).round, bus=bus, topics=TOPICS, look=1.0),
    ]
