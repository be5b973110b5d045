"""Inspection: what is drawn, what a score is, and the way from a score to a decided appeal."""

from __future__ import annotations

import hashlib
import io
import uuid
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.quality.arithmetic import outcome
from audit.quality.draw import draw_due, last_period
from audit.quality.talks import TalkKeeper
from audit.quality.views import MarkInput, SheetItem
from scrm.errors import Unprocessable
from scrm.jobs import Job
from scrm.services import Services
from tests.http.site import Browser, Site, running

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
"""Noon in Shanghai, on a Monday."""
WHOLE = {"first": "2026-03-01", "last": "2026-03-31"}
ITEMS = [
    {"key": "hello", "name": "开场", "points": 20},
    {"key": "answer", "name": "解答", "points": 60},
    {"key": "tone", "name": "语气", "points": 20},
    {"key": "never", "name": "辱骂客户", "points": 0, "veto": True},
]
BASE = "/api/audit/quality"


@pytest.fixture
async def site(services: Services) -> AsyncIterator[Site]:
    async with running(services) as site:
        yield site


async def kept(site: Site) -> None:
    keeper = TalkKeeper(site.services)
    await keeper.round()
    while await keeper.round():
        pass


async def talk(site: Site, conversation: int, agent: int, day: int, *, minutes: int = 1, answers: int = 1) -> None:
    at = NOON + timedelta(days=day)
    await site.says(conversation, "在吗", sent_at=at)
    for n in range(answers):
        later = at + timedelta(minutes=minutes + n)
        await site.says(conversation, "在的", direction="out", sender_agent_id=agent, sent_at=later)


async def a_sheet(browser: Browser) -> int:
    made = await browser.post(f"{BASE}/sheets", {"name": "服务", "items": ITEMS, "pass_percent": 80}, status=201)
    await browser.post(f"{BASE}/sheets/{made['id']}/publish")
    return int(made["id"])


async def a_plan(browser: Browser, **data: Any) -> int:
    body = {"name": "每周抽检", "sheet_id": await a_sheet(browser), "data": data, "client_token": uuid.uuid4().hex}
    return int((await browser.post(f"{BASE}/plans", body, status=201))["id"])


async def drawn(browser: Browser, plan: int, **more: Any) -> Any:
    body = {**WHOLE, "client_token": uuid.uuid4().hex, **more}
    return (await browser.post(f"{BASE}/plans/{plan}/draw", body, status=201))["draws"][0]


async def samples(site: Site, draw: int | None = None) -> list[tuple[int, date, int]]:
    sql = "select conversation_id, day, agent_id from quality_sample where $1::bigint is null or draw_id = $1 order by 1, 2"
    return [tuple(row) for row in await site.services.db.fetch(sql, draw)]


async def test_a_drawing_follows_from_its_seed_and_never_repeats(site: Site) -> None:
    auditor = await site.signed_in("auditor")
    reps = [await site.agent("rep"), await site.agent("rep")]
    account = await site.account(await site.connection())
    all_of: dict[int, list[tuple[int, date]]] = {rep: [] for rep in reps}
    for rep in reps:
        for _ in range(2):
            conversation = await site.conversation(account)
            for day in range(4):
                await talk(site, conversation, rep, day)
                all_of[rep].append((conversation, date(2026, 3, 2) + timedelta(days=day)))
    await kept(site)
    plan = await a_plan(auditor, by="number", amount=3)
    token = uuid.uuid4().hex
    first = await drawn(auditor, plan, client_token=token)
    assert (first["candidates"], first["drawn"]) == (16, 6)
    assert await drawn(auditor, plan, client_token=token) == first

    def chance(seed: str, one: tuple[int, date]) -> str:
        return hashlib.md5(f"{seed}:{one[0]}:{one[1]}".encode(), usedforsecurity=False).hexdigest()

    expected = {
        (*one, rep) for rep in reps for one in sorted(all_of[rep], key=lambda one: chance(first["seed"], one))[:3]
    }
    assert set(await samples(site, first["id"])) == expected
    second, third, empty = [await drawn(auditor, plan) for _ in range(3)]
    assert [one["drawn"] for one in (second, third, empty)] == [6, 4, 0]
    everything = await samples(site)
    assert len(everything) == len(set(everything)) == 16


