"""Stored webhooks become events. Platform reference, chapter 4.3: one row of :data:`EVENTS` for each event it knows.

``content`` is an object in some events, a JSON string in others, and the same event has been seen both ways: both are read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from adapters.douyin import occurrences
from adapters.douyin.content import Place, said
from adapters.douyin.ids import (
    CONVERSATION_GROUP,
    ENTER_QUOTA,
    ENTER_WINDOW,
    REPLY_QUOTA,
    REPLY_WINDOW,
    account,
    welcome_code,
    window_key,
)
from adapters.douyin.people import Parties, parties
from adapters.douyin.reading import int_in, millis_in, object_in, read_object, text_in
from scrm.channel import (
    ContactEntered,
    ContactRef,
    Event,
    GroupRef,
    Ignored,
    JsonObject,
    MessageRecalled,
    MessageReceived,
    Raw,
    SenderKind,
    Unrecognised,
    WindowGrant,
)

AUTOMATIC_SCENES = (1, 2)
"""``scene_type``: 1 is the account's keyword answer, 2 its welcome."""
ENTER_ENVELOPE = frozenset(
    {"conversation_short_id", "server_message_id", "conversation_type", "create_time", "scene_type", "user_infos"}
)


@dataclass(frozen=True, slots=True)
class Pushed:
    """One webhook, taken apart."""

    event: str
    from_id: str
    to_id: str
    content: JsonObject
    received_at: datetime
    client_key: str
    """Of this connection, to tell its own sends from those of other apps."""
    own_accounts: frozenset[str]

    @property
    def message_id(self) -> str:
        return text_in(self.content, "server_message_id")

    @property
    def conversation_id(self) -> str:
        return text_in(self.content, "conversation_short_id")

    @property
    def at(self) -> datetime:
        return millis_in(self.content, "create_time", self.received_at)

    def lacks(self, *names: str) -> Unrecognised | None:
        missing = [name for name in names if not text_in(self.content, name)]
        missing += [name for name, value in (("from_user_id", self.from_id), ("to_user_id", self.to_id)) if not value]
        return Unrecognised(f"{self.event} lacks {', '.join(missing)}") if missing else None


def parse(raw: Raw, client_key: str, own_accounts: frozenset[str] = frozenset()) -> list[Event]:
    """``own_accounts``: open ids known to be business accounts; only a recall needs them, see :func:`recalled`."""
    body = read_object(raw.body)
    if body is None:
        return [Unrecognised("not a JSON object")]
    event = text_in(body, "event")
    read = EVENTS.get(event)
    if read is None:
        return [of_no_interest(event)]
    pushed = Pushed(
        event=event,
        from_id=text_in(body, "from_user_id"),
        to_id=text_in(body, "to_user_id"),
        content=object_in(body.get("content")),
        received_at=raw.received_at,
        client_key=client_key,
        own_accounts=own_accounts,
    )
    return [read(pushed)]


def of_no_interest(event: str) -> Event:
    if event in LEGACY:
        return Ignored(f"{event} belongs to the closed enterprise-account interface")
    if event.startswith("life_"):
        return Ignored("local-life orders and coupons are no conversations")
    return Unrecognised(f"unknown event {event[:100]!r}" if event else "no event named")


def received(pushed: Pushed) -> Event:
    """A customer wrote, privately or in a group. A private message opens the reply window; a group has none."""
    missing = pushed.lacks("server_message_id", "conversation_short_id")
    if missing:
        return missing
    people = parties(pushed.content, business=pushed.to_id, other=pushed.from_id)
    group = group_of(pushed)
    grant = WindowGrant(
        kind="reply",
        expires_at=pushed.at + REPLY_WINDOW,
        quota=REPLY_QUOTA,
        key=window_key(pushed.message_id, pushed.conversation_id),
    )
    return message(pushed, people, "in", SenderKind.CUSTOMER, group=group, window=None if group else grant)


def sent(pushed: Pushed) -> Event:
    """The business account wrote: in the app, by a rule set there, through this connection (an echo) or another app."""
    if text_in(pushed.content, "conversation_type") == str(CONVERSATION_GROUP) or pushed.event.startswith("im_group"):
        return sent_to_group(pushed)
    missing = pushed.lacks("server_message_id", "conversation_short_id")
    if missing:
        return missing
    people = parties(pushed.content, business=pushed.from_id, other=pushed.to_id)
    return message(pushed, people, "out", sender_of(pushed))


def sent_to_group(pushed: Pushed) -> Event:
    """Whom ``to_user_id`` names in a group is not documented, so the contact is who spoke: the account itself."""
    if not (pushed.from_id and pushed.message_id and pushed.conversation_id):
        return Unrecognised(f"{pushed.event} lacks its sender, message or conversation")
    people = parties(pushed.content, business=pushed.from_id, other=pushed.from_id)
    return message(pushed, people, "out", sender_of(pushed), group=GroupRef(pushed.conversation_id))


