"""Each benchmark runs from end to end in its smallest size and yields figures. How large they are is nobody's business here."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from pathlib import Path

import orjson
import pytest

from bench.__main__ import BENCHES, write
from bench.machine import facts
from bench.result import Row, as_markdown
from bench.size import TINY, Size
from tests.conftest import redis_program

ROWS = {
    "accept": 2,
    "end_to_end": 4,
    "latency": 2,
    "fan_out": 3,
    "flat": 7,
    "busy": 2,
    "customers": 5,
    "campaigns": 9,
    "archive": 1,
    "search": 7,
    "rules": 3,
    "evidence": 3,
}


@pytest.mark.parametrize("name", BENCHES)
async def test_a_bench_yields_figures(name: str) -> None:
    if name == "end_to_end":
        assert redis_program(), "There is no redis-server; `make test` installs one."
    run: Callable[[Size], Awaitable[list[Row]]] = BENCHES[name]
    rows = await run(TINY)
    assert len(rows) == ROWS[name]
    for row in rows:
        assert row.ratio is not None
        assert math.isfinite(row.ratio)
        assert row.ratio > 0
        assert row.measured
        assert row.target
    assert any(row.details for row in rows)


def test_results_are_written_for_people_and_for_programs(tmp_path: Path) -> None:
    rows = [
        Row("accept", "webhooks/s", "900/s", "1,000/s", 0.9, "≥ 0.8 × floor", True, {"rounds": [1, 2]}),
        Row("memory", "memory", "90 MB", "", None, "≤ 300 MB", None),
    ]
    lines = as_markdown(rows).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert "0.90" in lines[2]
    path = tmp_path / "deep" / "bench.json"
    write(path, "tiny", facts(tmp_path), rows)
    report = orjson.loads(path.read_bytes())
    assert report["machine"]["cores"] >= 1
    assert report["machine"]["fsync_ms"] > 0
    assert report["rows"][0]["details"] == {"rounds": [1, 2]}