async def test_only_what_meets_the_conditions_is_drawn(site: Site) -> None:
    auditor = await site.signed_in("auditor")
    team = await site.team("售后")
    quick, slow = await site.agent("rep"), await site.agent("rep", teams=(team,))
    account = await site.account(await site.connection())
    one, other = await site.conversation(account), await site.conversation(account)
    await talk(site, one, quick, 0, answers=6)
    await talk(site, other, slow, 1, minutes=45)
    await kept(site)

    async def found(**data: Any) -> list[int]:
        got = await drawn(auditor, await a_plan(auditor, **data))
        return sorted(row[0] for row in await samples(site, got["id"]))

    assert await found() == [one, other]
    assert await found(conditions={"slow_minutes": 30}) == [other]
    assert await found(conditions={"messages_at_least": 5}) == [one]
    assert await found(conditions={"slow_minutes": 30, "messages_at_least": 5}) == []
    assert await found(team_ids=[team]) == [other]
    assert await found(agent_ids=[quick]) == [one]
    assert await found(channels=["elsewhere"]) == []
    await site.services.db.execute(
        "insert into alert (kind, severity, title, conversation_id, fingerprint, happened_at, raised_at) "
        "values ('x', 'low', '{}', $1, 'f', $2, $2)",
        one, NOON,
    )  # fmt: skip
    assert await found(conditions={"had_alert": True}) == [one]
    assert await found(by="percent", amount=1) == [one, other]


@given(
    points=st.lists(st.tuples(st.integers(1, 100), st.booleans()), min_size=1, max_size=8),
    chances=st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=8, max_size=8),
    line=st.integers(0, 100),
)
def test_a_score_is_the_share_of_its_points(
    points: list[tuple[int, bool]], chances: list[tuple[float, bool]], line: int
) -> None:
    items = [SheetItem(key=f"i{n}", name="x", points=most, veto=veto) for n, (most, veto) in enumerate(points)]
    marks = [
        MarkInput(item=item.key, points=round(item.points * share), failed=failed and item.veto)
        for item, (share, failed) in zip(items, chances, strict=False)
    ]
    got = outcome(items, marks, line)
    share = Decimal(100) * sum(mark.points for mark in marks) / sum(item.points for item in items)
    failed = any(mark.failed for mark in marks)
    percent = 0 if failed else int(share.quantize(Decimal(1), ROUND_HALF_UP))
    assert (got.percent, got.vetoed, got.passed) == (percent, failed, not failed and percent >= line)
    with pytest.raises(Unprocessable):
        outcome(items, marks[:-1], line)
    with pytest.raises(Unprocessable):
        outcome(items, [marks[0].model_copy(update={"points": items[0].points + 1}), *marks[1:]], line)


def marks(hello: int = 20, answer: int = 60, tone: int = 20, never: bool = False) -> dict[str, Any]:
    points = {"hello": hello, "answer": answer, "tone": tone, "never": 0}
    return {"marks": [{"item": key, "points": n, "failed": key == "never" and never} for key, n in points.items()]}


async def a_sample(site: Site, auditor: Browser, rep: int, **columns: Any) -> int:
    conversation = await site.conversation(await site.account(await site.connection(), **columns))
    await talk(site, conversation, rep, 0)
    await kept(site)
    await drawn(auditor, await a_plan(auditor))
    (found,) = (await auditor.get(f"{BASE}/samples", state="due"))["samples"]
    return int(found["id"])