def sender_of(pushed: Pushed) -> SenderKind:
    source = text_in(pushed.content, "source")
    if source and source == pushed.client_key:
        return SenderKind.APP
    if int_in(pushed.content, "scene_type") in AUTOMATIC_SCENES:
        return SenderKind.BOT
    return SenderKind.APP if source else SenderKind.AGENT


def group_of(pushed: Pushed) -> GroupRef | None:
    in_group = int_in(pushed.content, "conversation_type") == CONVERSATION_GROUP or pushed.event.startswith("im_group")
    return GroupRef(pushed.conversation_id) if in_group else None


def message(
    pushed: Pushed,
    people: Parties,
    direction: str,
    sender: SenderKind,
    group: GroupRef | None = None,
    window: WindowGrant | None = None,
) -> MessageReceived:
    place = Place(people.account.external_id, pushed.conversation_id, pushed.message_id, pushed.at)
    what = said(pushed.content, place)
    source = text_in(pushed.content, "source") if direction == "out" else ""
    speaker: ContactRef | None = people.contact if direction == "in" else None
    return MessageReceived(
        account=people.account,
        contact=people.contact,
        message_id=pushed.message_id,
        direction="in" if direction == "in" else "out",
        kind=what.kind,
        text=what.text,
        sent_at=pushed.at,
        content=what.content,
        media=what.media,
        sender=sender,
        sender_id=source or pushed.from_id,
        sender_name=speaker.name if speaker else "",
        group=group,
        window=window,
        echo=bool(source) and source == pushed.client_key,
    )


def entered(pushed: Pushed) -> Event:
    """The customer opened the chat: half a minute and three messages, with the id of this event."""
    missing = pushed.lacks("server_message_id", "conversation_short_id")
    if missing:
        return missing
    people = parties(pushed.content, business=pushed.to_id, other=pushed.from_id)
    until = pushed.at + ENTER_WINDOW
    data = {name: value for name, value in pushed.content.items() if name not in ENTER_ENVELOPE}
    if "ad_info" in data:
        data["ad_info"] = object_in(data["ad_info"])
    return ContactEntered(
        account=people.account,
        contact=people.contact,
        at=pushed.at,
        scene=text_in(pushed.content, "scene_type"),
        welcome_code=welcome_code(pushed.message_id, pushed.conversation_id),
        welcome_until=until,
        window=WindowGrant(
            kind="enter",
            expires_at=until,
            quota=ENTER_QUOTA,
            key=window_key(pushed.message_id, pushed.conversation_id),
        ),
        data=data,
    )


def recalled(pushed: Pushed) -> Event:
    """The push names who recalled and the other side, not which of them is the business account. It is the known one of the
    two; when neither is known, the customer recalled."""
    missing = pushed.lacks("server_message_id")
    if missing:
        return missing
    by_us = pushed.from_id in pushed.own_accounts and pushed.to_id not in pushed.own_accounts
    business, other = (pushed.from_id, pushed.to_id) if by_us else (pushed.to_id, pushed.from_id)
    return MessageRecalled(
        account=account(business),
        contact=ContactRef(other),
        message_id=pushed.message_id,
        by="agent" if by_us else "customer",
        at=pushed.at,
    )


def occurred(read: Callable[[occurrences.Happening], Event]) -> Callable[[Pushed], Event]:
    def event(pushed: Pushed) -> Event:
        return read(occurrences.Happening(pushed.from_id, pushed.to_id, pushed.content, pushed.received_at))

    return event


EVENTS: dict[str, Callable[[Pushed], Event]] = {
    "verify_webhook": lambda pushed: Ignored("an address check"),
    "im_receive_msg": received,
    "im_send_msg": sent,
    "im_group_receive_msg": received,
    "im_group_send_msg": sent,
    "im_enter_direct_msg": entered,
    "im_recall_msg": recalled,
    "im_authorize": occurred(occurrences.messages_authorised),
    "authorize": occurred(occurrences.authorised),
    "contract_authorize": occurred(occurrences.authorised),
    "unauthorize": occurred(occurrences.unauthorised),
    "contract_unauthorize": occurred(occurrences.unauthorised),
    "create_video": occurred(occurrences.video_created),
    "new_follow_action": occurred(occurrences.followed),
    "new_video_digg": occurred(occurrences.video_liked),
    "item_comment_reply": occurred(occurrences.commented),
    "group_fans_event": occurred(occurrences.group_joined),
    "enter_group_audit_change": occurred(occurrences.group_join_requested),
}
LEGACY = frozenset(
    {
        "receive_msg",
        "enter_im",
        "dial_phone",
        "website_contact",
        "personal_tab_contact",
        "im_authorize_message_callback",
        "union_auth_info_for_b",
        "union_auth_info_for_c",
    }
)
