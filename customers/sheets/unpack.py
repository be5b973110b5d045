"""Reads a sheet of a stranger into plain lines, as a process of its own: with a limit of memory and time, so that a file made to hurt
hurts nobody but itself. ``python -m customers.sheets.unpack FILE OUT`` writes one JSON list of texts a line and says what it found.

Formulas are not run: what a spreadsheet saved as their result is read. Merged cells have their value in the first cell only.
"""

from __future__ import annotations

import csv
import json
import resource
import sys
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook, ZipError

MOST_ROWS = 200_000
MOST_COLUMNS = 200
LONGEST_CELL = 4000
LARGEST_UNPACKED = 400 << 20
MEMORY = 2 << 30
SECONDS = 90


class Unreadable(Exception):
    """``code`` is one of the page's words."""


def main(source: str, out: str) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    try:
        found = unpack(Path(source), Path(out))
    except Unreadable as error:
        found = {"error": str(error)}
    except MemoryError:
        found = {"error": "too_large"}
    sys.stdout.write(json.dumps(found))


def unpack(source: Path, out: Path) -> dict[str, Any]:
    with source.open("rb") as file:
        head = file.read(4)
    notes: list[str] = []
    if head == b"PK\x03\x04":
        rows, notes = _workbook(source)
        encoding = ""
    elif head == b"\xd0\xcf\x11\xe0":
        raise Unreadable("old_format")
    else:
        encoding = _encoding(source)
        rows = _csv(source, encoding)
    return {**_write(rows, out), "notes": notes, "encoding": encoding}


def _workbook(source: Path) -> tuple[Iterator[list[str]], list[str]]:
    notes = []
    try:
        with zipfile.ZipFile(source) as archive:
            if sum(one.file_size for one in archive.infolist()) > LARGEST_UNPACKED or len(archive.infolist()) > 5000:
                raise Unreadable("bomb")
            sheets = [one for one in archive.namelist() if one.startswith("xl/worksheets/sheet")]
            if not sheets:
                raise Unreadable("not_a_sheet")
            if any(_has_formulas(archive, one) for one in sheets[:1]):
                notes.append("formulas")
        book = CalamineWorkbook.from_path(str(source))
        sheet = book.get_sheet_by_index(0)
        if sheet.total_width > MOST_COLUMNS:
            raise Unreadable("too_many_columns")
        if sheet.total_height > MOST_ROWS + 1:
            raise Unreadable("too_many_rows")
        if sheet.merged_cell_ranges:
            notes.append("merged")
        if len(book.sheet_names) > 1:
            notes.append("more_sheets")
    except (CalamineError, ZipError, zipfile.BadZipFile, KeyError, OSError) as error:
        raise Unreadable("not_a_sheet") from error
    return ([_text(cell) for cell in row] for row in sheet.iter_rows()), notes


def _has_formulas(archive: zipfile.ZipFile, name: str) -> bool:
    with archive.open(name) as sheet:
        before = b""
        while piece := sheet.read(1 << 20):
            if b"<f>" in before + piece or b"<f " in before + piece:
                return True
            before = piece[-4:]
    return False


def _encoding(source: Path) -> str:
    """By its mark, else the first that fits all of it: UTF-8, then GB18030 (which holds GBK and GB2312)."""
    head = source.read_bytes()[:4] if source.stat().st_size < 4 else source.open("rb").read(4)
    if head.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    for name in ("utf-8", "gb18030"):
        try:
            with source.open(encoding=name) as text:
                while piece := text.read(1 << 20):
                    if "\x00" in piece:
                        raise Unreadable("not_a_sheet")
            return name
        except UnicodeDecodeError:
            continue
    raise Unreadable("encoding")


def _csv(source: Path, encoding: str) -> Iterator[list[str]]:
    try:
        with source.open(encoding=encoding, newline="") as text:
            sample = text.read(64 << 10)
            text.seek(0)
            first = sample.splitlines()[0] if sample.strip() else ""
            mark = max([",", "\t", ";"], key=first.count)
            for row in csv.reader(text, delimiter=mark):
                yield [_text(cell) for cell in row]
    except csv.Error as error:
        raise Unreadable("not_a_sheet") from error
    except UnicodeError as error:
        raise Unreadable("encoding") from error


def _write(rows: Iterable[list[str]], out: Path) -> dict[str, Any]:
    head: list[str] | None = None
    sample: list[list[str]] = []
    total = line = 0
    with out.open("w", encoding="utf-8") as file:
        for row in rows:
            line += 1
            while row and not row[-1]:
                row.pop()
            if len(row) > MOST_COLUMNS:
                raise Unreadable("too_many_columns")
            if not row:
                continue
            if head is None:
                head = row
                continue
            total += 1
            if total > MOST_ROWS:
                raise Unreadable("too_many_rows")
            if len(sample) < 5:
                sample.append(row)
            file.write(json.dumps([line, *row], ensure_ascii=False) + "\n")
    if head is None or total == 0:
        raise Unreadable("empty")
    return {"head": head, "sample": sample, "rows": total}


def _text(cell: Any) -> str:
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float) and cell == int(cell) and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.isoformat(" ") if cell.time() != time() else cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    return str(cell if cell is not None else "").replace("\x00", "").strip()[:LONGEST_CELL]


if __name__ == "__main__":
    main(*sys.argv[1:3])
