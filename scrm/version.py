"""Which version this is."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version


@lru_cache(maxsize=1)
def product_version() -> str:
    try:
        return version("scrm")
    except PackageNotFoundError:
        return "0"
