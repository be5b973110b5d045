"""What a batch of platform events means for conversations. The one writer of what customers say.

Reads as the story of a batch: who (accounts, contacts), where (conversations, locked), what (messages, recalls, greetings,
states), and everything else that happened, kept for the other parts of the service.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from customers.resolve import Resolved, resolve
from inbox import arrivals, at_hand, familiar, greetings, lead_cards, rows, windows
from inbox.arrivals import Arrival
from inbox.familiar import Known
from inbox.occurrences import keep
from inbox.orientation import orient_recalls
from inbox.outcomes import recall_messages, record_failures
from inbox.rows import Conversation
from inbox.sessions import record_sessions
from inbox.text import clean
from scrm.channel import (
    AccountRef,
    ContactEntered,
    ContactRef,
    GroupRef,
    KnowsContacts,
    MessageRecalled,
    MessageReceived,
    Occurrence,
    SendFailed,
    SessionChanged,
)
from scrm.connections import ensure_accounts
from scrm.normalise import Batch, Item
from scrm.services import Work

Chat = MessageReceived | MessageRecalled | SendFailed | ContactEntered | SessionChanged
Key = tuple[int, int | None, str]
"""(account, contact or None, group or '')"""
E = TypeVar("E", MessageRecalled, SendFailed, ContactEntered, SessionChanged)


@dataclass(slots=True)
class Scene:
    """A batch with its people and places found."""

    accounts: dict[tuple[str, str], int]
    people: dict[str, Resolved]
    conversations: dict[Key, Conversation]
    renamed: list[Conversation] = field(default_factory=list)
    """Conversations of people who have another name or customer now, because of this batch."""
    unheard: bool = False
    """None of its messages was there before, as far as that was looked up with the places."""
    known: Sequence[Known] = ()
    """The conversations with what they were found by, when nobody is new."""

    def key(self, account: AccountRef, contact: ContactRef, group: GroupRef | None) -> Key | None:
        account_id = self.accounts.get((account.channel, clean(account.external_id)))
        if account_id is None:
            return None
        if group is not None:
            return account_id, None, clean(group.external_id)
        person = self.people.get(clean(contact.external_id))
        return None if person is None else (account_id, person.contact_id, "")

    def conversation(self, event: Chat) -> Conversation | None:
        group = event.group if isinstance(event, MessageReceived) else None
        key = self.key(event.account, event.contact, group)
        return None if key is None else self.conversations.get(key)


async def receive(work: Work, batch: Batch) -> None:
    """The handler that ``scrm.app`` gives to the normaliser."""
    items = await orient_recalls(work, batch.connection.id, batch.items)
    chats = [(item, item.event) for item in items if isinstance(item.event, Chat)]
    occurrences = [(item, item.event) for item in items if isinstance(item.event, Occurrence)]
    if not chats and not occurrences:
        return
    scene = await find_scene(work, batch, [event for _, event in chats], [event for _, event in occurrences])
    arrived = await _messages(work, scene, chats)
    await recall_messages(work, _placed(scene, chats, MessageRecalled))
    await record_failures(work, _placed(scene, chats, SendFailed))
    await record_sessions(work, _placed(scene, chats, SessionChanged))
    entering = _placed(scene, chats, ContactEntered)
    keyless = {conversation.id for _, conversation, event in entering if event.window and not event.window.key}
    under_way = await arrivals.answers_under_way(work, keyless)
    for _, conversation, event in entering:
        if event.window is not None:
            in_flight = under_way.get(conversation.id, 0)
            windows.grant(conversation, event.window, event.at, work.now, in_flight=in_flight)
    await greetings.welcome(work, batch.connection, entering)
    for conversation in scene.renamed:
        conversation.next_version()
    held = {conversation.id: conversation for conversation in [*scene.conversations.values(), *scene.renamed]}
    await rows.save(work, held.values())
    if scene.unheard:
        at_hand.tell(work, scene.known, arrived)
    entered = [(item, _as_occurrence(event)) for item, event in chats if isinstance(event, ContactEntered)]
    await keep(work, batch.connection.id, [*occurrences, *entered], scene.accounts, scene.people)


async def find_scene(work: Work, batch: Batch, chats: Sequence[Chat], occurrences: Sequence[Occurrence]) -> Scene:
    """Finds or makes accounts, contacts and conversations; the conversations are locked."""
    events: list[Chat | Occurrence] = [*chats, *occurrences]
    if (known := await familiar.find(work, batch, events)) is not None:
        return Scene(known.accounts, known.people, known.conversations, unheard=known.unheard, known=known.known)
    channels = batch.connection.adapter.capabilities
    account_refs = [
        (ref.channel, clean(ref.external_id), clean(ref.name), ref.avatar)
        for ref in (event.account for event in events)
        if ref is not None and ref.external_id and ref.channel in channels
    ]
    accounts = await ensure_accounts(work.tx, batch.connection.id, account_refs) if account_refs else {}
    people = await resolve(
        work,
        batch.connection.id,
        [_cleaned(event.contact) for event in events if event.contact is not None],
        ask_profiles=isinstance(batch.connection.adapter, KnowsContacts),
    )
    scene = Scene(accounts, people, {})
    await _find_conversations(work, scene, chats)
    return scene


def _cleaned(ref: ContactRef) -> ContactRef:
    return ContactRef(clean(ref.external_id), clean(ref.name), clean(ref.avatar), clean(ref.union_id))


async def _find_conversations(work: Work, scene: Scene, chats: Sequence[Chat]) -> None:
    """Locks the conversations that the batch touches. Messages and greetings make one where there is none; entering a chat
    without a greeting does not: a list full of people who said nothing helps nobody."""
    wanted: dict[Key, str] = {}
    create: set[Key] = set()
    for event in chats:
        group = event.group if isinstance(event, MessageReceived) else None
        key = scene.key(event.account, event.contact, group)
        if key is None:
            continue
        wanted[key] = (clean(group.name) if group else "") or wanted.get(key, "")
        if isinstance(event, MessageReceived | MessageRecalled) or (
            isinstance(event, ContactEntered) and greetings.possible(event, work.now)
        ):
            create.add(key)
    renamed = await _conversations_of_renamed(work, scene)
    if not renamed and not any(group_key for _, _, group_key in wanted):
        # Nearly every batch: people who have written before, in chats of their own.
        scene.conversations = await _lock_known(work, list(wanted))
        if create <= scene.conversations.keys():
            return
    found = await _ids(work, wanted)
    missing = sorted((key for key in create if key not in found), key=lambda key: (key[0], key[1] or 0, key[2]))
    if missing:
        await work.tx.execute(
            "insert into conversation (account_id, contact_id, group_key, group_name, last_message_at, created_at) "
            "select w.account_id, w.contact_id, w.group_key, w.group_name, $5, $5 "
            "from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[]) w (account_id, contact_id, group_key, group_name) "
            "on conflict do nothing",
            [key[0] for key in missing],
            [key[1] for key in missing],
            [key[2] for key in missing],
            [wanted[key] for key in missing],
            # The first message moves this forward; before that the conversation is as old as anything.
            min((event.sent_at for event in chats if isinstance(event, MessageReceived)), default=work.now),
        )
        found = await _ids(work, wanted)
    locked = await rows.lock(work, [*found.values(), *renamed])
    scene.conversations = {key: locked[row_id] for key, row_id in found.items()}
    scene.renamed = [locked[row_id] for row_id in renamed if row_id in locked]


async def _lock_known(work: Work, keys: Sequence[Key]) -> dict[Key, Conversation]:
    """Those of the chats with one person that exist."""
    pairs = [(account_id, contact_id) for account_id, contact_id, _ in keys if contact_id is not None]
    return {(one.account_id, one.contact_id, ""): one for one in await rows.lock_pairs(work, pairs)}


async def _conversations_of_renamed(work: Work, scene: Scene) -> list[int]:
    people = [person.contact_id for person in scene.people.values() if person.moved]
    if not people:
        return []
    found = await work.tx.fetch("select id from conversation where contact_id = any($1::bigint[])", people)
    return [row["id"] for row in found]


async def _ids(work: Work, wanted: Iterable[Key]) -> dict[Key, int]:
    keys = list(wanted)
    singles = [key for key in keys if key[2] == ""]
    groups = [key for key in keys if key[2] != ""]
    found: dict[Key, int] = {}
    if singles:
        for row in await work.tx.fetch(
            "select c.id, c.account_id, c.contact_id from conversation c "
            "join unnest($1::bigint[], $2::bigint[]) w (account_id, contact_id) "
            "on c.account_id = w.account_id and c.contact_id = w.contact_id where c.group_key = ''",
            [key[0] for key in singles],
            [key[1] for key in singles],
        ):
            found[row["account_id"], row["contact_id"], ""] = row["id"]
    if groups:
        for row in await work.tx.fetch(
            "select c.id, c.account_id, c.group_key from conversation c "
            "join unnest($1::bigint[], $2::text[]) w (account_id, group_key) "
            "on c.account_id = w.account_id and c.group_key = w.group_key where c.group_key <> ''",
            [key[0] for key in groups],
            [key[2] for key in groups],
        ):
            found[row["account_id"], None, row["group_key"]] = row["id"]
    return found


async def _messages(work: Work, scene: Scene, chats: Sequence[tuple[Item, Chat]]) -> list[Arrival]:
    found = []
    for item, event in chats:
        if isinstance(event, MessageReceived):
            conversation = scene.conversation(event)
            if conversation is None:
                # Never drop a message in silence: the event fails, visibly, and can be run again.
                raise ValueError(f"a message without a usable account or contact ({event.account.channel})")
            found.append(Arrival(conversation, event, item.inbound_event_id))
    if found:
        await arrivals.write(work, found, unheard=scene.unheard)
        await lead_cards.note_numbers(work, found)
    return found


def _placed(scene: Scene, chats: Sequence[tuple[Item, Chat]], kind: type[E]) -> list[tuple[Item, Conversation, E]]:
    return [
        (item, conversation, event)
        for item, event in chats
        if isinstance(event, kind) and (conversation := scene.conversation(event)) is not None
    ]


def _as_occurrence(event: ContactEntered) -> Occurrence:
    data = {"scene": event.scene, **event.data}
    return Occurrence("contact.entered", event.at, event.account, event.contact, data)
