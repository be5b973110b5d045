"""From points to a score: the share of the points that could be had, in whole percent; nothing when an item with a veto failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from audit.quality.views import MarkInput, SheetItem
from scrm.errors import Unprocessable


@dataclass(frozen=True, slots=True)
class Outcome:
    percent: int
    passed: bool
    vetoed: bool


def outcome(items: Sequence[SheetItem], marks: Sequence[MarkInput], pass_percent: int) -> Outcome:
    """Raises :class:`Unprocessable` for marks that do not fit the sheet. Halves are rounded up."""
    given = {one.item: one for one in marks}
    if len(given) != len(marks) or given.keys() != {one.key for one in items}:
        raise Unprocessable("Give each item of the sheet one mark.", fields={"marks": "One for each item."})
    for item in items:
        mark = given[item.key]
        if mark.points > item.points:
            raise Unprocessable(
                f"“{item.name}” has at most {item.points} points.",
                fields={"marks": f"{item.name}: at most {item.points}."},
            )
        if mark.failed and not item.veto:
            raise Unprocessable(f"“{item.name}” has no veto.", fields={"marks": f"{item.name}: no veto."})
    most = sum(one.points for one in items)
    had = sum(one.points for one in marks)
    vetoed = any(one.failed for one in marks)
    percent = 0 if vetoed else (200 * had + most) // (2 * most)
    return Outcome(percent, not vetoed and percent >= pass_percent, vetoed)
