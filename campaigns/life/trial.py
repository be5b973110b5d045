"""A test for colleagues' eyes: what the post will say, as a card in their own app where they have one, and in their notices."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from campaigns.life.content import said
from campaigns.life.rows import found, posts_of
from campaigns.life.write import note
from customers.greetings.content import Content
from inbox.cards.gather import LINKS, MAKE, Link, link_of
from inbox.cards.send import SEND_CARD
from scrm import jobs
from scrm.company import FACTS
from scrm.db import Row
from scrm.errors import Unprocessable
from scrm.notices import notify
from scrm.permissions import Language, Principal
from scrm.services import Services, Work
from scrm.variables import filled, of_moment
from scrm.views import Id, Input, View

MOST = 20
PEOPLE = "select id, name, language from agent where id = any($1::bigint[]) and disabled_at is null order by id"
CARDED = "update notification set card = 'carded', card_id = $3 where agent_id = $1 and dedupe_key = $2"
TITLES = {"zh-CN": "【测试】{name}", "en": "[Test] {name}"}
PARTS = {
    "image": ("[图片]", "[Image]"), "link": ("[链接]", "[Link]"), "miniprogram": ("[小程序]", "[Mini-program]"),
    "video": ("[视频]", "[Video]"), "file": ("[文件]", "[File]"),
}  # fmt: skip
UNSET = {"zh-CN": "（客户资料）", "en": "(customer's own)"}


class TestInput(Input):
    """``channel``: with the words of its own, where it has some."""

    agent_ids: Annotated[list[Id], Field(min_length=1, max_length=MOST)]
    channel: Annotated[str, Field(max_length=40)] = ""


class TestedView(View):
    """``card``: on its way to their app too. ``notice``: they find it in their notices only."""

    agent_id: int
    name: str
    way: Literal["card", "notice"]


class TestedList(View):
    people: list[TestedView]


async def send_test(
    services: Services, work: Work, principal: Principal, campaign_id: int, wanted: TestInput, *, address: str
) -> TestedList:
    """Raises :class:`NotFound`, :class:`Unprocessable`."""
    row = await found(work.tx, campaign_id)
    posts = posts_of(row)
    if not said(posts):
        raise Unprocessable("This campaign says nothing yet.", fields={"posts.post": "Write words first."})
    people = await work.tx.fetch(PEOPLE, wanted.agent_ids)
    if not people:
        raise Unprocessable("None of these colleagues is here any more.", fields={"agent_ids": "Choose others."})
    key = f"campaign:{campaign_id}:test:{work.now.isoformat()}"
    company = await FACTS.load(work.tx)
    moments = of_moment(work.now.astimezone(company.clock))
    seen = []
    for person in people:
        values = {
            **moments,
            "company.name": company.name,
            "agent.name": principal.name,
            "customer.name": person["name"],
        }
        text = words(posts.of(wanted.channel), values, person["language"])
        data = {"campaign_id": campaign_id, "name": row["name"], "note": text[:500]}
        await notify(work, [person["id"]], "campaign_test", key, by=principal.agent_id, data=data)
        link = link_of(await work.tx.fetch(LINKS, person["id"]), services.connections)
        base = services.settings.server.public_url
        if link is not None and base:
            title = TITLES[person["language"]].format(name=row["name"])
            await _card(work, person, link, title, text, f"{base}/campaigns/{campaign_id}", key)
        way: Literal["card", "notice"] = "card" if link is not None and base else "notice"
        seen.append(TestedView(agent_id=person["id"], name=person["name"], way=way))
    await note(work, principal, "campaign.tested", campaign_id, address, people=len(seen))
    return TestedList(people=seen)


def words(content: Content, values: dict[str, str], language: Language) -> str:
    """The text with a reader's own values, and what is attached."""
    unknown = dict.fromkeys(("customer.remark", "customer.city", "account.name"), UNSET[language])
    lines = [filled(content.text, {**unknown, **values})] if content.text else []
    for part in content.parts:
        mark = PARTS[part.kind][1 if language == "en" else 0]
        name = str(part.content.get("title") or (part.file.name if part.file else ""))
        lines.append(f"{mark} {name}".strip())
    return "\n".join(lines)


async def _card(work: Work, person: Row, link: Link, title: str, text: str, url: str, key: str) -> None:
    card_id = await work.tx.fetchval(
        MAKE, person["id"], link.connection_id, link.external_id, title, text, url, 1, work.now
    )  # fmt: skip
    await work.tx.execute(CARDED, person["id"], key, card_id)
    await jobs.put(work, SEND_CARD, [str(card_id)], [{"card_id": card_id}])
