"""One condition in SQL, by the kind of its field. Written so that the indexes of ``schema.sql`` answer it."""

from __future__ import annotations

from collections.abc import Callable

from customers.field_indexes import value_of
from customers.field_values import Wrong, normalised_phone
from customers.filtering import values
from customers.filtering.asking import Asking
from customers.filtering.dates import custom_date, time
from customers.filtering.known import Known
from customers.filtering.places import Arguments
from customers.filtering.tree import Condition

# ruff: noqa: S608 - made of constants; values are parameters

FEWEST_DIGITS = 4
"""Of the end of a phone number: fewer would let numbers be guessed one digit after the other."""
NAMED = "name_keys(search_fold(u.name || ' ' || u.remark), false)"
COMPANY = "name_keys(search_fold(u.company), false)"


def text(known: Known, one: Condition, asking: Asking, arguments: Arguments) -> str:
    own = not known.column.startswith("u.")
    column = f"coalesce(u.fields ->> '{known.column}', '')" if own else known.column
    if own and one.op in ("is", "is_not", "in", "not_in"):
        several = one.op in ("in", "not_in")
        wanted = values.texts(one.value) if several else [values.one_text(one.value)]
        same = " or ".join(_equals(known.column, text, arguments) for text in wanted)
        return f"({same})" if one.op in ("is", "in") else f"not ({same})"
    if one.op == "empty":
        return f"{column} = ''"
    if one.op == "filled":
        return f"{column} <> ''"
    if one.op in ("in", "not_in"):
        some = f'{column} collate "C" = any({arguments.add(values.texts(one.value), "text[]")})'
        return some if one.op == "in" else f"not ({some})"
    if one.op in ("is", "is_not"):
        same = f'{column} collate "C" = {arguments.add(values.one_text(one.value), "text")}'
        return same if one.op == "is" else f"not ({same})"
    place = arguments.add(values.one_text(one.value), "text")
    says = f"strpos(search_fold({column}), search_fold({place})) > 0"
    return says if one.op == "contains" else f"not ({says})"


def words(known: Known, one: Condition, asking: Asking, arguments: Arguments) -> str:
    """Text with an index of its characters."""
    plain = text(known, one, asking, arguments)
    if one.op != "contains":
        return plain
    place = f"${len(arguments.values)}::text"
    if known.column == "u.company":
        return f"(u.company <> '' and {COMPANY} @> {_keys_of(place)} and {plain})"
    return f"({NAMED} @> {_keys_of(place)} and {plain})"


def _keys_of(place: str) -> str:
    """What an index of characters is asked: triples, which say more than the pairs they are made of; those only of words of two."""
    return f"name_keys(search_fold({place}), true)"


def search(known: Known, one: Condition, asking: Asking, arguments: Arguments) -> str:
    """Every word occurs in the name with the remark, in the company, or (for who may read them) ends a phone number."""
    return " and ".join(_anywhere(word, asking, arguments) for word in values.one_text(one.value).split()[:10])


def _anywhere(word: str, asking: Asking, arguments: Arguments) -> str:
    place = arguments.add(word, "text")
    keys = _keys_of(place)
    arms = [
        f"({NAMED} @> {keys} and strpos(search_fold(u.name || ' ' || u.remark), search_fold({place})) > 0)",
        f"(u.company <> '' and {COMPANY} @> {keys} and strpos(search_fold(u.company), search_fold({place})) > 0)",
    ]
    digits = word.removeprefix("+").replace("-", "")
    if asking.scope.phones and digits.isascii() and digits.isdigit() and len(digits) >= FEWEST_DIGITS:
        arms.append(_phone_ends(digits, arguments))
    return f"({' or '.join(arms)})"


