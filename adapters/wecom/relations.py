"""Who has which customers: persons, and what each member wrote about them (wecom.md section 4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from adapters.wecom.client import WeComClient
from adapters.wecom.ids import member, member_account, wechat_union
from adapters.wecom.values import known, moment, nested, objects, text, texts
from adapters.wecom.ways import words
from scrm.channel import AccountRef, ContactRef, JsonObject
from scrm.channel_contacts import Person, Relation, RelationPage
from scrm.clock import Clock
from scrm.errors import Rejected

BATCH = 100
"""Members in one call of ``batch/get_by_user``."""
_PAGE = 100
_MOST_PAGES = 1000
NO_RELATION = "wecom.84061"
_NOBODY_HAS_IT = frozenset({NO_RELATION, "wecom.40096"})
_KINDS: Mapping[str, str] = {"1": "wechat", "2": "company"}
_GENDERS: Mapping[str, Literal["male", "female"]] = {"1": "male", "2": "female"}


async def serving(client: WeComClient) -> Sequence[str]:
    """``get_follow_user_list``, platform page 92576: members with customer contact, within the range of the app."""
    answer = await client.get("externalcontact/get_follow_user_list", {})
    return list(dict.fromkeys(member(userid) for userid in texts(answer, "follow_user")))


class Relations:
    def __init__(self, client: WeComClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock

    async def accounts(self) -> Sequence[AccountRef]:
        return [member_account(userid) for userid in await serving(self._client)]

    async def page(self, account_ids: Sequence[str], cursor: str) -> RelationPage:
        """``batch/get_by_user``, platform page 92994. Somebody without customers may be answered with 84061, which says nothing of
        the others in the batch: then it is refused, to be read one by one."""
        request = {"userid_list": list(account_ids), "cursor": cursor, "limit": _PAGE}
        try:
            answer = await self._client.post("externalcontact/batch/get_by_user", request)
        except Rejected as error:
            if error.code == NO_RELATION and len(account_ids) == 1:
                return RelationPage([], [], "")
            raise
        persons: dict[str, Person] = {}
        relations = []
        for entry in objects(answer, "external_contact_list"):
            contact, follow = nested(entry, "external_contact"), nested(entry, "follow_info")
            if not text(contact, "external_userid") or not text(follow, "userid"):
                continue
            person = _person(contact)
            persons.setdefault(person.contact.external_id, person)
            relations.append(self._relation(person.contact, follow, texts(follow, "tag_id")))
        return RelationPage(list(persons.values()), relations, text(answer, "next_cursor"))

    async def of(self, contact_id: str) -> RelationPage:
        """``externalcontact/get``, platform page 92114: complete, also above 500 members."""
        relations: dict[str, Relation] = {}
        person: Person | None = None
        cursor = ""
        for _ in range(_MOST_PAGES):
            query = {"external_userid": contact_id, **({"cursor": cursor} if cursor else {})}
            try:
                answer = await self._client.get("externalcontact/get", query)
            except Rejected as error:
                if error.code in _NOBODY_HAS_IT:
                    break
                raise
            contact = nested(answer, "external_contact")
            if not text(contact, "external_userid"):
                break
            person = person or _person(contact)
            for follow in objects(answer, "follow_user"):
                if text(follow, "userid"):
                    tags = [text(tag, "tag_id") for tag in objects(follow, "tags")]
                    one = self._relation(person.contact, follow, [tag for tag in tags if tag])
                    relations.setdefault(one.account.external_id, one)
            following = text(answer, "next_cursor")
            if not following or following == cursor:
                break
            cursor = following
        return RelationPage([person] if person is not None else [], list(relations.values()), "")

    def _relation(self, contact: ContactRef, follow: JsonObject, tags: Sequence[str]) -> Relation:
        """``oper_userid`` is the customer when it was the customer who added."""
        way = text(follow, "add_way")
        return Relation(
            account=member_account(text(follow, "userid")),
            contact=contact,
            added_at=moment(follow, "createtime", self._clock.now()),
            remark=text(follow, "remark"),
            description=text(follow, "description"),
            company=text(follow, "remark_corp_name"),
            phones=tuple(texts(follow, "remark_mobiles")),
            tags=tuple(dict.fromkeys(tags)),
            way=way,
            way_words=words(way),
            source=text(follow, "state"),
            by_contact=text(follow, "oper_userid") == contact.external_id,
        )


def _person(contact: JsonObject) -> Person:
    """``corp_full_name`` and the fields of ``external_profile`` come for people of other companies only."""
    attributes = objects(nested(contact, "external_profile"), "external_attr")
    return Person(
        contact=ContactRef(
            text(contact, "external_userid"),
            name=text(contact, "name"),
            avatar=text(contact, "avatar"),
            union_id=wechat_union(text(contact, "unionid")),
        ),
        kind=_KINDS.get(text(contact, "type"), ""),
        gender=_GENDERS.get(text(contact, "gender"), ""),
        company=text(contact, "corp_name"),
        position=text(contact, "position"),
        profile=known(corp_full_name=text(contact, "corp_full_name"), attributes=attributes),
    )
