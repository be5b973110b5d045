"""Quick replies as a table: out for a look in a spreadsheet, and in from one, first as a dry run.

Texts and links travel; files do not (a cell cannot hold them) and are named only. What a spreadsheet could take for a formula is
written as text: in xlsx by the cell's type, in csv with an apostrophe in front, which reading takes away again.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import xlsxwriter
from pydantic import ValidationError
from python_calamine import CalamineError, CalamineWorkbook

from inbox.library.places import VISIBLE, LibraryReach, Place, eyes, manages
from inbox.library.quick_replies import KeptPart, QuickReplyInput, check_kept, insert_replies
from inbox.parts import StoredPart, resolve
from scrm.db import Row
from scrm.errors import Unprocessable
from scrm.permissions import Principal
from scrm.services import Work
from scrm.trail import record
from scrm.views import View

TEXTS = 5
COLUMNS = ("范围", "团队", "文件夹", "标题", "快捷词", *(f"内容{n}" for n in range(1, TEXTS + 1)))
ENGLISH = ("scope", "team", "folder", "title", "shortcut", *(f"text {n}" for n in range(1, TEXTS + 1)))
REACHES: dict[str, LibraryReach] = {
    "个人": "personal", "团队": "team", "公司": "company", "personal": "personal", "team": "team", "company": "company",
}  # fmt: skip
WORDS: dict[str, str] = {"personal": "个人", "team": "团队", "company": "公司"}
MOST_ROWS = 5000
LARGEST = 5 << 20
LARGEST_UNPACKED = 60 << 20
FORMULA = ("=", "+", "-", "@", "\t", "\r")

ALL = f"""
select x.reach, t.name as team, x.folder, x.title, x.shortcut, x.parts from quick_reply x left join team t on t.id = x.team_id
where x.deleted_at is null and {VISIBLE} order by x.reach, t.name, x.folder, x.title, x.id
"""  # noqa: S608
KNOWN = f"select x.reach, x.team_id, x.title from quick_reply x where x.deleted_at is null and {VISIBLE}"  # noqa: S608

Format = Literal["xlsx", "csv"]


class RowTrouble(View):
    """A row that cannot be taken, as the sheet numbers it (its head is row 1). ``code`` for the page's words."""

    row: int
    column: str
    code: Literal["scope", "team", "title", "empty", "too_long", "variable", "forbidden", "duplicate"]
    detail: str


class ImportReport(View):
    """``added`` would be (or were) taken; with any trouble nothing is written."""

    rows: int
    added: int
    troubles: list[RowTrouble]
    written: bool


class _Refused(Exception):
    def __init__(self, column: str, code: str, detail: str) -> None:
        super().__init__(detail)
        self.column, self.code, self.detail = column, code, detail


@dataclass(frozen=True, slots=True)
class _Known:
    teams: dict[str, int]
    titles: set[tuple[str, int | None, str]]


async def exported(work: Work, principal: Principal, kind: Format, address: str = "") -> bytes:
    """All that the asker sees. The trail tells of it."""
    rows = [_cells(row) for row in await work.tx.fetch(ALL, *eyes(principal))]
    await record(
        work, "quick_reply.exported", agent_id=principal.agent_id, address=address, detail={"rows": len(rows), "format": kind}
    )  # fmt: skip
    return _xlsx(rows) if kind == "xlsx" else _csv(rows)


async def imported(work: Work, principal: Principal, name: str, data: bytes, *, dry: bool) -> ImportReport:
    """Reads a sheet and, unless it is a dry run or some row is in trouble, adds its rows. Raises :class:`Unprocessable` for what
    is no such sheet."""
    rows = _read(name, data)
    known = await _known(work, principal)
    taken: list[tuple[QuickReplyInput, list[StoredPart]]] = []
    troubles: list[RowTrouble] = []
    for number, cells in rows:
        try:
            taken.append(await _row(work, principal, cells, known))
        except _Refused as why:
            troubles.append(
                RowTrouble.model_validate({"row": number, "column": why.column, "code": why.code, "detail": why.detail})
            )
    write = not dry and not troubles and bool(taken)
    if write:
        await insert_replies(work, principal, taken)
        await record(work, "quick_reply.imported", agent_id=principal.agent_id, detail={"rows": len(taken)})
    return ImportReport(rows=len(rows), added=len(taken), troubles=troubles[:200], written=write)


# ---------------------------------------------------------------------------------------------------------------- out


def _cells(row: Row) -> list[str]:
    texts = [_said(part) for part in row["parts"][:TEXTS]]
    return [WORDS[row["reach"]], row["team"] or "", row["folder"], row["title"], row["shortcut"], *texts]


def _said(part: dict[str, Any]) -> str:
    if part["kind"] == "text":
        return str(part["text"])
    if part["kind"] == "link":
        return f"{part['content'].get('title', '')}\n{part['content'].get('url', '')}"
    name = (part["file"] or {}).get("name") or part["content"].get("title", "")
    return f"[{part['kind']}] {name}"


