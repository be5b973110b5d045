"""Values of a statement and their places."""

from __future__ import annotations

from typing import Any


class Arguments:
    def __init__(self, values: list[Any] | None = None) -> None:
        self.values: list[Any] = list(values or [])

    def add(self, value: Any, kind: str) -> str:
        self.values.append(value)
        return f"${len(self.values)}::{kind}"
