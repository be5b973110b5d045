"""Sensitive-word rules of the platform (wecom.md section 10; platform pages 96346 ff.). An app sees and changes only its own."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.wecom.client import WeComClient
from adapters.wecom.values import integer, objects, text
from scrm.channel import JsonObject
from scrm.channel_intercepts import InterceptEntry, InterceptLimits, InterceptRule

LIMITS = InterceptLimits(name=20, word=32, words=300, people=1000, rules=100)
_BLOCK, _WARN = 1, 2


class InterceptRules:
    def __init__(self, client: WeComClient) -> None:
        self._client = client

    async def all(self) -> Sequence[InterceptEntry]:
        """``get_intercept_rule_list``."""
        answer = await self._client.get("externalcontact/get_intercept_rule_list", {})
        return [InterceptEntry(text(one, "rule_id"), text(one, "rule_name")) for one in objects(answer, "rule_list")]

    async def add(self, rule: InterceptRule) -> str:
        """``add_intercept_rule``."""
        body: JsonObject = {
            "rule_name": rule.name,
            "word_list": list(rule.words),
            "intercept_type": _BLOCK if rule.block else _WARN,
            "applicable_range": {"user_list": list(rule.members)},
        }
        answer = await self._client.post("externalcontact/add_intercept_rule", body)
        return text(answer, "rule_id") or str(integer(answer, "rule_id") or "")

    async def change(self, external_id: str, rule: InterceptRule, before: Sequence[str]) -> None:
        """``update_intercept_rule``: people are added and taken away, the rest is replaced."""
        body: JsonObject = {
            "rule_id": external_id,
            "rule_name": rule.name,
            "word_list": list(rule.words),
            "intercept_type": _BLOCK if rule.block else _WARN,
        }
        added, removed = sorted(set(rule.members) - set(before)), sorted(set(before) - set(rule.members))
        if added:
            body["add_applicable_range"] = {"user_list": added}
        if removed:
            body["remove_applicable_range"] = {"user_list": removed}
        await self._client.post("externalcontact/update_intercept_rule", body)

    async def delete(self, external_id: str) -> None:
        """``del_intercept_rule``."""
        await self._client.post("externalcontact/del_intercept_rule", {"rule_id": external_id})
