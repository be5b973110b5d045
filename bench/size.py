"""How long and how large: the real run, a quick one, and one so small that it belongs to the tests."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    name: str
    accept_rounds: int
    accept_requests: int
    """Of one round."""
    flow_seconds: float
    flow_warm_up: float
    latency_warm_up: float
    latency_seconds: float
    sockets: int
    """A multiple of 20."""
    crowds: int
    """Client processes that share the sockets."""
    fan_out_levels: tuple[int, ...]
    """Conversations with one message a second each."""
    fan_out_seconds: float
    conversations: tuple[int, int]
    """Of the small and the large database."""
    reads: int
    """Repetitions of one read in each database."""
    agents: int
    """Connected while the busy benchmark reads; ``busy_rate`` messages a second come in for ``busy_seconds``."""
    busy_rate: int
    busy_seconds: float
    archive_records: int
    searched: tuple[int, int]
    """Messages of the small and of the large archive; ``search_questions`` are asked in each."""
    search_questions: int
    evidence_messages: int
    evidence_files: int
    """Of one megabyte each, in one package."""


FULL = Size(
    "full",
    5,
    20_000,
    60.0,
    5.0,
    15.0,
    60.0,
    1000,
    2,
    (20, 40, 80, 160, 320),
    10.0,
    (10_000, 1_000_000),
    60,
    200,
    100,
    30.0,
    20_000,
    (1_000_000, 10_000_000),
    120,
    50_000,
    200,
)
QUICK = Size(
    "quick",
    3,
    6_000,
    5.0,
    2.0,
    2.0,
    5.0,
    1000,
    2,
    (40, 160, 320),
    4.0,
    (10_000, 100_000),
    20,
    200,
    100,
    8.0,
    5_000,
    (100_000, 400_000),
    60,
    10_000,
    50,
)
TINY = Size(
    "tiny", 1, 200, 0.5, 0.2, 0.2, 0.5, 20, 2, (5,), 0.5, (200, 1_000), 3, 10, 20, 0.5, 50, (3_000, 6_000), 12, 60, 2
)
