"""Who sees which recipients, the sheets, and where a reply is opened."""

from __future__ import annotations

import io
from datetime import timedelta

from python_calamine import CalamineWorkbook

from campaigns.ledger.story import tell_sent
from tests.http.site import Browser, Site


async def run_of(site: Site, people: dict[str, int | None]) -> tuple[int, int]:
    """A run that everybody got, by the owner of each."""
    db, now = site.services.db, site.services.clock.now()
    account = await site.account(await site.connection())
    campaign = await db.fetchval(
        "insert into campaign (kind, name, state, created_at, updated_at) values ('message', '双十二', 'done', $1, $1) returning id",
        now,
    )
    run: int = await db.fetchval(
        "insert into campaign_run (campaign_id, due_at, state, created_at) values ($1, $2, 'done', $2) returning id",
        campaign,
        now,
    )
    for name, owner in people.items():
        conversation = await site.conversation(account)
        customer, contact = await db.fetchrow(
            "select k.customer_id, k.id from conversation c join contact k on k.id = c.contact_id where c.id = $1",
            conversation,
        )
        await db.execute("update customer set name = $2, owner_id = $3 where id = $1", customer, name, owner)
        await db.execute(
            "insert into delivery (run_id, campaign_id, customer_id, contact_id, account_id, way, state, due_at, sent_at, counted_at, replied_at, "
            "created_at, updated_at) values ($1, $2, $3, $4, $5, 'task', 'sent', $6, $6, $6, $6, $6, $6)",
            run, campaign, customer, contact, account, now - timedelta(minutes=1),
        )  # fmt: skip
        await db.execute("update conversation set last_message_at = $2 where id = $1", conversation, now)
    return campaign, run


async def own_only(site: Site) -> tuple[Browser, int]:
    admin = await site.signed_in("admin")
    body = {
        "name": "只看自己",
        "reach": "own",
        "permissions": ["campaigns.read", "campaigns.write", "customers.read", "inbox.read"],
    }
    key = (await admin.post("/api/roles", body, status=201))["key"]
    agent = await site.agent("rep")
    assert (await admin.call("PATCH", f"/api/agents/{agent}", json={"role": key}))[0] == 200
    return await site.sign_in(agent), agent


async def test_recipients_are_those_whom_one_sees(site: Site) -> None:
    rep, agent = await own_only(site)
    boss = await site.signed_in("manager")
    campaign, run = await run_of(site, {"自己的": agent, "=别人的": boss.me["agent"]["id"]})
    path = f"/api/campaign-runs/{run}"
    assert [one["name"] for one in (await boss.get(f"{path}/deliveries"))["deliveries"]] == ["自己的", "=别人的"]
    seen = (await rep.get(f"{path}/deliveries"))["deliveries"]
    assert [(one["name"], one["conversation_id"] is not None) for one in seen] == [("自己的", True)], (
        "a reply to a task is opened"
    )
    assert (await rep.get(path))["funnel"]["read"] is None, "no platform tells it"
    for who, names in ((rep, ["自己的"]), (boss, ["自己的", "=别人的"])):
        answer = (await who.call("GET", f"{path}/export?format=xlsx"))[1]
        rows = CalamineWorkbook.from_filelike(io.BytesIO(answer)).get_sheet_by_index(0).to_python()
        assert [row[0] for row in rows] == ["收件人", *names]
        text = (await who.call("GET", f"{path}/export"))[1].decode("utf-8-sig")
        assert [line.split(",")[0].lstrip("'") for line in text.splitlines()] == ["收件人", *names]
    people = await rep.call("GET", f"/api/campaigns/{campaign}/dry-run/people?reason=window_closed")
    assert people[0] == 200
    assert "=别人的" not in str(people[1])


async def test_a_post_is_in_the_story_whichever_way_it_went(site: Site) -> None:
    campaign, run = await run_of(site, {"甲": None})
    async with site.services.work() as work:
        await tell_sent(
            work,
            campaign,
            await work.tx.fetch("select customer_id, state, sent_at from delivery where run_id = $1", run),
        )
    row = await site.services.db.fetchrow("select kind, data from timeline")
    assert (row["kind"], row["data"]) == ("campaign.sent", {"name": "双十二"})
