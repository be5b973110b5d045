"""A moment is made once, whatever dies and whatever the platform leaves unanswered: its own list decides, nothing guesses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from campaigns.moments import acts, begin, calls, doubt, watch
from scrm.config import Settings
from scrm.services import Services
from simulator.faults import Fault, FaultKind
from tests.campaigns.posting import ADD, LIST, MEMBERS, PATH, Posting, posting
from tests.company import eventually

JOB = PATH + "get_moment_task_result"
LEASE_OVER = "update moment_task set lease_until = now() - interval '1 second' where lease_until is not null"
HOURS_LATER = "update moment_task set called_at = called_at - interval '2 hours' where state = 'doubt'"
ONLY_THIS = """
update moment_task set look_at = case when run_id = $1 then now() else now() + interval '1 hour' end where look_at is not null
"""
Loop = Callable[[Services], Awaitable[bool]]


@pytest.fixture
async def members(settings: Settings) -> AsyncIterator[Posting]:
    async with posting(settings) as made:
        yield made


async def state(members: Posting, run: int) -> str:
    [task] = await members.tasks(run)
    return str(task["state"])


async def killed(members: Posting, loop: Loop, fault: Fault) -> None:
    """A process dies while it waits for this call's answer; its leases end."""
    members.shop.wecom.faults.add(fault)
    dying = asyncio.create_task(loop(members.shop.services))

    async def waits() -> bool:
        return fault.hits == 1

    await eventually(waits, seconds=60)
    dying.cancel()
    await asyncio.wait([dying])
    await members.db.execute(LEASE_OVER)


async def finish(members: Posting, run: int) -> None:
    """Until members may publish it. An hour without a trace in the list is waited for."""
    for _ in range(12):
        if await state(members, run) == "open":
            return
        await members.db.execute(HOURS_LATER)
        await members.turn()
    raise AssertionError(await state(members, run))


STEPS: list[tuple[Loop, str, list[FaultKind]]] = [
    (calls.call, ADD, ["hang", "hang_after", "drop", "drop_after", "broken", "status"]),
    (watch.look, JOB, ["hang", "hang_after", "drop", "drop_after", "broken", "status"]),
]


async def test_whatever_happens_at_each_call_it_is_made_once(members: Posting) -> None:
    """Whether the process dies in it or the answer is lost, before the platform has it or after."""
    done = 0
    loaded = members.shop.services.connections.held(members.shop.wecom_id)
    assert loaded is not None
    loaded.adapter.moments_per_minute = members.shop.wecom.settings.moments_per_minute = 100  # type: ignore[attr-defined]
    for loop, path, kinds in STEPS:
        for kind in kinds:
            run = await members.start(await members.write(f"{path} {kind}"))
            if loop is watch.look:
                await calls.call(members.shop.services)
                await members.db.execute(ONLY_THIS, run)
            fault = Fault(kind, path)
            if kind.startswith("hang"):
                await killed(members, loop, fault)
            else:
                members.shop.wecom.faults.add(fault)
                await loop(members.shop.services)
                assert fault.hits == 1, (path, kind)
            await finish(members, run)
            done += 1
            assert len(members.made()) == done, (path, kind)
    assert len({one.text for one in members.made()}) == done


async def test_a_process_that_dies_while_it_looks_through_the_list_does_no_harm(members: Posting) -> None:
    run = await members.start(await members.write())
    await killed(members, calls.call, Fault("hang_after", ADD))
    for path in (LIST, MEMBERS):
        await calls.call(members.shop.services)
        await members.db.execute("update moment_task set due_at = now() - interval '1 second'")
        await killed(members, doubt.resolve, Fault("hang", path))
        assert await state(members, run) == "doubt"
    await finish(members, run)
    assert len(members.made()) == 1


async def test_nothing_is_called_again_before_the_list_has_had_its_time(members: Posting) -> None:
    run = await members.start(await members.write())
    await killed(members, calls.call, Fault("hang", ADD))
    await members.turn()
    await members.turn()
    assert await state(members, run) == "doubt"
    assert members.made() == []
    # And not at all while it cannot be read.
    members.shop.wecom.faults.add(Fault("status", LIST, times=None))
    await members.db.execute(HOURS_LATER)
    await members.turn()
    assert await state(members, run) == "doubt"
    await members.db.execute("update moment_task set called_at = called_at - interval '3 days'")
    await members.turn()
    assert await state(members, run) == "uncertain"
    assert set((await members.states(run)).values()) == {"uncertain"}
    # From here on a person decides.
    members.shop.wecom.faults.clear()
    await members.turn()
    assert members.made() == []
    async with members.shop.services.work() as work:
        await acts.again(work, members.shop.manager, (await members.tasks(run))[0]["id"], address="")
    await finish(members, run)
    assert len(members.made()) == 1


