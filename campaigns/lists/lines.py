"""What a line of a list names: a phone number, a customer's number here, or what a platform calls them.

A number without a country is a phone where it can be one. A bare number means a customer's own number only where nothing else can be
meant: alone in its line, or below a heading that says so. In a sheet with ages or amounts it would mean somebody else.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass

from campaigns.invites.lines import pasted, sheet_rows
from customers.phones import normalised
from customers.sheets.columns import folded
from scrm.errors import Unprocessable
from scrm.permissions import Principal
from scrm.services import Services
from scrm.views import MAX_ID

MOST = 100_000
STEP = 2000
LONGEST = 100
EXTERNAL = re.compile(r"^[A-Za-z0-9_@.\-]{6,128}$")
NUMBER = re.compile(r"^[0-9]{1,19}$")
HEADINGS = {
    "id": ("客户编号", "编号", "客户id", "customerid", "id", "customernumber"),
    "external": ("外部联系人", "外部联系人id", "externaluserid", "externalid", "openid", "外部id"),
}
KIND_OF = {name: kind for kind, names in HEADINGS.items() for name in names}


@dataclass(frozen=True, slots=True)
class Named:
    """``number`` is the line in the list, from 1. Several may be given; the first that is somebody counts."""

    number: int
    text: str
    phone: str | None = None
    customer_id: int | None = None
    externals: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        return self.phone is None and self.customer_id is None and not self.externals


async def lines_of(services: Services, principal: Principal, text: str, attachment_id: int | None) -> list[Named]:
    """Raises :class:`NotFound` for a file of somebody else, :class:`Unprocessable` for what is no list."""
    rows = pasted(text) if attachment_id is None else await sheet_rows(services, principal, attachment_id)
    if len(rows) > MOST:
        raise Unprocessable("The list has more than 100,000 lines. Divide it.", code="list_too_long")
    columns = _columns(rows[0][1]) if rows else {}
    found: list[Named] = []
    for start in range(0, len(rows), STEP):  # looking at phone numbers takes a while, and others wait for the loop
        found += await asyncio.to_thread(_understood, rows[start : start + STEP], columns)
    if found and (columns or ((found[0].empty or _heading(found[0])) and any(not one.empty for one in found[1:]))):
        found = found[1:]
    if not found:
        raise Unprocessable("There is nothing in this list.", code="list_empty")
    return found


def _columns(head: Sequence[str]) -> dict[int, str]:
    return {place: KIND_OF[folded(title)] for place, title in enumerate(head) if folded(title) in KIND_OF}


def _heading(line: Named) -> bool:
    """Words without a digit name nobody."""
    return line.phone is None and line.customer_id is None and not any(letter.isdigit() for letter in line.text)


def _understood(rows: Sequence[tuple[int, list[str]]], columns: dict[int, str]) -> list[Named]:
    return [understood(number, cells, columns) for number, cells in rows]


def understood(number: int, cells: Sequence[str], columns: dict[int, str]) -> Named:
    cells = [one.strip() for one in cells]
    text = " ".join(one for one in cells if one)[:LONGEST]
    phone = next(
        (
            found
            for place, one in enumerate(cells)
            if place not in columns and not any(letter.isalpha() for letter in one) and (found := normalised(one))
        ),
        None,
    )
    ids = [cells[place] for place, kind in columns.items() if kind == "id" and place < len(cells)]
    alone = [one for one in cells if one]
    if not ids and len(alone) == 1:
        ids = alone
    externals = tuple(
        one for place, one in enumerate(cells) if EXTERNAL.match(one) and columns.get(place) in (None, "external")
    )
    return Named(number, text, phone, _id(ids), externals)


def _id(cells: Sequence[str]) -> int | None:
    return next((int(one) for one in cells if NUMBER.match(one) and 0 < int(one) <= MAX_ID), None)