async def test_from_a_score_to_a_decided_appeal(site: Site) -> None:
    auditor, manager = await site.signed_in("auditor"), await site.signed_in("manager")
    rep, other = await site.signed_in("rep"), await site.signed_in("rep")
    me = rep.me["agent"]["id"]
    one = f"{BASE}/samples/{await a_sample(site, auditor, me)}"
    mine = f"/api/me/quality/{one.rsplit('/', 1)[1]}/appeal"
    assert (await rep.get("/api/me/quality"))["results"] == []
    assert (await rep.call("POST", mine, json={"reason": "太早"}))[0] == 404
    got = await auditor.post(f"{one}/score", marks(answer=30))
    assert (got["sample"]["state"], got["sample"]["percent"], got["sample"]["passed"]) == ("scored", 70, False)
    assert (await auditor.call("POST", f"{one}/score", json=marks()))[0] == 409
    assert (await auditor.call("POST", f"{one}/review", json=marks()))[0] == 403
    await manager.post(f"{one}/review", marks(answer=30, tone=10))
    (result,) = (await rep.get("/api/me/quality"))["results"]
    assert (result["percent"], result["may_appeal"]) == (60, True)
    assert (await other.get("/api/me/quality"))["results"] == []
    assert (await other.call("POST", mine, json={"reason": "不是我的"}))[0] == 404
    assert (await rep.call("GET", one))[0] == 403
    assert (await rep.post(mine, {"reason": "客户已满意"}))["may_appeal"] is False
    assert (await rep.call("POST", mine, json={"reason": "再来一次"}))[0] == 409
    body = {"note": "补查了录音", "score": marks(answer=50)}
    done = await manager.post(f"{one}/decide", body)
    assert (done["sample"]["state"], done["sample"]["percent"], done["decision"]) == ("closed", 90, "changed")
    assert (await manager.call("POST", f"{one}/decide", json=body))[0] == 409
    assert [(line["what"], line["agent_id"]) for line in done["history"]] == [
        ("scored", auditor.me["agent"]["id"]),
        ("reviewed", manager.me["agent"]["id"]),
        ("appealed", me),
        ("decided", manager.me["agent"]["id"]),
    ]
    (result,) = (await rep.get("/api/me/quality"))["results"]
    assert (result["percent"], result["decision_note"]) == (90, "补查了录音")
    trail = await site.services.db.fetch(
        "select action, detail from audit_event where object_kind = 'quality_sample' order by id"
    )
    assert [row["action"].split(".")[1] for row in trail] == ["scored", "reviewed", "appealed", "decided"]
    # Whom it is about hears of each result, and who scored of the appeal.
    heard = [
        (one["kind"], one["data"].get("percent")) for one in (await rep.get("/api/notifications"))["notifications"]
    ]
    assert sorted(heard) == [("quality_decided", 90), ("quality_scored", 60), ("quality_scored", 70)]
    assert [one["kind"] for one in (await auditor.get("/api/notifications"))["notifications"]] == ["quality_appealed"]
    assert not (await manager.get("/api/notifications"))["notifications"]
    assert "客户已满意" not in str([row["detail"] for row in trail])
    results = await auditor.get(f"{BASE}/results", **WHOLE)
    assert results["agents"] == [{"agent_id": me, "samples": 1, "average": 90.0, "passed": 1, "vetoed": 0}]
    assert {one["name"]: one["share"] for one in results["items"]} == {
        "开场": 100.0, "解答": 83.3, "语气": 100.0, "辱骂客户": 100.0,
    }  # fmt: skip
    assert {(one["week"], one["name"]) for one in results["weeks"]} >= {("2026-03-02", ""), ("2026-03-02", "解答")}


async def test_nobody_judges_a_chat_of_their_own(site: Site) -> None:
    auditor, manager = await site.signed_in("auditor"), await site.signed_in("manager")
    sample = await a_sample(site, auditor, manager.me["agent"]["id"])
    status, said = await manager.call("POST", f"{BASE}/samples/{sample}/score", json=marks())
    assert (status, said["error"]) == (403, "own_chat")
    assert (await auditor.post(f"{BASE}/samples/{sample}/score", marks(never=True)))["sample"]["percent"] == 0


async def test_what_was_published_is_not_changed(site: Site) -> None:
    auditor = await site.signed_in("auditor")
    sample = await a_sample(site, auditor, await site.agent("rep"))
    (sheet,) = (await auditor.get(f"{BASE}/sheets"))["sheets"]
    changed = {"name": "服务", "items": ITEMS[:1], "pass_percent": 50}
    status, after = await auditor.call("PATCH", f"{BASE}/sheets/{sheet['id']}", json=changed)
    assert status == 200
    assert [(one["version"], len(one["items"])) for one in after["versions"]] == [(2, 1), (1, 4)]
    assert len((await auditor.get(f"{BASE}/samples/{sample}"))["items"]) == 4
    with pytest.raises(Exception, match="published"):
        await site.services.db.execute("update quality_sheet_version set pass_percent = 1 where version = 1")
    await auditor.post(f"{BASE}/sheets/{sheet['id']}/publish")
    assert (await auditor.call("POST", f"{BASE}/sheets/{sheet['id']}/publish"))[0] == 409


