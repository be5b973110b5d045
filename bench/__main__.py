"""``python -m bench [names] [--quick] [--json artifacts/bench.json]``: runs the benchmarks, prints the table, writes the figures."""

from __future__ import annotations

import argparse
import datetime
import sys
import tempfile
from pathlib import Path

import orjson
import uvloop

from bench.accept import accept
from bench.archive import archive
from bench.busy import busy
from bench.campaigns import campaigns
from bench.customers import customers
from bench.end_to_end import end_to_end
from bench.evidence import evidence
from bench.fan_out import fan_out
from bench.flat import flat
from bench.latency import latency
from bench.machine import facts
from bench.result import Row, as_json, as_markdown
from bench.rules import rules_bench
from bench.search import search_bench
from bench.size import FULL, QUICK

BENCHES = {
    "accept": accept,
    "end_to_end": end_to_end,
    "latency": latency,
    "fan_out": fan_out,
    "flat": flat,
    "busy": busy,
    "customers": customers,
    "campaigns": campaigns,
    "archive": archive,
    "search": search_bench,
    "rules": rules_bench,
    "evidence": evidence,
}


def main() -> int:
    arguments = _arguments()
    size = QUICK if arguments.quick else FULL
    machine = facts(Path(tempfile.gettempdir()))
    rows: list[Row] = []
    for name in arguments.names or BENCHES:
        print(f"== {name}", file=sys.stderr, flush=True)
        for row in uvloop.run(BENCHES[name](size)):
            print("   " + " · ".join(cell for cell in row.cells() if cell), file=sys.stderr, flush=True)
            rows.append(row)
        if arguments.json:
            write(arguments.json, size.name, machine, rows)
    print(as_markdown(rows))
    return 1 if any(row.met is False for row in rows) and arguments.strict else 0


def write(path: Path, size: str, machine: dict[str, object], rows: list[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    report = {"at": now, "size": size, "machine": machine, "rows": as_json(rows)}
    path.write_bytes(orjson.dumps(report, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"only these: {', '.join(BENCHES)}")
    parser.add_argument(
        "--quick", action="store_true", help="shorter and with a smaller database; the figures are rougher"
    )
    parser.add_argument("--json", type=Path, default=Path("artifacts/bench.json"), help="where the figures are written")
    parser.add_argument("--strict", action="store_true", help="end with an error when a target is missed")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.names if name not in BENCHES]
    if unknown:
        parser.error(f"there is no bench {', '.join(unknown)}; there are {', '.join(BENCHES)}")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
