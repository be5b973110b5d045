"""The simulated platforms with the sample company set up on them, and what a customer can do there.

Every act goes through the simulators' control methods, as a test or a curl command could do it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from simulator.company import archive, contacts, people
from simulator.company.drawing import pdf, picture
from simulator.company.people import ACCOUNTS, Account, person_id
from simulator.company.script import Line
from simulator.douyin.server import DouyinSimulator
from simulator.pictures import empty_mp4, silent_amr
from simulator.wechat_oa.server import OfficialAccountSimulator
from simulator.wecom.server import WecomSimulator

BY_KEY = {account.key: account for account in ACCOUNTS}


@dataclass(frozen=True)
class Person:
    """A customer at one account."""

    account: Account
    name: str

    @property
    def external_id(self) -> str:
        return person_id(self.account.platform, self.name)


@dataclass
class Stage:
    wecom: WecomSimulator
    douyin: DouyinSimulator
    oa: OfficialAccountSimulator
    _last_message: dict[Person, str] = field(default_factory=dict)
    _seen_by_wecom_customers: dict[Person, int] = field(default_factory=dict)
    _seen_by_followers: dict[Person, int] = field(default_factory=dict)
    _seen_in_douyin: int = 0

    # ------------------------------------------------------------------ setting up

    def set_up(self) -> None:
        """The company on all platforms. What is there already stays."""
        wecom = self.wecom.control
        wecom.create_app(
            people.CORP_ID, people.APP_SECRET, people.AGENT_ID, name="青禾客服中台", corp_name=people.COMPANY
        )
        contacts.set_up(wecom)
        corp = self.wecom.world.corps[people.CORP_ID]
        archive.buy(wecom, [one.userid for one in corp.members.values() if one.serves])
        for account in ACCOUNTS:
            if account.platform == "wecom":
                wecom.create_kf_account(people.CORP_ID, account.name, account.external_id)
        douyin = self.douyin.control
        douyin.add_app(people.CLIENT_KEY, people.CLIENT_SECRET, name="青禾客服中台", decodes_phones=True)
        for account in ACCOUNTS:
            if account.platform == "douyin":
                douyin.add_account(account.external_id, account.name)
                self._publish(account)
            if account.platform == "wechat_oa":
                self._found(account)

    def _found(self, account: Account) -> None:
        """The Official Account; the shops' neighbours follow it, and only read."""
        oa = self.oa.control
        oa.add_account(people.OA_APP_ID, people.OA_SECRET, account.external_id, account.name)
        for place, name in enumerate(contacts.NEIGHBOURS):
            openid, since = person_id("wechat_oa", name), 3 + place * 7 % 90 + place / 30
            oa.add_person(people.OA_APP_ID, openid, name, people.union_id(name), followed_days_ago=since)

    def _publish(self, account: Account) -> None:
        known = self.douyin.control.add_account(account.external_id)
        known.avatar = f"{self.douyin.base_url}/avatars/{account.key}.svg?name={account.name}"
        for title in people.WORKS.get(account.key, ()):
            if title not in known.works.values():
                self.douyin.control.publish_work(account.external_id, title)
        if not known.cards:
            self.douyin.control.add_card(account.external_id, "免费获取设计方案")

    async def connect(self, wecom_webhook: str, douyin_webhook: str, oa_webhook: str) -> None:
        """Tells the platforms where the service listens; they check the addresses. Raises ``ValueError``."""
        await self.wecom.control.set_callback(
            people.CORP_ID, wecom_webhook, people.CALLBACK_TOKEN, people.CALLBACK_AES_KEY, people.AGENT_ID
        )
        await self.douyin.control.set_webhook(people.CLIENT_KEY, douyin_webhook)
        await self.oa.control.set_server(people.OA_APP_ID, oa_webhook, people.OA_TOKEN, people.OA_AES_KEY)

    def knows(self, person: Person) -> bool:
        if person.account.platform == "wecom":
            corp = self.wecom.world.corps.get(people.CORP_ID)
            return corp is not None and person.external_id in corp.customers
        if person.account.platform == "wechat_oa":
            known = self.oa.world.accounts.get(people.OA_APP_ID)
            return known is not None and person.external_id in known.people
        return person.external_id in self.douyin.world.customers

    def work_of(self, account: Account, title: str) -> str:
        """The id of a published video. Raises ``LookupError``."""
        works = self.douyin.world.accounts[account.external_id].works
        return next((item_id for item_id, name in works.items() if name == title), "") or _missing(title)

    def card_of(self, account: Account) -> str:
        """The id of the account's lead card."""
        return next(iter(self.douyin.world.accounts[account.external_id].cards))

    # ------------------------------------------------------------------ customers

    def play(self, person: Person, line: Line) -> None:
        """The customer does what the line says. Raises ``LookupError`` or ``ValueError`` for what the platform does not have."""
        if not self.knows(person):
            self._introduce(person, line)
        acts = {"wecom": self._wecom_acts, "douyin": self._douyin_acts, "wechat_oa": self._follower_acts}[
            person.account.platform
        ](person)
        if line.act not in acts:
            raise ValueError(f"customers of {person.account.platform} cannot do {line.act}")
        message_id = acts[line.act](*line.fields)
        if isinstance(message_id, str) and line.act not in ("enter", "recall"):
            self._last_message[person] = message_id

    def _introduce(self, person: Person, first: Line) -> None:
        if person.account.platform == "wecom":
            self.wecom.control.create_customer(people.CORP_ID, person.name, person.external_id)
        elif person.account.platform == "wechat_oa":
            # Who does not begin with a scan has been following for a while.
            since = None if first.act == "enter" else 30.0
            self.oa.control.add_person(people.OA_APP_ID, person.external_id, person.name, followed_days_ago=since)
        else:
            avatar = f"{self.douyin.base_url}/avatars/{person.external_id}.svg?name={person.name}"
            self.douyin.control.add_customer(person.external_id, person.name, avatar)

    def _wecom_acts(self, person: Person) -> dict[str, Callable[..., object]]:
        control, kf, who = self.wecom.control, person.account.external_id, person.external_id

        def sends(msgtype: str, *names: str) -> Callable[..., str]:
            return lambda *values: control.customer_sends(kf, who, msgtype, dict(zip(names, values, strict=False)))

        def media(kind: Any, content: bytes, name: str = "") -> str:
            return control.customer_sends_media(kf, who, kind, content, name)["msgid"]

        def location(name: str, address: str, latitude: str, longitude: str) -> str:
            place = {"name": name, "address": address, "latitude": float(latitude), "longitude": float(longitude)}
            return control.customer_sends(kf, who, "location", place)

        return {
            "text": lambda text: control.customer_says(kf, who, text),
            "enter": lambda scene="": control.customer_enters(kf, who, "qinghe", scene),
            "image": lambda name: media("image", picture(name), f"{name}.png"),
            "voice": lambda seconds: media("voice", silent_amr(int(seconds))),
            "video": lambda: media("video", empty_mp4()),
            "file": lambda name: media("file", pdf("Qinghe Home"), name),
            "location": location,
            "link": sends("link", "title", "desc", "url"),
            "miniprogram": sends("miniprogram", "title", "appid", "pagepath"),
            "card": sends("business_card", "userid"),
            "order": sends("channels_shop_order", "product_titles", "price_wording", "state"),
            "recall": lambda: control.customer_recalls(kf, self._last_message[person]),
        }

    def _douyin_acts(self, person: Person) -> dict[str, Callable[..., object]]:
        control, account, who = self.douyin.control, person.account.external_id, person.external_id

        def lead(*answers: str) -> str:
            filled = dict(answer.split("=", 1) for answer in answers)
            return control.fill_card(who, account, self.card_of(person.account), filled).message_id

        return {
            "text": lambda text: control.write(who, account, text).message_id,
            "enter": lambda _scene="": control.enter(who, account),
            "image": lambda name: control.send_file(who, account, "image", picture(name), "image/png").message_id,
            "video": lambda: control.send_file(who, account, "video", empty_mp4()).message_id,
            "emoji": lambda: control.send_special(who, account, "emoji").message_id,
            "recall": lambda: control.recall(self._last_message[person]),
            "follow": lambda: control.follow(who, account),
            "like": lambda title: control.like(who, account, self.work_of(person.account, title)),
            "lead": lead,
        }

    def _follower_acts(self, person: Person) -> dict[str, Callable[..., object]]:
        control, who, app = self.oa.control, person.external_id, people.OA_APP_ID

        def sends(msgtype: str, *names: str) -> Callable[..., object]:
            return lambda *values: control.send_special(app, who, msgtype, dict(zip(names, values, strict=False)))

        def location(name: str, address: str, latitude: str, longitude: str) -> None:
            place = {"Location_X": float(latitude), "Location_Y": float(longitude), "Label": f"{name} {address}"}
            control.send_special(app, who, "location", place)

        return {
            "text": lambda text: control.write(app, who, text),
            "enter": lambda scene="门店海报": control.scan(app, who, scene),
            "tap": lambda key: control.tap_menu(app, who, key),
            "image": lambda name: control.send_file(app, who, "image", picture(name)),
            "voice": lambda seconds: control.send_file(app, who, "voice", silent_amr(int(seconds))),
            "video": lambda: control.send_file(app, who, "video", empty_mp4()),
            "location": location,
            "link": sends("link", "Title", "Description", "Url"),
        }

    # ------------------------------------------------------------------ looking and mischief

    def spoil_next_send(self, person: Person, fail_type: int) -> None:
        """The platform will take the next message to this customer and then report that it was not delivered."""
        self.wecom.control.fail_next_sends(person.account.external_id, person.external_id, fail_type)

    def lose_next_send(self) -> None:
        """The next message over Douyin gets no answer: nobody will know whether it arrived."""
        self.douyin.control.add_fault("drop", "/im/send/msg/")

    def announce(self) -> None:
        """Something that is no message (a customer was added), and something that no version of a client knows yet."""
        who = self.wecom.control.create_customer(people.CORP_ID, "林小满", person_id("wecom", "林小满"))
        self.wecom.control.add_contact(people.CORP_ID, contacts.userid("rep1"), who, state="滨江店海报")
        self.wecom.control.raise_event(people.CORP_ID, "showroom_visit", {"VisitId": "V20418", "Floor": 2})

    def new_messages(self, known: list[Person]) -> list[tuple[Person, str, str]]:
        """What customers have received since the last call: who, the kind as the platform names it, the text."""
        found = self._new_in_wecom([person for person in known if person.account.platform == "wecom"])
        by_ids = {
            (person.account.external_id, person.external_id): person
            for person in known
            if person.account.platform == "douyin"
        }
        messages = self.douyin.world.messages
        for message in list(islice(messages.values(), self._seen_in_douyin, None)):
            person = by_ids.get((message.from_id, message.to_id))
            if person is not None:
                found.append((person, message.kind, str(message.fields.get("text", ""))))
        self._seen_in_douyin = len(messages)
        return found + self._new_to_followers([person for person in known if person.account.platform == "wechat_oa"])

    def _new_to_followers(self, known: list[Person]) -> list[tuple[Person, str, str]]:
        found = []
        for person in known:
            received = self.oa.control.received(people.OA_APP_ID, person.external_id)
            first = self._seen_by_followers.get(person, 0)
            self._seen_by_followers[person] = len(received)
            found += [
                (person, one.msgtype, str(one.body.get("content", "")))
                for one in received[first:]
                if one.via == "custom"
            ]
        return found

    def _new_in_wecom(self, known: list[Person]) -> list[tuple[Person, str, str]]:
        found = []
        for person in known:
            received = self.wecom.control.received(person.account.external_id, person.external_id)
            first = self._seen_by_wecom_customers.get(person, 0)
            self._seen_by_wecom_customers[person] = len(received)
            found += [
                (person, message.msgtype, str(message.body.get("content", "")))
                for message in received[first:]
                if message.via == "api"
            ]
        return found

    async def settled(self) -> None:
        """Every callback has been delivered or given up. Raises ``ValueError`` when that takes over ten seconds."""
        await self.wecom.control.settle()
        await self.douyin.control.settle()
        await self.oa.control.settle()


def _missing(what: str) -> str:
    raise LookupError(f"there is no {what}")
