"""Fields that the company defines, and what may stand in them."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from customers.field_indexes import index_fields
from customers.field_values import Choice, Field, Wrong, read, stored, written
from customers.fields import checked, definitions
from scrm.errors import Unprocessable
from scrm.jobs import Job
from scrm.services import Services
from tests.http.site import Site

CHOICES = (Choice("a", "医疗"), Choice("b", "教育"), Choice("c", "旧的", archived=True))


def field(kind: Any, **options: Any) -> Field:
    return Field(1, "f1", "字段", kind, False, CHOICES, False, **options)


@pytest.mark.parametrize(
    ("kind", "text", "value", "words"),
    [
        ("text", " 你好 ", "你好", "你好"),
        ("number", "1,234.50", 1234.5, "1234.5"),
        ("number", "12", 12, "12"),
        ("money", "¥1,234.5", 123450, "1234.50"),
        ("money", "1.2万", 1200000, "12000.00"),
        ("date", "2026年3月1日", "2026-03-01", "2026-03-01"),
        ("date", "2026/3/1 08:00", "2026-03-01", "2026-03-01"),
        ("choice", "教育", "b", "教育"),
        ("multi", "教育，医疗", ["a", "b"], "医疗、教育"),
        ("phone", "138 1234 5678", "+8613812345678", "+8613812345678"),
    ],
)
def test_what_stands_in_a_sheet_is_kept_and_written_again(kind: Any, text: str, value: Any, words: str) -> None:
    kept = stored(field(kind), read(field(kind), text))
    assert kept == value
    assert written(field(kind), kept, phones=True) == words


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("text", 3),
        ("text", "字" * 2001),
        ("number", "3"),
        ("number", float("nan")),
        ("number", True),
        ("money", 1.5),
        ("money", -1),
        ("date", "2026-02-30"),
        ("choice", "x"),
        ("multi", "a"),
        ("multi", ["a", "x"]),
        ("phone", "138****5678"),
        ("phone", "12"),
        ("file", [{"name": "a"}]),
    ],
)
def test_what_does_not_fit_is_refused(kind: Any, value: Any) -> None:
    with pytest.raises(Wrong):
        stored(field(kind), value)


def test_phones_are_masked_for_who_may_not_read_them() -> None:
    assert written(field("phone"), "+8613812345678", phones=False) == "+86*******5678"


async def test_fields_are_defined_renamed_ordered_and_put_away(site: Site) -> None:
    boss = await site.signed_in("manager")
    made = await boss.post(
        "/api/customer-fields", {"name": "行业", "kind": "choice", "choices": [{"name": "医疗"}]}, status=201
    )
    industry = made["fields"][0]
    status, problem = await boss.call("POST", "/api/customer-fields", json={"name": "行业", "kind": "text"})
    assert (status, problem["error"]) == (409, "name_taken")
    made = await boss.post("/api/customer-fields", {"name": "预算", "kind": "money", "required": True}, status=201)
    budget = made["fields"][1]
    status, after = await boss.call(
        "PATCH",
        f"/api/customer-fields/{industry['id']}",
        json={"position": 1, "choices": [{"name": "教育"}]},
    )
    assert status == 200
    assert [one["name"] for one in after["fields"]] == ["预算", "行业"]
    # The choice that was left out stays for those who have it.
    assert [(one["name"], one["archived"]) for one in after["fields"][1]["choices"]] == [
        ("教育", False),
        ("医疗", True),
    ]
    async with site.services.work() as work:
        with pytest.raises(Unprocessable) as caught:
            await checked(work.tx, {industry["key"]: "nothing"}, whole=True)
        assert set(caught.value.fields) == {f"fields.{industry['key']}", f"fields.{budget['key']}"}
        old = {industry["key"]: industry["choices"][0]["key"]}
        assert await checked(work.tx, {budget["key"]: 100}, before=old) == {**old, budget["key"]: 100}
        assert await checked(work.tx, {industry["key"]: None}, before=old) == {}
    status, _ = await boss.call("PATCH", f"/api/customer-fields/{budget['id']}", json={"archived": True})
    assert status == 200
    async with site.services.work() as work:
        with pytest.raises(Unprocessable):
            await checked(work.tx, {budget["key"]: 100})
    rep = await site.signed_in("rep")
    assert len((await rep.get("/api/customer-fields"))["fields"]) == 2
    status, _ = await rep.call("POST", "/api/customer-fields", json={"name": "别的", "kind": "text"})
    assert status == 403


async def test_indexes_follow_the_fields_that_are_compared(services: Services) -> None:
    job = Job(1, "x", "x", {}, 1)
    await services.db.execute(
        "insert into custom_field (key, name, kind) values ('f1', '预算', 'money'), ('f2', '备注', 'text')"
    )
    await index_fields(services, job)
    names = "select array_agg(indexname order by 1) from pg_indexes where indexname like 'customer\\_field\\_%'"
    assert await services.db.fetchval(names) == ["customer_field_f1"]
    await services.db.execute("update custom_field set archived_at = now()")
    await index_fields(services, job)
    assert await services.db.fetchval(names) is None
    assert all(one.archived for one in await definitions(services.db))


async def test_a_field_holds_files_of_its_customer_only(site: Site) -> None:
    boss = await site.signed_in("manager")
    made = await boss.post("/api/customer-fields", {"name": "合同", "kind": "file"}, status=201)
    key = made["fields"][0]["key"]
    mine, other = [
        (await boss.post("/api/customers", {"name": name, "client_token": f"files-{name}-0001"}, status=201))["id"]
        for name in ("first", "second")
    ]
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("file", b"%PDF-1.4 contract", filename="合同.pdf", content_type="application/pdf")
    status, kept = await boss.call("POST", f"/api/customers/{mine}/files", data=form)
    assert status == 201, kept

    async def write(customer_id: int, files: list[int]) -> tuple[int, Any]:
        version = await site.services.db.fetchval("select version from customer where id = $1", customer_id)
        body = {"version": version, "fields": {key: [{"id": one} for one in files]}}
        return await boss.call("PATCH", f"/api/customers/{customer_id}", json=body)

    assert (await write(other, [kept["id"]]))[0] == 422
    status, answer = await write(mine, [kept["id"]])
    assert status == 200, answer
    held = await site.services.db.fetchval("select fields from customer where id = $1", mine)
    assert [(one["id"], one["name"]) for one in held[key]] == [(kept["id"], "合同.pdf")]
    status, problem = await boss.call("DELETE", f"/api/customer-files/{kept['id']}")
    assert (status, problem["error"]) == (409, "file_in_field")
    assert (await write(mine, []))[0] == 200
    assert (await boss.call("DELETE", f"/api/customer-files/{kept['id']}"))[0] == 204
