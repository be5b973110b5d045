"""Conformance of reading and writing relations, tags, groups and the directory (:mod:`scrm.channel_contacts`)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest

from scrm.channel import Adapter, Occurrence, SignsPeopleIn
from scrm.channel_contacts import (
    KeepsTags,
    KnowsDirectory,
    KnowsGroups,
    KnowsRelations,
    Relation,
    RelationChange,
    WritesRelations,
)
from scrm.errors import Rejected
from scrm.testing.company import Company
from scrm.testing.send_checks import check_reason

MOST_PAGES = 1000
MANY = 230


async def rejected(call: Callable[[], Awaitable[object]], why: str) -> Rejected:
    try:
        await call()
    except Rejected as error:
        check_reason(error)
        return error
    pytest.fail(why)


def saying(name: str, value: str) -> RelationChange:
    """A change of one text."""
    said: dict[str, Any] = {name: value}
    return RelationChange(**said)


async def all_relations(adapter: KnowsRelations) -> list[Relation]:
    """Everybody's, page by page and batch by batch, as the service reads them."""
    accounts = [account.external_id for account in await adapter.relation_accounts()]
    assert len(accounts) == len(set(accounts)), "an account is told twice"
    found: list[Relation] = []
    for start in range(0, len(accounts), adapter.relation_accounts_batch):
        cursor = ""
        for _ in range(MOST_PAGES):
            page = await adapter.relations(accounts[start : start + adapter.relation_accounts_batch], cursor)
            persons = {person.contact.external_id for person in page.persons}
            assert {one.contact.external_id for one in page.relations} <= persons, "a relation without its person"
            found += page.relations
            moved, cursor = page.cursor != cursor, page.cursor
            if not cursor:
                break
            assert moved, "a cursor that stays would never end"
        else:
            pytest.fail("the list of relations never ends")
    return found


async def all_groups(adapter: KnowsGroups) -> list[str]:
    found: list[str] = []
    cursor = ""
    for _ in range(MOST_PAGES):
        page = await adapter.group_ids(cursor)
        found += [group_id for group_id, _ in page.ids]
        cursor = page.cursor
        if not cursor:
            return found
    pytest.fail("the list of groups never ends")


async def only_relation(adapter: KnowsRelations, contact_id: str) -> Relation:
    (relation,) = (await adapter.relations_of(contact_id)).relations
    return relation


