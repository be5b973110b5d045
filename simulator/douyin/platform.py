"""What the endpoints and the control interface share, and how messages come to exist: recorded, then pushed."""

from __future__ import annotations

from dataclasses import dataclass

from scrm.clock import ShiftedClock
from simulator.douyin.pushes import Event, Pushes
from simulator.douyin.settings import DAY, Settings
from simulator.douyin.state import Account, Customer, Group, JsonObject, Message, Opening, World, opaque_id


@dataclass
class Platform:
    world: World
    clock: ShiftedClock
    settings: Settings
    pushes: Pushes

    @property
    def now(self) -> float:
        return self.clock.now().timestamp()

    @property
    def now_ms(self) -> int:
        return int(self.now * 1000)

    @property
    def today(self) -> int:
        return int(self.now // DAY)

    def account(self, open_id: str) -> Account:
        try:
            return self.world.accounts[open_id]
        except KeyError:
            raise LookupError(f"no business account {open_id}") from None

    def customer(self, open_id: str) -> Customer:
        try:
            return self.world.customers[open_id]
        except KeyError:
            raise LookupError(f"no customer {open_id}") from None

    def group(self, group_id: str) -> Group:
        try:
            return self.world.groups[group_id]
        except KeyError:
            raise LookupError(f"no group {group_id}") from None

    def user_infos(self, *open_ids: str) -> list[JsonObject]:
        people = [self.world.person(open_id) for open_id in open_ids]
        return [
            {"open_id": person.open_id, "nick_name": person.name, "avatar": person.avatar}
            for person in people
            if person is not None
        ]

    def customer_wrote(self, account: str, customer: str, message: Message) -> tuple[Message, Event]:
        """Records it, opens the reply window and says what is to be pushed."""
        self.world.messages[message.message_id] = message
        self.world.openings[message.message_id] = Opening(
            "reply", account, customer, message.conversation_id, message.at_ms / 1000
        )
        return message, self.message_event("im_receive_msg", account, message, customer, account)

    def account_wrote(self, account: str, customer: str, message: Message) -> Event:
        """The same for the business side: by hand, by a rule or over the API. It opens nothing."""
        self.world.messages[message.message_id] = message
        return self.message_event("im_send_msg", account, message, customer, account)

    def message_event(self, name: str, account: str, message: Message, *people: str) -> Event:
        content: JsonObject = {
            "conversation_short_id": message.conversation_id,
            "server_message_id": message.message_id,
            "conversation_type": 2 if message.group_id else 1,
            "create_time": message.at_ms,
            "message_type": message.kind,
            "source": message.source,
            "scene_type": message.scene_type,
            **message.fields,
            "user_infos": self.user_infos(*people),
        }
        return Event(name, account, message.from_id, message.to_id, content)

    def new_message(
        self, from_id: str, to_id: str, kind: str, fields: JsonObject, *, conversation_id: str, source: str = ""
    ) -> Message:
        return Message(opaque_id(), conversation_id, from_id, to_id, self.now_ms, kind, fields, source)

    def push_recall(self, account: str, message: Message) -> None:
        """Pushed to the side that authorised the app, which is the business account. The event names no conversation."""
        other = message.to_id if message.from_id == account else message.from_id
        by_account = message.from_id == account
        event = Event(
            "im_recall_msg",
            account,
            account if by_account else other,
            other if by_account else account,
            {"server_message_id": message.message_id},
            {"msg_id": message.message_id[1:60]},
        )
        self.pushes.emit(event)
