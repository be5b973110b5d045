"""The background work of lists of customers, for ``scrm.app``."""

from __future__ import annotations

from customers.field_indexes import index_fields
from customers.field_settings import INDEX_FIELDS
from customers.folding import fold
from scrm.jobs import JobHandler

__all__ = ["JOBS", "fold"]

JOBS: dict[str, JobHandler] = {INDEX_FIELDS: index_fields}
