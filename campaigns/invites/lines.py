"""The lines of a list, pasted or from a sheet: which cell is the number, which the name, and what is no number."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from customers.phones import normalised
from customers.sheets.importing import sheet
from scrm.errors import NotFound, Unprocessable
from scrm.permissions import Principal
from scrm.services import Services

MOST = 20_000
LONGEST_NAME = 60
CELLS = re.compile(r"[,，;；\t]+")
FILE = """
select t.sha256, coalesce(b.size, t.size) as size from attachment t left join blob b on b.sha256 = t.sha256
where t.id = $1 and t.uploaded_by = $2 and t.message_id is null and t.state = 'stored' and t.sha256 is not null
"""


@dataclass(frozen=True, slots=True)
class ListLine:
    """``number`` is the line in the list, from 1. ``phone`` None: there is no number in it."""

    number: int
    text: str
    name: str
    phone: str | None


async def lines_of(services: Services, principal: Principal, text: str, attachment_id: int | None) -> list[ListLine]:
    """Raises :class:`NotFound` for a file of somebody else, :class:`Unprocessable` for what is no list."""
    rows = pasted(text) if attachment_id is None else await sheet_rows(services, principal, attachment_id)
    if len(rows) > MOST:
        raise Unprocessable("The list has more than 20,000 lines. Divide it.", code="list_too_long")
    found = [understood(number, cells) for number, cells in rows]
    if found and found[0].phone is None and any(one.phone for one in found[1:]) and not _digits(found[0].text):
        found = found[1:]  # a heading
    if not found:
        raise Unprocessable("There is nothing in this list.", code="list_empty")
    return found


def pasted(text: str) -> list[tuple[int, list[str]]]:
    lines = enumerate(text.splitlines(), start=1)
    return [(number, CELLS.split(line.strip())) for number, line in lines if line.strip()]


def understood(number: int, cells: Sequence[str]) -> ListLine:
    """The first cell that is a number; in a line without columns, the words of it."""
    phone, at = _phone_in(cells)
    if phone is None and len(cells) == 1:
        cells = cells[0].split()
        phone, at = _phone_in(cells)
    name = next((one.strip() for n, one in enumerate(cells) if n != at and one.strip() and not _digits(one)), "")
    return ListLine(number, " ".join(cells)[:100], "".join(c for c in name if c.isprintable())[:LONGEST_NAME], phone)


def _phone_in(cells: Sequence[str]) -> tuple[str | None, int]:
    for place, cell in enumerate(cells):
        if any(letter.isalpha() for letter in cell):
            continue
        if (phone := normalised(cell.strip())) is not None:
            return phone, place
    return None, -1


def _digits(text: str) -> bool:
    return sum(letter.isdigit() for letter in text) >= 5


async def sheet_rows(services: Services, principal: Principal, attachment_id: int) -> list[tuple[int, list[str]]]:
    """The lines of an uploaded sheet with their numbers. Raises :class:`NotFound` for a file of somebody else."""
    file = await services.db.fetchrow(FILE, attachment_id, principal.agent_id)
    if file is None:
        raise NotFound("There is no such file of yours.")
    async with sheet(services, file["sha256"], file["size"]) as (found, out):
        rows = [json.loads(line) for line in out.read_text(encoding="utf-8").split("\n") if line]
    first = rows[0][0] - 1 if rows else 1
    return [(first, found["head"]), *((row[0], row[1:]) for row in rows)]
