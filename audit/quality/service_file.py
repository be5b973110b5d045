"""The service report as a spreadsheet, with a line that says who took it out, when, and for which days."""

from __future__ import annotations

from datetime import datetime

from audit.quality.views import ServiceReport, ServiceRow
from customers.reports.tables import Cell, Table
from scrm.permissions import Language, Principal

TITLES: dict[Language, tuple[str, ...]] = {
    "zh-CN": (
        "员工", "会话数", "发送消息数", "非工作时间消息", "当天未回复", "首次响应中位数（秒）", "首次响应 P90（秒）", "后续响应中位数（秒）",
        "达标率 %", "满意度", "满意度份数", "质检份数", "质检平均分",
    ),
    "en": (
        "Employee", "Conversations", "Messages sent", "Outside working hours", "Not answered that day", "First answer, median (s)",
        "First answer, p90 (s)", "Later answers, median (s)", "Within target %", "Survey score", "Surveys", "Inspected", "Inspection score",
    ),
}  # fmt: skip
MARK: dict[Language, str] = {
    "zh-CN": "{name}（{login}）于 {at} 导出，{first} 至 {last}",
    "en": "Exported by {name} ({login}) at {at}, {first} to {last}",
}


def table(
    report: ServiceReport, names: dict[int, str], language: Language, principal: Principal, now: datetime
) -> Table:
    mark = MARK[language].format(
        name=principal.name, login=principal.login, at=now.strftime("%Y-%m-%d %H:%M"), first=report.first, last=report.last
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = [_cells(row, names) for row in report.rows]
    return Table(name="service", columns=TITLES[language], rows=[*rows, (mark,)])


def _cells(row: ServiceRow, names: dict[int, str]) -> tuple[Cell, ...]:
    promised = row.sla_met + row.sla_breached
    within = round(100 * row.sla_met / promised, 1) if promised else None
    return (
        names.get(row.agent_id, str(row.agent_id)), row.conversations, row.messages, row.after_hours, row.unanswered, row.first_median,
        row.first_p90, row.next_median, within, row.survey_score, row.surveys, row.inspected, row.inspection,
    )  # fmt: skip
