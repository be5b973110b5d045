"""A filter in SQL finds exactly whom plain Python finds, in every order, on both ways through the pages."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from customers import filtering
from customers.field_values import Choice, Field
from customers.filtering import Asking, Condition, Group
from customers.filtering.periods import PERIODS, midnight, today
from customers.listing.cursor import decode, encode
from customers.listing.pages import page
from customers.listing.sorts import Sort, orders
from customers.scope import CustomerScope
from scrm.db import Database
from scrm.errors import Unprocessable

NOW = datetime(2026, 3, 4, 2, 30, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
WORDS = ["张", "三", "李", "四", "医疗", "Ａ", "a", "教育", "A b", "%_"]
KEYS = ("fa", "fb", "fc", "fd", "fe")
FIELDS = {
    "fa": Field(1, "fa", "行业", "choice", False, (Choice("x", "甲"), Choice("y", "乙")), False),
    "fb": Field(2, "fb", "预算", "money", False, (), False),
    "fc": Field(3, "fc", "到期", "date", False, (), False),
    "fd": Field(4, "fd", "兴趣", "multi", False, (Choice("p", "甲"), Choice("q", "乙")), False),
    "fe": Field(5, "fe", "备注", "text", False, (), False),
}


def asking(me: int = 1, **options: Any) -> Asking:
    scope = CustomerScope(everything=True, agent_id=me, teams=None, phones=True)
    return Asking(scope, NOW, ZONE, FIELDS, **options)


def some(dice: random.Random, values: list[Any], most: int = 3) -> list[Any]:
    return sorted(dice.sample(values, dice.randint(0, min(most, len(values)))))


def moment(dice: random.Random) -> datetime | None:
    return dice.choice(
        [None, NOW + timedelta(hours=dice.randint(-24 * 40, 24 * 40)), midnight(today(NOW, ZONE), ZONE).astimezone(UTC)]
    )


def customer(dice: random.Random, agents: list[int], stages: list[int]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if dice.random() < 0.6:
        fields["fa"] = dice.choice("xy")
    if dice.random() < 0.6:
        fields["fb"] = dice.randint(0, 5) * 100
    if dice.random() < 0.6:
        fields["fc"] = (today(NOW, ZONE) + timedelta(days=dice.randint(-10, 10))).isoformat()
    if dice.random() < 0.6:
        fields["fd"] = some(dice, ["p", "q"]) or ["p"]
    if dice.random() < 0.6:
        fields["fe"] = dice.choice(WORDS)
    return {
        "name": "".join(dice.choices(WORDS, k=dice.randint(0, 3))),
        "remark": dice.choice(["", *WORDS]),
        "company": dice.choice(["", *WORDS]),
        "city": dice.choice(["", "杭州", "上海"]),
        "gender": dice.choice(["", "male", "female"]),
        "owner_id": dice.choice([None, *agents]),
        "stage_id": dice.choice([None, *stages]),
        "value_fen": dice.choice([None, 0, 100, 200, 300]),
        "tags": some(dice, [1, 2, 3, 4]),
        "accounts": some(dice, [11, 12, 13]),
        "next_due_at": moment(dice),
        "last_message_at": moment(dice),
        "pooled_at": moment(dice),
        "fields": fields,
    }


def fold(text: str) -> str:
    import unicodedata

    return unicodedata.normalize("NFKC", text).lower()


TEXTS = {"name": "name", "remark": "remark", "company": "company", "city": "city"}
IDS = {"owner": "owner_id", "stage": "stage_id"}


def fits(one: Condition, row: dict[str, Any]) -> bool:
    value: Any = one.value
    if one.field in TEXTS or one.field == "fields.fe":
        text = row["fields"].get("fe", "") if one.field == "fields.fe" else row[one.field]
        return {
            "contains": lambda: fold(value) in fold(text),
            "not_contains": lambda: fold(value) not in fold(text),
            "is": lambda: text == value,
            "is_not": lambda: text != value,
            "in": lambda: text in value,
            "not_in": lambda: text not in value,
            "empty": lambda: text == "",
            "filled": lambda: text != "",
        }[one.op]()
    if one.field == "search":
        own = fold(f"{row['name']} {row['remark']}")
        return all(fold(word) in own or fold(word) in fold(row["company"]) for word in value.split())
    if one.field in IDS or one.field == "fields.fa":
        own = row["fields"].get("fa") if one.field == "fields.fa" else row[IDS[one.field]]
        if one.op in ("empty", "filled"):
            return (own is None) == (one.op == "empty")
        return (own in value) == (one.op == "in")
    if one.field in ("tags", "account", "fields.fd"):
        own = set(
            row["fields"].get("fd", [])
            if one.field == "fields.fd"
            else row["accounts" if one.field == "account" else "tags"]
        )
        if one.op in ("empty", "filled"):
            return (not own) == (one.op == "empty")
        return {"any": bool(own & set(value)), "all": set(value) <= own, "none": not own & set(value)}[one.op]
    if one.field in ("value", "fields.fb"):
        own = row["value_fen"] if one.field == "value" else row["fields"].get("fb")
        if one.op in ("empty", "filled"):
            return (own is None) == (one.op == "empty")
        if own is None:
            return False
        low, high = value if one.op == "between" else (value, value)
        return {"is": own == low, "at_least": own >= low, "at_most": own <= low, "between": low <= own <= high}[one.op]
    if one.field == "pool":
        return (row["owner_id"] is None and row["pooled_at"] is not None) == value
    return in_time(one, row)


def in_time(one: Condition, row: dict[str, Any]) -> bool:
    value: Any = one.value
    this = today(NOW, ZONE)
    if one.field == "fields.fc":
        own: Any = row["fields"].get("fc")
        own = None if own is None else date.fromisoformat(own)
        begin_of, now, step = (lambda day: day), this, timedelta(days=1)
    else:
        own = row[one.field]
        begin_of, now, step = (lambda day: midnight(day, ZONE)), NOW, timedelta(0)
    if one.op in ("empty", "filled"):
        return (own is None) == (one.op == "empty")
    if one.op == "not_last_days":
        return own is None or own < now - timedelta(days=value)
    if own is None:
        return False
    if one.op == "last_days":
        return bool(now - timedelta(days=value) <= own <= now)
    if one.op == "next_days":
        return bool(now <= own < now + timedelta(days=value) + step)
    if one.op == "overdue":
        return bool(own < now)
    if one.op == "due":
        return bool(own < begin_of(this + timedelta(days=1)))
    if one.op == "period":
        first, end = PERIODS[value](this)
        return bool(begin_of(first) <= own < begin_of(end))
    if one.op == "between":
        first, last = (date.fromisoformat(text) for text in value)
        return bool(begin_of(first) <= own < begin_of(last + timedelta(days=1)))
    day = begin_of(date.fromisoformat(value))
    return bool(own < day) if one.op == "before" else bool(own >= day)


def holds(tree: Group | Condition, row: dict[str, Any]) -> bool:
    if isinstance(tree, Condition):
        return fits(tree, row)
    found = [holds(part, row) for part in tree.parts]
    if not found:
        return True
    return {"all": all(found), "any": any(found), "none": not any(found)}[tree.match]


def condition(dice: random.Random, agents: list[int], stages: list[int]) -> Condition:
    day = (today(NOW, ZONE) + timedelta(days=dice.randint(-12, 12))).isoformat()
    kinds: list[tuple[list[str], dict[str, Any]]] = [
        (["name", "remark", "company", "city", "fields.fe"], {
            **dict.fromkeys(("contains", "not_contains", "is", "is_not"), dice.choice(WORDS)),
            **dict.fromkeys(("in", "not_in"), dice.sample(WORDS, 2)), "empty": None, "filled": None}),
        (["search"], {"contains": " ".join(dice.sample(WORDS, 2))}),
        (["owner"], {**dict.fromkeys(("in", "not_in"), dice.sample(agents, 2)), "empty": None, "filled": None}),
        (["stage"], {**dict.fromkeys(("in", "not_in"), dice.sample(stages, 2)), "empty": None, "filled": None}),
        (["fields.fa"], {**{key: [dice.choice("xy")] for key in ("in", "not_in")}, "empty": None, "filled": None}),
        (["tags"], {**dict.fromkeys(("any", "all", "none"), dice.sample([1, 2, 3, 4], 2)), "empty": None, "filled": None}),
        (["fields.fd"], {**dict.fromkeys(("any", "all", "none"), dice.sample(["p", "q"], dice.randint(1, 2))), "empty": None, "filled": None}),
        (["account"], {key: [dice.choice([11, 12, 13])] for key in ("any", "none")}),
        (["value", "fields.fb"], {**dict.fromkeys(("is", "at_least", "at_most"), 200), "between": [100, 200], "empty": None, "filled": None}),
        (["pool"], {"is": dice.choice([True, False])}),
        (["next_due_at", "last_message_at", "fields.fc"], {
            "before": day, "after": day, "between": sorted([day, today(NOW, ZONE).isoformat()]), "period": dice.choice(list(PERIODS)),
            **dict.fromkeys(("last_days", "not_last_days", "next_days"), dice.randint(0, 20)),
            **dict.fromkeys(("overdue", "due", "empty", "filled"))}),
    ]  # fmt: skip
    names, ops = dice.choice(kinds)
    op = dice.choice(list(ops))
    return Condition.model_validate({"field": dice.choice(names), "op": op, "value": ops[op]})


def tree(dice: random.Random, agents: list[int], stages: list[int], depth: int = 1) -> Group:
    parts: list[Condition | Group] = [condition(dice, agents, stages) for _ in range(dice.randint(1, 3))]
    if depth < 3 and dice.random() < 0.5:
        parts.append(tree(dice, agents, stages, depth + 1))
    return Group(match=dice.choice(["all", "any", "none"]), parts=parts)


async def people(
    db: Database, dice: random.Random, number: int = 240
) -> tuple[dict[int, dict[str, Any]], list[int], list[int]]:
    agents = [
        await db.fetchval(
            "insert into agent (login, name, password_hash, role) values ($1, $1, '', 'rep') returning id", f"a{n}"
        )
        for n in range(3)
    ]
    stages = [
        await db.fetchval("insert into stage (name, position) values ($1, $2) returning id", f"阶段{n}", -n)
        for n in range(3)
    ]
    rows: dict[int, dict[str, Any]] = {}
    for _ in range(number):
        row = customer(dice, agents, stages)
        names = ", ".join(row)
        places = ", ".join(f"${n}" for n in range(1, len(row) + 1))
        made = await db.fetchval(f"insert into customer ({names}) values ({places}) returning id", *row.values())
        rows[made] = row
    return rows, agents, stages


async def test_a_filter_in_sql_is_the_filter_in_python(db: Database) -> None:
    dice = random.Random(20260301)
    rows, agents, stages = await people(db, dice)
    used: set[tuple[str, str]] = set()
    for _ in range(400):
        wanted = tree(dice, agents, stages)
        compiled = filtering.compile(wanted, asking())
        found = await db.fetch(f"select u.id from customer u where {compiled.where}", *compiled.arguments)
        assert {row["id"] for row in found} == {one for one, row in rows.items() if holds(wanted, row)}, wanted
        used |= {(part.field, part.op) for part in wanted.parts if isinstance(part, Condition)}
    assert len(used) > 80


SORTS = [
    "created_at",
    "name",
    "company",
    "value",
    "next_due_at",
    "stage",
    "owner",
    "fields.fa",
    "fields.fb",
    "fields.fc",
    "fields.fe",
    "city",
]


async def test_pages_in_any_order_hold_everybody_once_forth_and_back(db: Database) -> None:
    dice = random.Random(7)
    rows, _, _ = await people(db, dice, 120)
    who = asking()
    for _ in range(40):
        keys = dice.sample(SORTS, dice.randint(1, 4))
        sorts = [Sort(key=key, descending=dice.random() < 0.5) for key in keys]
        async with db.transaction() as tx:
            ordered = await orders(tx, sorts, FIELDS)
            whole = [one.id for one in await page(tx, filtering.EVERYBODY, who, ordered, None, limit=1000)]
            assert sorted(whole) == sorted(rows)
            forth: list[int] = []
            at = None
            while found := (await page(tx, filtering.EVERYBODY, who, ordered, at, limit=17))[:17]:
                forth += [one.id for one in found]
                at = decode(encode(found[-1].place, sorts), sorts)
            assert forth == whole, sorts
            back: list[int] = []
            at = None
            while found := (await page(tx, filtering.EVERYBODY, who, ordered, at, back=True, limit=17))[-17:]:
                back = [one.id for one in found] + back
                at = found[0].place
            assert back == whole, sorts


async def test_who_has_nothing_stands_last_whichever_way_it_goes(db: Database) -> None:
    rows, _, _ = await people(db, random.Random(3), 60)
    for descending in (False, True):
        async with db.transaction() as tx:
            ordered = await orders(tx, [Sort(key="value", descending=descending)], FIELDS)
            found = await page(tx, filtering.EVERYBODY, asking(), ordered, None, limit=100)
        values = [rows[one.id]["value_fen"] for one in found]
        filled = [value for value in values if value is not None]
        assert values == sorted(filled, reverse=descending) + [None] * (len(values) - len(filled))


@pytest.mark.parametrize(
    ("part", "where", "says"),
    [
        ({"field": "nothing", "op": "is", "value": 1}, "filter.parts.0.parts.0.field", "no field nothing"),
        ({"field": "name", "op": "at_least", "value": 1}, "filter.parts.0.parts.0.op", "it takes contains"),
        ({"field": "value", "op": "between", "value": [1]}, "filter.parts.0.parts.0.value", "from and to"),
        ({"field": "tags", "op": "any", "value": ["x"]}, "filter.parts.0.parts.0.value", "ids"),
        ({"field": "created_at", "op": "before", "value": "2026-02-31"}, "filter.parts.0.parts.0.value", "2026-03-01"),
        ({"field": "created_at", "op": "period", "value": "soon"}, "filter.parts.0.parts.0.value", "today"),
        ({"field": "fields.fa", "op": "in", "value": ["z"]}, "filter.parts.0.parts.0.value", "does not exist"),
        ({"field": "fields.fz", "op": "empty"}, "filter.parts.0.parts.0.field", "fields.fz"),
        ({"field": "phone", "op": "ends", "value": "12"}, "filter.parts.0.parts.0.value", "last 4"),
        ({"field": "segment", "op": "in", "value": [5]}, "filter.parts.0.parts.0.value", "gone"),
    ],
)
def test_what_cannot_be_used_is_named(part: dict[str, Any], where: str, says: str) -> None:
    with pytest.raises(Unprocessable) as caught:
        filtering.compile(Group.model_validate({"parts": [{"match": "any", "parts": [part]}]}), asking())
    assert list(caught.value.fields) == [where]
    assert says in caught.value.fields[where]


def test_filters_have_limits() -> None:
    one = {"field": "name", "op": "filled"}
    deep: Any = {"parts": [one]}
    for _ in range(4):
        deep = {"parts": [deep]}
    with pytest.raises(Unprocessable, match="deep"):
        filtering.compile(Group.model_validate(deep), asking())
    with pytest.raises(Unprocessable, match="large"):
        filtering.compile(Group.model_validate({"parts": [{"parts": [one] * 40}, {"parts": [one] * 40}]}), asking())
    with pytest.raises(ValidationError):
        Group.model_validate({"parts": [one] * 61})


def test_phones_are_looked_for_only_by_who_may_read_them() -> None:
    blind = Asking(CustomerScope(True, 1, None, phones=False), NOW, ZONE, FIELDS)
    with pytest.raises(Unprocessable):
        filtering.compile(Group.model_validate({"parts": [{"field": "phone", "op": "ends", "value": "5678"}]}), blind)
    searched = filtering.compile(
        Group.model_validate({"parts": [{"field": "search", "op": "contains", "value": "13812345678"}]}), blind
    )
    assert "phone" not in searched.where


async def test_phones_are_found_whole_and_by_their_end(db: Database) -> None:
    first = await db.fetchval("insert into customer (name, phone) values ('甲', '13812345678') returning id")
    second = await db.fetchval("insert into customer (name) values ('乙') returning id")
    await db.execute("insert into phone_number (customer_id, phone) values ($1, '+8613912345678')", second)

    async def found(op: str, value: str) -> set[int]:
        field = "search" if op == "contains" else "phone"
        compiled = filtering.compile(
            Group.model_validate({"parts": [{"field": field, "op": op, "value": value}]}), asking()
        )
        return {
            row["id"]
            for row in await db.fetch(f"select u.id from customer u where {compiled.where}", *compiled.arguments)
        }

    assert await found("is", "138 1234 5678") == {first}
    assert await found("is", "+86 139 1234 5678") == {second}
    assert await found("ends", "5678") == {first, second}
    assert await found("contains", "12345678") == {first, second}
    assert await found("contains", "13812345678") == {first}