async def test_everything_of_it_stays_within_reach(site: Site) -> None:
    auditor = await site.signed_in("auditor")
    here, there = await site.team("这边"), await site.team("那边")
    async with site.services.work() as work:
        await work.tx.execute(
            "insert into role (key, name, permissions, reach) values ('narrow', '窄', $1, 'team')",
            ["audit.read", "audit.review", "audit.evidence"],
        )
    narrow, wide = await site.signed_in("narrow", teams=(here,)), await site.signed_in("narrow", teams=(there,))
    sample = await a_sample(site, auditor, await site.agent("rep"), team_id=there)
    await auditor.post(f"{BASE}/samples/{sample}/score", marks())
    page = await narrow.get(f"{BASE}/samples")
    assert page["samples"] == []
    assert not any(page["counts"].values())
    assert (await narrow.call("GET", f"{BASE}/samples/{sample}"))[0] == 404
    assert (await narrow.call("POST", f"{BASE}/samples/{sample}/review", json=marks()))[0] == 404
    assert (await narrow.get(f"{BASE}/results", **WHOLE))["agents"] == []
    assert (await narrow.get(f"{BASE}/service", **WHOLE))["rows"] == []
    (plan,) = (await narrow.get(f"{BASE}/plans"))["plans"]
    assert (plan["samples"], plan["draws"][0]["drawn"]) == (0, 0)
    assert len((await wide.get(f"{BASE}/samples"))["samples"]) == 1
    assert len((await wide.get(f"{BASE}/service", **WHOLE))["rows"]) == 1


async def test_the_service_report_adds_up_and_goes_out_with_a_mark(site: Site) -> None:
    auditor = await site.signed_in("auditor")
    rep = await site.agent("rep")
    account = await site.account(await site.connection())
    one, lost = await site.conversation(account), await site.conversation(account, assignee_id=rep)
    await talk(site, one, rep, 0, answers=3)
    await talk(site, one, rep, 1)
    await site.says(lost, "有人吗", sent_at=NOON)
    await site.services.db.execute(
        "insert into figure_day (day, account_id, agent_id, sla_met, sla_breached, scores, first_seconds) "
        "values ('2026-03-02', $1, $2, 3, 1, '{4,5}', '{10,20,30,40,50,60,70,80,90,100}')",
        account, rep,
    )  # fmt: skip
    await kept(site)
    (row,) = (await auditor.get(f"{BASE}/service", **WHOLE))["rows"]
    assert row == {
        "agent_id": rep, "conversations": 1, "messages": 4, "after_hours": 0, "unanswered": 1, "answers": 10, "first_median": 50,
        "first_p90": 90, "next_median": None, "sla_met": 3, "sla_breached": 1, "survey_score": 4.5, "surveys": 2, "inspected": 0,
        "inspection": None,
    }  # fmt: skip
    status, raw = await auditor.call("GET", f"{BASE}/service/xlsx", params=WHOLE)
    strings = zipfile.ZipFile(io.BytesIO(raw)).read("xl/sharedStrings.xml").decode()
    assert status == 200
    assert auditor.me["agent"]["login"] in strings
    assert await site.services.db.fetchval("select count(*) from audit_event where action = 'report.exported'") == 1


async def test_plans_by_week_draw_once_a_week(site: Site) -> None:
    auditor = await site.signed_in("auditor")
    today = site.services.clock.now().astimezone(UTC).date()
    monday, sunday = last_period("weekly", today - timedelta(days=1))
    assert (monday.weekday(), (sunday - monday).days) == (0, 6)
    assert last_period("monthly", date(2026, 3, 1)) == (date(2026, 2, 1), date(2026, 2, 28))
    body = {"name": "周检", "sheet_id": await a_sheet(auditor), "schedule": "weekly", "data": {}}
    await auditor.post(f"{BASE}/plans", body, status=201)
    for _ in range(2):
        await draw_due(site.services, Job(1, "quality.draw_due", "x", {}, 1))
    assert await site.services.db.fetchval("select count(*) from quality_draw") == 1
