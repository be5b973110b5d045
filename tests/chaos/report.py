"""The result as a table for people and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tests.chaos.run import Report

ROWS = (
    "webhooks accepted, of every kind",
    "customer messages by webhook",
    "requests of the driver",
    "attempts of the platforms",
    "of these acknowledged",
    "customer messages pulled from KF",
    "events",
    "messages",
    "replies accepted",
    "replies arrived",
    "wecom_kf sent",
    "wecom_kf failed",
    "wecom_kf uncertain",
    "douyin sent",
    "douyin failed",
    "douyin uncertain",
    "requests repeated",
)


def as_markdown(reports: Sequence[Report]) -> str:
    lines = [
        "| | " + " | ".join(report.title for report in reports) + " |",
        "|---|" + "--:|" * len(reports),
        _row("what went wrong", [_harm(report) for report in reports]),
        _row("process starts", [str(report.starts) for report in reports]),
        _row("seconds of it / until quiet", [f"{r.seconds:.0f} / {r.seconds_to_quiet:.0f}" for r in reports]),
    ]
    lines += [_row(name, [f"{report.verdict.counts.get(name, 0):,}" for report in reports]) for name in ROWS]
    reasons = sorted({name for report in reports for name in report.verdict.counts if name.startswith("failed: ")})
    lines += [_row(name, [f"{report.verdict.counts.get(name, 0):,}" for report in reports]) for name in reasons]
    lines.append(_row("**lost, doubled or untrue**", [f"**{len(report.verdict.problems)}**" for report in reports]))
    problems = [f"- {report.title}: {problem}" for report in reports for problem in report.verdict.problems]
    return "\n".join([*lines, "", *problems]).rstrip() + "\n"


def write(reports: Sequence[Report], folder: Path) -> None:
    """``chaos.json`` and ``chaos.md``."""
    folder.mkdir(parents=True, exist_ok=True)
    data = [asdict(report) for report in reports]
    (folder / "chaos.json").write_text(json.dumps(data, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    (folder / "chaos.md").write_text(as_markdown(reports), encoding="utf-8")


def _row(name: str, cells: Sequence[str]) -> str:
    return f"| {name} | " + " | ".join(cells) + " |"


def _harm(report: Report) -> str:
    return ", ".join(f"{n} × {what}" for what, n in report.harm.items())
