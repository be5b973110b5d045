"""Reports as tables for a spreadsheet, in the language of who asks."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

import xlsxwriter

from customers.reports import queries
from customers.reports.asking import Asked
from scrm.db import Tx
from scrm.permissions import Language

Cell = str | int | float | None
XLSX = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
NONE = ("（无）", "(none)")


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]


def said(language: Language, zh: str, en: str) -> str:
    return en if language == "en" else zh


async def table(tx: Tx, asked: Asked, report: str, by: str, language: Language) -> Table:
    def say(zh: str, en: str) -> str:
        return said(language, zh, en)

    if report == "growth":
        grown = await queries.growth(tx, asked)
        columns = [
            say("日期", "Day"),
            say("新增客户", "New"),
            say("删除我们", "Deleted us"),
            say("成交", "Won"),
            say("流失", "Lost"),
        ]
        return Table(
            report, columns, [[row.day.isoformat(), row.made, row.gone, row.won, row.lost] for row in grown.rows]
        )
    if report == "sources":
        came = await queries.sources(tx, asked)
        rows: list[list[Cell]] = [[row.source or say(*NONE), row.made] for row in came.rows]
        return Table(report, [say("来源", "Source"), say("新增客户", "New")], rows)
    if report == "funnel":
        found = await queries.funnel(tx, asked)
        columns = [
            say("阶段", "Stage"), say("到达", "Reached"), say("转化率", "Conversion"), say("进入", "Entered"), say("离开", "Left"),
            say("平均停留（小时）", "Average stay (hours)"), say("当前客户", "There now"), say("当前金额（元）", "Worth now (yuan)"),
        ]  # fmt: skip
        return Table(
            report, columns,
            [
                [
                    row.name, row.reached, row.conversion, row.entered, row.left,
                    None if row.average_seconds is None else round(row.average_seconds / 3600, 1), row.now, row.value_fen / 100,
                ]
                for row in found.rows
            ],
        )  # fmt: skip
    spread = await queries.spread(tx, asked, by)
    names = await _names(tx, by)
    rows = [
        [row.label or names.get(row.value, row.value if not names else "") or say(*NONE), row.n] for row in spread.rows
    ]
    if spread.others:
        rows.append([say("其他", "Others"), spread.others])
    return Table(f"{report}-{by}", [say("取值", "Value"), say("客户数", "Customers")], rows)


async def _names(tx: Tx, by: str) -> dict[str, str]:
    """Of ids; empty where the values speak for themselves."""
    sources = {
        "owner": "select id, name from agent",
        "stage": "select id, name from stage",
        "tag": "select t.id, g.name || ' · ' || t.name as name from tag t join tag_group g on g.id = t.tag_group_id",
    }
    return {str(row["id"]): row["name"] for row in await tx.fetch(sources[by])} if by in sources else {}


def as_csv(table: Table) -> bytes:
    """With the mark that lets Excel read it as UTF-8."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(table.columns)
    writer.writerows([_harmless(cell) for cell in row] for row in table.rows)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def as_xlsx(table: Table) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, XLSX)
    sheet, bold = book.add_worksheet(), book.add_format({"bold": True})
    for place, title in enumerate(table.columns):
        sheet.write_string(0, place, title, bold)
    for number, row in enumerate(table.rows, 1):
        for place, cell in enumerate(row):
            if isinstance(cell, str):
                sheet.write_string(number, place, cell[:32_000])
            elif cell is not None:
                sheet.write_number(number, place, cell)
    sheet.set_column(0, len(table.columns) - 1, 18)
    sheet.freeze_panes(1, 0)
    book.close()
    return out.getvalue()


def _harmless(cell: Cell) -> Cell:
    """What would begin a formula in a spreadsheet stays text."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
