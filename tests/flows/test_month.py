"""A month in the life: whatever happens to the callbacks, what we hold in the end is what is so on the platform.

Small in the daily run; the size of the issue, 20 reps and 5,000 customers, with ``MONTH_SIZE=20x5000`` (``make month``).
"""

from __future__ import annotations

import os
import random
from typing import Any

import pytest

from scrm.config import Settings
from tests.company import CORP
from tests.customers.platform import Office, office
from tests.flows.month import Month

REPS, CUSTOMERS = (int(part) for part in os.environ.get("MONTH_SIZE", "6x150").split("x"))


@pytest.mark.timeout(600 if CUSTOMERS < 1000 else 7200)
@pytest.mark.parametrize("lossy", [False, True], ids=["all callbacks", "one in five lost"])
async def test_a_month_ends_as_it_is_on_the_platform(settings: Settings, lossy: bool) -> None:
    async with office(settings) as site:
        month = Month(site, REPS, CUSTOMERS, lossy, random.Random(20260302))
        await month.begins()
        await month.goes_by()
        if not lossy:
            # Callbacks alone kept everything; only the list of those who wait after somebody left is nowhere told.
            assert await differences(site, told_only=True) == []
        await site.compare()
        found = await differences(site)
        assert found == [], "\n".join(found)
        assert await broken(site) == []
        await no_loops(site)


async def differences(site: Office, *, told_only: bool = False) -> list[str]:
    """Ours against the platform's truth: relations with all that is written in them, who waits, the directory, tags, groups."""
    truth = site.play.truth(CORP)
    ours = await site.links()
    gone = set(truth["former"])
    wrong: list[str] = []

    def compare(what: str, left: Any, right: Any) -> None:
        if left != right:
            wrong.append(f"{what}: {left!r} is {right!r}"[:400])

    here = {key: link for key, link in ours.items() if key.split("/")[1] not in gone}
    there = truth["relations"]
    active = {key for key, link in here.items() if link["state"] == "active"}
    # Who was deleted by the customer stays on the member's list until the member deletes them too.
    known = active | {key for key, link in here.items() if link["state"] == "deleted_by_contact" and key in there}
    compare("only here", sorted(active - set(there))[:5], [])
    compare("only there", sorted(set(there) - known)[:5], [])
    for key in sorted(known & set(there)):
        link, true = here[key], there[key]
        compare(
            key,
            (link["remark"], link["description"], link["phones"], sorted(link["tags"]), link["source"]),
            (true["remark"], true["description"], true["phones"], sorted(true["tags"]), true["source"]),
        )
    if told_only:
        one_sided = {key for key, true in there.items() if true["one_sided"]}
        compare("who was deleted", sorted((known - active) ^ one_sided)[:5], [])
    else:
        theirs = {key: link["state"] for key, link in ours.items() if key.split("/")[1] in gone}
        there = set(truth["unassigned"])
        # Who had deleted the leaver is on the platform's list of those who wait all the same.
        waits = {key for key, state in theirs.items() if state == "active"}
        waits |= {key for key, state in theirs.items() if state == "deleted_by_contact" and key in there}
        compare("who waits", [(key, theirs.get(key)) for key in sorted(waits ^ there)][:5], [])

    members = await site.db.fetch("select external_id from directory_member where left_at is null")
    compare("members", sorted(row["external_id"] for row in members), sorted(truth["members"]))
    await _library(site, truth, compare, told_only)
    await _groups(site, truth, compare)
    return wrong


async def _library(site: Office, truth: Any, compare: Any, told_only: bool) -> None:
    rows = await site.db.fetch("select l.external_id, t.name from tag_link l join tag t on t.id = l.tag_id")
    tags = {tag_id: tag["name"] for group in truth["tags"].values() for tag_id, tag in group["tags"].items()}
    compare("tags", {row["external_id"]: row["name"] for row in rows}, tags)
    if told_only:
        return
    # What an active relation has, its customer has: also when the customer was split meanwhile, which no callback tells.
    lacking = await site.db.fetch(
        "select k.external_id, t.name from contact_link l join contact k on k.id = l.contact_id join customer u on u.id = k.customer_id "
        "join tag_link g on g.external_id = any(l.tags) join tag t on t.id = g.tag_id "
        "where l.state = 'active' and not (g.tag_id = any(u.tags)) and l.wish is null"
    )
    compare("tags of customers", [tuple(row) for row in lacking][:5], [])


async def _groups(site: Office, truth: Any, compare: Any) -> None:
    rows = await site.db.fetch(
        "select g.external_id, g.name, g.owner_id, array(select m.external_id from group_member m where m.group_chat_id = g.id "
        "and m.left_at is null order by 1) as people from group_chat g where g.dissolved_at is null"
    )
    ours = {row["external_id"]: (row["name"], row["owner_id"], sorted(row["people"])) for row in rows}
    there = {key: (one["name"], one["owner"], sorted(one["members"])) for key, one in truth["groups"].items()}
    for key in sorted(set(ours) | set(there)):
        compare(f"group {key}", ours.get(key), there.get(key))


BROKEN = {
    "a contact without a living customer": "select k.id from contact k join customer u on u.id = k.customer_id where u.merged_into is not null",
    "a customer with relations and no owner": "select u.id from customer u where u.merged_into is null and u.owner_id is null and u.pooled_at is null "
    "and exists (select from contact k join contact_link l on l.contact_id = k.id where k.customer_id = u.id and l.state = 'active')",
    "a look that waits": "select 1 from sync_due",
    "a wish that waits": "select id from contact_link where wish is not null",
    "a run that runs": "select id from sync_run where state = 'running'",
    "an event that failed": "select id from inbound_event where state in ('new', 'failed')",
    "a masked phone": "select id from phone_number where phone like '%*%'",
    "one union id, two customers": "select union_id from contact where union_id is not null and not exists (select from timeline t "
    "where t.customer_id = contact.customer_id and t.kind like 'customer.split%') group by union_id having count(distinct customer_id) > 1",
}


async def broken(site: Office) -> list[str]:
    return [what for what, sql in BROKEN.items() if await site.db.fetch(sql)]


async def no_loops(site: Office) -> None:
    """One more comparison changes nothing and tells nothing."""
    counts = "select (select count(*) from timeline), (select count(*) from owner_history), (select max(updated_at) from contact_link)"
    before = await site.db.fetchrow(counts)
    site.clock.advance(60)
    await site.compare()
    assert await site.db.fetchrow(counts) == before
