"""The background work of lists of customers, for ``scrm.app``."""

from __future__ import annotations

from customers.bulk import bin, fields
from customers.field_indexes import index_fields
from customers.field_settings import INDEX_FIELDS
from customers.folding import Folder
from customers.listing import segments, views
from customers.sheets import exporting, importing
from scrm.jobs import JobHandler
from scrm.undo import Kind

__all__ = ["JOBS", "Folder", "undo_kinds"]

JOBS: dict[str, JobHandler] = {
    INDEX_FIELDS: index_fields,
    importing.RUN: importing.run,
    exporting.RUN: exporting.run,
}


def undo_kinds() -> dict[str, Kind]:
    return {**views.undo_kinds(), **segments.undo_kinds(), **fields.undo_kinds(), **bin.undo_kinds()}
