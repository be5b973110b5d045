"""Which accounts are places of the inbox: not the employees who are only on the lists of customers."""

from __future__ import annotations

from tests.http.site import Site


async def test_an_employees_account_is_no_place_of_the_inbox_until_somebody_talks_there(site: Site) -> None:
    connection = await site.connection()
    desk = await site.account(connection)
    employee = await site.account(connection, channel="wecom_member")
    admin = await site.signed_in("admin")

    async def places() -> dict[int, bool]:
        return {one["id"]: one["chats"] for one in (await admin.get("/api/accounts"))["accounts"]}

    assert await places() == {desk: True, employee: False}
    (shown,) = (await admin.get("/api/connections"))["connections"]
    assert {one["id"]: one["chats"] for one in shown["accounts"]} == {desk: True, employee: False}
    await site.conversation(employee)
    assert await places() == {desk: True, employee: True}


async def test_the_channel_of_employees_says_where_to_answer(site: Site) -> None:
    await site.connection()
    admin = await site.signed_in("admin")
    channels = {one["channel"]: one for one in (await admin.get("/api/accounts"))["channels"]}
    assert channels["wecom_member"]["sends"] == []
    assert "企业微信客户端" in channels["wecom_member"]["read_only_reason"]["zh"]