def phone(known: Known, one: Condition, asking: Asking, arguments: Arguments) -> str:
    if known.column:
        return _custom_phone(known.column, one, asking, arguments)
    if one.op in ("empty", "filled"):
        has = "(u.phone <> '' or exists (select from phone_number p where p.customer_id = u.id))"
        return has if one.op == "filled" else f"not {has}"
    if one.op == "ends":
        return _phone_ends(_digits(one, asking), arguments)
    whole = _whole_phone(one, asking)
    number = arguments.add(whole, "text")
    written = arguments.add([whole, whole.removeprefix("+86"), whole.removeprefix("+")], "text[]")
    return (
        f"u.id = any(array(select p.customer_id from phone_number p where p.phone = {number} "
        f"union select c.id from customer c where c.phone <> '' and c.phone = any({written})))"
    )


def _phone_ends(digits: str, arguments: Arguments) -> str:
    end = arguments.add(digits[::-1], "text")
    return (
        f"u.id = any(array(select p.customer_id from phone_number p where reverse(p.phone) ^@ {end} "
        f"union select c.id from customer c where c.phone <> '' and reverse(c.phone) ^@ {end}))"
    )


def _custom_phone(key: str, one: Condition, asking: Asking, arguments: Arguments) -> str:
    if one.op in ("empty", "filled"):
        return _there(key, one.op)
    if one.op == "ends":
        return f"coalesce(reverse(u.fields ->> '{key}') ^@ {arguments.add(_digits(one, asking)[::-1], 'text')}, false)"
    return _equals(key, _whole_phone(one, asking), arguments)


def _digits(one: Condition, asking: Asking) -> str:
    _may_read_phones(asking)
    digits = values.one_text(one.value)
    if not (digits.isascii() and digits.isdigit() and FEWEST_DIGITS <= len(digits) <= 15):
        raise ValueError(f"Give at least the last {FEWEST_DIGITS} digits.")
    return digits


def _whole_phone(one: Condition, asking: Asking) -> str:
    _may_read_phones(asking)
    try:
        return normalised_phone(values.one_text(one.value))
    except Wrong as error:
        raise ValueError(error.en) from error


def _may_read_phones(asking: Asking) -> None:
    if not asking.scope.phones:
        raise ValueError("Only who may read phone numbers may look for them.")


def choice(known: Known, one: Condition, asking: Asking, arguments: Arguments) -> str:
    if one.op in ("empty", "filled"):
        return f"{known.column} {'=' if one.op == 'empty' else '<>'} ''"
    some = f"{known.column} = any({arguments.add(values.texts(one.value), 'text[]')})"
    return some if one.op == "in" else f"not ({some})"


def by_ids(known: Known, one: Condition, asking: Asking, arguments: Arguments) -> str:
    if one.op in ("empty", "filled"):
        return f"{known.column} is {'not ' if one.op == 'filled' else ''}null"
    wanted = values.owners(one.value, asking.agent_id) if known.kind == "owner" else values.ids(one.value)
    some = f"{known.column} = any({arguments.add(wanted, 'bigint[]')})"
    return some if one.op == "in" else f"(({some}) is not true)"


def team(known: Known, one: Condition, asking: Asking, arguments: Arguments) -> str:
    teams = arguments.add(values.ids(one.value), "bigint[]")
    some = f"u.owner_id = any(array(select t.agent_id from team_member t where t.team_id = any({teams})))"
    return some if one.op == "in" else f"(({some}) is not true)"


def tags(known: Known, one: Condition, asking: Asking, arguments: Arguments) -> str:
    if one.op in ("empty", "filled"):
        return f"u.tags {'=' if one.op == 'empty' else '<>'} '{{}}'"
    place = arguments.add(values.ids(one.value), "bigint[]")
    if one.op == "none":
        return f"not (u.tags && {place})"
    return f"(u.tags <> '{{}}' and u.tags {'@>' if one.op == 'all' else '&&'} {place})"


def channel(known: Known, one: Condition, asking: Asking, arguments: Arguments) -> str:
    if known.kind == "channel":
        names = arguments.add(values.texts(one.value), "text[]")
        some = f"u.accounts && array(select a.id from account a where a.channel = any({names}))"
    else:
        some = f"u.accounts && {arguments.add(values.ids(one.value), 'bigint[]')}"
    return f"not ({some})" if one.op == "none" else f"(u.accounts <> '{{}}' and {some})"


