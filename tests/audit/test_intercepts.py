"""Rules that the platform keeps too: in step with ours, made once, within its limits."""

from __future__ import annotations

from typing import Any

from audit.rules.edit import change, create, delete
from audit.rules.intercepts import Interceptor
from audit.rules.queries import rule_list
from audit.rules.views import AuditRuleInput, NewAuditRule
from scrm.config import Settings
from scrm.permissions import Scope
from simulator.wecom.server import WecomSimulator
from tests.audit.places import CORP, Archive, archive


async def members(place: Archive, *userids: str, known: bool = True) -> None:
    for userid in userids:
        if known:
            place.simulator.control.create_member(CORP, userid, userid)
        await place.services.db.execute(
            "insert into account (connection_id, channel, external_id, name) values ($1, 'wecom_member', $2, $2)",
            place.connection_id, userid,
        )  # fmt: skip


async def a_rule(place: Archive, *words: str, **data: Any) -> int:
    shape = {"kind": "words", "words": [{"text": one} for one in words], "intercept": "warn", **data}
    async with place.services.work() as work:
        new = NewAuditRule.model_validate({"name": "价格承诺", "severity": "high", "data": shape})
        return await create(work, place.admin, new, address="")


def there(simulator: WecomSimulator) -> list[tuple[str, int, int, list[str]]]:
    rules = simulator.world.corps[CORP].intercepts.values()
    return sorted((one.name, len(one.words), one.kind, sorted(one.users)) for one in rules)


async def test_rules_are_kept_in_step_with_the_platform(settings: Settings) -> None:
    async with WecomSimulator() as simulator, archive(settings, simulator) as place:
        await members(place, "zhangsan", "lisi")
        loop = Interceptor(place.services)
        rule_id = await a_rule(place, *[f"词{n}" for n in range(301)], "长" * 33)
        for _ in range(2):
            await loop.round()
        first, second = f"价格承诺#{rule_id}-1", f"价格承诺#{rule_id}-2"
        assert there(simulator) == [(first, 300, 2, ["lisi", "zhangsan"]), (second, 1, 2, ["lisi", "zhangsan"])]
        async with place.services.work() as work:
            (shown,) = (await rule_list(work.tx, Scope.of(place.admin))).rules
        (state,) = shown.intercepts
        assert (state.asked, state.made, state.trouble, state.left_out) == (2, 2, "", 1)

        data = {
            "kind": "words",
            "words": [{"text": "最低价"}, {"text": "返*现", "how": "wildcard"}],
            "intercept": "block",
        }
        async with place.services.work() as work:
            body = AuditRuleInput.model_validate({"version": 1, "name": "承诺", "data": data})
            await change(work, place.admin, rule_id, body, address="")
        await place.services.db.execute("update account set disabled_at = now() where external_id = 'lisi'")
        await loop.round()
        assert there(simulator) == [(f"承诺#{rule_id}-1", 1, 1, ["zhangsan"])]
        async with place.services.work() as work:
            await delete(work, place.admin, rule_id, address="")
        await loop.round()
        assert there(simulator) == []
        assert await place.services.db.fetchval("select count(*) from audit_intercept") == 0


async def test_a_rule_that_was_made_before_the_process_died_is_not_made_twice(settings: Settings) -> None:
    async with WecomSimulator() as simulator, archive(settings, simulator) as place:
        await members(place, "zhangsan")
        loop = Interceptor(place.services)
        rule_id = await a_rule(place, "返现")
        await loop.round()
        # As if nobody had lived to write down what the platform answered.
        await place.services.db.execute(
            "update audit_intercept set platform_id = null, made = null, asking_at = now() - interval '1 hour'"
        )
        await loop.round()
        assert there(simulator) == [(f"价格承诺#{rule_id}-1", 1, 2, ["zhangsan"])]
        assert (
            await place.services.db.fetchval("select platform_id from audit_intercept")
            in simulator.world.corps[CORP].intercepts
        )


async def test_what_the_platform_refuses_is_told_and_tried_later(settings: Settings) -> None:
    async with WecomSimulator() as simulator, archive(settings, simulator) as place:
        await members(place, "nobody-there", known=False)
        await a_rule(place, "返现")
        loop = Interceptor(place.services)
        await loop.round()
        assert there(simulator) == []
        row = await place.services.db.fetchrow("select trouble, due_at > now() as later from audit_intercept")
        assert row is not None
        assert row["trouble"]["en"]
        assert row["later"]
