"""Payments as a table for a spreadsheet. The last line says who took it out, and when."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import xlsxwriter

from audit.payments.shapes import PaymentView
from scrm.permissions import Language

MOST_ROWS = 50_000
Cell = str | int | float | None
XLSX = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
COLUMNS = (
    ("时间", "Time"), ("类型", "Kind"), ("方向", "Direction"), ("金额（元）", "Amount (yuan)"), ("已退（元）", "Given back (yuan)"), ("员工", "Employee"),
    ("客户", "Customer"), ("群", "Group"), ("来源", "Source"), ("备注", "Note"), ("单号", "Order number"), ("聊天中提到", "Spoken of"),
)  # fmt: skip
WORDS = {
    "red_packet_customer": ("客户红包", "Red packet, customer"), "red_packet_internal": ("企业内红包", "Red packet, inside"),
    "transfer": ("转账", "Transfer"), "collected": ("收款", "Collected"), "refund": ("退款", "Refund"), "in": ("收", "In"), "out": ("支", "Out"),
    "inside": ("内部", "Inside"), "archive": ("会话存档", "Chat archive"), "bill": ("对外收款账单", "Bills"), "yes": ("是", "yes"), "no": ("否", "no"),
}  # fmt: skip


def yuan(fen: int | None) -> str | None:
    """Exact: a spreadsheet's own numbers are not, above fifteen digits."""
    return None if fen is None else f"{fen // 100}.{fen % 100:02d}"


def rows_of(payments: Sequence[PaymentView], zone: ZoneInfo, language: Language) -> list[list[Cell]]:
    def say(key: str) -> str:
        return WORDS[key][language == "en"]

    return [
        [
            one.at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S"), say(one.kind), say(one.direction), yuan(one.amount_fen),
            yuan(one.refunded_fen) if one.refunded_fen else None, one.member.name, one.customer.name if one.customer else "",
            one.place.group_name if one.place else "", say(one.source), one.note, one.trade_id, say("yes" if one.said else "no"),
        ]
        for one in payments
    ]  # fmt: skip


def titles(language: Language) -> list[str]:
    return [one[language == "en"] for one in COLUMNS]


def watermark(name: str, login: str, at: datetime, zone: ZoneInfo, language: Language) -> str:
    when = at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %Z")
    if language == "en":
        return f"Taken out by {name} ({login}) on {when}; for this purpose only, do not pass on."
    return f"由 {name}（{login}）于 {when} 导出，仅供本次用途，请勿外传。"


def as_csv(columns: Sequence[str], rows: Sequence[Sequence[Cell]], mark: str) -> bytes:
    """With the mark that lets Excel read it as UTF-8."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    writer.writerow([mark])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def as_xlsx(columns: Sequence[str], rows: Sequence[Sequence[Cell]], mark: str) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, XLSX)
    sheet, bold, grey = (
        book.add_worksheet(),
        book.add_format({"bold": True}),
        book.add_format({"font_color": "#8a93a5"}),
    )
    money = book.add_format({"num_format": "#,##0.00"})
    for place, title in enumerate(columns):
        sheet.write_string(0, place, title, bold)
    for number, row in enumerate(rows, 1):
        for place, cell in enumerate(row):
            if cell is None:
                continue
            if place in (3, 4) and len(str(cell)) <= 15:
                sheet.write_number(number, place, float(cell), money)
            else:
                sheet.write_string(number, place, str(cell)[:32_000])
    sheet.write_string(len(rows) + 1, 0, mark, grey)
    sheet.set_footer(f"&L{mark.replace('&', '&&')[:200]}")
    sheet.set_column(0, len(columns) - 1, 18)
    sheet.freeze_panes(1, 0)
    book.close()
    return out.getvalue()


def _harmless(cell: Cell) -> Cell:
    """What would begin a formula in a spreadsheet stays text."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
