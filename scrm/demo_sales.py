"""The sample company's sales: stages, tags, fields, owners, and what was noted and promised. Once, after its past was played."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from customers import owning
from customers.edit import CustomerInput, edit
from customers.field_settings import ChoiceInput, NewField, add_field
from customers.follow_ups.note import note
from customers.follow_ups.views import FollowUpInput
from customers.pool import rulebook
from customers.stage_settings import add_defaults
from customers.stages import move
from customers.tag_settings import NewTagGroup, add_group
from customers.tags import change_tags
from customers.tasks.views import NewTask
from scrm.auth import principal_of
from scrm.permissions import Principal
from scrm.services import Services, Work
from scrm.sessions import WHO
from simulator.company import sales
from simulator.company.people import STAFF
from simulator.company.sales import Note

PERSON = f"select {WHO} from agent a join role r on r.key = a.role where a.login = $1"  # noqa: S608 - made of constants
PEOPLE = """
select distinct on (u.id) u.id, (select c.assignee_id from conversation c join contact k on k.id = c.contact_id
    where k.customer_id = u.id and c.assignee_id is not null order by c.last_message_at desc limit 1) as agent_id
from customer u where u.merged_into is null and u.deleted_at is null order by u.id
"""
STAGE_IDS = "select id, name from stage where archived_at is null"
TAG_IDS = "select id from tag where archived_at is null order by tag_group_id, position, id"
FIELD_KEYS = "select key, name, data from custom_field order by position, id"
EXISTS = "select exists (select from stage)"

FIRST_LOOK = timedelta(hours=49)
"""How long ago all of them were looked through: before anything was noted about one."""


@dataclass(frozen=True, slots=True)
class _Words:
    """The company's own words, as ids."""

    stages: dict[str, int]
    tags: Sequence[int]
    fields: dict[str, str]
    choices: dict[str, list[str]]


async def sell(services: Services) -> None:
    """Does nothing for a company that has stages: somebody has set it up already."""
    if await services.db.fetchval(EXISTS):
        return
    async with services.work() as work:
        manager = await _principal(work, "manager")
        words = await _set_up(work, manager)
        reps = {one.agent_id: one for login in _reps() if (one := await _principal(work, login))}
        people = await work.tx.fetch(PEOPLE)
        owners = {row["id"]: reps.get(row["agent_id"]) for row in people}
        earlier = _at(work, -FIRST_LOOK)
        await owning.give_each(
            earlier, {one: rep.agent_id for one, rep in owners.items() if rep}, "created", None, tell_owner=False
        )
        await move(earlier, None, [row["id"] for row in people], words.stages["新客"])
        await _tell_apart(earlier, words, list(owners))
        owned = [(one, rep) for one, rep in owners.items() if rep is not None]
        for n, (told, (customer_id, rep)) in enumerate(zip(sales.NOTES, owned[::2], strict=False)):
            await _follow_up(work, words, n, told, customer_id, rep)
        await _leave_to_the_pool(work, [one for one, rep in owners.items() if rep is None])


async def _set_up(work: Work, manager: Principal) -> _Words:
    await add_defaults(work, manager, "zh-CN")
    for name, color, exclusive, tags in sales.TAG_GROUPS:
        group = NewTagGroup.model_validate({"name": name, "color": color, "exclusive": exclusive, "tags": list(tags)})
        await add_group(work, manager, group, address="")
    for name, kind, choices in sales.FIELDS:
        field = {"name": name, "kind": kind, "choices": [ChoiceInput(name=one).model_dump() for one in choices]}
        await add_field(work, manager, NewField.model_validate(field), address="")
    rule = {"days": 30, "warn_days": 3}
    await rulebook.create(work, manager, sales.POOL_RULE, True, rule)
    fields = await work.tx.fetch(FIELD_KEYS)
    return _Words(
        stages={row["name"]: row["id"] for row in await work.tx.fetch(STAGE_IDS)},
        tags=[row["id"] for row in await work.tx.fetch(TAG_IDS)],
        fields={row["name"]: row["key"] for row in fields},
        choices={row["name"]: [one["key"] for one in row["data"].get("choices", [])] for row in fields},
    )


async def _tell_apart(work: Work, words: _Words, customer_ids: Sequence[int]) -> None:
    """Tags, cities and sources: the same on every machine."""
    for place, tag_id in enumerate(words.tags):
        chosen = [one for n, one in enumerate(customer_ids) if (n * 7 + place * 5) % 13 < 2]
        await change_tags(work, None, chosen, [tag_id], [])
    await work.tx.execute(
        "update customer u set city = case when u.city = '' then w.city else u.city end, source = w.source, "
        "fields = u.fields || w.fields from unnest($1::bigint[], $2::text[], $3::text[], $4::jsonb[]) "
        "w (id, city, source, fields) where u.id = w.id",
        list(customer_ids),
        [sales.CITIES[n % len(sales.CITIES)] for n, _ in enumerate(customer_ids)],
        [sales.SOURCES[n * 3 % len(sales.SOURCES)] for n, _ in enumerate(customer_ids)],
        [_fields(words, n) for n, _ in enumerate(customer_ids)],
    )


def _fields(words: _Words, n: int) -> dict[str, object]:
    """Every third customer has told about the flat."""
    if n % 3:
        return {}
    progress, kinds = words.choices["装修进度"], words.choices["关注品类"]
    return {
        words.fields["房屋面积"]: 68 + n * 7 % 90,
        words.fields["装修进度"]: progress[n % len(progress)],
        words.fields["关注品类"]: sorted({kinds[n % len(kinds)], kinds[(n + 2) % len(kinds)]}),
    }


async def _follow_up(work: Work, words: _Words, n: int, told: Note, customer_id: int, rep: Principal) -> None:
    moved = _at(work, -timedelta(hours=told.hours))
    stage = sales.STAGES[n % len(sales.STAGES)]
    reason = sales.LOST_BECAUSE if stage == "流失" else ""
    await move(moved, rep, [customer_id], words.stages[stage], reason)
    if (value := sales.VALUES[n % len(sales.VALUES)]) is not None:
        await edit(moved, rep, customer_id, CustomerInput(value_fen=value))
    next_step = None
    if told.next_hours is not None:
        next_step = NewTask(text=told.next_text, kind=told.kind, due_at=work.now + timedelta(hours=told.next_hours))
    new = FollowUpInput(
        client_token=f"sample-company-{n:04d}",
        kind=told.kind,
        text=told.text,
        outcome=told.outcome,
        next=next_step,
    )
    await note(moved, rep, customer_id, new)


async def _leave_to_the_pool(work: Work, nobodys: Sequence[int]) -> None:
    """Some of those whom nobody took."""
    await owning.give(work, nobodys[::3], None, "dropped", None, "暂时没人跟进")


def _at(work: Work, by: timedelta) -> Work:
    """The same unit of work at another moment: what is done with it happened then."""
    earlier = Work(work.tx, work.now + by)
    earlier.rings = work.rings
    return earlier


def _reps() -> list[str]:
    return [one.login for one in STAFF if one.role == "rep"]


async def _principal(work: Work, login: str) -> Principal:
    row = await work.tx.fetchrow(PERSON, login)
    assert row is not None, "the sample company has hired its people"
    return principal_of(row)
