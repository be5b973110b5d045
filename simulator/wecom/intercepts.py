"""Sensitive-word rules (chapter 10): each app sees its own, within strict limits. Nobody is told when one of them stops a message."""

from __future__ import annotations

from simulator.wecom.api import Answer, Call, Endpoint, Endpoints
from simulator.wecom.errors import Refused
from simulator.wecom.settings import Settings
from simulator.wecom.state import InterceptRule, JsonObject, new_id

NAME, WORDS, WORD, PEOPLE, DEPARTMENTS = 20, 300, 32, 1000, 1000


class InterceptApi:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @property
    def endpoints(self) -> Endpoints:
        prefix = "externalcontact/"
        return {
            prefix + "add_intercept_rule": Endpoint("POST", self.add, "contacts"),
            prefix + "get_intercept_rule_list": Endpoint("GET", self.rules, "contacts"),
            prefix + "get_intercept_rule": Endpoint("POST", self.rule, "contacts"),
            prefix + "update_intercept_rule": Endpoint("POST", self.update, "contacts"),
            prefix + "del_intercept_rule": Endpoint("POST", self.delete, "contacts"),
        }

    def add(self, call: Call) -> Answer:
        if len(call.corp.intercepts) >= self._settings.intercept_rules:
            raise Refused(40058, "too many intercept rules")
        users, departments = _range(call, "applicable_range")
        if not users and not departments:
            raise Refused(40063, "applicable_range is empty")
        made = InterceptRule(
            new_id("rule"), _name(call.string("rule_name")), _words(call), call.number("intercept_type", low=1, high=2),
            users, departments, _semantics(call.body), call.app.agent_id, call.now,
        )  # fmt: skip
        call.corp.intercepts[made.rule_id] = made
        return {"rule_id": made.rule_id}

    def rules(self, call: Call) -> Answer:
        mine = [one for one in call.corp.intercepts.values() if one.agent_id == call.app.agent_id]
        return {
            "rule_list": [{"rule_id": one.rule_id, "rule_name": one.name, "create_time": one.made_at} for one in mine]
        }

    def rule(self, call: Call) -> Answer:
        one = _find(call)
        return {
            "rule": {
                "rule_id": one.rule_id, "rule_name": one.name, "word_list": one.words, "semantics_list": one.semantics,
                "intercept_type": one.kind, "applicable_range": {"user_list": one.users, "department_list": one.departments},
            }
        }  # fmt: skip

    def update(self, call: Call) -> Answer:
        """What is absent stays; of a refused call nothing is done."""
        one = _find(call)
        name = _name(call.optional("rule_name") or one.name)
        words = _words(call) if "word_list" in call.body else one.words
        kind = call.number("intercept_type", default=one.kind, low=1, high=2)
        added, removed = _range(call, "add_applicable_range"), _range(call, "remove_applicable_range")
        users = [user for user in dict.fromkeys([*one.users, *added[0]]) if user not in removed[0]]
        departments = [part for part in dict.fromkeys([*one.departments, *added[1]]) if part not in removed[1]]
        if len(users) > PEOPLE or not (users or departments):
            raise Refused(40058, "applicable_range is out of range")
        one.name, one.words, one.kind, one.users, one.departments = name, words, kind, users, departments
        extra = call.body.get("extra_rule")
        if isinstance(extra, dict):
            one.semantics = _semantics(extra)
        return {}

    def delete(self, call: Call) -> Answer:
        del call.corp.intercepts[_find(call).rule_id]
        return {}


def _find(call: Call) -> InterceptRule:
    one = call.corp.intercepts.get(call.string("rule_id"))
    if one is None or one.agent_id != call.app.agent_id:
        raise Refused(40058, "rule_id is not one of this app")
    return one


def _name(name: str) -> str:
    if not 1 <= len(name) <= NAME:
        raise Refused(40058, f"rule_name must have 1 to {NAME} characters")
    return name


def _words(call: Call) -> list[str]:
    words = call.strings("word_list", limit=WORDS)
    if any(not 1 <= len(word) <= WORD for word in words):
        raise Refused(40058, f"a word must have 1 to {WORD} characters")
    return words


def _semantics(body: JsonObject) -> list[int]:
    value = body.get("semantics_list") or []
    if not isinstance(value, list) or any(one not in (1, 2, 3) for one in value):
        raise Refused(40058, "semantics_list must hold 1, 2 or 3")
    return value


def _range(call: Call, name: str) -> tuple[list[str], list[int]]:
    value = call.body.get(name)
    if value is None:
        return [], []
    if not isinstance(value, dict):
        raise Refused(40058, f"{name} must be an object")
    users, departments = value.get("user_list") or [], value.get("department_list") or []
    if len(users) > PEOPLE or len(departments) > DEPARTMENTS:
        raise Refused(40058, f"{name} names too many")
    if any(str(user).lower() not in call.corp.members for user in users):
        raise Refused(40003, f"a user of {name} is unknown")
    if any(part not in call.corp.departments for part in departments):
        raise Refused(40058, f"a department of {name} is unknown")
    return [call.corp.members[str(user).lower()].userid for user in users], departments
