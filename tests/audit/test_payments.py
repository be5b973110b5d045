"""Money: read from bills and from the archive, once each whatever happens on the way, and summed to the fen."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from audit.payments.asking import period_of
from audit.payments.bills import BillReader
from audit.payments.exporting import watermark, yuan
from audit.payments.judging import judge
from audit.payments.queries import claim_page, payment_page, summary
from audit.payments.shapes import ClaimQuery, PaymentFilter, PaymentQuery
from audit.payments.thresholds import THRESHOLDS, MoneyThresholds
from audit.payments.watch import MoneyWatcher
from audit.payments.writing import NewPayment, write_payments
from inbox.queries import one_moment
from scrm.config import Settings
from scrm.permissions import Scope
from simulator.wecom.server import WecomSimulator
from tests.audit.places import CHEN, CORP, GROUP, LIU, Archive, archive

ALL = Scope(0, "all", (), True, True)


@pytest.fixture
async def here(settings: Settings) -> AsyncIterator[Archive]:
    async with WecomSimulator() as simulator, archive(settings, simulator) as made:
        made.uploads_key()
        await made.knows_key()
        yield made


async def money(here: Archive) -> None:
    """Until everything is read and held against each other."""
    watcher = MoneyWatcher(here.services)
    for _ in range(4):
        while await watcher.round():
            pass


async def bills(here: Archive) -> None:
    await here.services.db.execute("update payment_bills set due_at = now(), lease_until = null")
    await BillReader(here.services).round()


def pays(here: Archive, fen: int, *, ago: timedelta = timedelta(minutes=5), who: str = CHEN, **changes: Any) -> str:
    at = int((here.services.clock.now() - ago).timestamp())
    return str(here.simulator.control.pay(CORP, "zhangsan", who, fen, at=at, **changes))


def packet(here: Archive, fen: Any, *, kind: str = "external_redpacket", count: int = 1, **changes: Any) -> None:
    body = {"type": 1, "wish": "恭喜发财", "totalcnt": count, "totalamount": fen}
    here.says("", **{"sender": "zhangsan", "to": CHEN, "msgtype": kind, "redpacket": body, **changes})


async def seen(here: Archive, scope: Scope = ALL, **query: Any) -> list[dict[str, Any]]:
    async with one_moment(here.services.db) as tx:
        page = await payment_page(tx, scope, PaymentQuery(limit=200, **query), here.services.clock.now())
    return [one.model_dump() for one in page.payments]


async def rows(here: Archive) -> list[tuple[Any, ...]]:
    found = await here.services.db.fetch("select kind, amount_fen, refunded_fen from payment order by at, kind, id")
    return [tuple(row) for row in found]


async def test_red_packets_of_the_archive(here: Archive) -> None:
    packet(here, 6600)
    packet(here, 3000, kind="redpacket", count=10, to="lisi")
    packet(here, 20, sender=CHEN, to="zhangsan")
    packet(here, 9_007_199_254_740_993, roomid=GROUP, tolist=[CHEN, LIU])
    packet(here, None)
    await here.read()
    await money(here)
    found = {(one["kind"], one["direction"], one["amount_fen"]): one for one in await seen(here)}
    assert set(found) == {
        ("red_packet_customer", "out", 6600), ("red_packet_internal", "inside", 3000), ("red_packet_customer", "in", 20),
        ("red_packet_customer", "out", 9_007_199_254_740_993), ("red_packet_customer", "out", None),
    }  # fmt: skip
    given = found["red_packet_customer", "out", 6600]
    assert (given["member"]["id"], given["customer"]["contact_id"] is not None, given["place"]["seq"]) == (
        "zhangsan",
        True,
        1,
    )
    assert found["red_packet_internal", "inside", 3000]["pieces"] == 10
    in_group = found["red_packet_customer", "out", 9_007_199_254_740_993]
    assert (in_group["customer"], in_group["member"]["id"]) == (None, "zhangsan")
    # Read once more from the first message on: nothing is there twice.
    await here.services.db.execute("update reading_place set last_id = 0 where name like 'audit_money%'")
    await money(here)
    assert len(await rows(here)) == 5


async def test_bills_overlap_change_and_are_paid_back_once(here: Archive) -> None:
    old = pays(here, 19_900, ago=timedelta(days=40), payment_type=14)
    young = pays(here, 5_000, goods="窗帘")
    await bills(here)
    await bills(here)
    assert await rows(here) == [("transfer", 19_900, 0), ("collected", 5_000, 0)]
    # Days later: in parts; the refund's own bill and the receipt's list tell of the same.
    control = here.simulator.control
    control.pay_back(CORP, young, 2_000, at=int((here.services.clock.now() - timedelta(minutes=1)).timestamp()))
    # And one whose own bill is out of the windows that are read: only the old receipt tells of it, found once a day.
    control.pay_back(CORP, old, 900, at=int((here.services.clock.now() - timedelta(days=39)).timestamp()))
    await bills(here)
    await bills(here)
    told = await rows(here)
    assert told == [("transfer", 19_900, 0), ("collected", 5_000, 2_000), ("refund", 2_000, 0)]
    await here.services.db.execute("update payment_bills set again_at = now() - interval '2 days'")
    await bills(here)
    await bills(here)
    assert await rows(here) == [
        ("transfer", 19_900, 900),
        ("refund", 900, 0),
        ("collected", 5_000, 2_000),
        ("refund", 2_000, 0),
    ]
    async with one_moment(here.services.db) as tx:
        found = await summary(tx, ALL, PaymentFilter(first=_day(here, 60)), here.services.clock.now())
    assert (found.totals.in_fen, found.totals.refunded_fen) == (24_900, 2_900)


def _day(here: Archive, ago: int) -> Any:
    return (here.services.clock.now() - timedelta(days=ago)).date()


class Killed(BaseException):
    """The process ends here."""


async def test_a_poll_killed_between_pages_goes_on_and_counts_once(
    here: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.wecom.bills.LIMIT", 7)
    for n in range(40):
        pays(here, 100 + n, ago=timedelta(minutes=5 + n))
    # Members outside of the app's scope make pages short, and empty before the end.
    for n in range(20):
        here.simulator.control.pay(
            CORP, "geheim", CHEN, 1, at=int((here.services.clock.now() - timedelta(minutes=60 + n)).timestamp())
        )
    here.simulator.control.collect(CORP, hidden=["geheim"])
    loaded = here.services.connections.all()[0]
    asked = loaded.adapter.bills  # type: ignore[attr-defined]
    pages = 0

    async def dying(**query: Any) -> Any:
        nonlocal pages
        pages += 1
        if pages % 2 == 0:
            raise Killed
        return await asked(**query)

    monkeypatch.setattr(loaded.adapter, "bills", dying)
    for _ in range(60):
        await here.services.db.execute("update payment_bills set due_at = now(), lease_until = null")
        try:
            await BillReader(here.services).round()
        except Killed:
            continue
    amounts = [row[1] for row in await rows(here)]
    assert sorted(amounts) == [100 + n for n in range(40)]


async def test_trouble_is_told_and_ends(here: Archive) -> None:
    pays(here, 100)
    here.simulator.control.collect(CORP, enabled=False)
    await bills(here)
    await bills(here)
    async with one_moment(here.services.db) as tx:
        (source,) = (await summary(tx, ALL, PaymentFilter(), here.services.clock.now())).bills
    assert source.trouble is not None
    assert source.trouble.code == "wecom.48002"
    here.simulator.control.collect(CORP)
    await bills(here)
    async with one_moment(here.services.db) as tx:
        (source,) = (await summary(tx, ALL, PaymentFilter(), here.services.clock.now())).bills
    assert source.trouble is None
    assert len(await rows(here)) == 1


async def test_two_processes_read_one_connection_one_at_a_time(here: Archive) -> None:
    for n in range(5):
        pays(here, 1 + n)
    await BillReader(here.services)._know(here.services.clock.now())
    await asyncio.gather(*(BillReader(here.services).round() for _ in range(4)))
    assert len(await rows(here)) == 5


async def claims(here: Archive, scope: Scope = ALL, **query: Any) -> list[tuple[str, str, int | None]]:
    async with one_moment(here.services.db) as tx:
        page = await claim_page(tx, scope, ClaimQuery(**query), here.services.clock.now())
    return [(one.state, one.text, one.payment.amount_fen if one.payment else None) for one in reversed(page.claims)]


async def test_what_was_said_against_what_was_seen(here: Archive) -> None:
    now = here.services.clock.now()

    def at(hours: float) -> dict[str, Any]:
        return {"msgtime": int((now - timedelta(hours=hours)).timestamp() * 1000)}

    here.says("红包发你了", sender="zhangsan", to=CHEN, **at(50))
    packet(here, 6600, **at(49.9))
    here.says("微信转你200块", sender="zhangsan", to=CHEN, **at(48))
    here.says("定金500转过去了", **at(47))
    here.says("尾款一会儿转你，八百", **at(1))
    packet(here, 800, to=LIU, **at(2))
    pays(here, 50_000, ago=timedelta(hours=46))
    await here.read()
    await bills(here)
    await money(here)
    assert await claims(here) == [
        ("matched", "红包发你了", 6600), ("unseen", "微信转你200块", None), ("matched", "定金500转过去了", 50_000),
        ("open", "尾款一会儿转你，八百", None),
    ]  # fmt: skip
    assert await claims(here, state="unseen") == [("unseen", "微信转你200块", None)]
    async with one_moment(here.services.db) as tx:
        page = await claim_page(tx, ALL, ClaimQuery(limit=2), now)
        assert page.counts is not None
        assert page.counts.model_dump() == {"matched": 2, "unseen": 1, "open": 1, "unsaid": 1}
        rest = await claim_page(tx, ALL, ClaimQuery(limit=2, cursor=page.next_cursor), now)
    assert [one.text for one in [*page.claims, *rest.claims]] == [
        "尾款一会儿转你，八百",
        "定金500转过去了",
        "微信转你200块",
        "红包发你了",
    ]
    raised = await here.services.db.fetch(
        "select kind, conversation_id is not null as placed, detail from alert order by id"
    )
    assert [(row["kind"], row["placed"]) for row in raised] == [("money.claim", True)]
    # The bill of what was spoken of comes late: it is seen after all.
    pays(here, 20_000, ago=timedelta(hours=40))
    await here.services.db.execute("update payment_bills set again_at = now() - interval '2 days'")
    await bills(here)
    await money(here)
    assert await claims(here, state="unseen") == []


async def test_what_is_understood_anew_replaces_what_was(here: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    here.says("转你200", sender="zhangsan", to=CHEN)
    await here.read()
    await money(here)
    await here.services.db.execute("update payment_claim set amount_fen = 1")
    monkeypatch.setattr("audit.payments.watch.VERSION", 2)
    monkeypatch.setattr("audit.payments.watch.NAME", "audit_money_2")
    await money(here)
    found = await here.services.db.fetch("select amount_fen, version from payment_claim")
    assert [tuple(row) for row in found] == [(20_000, 2)]


async def test_thresholds_raise_one_alert_each(here: Archive) -> None:
    async with here.services.work() as work:
        await THRESHOLDS.save(
            work, MoneyThresholds(single_fen=5_000, member_day_fen=9_000, packets_week_fen=6_000), by=None
        )
    at = int(here.services.clock.now().replace(hour=4, minute=0).timestamp() * 1000)
    packet(here, 3_000, msgtime=at)
    packet(here, 3_000, msgtime=at + 1000)
    packet(here, 5_000, msgtime=at + 2000)
    await here.read()
    await money(here)
    kinds = [row["kind"] for row in await here.services.db.fetch("select kind from alert order by kind")]
    assert kinds == ["money.day", "money.single", "money.week"]
    ids = [row["id"] for row in await here.services.db.fetch("select id from payment")]
    async with here.services.work() as work:
        assert await judge(work, await THRESHOLDS.load(work.tx), ids) == 0


def _model(payments: Sequence[NewPayment], **which: Any) -> int:
    return sum(
        one.amount_fen or 0 for one in payments if all(getattr(one, key) in value for key, value in which.items())
    )


@pytest.mark.parametrize("seed", range(5))
async def test_totals_are_those_of_a_plain_model(here: Archive, seed: int) -> None:

    chance = random.Random(seed)
    begin = here.services.clock.now() - timedelta(days=20)
    kinds = [("collected", "in"), ("transfer", "in"), ("refund", "out"), ("red_packet_customer", "out"), ("red_packet_customer", "in"),
             ("red_packet_internal", "inside")]  # fmt: skip
    made: list[NewPayment] = []
    for n in range(300):
        kind, direction = chance.choice(kinds)
        made.append(
            NewPayment(
                "bill", f"{kind}:{n}", kind, direction, chance.choice([None, chance.randrange(10**15)]), "wecom_member",  # type: ignore[arg-type]
                begin + timedelta(seconds=chance.randrange(19 * 86400)), chance.choice(["zhangsan", "lisi", ""]), chance.choice([CHEN, LIU, ""]),
            )
        )  # fmt: skip
    told = [*made, *chance.sample(made, 100)]
    chance.shuffle(told)
    async with here.services.work() as work:
        for start in range(0, len(told), 37):
            await write_payments(work, here.connection_id, told[start : start + 37])
    async with one_moment(here.services.db) as tx:
        found = await summary(tx, ALL, PaymentFilter(), here.services.clock.now())
        period = await period_of(tx, None, None, here.services.clock.now())
    totals = found.totals
    assert totals.n == 300
    assert totals.in_fen == _model(made, kind=("collected", "transfer"))
    assert totals.refunded_fen == _model(made, kind=("refund",))
    assert totals.packets_out_fen == _model(made, kind=("red_packet_customer",), direction=("out",))
    assert totals.packets_in_fen == _model(made, kind=("red_packet_customer",), direction=("in",))
    assert totals.inside_fen == _model(made, direction=("inside",))
    by_day: dict[tuple[Any, str, str], int] = {}
    for one in made:
        key = (one.at.astimezone(period.zone).date(), one.kind, one.direction)
        by_day[key] = by_day.get(key, 0) + (one.amount_fen or 0)
    assert {(day.day, day.kind, day.direction): day.fen for day in found.days} == by_day
    assert {one.member.id: one.totals.in_fen for one in found.members} == {
        who: _model(made, member_id=(who,), kind=("collected", "transfer")) for who in ("zhangsan", "lisi")
    }
    # Page by page: all of them, once, newest first.
    cursor: str | None = None
    ids: list[int] = []
    while True:
        async with one_moment(here.services.db) as tx:
            page = await payment_page(tx, ALL, PaymentQuery(limit=23, cursor=cursor), here.services.clock.now())
        ids += [one.id for one in page.payments]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert len(ids) == len(set(ids)) == 300


async def test_nobody_hears_of_what_they_do_not_see(here: Archive) -> None:
    db = here.services.db
    packet(here, 6600)
    here.says("转你200", sender="zhangsan", to=CHEN)
    await here.read()
    pays(here, 777, who=LIU)
    pays(here, 888)
    await bills(here)
    await money(here)
    team = await db.fetchval("insert into team (name) values ('东区') returning id")
    await db.execute("update account set team_id = $1 where external_id = 'zhangsan'", team)
    theirs, others = Scope(here.admin.agent_id, "team", (team,), True), Scope(here.admin.agent_id, "team", (), True)
    assert len(await seen(here, theirs)) == 3
    assert await seen(here, others) == []
    async with one_moment(db) as tx:
        nothing = await summary(tx, others, PaymentFilter(), here.services.clock.now())
        page = await claim_page(tx, others, ClaimQuery(), here.services.clock.now())
    assert (nothing.totals.n, nothing.kinds, nothing.days, nothing.members, nothing.customers, nothing.bills) == (
        0,
        [],
        [],
        [],
        [],
        [],
    )
    assert page.counts is not None
    assert (page.claims, page.counts.model_dump()) == ([], {"matched": 0, "unseen": 0, "open": 0, "unsaid": 0})
    # One chat is theirs to answer: what belongs to it, and no more.
    await db.execute("update conversation set assignee_id = $1 where contact_id is not null", here.admin.agent_id)
    own = Scope(here.admin.agent_id, "own", (), True)
    assert sorted(one["amount_fen"] for one in await seen(here, own)) == [888, 6600]
    assert len(await claims(here, own)) == 1
    await db.execute("update message set recalled_at = now() where text like '转%'")
    assert await claims(here, Scope(0, "all", (), False)) == []


def test_amounts_and_watermark_are_exact() -> None:

    assert [yuan(one) for one in (0, 5, 100, 9_007_199_254_740_993, None)] == [
        "0.00",
        "0.05",
        "1.00",
        "90071992547409.93",
        None,
    ]
    at = datetime.fromisoformat("2026-03-01T08:00:00+00:00")
    assert "王敏（auditor）于 2026-03-01 16:00:00" in watermark(
        "王敏", "auditor", at, ZoneInfo("Asia/Shanghai"), "zh-CN"
    )
