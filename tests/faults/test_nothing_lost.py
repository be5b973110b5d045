"""Nothing lost, nothing twice: short versions of ``make chaos`` (``tests/chaos``), with real processes."""

from __future__ import annotations

import pytest

from tests.chaos.run import SCENARIOS, Size, run

SHORT = {
    "killed": Size(webhooks=1000, harm=5, per_second=100, people=60, reps=3),
    "postgres": Size(webhooks=1200, harm=3, per_second=150, people=60, reps=3),
    "redis": Size(webhooks=1200, harm=3, per_second=150, people=60, reps=3),
    "two-of-each": Size(webhooks=1200, harm=4, per_second=150, people=60, reps=3),
}


@pytest.mark.slow
@pytest.mark.xdist_group("chaos")
@pytest.mark.parametrize("name", SCENARIOS)
async def test_nothing_lost_nothing_twice(name: str) -> None:
    size = SHORT[name]
    report = await run(SCENARIOS[name], size, seed=7)
    assert report.verdict.problems == []
    counts = report.verdict.counts
    assert sum(report.harm.values()) >= size.harm
    assert counts["webhooks accepted, of every kind"] >= size.webhooks
    assert counts["of these acknowledged"] > 0
    assert counts["customer messages pulled from KF"] > 0
    assert counts["replies accepted"] > 0
