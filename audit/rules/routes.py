"""Rules over HTTP: seen by those who read the archive, changed by those who keep the rules."""

from __future__ import annotations

from audit.rules import edit, queries, rerun, word_lists
from audit.rules.trial import try_text
from audit.rules.tuning import unmute
from audit.rules.views import (
    AuditRuleInput,
    AuditRuleList,
    AuditRuleView,
    LookBack,
    MuteList,
    NewAuditRule,
    RuleFindsView,
    RuleVersionList,
    Trial,
    WordsRead,
)
from inbox.queries import one_moment
from inbox.uploads import read_file
from scrm.http import Reply, Request, Route
from scrm.permissions import AUDIT_READ, AUDIT_RULES, Scope
from scrm.undo import Kind, undoable


async def list_rules(request: Request) -> AuditRuleList:
    async with one_moment(request.services.db) as tx:
        return await queries.rule_list(tx, Scope.of(request.principal))


async def show_rule(request: Request, rule_id: int) -> AuditRuleView:
    async with one_moment(request.services.db) as tx:
        return await queries.one_rule(tx, Scope.of(request.principal), rule_id)


async def add_rule(request: Request, body: NewAuditRule) -> Reply[AuditRuleView]:
    async with request.services.work() as work:
        made = await edit.create(work, request.principal, body, address=request.address)
        return Reply(await queries.one_rule(work.tx, Scope.of(request.principal), made), status=201)


async def change_rule(request: Request, rule_id: int, body: AuditRuleInput) -> AuditRuleView:
    async with request.services.work() as work:
        await edit.change(work, request.principal, rule_id, body, address=request.address)
        return await queries.one_rule(work.tx, Scope.of(request.principal), rule_id)


async def delete_rule(request: Request, rule_id: int) -> Reply[None]:
    async with request.services.work() as work:
        step = await edit.delete(work, request.principal, rule_id, address=request.address)
    return undoable(None, step, status=204)


async def list_versions(request: Request, rule_id: int) -> RuleVersionList:
    async with one_moment(request.services.db) as tx:
        await queries.one_rule(tx, Scope.of(request.principal), rule_id)
        return await queries.versions(tx, rule_id)


async def list_mutes(request: Request, rule_id: int) -> MuteList:
    async with one_moment(request.services.db) as tx:
        await queries.one_rule(tx, Scope.of(request.principal), rule_id)
        return await queries.mutes(tx, Scope.of(request.principal), rule_id)


async def take_mute_back(request: Request, rule_id: int, mute_id: int) -> None:
    async with request.services.work() as work:
        await unmute(work, request.principal, rule_id, mute_id, address=request.address)


async def look_back(request: Request, rule_id: int, body: LookBack) -> Reply[AuditRuleView]:
    async with request.services.work() as work:
        await rerun.look_back(work, request.principal, rule_id, body.since, body.alerts)
        return Reply(await queries.one_rule(work.tx, Scope.of(request.principal), rule_id), status=201)


async def stop_looking(request: Request, rule_id: int) -> None:
    async with request.services.work() as work:
        await rerun.stop(work, request.principal, rule_id)


async def test_rules(request: Request, body: Trial) -> RuleFindsView:
    return await try_text(request.services, body)


async def read_words(request: Request) -> WordsRead:
    _, data = await read_file(request, limit=word_lists.LARGEST)
    return word_lists.read(data)


def undo_kinds() -> dict[str, Kind]:
    return {edit.DELETED: Kind(AUDIT_RULES, edit.restore)}


def api_routes() -> list[Route]:
    base, one = "/api/audit/rules", "/api/audit/rules/{rule_id}"
    see, may = AUDIT_READ, AUDIT_RULES
    return [
        Route("GET", base, list_rules, see, "Rules, with what they found"),
        Route("POST", base, add_rule, may, "Add a rule", status=201, body_limit=4 << 20),
        Route("POST", f"{base}/test", test_rules, see, "What a sentence would be found by", body_limit=4 << 20),
        Route("POST", f"{base}/words", read_words, may, "Read a list of words from a file; nothing is kept", upload=True),
        Route("GET", one, show_rule, see, "One rule, with its words"),
        Route("PATCH", one, change_rule, may, "Change a rule", errors=(409,), body_limit=4 << 20),
        Route("DELETE", one, delete_rule, may, "Delete a rule; it can be undone", status=204),
        Route("GET", f"{one}/versions", list_versions, see, "How a rule changed"),
        Route("GET", f"{one}/mutes", list_mutes, see, "Where a rule does not look"),
        Route("DELETE", f"{one}/mutes/{{mute_id}}", take_mute_back, may, "Let a rule look there again", status=204),
        Route("POST", f"{one}/look-back", look_back, may, "Look for it in what was written before", status=201, errors=(409,)),
        Route("DELETE", f"{one}/look-back", stop_looking, may, "Stop looking back", status=204),
    ]  # fmt: skip