async def test_the_same_words_wait_until_the_first_is_settled(members: Posting) -> None:
    """Else the list could not tell which of the two it shows."""
    first = await members.start(await members.write("同一句话"))
    await killed(members, calls.call, Fault("hang_after", ADD))
    second = await members.start(await members.write("同一句话"))
    await calls.call(members.shop.services)
    assert (await state(members, first), await state(members, second)) == ("doubt", "queued")
    for run in (first, second):
        await finish(members, run)
    ids = {(await members.tasks(run))[0]["moment_id"] for run in (first, second)}
    assert ids == {one.moment_id for one in members.made()}
    assert len(ids) == 2


async def test_others_with_the_same_words_are_not_taken_for_it(members: Posting) -> None:
    """Of other members, or a member's own."""
    other = await members.posted(await members.write("同一句话", account_ids=[members.accounts["lisi"]]))
    members.shop.wecom.control.post_own_moment("wwtestcorp0000001", "zhangsan", "同一句话")
    run = await members.start(await members.write("同一句话", account_ids=[members.accounts["zhangsan"]]))
    await killed(members, calls.call, Fault("hang", ADD))
    await members.turn()
    assert await state(members, run) == "doubt"
    await finish(members, run)
    assert (await members.tasks(run))[0]["moment_id"] != (await members.tasks(other))[0]["moment_id"]


async def test_an_answer_that_comes_after_its_lease_still_counts(members: Posting) -> None:
    run = await members.start(await members.write())
    fault = members.shop.wecom.faults.add(Fault("delay", ADD, seconds=1))
    slow = asyncio.create_task(calls.call(members.shop.services))

    async def calling() -> bool:
        return fault.hits == 1

    await eventually(calling, seconds=60)
    await members.db.execute(LEASE_OVER)
    await calls.call(members.shop.services)
    assert await state(members, run) == "doubt"
    await slow
    assert await state(members, run) == "making"
    await finish(members, run)
    assert len(members.made()) == 1


async def test_a_job_that_the_platform_forgot_is_found_in_its_list(members: Posting) -> None:
    run = await members.start(await members.write())
    await calls.call(members.shop.services)
    await members.db.execute("update moment_task set job_id = 'forgotten'")
    await members.turn()
    await members.turn()
    assert await state(members, run) == "open"
    assert len(members.made()) == 1


async def test_several_processes_make_one(members: Posting) -> None:
    services = members.shop.services
    campaign = await members.write()
    run = await members.start(campaign)
    await members.db.execute("update campaign_run set state = 'freezing' where id = $1", run)
    await asyncio.gather(*(begin.begin(services) for _ in range(4)))
    await asyncio.gather(*(calls.call(services) for _ in range(4)))
    await finish(members, run)
    assert len(members.made()) == 1
    assert set(await members.states(run)) == {"zhangsan", "lisi"}


async def test_a_throttle_waits_and_is_called_again(members: Posting) -> None:
    run = await members.start(await members.write())
    members.shop.wecom.faults.add(Fault("refuse", ADD, code=45009))
    await calls.call(members.shop.services)
    assert await state(members, run) == "queued"
    await finish(members, run)
    assert len(members.made()) == 1


async def test_what_the_platform_refuses_may_be_asked_again_by_a_person(members: Posting) -> None:
    members.shop.wecom.control.enable_moments("wwtestcorp0000001", False)
    campaign = await members.write()
    run = await members.start(campaign)
    await members.turn()
    assert await state(members, run) == "failed"
    assert await members.db.fetchval("select state from campaign where id = $1", campaign) == "done"
    members.shop.wecom.control.enable_moments("wwtestcorp0000001")
    async with members.shop.services.work() as work:
        await acts.again(work, members.shop.manager, (await members.tasks(run))[0]["id"], address="")
    assert await members.db.fetchval("select state from campaign where id = $1", campaign) == "running"
    await finish(members, run)
    assert len(members.made()) == 1