def flag(known: Known, one: Condition, asking: Asking, arguments: Arguments) -> str:
    wanted = values.flag(one.value)
    condition = known.column
    if not condition:
        me = arguments.add(asking.agent_id, "bigint")
        condition = f"((u.readers <> '{{}}' or u.writers <> '{{}}') and (u.readers || u.writers) @> array[{me}])"
    return condition if wanted else f"not {condition}"


def amount(known: Known, one: Condition, asking: Asking, arguments: Arguments) -> str:
    column = known.column
    if one.op in ("empty", "filled"):
        return f"{column} is {'not ' if one.op == 'filled' else ''}null"
    return _compared(column, one, lambda value: arguments.add(values.amount(value), "bigint"))


def number(known: Known, one: Condition, asking: Asking, arguments: Arguments) -> str:
    if one.op in ("empty", "filled"):
        return _there(known.column, one.op)
    if one.op == "is":
        return _equals(known.column, values.number(one.value), arguments)
    compared = _compared(
        value_of(known.column, "number"),
        one,
        lambda value: f"{arguments.add(str(values.number(value)), 'text')}::numeric",
    )
    return f"(u.fields ? '{known.column}' and {compared})"


def _compared(column: str, one: Condition, place: Callable[[object], str]) -> str:
    if one.op == "between":
        low, high = values.pair(one.value)
        return f"({column} >= {place(low)} and {column} <= {place(high)})"
    sign = {"is": "=", "at_least": ">=", "at_most": "<="}[one.op]
    return f"{column} {sign} {place(one.value)}"


def option(known: Known, one: Condition, asking: Asking, arguments: Arguments) -> str:
    """A choice of the company's own: the index over all fields answers each equality."""
    if one.op in ("empty", "filled"):
        return _there(known.column, one.op)
    some = " or ".join(_equals(known.column, key, arguments) for key in _keys(known, one, asking))
    return f"({some})" if one.op == "in" else f"not ({some})"


def multi(known: Known, one: Condition, asking: Asking, arguments: Arguments) -> str:
    if one.op in ("empty", "filled"):
        return _there(known.column, one.op)
    wanted = [_equals(known.column, [key], arguments) for key in _keys(known, one, asking)]
    joined = f"({(' and ' if one.op == 'all' else ' or ').join(wanted)})"
    return f"not {joined}" if one.op == "none" else joined


def _keys(known: Known, one: Condition, asking: Asking) -> list[str]:
    keys = values.texts(one.value)
    there = {choice.key for choice in asking.fields[known.column].choices}
    if any(key not in there for key in keys):
        raise ValueError("One of these choices does not exist.")
    return keys


def files(known: Known, one: Condition, asking: Asking, arguments: Arguments) -> str:
    return _there(known.column, one.op)


def _there(key: str, op: str) -> str:
    return f"u.fields ? '{key}'" if op == "filled" else f"not (u.fields ? '{key}')"


def _equals(key: str, value: object, arguments: Arguments) -> str:
    return f"(u.fields <> '{{}}' and u.fields @> {arguments.add({key: value}, 'jsonb')})"


def date(known: Known, one: Condition, asking: Asking, arguments: Arguments) -> str:
    if one.op in ("empty", "filled"):
        return _there(known.column, one.op)
    return custom_date(known.column, one, asking, arguments)


WRITTEN: dict[str, Callable[[Known, Condition, Asking, Arguments], str]] = {
    "text": text,
    "words": words,
    "search": search,
    "phone": phone,
    "choice": choice,
    "ids": by_ids,
    "owner": by_ids,
    "team": team,
    "tags": tags,
    "channel": channel,
    "account": channel,
    "flag": flag,
    "amount": amount,
    "number": number,
    "option": option,
    "multi": multi,
    "files": files,
    "date": date,
    "time": time,
}
