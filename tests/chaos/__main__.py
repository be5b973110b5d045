"""``python -m tests.chaos``: the long fault test. Prints the table, writes it into ``artifacts/``, and fails when anything was lost."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from pathlib import Path

from tests.chaos.report import as_markdown, write
from tests.chaos.run import SCENARIOS, Report, Size, run


def main() -> int:
    arguments = _arguments()
    logging.getLogger().setLevel(logging.ERROR)
    reports: list[Report] = []
    for name in arguments.only or SCENARIOS:
        size = Size(
            webhooks=arguments.webhooks, harm=arguments.harm or SCENARIOS[name].harm, per_second=arguments.per_second
        )
        print(f"== {SCENARIOS[name].title} (seed {arguments.seed})", file=sys.stderr, flush=True)
        reports.append(asyncio.run(run(SCENARIOS[name], size, arguments.seed)))
        write(reports, arguments.folder)
    print(as_markdown(reports))
    return 1 if any(report.verdict.problems for report in reports) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--only", action="append", choices=list(SCENARIOS), help="this scenario; may be repeated")
    parser.add_argument("--webhooks", type=int, default=20_000, help="to be accepted, at least")
    parser.add_argument("--per-second", type=float, default=150.0, help="webhooks sent per second")
    parser.add_argument("--harm", type=int, help="kills, restarts or stops, at least as many (30, 12, 12, 30)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path("artifacts"))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
