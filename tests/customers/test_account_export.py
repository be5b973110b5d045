"""What a banned account had, to keep: complete, masked by role, written to the trail."""

from __future__ import annotations

import csv
import io
import zipfile

import orjson
import python_calamine

from tests.http.site import Browser, Site


async def fetched(browser: Browser, account: int) -> zipfile.ZipFile:
    status, body = await browser.call("GET", f"/api/accounts/{account}/export")
    assert status == 200, body
    bundle = zipfile.ZipFile(io.BytesIO(body))
    assert bundle.testzip() is None
    return bundle


def sheet_of(bundle: zipfile.ZipFile) -> list[list[str]]:
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(bundle.read("contacts.xlsx")))
    return [[str(cell) for cell in row] for row in book.get_sheet_by_index(0).to_python()]


async def test_the_archive_holds_contacts_and_chats_as_far_as_the_reader_may_see(site: Site) -> None:
    team = await site.team("他们")
    connection = await site.connection()
    account, other = await site.account(connection, team_id=team), await site.account(connection, team_id=team)
    conversation, foreign = await site.conversation(account), await site.conversation(other)
    db = site.services.db
    await db.execute("update customer set phone = '13812345678', company = '=cmd()'")
    await site.says(conversation, "我的电话 13912345678")
    await site.recalls(await site.says(conversation, "撤回的话"))
    for n in range(1500):
        await db.execute(
            "insert into message (conversation_id, seq, version, direction, kind, text, state, sender_kind, sent_at) "
            "values ($1, $2, $2, 'out', 'text', '好的', 'sent', 'agent', now())", conversation, 100 + n,
        )  # fmt: skip
    await site.says(foreign, "别的账号")

    admin = await site.signed_in("admin")
    bundle = await fetched(admin, account)
    lines = [orjson.loads(line) for line in bundle.read("chats.jsonl").splitlines()]
    assert len(lines) == 1502
    assert [line["text"] for line in lines[:2]] == ["我的电话 13912345678", "撤回的话"]
    table = list(csv.reader(io.StringIO(bundle.read("contacts.csv").decode("utf-8-sig"))))
    assert len(table) == 2
    assert (table[1][4], table[1][5]) == ("13812345678", "'=cmd()")
    assert sheet_of(bundle)[1][4:6] == ["13812345678", "=cmd()"]

    role = {"name": "导出", "permissions": ["customers.read", "customers.export", "inbox.read"], "reach": "team"}
    key = (await admin.post("/api/roles", role, status=201))["key"]
    people = [await site.agent("rep", teams=(team,)), await site.agent("rep")]
    for one in people:
        await admin.call("PATCH", f"/api/agents/{one}", json={"role": key})
    exporter, stranger = [await site.sign_in(one) for one in people]
    bundle = await fetched(exporter, account)
    lines = [orjson.loads(line) for line in bundle.read("chats.jsonl").splitlines()]
    assert [line["text"] for line in lines[:2]] == ["我的电话 139****5678", ""]
    assert sheet_of(bundle)[1][4] == "138****5678"
    assert (await stranger.call("GET", f"/api/accounts/{account}/export"))[0] == 404
    assert (await (await site.signed_in("rep")).call("GET", f"/api/accounts/{account}/export"))[0] == 403
    trail = await db.fetch("select agent_id, object_id from audit_event where action = 'account.exported' order by id")
    assert [tuple(row) for row in trail] == [(admin.me["agent"]["id"], account), (people[0], account)]
