"""To whom a conversation goes: rules in order, and every reason why not."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from inbox.crew import Colleague, Crew
from inbox.decide import Decision, decide
from inbox.rulebook import Assignment, Facts, FlowSettings, General, Hours, Rule, Rulebook

NOW = datetime(2026, 12, 2, 2, 0, tzinfo=UTC)
"""Ten in the morning in Shanghai, a Wednesday."""


def colleague(number: int, **changes: Any) -> Colleague:
    values: dict[str, Any] = {
        "id": number, "name": f"坐席{number}", "status": "online", "capacity": 5, "open": 0, "disabled": False,
        "answers": True, "oversees": False, "team_ids": frozenset({1}), **changes,
    }  # fmt: skip
    return Colleague(**values)


def crew(*members: Colleague) -> Crew:
    return Crew({one.id: one for one in members})


def book(*rules: dict[str, Any], flow: FlowSettings | None = None, hours: list[Rule[Hours]] | None = None) -> Rulebook:
    made = [Rule(n, f"规则{n}", Assignment.model_validate(data), None) for n, data in enumerate(rules, start=1)]
    return Rulebook(General(), flow or FlowSettings(), hours=hours or [], assignment=made)


def run(rulebook: Rulebook, members: Crew, pointers: dict[int, int] | None = None, **about: Any) -> Decision:
    facts = Facts(**{"account_id": 7, "channel": "chat", "team_id": 1, **about})
    return decide(rulebook, facts, members, NOW, {} if pointers is None else pointers)


def test_without_rules_nothing_changes() -> None:
    assert run(book(), crew(colleague(1))).kind == "keep"


def test_the_first_rule_that_can_be_carried_out_holds() -> None:
    rules = book({"conditions": {"account_ids": [8]}}, {"action": "same_rep"}, {"action": "least_busy"})
    decision = run(rules, crew(colleague(1, open=2), colleague(2, open=1)))
    assert (decision.kind, decision.agent_id, decision.rule_id) == ("assign", 2, 3)
    assert [one.outcome for one in decision.considered] == ["skipped", "nobody", "used"]
    assert "1 个进行中" in decision.why["zh"]


def test_the_same_rep_when_they_can() -> None:
    rules = book({"action": "same_rep"}, {"action": "least_busy"})
    members = crew(colleague(1, open=4), colleague(2))
    assert run(rules, members, last_agent_id=1, returning=True).agent_id == 1
    members.colleagues[1].status = "away"
    decision = run(rules, members, last_agent_id=1, returning=True)
    assert decision.agent_id == 2
    assert decision.considered[0].passed == [{"agent_id": 1, "why": {"zh": "离开", "en": "away"}}]


def test_who_is_passed_over_and_why() -> None:
    rules = book({"action": "round_robin", "agent_ids": [1, 2, 3, 4, 5, 6], "otherwise": "queue"})
    members = crew(
        colleague(1, status="away"), colleague(2, status="busy"), colleague(3, open=5), colleague(4, disabled=True),
        colleague(5, answers=False),
    )  # fmt: skip
    decision = run(rules, members)
    assert decision.kind == "queue"
    reasons = {one["agent_id"]: one["why"]["en"] for one in decision.considered[0].passed}
    assert reasons == {1: "away", 2: "busy", 3: "full (5 of 5)", 4: "locked out", 5: "may not answer customers"}


def test_a_team_means_its_reps_and_a_manager_only_by_name() -> None:
    members = crew(
        colleague(1, team_ids=frozenset({2})), colleague(2, oversees=True), colleague(3, team_ids=frozenset({1}))
    )
    assert run(book({"team_ids": [1]}), members).agent_id == 3
    assert run(book({"agent_ids": [2]}), members).agent_id == 2
    assert run(book({}), members, team_id=2).agent_id == 1
    assert run(book({}), members, team_id=None).agent_id == 1


def test_turns_go_round_and_go_on_after_a_restart() -> None:
    rules = book({"action": "round_robin"})
    pointers: dict[int, int] = {}
    members = crew(*(colleague(n, capacity=100) for n in (3, 5, 9)))
    assert [run(rules, members, pointers).agent_id for _ in range(4)] == [3, 5, 9, 3]
    again = Rulebook(rules.general, rules.flow, assignment=[Rule(1, "规则1", rules.assignment[0].data, pointers[1])])
    assert run(again, members).agent_id == 5


def test_conditions() -> None:
    hours = [Rule(9, "夜里", Hours.model_validate({"plan": {"weekly": [[{"start": 0, "end": 60}]] * 7}}), None)]
    members = crew(colleague(1))
    for condition, about, why in (
        ({"channels": ["shop"]}, {}, "another channel"),
        ({"label_ids": [4]}, {"label_ids": [5]}, "lacks the label"),
        ({"languages": ["en"]}, {"language": "zh"}, "another language"),
        ({"returning": True}, {}, "a new or returning customer"),
        ({"hours": "open"}, {}, "another state of working hours"),
    ):
        decision = run(book({"conditions": condition}, hours=hours), members, **about)
        assert decision.kind == "keep"
        assert decision.considered[0].why["en"] == why
    fits = {"channels": ["chat"], "label_ids": [4, 5], "languages": ["zh"], "returning": False, "hours": "closed"}
    assert run(book({"conditions": fits}, hours=hours), members, label_ids=[5], language="zh").agent_id == 1


@given(
    st.lists(st.tuples(st.sampled_from(["online", "busy", "away"]), st.integers(0, 6)), max_size=8), st.integers(0, 30)
)
def test_nobody_gets_more_than_they_can_take(states: list[tuple[str, int]], arrivals: int) -> None:
    """Whatever comes: no one who is not online is given anything, no one goes over their capacity, and what is left over waits."""
    rules = book({"action": "least_busy", "otherwise": "queue"})
    members = crew(*(colleague(n, status=status, open=load) for n, (status, load) in enumerate(states, start=1)))
    before = {one.id: one.open for one in members.colleagues.values()}
    room = sum(max(5 - one.open, 0) for one in members.colleagues.values() if one.status == "online")
    given_to: Counter[int] = Counter()
    for _ in range(arrivals):
        decision = run(rules, members)
        assert decision.kind == ("assign" if sum(given_to.values()) < room else "queue")
        if decision.agent_id is not None:
            assert members.colleagues[decision.agent_id].status == "online"
            members.took(decision.agent_id)
            given_to[decision.agent_id] += 1
    assert sum(given_to.values()) == min(room, arrivals)
    assert all(before[one] + n <= 5 for one, n in given_to.items())
