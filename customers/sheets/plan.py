"""What becomes of each row of a chunk. The dry run and the real one ask here; only the real one then does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from customers.field_values import Field, Wrong, fen, normalised_phone, read, stored
from customers.scope import CHANGED, CustomerScope
from scrm.permissions import Principal
from scrm.services import Work

Existing = Literal["skip", "update", "create"]
GENDERS = {"男": "male", "女": "female", "male": "male", "female": "female", "m": "male", "f": "female"}
LONGEST = {
    "name": 100,
    "company": 100,
    "position": 100,
    "city": 100,
    "source": 100,
    "email": 100,
    "address": 300,
    "remark": 2000,
}

KEYS = """
insert into customer_import_key (import_id, attempt, key, row)
select $1, $2, k.key, min(k.row) from unnest($3::text[], $4::bigint[]) k (key, row) group by k.key
on conflict do nothing
"""
FIRST = "select key, row from customer_import_key where import_id = $1 and attempt = $2 and key = any($3::text[])"
# Joined as sets: whatever the planner believes about a table that grows under it, no number is looked for by reading the whole table.
KNOWN = """
select f.phone, min(f.id) as id from (
  select p.phone, p.customer_id as id from phone_number p join customer u on u.id = p.customer_id
  where p.phone = any($1::text[]) and u.merged_into is null and u.deleted_at is null
  union all
  select w.phone, u.id from unnest($1::text[]) phones (phone)
    cross join lateral (values (phones.phone, phones.phone), (phones.phone, substr(phones.phone, 4))) w (phone, written)
    join customer u on u.phone = w.written
  where u.phone <> '' and u.merged_into is null and u.deleted_at is null
) f group by 1
"""
MAY = f"select u.id from customer u where u.id = any($4::bigint[]) and {CHANGED}"  # noqa: S608 - made of constants


@dataclass(frozen=True, slots=True)
class Problem:
    code: str
    column: str = ""
    zh: str = ""
    en: str = ""

    def plain(self) -> dict[str, str]:
        return {"code": self.code, "column": self.column, "zh": self.zh, "en": self.en}


@dataclass(slots=True)
class Wanted:
    """A row as it was understood. ``customer_id``: who it is about, when there is one already."""

    row: int
    cells: list[str]
    values: dict[str, Any] = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=dict)
    tags: list[int] = field(default_factory=list)
    stage_id: int | None = None
    owner_id: int | None = None
    phone: str = ""
    problems: list[Problem] = field(default_factory=list)
    outcome: Literal["created", "updated", "skipped", "failed"] = "created"
    customer_id: int | None = None

    def fail(self, problem: Problem) -> None:
        self.problems.append(problem)
        self.outcome = "failed"


@dataclass(frozen=True, slots=True)
class Names:
    """What words in a sheet may mean."""

    fields: Mapping[str, Field]
    stages: Mapping[str, int]
    tags: Mapping[str, int]
    agents: Mapping[str, int]


async def names_of(work: Work, fields: Sequence[Field]) -> Names:
    stages = await work.tx.fetch("select id, lower(name) as name from stage where archived_at is null")
    tags = await work.tx.fetch(
        "select t.id, lower(t.name) as name, lower(g.name || '/' || t.name) as whole from tag t join tag_group g on g.id = t.tag_group_id "
        "where t.archived_at is null and g.archived_at is null order by t.id desc"
    )
    agents = await work.tx.fetch(
        "select id, lower(name) as name, lower(login) as login from agent where disabled_at is null"
    )
    return Names(
        {one.key: one for one in fields if not one.archived},
        {row["name"]: row["id"] for row in stages},
        {**{row["name"]: row["id"] for row in tags}, **{row["whole"]: row["id"] for row in tags}},
        {**{row["name"]: row["id"] for row in agents}, **{row["login"]: row["id"] for row in agents}},
    )


def understood(row: int, cells: list[str], mapping: Sequence[str], names: Names) -> Wanted:
    wanted = Wanted(row, cells)
    for place, key in enumerate(mapping):
        text = cells[place].strip() if place < len(cells) else ""
        if not key or not text:
            continue
        try:
            _take(wanted, key, text, names)
        except Wrong as error:
            wanted.fail(Problem("value", key, error.zh, error.en))
    if not wanted.values.get("name") and not wanted.phone:
        wanted.fail(Problem("nameless", "name", "缺少姓名和手机号", "There is neither a name nor a phone number."))
    return wanted


def _take(wanted: Wanted, key: str, text: str, names: Names) -> None:
    if key.startswith("fields."):
        own = names.fields.get(key.removeprefix("fields."))
        value = None if own is None else stored(own, read(own, text))
        if own is not None and value is not None:
            wanted.fields[own.key] = value
    elif key == "phone":
        wanted.phone = normalised_phone(text)
    elif key == "value":
        wanted.values["value_fen"] = fen(text)
    elif key == "gender":
        wanted.values["gender"] = _named(GENDERS, text, "性别请填男或女", "Write male or female.")
    elif key == "stage":
        wanted.stage_id = _named(names.stages, text, f"没有名为“{text}”的阶段", f"There is no stage “{text}”.")
    elif key == "owner":
        wanted.owner_id = _named(names.agents, text, f"没有名为“{text}”的成员", f"There is nobody called “{text}”.")
    elif key == "tags":
        parts = [one.strip() for one in text.replace("，", ",").replace("、", ",").replace(";", ",").split(",")]
        wanted.tags = [_named(names.tags, one, f"没有标签“{one}”", f"There is no tag “{one}”.") for one in parts if one]
    else:
        if len(text) > LONGEST[key]:
            raise Wrong(f"At most {LONGEST[key]} characters.", f"最多 {LONGEST[key]} 个字")
        wanted.values[key] = " ".join(text.split()) if key != "remark" else text


def _named(table: Mapping[str, Any], text: str, zh: str, en: str) -> Any:
    found = table.get(text.strip().lower())
    if found is None:
        raise Wrong(en, zh)
    return found


async def plan(
    work: Work, principal: Principal, import_id: int, attempt: int, rows: Sequence[Wanted], existing: Existing
) -> None:
    """Decides the outcome of each row: who is there already, who stands in the sheet twice."""
    good = [one for one in rows if one.outcome != "failed" and one.phone]
    await work.tx.execute(KEYS, import_id, attempt, [one.phone for one in good], [one.row for one in good])
    first = {
        row["key"]: row["row"] for row in await work.tx.fetch(FIRST, import_id, attempt, [one.phone for one in good])
    }
    known = {row["phone"]: row["id"] for row in await work.tx.fetch(KNOWN, [one.phone for one in good])}
    scope = CustomerScope.of(principal).arguments
    may = {row["id"] for row in await work.tx.fetch(MAY, *scope, list(known.values()))}
    for one in good:
        if first[one.phone] != one.row:
            one.outcome = "skipped"
            n = first[one.phone]
            one.problems.append(
                Problem("twice", "phone", f"与第 {n} 行是同一个手机号", f"Row {n} has the same number.")
            )
        elif one.phone in known and existing != "create":
            one.customer_id = known[one.phone]
            one.outcome = "updated" if existing == "update" else "skipped"
            if existing == "skip":
                one.problems.append(Problem("there", "phone", "客户已存在", "The customer is there already."))
            elif one.customer_id not in may:
                one.fail(
                    Problem(
                        "forbidden",
                        "phone",
                        "客户已存在，且你无权修改",
                        "The customer is there, and not yours to change.",
                    )
                )
