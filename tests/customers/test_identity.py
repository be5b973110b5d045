"""Merging, splitting and taking back: nothing is lost in any order, undo is exact, and what came between stays with its contact."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.identity.belongings import MOVES, STAYS
from customers.identity.merge import Merge, merge
from customers.identity.split import Split, split
from customers.identity.undo import undo
from customers.phones import Number, note_phones
from customers.timeline import Line, tell
from inbox.contacts import contacts_renamed
from scrm.db import Database
from tests.http.site import Site

NOW = datetime(2026, 5, 4, 4, 0, tzinfo=UTC)
LEAVES = ("version", "updated_at")
KEYED = {one.table: one for one in MOVES}

FOREIGN = """
select c.relname as table_name, a.attname as column_name from pg_constraint k join pg_class c on c.oid = k.conrelid
join pg_attribute a on a.attrelid = k.conrelid and a.attnum = any(k.conkey)
where k.contype = 'f' and k.confrelid = 'customer'::regclass
union
select table_name, column_name from information_schema.columns
where table_schema = 'public' and column_name = 'customer_id' and table_name in
  (select table_name from information_schema.tables where table_type = 'BASE TABLE')
"""


async def test_every_table_with_a_customer_is_in_the_list(db: Database) -> None:
    found = {(row["table_name"], row["column_name"]) for row in await db.fetch(FOREIGN)}
    known = {(one.table, "customer_id") for one in MOVES} | set(STAYS)
    assert found - known == set(), "say in customers/identity/belongings.py what becomes of it when customers merge"
    assert known - found == set()


class World:
    """A few customers with everything, on one database."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.db = site.services.db
        self.customers: list[int] = []
        self.contacts: list[int] = []
        self.account = 0
        self.agent = 0
        self.numbers = 0

    async def begin(self) -> None:
        self.account = await self.site.account(await self.site.connection())
        self.agent = await self.site.agent("manager")
        stage = await self.db.fetchval("insert into stage (name) values ('意向') returning id")
        for number in range(4):
            await self._customer(number, stage)
        # A second contact of the first customer, with what it had, so that it can be split off.
        for table in ("contact", "follow_up", "task", "timeline", "customer_union"):
            await self.db.execute(
                f"update {table} set customer_id = $1 where customer_id = $2", self.customers[0], self.customers[3]
            )

    async def _customer(self, number: int, stage: int) -> None:
        conversation = await self.site.conversation(self.account)
        row = await self.db.fetchrow(
            "select k.id, k.customer_id from conversation c join contact k on k.id = c.contact_id where c.id = $1",
            conversation,
        )
        assert row is not None
        customer, contact = row["customer_id"], row["id"]
        self.customers.append(customer)
        self.contacts.append(contact)
        await self.db.execute(
            "update customer set company = $2, stage_id = $3, stage_at = $4, tags = $5, fields = $6, value_fen = $7, owner_id = $8, "
            "created_at = $4 where id = $1",
            customer, "" if number == 1 else f"公司{number}", stage if number % 2 else None, NOW + timedelta(days=number),
            [number, 100], {f"f{number}": "x", "fshared": number}, number * 100 or None, self.agent if number == 2 else None,
        )  # fmt: skip
        await self.db.execute("update contact set union_id = $2 where id = $1", contact, f"union{number}")
        await self.db.execute("insert into customer_union values ($1, $2)", f"union{number}", customer)
        async with self.work() as work:
            await note_phones(
                work, [Number(customer, f"1381234000{number}", "hand"), Number(customer, "13900001111", "hand")]
            )
        await self.note(customer, conversation)
        await self.note(customer, None)

    def work(self) -> Any:
        return self.site.services.work()

    async def note(self, customer: int, conversation: int | None) -> None:
        async with self.work() as work:
            follow_up = await work.tx.fetchval(
                "insert into follow_up (customer_id, agent_id, kind, text, conversation_id, at, created_at) "
                "values ($1, $2, 'call', 'x', $3, $4, $4) returning id",
                customer, self.agent, conversation, work.now,
            )  # fmt: skip
            await work.tx.execute(
                "insert into task (customer_id, agent_id, text, due_at, follow_up_id, created_at, updated_at) "
                "values ($1, $2, 'y', $3, $4, $3, $3)",
                customer, self.agent, work.now, follow_up,
            )  # fmt: skip
            await tell(work, [Line(customer, "follow_up.noted", object_kind="follow_up", object_id=follow_up)])

    async def living(self) -> list[int]:
        return [
            row["id"] for row in await self.db.fetch("select id from customer where merged_into is null order by id")
        ]

    async def state(self) -> dict[str, dict[Any, Any]]:
        """Every row that belongs to a customer, by its key; and the customers themselves."""
        found: dict[str, dict[Any, Any]] = {}
        for table, one in KEYED.items():
            rows = await self.db.fetch(f"select t.{one.key} as key, to_jsonb(t) as whole from {table} t")
            found[table] = {row["key"]: {k: v for k, v in row["whole"].items() if k != "updated_at"} for row in rows}
        rows = await self.db.fetch("select id, to_jsonb(c) as whole from customer c")
        found["customer"] = {row["id"]: {k: v for k, v in row["whole"].items() if k not in LEAVES} for row in rows}
        return found

    async def check(self) -> None:
        """Nothing lies with a customer that was merged, and what was noted in a conversation is where its contact is."""
        for table in ("contact", "follow_up", "task", "timeline", "stage_history", "owner_history", "customer_union"):
            lost = await self.db.fetchval(
                f"select count(*) from {table} t join customer c on c.id = t.customer_id where c.merged_into is not null"
            )
            assert lost == 0, table
        apart = await self.db.fetchval(
            "select count(*) from follow_up f join conversation c on c.id = f.conversation_id join contact k on k.id = c.contact_id "
            "where f.customer_id <> k.customer_id"
        )
        assert apart == 0
        alone = await self.db.fetchval(
            "select count(*) from task t join follow_up f on f.id = t.follow_up_id where f.customer_id <> t.customer_id"
        )
        assert alone == 0


