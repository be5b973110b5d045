"""Working together over HTTP: notes, mentions, handing over, helpers, labels, sleep, and the history of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from inbox.snooze import wake_due
from tests.flows.reads import broken_invariants
from tests.http.site import Browser, Site


def me(browser: Browser) -> int:
    return int(browser.me["agent"]["id"])


def note(text: str, *mentions: int, key: str = "note-key-1") -> dict[str, Any]:
    return {"client_token": key, "text": text, "mention_ids": list(mentions)}


async def elsewhere(site: Site, **columns: Any) -> int:
    """A conversation of a team in which nobody of these tests is."""
    account = await site.account(await site.connection(), team_id=await site.team("别的组"))
    return await site.conversation(account, **columns)


async def events(browser: Browser, conversation: int) -> list[tuple[str, dict[str, Any]]]:
    """Oldest first."""
    told = await browser.get(f"/api/conversations/{conversation}/events")
    return [(one["kind"], one["data"]) for one in reversed(told["events"])]


async def kinds_told(browser: Browser) -> list[str]:
    return [one["kind"] for one in (await browser.get("/api/notifications"))["notifications"]]


async def test_a_note_is_a_message_that_answers_nobody(site: Site) -> None:
    rep = await site.signed_in("rep")
    conversation = await site.conversation(await site.account(await site.connection()))
    await site.says(conversation, "在吗？")
    before = await rep.get(f"/api/conversations/{conversation}")
    path = f"/api/conversations/{conversation}/notes"
    written = await rep.post(path, note("  老客户，可以便宜一点 "), status=201)
    again = await rep.post(path, note("  老客户，可以便宜一点 "), status=200)
    assert written == again
    assert (written["direction"], written["state"], written["seq"]) == ("note", "sent", 2)
    assert written["text"] == "老客户，可以便宜一点"
    after = await rep.get(f"/api/conversations/{conversation}")
    same = (
        "unread",
        "waiting_since",
        "preview",
        "preview_direction",
        "last_message_at",
        "assignee_id",
        "status",
        "read_seq",
    )
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    assert after["last_seq"] == 2
    assert await site.services.db.fetchval("select count(*) from outbox") == 0
    # What comes before and after it is counted as if it were not there.
    await site.says(conversation, "还在吗？")
    assert (await rep.get(f"/api/conversations/{conversation}"))["unread"] == 2
    assert await broken_invariants(site.services.db) == []


async def test_who_is_mentioned_sees_it_and_is_told_once(site: Site) -> None:
    rep, other = await site.signed_in("rep"), await site.signed_in("rep")
    conversation = await elsewhere(site, assignee_id=me(rep))
    assert (await other.call("GET", f"/api/conversations/{conversation}"))[0] == 404
    path = f"/api/conversations/{conversation}/notes"
    written = await rep.post(path, note("看看，电话 13812345678", me(other), me(rep)), status=201)
    await rep.post(path, note("看看，电话 13812345678", me(other), me(rep)), status=200)
    shown = await other.get(f"/api/conversations/{conversation}/messages")
    assert shown["conversation"]["collaborator_ids"] == [me(other)]
    assert [one["kind"] for one in shown["events"]] == ["helpers"]
    told = await other.get("/api/notifications")
    [notice] = told["notifications"]
    assert told["unread"] == 1
    assert (notice["kind"], notice["by_agent_id"], notice["message_id"]) == ("mention", me(rep), written["id"])
    assert notice["text"] == "看看，电话 138****5678"
    assert await kinds_told(rep) == []
    assert (await rep.call("POST", path, json=note("谁？", 987654321, key="note-token-2")))[0] == 422
    assert (await rep.call("POST", path, json=note(" \n ", key="note-token-3")))[0] == 422


async def test_a_notice_says_nothing_about_what_its_reader_may_not_see_any_more(site: Site) -> None:
    rep, other = await site.signed_in("rep"), await site.signed_in("rep")
    conversation = await elsewhere(site, assignee_id=me(rep))
    written = await rep.post(f"/api/conversations/{conversation}/notes", note("机密", me(other)), status=201)
    assert (await other.get("/api/notifications"))["notifications"][0]["text"] == "机密"
    await rep.call("DELETE", f"/api/notes/{written['id']}")
    assert (await other.get("/api/notifications"))["notifications"][0]["text"] == ""
    await rep.post(f"/api/conversations/{conversation}/helpers", {"remove": [me(other)]})
    [notice] = (await other.get("/api/notifications"))["notifications"]
    assert (notice["title"], notice["text"], notice["data"]) == ("", "", {})


async def test_only_its_writer_changes_a_note_and_what_it_said_stays_known(site: Site) -> None:
    rep, other, manager = [await site.signed_in(role) for role in ("rep", "rep", "manager")]
    conversation = await site.conversation(await site.account(await site.connection()))
    written = await rep.post(f"/api/conversations/{conversation}/notes", note("第一稿"), status=201)
    path = f"/api/notes/{written['id']}"
    assert (await other.call("PATCH", path, json={"text": "改"}))[0] == 403
    status, edited = await rep.call("PATCH", path, json={"text": "第二稿", "mention_ids": [me(other)]})
    assert status == 200
    assert (edited["text"], [one["text"] for one in edited["content"]["edits"]]) == ("第二稿", ["第一稿"])
    assert await kinds_told(other) == ["mention"]
    assert (await other.call("DELETE", path))[0] == 403
    assert (await rep.call("DELETE", path))[0] == 200
    assert (await rep.call("DELETE", path))[0] == 200
    assert (await rep.call("PATCH", path, json={"text": "第三稿"}))[0] == 409
    hidden = (await rep.get(f"/api/conversations/{conversation}/messages"))["messages"][0]
    assert (hidden["text"], hidden["content"], hidden["recalled_by"]) == ("", {}, "agent")
    kept = (await manager.get(f"/api/conversations/{conversation}/messages"))["messages"][0]
    assert kept["text"] == "第二稿"
    # A message of the customer is no note.
    spoken = await site.says(conversation, "你好")
    assert (await rep.call("DELETE", f"/api/notes/{spoken}"))[0] == 404


async def test_a_handover_is_asked_for_declined_and_accepted(site: Site) -> None:
    rep, other = await site.signed_in("rep"), await site.signed_in("rep")
    conversation = await elsewhere(site, assignee_id=me(rep))
    path = f"/api/conversations/{conversation}/transfer"
    asked = await rep.post(path, {"agent_id": me(other), "note": "懂灯的来看看"})
    assert (asked["transfer_to"], asked["assignee_id"]) == (me(other), me(rep))
    assert (await other.get(f"/api/conversations/{conversation}"))["transfer_to"] == me(other)
    # Asked twice is asked once, and only who was asked may answer.
    await rep.post(path, {"agent_id": me(other), "note": "懂灯的来看看"})
    assert (await rep.call("POST", f"{path}/accept"))[0] == 409
    await other.post(f"{path}/decline", {"why": "在忙"})
    assert (await other.call("GET", f"/api/conversations/{conversation}"))[0] == 404
    assert await kinds_told(rep) == ["transfer_declined"]
    await rep.post(path, {"agent_id": me(other)})
    taken = await other.post(f"{path}/accept")
    assert (taken["assignee_id"], taken["transfer_to"], taken["collaborator_ids"]) == (me(other), None, [])
    assert (await other.call("POST", f"{path}/accept"))[0] == 409
    assert [kind for kind, _ in await events(other, conversation)] == [
        "transfer_asked", "transfer_declined", "transfer_asked", "transfer_accepted", "assigned",
    ]  # fmt: skip
    assert await kinds_told(other) == ["transfer_asked", "transfer_asked"]
    assert (await rep.call("POST", path, json={"agent_id": me(rep)}))[0] in (403, 404)


async def test_giving_it_to_somebody_else_takes_a_question_back(site: Site) -> None:
    rep, other, manager = [await site.signed_in(role) for role in ("rep", "rep", "manager")]
    conversation = await elsewhere(site, assignee_id=me(rep))
    await rep.post(f"/api/conversations/{conversation}/transfer", {"agent_id": me(other)})
    given = await manager.post(f"/api/conversations/{conversation}/assign", {"agent_id": me(manager)})
    assert (given["transfer_to"], given["collaborator_ids"]) == (None, [])
    assert (await other.call("POST", f"/api/conversations/{conversation}/transfer/accept"))[0] == 404
    assert [kind for kind, _ in await events(manager, conversation)] == [
        "transfer_asked", "transfer_cancelled", "assigned",
    ]  # fmt: skip


async def test_without_acceptance_a_handover_is_done_at_once(site: Site) -> None:
    rep, other, manager = [await site.signed_in(role) for role in ("rep", "rep", "manager")]
    conversation = await elsewhere(site, assignee_id=me(rep))
    assert (await rep.call("PATCH", "/api/settings/transfer", json={"acceptance": False}))[0] == 403
    assert (await manager.call("PATCH", "/api/settings/transfer", json={"acceptance": False}))[0] == 200
    gone = await rep.post(f"/api/conversations/{conversation}/transfer", {"agent_id": me(other), "note": "交给你了"})
    assert (gone["assignee_id"], gone["transfer_to"]) == (me(other), None)
    page = await other.get(f"/api/conversations/{conversation}/messages")
    assert [(one["direction"], one["text"]) for one in page["messages"]] == [("note", "交给你了")]
    assert await kinds_told(other) == ["assigned"]


async def test_who_takes_gives_and_gets_is_written_down_with_the_reason(site: Site) -> None:
    rep, manager = await site.signed_in("rep"), await site.signed_in("manager")
    conversation = await site.conversation(await site.account(await site.connection()))
    path = f"/api/conversations/{conversation}/assign"
    await rep.post(path, {"agent_id": me(rep)})
    await rep.post(path, {"agent_id": me(rep)})
    await rep.post(path, {"agent_id": None})
    await manager.post(path, {"agent_id": me(rep)})
    told = await events(rep, conversation)
    assert [(kind, data.get("to"), data["why"]["en"]) for kind, data in told] == [
        ("assigned", me(rep), "Taken over by hand"),
        ("unassigned", None, "Given back by hand"),
        ("assigned", me(rep), "Assigned by hand"),
    ]
    assert await kinds_told(rep) == ["assigned"]
    marketer = await site.agent("marketer")
    assert (await manager.call("POST", path, json={"agent_id": marketer}))[0] == 422


async def test_helpers_come_and_go(site: Site) -> None:
    rep, other, third = [await site.signed_in("rep") for _ in range(3)]
    conversation = await elsewhere(site, assignee_id=me(rep))
    path = f"/api/conversations/{conversation}/helpers"
    assert (await rep.post(path, {"add": [me(other), me(rep)]}))["collaborator_ids"] == [me(other)]
    assert await kinds_told(other) == ["helper"]
    assert (await other.post(path, {"add": [me(third)]}))["collaborator_ids"] == [me(other), me(third)]
    assert (await other.call("POST", path, json={"remove": [me(third)]}))[0] == 403
    assert (await third.post(path, {"remove": [me(third)]}))["collaborator_ids"] == [me(other)]
    assert (await third.call("GET", f"/api/conversations/{conversation}"))[0] == 404


async def test_labels_are_kept_in_order_and_put_away(site: Site) -> None:
    rep, manager = await site.signed_in("rep"), await site.signed_in("manager")
    conversation = await site.conversation(await site.account(await site.connection()))
    assert (await rep.call("POST", "/api/labels", json={"name": "售后"}))[0] == 403
    first = (await manager.post("/api/labels", {"name": "售后", "color": "red"}, status=201))["labels"][0]
    assert (await manager.call("POST", "/api/labels", json={"name": "售后"}))[1]["error"] == "name_taken"
    second = (await manager.post("/api/labels", {"name": "要开票"}, status=201))["labels"][1]
    moved = (await manager.call("PATCH", f"/api/labels/{second['id']}", json={"position": 0}))[1]
    assert [(one["name"], one["position"]) for one in moved["labels"]] == [("要开票", 0), ("售后", 1)]
    path = f"/api/conversations/{conversation}/labels"
    assert (await rep.post(path, {"add": [first["id"], second["id"]]}))["label_ids"] == [first["id"], second["id"]]
    await rep.post(path, {"add": [first["id"]]})
    assert (await rep.post(path, {"remove": [second["id"]]}))["label_ids"] == [first["id"]]
    assert [data for _, data in await events(rep, conversation)] == [
        {"added": [first["id"], second["id"]], "removed": []},
        {"added": [], "removed": [second["id"]]},
    ]
    await manager.call("PATCH", f"/api/labels/{second['id']}", json={"archived": True})
    assert (await rep.call("POST", path, json={"add": [second["id"]]}))[0] == 422
    assert (await rep.call("POST", path, json={"add": [987654321]}))[0] == 422


async def test_it_sleeps_until_a_moment_and_is_woken_once(site: Site) -> None:
    rep = await site.signed_in("rep")
    services = site.services
    conversation = await site.conversation(await site.account(await site.connection()), assignee_id=me(rep))
    path = f"/api/conversations/{conversation}/snooze"
    now = services.clock.now()
    for wrong in (now - timedelta(minutes=1), now + timedelta(days=400)):
        assert (await rep.call("POST", path, json={"until": wrong.isoformat()}))[0] == 422
    asleep = await rep.post(path, {"until": (now + timedelta(hours=1)).isoformat()})
    assert asleep["status"] == "snoozed"
    assert (await rep.get("/api/conversations/counts"))["mine"]["open"] == 0
    assert await wake_due(services) is False
    await services.db.execute("update conversation set snoozed_until = now() - interval '1 second'")
    await wake_due(services)
    await wake_due(services)
    awake = await rep.get(f"/api/conversations/{conversation}")
    assert (awake["status"], awake["snoozed_until"]) == ("open", None)
    assert [kind for kind, _ in await events(rep, conversation)] == ["snoozed", "woke"]
    assert await kinds_told(rep) == ["woke"]
    await rep.post(path, {"until": None})
    assert (await rep.post(f"/api/conversations/{conversation}/reopen"))["status"] == "open"
    await rep.post(f"/api/conversations/{conversation}/close")
    assert (await rep.call("POST", path, json={"until": None}))[1]["error"] == "closed"


async def test_words_and_days_are_found_in_the_whole_conversation(site: Site) -> None:
    rep, manager = await site.signed_in("rep"), await site.signed_in("manager")
    conversation = await site.conversation(await site.account(await site.connection()))
    for n in range(60):
        await site.says(conversation, f"第{n}句 100% 棉" if n % 20 == 0 else f"第{n}句")
    secret = await site.says(conversation, "100% 打折")
    await site.recalls(secret)
    path = f"/api/conversations/{conversation}/search"
    assert [one["seq"] for one in (await rep.get(path, q="100%"))["hits"]] == [41, 21, 1]
    assert [one["seq"] for one in (await manager.get(path, q="100% "))["hits"]] == [61, 41, 21, 1]
    assert (await rep.get(path, q="1000"))["hits"] == []
    since = await rep.get(path, since="2020-01-01T00:00:00Z")
    assert [one["seq"] for one in since["hits"]] == [1]
    assert (await rep.get(path, since="2099-01-01T00:00:00Z"))["hits"] == []
    assert (await rep.call("GET", path))[0] == 422
    around = await rep.get(f"/api/conversations/{conversation}/messages", around=21, limit=10)
    assert [one["seq"] for one in around["messages"]] == list(range(16, 26))
    assert (around["has_before"], around["has_after"]) == (True, True)


async def test_notices_are_read_one_by_one_by_conversation_and_all(site: Site) -> None:
    rep, other = await site.signed_in("rep"), await site.signed_in("rep")
    account = await site.account(await site.connection())
    places = [await site.conversation(account) for _ in range(3)]
    for n, conversation in enumerate(places):
        body = note(f"第{n}条", me(other), key=f"note-token-{n}")
        await rep.post(f"/api/conversations/{conversation}/notes", body, status=201)
    async with other.socket() as live:
        told = (await other.get("/api/notifications", limit=2))["notifications"]
        assert (await other.post("/api/notifications/read", {"ids": [told[0]["id"]]}))["unread"] == 2
        assert (await live.next("notifications"))["page"]["unread"] == 2
        assert (await other.post("/api/notifications/read", {"conversation_id": places[1]}))["unread"] == 1
        assert (await other.post("/api/notifications/read", {"up_to": told[0]["id"]}))["unread"] == 0
    # Nobody reads those of others.
    [first, *_] = await site.services.db.fetch("select id from notification order by id")
    await site.services.db.execute("update notification set read_at = null")
    assert (await rep.post("/api/notifications/read", {"ids": [first["id"]]}))["unread"] == 0
    assert await site.services.db.fetchval("select count(*) from notification where read_at is null") == 3
    assert (await rep.call("POST", "/api/notifications/read", json={}))[0] == 422


async def test_a_notice_rings_in_the_browser_of_the_one_concerned_only(site: Site) -> None:
    rep, other, third = [await site.signed_in("rep") for _ in range(3)]
    conversation = await site.conversation(await site.account(await site.connection()))
    async with other.socket() as live, third.socket() as elsewhere_:
        await rep.post(f"/api/conversations/{conversation}/notes", note("来一下", me(other)), status=201)
        pushed = (await live.next("notifications"))["page"]
        assert pushed == {**await other.get("/api/notifications", limit=20)}
        assert pushed["notifications"][0]["text"] == "来一下"
        await elsewhere_.next("conversation", lambda one: one["conversation"]["last_seq"] == 1)
        assert all(one["type"] != "notifications" for one in elsewhere_.heard)


async def test_everybody_chooses_how_to_be_told(site: Site) -> None:
    rep, other = await site.signed_in("rep"), await site.signed_in("rep")
    quiet = {"popup": False, "browser": True, "sound": False, "card": "always"}
    night = {"start": "21:00", "end": "08:30"}
    await rep.call("PATCH", "/api/me/preferences", json={"kinds": {"mention": quiet}})
    await rep.call(
        "PATCH", "/api/me/preferences", json={"volume": 0, "quiet_until": "2099-01-01T00:00:00Z", "quiet_hours": night}
    )
    kept = await rep.get("/api/me/preferences")
    until = "2099-01-01T00:00:00Z"
    assert kept == {"kinds": {"mention": quiet}, "volume": 0, "quiet_until": until, "quiet_hours": night}
    await rep.call("PATCH", "/api/me/preferences", json={"quiet_until": None})
    assert (await rep.get("/api/me/preferences"))["quiet_until"] is None
    assert (await other.get("/api/me/preferences"))["kinds"] == {}
    assert (await rep.call("PATCH", "/api/me/preferences", json={"kinds": {"No!": quiet}}))[0] == 422
    # Other parts keep theirs in the same place.
    await site.services.db.execute(
        "update agent set preferences = preferences || '{\"look\": 1}' where id = $1", me(rep)
    )
    await rep.call("PATCH", "/api/me/preferences", json={"volume": 30})
    assert await site.services.db.fetchval("select preferences ->> 'look' from agent where id = $1", me(rep)) == "1"


async def test_what_was_done_by_mistake_is_undone(site: Site) -> None:
    rep, manager = await site.signed_in("rep"), await site.signed_in("manager")
    conversation = await site.conversation(await site.account(await site.connection()))
    label = (await manager.post("/api/labels", {"name": "售后"}, status=201))["labels"][0]["id"]
    path = f"/api/conversations/{conversation}"
    for act, body in (("labels", {"add": [label]}), ("snooze", {"until": None}), ("helpers", {"add": [me(manager)]})):
        await rep.post(f"{path}/{act}", body)
        step = await site.services.db.fetchval("select max(id) from undo_step where agent_id = $1", me(rep))
        await rep.post(f"/api/undo/{step}")
    now = await rep.get(path)
    assert (now["label_ids"], now["status"], now["collaborator_ids"]) == ([], "open", [])