def _xlsx(rows: Iterable[Sequence[str]]) -> bytes:
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(out, options)
    sheet, bold, wrap = (
        book.add_worksheet("快捷回复"),
        book.add_format({"bold": True}),
        book.add_format({"text_wrap": True}),
    )
    for column, title in enumerate(COLUMNS):
        sheet.write_string(0, column, title, bold)
    for number, cells in enumerate(rows, 1):
        for column, text in enumerate(cells):
            sheet.write_string(number, column, text[:32_000], wrap)
    sheet.set_column(0, 4, 16)
    sheet.set_column(5, 9, 44)
    sheet.freeze_panes(1, 0)
    book.close()
    return out.getvalue()


def _csv(rows: Iterable[Sequence[str]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows([_harmless(cell) for cell in cells] for cells in rows)
    return out.getvalue().encode("utf-8-sig")


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA) else cell


# ----------------------------------------------------------------------------------------------------------------- in


def _read(name: str, data: bytes) -> list[tuple[int, list[str]]]:
    """Rows with their numbers; empty ones are left out. Raises :class:`Unprocessable`."""
    if len(data) > LARGEST:
        raise Unprocessable("The sheet is larger than 5 MB.", code="bad_sheet")
    read: Callable[[bytes], list[list[str]]] = _read_xlsx if data[:2] == b"PK" else _read_csv
    rows = read(data)
    if not rows or not _is_head(rows[0]):
        raise Unprocessable(
            "The first row must be the head: export once to see it.",
            fields={"file": "Its head is missing."},
            code="bad_sheet",
        )
    kept = [(number, cells) for number, cells in enumerate(rows[1:], 2) if any(cells)]
    if len(kept) > MOST_ROWS:
        raise Unprocessable(f"At most {MOST_ROWS} rows at once.", code="bad_sheet")
    return kept


def _is_head(cells: list[str]) -> bool:
    head = [cell.strip().lower() for cell in cells[: len(COLUMNS)]]
    return head[:6] in ([*COLUMNS[:6]], [*ENGLISH[:6]])


def _read_xlsx(data: bytes) -> list[list[str]]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            if sum(one.file_size for one in packed.infolist()) > LARGEST_UNPACKED:
                raise Unprocessable("The sheet unpacks to too much.", code="bad_sheet")
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0)
        return [[_text(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)]
    except (CalamineError, zipfile.BadZipFile, OSError, IndexError) as error:
        raise Unprocessable("This is no xlsx file that can be read.", code="bad_sheet") from error


def _text(cell: object) -> str:
    """Numbers that a spreadsheet made of whole numbers are written as such."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def _read_csv(data: bytes) -> list[list[str]]:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        try:
            return [[_plain(cell) for cell in row] for row in csv.reader(io.StringIO(text, newline=""))]
        except csv.Error:
            break
    raise Unprocessable("This is no csv file that can be read.", code="bad_sheet")


def _plain(cell: str) -> str:
    cell = cell.strip()
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA) else cell


async def _known(work: Work, principal: Principal) -> _Known:
    teams = {row["name"]: row["id"] for row in await work.tx.fetch("select id, name from team")}
    held = await work.tx.fetch(KNOWN, *eyes(principal))
    return _Known(teams, {(row["reach"], row["team_id"], row["title"]) for row in held})


async def _row(
    work: Work, principal: Principal, cells: list[str], known: _Known
) -> tuple[QuickReplyInput, list[StoredPart]]:
    scope, team, folder, title, shortcut, *texts = [*cells, *[""] * len(COLUMNS)][: len(COLUMNS)]
    place = _place(principal, scope, team, known)
    said = [text for text in texts if text]
    if not said:
        raise _Refused(COLUMNS[5], "empty", "It says nothing.")
    try:
        new = QuickReplyInput(
            place=place, folder=folder, title=title, shortcut=shortcut, parts=[KeptPart(text=text) for text in said]
        )
    except ValidationError as error:
        raise _bad_field(error) from error
    key = place.reach, place.team_id, new.title
    if key in known.titles:
        raise _Refused(COLUMNS[3], "duplicate", f"There is one named {new.title} already.")
    parts = [await resolve(work, principal, part) for part in new.parts]
    for part in parts:
        _check_text(part)
    known.titles.add(key)
    return new, parts


def _place(principal: Principal, scope: str, team: str, known: _Known) -> Place:
    reach = REACHES.get(scope.strip().lower())
    if reach is None:
        raise _Refused(COLUMNS[0], "scope", f"Not a scope: {scope[:30]}")
    team_id = known.teams.get(team.strip()) if reach == "team" else None
    if reach == "team" and team_id is None:
        raise _Refused(COLUMNS[1], "team", f"There is no team {team[:30]}.")
    if not manages(principal, reach, team_id, principal.agent_id):
        raise _Refused(COLUMNS[0], "forbidden", "You may keep personal ones only.")
    return Place(reach=reach, team_id=team_id)


def _bad_field(error: ValidationError) -> _Refused:
    place = error.errors()[0]["loc"][0]
    column = {"folder": 2, "title": 3, "shortcut": 4}.get(str(place), 5)
    return _Refused(COLUMNS[column], "title" if column == 3 else "too_long", "It is missing or too long.")


def _check_text(part: StoredPart) -> None:
    try:
        check_kept(part)
    except Unprocessable as error:
        code = "variable" if error.code == "no_variable" else "too_long"
        raise _Refused(COLUMNS[5], code, error.detail) from error
