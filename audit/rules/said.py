"""Messages as rules look at them, and what each kind of rule finds in a batch of them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audit.rules.book import Book, Held, Message
from audit.rules.kinds import OffHours, Payee, Phone, RedPacket, SlowReply, Waiting
from inbox import rulebook
from inbox.rulebook import Rulebook
from scrm.db import Tx

_COLUMNS = """
select m.id, m.conversation_id, m.seq, m.direction, m.kind, m.text, m.sent_at, m.sender_kind, m.sender_agent_id, m.sender_id,
  case when m.kind not in ('text', 'image', 'voice', 'video', 'sticker') then m.content end as content, c.group_key <> '' as in_group,
  a.id as account_id, a.channel, a.team_id, coalesce(m.sender_agent_id, i.agent_id) as agent_id
from message m join conversation c on c.id = m.conversation_id join account a on a.id = c.account_id
left join agent_identity i on i.connection_id = a.connection_id
  and i.external_id = case when m.direction = 'out' and m.sender_id <> '' then m.sender_id else a.external_id end
where m.direction in ('in', 'out') and m.sender_kind in ('customer', 'agent')
"""
MESSAGES = f"{_COLUMNS} and m.id > $1 and m.id <= $2 order by m.id"
MESSAGES_BY_ID = f"{_COLUMNS} and m.id = any($1::bigint[]) order by m.id"
# How long the customer had waited for each of these answers: since the first thing they said after the answer before.
WAITED = """
select w.id, f.id as first_id, f.sent_at as since, f.text from unnest($1::bigint[], $2::bigint[], $3::bigint[]) w (id, conversation_id, seq)
cross join lateral (
  select coalesce(max(seq), 0) as seq from message where conversation_id = w.conversation_id and seq < w.seq and direction = 'out'
) o
cross join lateral (
  select id, sent_at, text from message where conversation_id = w.conversation_id and seq > o.seq and seq < w.seq and direction = 'in'
    and sender_kind = 'customer' and recalled_at is null and not (kind = 'text' and search_fold(btrim(text, $4)) = any($5::text[]))
  order by seq limit 1
) f
"""
# Mobile numbers of mainland China, and numbers with an area code; also written in groups.
NUMBER = re.compile(
    r"(?<![\d.])(?:(?:\+?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}|0\d{2,3}[ -]\d{7,8}|400[ -]?\d{3}[ -]?\d{4})(?![\d.])"
)
PAYMENT_LINK = re.compile(
    r"wxp://|https?://(?:qr\.alipay\.com|payapp\.wei?xin\.qq\.com|wx\.tenpay\.com|mclient\.alipay\.com|i\.qianbao\.qq\.com|qr\.95516\.com)/"
    r"|alipays?://",
    re.IGNORECASE,
)
PAYMENT_WORDS = re.compile(
    r"收款[码吗]|收款二维码|付款[码吗]|收钱码|赞赏码|支付二维码|转账二维码|个人收款|payment ?code", re.IGNORECASE
)
CLOSING = " \t\r\n~～!！。.，,？?、;；…^_"
"""Around words that end a talk."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule found something in a message. ``about``: what the alert tells besides (never words that somebody wrote); ``fold``: finds with
    the same one are one alert, else each message is its own."""

    rule: Held[Any]
    message: Message
    spans: tuple[tuple[int, int], ...] = ()
    words: tuple[str, ...] = ()
    about: Mapping[str, Any] | None = None
    fold: str = ""
    at: datetime | None = None


async def find_hits(tx: Tx, book: Book, messages: Sequence[Message]) -> list[Hit]:
    """What the rules of the book find in these messages."""
    if not book.rules or not messages:
        return []
    found = await text_hits(book, messages)
    if book.of("off_hours", "slow_reply"):
        flow = await rulebook.load(tx)
        for rule in book.of("off_hours"):
            found += _off_hours(rule, flow, messages)
        for rule in book.of("slow_reply"):
            found += await _slow(tx, rule, flow, messages)
    return found


async def text_hits(book: Book, messages: Sequence[Message], *, anywhere: bool = False) -> list[Hit]:
    """What the messages tell by themselves. ``anywhere``: wherever a rule looks."""
    found = await _words(book, messages, anywhere)
    for message in messages:
        found += _acts(book, message, anywhere)
    return found


def _concerned(rule: Held[Any], message: Message, anywhere: bool) -> bool:
    return rule.meets(message) if anywhere else rule.concerns(message)


async def _words(book: Book, messages: Sequence[Message], anywhere: bool) -> list[Hit]:
    rules = {one.id: one for one in book.of("words")}
    if not rules or book.matcher.empty:
        return []
    # Words of a title or a forwarded chat stand in no place of the text.
    besides = [(at, text) for at, one in enumerate(messages) if (text := beside(one))]
    texts = [*(one["text"] for one in messages), *(text for _, text in besides)]
    finds = await asyncio.to_thread(book.matcher.find, texts)
    hits: dict[tuple[int, int], Hit] = {}
    places = [*range(len(messages)), *(at for at, _ in besides)]
    for number, (at, of_text) in enumerate(zip(places, finds, strict=True)):
        for find in of_text:
            rule, message = rules[find.rule_id], messages[at]
            if not _concerned(rule, message, anywhere):
                continue
            before = hits.get((at, rule.id))
            spans = find.spans if number < len(messages) else ()
            words = find.words
            if before is not None:
                spans, words = before.spans, (*before.words, *(one for one in words if one not in before.words))
            hits[at, rule.id] = Hit(rule, message, spans, words)
    return list(hits.values())


def beside(message: Message) -> str:
    """What a message says besides its text: titles, links, what was forwarded."""
    content = message["content"]
    if not isinstance(content, dict) or not content:
        return ""
    said = [str(content[name]) for name in ("title", "description", "url", "name", "wish") if content.get(name)]
    items = content.get("items")
    if isinstance(items, list):
        said += [str(one.get("text", "")) for one in items if isinstance(one, dict)]
    return "\n".join(said)


def _acts(book: Book, message: Message, anywhere: bool) -> Iterator[Hit]:
    for rule in book.rules:
        if rule.kind in ("words", "off_hours", "slow_reply") or not _concerned(rule, message, anywhere):
            continue
        if isinstance(rule.data, Phone):
            spans = _numbers(message["text"], rule.data.exceptions)
            if spans:
                yield Hit(rule, message, spans)
        elif isinstance(rule.data, Payee):
            hit = _payee(rule, message)
            if hit is not None:
                yield hit
        elif rule.kind == "card":
            if message["kind"] == "contact_card":
                yield Hit(rule, message)
        elif isinstance(rule.data, RedPacket):
            fen = message["content"].get("total_fen") if isinstance(message["content"], dict) else None
            if isinstance(fen, int) and fen >= rule.data.fen:
                yield Hit(rule, message, about={"fen": fen})


def _numbers(text: str, own: Sequence[str]) -> tuple[tuple[int, int], ...]:
    digits = {re.sub(r"\D", "", one) for one in own}
    return tuple(
        found.span() for found in NUMBER.finditer(text)
        if (bare := re.sub(r"\D", "", found[0])) not in digits and bare.removeprefix("86") not in digits
    )  # fmt: skip


def _payee(rule: Held[Any], message: Message) -> Hit | None:
    text, more = message["text"], beside(message)
    if any(one in text or one in more for one in rule.data.exceptions):
        return None
    spans = tuple(found.span() for pattern in (PAYMENT_LINK, PAYMENT_WORDS) for found in pattern.finditer(text))
    if not spans and not PAYMENT_LINK.search(more) and not PAYMENT_WORDS.search(more):
        return None
    return Hit(rule, message, tuple(sorted(spans)[:20]))


def _off_hours(rule: Held[OffHours], flow: Rulebook, messages: Sequence[Message]) -> Iterator[Hit]:
    zone = flow.general.clock
    calendars: dict[int, Any] = {}
    for message in messages:
        if message["sender_kind"] != "agent" or not rule.concerns(message):
            continue
        local = message["sent_at"].astimezone(zone)
        if rule.data.use == "times":
            minute, start, end = local.hour * 60 + local.minute, rule.data.start, rule.data.end
            off = start <= minute < end if start < end else minute >= start or minute < end
        else:
            account = message["account_id"]
            if account not in calendars:
                calendars[account] = flow.calendar_of(account)
            off = not calendars[account].is_open(message["sent_at"])
        if off:
            # A talk in the evening is one alert.
            yield Hit(rule, message, fold=f"{message['conversation_id']}:{local:%Y%m%d}")


async def _slow(tx: Tx, rule: Held[SlowReply], flow: Rulebook, messages: Sequence[Message]) -> list[Hit]:
    answers = {
        one["id"]: one for one in messages
        if one["direction"] == "out" and one["sender_kind"] == "agent" and not one["in_group"] and rule.looks_at(one)
    }  # fmt: skip
    if not answers:
        return []
    rows = await tx.fetch(
        WAITED,
        list(answers),
        [one["conversation_id"] for one in answers.values()],
        [one["seq"] for one in answers.values()],
        CLOSING,
        [one.lower() for one in rule.data.enough_said],
    )
    found: list[Hit] = []
    for row in rows:
        message = answers[row["id"]]
        seconds = waited(rule.data, flow, message["account_id"], row["since"], message["sent_at"])
        if seconds >= rule.data.minutes * 60:
            found.append(
                Hit(rule, message, about={"seconds": int(seconds)}, fold=f"{row['first_id']}", at=row["since"])
            )
    return found


def waited(data: Waiting, flow: Rulebook, account_id: int, since: datetime, until: datetime) -> float:
    if not data.working_hours:
        return (until - since).total_seconds()
    return flow.calendar_of(account_id).working_seconds(since, until)