def differences(before: dict[str, dict[Any, Any]], now: dict[str, dict[Any, Any]]) -> list[str]:
    """Of the rows that there were: what is not as it was."""
    return [
        f"{table} {key}: {row} -> {now[table].get(key)}"
        for table, rows in before.items()
        for key, row in rows.items()
        if now[table].get(key) != row
    ]


async def act(world: World, step: Sequence[int]) -> int | None:
    """Runs one step; the number in the log when it did something."""
    kind, a, b, c = step
    living = await world.living()
    one, other = living[a % len(living)], living[b % len(living)]
    async with world.work() as work:
        if kind == 0 and one != other:
            more = {living[c % len(living)]} - {one, other} if c % 3 == 0 else set()
            what = Merge(one, (other, *sorted(more)), by_id=world.agent, choices={"company": other})
            return await merge(work, what, contacts_renamed)
        if kind == 1:
            contacts = [row["id"] for row in await work.tx.fetch("select id from contact where customer_id = $1", one)]
            follow_ups = [
                row["id"]
                for row in await work.tx.fetch(
                    "select id from follow_up where customer_id = $1 and conversation_id is null order by id", one
                )
            ]
            phones = [
                row["id"]
                for row in await work.tx.fetch("select id from phone_number where customer_id = $1 order by id", one)
            ]
            former = [
                row["id"]
                for row in await work.tx.fetch("select id from customer where merged_into = $1 order by id", one)
            ]
            rows = {"follow_up": follow_ups[: b % 2], "phone_number": phones[: c % 2]}
            chosen = tuple(contacts[: 1 + b % 2]) if contacts else ()
            if not chosen and not any(rows.values()):
                return None
            to_id = former[0] if former and c % 4 == 0 else None
            try:
                return (await split(work, Split(one, chosen, rows, to_id, by_id=world.agent), contacts_renamed))[1]
            except Exception as error:
                if type(error).__name__ != "Unprocessable":
                    raise
                # Numbers that both have stay where they are; nothing else was chosen.
                return None
    return None


STEPS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 7), st.integers(0, 7), st.integers(0, 7)), min_size=1, max_size=7
)


async def test_any_order_loses_nothing_and_undo_is_exact(site: Site) -> None:
    world = World(site)
    await world.begin()
    loop = asyncio.get_running_loop()

    async def play(steps: list[tuple[int, int, int, int]]) -> None:
        first = await world.state()
        done: list[tuple[int, dict[str, dict[Any, Any]]]] = []
        for step in steps:
            before = await world.state()
            if step[0] == 2:
                # Something is written meanwhile, here and there.
                contact = world.contacts[step[1] % len(world.contacts)]
                row = await world.db.fetchrow(
                    "select c.id, k.customer_id from conversation c join contact k on k.id = c.contact_id where k.id = $1",
                    contact,
                )
                assert row is not None
                await world.note(row["customer_id"], row["id"] if step[2] % 2 else None)
                continue
            log_id = await act(world, step)
            if log_id is not None:
                done.append((log_id, before))
            await world.check()
        for log_id, before in reversed(done):
            async with world.work() as work:
                await undo(work, log_id, world.agent, contacts_renamed)
            assert differences(before, await world.state()) == []
            await world.check()
        assert differences(first, await world.state()) == []

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(steps=STEPS)
    def check(steps: list[tuple[int, int, int, int]]) -> None:
        asyncio.run_coroutine_threadsafe(play(steps), loop).result()

    await asyncio.to_thread(check)
