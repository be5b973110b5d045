"""Quick replies, several pieces at once, drafts, answers that leave later: once, in order, for those who may."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from inbox.scheduled import send_due
from tests.http.site import Browser, Site
from tests.http.test_uploads import form, upload
from tests.pictures import png


async def open_chat(site: Site, **columns: Any) -> int:
    """A conversation whose customer wrote just now: five answers are left."""
    account = await site.account(await site.connection())
    now = datetime.now(UTC)
    window = {
        "window_kind": "reply", "window_opened_at": now, "window_expires_at": now + timedelta(hours=48), "window_quota": 5,
    }  # fmt: skip
    made = await site.conversation(account, **{**window, **columns})
    await site.says(made, "在吗")
    return made


async def keep(browser: Browser, title: str, *texts: str, reach: str = "personal", **more: Any) -> dict[str, Any]:
    body = {"place": {"reach": reach}, "title": title, "parts": [{"text": text} for text in texts], **more}
    made: dict[str, Any] = await browser.post("/api/quick-replies", body, status=201)
    return made


async def said(site: Site, conversation_id: int) -> list[str]:
    rows = await site.services.db.fetch(
        "select text from message where conversation_id = $1 and direction = 'out' order by seq", conversation_id
    )
    return [row["text"] for row in rows]


async def test_found_by_words_pinyin_and_initials_and_own_use_comes_first(site: Site) -> None:
    manager = await site.signed_in("manager")
    await keep(manager, "发货时效", "今天 16:00 前付款当天发货", reach="company", shortcut="fh")
    other = await keep(manager, "发货地址", "从杭州发货", reach="company")
    await keep(manager, "优惠券", "直播间专享券", reach="company")

    async def titles(q: str) -> list[str]:
        return [one["title"] for one in (await manager.get("/api/quick-replies", q=q))["replies"]]

    for query in ("发货", "fahuo", "FAHUO", "fah"):
        assert sorted(await titles(query)) == ["发货地址", "发货时效"], query
    assert (await titles("fh"))[0] == "发货时效"  # the shortcut itself, before initials that start so
    assert await titles("fhsx") == ["发货时效"]
    assert await titles("专享券") == await titles("zxq") == ["优惠券"]
    assert await titles("发货 杭州") == ["发货地址"]
    assert await titles("100%") == []
    conversation = await open_chat(site)
    draft = {"client_token": "t-12345678", "text": "从杭州发货", "quick_reply_id": other["id"]}
    for status in (201, 200):
        await manager.post(f"/api/conversations/{conversation}/messages", draft, status=status)
    found = (await manager.get("/api/quick-replies", q="发货"))["replies"]
    assert [(one["title"], one["uses"], one["own_uses"]) for one in found] == [("发货地址", 1, 1), ("发货时效", 0, 0)]


async def test_whose_it_is_decides_who_sees_and_changes_it(site: Site) -> None:
    team = await site.team("售后")
    manager, rep, mate = (
        await site.signed_in("manager"),
        await site.signed_in("rep"),
        await site.signed_in("rep", teams=(team,)),
    )
    mine = await keep(rep, "我的", "我的话")
    company = await keep(manager, "公司的", "公司的话", reach="company")
    of_team = await manager.post(
        "/api/quick-replies",
        {"place": {"reach": "team", "team_id": team}, "title": "团队的", "parts": [{"text": "团队的话"}]},
        status=201,
    )

    async def titles(browser: Browser) -> set[str]:
        return {one["title"] for one in (await browser.get("/api/quick-replies"))["replies"]}

    assert await titles(rep) == {"我的", "公司的"}
    assert await titles(mate) == {"公司的", "团队的"}
    assert await titles(manager) == {"公司的", "团队的"}
    body = {"place": {"reach": "company"}, "title": "改", "parts": [{"text": "改"}]}
    for browser, reply, status in (
        (rep, company, 403), (rep, of_team, 404), (mate, of_team, 403), (manager, mine, 404),
    ):  # fmt: skip
        path = f"/api/quick-replies/{reply['id']}"
        assert (await browser.call("PATCH", path, json=body))[0] == status
        assert (await browser.call("DELETE", path))[0] == status
    assert (await rep.call("POST", "/api/quick-replies", json=body))[0] == 403


async def test_deleted_and_undone(site: Site) -> None:
    rep = await site.signed_in("rep")
    made = await keep(rep, "再见", "慢走")
    async with rep.http.delete(
        f"{site.base}/api/quick-replies/{made['id']}", headers={"X-CSRF-Token": rep.csrf}
    ) as answer:
        assert answer.status == 204
        step = answer.headers["X-Undo-Step"].split(";")[0]
    assert (await rep.get("/api/quick-replies"))["replies"] == []
    await rep.post(f"/api/undo/{step}")
    assert [one["title"] for one in (await rep.get("/api/quick-replies"))["replies"]] == ["再见"]


async def test_a_missing_value_stops_the_send_and_nothing_of_it_leaves(site: Site) -> None:
    rep = await site.signed_in("rep")
    conversation = await open_chat(site)
    reply = await keep(rep, "问候", "{{customer.name}}您好，我是{{agent.name}}", "您在{{customer.city}}吗？")
    filled = await rep.post(f"/api/quick-replies/{reply['id']}/fill", {"conversation_id": conversation})
    assert filled["parts"][0]["text"].endswith(f"您好，我是{rep.me['agent']['name']}")
    assert filled["missing"] == ["customer.city"]
    stack = {"client_token": "stack-missing", "parts": [{"text": "第一句"}, {"text": "您在{{customer.city}}吗？"}]}
    status, error = await rep.call("POST", f"/api/conversations/{conversation}/answers", json=stack)
    assert (status, error["error"], error["fields"]["text"]) == (422, "value_missing", "customer.city")
    assert await said(site, conversation) == []
    used = await site.services.db.fetchval("select window_used from conversation where id = $1", conversation)
    assert used == 0
    await site.services.db.execute("update customer set city = '杭州'")
    await rep.post(f"/api/conversations/{conversation}/answers", stack, status=201)
    assert await said(site, conversation) == ["第一句", "您在杭州吗？"]


async def test_an_unknown_variable_cannot_be_kept(site: Site) -> None:
    rep = await site.signed_in("rep")
    body = {"place": {"reach": "personal"}, "title": "错", "parts": [{"text": "{{customer.shoe_size}}"}]}
    status, error = await rep.call("POST", "/api/quick-replies", json=body)
    assert (status, error["error"]) == (422, "no_variable")


async def test_a_stack_is_sent_once_in_order_however_often_it_is_asked_for(site: Site) -> None:
    rep = await site.signed_in("rep")
    conversation = await open_chat(site)
    file = await upload(rep, png(30, 20), "灯.png", "image/png")
    reply = await rep.post(
        "/api/quick-replies",
        {
            "place": {"reach": "personal"},
            "title": "产品",
            "parts": [{"text": "看这张图"}, {"kind": "image", "attachment_id": file["id"]}],
        },
        status=201,
    )
    assert reply["parts"][1]["file"]["width"] == 30
    parts = [{"text": "看这张图"}, {"kind": "image", "of_reply": {"id": reply["id"], "part": 1}}, {"text": "喜欢吗"}]
    stack = {"client_token": "stack-00001", "quick_reply_id": reply["id"], "parts": parts}
    path = f"/api/conversations/{conversation}/answers"
    answers = await asyncio.gather(*(rep.call("POST", path, json=stack) for _ in range(4)))
    assert sorted(status for status, _ in answers) == [200, 200, 200, 201]
    assert len({tuple(one["id"] for one in body["messages"]) for _, body in answers}) == 1
    assert await said(site, conversation) == ["看这张图", "[图片]", "喜欢吗"]
    messages = answers[0][1]["messages"]
    assert [one["client_token"] for one in messages] == [f"stack-00001-{n}" for n in range(3)]
    assert [(one["width"], one["state"]) for one in messages[1]["attachments"]] == [(30, "stored")]
    queued = await site.services.db.fetch("select message_id from outbox order by id")
    assert [row["message_id"] for row in queued] == [one["id"] for one in messages]
    assert (await rep.get(f"/api/quick-replies/{reply['id']}"))["uses"] == 1


async def test_a_stack_that_the_window_does_not_hold_is_refused_whole(site: Site) -> None:
    rep = await site.signed_in("rep")
    conversation = await open_chat(site, window_used=3)
    stack = {"client_token": "stack-long", "parts": [{"text": str(n)} for n in range(3)]}
    status, error = await rep.call("POST", f"/api/conversations/{conversation}/answers", json=stack)
    assert (status, error["error"]) == (409, "window_used_up")
    assert await said(site, conversation) == []


async def test_somebody_elses_file_cannot_be_sent(site: Site) -> None:
    rep, other = await site.signed_in("rep"), await site.signed_in("rep")
    conversation = await open_chat(site)
    file = await upload(other, png(), "x.png", "image/png")
    made = await other.post(
        "/api/materials",
        {"place": {"reach": "personal"}, "kind": "image", "title": "图", "attachment_id": file["id"]},
        status=201,
    )
    for source in ({"attachment_id": file["id"]}, {"material_id": made["material"]["id"]}):
        body = {"client_token": "t-12345678", "kind": "image", **source}
        assert (await rep.call("POST", f"/api/conversations/{conversation}/messages", json=body))[0] == 422
    assert (await rep.call("GET", made["material"]["file"]["url"]))[0] == 404


# -------------------------------------------------------------------------------------------------------------- sheets


async def test_out_as_a_sheet_and_in_again_with_a_dry_run(site: Site) -> None:
    manager = await site.signed_in("manager")
    await keep(manager, "公式", '=HYPERLINK("http://x","y")', reach="company", folder="测试")
    await keep(manager, "两句", "+第一句", "第二句\n换行", reach="company")
    for kind in ("csv", "xlsx"):
        status, data = await manager.call("GET", f"/api/quick-replies/export?format={kind}")
        assert status == 200
        assert isinstance(data, bytes)
        if kind == "csv":
            text = data.decode("utf-8-sig")
            assert "'=HYPERLINK" in text
            assert "'+第一句" in text
        else:
            import io
            import zipfile

            sheet = zipfile.ZipFile(io.BytesIO(data)).read("xl/worksheets/sheet1.xml")
            assert b"<f>" not in sheet
        before = (await manager.get("/api/quick-replies"))["total"]
        status, report = await manager.call("POST", "/api/quick-replies/import?dry=1", data=form(data, f"a.{kind}"))
        assert status == 200
        assert [(one["row"], one["code"]) for one in report["troubles"]] == [(2, "duplicate"), (3, "duplicate")]
        assert (await manager.get("/api/quick-replies"))["total"] == before
        await site.services.db.execute("update quick_reply set title = title || $1", kind)
        status, report = await manager.call("POST", "/api/quick-replies/import?dry=0", data=form(data, f"a.{kind}"))
        assert report["written"], report
        found = (await manager.get("/api/quick-replies", q="公式"))["replies"]
        assert {one["parts"][0]["text"] for one in found} == {'=HYPERLINK("http://x","y")'}
        await site.services.db.execute("delete from quick_reply where title not like '%' || $1", kind)
        await site.services.db.execute("update quick_reply set title = replace(title, $1, '')", kind)
    told = await site.services.db.fetch(
        "select detail from audit_event where action = 'quick_reply.exported' order by id"
    )
    assert [row["detail"] for row in told] == [{"rows": 2, "format": "csv"}, {"rows": 2, "format": "xlsx"}]


async def test_a_sheet_with_one_bad_row_changes_nothing_and_says_which(site: Site) -> None:
    rep = await site.signed_in("rep")
    rows = "范围,团队,文件夹,标题,快捷词,内容1\n个人,,,好的,,好\n公司,,,不行,,不行\n个人,,,空,,\n火星,,,x,,x\n个人,,,变量,,{{nothing.here}}\n"
    status, report = await rep.call(
        "POST", "/api/quick-replies/import?dry=0", data=form(rows.encode("gb18030"), "a.csv")
    )
    assert status == 200
    assert [(one["row"], one["code"]) for one in report["troubles"]] == [
        (3, "forbidden"), (4, "empty"), (5, "scope"), (6, "variable"),
    ]  # fmt: skip
    assert (report["added"], report["written"]) == (1, False)
    assert (await rep.get("/api/quick-replies"))["total"] == 0
    for data in (b"PK\x03\x04 no zip", b"\xff\xfe\x00bad\x81", b"a,b\n1,2\n"):
        status, error = await rep.call("POST", "/api/quick-replies/import", data=form(data, "a.xlsx"))
        assert (status, error["error"]) == (422, "bad_sheet")


# -------------------------------------------------------------------------------------------------------------- drafts


async def test_a_draft_follows_its_writer_to_other_tabs_and_nobody_else(site: Site) -> None:
    one = await site.signed_in("rep")
    two, other = await site.sign_in(one.me["agent"]["id"]), await site.signed_in("rep")
    conversation = await open_chat(site)
    path = f"/api/conversations/{conversation}/draft"
    async with two.socket() as live, other.socket() as foreign:
        saved = await one.post(path, {"text": "您好，关于", "revision": 0})
        assert (saved["kept"], saved["draft"]["revision"]) == (True, 1)
        pushed = await live.next("draft")
        assert (pushed["draft"]["text"], pushed["draft"]["conversation_id"]) == ("您好，关于", conversation)
        await site.says(conversation, "还在吗")
        heard = await foreign.quiet_until("conversation", lambda frame: frame["conversation"]["id"] == conversation)
        assert "draft" not in [frame["type"] for frame in heard]
    assert [draft["text"] for draft in (await two.get("/api/drafts"))["drafts"]] == ["您好，关于"]
    assert (await other.get("/api/drafts"))["drafts"] == []
    # The other tab had not seen the newest one: it gets it back instead of overwriting it.
    saved = await two.post(path, {"text": "别的", "revision": 0})
    assert (saved["kept"], saved["draft"]["text"]) == (False, "您好，关于")
    saved = await two.post(path, {"text": "您好，关于\n别的", "revision": 1})
    assert (saved["kept"], saved["draft"]["revision"]) == (True, 2)
    await one.post(path, {"text": "  ", "revision": 2})
    assert (await one.get("/api/drafts"))["drafts"] == []
    stranger = await site.team("别处")
    hidden = await site.conversation(await site.account(await site.connection(), team_id=stranger))
    assert (await one.call("POST", f"/api/conversations/{hidden}/draft", json={"text": "x", "revision": 0}))[0] == 404


# --------------------------------------------------------------------------------------------------------------- later


def later(seconds: float = 3600) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


async def make_due(site: Site) -> None:
    await site.services.db.execute("update scheduled_message set due_at = now() - interval '1 second'")


async def test_planned_changed_and_sent_once_by_two_workers(site: Site) -> None:
    rep, manager = await site.signed_in("rep"), await site.signed_in("manager")
    conversation = await open_chat(site)
    path = f"/api/conversations/{conversation}/scheduled"
    body = {"client_token": "later-0001", "due_at": later(), "parts": [{"text": "明天见"}, {"text": "{{agent.name}}"}]}
    async with manager.socket() as live:
        first = await rep.post(path, body, status=201)
        pushed = await live.next("conversation", lambda frame: bool(frame["events"]))
        assert pushed["events"][0]["kind"] == "scheduled"
    assert (await rep.post(path, body))["id"] == first["id"]
    changed = await rep.call(
        "PATCH", f"/api/scheduled/{first['id']}", json={"revision": 1, "texts": ["后天见"], "due_at": later(7200)}
    )
    assert (changed[0], changed[1]["parts"][0]["text"], changed[1]["revision"]) == (200, "后天见", 2)
    stale = await rep.call("PATCH", f"/api/scheduled/{first['id']}", json={"revision": 1, "texts": ["x"]})
    assert (stale[0], stale[1]["error"]) == (409, "changed_meanwhile")
    assert not await send_due(site.services)
    await make_due(site)
    await asyncio.gather(*(send_due(site.services) for _ in range(4)))
    assert await said(site, conversation) == ["后天见", rep.me["agent"]["name"]]
    assert (await rep.get(path))["scheduled"] == []
    gone = await rep.call("POST", f"/api/scheduled/{first['id']}/cancel")
    assert (gone[0], gone[1]["error"]) == (409, "scheduled_gone")


async def test_a_cancelled_one_never_leaves(site: Site) -> None:
    rep = await site.signed_in("rep")
    conversation = await open_chat(site)
    body = {"client_token": "later-0002", "due_at": later(), "parts": [{"text": "不发了"}]}
    made = await rep.post(f"/api/conversations/{conversation}/scheduled", body, status=201)
    for _ in range(2):
        assert (await rep.post(f"/api/scheduled/{made['id']}/cancel"))["state"] == "cancelled"
    await make_due(site)
    assert not await send_due(site.services)
    assert await said(site, conversation) == []


async def test_whether_it_may_leave_is_decided_when_it_is_due(site: Site) -> None:
    rep = await site.signed_in("rep")
    conversation = await open_chat(site)
    path = f"/api/conversations/{conversation}/scheduled"
    parts = [{"text": "第一句"}, {"text": "第二句"}]
    await rep.post(path, {"client_token": "later-0003", "due_at": later(), "parts": parts}, status=201)
    await site.services.db.execute("update conversation set window_used = 4")
    await make_due(site)
    assert await send_due(site.services)
    # One would have fitted: not even that leaves without the other.
    assert await said(site, conversation) == []
    (failed,) = (await rep.get(path))["scheduled"]
    assert (failed["state"], failed["reason"]["code"]) == ("failed", "window_used_up")
    told = await site.services.db.fetch("select agent_id, kind from notification")
    assert [(row["agent_id"], row["kind"]) for row in told] == [(rep.me["agent"]["id"], "send_failed")]
    assert not await send_due(site.services)
    # Another moment gives it another chance.
    await site.services.db.execute("update conversation set window_used = 0")
    again = {"revision": failed["revision"], "due_at": later()}
    status, _ = await rep.call("PATCH", f"/api/scheduled/{failed['id']}", json=again)
    assert status == 200
    await make_due(site)
    await send_due(site.services)
    assert await said(site, conversation) == ["第一句", "第二句"]


async def test_who_lost_the_right_does_not_answer_later(site: Site) -> None:
    team, rep_id = await site.team("甲"), await site.agent("rep")
    rep = await site.sign_in(rep_id)
    conversation = await open_chat(site)
    body = {"client_token": "later-0004", "due_at": later(), "parts": [{"text": "再见"}]}
    await rep.post(f"/api/conversations/{conversation}/scheduled", body, status=201)
    await site.services.db.execute("update account set team_id = $1", team)
    await make_due(site)
    await send_due(site.services)
    assert await said(site, conversation) == []
    reason = await site.services.db.fetchval("select reason from scheduled_message")
    assert reason["code"] == "not_allowed"


async def test_others_see_what_waits_and_only_managers_may_change_it(site: Site) -> None:
    rep, other, manager = (
        await site.signed_in("rep"), await site.signed_in("rep"), await site.signed_in("manager"),
    )  # fmt: skip
    conversation = await open_chat(site)
    path = f"/api/conversations/{conversation}/scheduled"
    made = await rep.post(
        path, {"client_token": "later-0005", "due_at": later(), "parts": [{"text": "好"}]}, status=201
    )
    (seen,) = (await other.get(path))["scheduled"]
    assert not seen["may_change"]
    assert (await other.call("POST", f"/api/scheduled/{made['id']}/cancel"))[0] == 409
    assert (await manager.post(f"/api/scheduled/{made['id']}/cancel"))["state"] == "cancelled"
    for moment in (later(-60), later(5), later(400 * 86400)):
        body = {"client_token": "later-0006", "due_at": moment, "parts": [{"text": "好"}]}
        assert (await rep.call("POST", path, json=body))[0] == 422
