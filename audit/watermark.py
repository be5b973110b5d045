"""Who took something out of the house, and when: on every page of what leaves it, and behind what is read on the screen."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import Any
from urllib.parse import quote

from scrm.company import CompanyFacts
from scrm.permissions import Principal


def mark_of(principal: Principal, company: CompanyFacts, now: datetime) -> str:
    """``青禾 · 王琳 (manager) · 2026-11-28 22:01``, in the company's time."""
    moment = now.astimezone(company.clock).strftime("%Y-%m-%d %H:%M")
    return " · ".join(one for one in (company.name, f"{principal.name} ({principal.login})", moment) if one)


def csv_row(mark: str, columns: int) -> list[str]:
    """The last row of a text sheet; as wide as the others, so that programs read it."""
    return [f"# {mark}", *[""] * (columns - 1)] if columns else [f"# {mark}"]


def mark_sheet(sheet: Any, mark: str) -> None:
    """A worksheet of xlsxwriter: on each printed page, head and foot."""
    text = mark.replace("&", "&&")[:200]
    sheet.set_header(f"&R&9&K8A8F99{text}")
    sheet.set_footer(f"&L&9&K8A8F99{text}&R&9&P / &N")


def html_style(mark: str) -> str:
    """A rule for ``body::before``: the mark, slanted, behind the whole page, on paper too. Nothing of it can be selected or clicked."""
    return (
        "body::before{content:'';position:fixed;inset:0;z-index:9999;pointer-events:none;"
        f'background-image:url("data:image/svg+xml;utf8,{quote(svg(mark))}");background-repeat:repeat;'
        "-webkit-print-color-adjust:exact;print-color-adjust:exact}"
    )


def svg(mark: str, *, ink: str = "#5b6472", strength: float = 0.11) -> str:
    """One tile."""
    lines = _lines(mark)
    words = "".join(f'<tspan x="0" dy="{18 if n else 0}">{escape(one)}</tspan>' for n, one in enumerate(lines))
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="320" height="200"><text transform="translate(24 150) rotate(-22)" '
        f'font-family="sans-serif" font-size="13" fill="{ink}" fill-opacity="{strength}">{words}</text></svg>'
    )


def data_uri(mark: str) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg(mark).encode()).decode()


def _lines(mark: str) -> Sequence[str]:
    """Who on one line, when on the next."""
    head, _, tail = mark.rpartition(" · ")
    return [head, tail] if head else [tail]
