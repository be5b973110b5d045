"""Follow-ups: written with the next step in one act, once; corrected within limits; deleted and brought back."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.http.site import Browser, Site

CALL = {"kind": "call", "text": "法务同意 45 天账期", "client_token": "follow-up-1"}


def soon(**by: float) -> str:
    return (datetime.now(UTC) + timedelta(**by)).isoformat()


async def customer(site: Site, owner: int | None, **columns: Any) -> int:
    values = {"name": "陈立群", "owner_id": owner, **columns}
    places = ", ".join(f"${n + 1}" for n in range(len(values)))
    made: int = await site.services.db.fetchval(
        f"insert into customer ({', '.join(values)}) values ({places}) returning id", *values.values()
    )
    return made


def me(browser: Browser) -> int:
    found: int = browser.me["agent"]["id"]
    return found


async def test_one_post_writes_the_follow_up_and_its_next_step_once(site: Site) -> None:
    rep = await site.signed_in("rep")
    whose = await customer(site, me(rep))
    due = soon(days=2)
    body = {**CALL, "next": {"text": "发修订合同", "due_at": due}}
    path = f"/api/customers/{whose}/follow-ups"
    answers = await asyncio.gather(*(rep.post(path, body, status=201) for _ in range(5)))
    assert len({one["id"] for one in answers}) == len({one["next"]["id"] for one in answers}) == 1
    assert await site.services.db.fetchval("select count(*) from follow_up") == 1
    assert await site.services.db.fetchval("select count(*) from task") == 1
    row = await site.services.db.fetchrow("select followed_at, next_due_at from customer where id = $1", whose)
    assert row is not None
    assert row["next_due_at"] == datetime.fromisoformat(due)
    assert row["followed_at"] == datetime.fromisoformat(answers[0]["at"])
    kinds = await site.services.db.fetch("select kind, object_id from timeline where customer_id = $1", whose)
    assert [(one["kind"], one["object_id"]) for one in kinds] == [("follow_up.noted", answers[0]["id"])]
    page = await rep.get(path)
    assert [one["text"] for one in page["follow_ups"]] == ["法务同意 45 天账期"]
    assert page["follow_ups"][0]["next"]["text"] == "发修订合同"


async def test_a_follow_up_completes_the_task_it_answers(site: Site) -> None:
    rep = await site.signed_in("rep")
    whose = await customer(site, me(rep))
    task = await rep.post(
        "/api/tasks", {"client_token": "a task 1".replace(" ", "-"), "customer_id": whose, "text": "回电", "due_at": soon(hours=1)},
        status=201,
    )  # fmt: skip
    written = await rep.post(f"/api/customers/{whose}/follow-ups", {**CALL, "task_id": task["id"]}, status=201)
    assert [one["id"] for one in written["answered"]] == [task["id"]]
    done = await rep.get(f"/api/tasks/{task['id']}")
    assert (done["state"], done["done_by_id"]) == ("done", written["id"])
    assert await site.services.db.fetchval("select next_due_at from customer where id = $1", whose) is None


async def test_an_author_corrects_within_a_day_a_manager_always_and_what_it_said_is_kept(site: Site) -> None:
    rep, boss, other = await site.signed_in("rep"), await site.signed_in("manager"), await site.signed_in("rep")
    whose = await customer(site, me(rep), readers=[me(other)])
    written = await rep.post(f"/api/customers/{whose}/follow-ups", CALL, status=201)
    path = f"/api/follow-ups/{written['id']}"
    status, changed = await rep.call("PATCH", path, json={"text": "法务同意 60 天账期"})
    assert (status, changed["text"], changed["edits"][0]["text"]) == (200, "法务同意 60 天账期", CALL["text"])
    assert (await other.call("PATCH", path, json={"text": "x"}))[0] == 403
    await site.services.db.execute("update follow_up set created_at = created_at - interval '25 hours'")
    status, refused = await rep.call("PATCH", path, json={"text": "太晚了"})
    assert (status, refused["error"]) == (409, "too_old_to_change")
    status, changed = await boss.call("PATCH", path, json={"outcome": "agreed"})
    assert (status, len(changed["edits"])) == (200, 2)
    trail = await site.services.db.fetch(
        "select agent_id from audit_event where action = 'follow_up.corrected' order by id"
    )
    assert [one["agent_id"] for one in trail] == [me(rep), me(boss)]


async def test_deleting_can_be_undone_and_the_customer_counts_along(site: Site) -> None:
    rep = await site.signed_in("rep")
    whose = await customer(site, me(rep))
    path = f"/api/customers/{whose}/follow-ups"
    written = await rep.post(path, CALL, status=201)
    headers = {"X-CSRF-Token": rep.csrf}
    async with rep.http.delete(f"{site.base}/api/follow-ups/{written['id']}", headers=headers) as answer:
        assert answer.status == 204
        step = answer.headers["X-Undo-Step"].split(";")[0]
    followed = "select followed_at from customer where id = $1"
    assert (await rep.get(path))["follow_ups"] == []
    assert await site.services.db.fetchval(followed, whose) is None
    assert (await rep.post(f"/api/undo/{step}"))["restored"] == 1
    assert [one["id"] for one in (await rep.get(path))["follow_ups"]] == [written["id"]]
    assert await site.services.db.fetchval(followed, whose) is not None


async def test_a_mention_tells_a_colleague_and_lets_them_in(site: Site) -> None:
    ours, theirs = await site.team("我们"), await site.team("他们")
    rep, other = await site.signed_in("rep", teams=(ours,)), await site.signed_in("rep", teams=(theirs,))
    whose = await customer(site, me(rep))
    assert (await other.call("GET", f"/api/customers/{whose}/follow-ups"))[0] == 404
    body = {**CALL, "text": "@张经理 13812345678 需批", "mention_ids": [me(other), me(rep)]}
    await rep.post(f"/api/customers/{whose}/follow-ups", body, status=201)
    notices = (await other.get("/api/notifications"))["notifications"]
    assert [(one["kind"], one["title"], one["customer_id"]) for one in notices] == [("mention", "陈立群", whose)]
    assert notices[0]["text"] == "@张经理 138****5678 需批"
    assert (await other.get(f"/api/customers/{whose}/follow-ups"))["follow_ups"][0]["mentions"] == [me(other), me(rep)]
    # Who reads may not write, and what is taken away again is gone from the notice too.
    assert (await other.call("POST", f"/api/customers/{whose}/follow-ups", json=CALL))[0] == 403
    await site.services.db.execute("update customer set readers = '{}' where id = $1", whose)
    notices = (await other.get("/api/notifications"))["notifications"]
    assert [(one["title"], one["text"], one["customer_id"], one["data"]) for one in notices] == [("", "", None, {})]


async def test_pages_go_on_where_they_ended(site: Site) -> None:
    rep = await site.signed_in("rep")
    whose = await customer(site, me(rep))
    path = f"/api/customers/{whose}/follow-ups"
    same = soon(hours=-1)
    for n in range(5):
        await rep.post(path, {**CALL, "client_token": f"follow-up-{n}", "text": str(n), "at": same}, status=201)
    found, cursor = [], None
    while True:
        page = await rep.get(path, limit=2, cursor=cursor)
        found += [one["text"] for one in page["follow_ups"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == ["4", "3", "2", "1", "0"]
    assert (await rep.call("GET", path, params={"cursor": "nonsense"}))[0] == 422


async def test_own_kinds_are_offered_until_they_are_archived(site: Site) -> None:
    rep, boss = await site.signed_in("rep"), await site.signed_in("manager")
    whose = await customer(site, me(rep))
    own = {"kinds": [{"key": "k1", "name": "直播间"}]}
    assert (await rep.call("PATCH", "/api/settings/follow-ups", json=own))[0] == 403
    assert (await boss.call("PATCH", "/api/settings/follow-ups", json=own))[0] == 200
    path = f"/api/customers/{whose}/follow-ups"
    await rep.post(path, {**CALL, "kind": "k1"}, status=201)
    own["kinds"][0]["archived"] = True  # type: ignore[assignment]
    assert (await boss.call("PATCH", "/api/settings/follow-ups", json=own))[0] == 200
    refused = await rep.call("POST", path, json={**CALL, "kind": "k1", "client_token": "follow-up-2"})
    assert (refused[0], list(refused[1]["fields"])) == (422, ["kind"])
