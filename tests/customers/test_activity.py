"""The report of activity: figures that can be counted again from the rows behind them, within the reader's reach."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import python_calamine

from tests.customers.test_follow_ups import customer
from tests.http.site import Browser, Site

DAY = {"first": "2026-03-01", "last": "2026-03-31"}
FIGURES = ("follow_ups", "touched", "new_customers", "tasks_done", "tasks_overdue")


async def follow(site: Site, agent: int, whose: int, at: str) -> None:
    moment = datetime.fromisoformat(at)
    await site.services.db.execute(
        "insert into follow_up (customer_id, agent_id, kind, text, at, created_at) values ($1, $2, 'call', '说了', $3, $3)",
        whose, agent, moment,
    )  # fmt: skip


async def task(site: Site, agent: int, whose: int, due: str, done: str | None) -> None:
    at = datetime.fromisoformat(due)
    await site.services.db.execute(
        "insert into task (customer_id, agent_id, text, due_at, state, done_at, created_at, updated_at) "
        "values ($1, $2, '做', $3, case when $4::timestamptz is null then 'open' else 'done' end, $4, $3, $3)",
        whose, agent, at, None if done is None else datetime.fromisoformat(done),
    )  # fmt: skip


async def furnish(site: Site) -> tuple[Browser, int, int]:
    """Two reps; what happened around midnight in Shanghai, which is four in the afternoon in UTC."""
    boss, one, two = await site.signed_in("manager"), await site.agent("rep"), await site.agent("rep")
    a = await customer(site, one, created_at=datetime(2026, 3, 2, tzinfo=UTC), created_by=one)
    b = await customer(site, two, created_at=datetime(2026, 2, 1, tzinfo=UTC))
    for at in ("2026-03-08T15:59:59+00:00", "2026-03-08T16:00:00+00:00", "2026-03-09T02:00:00+00:00"):
        await follow(site, one, a, at)
    await follow(site, one, b, "2026-03-09T03:00:00+00:00")
    await follow(site, two, a, "2026-03-31T15:59:59+00:00")
    await follow(site, two, a, "2026-03-31T16:00:00+00:00")
    await task(site, one, a, "2026-03-10T02:00:00+00:00", "2026-03-10T01:00:00+00:00")
    await task(site, one, a, "2026-03-10T02:00:00+00:00", "2026-03-11T01:00:00+00:00")
    await task(site, two, a, "2026-03-12T02:00:00+00:00", None)
    await task(site, two, a, (datetime.now(UTC) + timedelta(days=3)).isoformat(), None)
    return boss, one, two


async def test_days_weeks_and_months_begin_where_the_company_is(site: Site) -> None:
    boss, one, two = await furnish(site)
    found = await boss.get("/api/reports/activity", **DAY, unit="day")
    cells = {(cell["agent_id"], cell["bucket"]): cell for cell in found["cells"]}
    assert [cells[one, day]["follow_ups"] for day in ("2026-03-08", "2026-03-09")] == [1, 3]
    assert cells[one, "2026-03-09"]["touched"] == 2
    assert cells[two, "2026-03-31"]["follow_ups"] == 1
    whole = {name: cells[None, None][name] for name in FIGURES}
    assert whole == {"follow_ups": 5, "touched": 2, "new_customers": 1, "tasks_done": 2, "tasks_overdue": 2}
    assert {name: cells[one, None][name] for name in FIGURES} == {
        "follow_ups": 4, "touched": 2, "new_customers": 1, "tasks_done": 2, "tasks_overdue": 1,
    }  # fmt: skip
    weeks = await boss.get("/api/reports/activity", **DAY, unit="week")
    assert {cell["bucket"] for cell in weeks["cells"] if cell["agent_id"] == one and cell["bucket"]} == {
        "2026-03-02", "2026-03-09",
    }  # fmt: skip
    await site.services.db.execute(
        'insert into company_setting (key, value) values (\'general\', \'{"name": "", "time_zone": "UTC"}\')'
    )
    elsewhere = await boss.get("/api/reports/activity", **DAY, unit="month")
    assert (
        next(cell for cell in elsewhere["cells"] if cell["agent_id"] is None and cell["bucket"] is None)["follow_ups"]
        == 6
    )


@pytest.mark.parametrize("figure", FIGURES)
async def test_every_figure_is_the_number_of_its_rows(site: Site, figure: str) -> None:
    boss, _one, _two = await furnish(site)
    found = await boss.get("/api/reports/activity", **DAY, unit="day")
    for cell in found["cells"]:
        span = DAY if cell["bucket"] is None else {"first": cell["bucket"], "last": cell["bucket"]}
        rows, cursor = [], None
        while True:
            page = await boss.get(
                "/api/reports/activity/rows", **span, figure=figure, owner_id=cell["agent_id"], cursor=cursor, limit=1
            )
            rows += page["rows"]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert len(rows) == cell[figure], (cell, figure)


async def test_a_manager_of_a_team_sees_its_people_and_no_customer_beyond_their_reach(site: Site) -> None:
    ours, theirs = await site.team("我们"), await site.team("他们")
    admin = await site.signed_in("admin")
    body = {"name": "组长", "permissions": ["inbox.read", "customers.read", "customers.reports"], "reach": "team"}
    key = (await admin.post("/api/roles", body, status=201))["key"]
    lead = await site.agent("rep", teams=(ours,))
    assert (await admin.call("PATCH", f"/api/agents/{lead}", json={"role": key}))[0] == 200
    browser = await site.sign_in(lead)
    mine, other = await site.agent("rep", teams=(ours,)), await site.agent("rep", teams=(theirs,))
    hidden = await customer(site, other)
    await follow(site, mine, hidden, "2026-03-09T03:00:00+00:00")
    await follow(site, other, hidden, "2026-03-09T04:00:00+00:00")
    found = await browser.get("/api/reports/activity", **DAY)
    assert found["agents"] == [mine]
    (row,) = (await browser.get("/api/reports/activity/rows", **DAY, figure="follow_ups"))["rows"]
    assert (row["hidden"], row["customer_id"], row["customer_name"], row["text"]) == (True, None, None, "")
    assert (await browser.call("GET", "/api/reports/activity", params={**DAY, "owner_id": str(other)}))[0] == 404
    assert (await (await site.signed_in("rep")).call("GET", "/api/reports/activity"))[0] == 403


async def test_exports_hold_what_the_page_shows(site: Site) -> None:
    boss, *_ = await furnish(site)
    query: dict[str, Any] = {"params": {**DAY, "unit": "month"}}
    status, raw = await boss.call("GET", "/api/reports/activity/csv", **query)
    lines = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"))))
    assert (status, lines[0][:3], lines[-1]) == (
        200,
        ["同事", "时间", "跟进次数"],
        ["合计", "全部时间", "5", "2", "1", "2", "2"],
    )
    status, raw = await boss.call("GET", "/api/reports/activity/xlsx", **query)
    sheet = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(raw)).get_sheet_by_index(0).to_python()
    assert (status, sheet[-1]) == (200, ["合计", "全部时间", 5.0, 2.0, 1.0, 2.0, 2.0])
    taken = await site.services.db.fetch("select detail from audit_event where action = 'report.exported' order by id")
    assert [row["detail"]["as"] for row in taken] == ["csv", "xlsx"]