class ContactChecks:
    async def test_the_directory_tells_everybody_once(self, adapter: Adapter, company: Company) -> None:
        if not isinstance(adapter, KnowsDirectory):
            return
        members = await adapter.members()
        by_id = {member.external_id: member for member in members}
        assert len(by_id) == len(members), "a member is told twice"
        assert by_id[company.employee].serves, "the employee serves customers"
        if isinstance(adapter, SignsPeopleIn):
            wrong = [one for one in by_id if adapter.person_id(one) != one]
            assert wrong == [], "members are not written as person_id writes them"
        departments = await adapter.departments()
        known = {department.external_id for department in departments}
        assert {one.parent_id for one in departments} - {""} <= known, "a department hangs in the air"

    async def test_every_relation_is_told_once(self, adapter: Adapter, company: Company) -> None:
        if not isinstance(adapter, KnowsRelations):
            return
        contacts = [company.customer(f"客户{number}") for number in range(MANY)]
        for contact_id in contacts:
            company.knows(company.employee, contact_id)
        found = [one.contact.external_id for one in await all_relations(adapter)]
        assert len(found) == len(set(found)), "a relation is told twice"
        assert set(found) == set(contacts), "relations are missing or made up"

    async def test_a_new_contact_is_told_and_found(self, adapter: Adapter, company: Company) -> None:
        if not isinstance(adapter, KnowsRelations):
            return
        contact_id = company.customer("李雷")
        events = await company.adds(adapter, contact_id, source="shelf-3")
        told = [one for one in events if isinstance(one, Occurrence) and one.name == "contact.added"]
        assert len(told) == 1, f"a contact.added was to be told, not {events!r}"
        assert told[0].account is not None
        assert told[0].contact is not None
        relation = await only_relation(adapter, contact_id)
        assert (told[0].account.channel, told[0].account.external_id) == (
            relation.account.channel,
            relation.account.external_id,
        ), "the event and the list disagree on the account"
        assert told[0].contact.external_id == relation.contact.external_id == contact_id
        assert relation.source == "shelf-3", "where the customer came from is lost"
        assert relation.added_at.tzinfo is not None, "added_at must be aware"
        assert relation.by_contact, "it was the customer who added"
        listed = [one for one in await all_relations(adapter) if one.contact.external_id == contact_id]
        assert listed == [relation], "one contact is told differently alone and in the list"

    async def test_a_stranger_has_no_relations(self, adapter: Adapter, company: Company) -> None:
        if not isinstance(adapter, KnowsRelations):
            return
        for nobody in (company.customer("路人"), "nobody-of-this-name"):
            page = await adapter.relations_of(nobody)
            assert (list(page.relations), page.cursor) == ([], "")

    async def test_a_contact_that_the_employee_deleted_is_gone(self, adapter: Adapter, company: Company) -> None:
        if not isinstance(adapter, KnowsRelations):
            return
        contact_id = company.customer("李雷")
        await company.adds(adapter, contact_id)
        events = await company.deletes(adapter, contact_id, by_contact=False)
        if events is None:
            return
        assert [one.name for one in events if isinstance(one, Occurrence)] == ["contact.deleted_by_agent"]
        assert list((await adapter.relations_of(contact_id)).relations) == []

    async def test_who_deleted_whom_is_told(self, adapter: Adapter, company: Company) -> None:
        if not isinstance(adapter, KnowsRelations):
            return
        contact_id = company.customer("李雷")
        await company.adds(adapter, contact_id)
        events = await company.deletes(adapter, contact_id, by_contact=True)
        if events is None:
            return
        assert [one.name for one in events if isinstance(one, Occurrence)] == ["contact.deleted_by_customer"]

    async def test_an_edit_of_the_employee_is_told_and_read(self, adapter: Adapter, company: Company) -> None:
        if not isinstance(adapter, KnowsRelations):
            return
        contact_id = company.customer("李雷")
        await company.adds(adapter, contact_id)
        events = await company.edits(adapter, contact_id, "李总")
        if events is not None:
            assert [one.name for one in events if isinstance(one, Occurrence)] == ["contact.edited"]
        assert (await only_relation(adapter, contact_id)).remark == "李总"

    async def test_what_is_written_is_read_and_the_rest_stays(self, adapter: Adapter, company: Company) -> None:
        if not isinstance(adapter, WritesRelations) or not isinstance(adapter, KnowsRelations):
            return
        contact_id = company.customer("李雷")
        company.knows(company.employee, contact_id)
        phones = ("13800000001", "13800000002")
        for _ in range(2):
            await adapter.describe(company.employee, contact_id, RelationChange(remark="李总", phones=phones))
        await adapter.describe(company.employee, contact_id, RelationChange(description="要沙发"))
        relation = await only_relation(adapter, contact_id)
        assert (relation.remark, relation.description, relation.phones) == ("李总", "要沙发", phones)
        await adapter.describe(company.employee, contact_id, RelationChange(remark="", phones=()))
        relation = await only_relation(adapter, contact_id)
        assert (relation.remark, relation.description, relation.phones) == ("", "要沙发", ()), "what is emptied stays"
        await adapter.describe(company.employee, contact_id, RelationChange())

    async def test_the_longest_texts_are_taken_and_longer_ones_refused(
        self, adapter: Adapter, company: Company
    ) -> None:
        if not isinstance(adapter, WritesRelations) or not isinstance(adapter, KnowsRelations):
            return
        contact_id = company.customer("李雷")
        company.knows(company.employee, contact_id)
        for name in ("remark", "description", "company"):
            limit = adapter.relation_limits[name]
            await adapter.describe(company.employee, contact_id, saying(name, "长" * limit))
            assert getattr(await only_relation(adapter, contact_id), name) == "长" * limit, f"{name} was cut"
            longer = partial(adapter.describe, company.employee, contact_id, saying(name, "长" * (limit + 1)))
            await rejected(longer, f"a {name} over the stated limit was taken")
        many = tuple(f"138{number:08}" for number in range(adapter.relation_limits["phones"] + 1))
        await adapter.describe(company.employee, contact_id, RelationChange(phones=many[:-1]))
        assert len((await only_relation(adapter, contact_id)).phones) == len(many) - 1
        await rejected(
            lambda: adapter.describe(company.employee, contact_id, RelationChange(phones=many)),
            "more phones than stated were taken",
        )

    async def test_nothing_is_written_where_there_is_no_relation(self, adapter: Adapter, company: Company) -> None:
        if not isinstance(adapter, WritesRelations):
            return
        stranger = company.customer("路人")
        await rejected(
            lambda: adapter.describe(company.employee, stranger, RelationChange(remark="王")), "who was described?"
        )

    async def test_tags_are_put_on_and_taken_off(self, adapter: Adapter, company: Company) -> None:
        if (
            not isinstance(adapter, WritesRelations)
            or not isinstance(adapter, KnowsRelations)
            or not isinstance(adapter, KeepsTags)
        ):
            return
        contact_id = company.customer("李雷")
        company.knows(company.employee, contact_id)
        made = await adapter.add_tags(group_id="", group_name="意向", names=["高", "低"])
        high, low = (tag.external_id for tag in made.tags)
        for _ in range(2):
            await adapter.mark(company.employee, contact_id, [high, low], [])
        await adapter.mark(company.employee, contact_id, [], [low])
        assert (await only_relation(adapter, contact_id)).tags == (high,)
        await rejected(lambda: adapter.mark(company.employee, contact_id, ["no-such-tag"], []), "an unknown tag stuck")

    async def test_the_tag_library_can_be_kept(self, adapter: Adapter, company: Company) -> None:
        if not isinstance(adapter, KeepsTags):
            return
        others = company.tag_of_others("来源", "抖音")
        made = await adapter.add_tags(group_id="", group_name="意向", names=["高", "低"], orders=[2, 1])
        assert [tag.name for tag in made.tags] == ["高", "低"]
        again = await adapter.add_tags(group_id="", group_name="意向", names=["低", "中"])
        assert again.external_id == made.external_id, "a second group of the same name"
        assert {tag.name: tag.external_id for tag in again.tags}["低"] == made.tags[1].external_id, "a tag was doubled"
        more = await adapter.add_tags(group_id=made.external_id, group_name="", names=["高"])
        assert [tag.external_id for tag in more.tags] == [made.tags[0].external_id]
        await adapter.change_tag(made.tags[0].external_id, name="很高")
        library = {group.name: {tag.name for tag in group.tags} for group in await adapter.tags()}
        assert library == {"来源": {"抖音"}, "意向": {"很高", "低", "中"}}
        await rejected(lambda: adapter.change_tag(others, name="快手"), "a tag of others was changed")
        for _ in range(2):
            await adapter.delete_tags(tag_ids=[made.tags[1].external_id])
        await adapter.delete_tags(tag_ids=[made.tags[1].external_id, made.tags[0].external_id])
        for _ in range(2):
            await adapter.delete_tags(group_ids=[made.external_id])
        assert [group.name for group in await adapter.tags()] == ["来源"]
        longest = "长" * adapter.tag_name_limit
        await adapter.add_tags(group_id="", group_name=longest, names=[longest])
        await rejected(
            lambda: adapter.add_tags(group_id="", group_name="新", names=[longest + "长"]), "too long a name was taken"
        )

    async def test_groups_are_told_with_everybody_in_them(self, adapter: Adapter, company: Company) -> None:
        if not isinstance(adapter, KnowsGroups):
            return
        contact_id = company.customer("李雷")
        group_id = company.group("老客户", [contact_id])
        assert await all_groups(adapter) == [group_id]
        assert [one for one, _ in (await adapter.group_ids("", owner_ids=[company.employee])).ids] == [group_id]
        assert list((await adapter.group_ids("", owner_ids=[company.colleague])).ids) == []
        group = await adapter.group(group_id)
        assert group is not None
        assert (group.name, group.owner_id) == ("老客户", company.employee)
        assert {(one.kind, one.external_id) for one in group.members} == {
            ("member", company.employee),
            ("contact", contact_id),
        }
        company.dissolves(group_id)
        assert await adapter.group(group_id) is None, "a dissolved group is none"
        assert await all_groups(adapter) == []
        assert await adapter.group("no-such-group") is None
