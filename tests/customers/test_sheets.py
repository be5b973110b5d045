"""Sheets in and out: what is read, what a dry run promises, a run that is killed, what a file of a stranger cannot do."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import xlsxwriter

from customers.sheets import exporting, importing
from customers.sheets.exporting import harmless
from customers.sheets.unpack import Unreadable, unpack
from scrm.jobs import Job
from tests.customers.test_listing import add
from tests.http.site import Browser, Site

HEAD = "姓名,手机号,公司,城市,金额,标签,性别\n"


def sheet(rows: list[list[Any]], *, formula: str = "", merged: bool = False) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    page = book.add_worksheet()
    for n, row in enumerate(rows):
        page.write_row(n, 0, row)
    if formula:
        page.write_formula(len(rows), 0, formula, None, "算出来的")
    if merged:
        page.merge_range(len(rows) + 1, 0, len(rows) + 1, 2, "合并的")
    book.close()
    return out.getvalue()


def unpacked(tmp_path: Path, data: bytes) -> dict[str, Any]:
    source = tmp_path / "in"
    source.write_bytes(data)
    return unpack(source, tmp_path / "out")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_csv_is_read_in_every_usual_encoding(tmp_path: Path, encoding: str) -> None:
    found = unpacked(tmp_path, "姓名\t城市\n张三\t杭州\n".encode(encoding))
    assert (found["head"], found["sample"], found["rows"]) == (["姓名", "城市"], [["张三", "杭州"]], 1)


def test_formulas_are_read_as_their_result_and_merged_cells_are_noted(tmp_path: Path) -> None:
    found = unpacked(tmp_path, sheet([["姓名", "手机号"], ["张三", 13812345678]], formula="=1+1", merged=True))
    assert found["sample"][0] == ["张三", "13812345678"]
    assert found["sample"][1] == ["算出来的"]
    assert set(found["notes"]) == {"formulas", "merged"}


def bomb() -> bytes:
    out = io.BytesIO()
    with (
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/worksheets/sheet1.xml", "w") as one,
    ):
        for _ in range(420):
            one.write(b"\0" * (1 << 20))
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        ("姓名,城市\n".encode(), "empty"),
        (b"\xff\x00\x81\x00\x81" * 50, "encoding"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "not_a_sheet"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "old_format"),
        (b"PK\x03\x04nothing", "not_a_sheet"),
        ((",".join(["x"] * 1_000_000) + "\n1\n").encode(), "too_many_columns"),
        (("姓名\n" + "张\n" * 200_001).encode(), "too_many_rows"),
    ],
)
def test_a_wrong_file_is_told_what_is_wrong(tmp_path: Path, data: bytes, code: str) -> None:
    with pytest.raises(Unreadable, match=code):
        unpacked(tmp_path, data)


def test_a_bomb_does_not_go_off(tmp_path: Path) -> None:
    data = bomb()
    assert len(data) < 1 << 20
    with pytest.raises(Unreadable, match="bomb"):
        unpacked(tmp_path, data)


async def uploaded(browser: Browser, data: bytes, name: str = "客户.csv") -> int:
    form = aiohttp.FormData()
    form.add_field("file", data, filename=name, content_type="application/octet-stream")
    status, answer = await browser.call("POST", "/api/uploads", data=form)
    assert status == 201, answer
    return int(answer["id"])


async def work_off(site: Site, kind: str = importing.RUN) -> None:
    while row := await site.services.db.fetchrow(
        "update job set state = 'done' where id = (select id from job where kind = $1 and state = 'queued' limit 1) returning *",
        kind,
    ):
        handler = importing.run if kind == importing.RUN else exporting.run
        await handler(site.services, Job(row["id"], kind, row["dedupe_key"], row["payload"], 1))


async def outcome(site: Site) -> list[tuple[Any, ...]]:
    rows = await site.services.db.fetch(
        "select name, phone, company, city, value_fen, tags, gender, owner_id, source from customer order by phone, name"
    )
    return [tuple(row) for row in rows]


def many(n: int) -> bytes:
    lines = [
        f"客户{i},138{i:08d},公司{i % 7},杭州,{i}.5,{'医疗' if i % 3 else ''},{'男' if i % 2 else '女'}"
        for i in range(n)
    ]
    return (HEAD + "\n".join(lines) + "\n").encode("gbk")


async def test_a_dry_run_promises_what_the_real_one_does(site: Site) -> None:
    boss = await site.signed_in("manager")
    group = await site.services.db.fetchval("insert into tag_group (name) values ('行业') returning id")
    tag = await site.services.db.fetchval(
        "insert into tag (tag_group_id, name) values ($1, '医疗') returning id", group
    )
    there = await add(site, "老客户", phone="13800000001", city="上海")
    rows = (
        "张三,13800000001,新公司,,100,医疗,男\n李四,+86 138 0000 0002,,杭州,1.2万,,\n重复,13800000002,,,,,\n"
        ",,,杭州,,,\n坏号,12345,,,,,\n坏标签,13800000003,,,,没有的,\n无电话,,,,,,女\n"
    )
    made = await boss.post(
        "/api/customer-imports", {"attachment_id": await uploaded(boss, (HEAD + rows).encode("gbk"))}, status=201
    )
    assert made["mapping"] == ["name", "phone", "company", "city", "value", "tags", "gender"]
    assert (made["encoding"], made["rows"], made["state"]) == ("gb18030", 7, "uploaded")
    place = f"/api/customer-imports/{made['id']}"
    status, _ = await boss.call("POST", f"{place}/run")
    assert status == 409
    before = await outcome(site)
    await boss.post(
        f"{place}/check",
        {"mapping": made["mapping"], "existing": "update", "source": "展会", "owner_id": boss.me["agent"]["id"]},
    )
    await work_off(site)
    promised = await boss.get(place)
    assert (promised["state"], promised["created"], promised["updated"], promised["skipped"], promised["failed"]) == (
        "checked",
        2,
        1,
        1,
        3,
    )
    assert await outcome(site) == before
    await boss.post(f"{place}/run")
    await work_off(site)
    kept = await boss.get(place)
    assert kept["state"] == "done"
    assert {k: kept[k] for k in ("created", "updated", "skipped", "failed")} == {
        k: promised[k] for k in ("created", "updated", "skipped", "failed")
    }
    me = boss.me["agent"]["id"]
    assert await outcome(site) == [
        ("无电话", "", "", "", None, [], "female", me, "展会"),
        ("李四", "+8613800000002", "", "杭州", 1200000, [], "", me, "展会"),
        ("张三", "13800000001", "新公司", "上海", 10000, [tag], "male", None, "展会"),
    ]
    assert await site.services.db.fetchval("select id from customer where name = '张三'") == there
    status, body = await boss.call("GET", f"{place}/errors")
    text = body.decode("utf-8-sig")
    assert status == 200
    assert "与第 3 行是同一个手机号" in text
    assert "没有标签" in text
    stranger = await site.signed_in("admin")
    status, _ = await stranger.call("GET", place)
    assert status == 404
    # The next sheet of this person knows what its columns mean.
    again = await boss.post(
        "/api/customer-imports",
        {"attachment_id": await uploaded(boss, "称呼,手机号\n王五,13800000009\n".encode())},
        status=201,
    )
    await boss.post(f"/api/customer-imports/{again['id']}/check", {"mapping": ["name", "phone"]})
    third = await boss.post(
        "/api/customer-imports",
        {"attachment_id": await uploaded(boss, "称呼,手机号\n赵六,13800000010\n".encode())},
        status=201,
    )
    assert third["mapping"] == ["name", "phone"]


async def test_a_run_that_was_killed_goes_on_and_does_each_row_once(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    boss = await site.signed_in("manager")
    group = await site.services.db.fetchval("insert into tag_group (name) values ('行业') returning id")
    await site.services.db.execute("insert into tag (tag_group_id, name) values ($1, '医疗')", group)
    made = await boss.post("/api/customer-imports", {"attachment_id": await uploaded(boss, many(1700))}, status=201)
    place = f"/api/customer-imports/{made['id']}"
    await boss.post(f"{place}/check", {"mapping": made["mapping"]})
    await work_off(site)
    await boss.post(f"{place}/run")
    job = await site.services.db.fetchrow("select * from job where kind = $1 and state = 'queued'", importing.RUN)
    assert job is not None
    real = importing.apply
    runs = 0

    async def dies(*arguments: Any) -> None:
        nonlocal runs
        runs += 1
        await real(*arguments)
        if runs == 2:
            raise ConnectionError("killed after it was written and before it was committed")

    monkeypatch.setattr(importing, "apply", dies)
    with pytest.raises(ConnectionError):
        await importing.run(site.services, Job(1, importing.RUN, "", job["payload"], 1))
    assert (await boss.get(place))["created"] == 500
    await importing.run(site.services, Job(1, importing.RUN, "", job["payload"], 2))
    done = await boss.get(place)
    assert (done["state"], done["created"]) == ("done", 1700)
    found = await outcome(site)
    assert len(found) == len({row[1] for row in found}) == 1700
    assert sum(bool(row[5]) for row in found) == sum(1 for i in range(1700) if i % 3)
    assert await site.services.db.fetchval("select count(*) from phone_number") == 1700


async def test_exports_hold_what_one_sees_masked_and_harmless(site: Site) -> None:
    boss = await site.signed_in("manager")
    await add(site, "=HYPERLINK(1)", phone="13812345678", city="杭州", value_fen=12345)
    await add(site, "另一位", city="上海")
    body = {
        "target": {"filter": {"parts": [{"field": "city", "op": "is", "value": "杭州"}]}},
        "columns": ["name", "phone", "value"],
        "format": "csv",
    }
    made = (await boss.post("/api/customer-exports", body, status=201))["exports"][0]
    status, _ = await boss.call("GET", f"/api/customer-exports/{made['id']}/file")
    assert status == 404
    await work_off(site, exporting.RUN)
    status, data = await boss.call("GET", f"/api/customer-exports/{made['id']}/file")
    assert status == 200
    assert data.decode("utf-8-sig").splitlines() == ["姓名,手机号,预计金额", "'=HYPERLINK(1),13812345678,123.45"]
    other = await site.signed_in("admin")
    status, _ = await other.call("GET", f"/api/customer-exports/{made['id']}/file")
    assert status == 404
    lines = await site.services.db.fetch(
        "select action, detail from audit_event where action like 'customer.export%' order by id"
    )
    assert [row["action"] for row in lines] == [
        "customer.export_started",
        "customer.exported",
        "customer.export_fetched",
    ]
    assert lines[1]["detail"]["count"] == 1
    made = (await boss.post("/api/customer-exports", {**body, "format": "xlsx"}, status=201))["exports"][0]
    await work_off(site, exporting.RUN)
    status, data = await boss.call("GET", f"/api/customer-exports/{made['id']}/file")
    assert data[:2] == b"PK"
    await site.services.db.execute("update customer_export set expires_at = now() - interval '1 second'")
    status, _ = await boss.call("GET", f"/api/customer-exports/{made['id']}/file")
    assert status == 404


def test_only_what_could_be_a_formula_gets_an_apostrophe() -> None:
    assert [harmless(one) for one in ("=1+1", "@x", "-cmd", "+8613812345678", "-12.5", "张三")] == [
        "'=1+1", "'@x", "'-cmd", "+8613812345678", "-12.5", "张三",
    ]  # fmt: skip
