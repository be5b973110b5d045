"""The short way for a small batch of ordinary messages: from people who have written before, to accounts that are known, in
chats of their own. One statement finds everybody and locks their conversations, where the long way (``inbox.receive``) needs a
statement for accounts, people and conversations each. At a quiet pace the number of round trips is what a message costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from customers.resolve import Resolved
from inbox.rows import Conversation, conversation_from
from inbox.text import clean
from scrm.channel import AccountRef, ContactRef, MessageReceived
from scrm.db import Row
from scrm.normalise import Batch
from scrm.services import Work

SMALL = 20
"""Events; in larger batches the statements of the long way are shared by so many that they cost nothing."""

FACTS = "(p.channel, p.account, p.contact, p.account_name, p.account_avatar, p.team_id, p.customer_id, p.contact_name, p.contact_avatar, p.union_id)::text"
"""All that is known of an account and a contact here, in one: whoever remembers them sees by it whether it still holds."""
PLACE = """a.id as account_id, a.name as account_name, a.avatar as account_avatar, a.team_id,
    k.id as contact_id, k.customer_id, k.name as contact_name, k.avatar as contact_avatar, k.union_id"""

FIND = f"""
with place as materialized (
  select w.channel, w.account, w.contact, {PLACE}
  from unnest($2::text[], $3::text[], $4::text[]) w (channel, account, contact)
  cross join lateral (select * from account where connection_id = $1 and channel = w.channel
    and external_id = w.account offset 0) a
  cross join lateral (select * from contact where connection_id = $1 and external_id = w.contact offset 0) k
)
select {", ".join(f"c.{name}" for name in Conversation.columns())}, p.*,
  {FACTS} as facts,
  exists (select from message m where m.conversation_id = c.id and m.platform_message_id = any($5::text[]))
    or exists (select from early_recall e where e.conversation_id = c.id and e.platform_message_id = any($5::text[])) as heard,
  c.xmin::text as mark
from place p
join conversation c on c.account_id = p.account_id and c.contact_id = p.contact_id and c.group_key = ''
order by c.id
"""  # noqa: S608
"""Each person by their key, then each conversation by its own: whatever the statistics say, never all of an account. ``mark`` is another
one as soon as anything of the conversation's row was written."""
FIND_AND_LOCK = f"{FIND} for update of c"


class Facts(Protocol):
    """The columns of :data:`FIND` by their names."""

    def __getitem__(self, name: str, /) -> Any: ...


@dataclass(frozen=True, slots=True)
class Known:
    """A conversation with what it was found by, and its version before the batch. ``mark`` is the number of the last writing of its row."""

    conversation: Conversation
    version: int
    row: Facts
    mark: str


Place = tuple[str, str, str]
"""(channel, account, contact), as the platform names them."""


class Familiar:
    """Accounts, people and locked conversations of a batch in which nobody is new. ``unheard``: no message of it was there before, or
    recalled; what says so is written under the connection's lock only, which the batch has had since before it looked."""

    def __init__(self, *, echoes: bool) -> None:
        # An echo may be of a message that a rep is sending at this moment: that is not looked up ahead.
        self.unheard = not echoes
        self.accounts: dict[tuple[str, str], int] = {}
        self.people: dict[str, Resolved] = {}
        self.conversations: dict[tuple[int, int | None, str], Conversation] = {}
        self.known: list[Known] = []

    def add(self, row: Facts, conversation: Conversation, mark: str, *, heard: bool) -> None:
        self.known.append(Known(conversation, conversation.version, row, mark))
        self.unheard = self.unheard and not heard
        self.accounts[row["channel"], row["account"]] = conversation.account_id
        self.conversations[conversation.account_id, conversation.contact_id, ""] = conversation
        if conversation.contact_id is not None:
            self.people[row["contact"]] = Resolved(conversation.contact_id, row["customer_id"], row["contact_name"])


async def find(work: Work, batch: Batch, events: Sequence[object]) -> Familiar | None:
    """With the conversations locked. None: somebody or something is new, or the batch is no small one of messages; go the long way."""
    question = asked(batch, events)
    if question is None:
        return None
    return question.answered(await work.tx.fetch(FIND_AND_LOCK, *question.parameters))


class Question:
    """Who wrote where, in words of the platform, and with which messages: what :data:`FIND` is asked."""

    def __init__(
        self, connection_id: int, places: dict[Place, MessageReceived], messages: Sequence[MessageReceived]
    ) -> None:
        self.places = places
        self._echoes = any(message.echo for message in messages)
        channels, accounts, contacts = zip(*places, strict=True)
        named = [clean(message.message_id) for message in messages]
        self.parameters = connection_id, channels, accounts, contacts, named

    def answered(self, rows: Sequence[Row]) -> Familiar | None:
        """None when somebody is new, or called otherwise than we know them."""
        if len(rows) < len(self.places):
            return None
        found = self.nothing()
        for row in rows:
            if self.is_news(row):
                return None
            found.add(row, conversation_from(row), row["mark"], heard=row["heard"])
        return found

    def nothing(self) -> Familiar:
        """To be filled."""
        return Familiar(echoes=self._echoes)

    def is_news(self, row: Facts) -> bool:
        """Whether account or contact are called otherwise than we know them."""
        event = self.places[row["channel"], row["account"], row["contact"]]
        return _account_is_news(row, event.account) or _contact_is_news(row, event.contact)


def asked(batch: Batch, events: Sequence[object]) -> Question | None:
    """None: the batch is no small one of plain messages."""
    if len(events) > SMALL:
        return None
    places: dict[Place, MessageReceived] = {}
    for event in events:
        if not isinstance(event, MessageReceived) or event.group is not None:
            return None
        if event.account.channel not in batch.connection.adapter.capabilities:
            return None
        place = event.account.channel, clean(event.account.external_id), clean(event.contact.external_id)
        if place in places and (places[place].contact, places[place].account) != (event.contact, event.account):
            return None
        places[place] = event
    messages = [event for event in events if isinstance(event, MessageReceived)]
    return Question(batch.connection.id, places, messages)


def _account_is_news(row: Facts, ref: AccountRef) -> bool:
    named = bool(clean(ref.name)) and row["account_name"] == row["account"]
    return named or (bool(ref.avatar) and not row["account_avatar"])


def _contact_is_news(row: Facts, ref: ContactRef) -> bool:
    said = clean(ref.name), clean(ref.avatar), clean(ref.union_id)
    known = row["contact_name"], row["contact_avatar"], row["union_id"]
    return any(new not in ("", old) for new, old in zip(said, known, strict=True))
