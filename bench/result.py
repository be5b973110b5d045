"""Rows of the result table, and their two forms: for people and for programs."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

HEAD = ("what", "measured", "floor", "ratio", "target", "met")


@dataclass(frozen=True)
class Row:
    """One line. ``details`` holds every figure behind it, for the JSON."""

    bench: str
    what: str
    measured: str
    floor: str
    ratio: float | None
    target: str
    met: bool | None
    """None: reported without a target."""
    details: dict[str, Any] = field(default_factory=dict)

    def cells(self) -> tuple[str, ...]:
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        met = {None: "", True: "yes", False: "NO"}[self.met]
        return self.what, self.measured, self.floor, ratio, self.target, met


def as_markdown(rows: Sequence[Row]) -> str:
    table = [HEAD, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in table) for column in range(len(HEAD))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in table
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def as_json(rows: Sequence[Row]) -> list[dict[str, Any]]:
    return [dataclasses.asdict(row) for row in rows]
